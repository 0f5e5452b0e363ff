"""Installs what the tests need from Debian's packages, quietly and only what is missing.

Elsewhere, or without the right to install, it prints the one command and goes on: the tests
that need a missing program are listed at the end of the run. With ``CI=true`` a missing program
is an error, so that nothing is skipped unseen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Package → a file that shows it is there (a path, a pattern below /, or a program's name).
PACKAGES = {
    "mosquitto": ("mosquitto", "usr/sbin/mosquitto"),
    "influxdb": ("influxd", "usr/bin/influxd"),
    "postgresql": ("postgres", "usr/lib/postgresql/*/bin/postgres"),
    "victoria-metrics": ("victoria-metrics", "usr/bin/victoria-metrics"),
    "chromium": ("chromium", "usr/bin/chromium"),
    "fonts-noto-cjk": ("", "usr/share/fonts/opentype/noto/NotoSansCJK*"),
    "faketime": ("faketime", "usr/bin/faketime"),
    # What drives Chromium is linked against it.
    "libatomic1": ("", "usr/lib/*/libatomic.so.1"),
}


def missing() -> list[str]:
    return [
        package
        for package, (program, pattern) in PACKAGES.items()
        if not (program and shutil.which(program)) and not any(Path("/").glob(pattern))
    ]


def main() -> int:
    wanted = missing()
    if not wanted:
        return 0
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted]
    if shutil.which("apt-get") and (prefix := _right_to_install()) is not None:
        print(f"Installing for the tests: {', '.join(wanted)} …", flush=True)
        _apt(prefix, ["apt-get", "update", "-qq"])
        _apt(prefix, command)
        wanted = missing()
    if not wanted:
        return 0
    print(f"Not installed: {', '.join(wanted)}. Tests that need them are listed at the end.")
    print(f"To install them on Debian or Ubuntu:  sudo {' '.join(command)}", flush=True)
    return 1 if os.environ.get("CI") == "true" else 0


def _right_to_install() -> list[str] | None:
    """The words to put before apt-get, or None where this user may not install."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if (
        sudo
        and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return [sudo, "-n"]
    return None


def _apt(prefix: list[str], command: list[str]) -> None:
    done = subprocess.run(
        [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout[-2000:], done.stderr[-2000:], sep="\n", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
