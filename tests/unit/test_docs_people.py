"""The table of roles in the documents is the table in force."""

from __future__ import annotations

from pathlib import Path

from rules.people.roles import GRANTS, NAMES, Permission, Role

PEOPLE = Path(__file__).parents[2] / "deploy" / "docs" / "people.md"


def test_the_table_of_roles_is_the_one_in_force() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PEOPLE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    head, told = rows[0], rows[2:]
    assert head[1:] == [f"{role} {NAMES[role].zh}" for role in Role]
    assert {row[0].strip("`") for row in told} == {permission.value for permission in Permission}
    for row in told:
        granted = [role for role, cell in zip(Role, row[1:], strict=True) if cell == "yes"]
        permission = Permission(row[0].strip("`"))
        assert granted == [role for role in Role if permission in GRANTS[role]], permission
