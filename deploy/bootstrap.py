"""Makes the virtual environment with uv in it, on nothing but Python's standard library.

Run by the Makefile with whatever ``python3`` the machine has, so it must parse on old versions.
What is missing is named together with the one command that mends it.
"""

import os
import re
import subprocess
import sys
import tempfile

OLDEST = (3, 11)


def main(folder):
    if sys.version_info < OLDEST:
        fail(
            "Python %d.%d is too old: dutyroom needs %d.%d or newer."
            % (sys.version_info[:2] + OLDEST),
            "make PYTHON=python3.11 up",
        )
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        fail(
            "This Python has no venv.",
            "apt-get install python%d.%d-venv" % sys.version_info[:2],
        )
    print("Making the Python environment in %s …" % folder, flush=True)
    venv.EnvBuilder(with_pip=True, clear=True).create(folder)
    with tempfile.TemporaryDirectory() as scratch:
        pinned = os.path.join(scratch, "uv.txt")
        with open(pinned, "w", encoding="utf-8") as file:
            file.write(locked("uv"))
        subprocess.check_call(
            [
                os.path.join(folder, "bin", "python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--require-hashes",
                "-r",
                pinned,
            ]
        )


def locked(name):
    """The requirement of ``name`` with its hashes, as the lock file has it."""
    with open("requirements.lock", encoding="utf-8") as file:
        text = file.read()
    found = re.search(r"^%s==(?:.*\\\n)+.*\n" % re.escape(name), text, re.M)
    if not found:
        fail("requirements.lock does not name %s." % name, "git checkout requirements.lock")
    return found.group(0)


def fail(what, mend):
    sys.exit("%s\nTo mend it:  %s" % (what, mend))


if __name__ == "__main__":
    main(sys.argv[1])
