"""What each route of the API asks of whoever calls it: the one table that the matrix of roles and
endpoints is made from. A route that is not here fails the test."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rules.people.roles import Permission


class Who(StrEnum):
    """Where no permission decides."""

    ANYBODY = "anybody"
    """Also without being logged in."""
    PERSON = "person"
    """Whoever is logged in; no machine."""
    SCREEN = "screen"
    """A screen on a wall, and nobody else."""


_V1 = "/api/v1"
_VIEW = Permission.VIEW

NEEDS: Mapping[str, Permission | tuple[Permission, ...] | Who] = {
    # Of several permissions one suffices.
    "GET /healthz": Who.ANYBODY,
    "GET /metrics": Who.ANYBODY,
    f"POST {_V1}/login": Who.ANYBODY,
    f"POST {_V1}/logout": Who.PERSON,
    f"GET {_V1}/me": _VIEW,
    f"POST {_V1}/me/password": Who.PERSON,
    f"PUT {_V1}/me/pin": Who.PERSON,
    f"DELETE {_V1}/me/pin": Who.PERSON,
    f"GET {_V1}/site": _VIEW,
    f"GET {_V1}/equipment": _VIEW,
    f"GET {_V1}/equipment/{{equipment_id}}": _VIEW,
    f"GET {_V1}/points/{{point_id}}/readings": _VIEW,
    f"GET {_V1}/silences": _VIEW,
    f"GET {_V1}/links": _VIEW,
    f"POST {_V1}/links/{{link_id}}/probe": Permission.PROBE_DEVICE,
    f"GET {_V1}/profiles": _VIEW,
    f"GET {_V1}/profiles/{{profile_id}}": _VIEW,
    f"GET {_V1}/commands": _VIEW,
    f"GET {_V1}/equipment/{{equipment_id}}/commands": _VIEW,
    f"POST {_V1}/equipment/{{equipment_id}}/commands": Permission.COMMAND_DEVICE,
    f"POST {_V1}/commands/{{command_id}}/confirm": Permission.COMMAND_DEVICE,
    f"GET {_V1}/stream": _VIEW,
    f"GET {_V1}/alarms": _VIEW,
    f"GET {_V1}/alarms/figures": _VIEW,
    f"GET {_V1}/order-figures": _VIEW,
    f"GET {_V1}/order-figures.csv": _VIEW,
    f"GET {_V1}/alarms/{{alarm_id}}": _VIEW,
    f"POST {_V1}/alarms/{{alarm_id}}/acknowledge": Permission.ACKNOWLEDGE_ALARM,
    f"POST {_V1}/alarms/{{alarm_id}}/shelve": Permission.SHELVE_ALARM,
    f"POST {_V1}/alarms/{{alarm_id}}/unshelve": Permission.SHELVE_ALARM,
    f"POST {_V1}/alarms/{{alarm_id}}/reset": Permission.RESET_ALARM,
    f"GET {_V1}/shelves": _VIEW,
    f"GET {_V1}/out-of-service": _VIEW,
    f"POST {_V1}/equipment/{{equipment_id}}/out-of-service": Permission.SHELVE_ALARM,
    f"POST {_V1}/equipment/{{equipment_id}}/in-service": Permission.SHELVE_ALARM,
    f"GET {_V1}/planned-tests": _VIEW,
    f"GET {_V1}/planned-tests/{{test_id}}": _VIEW,
    f"POST {_V1}/planned-tests": Permission.PLAN_TEST,
    f"POST {_V1}/planned-tests/{{test_id}}/cancel": Permission.PLAN_TEST,
    f"POST {_V1}/planned-tests/{{test_id}}/end": (Permission.CONFIRM_TEST, Permission.PLAN_TEST),
    f"POST {_V1}/planned-tests/{{test_id}}/confirm": (
        Permission.CONFIRM_TEST,
        Permission.PLAN_TEST,
    ),
    f"GET {_V1}/rules": _VIEW,
    f"GET {_V1}/rules/{{rule_id}}": _VIEW,
    f"PUT {_V1}/rules/{{rule_id}}/overrides/{{equipment_id}}": Permission.EDIT_RULES,
    f"DELETE {_V1}/rules/{{rule_id}}/overrides/{{equipment_id}}": Permission.EDIT_RULES,
    f"GET {_V1}/replays": _VIEW,
    f"GET {_V1}/replays/{{replay_id}}": _VIEW,
    f"POST {_V1}/replays": Permission.EDIT_RULES,
    f"POST {_V1}/replays/{{replay_id}}/cancel": Permission.EDIT_RULES,
    f"GET {_V1}/orders": _VIEW,
    f"GET {_V1}/orders/{{order_id}}": _VIEW,
    f"GET {_V1}/order-codes": _VIEW,
    f"POST {_V1}/orders/{{order_id}}/assign": (Permission.ASSIGN_ORDER, Permission.ACCEPT_ORDER),
    f"POST {_V1}/orders/{{order_id}}/decline": Permission.ACCEPT_ORDER,
    f"POST {_V1}/orders/{{order_id}}/accept": Permission.ACCEPT_ORDER,
    f"POST {_V1}/orders/{{order_id}}/arrive": Permission.COMPLETE_ORDER,
    f"POST {_V1}/orders/{{order_id}}/start": Permission.COMPLETE_ORDER,
    f"POST {_V1}/orders/{{order_id}}/suspend": Permission.COMPLETE_ORDER,
    f"POST {_V1}/orders/{{order_id}}/resume": Permission.COMPLETE_ORDER,
    f"PUT {_V1}/orders/{{order_id}}/both-crews": Permission.COMPLETE_ORDER,
    f"DELETE {_V1}/orders/{{order_id}}/both-crews": Permission.COMPLETE_ORDER,
    f"POST {_V1}/orders/{{order_id}}/complete": Permission.COMPLETE_ORDER,
    f"POST {_V1}/orders/{{order_id}}/verify": Permission.VERIFY_ORDER,
    f"POST {_V1}/orders/{{order_id}}/visit": Permission.VISIT_REQUESTER,
    f"POST {_V1}/orders/{{order_id}}/void": Permission.VERIFY_ORDER,
    f"GET {_V1}/orders/{{order_id}}/candidates": (
        Permission.ASSIGN_ORDER,
        Permission.ACCEPT_ORDER,
    ),
    f"POST {_V1}/orders/{{order_id}}/promise": Permission.ASSIGN_ORDER,
    f"POST {_V1}/orders/{{order_id}}/attachments": (
        Permission.COMPLETE_ORDER,
        Permission.CREATE_ORDER,
    ),
    f"GET {_V1}/attachments/{{attachment_id}}": _VIEW,
    f"POST {_V1}/attachments/{{attachment_id}}/strike": (
        Permission.VERIFY_ORDER,
        Permission.EDIT_REGISTER,
    ),
    f"GET {_V1}/register-book": _VIEW,
    f"GET {_V1}/register-labels": _VIEW,
    f"GET {_V1}/register": _VIEW,
    f"GET {_V1}/register.xlsx": _VIEW,
    f"POST {_V1}/register-imports": Permission.EDIT_REGISTER,
    f"GET {_V1}/register-imports/{{import_id}}": _VIEW,
    f"GET {_V1}/register/{{equipment_id}}": _VIEW,
    f"PUT {_V1}/register/{{equipment_id}}": Permission.EDIT_REGISTER,
    f"GET {_V1}/register/{{equipment_id}}/past": _VIEW,
    f"GET {_V1}/register/{{equipment_id}}/run-hours": _VIEW,
    f"POST {_V1}/register/{{equipment_id}}/attachments": (
        Permission.EDIT_REGISTER,
        Permission.COMPLETE_ORDER,
    ),
    f"POST {_V1}/orders/{{order_id}}/contractor-link": Permission.ASSIGN_ORDER,
    f"DELETE {_V1}/orders/{{order_id}}/contractor-link": Permission.ASSIGN_ORDER,
    f"GET {_V1}/public/links/{{token}}": Who.ANYBODY,
    **{
        f"POST {_V1}/public/links/{{token}}/{step}": Who.ANYBODY
        for step in (
            *("accept", "arrive", "start", "suspend", "resume", "complete"),
            *("attachments", "steps/{step}"),
        )
    },
    f"GET {_V1}/public/links/{{token}}/attachments/{{attachment_id}}": Who.ANYBODY,
    f"POST {_V1}/orders": Permission.CREATE_ORDER,
    f"POST {_V1}/requests": Permission.CREATE_ORDER,
    f"GET {_V1}/places": _VIEW,
    f"PUT {_V1}/places/{{area}}": Permission.ASSIGN_ORDER,
    f"GET {_V1}/places/{{code}}.svg": _VIEW,
    f"GET {_V1}/public/places/{{code}}": Who.ANYBODY,
    f"POST {_V1}/public/places/{{code}}/requests": Who.ANYBODY,
    f"GET {_V1}/notices": Permission.VIEW_NOTICES,
    f"GET {_V1}/channels": Permission.VIEW_NOTICES,
    f"POST {_V1}/channels/{{channel_id}}/test": Permission.TRY_CHANNEL,
    f"GET {_V1}/regimes": _VIEW,
    f"GET {_V1}/regimes/{{regime_id}}": _VIEW,
    f"GET {_V1}/regimes/{{regime_id}}/versions/{{version}}": _VIEW,
    f"GET {_V1}/rounds": _VIEW,
    f"GET {_V1}/rounds/{{round_id}}": _VIEW,
    f"GET {_V1}/findings": _VIEW,
    f"GET {_V1}/coverage": _VIEW,
    f"POST {_V1}/rounds/{{round_id}}/items/{{key}}": Permission.ENTER_ROUND,
    f"POST {_V1}/rounds/{{round_id}}/items/{{key}}/photos": Permission.ENTER_ROUND,
    f"POST {_V1}/rounds/{{round_id}}/items/{{key}}/spot-check": Permission.COUNTERSIGN_ROUND,
    f"POST {_V1}/rounds/{{round_id}}/finish": Permission.ENTER_ROUND,
    f"POST {_V1}/rounds/{{round_id}}/countersign": Permission.COUNTERSIGN_ROUND,
    f"GET {_V1}/offline/today": _VIEW,
    f"POST {_V1}/offline/entries": Who.PERSON,
    f"PUT {_V1}/offline/photos/{{photo_id}}": Who.PERSON,
    f"GET {_V1}/offline/photos/{{entry_id}}": _VIEW,
    f"GET {_V1}/offline/conflicts": _VIEW,
    f"POST {_V1}/offline/conflicts/{{entry_id}}/resolve": (
        Permission.ENTER_ROUND,
        Permission.COMPLETE_ORDER,
        Permission.RESOLVE_OFFLINE,
    ),
    f"GET {_V1}/plans": _VIEW,
    f"GET {_V1}/plans/due": _VIEW,
    f"GET {_V1}/plans/year": _VIEW,
    f"GET {_V1}/plans/{{plan_id}}": _VIEW,
    f"GET {_V1}/plans/due/{{due_id}}": _VIEW,
    f"POST {_V1}/plans/due/{{due_id}}/postpone": Permission.POSTPONE_PLAN,
    f"POST {_V1}/plans/due/{{due_id}}/void": Permission.VOID_PLAN,
    f"POST {_V1}/plans/due/{{due_id}}/record-done": Permission.COMPLETE_ORDER,
    f"POST {_V1}/plans/due/{{due_id}}/steps/{{step}}": Permission.COMPLETE_ORDER,
    f"GET {_V1}/shift-log": _VIEW,
    f"GET {_V1}/shift-log/current": _VIEW,
    f"GET {_V1}/shift-log/{{shift_id}}": _VIEW,
    f"GET {_V1}/shift-log/{{shift_id}}/record.pdf": _VIEW,
    f"GET {_V1}/rounds/{{round_id}}/record.pdf": _VIEW,
    f"POST {_V1}/shift-log/{{shift_id}}/entries": Permission.WORK_SHIFT,
    f"GET {_V1}/handovers": _VIEW,
    f"GET {_V1}/handovers/current": _VIEW,
    f"GET {_V1}/handovers/{{shift_id}}": _VIEW,
    f"GET {_V1}/handovers/{{shift_id}}/record.pdf": _VIEW,
    **{
        f"POST {_V1}/handovers/{{shift_id}}/{step}": Permission.WORK_SHIFT
        for step in ("arrivals", "answers", "give", "take")
    },
    f"POST {_V1}/handovers/{{shift_id}}/override": Permission.OVERRIDE_HANDOVER,
    f"GET {_V1}/duty": _VIEW,
    f"GET {_V1}/roster": _VIEW,
    f"GET {_V1}/roster/overrides": _VIEW,
    f"POST {_V1}/roster/overrides": Permission.EDIT_ROSTER,
    f"DELETE {_V1}/roster/overrides/{{override_id}}": Permission.EDIT_ROSTER,
    f"GET {_V1}/roster/leaves": _VIEW,
    f"POST {_V1}/roster/leaves": Permission.EDIT_ROSTER,
    f"DELETE {_V1}/roster/leaves/{{leave_id}}": Permission.EDIT_ROSTER,
    f"GET {_V1}/teams": _VIEW,
    f"PUT {_V1}/teams/{{team_id}}": Permission.EDIT_ROSTER,
    f"DELETE {_V1}/teams/{{team_id}}": Permission.EDIT_ROSTER,
    f"GET {_V1}/shifts": _VIEW,
    f"PUT {_V1}/shifts": Permission.EDIT_ROSTER,
    f"GET {_V1}/calendar": _VIEW,
    f"PUT {_V1}/calendar/{{date}}": Permission.EDIT_CALENDAR,
    f"DELETE {_V1}/calendar/{{date}}": Permission.EDIT_CALENDAR,
    f"PUT {_V1}/working-hours": Permission.EDIT_CALENDAR,
    f"GET {_V1}/roles": _VIEW,
    f"GET {_V1}/people": _VIEW,
    f"POST {_V1}/people": Permission.EDIT_PEOPLE,
    f"GET {_V1}/people/{{username}}": _VIEW,
    f"PATCH {_V1}/people/{{username}}": Permission.EDIT_PEOPLE,
    f"POST {_V1}/people/{{username}}/password": Permission.EDIT_PEOPLE,
    f"POST {_V1}/people/{{username}}/sessions/revoke": Permission.EDIT_PEOPLE,
    f"GET {_V1}/sessions": Who.PERSON,
    f"DELETE {_V1}/sessions/{{session_id}}": Permission.EDIT_PEOPLE,
    f"GET {_V1}/tokens": Permission.EDIT_PEOPLE,
    f"POST {_V1}/tokens": Permission.EDIT_PEOPLE,
    f"DELETE {_V1}/tokens/{{token_id}}": Permission.EDIT_PEOPLE,
    f"GET {_V1}/kiosks": Permission.EDIT_PEOPLE,
    f"POST {_V1}/kiosks": Permission.EDIT_PEOPLE,
    f"DELETE {_V1}/kiosks/{{kiosk_id}}": Permission.EDIT_PEOPLE,
    f"POST {_V1}/kiosk": Who.ANYBODY,
    f"GET {_V1}/kiosk": Who.SCREEN,
    f"GET {_V1}/audit": Permission.VIEW_AUDIT,
    f"GET {_V1}/audit/verify": Permission.VIEW_AUDIT,
    f"GET {_V1}/demo/faults": Permission.INJECT_FAULT,
    f"POST {_V1}/demo/faults": Permission.INJECT_FAULT,
    f"POST {_V1}/demo/faults/{{fault_id}}/end": Permission.INJECT_FAULT,
}

SCREENS = frozenset(
    f"GET {_V1}/{name}"
    for name in (
        *("kiosk", "site", "equipment", "points/{point_id}/readings", "alarms", "orders"),
        *("out-of-service", "planned-tests", "rounds", "duty", "people", "roles", "stream"),
        "silences",
    )
)
"""What a screen on a wall may ask for; everything else that is not open to anybody is closed."""
