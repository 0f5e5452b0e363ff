"""Refuses to build a wheel without the page: a silent half of a product is worse than an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageIsThere(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        page = Path(self.root, "api", "static", "index.html")
        if not page.is_file():
            raise SystemExit("api/static/index.html is missing: run `make web` first")
