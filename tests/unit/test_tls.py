"""HTTPS of our own: the certificate that is made, the one in force, and a real handshake."""

from __future__ import annotations

import ipaddress
import json
import shutil
import socket
import ssl
import stat
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from brokers import self_made_certificate
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from typer.testing import CliRunner

from api.cli import app
from api.settings import CannotStartError
from api.tls import authority, in_force, making, names
from api.tls.authority import Folder, Made
from api.tls.reading import Certificate, NoCertificateError, read
from gateway.model.moment import DAY, HOUR, SECOND

NOW = time.time_ns() // 1000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, Made]:
    folder = Folder(root=tmp_path_factory.mktemp("data") / "tls")
    return folder, authority.make(folder, ["duty.example.org", "10.9.8.7"], days=397, now=NOW)


@pytest.fixture
def own(made: tuple[Folder, Made], tmp_path: Path) -> Folder:
    """A copy, to be changed."""
    return Folder(root=shutil.copytree(made[0].root, tmp_path / "tls"))


def shaken(tls: in_force.Tls, *, trusts: Path | None, name: str) -> dict[str, object]:
    """What a client sees of the server after a handshake on loopback; raises what it raises."""
    client = ssl.create_default_context(cafile=trusts)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            try:
                with tls.context.wrap_socket(connection, server_side=True) as line:
                    line.recv(1)
            except OSError:
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname()) as line,
                client.wrap_socket(line, server_hostname=name) as secure,
            ):
                return dict(secure.getpeercert() or {})
        finally:
            thread.join(5)


def test_who_trusts_the_authority_is_let_in_by_every_name_and_who_does_not_is_warned(
    made: tuple[Folder, Made],
) -> None:
    folder, of = made
    tls = in_force.in_force(folder.root)
    assert tls is not None and tls.authority is not None
    assert tls.authority.fingerprint == of.authority.fingerprint
    for name in ("duty.example.org", "10.9.8.7", "localhost", "127.0.0.1", "::1"):
        assert shaken(tls, trusts=folder.authority, name=name)["notAfter"]
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        shaken(tls, trusts=None, name="localhost")
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        shaken(tls, trusts=folder.authority, name="bank.example.org")


def test_it_is_as_phones_want_it_and_keys_are_the_owners(made: tuple[Folder, Made]) -> None:
    folder, of = made
    assert of.server.ends - of.server.begins + SECOND == 397 * DAY
    assert of.authority.ends - of.authority.begins + SECOND == 3650 * DAY
    assert of.server.begins < NOW - HOUR + SECOND, "a phone's clock may be slow"
    for secret in folder.root.iterdir():
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
    assert of.names[0] == "duty.example.org"
    assert {*names.of_machine(), "10.9.8.7"} <= set(of.names)
    found, signer = (
        x509.load_der_x509_certificate(one.der).extensions for one in (of.server, of.authority)
    )
    # Apple's HT210176, and RFC 5280.
    use = found.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(use) == [ExtendedKeyUsageOID.SERVER_AUTH]
    others = found.get_extension_for_class(x509.SubjectAlternativeName).value
    told = {*others.get_values_for_type(x509.DNSName)}
    told |= {str(one) for one in others.get_values_for_type(x509.IPAddress)}
    assert told == set(of.names)
    for extensions, is_authority in ((found, False), (signer, True)):
        basic = extensions.get_extension_for_class(x509.BasicConstraints)
        usage = extensions.get_extension_for_class(x509.KeyUsage)
        assert basic.critical and basic.value.ca is is_authority
        assert usage.critical and usage.value.key_cert_sign is is_authority
        assert usage.value.digital_signature is not is_authority
    assert [file.name for file in folder.root.iterdir() if file.name.startswith(".")] == []


