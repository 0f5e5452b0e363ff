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


_V1 = "/api/v1"
_VIEW = Permission.VIEW

NEEDS: Mapping[str, Permission | Who] = {
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
    f"GET {_V1}/stream": _VIEW,
    f"GET {_V1}/alarms": _VIEW,
    f"GET {_V1}/alarms/{{alarm_id}}": _VIEW,
    f"POST {_V1}/alarms/{{alarm_id}}/acknowledge": Permission.ACKNOWLEDGE_ALARM,
    f"GET {_V1}/orders": _VIEW,
    f"GET {_V1}/orders/{{order_id}}": _VIEW,
    f"POST {_V1}/orders/{{order_id}}/accept": Permission.ACCEPT_ORDER,
    f"POST {_V1}/orders/{{order_id}}/complete": Permission.COMPLETE_ORDER,
    f"GET {_V1}/rounds": _VIEW,
    f"GET {_V1}/rounds/{{round_id}}": _VIEW,
    f"POST {_V1}/rounds/{{round_id}}/items/{{key}}": Permission.ENTER_ROUND,
    f"POST {_V1}/rounds/{{round_id}}/finish": Permission.ENTER_ROUND,
    f"POST {_V1}/rounds/{{round_id}}/countersign": Permission.COUNTERSIGN_ROUND,
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
    f"GET {_V1}/audit": Permission.VIEW_AUDIT,
    f"GET {_V1}/audit/verify": Permission.VIEW_AUDIT,
}
