"""What a site file says of an encrypted way to its broker."""

from __future__ import annotations

from pathlib import Path

import pytest
from brokers import self_made_certificate
from worlds import demo_site

from gateway.files.documents import ConfigurationError
from gateway.model.equipment import BrokerTls
from gateway.site import files as site_file


@pytest.fixture
def site_with(tmp_path: Path):
    """``site_with(tls)``: the file of a site with these words, beside ``tls/broker.crt`` and
    ``tls/broker.key``."""
    folder = tmp_path / "site"
    folder.mkdir()
    self_made_certificate(folder / "tls", "broker")

    def make(tls: dict[str, str]) -> Path:
        return demo_site(folder, broker={"host": "127.0.0.1", "port": 8883, "tls": tls})

    return make


def test_files_are_relative_to_the_site_file_and_belong_to_it(site_with) -> None:
    said = {"ca": "tls/broker.crt", "certificate": "tls/broker.crt", "key": "tls/broker.key"}
    file = site_with(said)
    paths = {name: str(file.parent / path) for name, path in said.items()}
    assert site_file.load(file).broker.tls == BrokerTls(
        authorities=paths["ca"], certificate=paths["certificate"], key=paths["key"]
    )
    assert {str(path) for path in site_file.files_beside(file)} >= set(paths.values())


def test_the_authorities_of_the_system_are_enough(site_with) -> None:
    assert site_file.load(site_with({})).broker.tls == BrokerTls()


@pytest.mark.parametrize(
    ("tls", "wrong"),
    [
        ({"ca": "tls/none.crt"}, "cannot be used"),
        ({"ca": "tls/broker.key"}, "cannot be used"),
        ({"certificate": "tls/broker.crt"}, "without its key"),
        ({"certificate": "tls/broker.key", "key": "tls/broker.key"}, "cannot be used"),
    ],
)
def test_wrong_files_are_named_with_their_line(site_with, tls, wrong) -> None:
    with pytest.raises(ConfigurationError, match=rf"site\.yaml:\d+: broker\.tls.*{wrong}"):
        site_file.load(site_with(tls))
