import pytest

from gateway.files.durations import parse, write
from gateway.model.moment import DAY, SECOND


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("500ms", SECOND // 2),
        ("10s", 10 * SECOND),
        ("5m", 300 * SECOND),
        ("2h", 7200 * SECOND),
        ("1d", DAY),
        ("0s", 0),
        (" 1s ", SECOND),
    ],
)
def test_a_number_and_its_unit(text, duration):
    assert parse(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", "10", "s", "1.5s", "-1s", "1h30m", "1 s", "10S", "1w", "٣s", "3651d", "9999999999d"],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="a duration is"):
        parse(text)


@pytest.mark.parametrize("text", ["500ms", "10s", "90s", "5m", "2h", "1d", "0s", "100ms"])
def test_written_as_it_is_read(text):
    assert write(parse(text)) == text
