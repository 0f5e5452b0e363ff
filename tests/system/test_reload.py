"""Experiments 54 and 55: wrong files change nothing, and a kill leaves the old ones or the new."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from product import ROOT, Product, wait_for
from worlds import demo_site, free_port

from api import in_force
from api.data_directory import DataDirectory
from api.in_force import FilesInForce
from api.settings import Settings
from gateway import failpoint
from gateway.files.documents import ConfigurationError

LOBBY = "东门大堂灯"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return demo_site(tmp_path / "site", hot=[(3600, 1)], quick_rule=True)


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """Something that is no site, and how it is told."""

    name: str
    file: str
    change: Callable[[str], str]
    told: str


WRONG = [
    Wrong(
        name="two of one id",
        file="site.yaml",
        change=lambda text: text.replace("- id: pump-2\n", "- id: pump-1\n"),
        told="site.yaml:",
    ),
    Wrong(
        name="two on the same registers",
        file="site.yaml",
        change=lambda text: text.replace("pump: 2", "pump: 1", 1),
        told="pump-1",
    ),
    Wrong(
        name="an area that is not there",
        file="site.yaml",
        change=lambda text: text.replace("area: gate-lobby", "area: gate-lobbi", 1),
        told="did you mean 'gate-lobby'",
    ),
    Wrong(
        name="a condition that is none",
        file="rulebook/alarms/pump.yaml",
        change=lambda text: text.replace("above: 75", "over: 75", 1),
        told="pump.yaml:",
    ),
    Wrong(
        name="a point that is not there",
        file="rulebook/alarms/pump.yaml",
        change=lambda text: text.replace("point: motor_temperature", "point: motor_temprature", 1),
        told="motor_temprature",
    ),
    Wrong(
        name="cut off in the middle",
        file="site.yaml",
        change=lambda text: text[: text.index("equipment:") + 40],
        told="site.yaml:",
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_wrong_files_are_named_and_those_in_force_stay(
    tmp_path: Path, site: Path, wrong: Wrong
) -> None:
    files = FilesInForce(tmp_path / "in-force")
    settings = Settings(site=site, data=tmp_path)
    right = files.adopt(settings)
    before = right.read_bytes()
    path = site.parent / wrong.file
    text = path.read_text(encoding="utf-8")
    changed = wrong.change(text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        files.adopt(settings)
    told = str(refused.value)
    assert wrong.told in told
    assert all(problem.line > 0 and problem.mend for problem in refused.value.problems)
    assert files.site == right
    assert right.read_bytes() == before


def test_what_the_site_names_by_relative_path_is_kept_with_it(tmp_path: Path, site: Path) -> None:
    files = FilesInForce(tmp_path / "in-force")
    copied = files.adopt(Settings(site=site, data=tmp_path))
    for name in ("site.yaml", "hot.yaml", "rulebook/alarms/pump.yaml"):
        assert (copied.parent / name).read_bytes() == (site.parent / name).read_bytes()
        assert (copied.parent / name).stat().st_mode & 0o077 == 0


def test_of_a_kill_between_copy_and_pointer_the_old_files_are_left(
    tmp_path: Path, site: Path
) -> None:
    data = tmp_path / "data"
    files = FilesInForce(DataDirectory.open(data).in_force)
    right = files.adopt(Settings(site=site, data=data))
    site.write_text(site.read_text(encoding="utf-8").replace(LOBBY, "西门灯"), encoding="utf-8")
    adopt = (
        "import sys; from pathlib import Path; from api.in_force import FilesInForce;"
        "from api.settings import Settings;"
        "FilesInForce(Path(sys.argv[1])).adopt(Settings(site=Path(sys.argv[2]), data=Path('.')))"
    )
    command = [sys.executable, "-c", adopt, str(data / "in-force"), str(site)]
    killed = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "DUTYROOM_FAILPOINT": failpoint.BEFORE_IN_FORCE},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert files.site == right
    assert LOBBY in right.read_text(encoding="utf-8")
    subprocess.run(command, cwd=ROOT, check=True)
    assert files.site not in (None, right)
    assert LOBBY not in files.site.read_text(encoding="utf-8")


def test_a_file_that_is_saved_while_it_is_copied_is_known_by_its_own_fingerprint(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FilesInForce(tmp_path / "in-force")
    settings = Settings(site=site, data=tmp_path)
    before = site.read_text(encoding="utf-8")
    copy = in_force._copy

    def saved_meanwhile(*arguments: object) -> None:
        monkeypatch.setattr(in_force, "_copy", copy)
        site.write_text(before.replace(LOBBY, "西门灯"), encoding="utf-8")
        copy(*arguments)

    monkeypatch.setattr(in_force, "_copy", saved_meanwhile)
    assert "西门灯" in files.adopt(settings).read_text(encoding="utf-8")
    site.write_text(before, encoding="utf-8")
    assert LOBBY in files.adopt(settings).read_text(encoding="utf-8")


@pytest.fixture
def product(tmp_path: Path, site: Path) -> Iterator[Product]:
    product = Product(data=tmp_path / "data", site=site, port=free_port())
    yield product
    product.end()


def reload(product: Product) -> subprocess.CompletedProcess[str]:
    options = ("--site", str(product.site), "--data", str(product.data))
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "reload", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def lamp(product: Product) -> str:
    return str(product.get("equipment/lamp-1")["name"]["zh"])


@pytest.mark.slow
def test_a_running_duty_room_takes_right_files_and_survives_wrong_ones(product: Product) -> None:
    product.start()
    assert lamp(product) == LOBBY
    right = product.site.read_text(encoding="utf-8")

    product.site.write_text(right.replace("area: gate-lobby", "area: nowhere"), encoding="utf-8")
    refused = reload(product)
    assert refused.returncode == 2
    assert "there is no area 'nowhere'" in refused.stderr
    assert product.answers()

    # A duty room that is killed while its files are wrong comes up with those that were right.
    product.kill()
    product.start()
    assert "the files are WRONG" in product.output()
    assert lamp(product) == LOBBY

    product.site.write_text(right.replace(LOBBY, "西门灯"), encoding="utf-8")
    assert reload(product).returncode == 0
    wait_for("the changed files", lambda: "the changed files are in force" in product.output())
    product.be_ready()
    assert lamp(product) == "西门灯"
    assert product.stop() == 0
    assert "Traceback" not in product.output(), product.output()


def test_a_directory_on_which_nothing_runs_is_told_so(tmp_path: Path, site: Path) -> None:
    told = reload(Product(data=tmp_path / "data", site=site, port=1))
    assert told.returncode == 2
    assert "no dutyroom is running" in told.stderr