def test_whoever_steals_the_authority_signs_for_nobody_elses_page(tmp_path: Path) -> None:
    """Two verifiers say so, and we ourselves: an authority speaks for what is at home, and for what
    was asked for when it was made."""
    signer = making.authority("duty-room", ["duty.example.org", "203.0.113.7"], now=NOW)
    policy = PolicyBuilder().store(Store([signer.certificate]))
    for name, is_spoken_for in (
        *(("duty.example.org", True), ("a.duty.example.org", True), ("room.local", True)),
        *(("192.168.1.20", True), ("fd00::2", True), ("203.0.113.7", True)),
        *(("bank.example.org", False), ("xduty.example.org", False), ("203.0.113.8", False)),
    ):
        made = making.server([name], signer, days=397, now=NOW)
        assert signer.read().speaks_for(name) is is_spoken_for, name
        is_address = names.is_address(name)
        subject = x509.IPAddress(ipaddress.ip_address(name)) if is_address else x509.DNSName(name)
        try:
            policy.build_server_verifier(subject).verify(made.certificate, [])
        except VerificationError:
            assert not is_spoken_for, name
        else:
            assert is_spoken_for, name
    stolen = Folder(root=tmp_path)
    stolen.authority.write_bytes(signer.certificate_pem())
    for name, told in (("bank.example.org", "permitted subtree violation"), ("room.local", None)):
        made = making.server([name], signer, days=397, now=NOW)
        stolen.server.write_bytes(made.key_pem() + made.certificate_pem())
        tls = in_force.in_force(stolen.root)
        assert tls is not None
        if told is None:
            assert shaken(tls, trusts=stolen.authority, name=name)
            continue
        with pytest.raises(ssl.SSLCertVerificationError, match=told):
            shaken(tls, trusts=stolen.authority, name=name)


def test_renewed_by_the_same_authority_it_keeps_the_names_that_were_asked_for(
    own: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = authority.seen(own)
    after = authority.make(own, [], days=30, now=NOW)
    assert before is not None
    assert after.authority.der == before.authority.der and not after.new_authority
    assert after.server.der != before.server.der
    assert {"duty.example.org", "10.9.8.7"} <= set(after.names)
    # What phones would refuse all the same is not made.
    with pytest.raises(CannotStartError, match=r"may not speak for 198\.51\.100\.1.*trust it anew"):
        authority.make(own, ["198.51.100.1"], days=30, now=NOW)
    assert authority.seen(own) == replace(after, new_authority=False)
    monkeypatch.setattr(names, "of_machine", lambda: ["renamed", "10.0.0.1", "127.0.0.1"])
    moved = authority.make(own, [], days=30, now=NOW)
    assert "10.0.0.1" in moved.names and moved.missing() == ["renamed"]


def test_an_authority_that_ends_before_its_certificate_is_replaced_and_it_is_said(
    own: Folder,
) -> None:
    late = NOW + 3600 * DAY
    assert authority.make(own, [], days=397, now=late).new_authority


def test_without_its_key_no_new_authority_is_made_in_secret(own: Folder) -> None:
    own.authority_key.unlink()
    with pytest.raises(CannotStartError, match="put it back, or make a new authority"):
        authority.make(own, [], days=397, now=NOW)
    assert authority.make(own, [], days=397, now=NOW, new_authority=True).new_authority


def test_a_running_server_takes_a_renewed_certificate_and_no_wrong_one(own: Folder) -> None:
    tls = in_force.in_force(own.root)
    assert tls is not None
    assert not tls.is_renewed()
    good = own.server.read_bytes()
    own.server.write_text("half a file", encoding="ascii")
    with pytest.raises(CannotStartError, match="no certificate"):
        tls.is_renewed()
    assert shaken(tls, trusts=own.authority, name="localhost")
    own.server.write_bytes(good)
    fresh = authority.make(own, [], days=30, now=NOW)
    assert tls.is_renewed() and tls.certificate.der == fresh.server.der
    seen = shaken(tls, trusts=own.authority, name="localhost")
    ends = ssl.cert_time_to_seconds(str(seen["notAfter"]))
    assert ends * SECOND == fresh.server.ends


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("other.key", r"other\.key is not the key of the certificate in .*mine\.crt: give the one"),
        ("nowhere.key", r"nowhere\.key: No such file or directory; it is to hold the key"),
        ("mine.crt", r"mine\.crt: there is no private key \(PEM\) in it"),
        (
            "later.key",
            r"later\.key is the key of a later certificate in .*: put the server's own fi",
        ),
        ("locked.key", r"locked\.key has a password.*openssl pkey -in"),
    ],
)
def test_a_wrong_key_file_is_named_with_its_mend(
    key: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = self_made_certificate(tmp_path / "mine", "mine")
    other = self_made_certificate(tmp_path / "other", "other")
    files = tmp_path / "files"
    files.mkdir()
    later = self_made_certificate(tmp_path / "later", "later")
    chain = Path(str(mine.certificate)).read_bytes() + Path(str(later.certificate)).read_bytes()
    (files / "mine.crt").write_bytes(chain)
    shutil.copy(str(other.key), files / "other.key")
    shutil.copy(str(later.key), files / "later.key")
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"abcd"),
    )
    (files / "locked.key").write_bytes(locked)
    monkeypatch.setenv(in_force.TLS_CERT, str(files / "mine.crt"))
    monkeypatch.setenv(in_force.TLS_KEY, str(files / key))
    with pytest.raises(CannotStartError, match=said):
        in_force.in_force(tmp_path)


