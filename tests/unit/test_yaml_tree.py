"""The YAML reader against ruamel, whose round trip reads the same more slowly."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gateway.files.yaml_tree import DuplicateKeyError, Items, Table, TooDeepError, YamlError, load

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(
    path
    for folder in ("rules/book", "gateway/profiles", "simulators/scenarios", "deploy/demo")
    for path in (ROOT / folder).rglob("*.yaml")
)


def plain(node: Any) -> Any:
    """Without what ruamel keeps to write the same text again."""
    if isinstance(node, dict):
        return {plain(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(item) for item in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def by_ruamel(text: str) -> Any:
    return plain(YAML(typ="rt").load(text))


def lines_of(node: Any) -> Any:
    """Keys and items with their lines, as ruamel marks them."""
    if isinstance(node, dict):
        return [(key, node.lc.key(key)[0] + 1, lines_of(value)) for key, value in node.items()]
    if isinstance(node, list):
        return [(node.lc.item(at)[0] + 1, lines_of(item)) for at, item in enumerate(node)]
    return None


def our_lines_of(node: Any) -> Any:
    if isinstance(node, Table):
        return [(key, node.lines[key], our_lines_of(value)) for key, value in node.items()]
    if isinstance(node, Items):
        pairs = zip(node.lines, node, strict=True)
        return [(line, our_lines_of(item)) for line, item in pairs]
    return None


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_file_is_read_as_ruamel_reads_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = load(text, 50)
    assert tree == by_ruamel(text)
    assert our_lines_of(tree) == lines_of(YAML(typ="rt").load(text))


@pytest.mark.parametrize(
    "word",
    [
        *("1", "-7", "+3", "010", "0x10", "0xFFFF", "0o17", "0b11", "1_000", "1.5", "-.5", "1e3"),
        *("1.", "1.5e-3", "5E2", ".inf", "-.inf", "true", "False", "null", "~", "Null", ""),
        *("on", "yes", "No", "12:30", "1:2:3", "30s", "0x", "1.2.3", "2026-11-22", "-", "--"),
        *("'1'", '"true"', "1 2", "a: b", "0.1.1", "1-2", "+", ".", "10%", "ON", "e5", "_1"),
    ],
)
def test_words_mean_what_ruamel_takes_them_for(word: str) -> None:
    text = f"key: {word}\n"
    try:
        expected = by_ruamel(text)
    except Exception:
        with pytest.raises(YamlError):
            load(text, 50)
        return
    got = load(text, 50)
    assert got == expected
    assert type(got["key"]) is type(expected["key"])


def test_no_number() -> None:
    assert math.isnan(load("[.nan]", 5)[0])
    assert load("2026-11-22", 5) == date(2026, 11, 22)


def test_a_merge_gives_what_is_not_said() -> None:
    text = "base: &b {a: 1, b: 2}\nown:\n  <<: *b\n  b: 3\nboth: {<<: [*b, {c: 4}]}\n"
    assert load(text, 50) == by_ruamel(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", 3),
        ("a: [1\nb: 2\n", 2),
        ("a: *b\n", 1),
        ("---\na: 1\n---\nb: 2\n", 3),
        ("a:\n  ? [1]\n  : 2\n", 2),
        ("a: !secret x\n", 1),
        ("a: 2026-13-01\n", 1),
        ("\x00", 1),
        ("a: \ud800", 1),
        ("<<: 5\n", 1),
    ],
)
def test_what_is_wrong_has_its_line(text: str, line: int) -> None:
    with pytest.raises(YamlError) as caught:
        load(text, 50)
    assert caught.value.line == line


def test_kinds_of_mistakes_are_told_apart() -> None:
    with pytest.raises(DuplicateKeyError, match='found duplicate key "a"'):
        load("{a: 1, a: 2}", 50)
    for deep in ("[" * 100_000, "{a: " * 100_000, "- " * 100_000):
        with pytest.raises(TooDeepError):
            load(deep, 50)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:-{}[],&*!|>'\"#%@ \n\t0.x~<", max_size=60))
def test_no_text_crashes_it_and_what_both_read_is_the_same(text: str) -> None:
    try:
        ours = load(text, 50)
    except YamlError:
        return
    try:
        theirs = by_ruamel(text)
    except Exception:
        return
    if not isinstance(ours, dict):
        return
    assert str(plain(ours)) == str(theirs)
