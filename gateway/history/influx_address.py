"""Which InfluxDB, apart from what talks to it: whoever reads settings need not load a client."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class InfluxAddress:
    """``bucket``: of InfluxDB 2 and 3; for InfluxDB 1 ``database`` or ``database/policy``.
    ``token``: for InfluxDB 1 ``user:password``."""

    url: str
    bucket: str
    org: str = ""
    token: str = field(default="", repr=False)
    ca: Path | None = None
    """Certificates that the server's is checked against; None: those of the system."""

    @property
    def database(self) -> str:
        return self.bucket.partition("/")[0]

    @property
    def policy(self) -> str:
        return self.bucket.partition("/")[2]