def test_of_two_files_that_belong_together_one_is_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_force.in_force(tmp_path) is None
    monkeypatch.setenv(in_force.TLS_CERT, "/etc/dutyroom/duty.crt")
    with pytest.raises(CannotStartError, match="DUTYROOM_TLS_CERT is given without DUTYROOM_TLS_K"):
        in_force.in_force(tmp_path)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (31 * DAY, None),
        (30 * DAY, "ends on 2027-01-31, in 30 days"),
        (1, "in 0 days"),
        (0, "ended on 2027-01-31"),
        (-DAY, "ended on 2027-01-31"),
    ],
)
def test_the_end_is_warned_about_for_thirty_days(left: int, said: str | None) -> None:
    ends = 1_801_353_600 * SECOND
    warning = Certificate(begins=0, ends=ends, der=b"").warning(ends - left)
    assert warning is None if said is None else said in str(warning)


def test_a_clock_that_is_wrong_is_asked_about() -> None:
    assert "is the clock right" in str(
        Certificate(begins=5 * DAY, ends=9 * DAY, der=b"").warning(DAY)
    )


@pytest.mark.parametrize(
    "text",
    ["", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"]
    + [
        "-----BEGIN CERTIFICATE-----\n" + half + "\n-----END CERTIFICATE-----"
        for half in ("MIIB", "!!!!", "MIIBejCCASGgAwIBAgIR")
    ],
)
def test_what_is_no_certificate_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NoCertificateError):
        read(text)


@pytest.mark.parametrize(
    ("given", "known"),
    [("Duty.Example.ORG.", "duty.example.org"), ("[FD00::2]", "fd00::2"), ("*.a.cn", "*.a.cn")],
)
def test_names_are_as_certificates_have_them(given: str, known: str) -> None:
    assert names.checked(given) == known


@pytest.mark.parametrize("given", ["a b", "", "a,DNS:evil.example", "x\ny", "a" * 64, "-a"])
def test_what_is_no_name_gets_into_no_certificate(given: str) -> None:
    with pytest.raises(names.NoNameError):
        names.checked(given)


def test_the_command_says_what_it_made_for_people_and_for_programs(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["cert", "--data", str(tmp_path), "--name", "duty.example.org"])
    assert run.exit_code == 0, run.output
    shown = CliRunner().invoke(app, ["cert", "--data", str(tmp_path), "--show", "--json"])
    document = json.loads(shown.output)
    assert "duty.example.org" in document["names"]
    assert document["authority"]["sha256"] in run.output
    assert CliRunner().invoke(app, ["cert", "--days", "826"]).exit_code == 2
