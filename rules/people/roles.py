"""Roles, what each may do, and the check that every action makes before it changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.model.point import Text


class Role(StrEnum):
    OFFICER = "officer"
    """值班员: watches, acknowledges, dispatches."""
    TECHNICIAN = "technician"
    """技工: orders and rounds of the own areas."""
    FOREMAN = "foreman"
    """领班: the technicians' work, and the roster."""
    ENGINEERING_MANAGER = "engineering_manager"
    """工程经理: countersigns, answers for rules, plans and indicators."""
    PROJECT_MANAGER = "project_manager"
    """项目经理: sees everything of the own site, changes nothing of the equipment's."""
    ADMIN = "admin"
    """管理员: people and secrets. Where nobody else is set up, the duty room works with it; it
    never countersigns, and nobody edits the audit."""


NAMES: Mapping[Role, Text] = {
    Role.OFFICER: Text(zh="值班员", en="Duty officer"),
    Role.TECHNICIAN: Text(zh="技工", en="Technician"),
    Role.FOREMAN: Text(zh="领班", en="Foreman"),
    Role.ENGINEERING_MANAGER: Text(zh="工程经理", en="Engineering manager"),
    Role.PROJECT_MANAGER: Text(zh="项目经理", en="Project manager"),
    Role.ADMIN: Text(zh="管理员", en="Administrator"),
}


class Permission(StrEnum):
    VIEW = "view"
    """Equipment, readings, alarms, orders, rounds, roster, calendar."""
    ACKNOWLEDGE_ALARM = "alarm.acknowledge"
    ACCEPT_ORDER = "order.accept"
    COMPLETE_ORDER = "order.complete"
    ENTER_ROUND = "round.enter"
    """Fill in the items of a round, and sign it."""
    COUNTERSIGN_ROUND = "round.countersign"
    EDIT_ROSTER = "roster.edit"
    EDIT_CALENDAR = "calendar.edit"
    VIEW_PEOPLE = "people.view"
    """Telephone numbers, skills and certificates of others."""
    EDIT_PEOPLE = "people.edit"
    """Users, their roles, passwords and sessions, and the tokens of machines."""
    VIEW_AUDIT = "audit.view"


WHOLE_SITE = "*"
"""Stands for the area of what is the whole site's: not for who acts in some areas only. No id of
an area looks like that."""
OF_WHOLE_SITE = frozenset({Permission.EDIT_PEOPLE, Permission.EDIT_CALENDAR})
"""There is no part of these that is one area's."""
IN_PERSON = frozenset({Permission.EDIT_PEOPLE})
"""What neither a few digits nor a machine's token suffice for: it takes being logged in oneself."""

_WATCH = {Permission.VIEW, Permission.VIEW_PEOPLE, Permission.ACKNOWLEDGE_ALARM}
_REPAIR = {Permission.ACCEPT_ORDER, Permission.COMPLETE_ORDER, Permission.ENTER_ROUND}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.OFFICER: frozenset({*_WATCH, Permission.ENTER_ROUND}),
    Role.TECHNICIAN: frozenset({Permission.VIEW, *_REPAIR}),
    Role.FOREMAN: frozenset({*_WATCH, *_REPAIR, Permission.EDIT_ROSTER}),
    Role.ENGINEERING_MANAGER: frozenset(set(Permission) - {Permission.EDIT_PEOPLE}),
    Role.PROJECT_MANAGER: frozenset(
        {Permission.VIEW, Permission.VIEW_PEOPLE, Permission.VIEW_AUDIT}
    ),
    Role.ADMIN: frozenset(set(Permission) - {Permission.COUNTERSIGN_ROUND}),
}


class Via(StrEnum):
    """How somebody came to act."""

    SESSION = "session"
    PIN = "pin"
    """Signed at a computer on which somebody else is logged in."""
    TOKEN = "token"  # a word, not a secret
    COMMAND = "command"
    """The command line on the machine itself."""
    SYSTEM = "system"


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who acts at one site."""

    username: str
    role: Role
    areas: frozenset[str] = frozenset()
    """Where they may act; empty: everywhere on the site."""
    via: Via = Via.SESSION
    at_session_of: str | None = None
    """Who is logged in where this one signs by PIN."""

    def may(self, permission: Permission, area: str | None = None) -> bool:
        """Whether ``permission`` is theirs, and in ``area`` (or :data:`WHOLE_SITE`) if one is
        named."""
        if permission not in GRANTS[self.role]:
            return False
        if self.via in (Via.PIN, Via.TOKEN) and permission in IN_PERSON:
            return False
        if permission in OF_WHOLE_SITE:
            area = WHOLE_SITE
        return area is None or not self.areas or area in self.areas


PROGRAM = Actor(username="dutyroom", role=Role.ADMIN, via=Via.SYSTEM)
"""dutyroom itself, where it sets something up."""


class ForbiddenError(Exception):
    """The actor may not do this; nothing has changed."""

    def __init__(self, actor: Actor, permission: Permission, area: str | None) -> None:
        where = "" if area is None else f" in the area {area}"
        if area == WHOLE_SITE:
            where = " for the whole site"
        super().__init__(f"{actor.username} ({actor.role}) may not {permission.value}{where}")
        self.actor = actor
        self.permission = permission
        self.area = area


def require(actor: Actor, permission: Permission, area: str | None = None) -> None:
    """Raises :class:`ForbiddenError` where ``actor`` may not."""
    if not actor.may(permission, area):
        raise ForbiddenError(actor, permission, area)
