"""Whatever the audit notes, the page says in words."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTED = ("record", "note", "_work")
STEP = re.compile(r"[a-z_]+\.[a-z_.]+")


def _noted() -> Iterator[str]:
    """The actions that are written as a constant beside a call that notes one."""
    for file in [*ROOT.glob("rules/**/*.py"), ROOT / "api/deps.py", *ROOT.glob("api/routes/*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            words = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if name in NOTED:
                yield from (one for one in words if STEP.fullmatch(str(one)))
            if name == "_work":
                # Steps of an order say their own name.
                yield from (f"order.{one}" for one in words if "." not in str(one))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_action_that_is_noted_has_its_words(language: str) -> None:
    file = ROOT / "api/web/src/words" / f"{language}.json"
    known = json.loads(file.read_text(encoding="utf-8"))["audit"]["action"]
    actions = set(_noted())
    assert {"order.suspend", "alarm.shelve", "session.begin", "planned_test.confirm"} <= actions
    for action in sorted(actions):
        group, _, deed = action.partition(".")
        assert isinstance(known.get(group, {}).get(deed), str), action
