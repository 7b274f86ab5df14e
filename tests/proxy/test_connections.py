"""How a proxy reaches its target: by verified TLS, and by a proxy of the environment."""

from __future__ import annotations

import base64
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.proxy.target import Asked, Target, answer, ask, saying, target
from tests.running import ready

OPENSSL = shutil.which("openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate of 127.0.0.1 with its key, in one file."""
    if OPENSSL is None:
        pytest.skip("openssl not installed")
    folder = tmp_path_factory.mktemp("tls")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    made = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(folder / "key"),
        "-out",
        str(folder / "crt"),
    ]
    subprocess.run([OPENSSL, *words.split(), *made], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "crt").read_bytes() + (folder / "key").read_bytes())
    return both


def secured(made: Target, certificate: Path, *, asks: bool) -> str:
    """URL of a target that speaks TLS from now on, and may ask for a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    made.context = context
    return made.url.replace("http:", "https:")


@pytest.mark.parametrize(
    ("asks", "flags", "status", "told"),
    [
        (False, (), 502, "CERTIFICATE_VERIFY_FAILED"),
        (False, ("--ca",), 200, ""),
        (True, ("--ca",), 502, ""),
        (True, ("--ca", "--cert"), 200, ""),
    ],
)
def test_certificates_are_verified_on_both_sides(
    certificate: Path, asks: bool, flags: tuple[str, ...], status: int, told: str
) -> None:
    given = [word for flag in flags for word in (flag, str(certificate))]
    with target(saying(body={})) as behind:
        url = secured(behind, certificate, asks=asks)
        with ready("--target", url, *given, command="proxy") as line:
            got = ask("GET", f"{line['url']}/v1/threads")
            assert got.status_code == status
            assert told in got.headers.get("X-Mock-Reason", "")


def test_a_proxy_of_the_environment_is_used_with_its_password() -> None:
    with target(saying(body={})) as between:
        there = between.url.replace("//", "//user:p%40ss@")
        with ready("--target", "http://api.example.com/base", command="proxy", http_proxy=there) as line:
            assert ask("GET", f"{line['url']}/v1/threads").status_code == 200
    (asked,) = between.asked
    assert asked.line == "GET http://api.example.com/base/v1/threads HTTP/1.1"
    assert asked.headers["host"] == "api.example.com"
    assert base64.b64decode(asked.headers["proxy-authorization"].removeprefix("Basic ")) == b"user:p@ss"


def test_a_tunnel_leads_to_an_https_target(certificate: Path) -> None:
    def script(connection: socket.socket, asked: Asked) -> bool:
        connection.sendall(answer(body={}, status="403 Forbidden"))
        return False

    with target(script) as between:
        flags = ("--target", "https://api.example.com", "--ca", str(certificate))
        with ready(*flags, command="proxy", https_proxy=between.url) as line:
            got = ask("GET", f"{line['url']}/v1/threads")
    assert (got.status_code, between.asked[0].line) == (502, "CONNECT api.example.com:443 HTTP/1.0")
    assert "Tunnel connection failed: 403" in got.headers["X-Mock-Reason"]
