"""Teams, rotations, overrides, leave, and the calendar."""

revision = "v0003"
down_revision = "v0002"


def upgrade() -> None:
    pass
