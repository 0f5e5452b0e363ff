"""What a profile may say of how to ask a device for all that it knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.files.documents import ConfigurationError
from gateway.profile.files import load_profiles

HEAD = """profile: x
class: lamp
model: {zh: 灯, en: Lamp}
protocol: mqtt
verified: unverified
source: "x"
points:
  - key: on
    name: {zh: 开, en: "On"}
    kind: number
    source: "x"
    mqtt: {topic: "{topic}/status", path: [params, "on"]}
"""


def problems(folder: Path, said: str) -> list[str]:
    (folder / "x.yaml").write_text(HEAD + f"status_requests:\n  - {said}\n", encoding="utf-8")
    try:
        load_profiles([folder])
    except ConfigurationError as error:
        return [f"{problem.line}: {problem.name}: {problem.wrong}" for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "said",
    [
        '{topic: "{topic}/get", payload: ""}',
        '{topic: "cmnd/{topic}/STATUS", payload: "11", answer: {topic: "stat/{topic}/STATUS11"},'
        ' like: {topic: "{topic}/status", path: [params]}}',
    ],
)
def test_right(tmp_path: Path, said: str) -> None:
    assert problems(tmp_path, said) == []


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ('{topic: "rpc", payload: ""}', "{topic}"),
        ('{topic: "{topic}/#", payload: ""}', "filter"),
        ('{topic: "{topic}/rpc"}', "payload"),
        ('{topic: "{topic}/rpc", payload: "", answer: {topic: "{topic}/a"}}', "half"),
        (
            '{topic: "{topic}/rpc", payload: "", answer: {topic: "a"}, like: {topic: "{topic}"}}',
            "{topic}",
        ),
        ('{topic: "{topic}/rpc", payload: "", reply: 1}', "reply"),
    ],
)
def test_wrong(tmp_path: Path, said: str, part: str) -> None:
    found = problems(tmp_path, said)
    assert len(found) == 1
    assert part in found[0]
    assert found[0].startswith("14: ")


def test_it_is_for_messages_only(tmp_path: Path) -> None:
    text = HEAD.replace("protocol: mqtt", "protocol: modbus").replace(
        'mqtt: {topic: "{topic}/status", path: [params, "on"]}',
        "modbus: {function: holding, register: 1}",
    )
    (tmp_path / "x.yaml").write_text(
        text + 'status_requests:\n  - {topic: "{topic}/get", payload: ""}\n', encoding="utf-8"
    )
    with pytest.raises(ConfigurationError, match="protocol mqtt"):
        load_profiles([tmp_path])
