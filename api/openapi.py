"""The API's description, for the page's typed client.

``python -m api.openapi > api/web/openapi.json``; it needs no server and no data.
"""

from __future__ import annotations

import json
import sys

from api.app import described_app


def main() -> None:
    """Print the description."""
    json.dump(described_app().openapi(), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
