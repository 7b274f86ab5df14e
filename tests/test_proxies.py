"""Proxies: never between a client and a mock of its own machine; a redirect gets no token."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mockserver.client.control import Control, Refused
from tests.running import ROOT, mock


class _Recorder(BaseHTTPRequestHandler):
    """Answers everything by a redirect elsewhere, or by 502 as a proxy does, and keeps what it was asked."""

    def _answer(self) -> None:
        asked: list[str] = self.server.asked  # type: ignore[attr-defined]
        asked.append(f"{self.requestline} {self.headers.get('Authorization')}")
        there = self.server.there  # type: ignore[attr-defined]
        self.send_response(302 if there else 502)
        self.send_header("Location", there)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def __getattr__(self, name: str) -> Any:
        """Every method."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def recorder(there: str = "") -> Iterator[tuple[str, list[str]]]:
    """URL of a server, and the requests that it got."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Recorder) as server:
        server.asked, server.there = [], there  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", server.asked  # type: ignore[attr-defined]
        finally:
            server.shutdown()


PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy")


def without_proxies(**more: str) -> dict[str, str]:
    """Environment of a child process."""
    own = ("MOCK_", "FREDDY_", "PORT")
    kept = {n: v for n, v in os.environ.items() if not n.startswith(own) and not n.lower().endswith("_proxy")}
    return {**kept, **more}


def ran(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    clean = without_proxies(**environment)
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "mock.localhost"])
def test_a_mock_on_this_machine_is_not_asked_for_through_a_proxy(host: str) -> None:
    with recorder() as (proxy, asked), mock("--quiet", "--admin-token", "a-token-of-ours") as url:
        try:
            socket.getaddrinfo(host, 80)
        except OSError:
            pytest.skip(f"{host} has no address here")
        address = url.replace("127.0.0.1", host)
        words = ["mockserver", "clock", "--url", address, "--token", "a-token-of-ours"]
        run = ran(*words, **dict.fromkeys(PROXIES, proxy))
        assert asked == []
        if host != "0.0.0.0":  # the guard of the control API refuses it without a token of its own
            assert run.returncode == 0, run.stderr


def test_a_redirect_never_carries_the_token_elsewhere() -> None:
    with recorder() as (there, asked), recorder(there) as (url, first):
        control = Control(url, token="a-token-of-ours")
        for call in (control.health, control.reset, control.faults.clear):
            with pytest.raises(Refused, match=f"redirects to {there}"):
                call()
        assert (len(first), asked) == (3, [])


ASKING = """
import json, os, urllib.request as u
url = os.environ["FREDDY_API_URL"]
names = ("NO_PROXY", "no_proxy")
print(json.dumps({"status": u.urlopen(url + "/__admin/ready").status, **{n: os.environ[n] for n in names}}))
"""


@pytest.mark.parametrize("known", [{}, {"NO_PROXY": "intern.example"}, {"no_proxy": "intern.example"}])
def test_the_command_of_exec_asks_its_mock_and_no_proxy(known: dict[str, str]) -> None:
    with recorder() as (proxy, asked):
        words = ["mockserver", "exec", "--quiet", "--", sys.executable, "-c", ASKING]
        run = ran(*words, **dict.fromkeys(PROXIES, proxy), **known)
        assert asked == []
        said = json.loads(run.stdout)
    for name in ("NO_PROXY", "no_proxy"):
        hosts = said[name].split(",")
        assert {"127.0.0.1", "localhost", "::1", *known.values()} == set(hosts)


@pytest.mark.slow
def test_the_plugin_asks_its_mock_and_no_proxy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(mock):
            assert mock.clock.get()
            assert mock.client().get("/v1/spaces/space_abc123").status_code == 200
    """)
    with recorder() as (proxy, asked), pytest.MonkeyPatch.context() as patched:
        for name in PROXIES:
            patched.setenv(name, proxy)
        pytester.runpytest_subprocess().assert_outcomes(passed=1)
        assert asked == []
