"""What a screen on a wall may ask for: these routes and no others.

A route that is new is closed to screens until it stands here; each of these looks at
``Visitor.seeing`` for what it may show, or shows what is the same for everybody.
"""

from __future__ import annotations

OPEN_TO_SCREENS = frozenset(
    {
        "screen",
        "site",
        "equipment_list",
        "point_readings",
        "silences",
        "alarms",
        "orders",
        "out_of_service_list",
        "planned_tests",
        "rounds",
        "duty_now",
        "people_list",
        "roles",
        "stream",
    }
)
"""Names of routes."""
