"""Our own HTTPS: both ports of a real server, the page about trust, and the warning."""

from __future__ import annotations

import hashlib
import ssl
import time
from pathlib import Path

import httpx2
import pytest
from api_room import Room, log_in, serving
from brokers import self_made_certificate
from starlette.testclient import TestClient
from worlds import free_port

from api.tls import authority
from api.tls.authority import Folder
from api.tls.door import PlainDoor
from api.tls.in_force import Files, Tls, in_force
from gateway.model.moment import DAY, SECOND

NOW = time.time_ns() // 1000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    made = Folder(root=tmp_path_factory.mktemp("data") / "tls")
    authority.make(made, [], days=397, now=NOW)
    return made


@pytest.fixture
def tls(folder: Folder) -> Tls:
    found = in_force(folder.root)
    assert found is not None
    return found


def test_people_log_in_by_https_and_the_plain_port_leads_there(
    room: Room, tls: Tls, folder: Folder
) -> None:
    plain, secure = free_port(), free_port()
    trusting = ssl.create_default_context(cafile=folder.authority)
    with (
        serving(room, plain, tls=tls, tls_port=secure),
        httpx2.Client(
            base_url=f"https://localhost:{secure}",
            headers={"Origin": f"https://localhost:{secure}"},
            verify=trusting,
        ) as client,
    ):
        log_in(client)
        assert client.get("/api/v1/me").status_code == 200
        (cookie,) = client.cookies.jar
        assert cookie.secure and cookie.name.startswith("__Host-")
        assert "strict-transport-security" not in client.get("/healthz").headers
        with client.stream("GET", "/api/v1/stream") as stream:
            assert next(stream.iter_lines())
        led = httpx2.get(f"http://127.0.0.1:{plain}/orders/7?x=1", follow_redirects=False)
        assert led.status_code == 307
        assert led.headers["location"] == f"https://127.0.0.1:{secure}/orders/7?x=1"
        with pytest.raises(httpx2.ConnectError, match="certificate verify failed"):
            httpx2.get(f"https://localhost:{secure}/healthz")


@pytest.fixture
def stranger(room: Room, tls: Tls) -> TestClient:
    """Somebody at the plain port."""
    return TestClient(
        PlainDoor(room.app(secure=True, tls=tls), tls_port=8443),
        base_url="http://duty.lan:8000",
        follow_redirects=False,
    )


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v1/me"), ("POST", "/api/v1/login"), ("POST", "/trust2")]
)
def test_no_password_and_no_token_is_led_on_to_be_sent_in_clear_again(
    stranger: TestClient, method: str, path: str
) -> None:
    answer = stranger.request(method, path)
    assert answer.status_code == 403
    assert answer.json()["type"].endswith(":https-only")
    assert "https://duty.lan:8443" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "host", "to"),
    [
        ("/", "duty.lan:8000", "https://duty.lan:8443/"),
        ("/", "[fd00::2]:8000", "https://[fd00::2]:8443/"),
        ("//evil.example/x", "duty.lan", "https://duty.lan:8443/evil.example/x"),
        ("/%0d%0aX: y", "duty.lan", "https://duty.lan:8443/%0d%0aX:%20y"),
    ],
)
def test_a_page_is_led_on_to_the_same_host_only(
    stranger: TestClient, path: str, host: str, to: str
) -> None:
    answer = stranger.request("GET", f"http://duty.lan:8000{path}", headers={"Host": host})
    assert (answer.status_code, answer.headers["location"]) == (307, to)


@pytest.mark.parametrize("host", ["a b", "evil@x", "x/y", ""])
def test_an_odd_host_is_led_nowhere(stranger: TestClient, host: str) -> None:
    assert stranger.get("/", headers={"Host": host}).status_code == 400


def test_the_page_about_trust_is_for_everybody_and_says_the_fingerprint(
    stranger: TestClient, tls: Tls
) -> None:
    assert tls.authority is not None
    phone = {"User-Agent": "Mozilla/5.0 (iPhone)", "Accept-Language": "zh-CN"}
    page = stranger.get("/trust", headers=phone)
    assert page.status_code == 200
    text = page.text
    assert all(f"<span>{part}" in text for part in (tls.authority.fingerprint[:11],))
    assert "http://duty.lan:8000/trust" in text and "https://duty.lan:8443/" in text
    assert text.count("<details open>") == 1
    assert "证书信任设置" in text.split("<details open>")[1].split("</details>")[0]
    assert "<script" not in text and "javascript:" not in text
    assert "Certificate Trust Settings" in stranger.get("/trust?lang=en").text
    file = stranger.get("/trust/dutyroom-ca.crt")
    assert file.headers["content-type"] == "application/x-x509-ca-cert"
    assert hashlib.sha256(file.content).digest().hex(":").upper() == tls.authority.fingerprint


def test_of_a_host_that_is_markup_nothing_gets_into_the_page(stranger: TestClient) -> None:
    text = stranger.get("/trust", headers={"Host": '"><img src=x>'}).text
    assert "<img" not in text


def test_without_an_authority_of_our_own_there_is_no_such_page(room: Room, tmp_path: Path) -> None:
    mine = self_made_certificate(tmp_path / "mine", "mine")
    given = Files(chain=Path(str(mine.certificate)), key=Path(str(mine.key)), authority=None)
    for tls in (None, Tls(given)):
        with TestClient(room.app(tls=tls)) as client:
            assert client.get("/trust").status_code == 404
            assert client.get("/trust/dutyroom-ca.crt").status_code == 404


def test_the_end_of_the_certificate_is_warned_about_where_people_and_machines_look(
    room: Room, tls: Tls
) -> None:
    def to(wall: int) -> None:
        room.clock.step_wall((wall - room.clock.now().wall) / SECOND)

    with TestClient(room.app(tls=tls)) as client:
        to(tls.certificate.ends - 31 * DAY)
        log_in(client)
        assert client.get("/healthz").json()["warnings"] == []
        assert client.get("/api/v1/site").json()["certificate"]["warning"] is None
        to(tls.certificate.ends - 10 * DAY)
        (warning,) = client.get("/healthz").json()["warnings"]
        assert "in 10 days" in warning
        log_in(client)
        told = client.get("/api/v1/site").json()["certificate"]
        assert (told["days_left"], told["own_authority"]) == (10, True)
        assert told["warning"] == warning
