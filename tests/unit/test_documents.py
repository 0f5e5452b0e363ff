from pathlib import Path

import pytest

from gateway.documents import ConfigurationError, Document, read


class Wheel(Document):
    id: str
    size: int


class Cart(Document):
    wheels: list[Wheel]
    colour: str = "grey"


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(path, Cart)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.fixture
def cart(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "cart.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_every_problem_at_once_with_line_name_and_mend(cart):
    path = cart("wheels:\n  - id: left\n    size: big\n  - id: right\n    sise: 2\ncolor: red\n")
    assert problems(path) == [
        "3: wheels.left.size: input should be a valid integer, unable to parse string as an "
        "integer (found 'big'); give a value of the kind that is asked for",
        "4: wheels.right.size: is missing; add it",
        "5: wheels.right.sise: is not a known key; remove it or mend its spelling",
        "6: color: is not a known key; remove it or mend its spelling",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wheels: []\nwheels: []\n", "2: document: found duplicate key"),
        ("wheels: [\n", "is no valid YAML"),
        ("", "1: document: is empty or no mapping"),
        ("- 1\n", "1: document: is empty or no mapping"),
        ("wheels: \x00\n", "is no valid YAML"),
    ],
)
def test_a_file_that_is_no_document(cart, text, expected):
    (problem,) = problems(cart(text))
    assert expected in problem


def test_a_file_that_is_not_there(tmp_path):
    assert problems(tmp_path / "none.yaml") == [
        "1: document: there is no such file; check the path"
    ]


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "cart.yaml"
    path.write_bytes(b"wheels: \xff\xfe")
    assert "cannot be read" in problems(path)[0]


def test_a_right_file_is_read(cart):
    parsed = read(cart("wheels: [{id: left, size: 2}]\n"), Cart)
    assert parsed.content.wheels[0].size == 2
    assert parsed.problem(("wheels", 0, "size"), "is flat", "pump it up").line == 1
