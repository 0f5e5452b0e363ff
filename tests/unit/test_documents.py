import time
from pathlib import Path

import pytest
from pydantic import Field

from gateway.files.documents import (
    LARGEST,
    Document,
    UnreadableError,
    findings,
    problem_in,
    salvage,
)


class Wheel(Document):
    id: str
    size: int


class Cart(Document):
    wheels: tuple[Wheel, ...] = Field(min_length=1)
    colour: str = "grey"


def problems(path: Path) -> list[str]:
    _, found = salvage(path, Cart)
    return [str(problem).removeprefix(f"{path}:") for problem in found]


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
    parsed, found = salvage(cart("wheels: [{id: left, size: 2}]\n"), Cart)
    assert parsed is not None
    assert not found
    assert parsed.content.wheels[0].size == 2
    assert parsed.problem(("wheels", 0, "size"), "is flat", "pump it up").line == 1


def test_what_is_right_in_a_wrong_file_can_be_read_and_what_is_wrong_cannot(cart):
    path = cart("wheels:\n  - {id: left, size: big}\n  - 5\n  - {size: 3}\ncolour: [red]\n")
    parsed, found = salvage(path, Cart)
    assert parsed is not None
    assert [problem.line for problem in found] == [2, 3, 4, 5]
    left, number, nameless = parsed.content.wheels
    assert (left.id, nameless.size) == ("left", 3)
    for thing, wrong in (
        (left, "size"),
        (number, "id"),
        (nameless, "id"),
        (parsed.content, "colour"),
    ):
        with pytest.raises(UnreadableError):
            getattr(thing, wrong)
    with pytest.raises(AttributeError):
        _ = left.sise
    # The places are those of the file, whatever else is wrong in it.
    assert parsed.problem(("wheels", 2, "size"), "", "").line == 4


def test_a_check_ends_where_it_comes_to_something_unreadable(cart):
    parsed, _ = salvage(cart("wheels: [{id: left, size: big}]\n"), Cart)
    assert parsed is not None
    (wheel,) = parsed.content.wheels

    def check():
        yield ("id",), wheel.id, ""
        yield ("size",), str(wheel.size), ""

    found = findings(check(), check())
    assert [where for where, _, _ in found] == [("id",), ("id",)]


def test_a_list_is_not_called_too_short_for_the_mistakes_of_its_items(cart):
    assert len(problems(cart("wheels: [{id: left, size: big}]\n"))) == 1
    (empty,) = problems(cart("wheels: []\n"))
    assert "at least 1 item" in empty


@pytest.mark.parametrize(
    "text", ["wheels: " + "[" * 5000, "wheels:\n" + "- " * 5000, "wheels: " + "{a: " * 5000]
)
def test_deep_nesting_is_one_problem_and_soon(cart, text):
    path = cart(text)
    before = time.process_time()
    (problem,) = problems(path)
    assert "is nested more than 50 levels deep" in problem
    assert time.process_time() - before < 4


def test_a_file_that_is_too_large_is_not_parsed(cart):
    (problem,) = problems(cart("#" * (LARGEST + 1)))
    assert "has more than 4000000 characters" in problem


def test_a_problem_in_a_file_read_before_has_its_line(cart, tmp_path):
    path = cart("wheels:\n  - {id: left, size: 2}\n")
    problem = problem_in(str(path), ("wheels", 0, "size"), "is flat", "pump it up")
    assert (problem.line, problem.name) == (2, "wheels.left.size")
    assert problem_in(str(tmp_path / "gone"), ("wheels",), "is flat", "pump it up").line == 1
