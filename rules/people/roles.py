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
    SHELVE_ALARM = "alarm.shelve"
    """Put an alarm aside for a time, with a reason; take equipment out of service."""
    SHELVE_LIFE_SAFETY = "alarm.shelve_life_safety"
    """The same for fire and lift equipment."""
    RESET_ALARM = "alarm.reset"
    """End an alarm that its rule has latched."""
    CREATE_ORDER = "order.create"
    """An order, or what an owner asks for (报修)."""
    ASSIGN_ORDER = "order.assign"
    ACCEPT_ORDER = "order.accept"
    COMPLETE_ORDER = "order.complete"
    """Everything between taking an order and having done it."""
    VERIFY_ORDER = "order.verify"
    """Say that the work of somebody is good (验收), or not; void an order."""
    VISIT_REQUESTER = "order.visit"
    """Ask who asked for it (回访)."""
    PLAN_TEST = "test.plan"
    """Plan and cancel a test that holds back calls for a moment; of fire and lift equipment it
    takes ``SHELVE_LIFE_SAFETY`` too."""
    CONFIRM_TEST = "test.confirm"
    """Be the tester: say of a detector that it was set off for the test."""
    EDIT_RULES = "rules.edit"
    """Limits of the rulebook for one piece of equipment; replaying rules over history."""
    VIEW_NOTICES = "notices.view"
    """What was sent to whom, and how the channels are doing."""
    TRY_CHANNEL = "notices.try"
    """Send a test by a channel: everybody who hears of it is called."""
    ENTER_ROUND = "round.enter"
    """Fill in the items of a round, and sign it."""
    COUNTERSIGN_ROUND = "round.countersign"
    RESOLVE_OFFLINE = "offline.resolve"
    """Decide what counts where a phone that had no signal contradicts the record."""
    WORK_SHIFT = "shift.work"
    """Write in the log of a shift; sign in, answer and sign where it is handed over."""
    OVERRIDE_HANDOVER = "handover.override"
    """Let a shift be handed over although something forbids it, for a reason."""
    EDIT_REGISTER = "register.edit"
    """What the register says of equipment: its record, documents, dates and spare parts."""
    POSTPONE_PLAN = "plan.postpone"
    """Approve that maintenance is done later, once."""
    POSTPONE_PLAN_AGAIN = "plan.postpone_again"
    """The same where it was postponed before."""
    VOID_PLAN = "plan.void"
    """Say that maintenance that is due is not done at all."""
    EDIT_ROSTER = "roster.edit"
    EDIT_CALENDAR = "calendar.edit"
    VIEW_PEOPLE = "people.view"
    """Telephone numbers, skills and certificates of others."""
    EDIT_PEOPLE = "people.edit"
    """Users, their roles, passwords and sessions, and the tokens of machines."""
    VIEW_AUDIT = "audit.view"
    COMMAND_DEVICE = "device.command"
    """Tell a device something, as far as the site's allowlist goes."""
    PROBE_DEVICE = "device.probe"
    """Read a device in ways that the site file does not say."""
    INJECT_FAULT = "demo.fault"
    """Of a demonstration: have simulated equipment fail."""


WHOLE_SITE = "*"
"""Stands for the area of what is the whole site's: not for who acts in some areas only. No id of
an area looks like that."""
OF_WHOLE_SITE = frozenset(
    {Permission.EDIT_PEOPLE, Permission.EDIT_CALENDAR, Permission.PROBE_DEVICE}
)
"""There is no part of these that is one area's."""
IN_PERSON = frozenset(
    {
        Permission.EDIT_PEOPLE,
        Permission.EDIT_RULES,
        Permission.PLAN_TEST,
        Permission.OVERRIDE_HANDOVER,
        Permission.COMMAND_DEVICE,
        Permission.PROBE_DEVICE,
        Permission.INJECT_FAULT,
    }
)
"""What neither a few digits nor a machine's token suffice for: it takes being logged in oneself."""

BY_KIOSK = frozenset({Permission.VIEW})
"""What a screen on a wall suffices for; which of the views, ``api.screens`` says."""
BY_LINK = frozenset({Permission.VIEW, Permission.ACCEPT_ORDER, Permission.COMPLETE_ORDER})
"""What a contractor's link to one order suffices for."""

_WATCH = {
    Permission.VIEW,
    Permission.VIEW_PEOPLE,
    Permission.VIEW_NOTICES,
    Permission.TRY_CHANNEL,
    Permission.ACKNOWLEDGE_ALARM,
    Permission.SHELVE_ALARM,
    Permission.RESET_ALARM,
    Permission.CREATE_ORDER,
    Permission.ASSIGN_ORDER,
    Permission.VISIT_REQUESTER,
    Permission.WORK_SHIFT,
}
_REPAIR = {
    Permission.CREATE_ORDER,
    Permission.ACCEPT_ORDER,
    Permission.COMPLETE_ORDER,
    Permission.CONFIRM_TEST,
    Permission.ENTER_ROUND,
    Permission.WORK_SHIFT,
}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.OFFICER: frozenset(
        {*_WATCH, Permission.ENTER_ROUND, Permission.COMMAND_DEVICE, Permission.INJECT_FAULT}
    ),
    Role.TECHNICIAN: frozenset({Permission.VIEW, *_REPAIR, Permission.COMMAND_DEVICE}),
    Role.FOREMAN: frozenset(
        {
            *_WATCH,
            *_REPAIR,
            Permission.VERIFY_ORDER,
            Permission.RESOLVE_OFFLINE,
            Permission.POSTPONE_PLAN,
            Permission.EDIT_REGISTER,
            Permission.EDIT_ROSTER,
            Permission.COMMAND_DEVICE,
            Permission.INJECT_FAULT,
        }
    ),
    Role.ENGINEERING_MANAGER: frozenset(
        set(Permission) - {Permission.EDIT_PEOPLE, Permission.PROBE_DEVICE}
    ),
    Role.PROJECT_MANAGER: frozenset(
        {
            Permission.VIEW,
            Permission.VIEW_PEOPLE,
            Permission.VIEW_NOTICES,
            Permission.VIEW_AUDIT,
        }
    ),
    Role.ADMIN: frozenset(
        set(Permission)
        - {
            Permission.COUNTERSIGN_ROUND,
            Permission.OVERRIDE_HANDOVER,
            Permission.POSTPONE_PLAN_AGAIN,
            Permission.SHELVE_LIFE_SAFETY,
            Permission.CONFIRM_TEST,
        }
    ),
}


class Via(StrEnum):
    """How somebody came to act."""

    SESSION = "session"
    PIN = "pin"
    """Signed at a computer on which somebody else is logged in."""
    TOKEN = "token"  # a word, not a secret
    COMMAND = "command"
    """The command line on the machine itself."""
    LINK = "link"
    """A contractor, by the link to the one order that they have."""
    KIOSK = "kiosk"
    """A screen on a wall, which only looks."""
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
        if self.via is Via.LINK and permission not in BY_LINK:
            return False
        if self.via is Via.KIOSK and permission not in BY_KIOSK:
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
