"""Deployments behind TLS, proxies and gateways: the flags of the connection."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from contracts.checks.errors import Unanswered, Usage
from contracts.cli import main
from contracts.http.connection import Connection, TargetUrl, proxies, seconds
from contracts.http.deployment import Http
from contracts.http.exchange import ClientRequest
from tests.contracts.habits import own_certificate, prefix
from tests.contracts.habits_table import KEYS
from tests.contracts.other_server import Handler, running
from tests.contracts.other_state import Reply

LIST = ClientRequest("GET", "/v1/threads?limit=1", "owner")
OWNER = KEYS["CONTRACTS_OWNER_KEY"]
CHECK = ("--only", "add-answers-as-documented")


def contracts(*words: object, **environment: str) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], env={**KEYS, **environment})


@pytest.mark.parametrize("command", ["run", "doctor", "cleanup", "replay"])
def test_every_command_has_the_flags_of_the_connection(command: str) -> None:
    words = contracts(command, "--help").output
    for flag in ("header", "ca", "cert", "cert-key", "insecure", "timeout", "model-timeout", "concurrency"):
        assert re.search(rf"^ +--{flag}\b", words, re.MULTILINE), flag
    assert "--settle" in words
    assert "--rate-limit" in words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--header", "no colon"), "expected a form like 'X-Environment: staging'"),
        (("--header", "X-Api-Key: ak_secret"), "the suite sets this header itself"),
        (("--header", "X-A: b\r\nX-C: d"), "expected a form like"),
        (("--ca", "missing.pem"), "--ca missing.pem: it can't be used"),
        (("--cert", __file__), "it can't be used"),
        (("--cert-key", __file__), "--cert-key needs --cert FILE"),
        (("--timeout", "soon"), "--timeout soon: expected a form like"),
        (("--settle", "2"), "--settle 2: expected a form like"),
        (("--skip", "nonsense"), "--skip nonsense: no such check"),
    ],
)
def test_a_flag_that_can_not_be_used_is_one_line(words: tuple[str, ...], said: str) -> None:
    result = contracts("run", "--target", "http://127.0.0.1:9", *words)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
    assert said in result.stderr
    assert "ak_secret" not in result.output


@pytest.mark.parametrize(
    "target", ["ftp://x", "http://", "x", "http://h:port", "http://h/?a=b", "http://h h"]
)
def test_what_is_no_target_is_one_line_and_not_repeated(target: str) -> None:
    result = contracts("doctor", "--target", target.replace("://", "://alice:secret-word@"))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
    assert "secret-word" not in result.output


@pytest.mark.parametrize(
    ("text", "value"), [("500ms", 0.5), ("2s", 2), ("1.5m", 90), ("1h", 3600), ("0s", 0)]
)
def test_a_duration_has_a_unit(text: str, value: float) -> None:
    assert seconds(text, "--timeout") == value
    with pytest.raises(Usage):
        seconds(text[:-1].rstrip("m"), "--timeout")


def test_headers_are_sent_with_every_request_and_replace_those_of_a_check() -> None:
    seen: list[str | None] = []

    def habit(request: Handler, answer: Callable[[], Reply]) -> Reply:
        seen.append(request.headers["X-Environment"])
        return answer()

    with running(habit) as (url, _):
        connection = Connection.from_flags({"header": ("X-Environment: staging",)})
        Http(url, connection=connection).send(LIST._replace(headers={"x-environment": "other"}), OWNER)
        result = contracts("run", "--target", url, *CHECK, "--header", "X-Environment:staging")
    assert result.exit_code == 0, result.output
    assert {*seen} == {"staging"}


def test_a_prefix_is_part_of_the_target(tmp_path: Path) -> None:
    with running(prefix) as (url, state):
        target = f"{url}/gateway/freddy/"
        result = contracts("run", "--target", target, *CHECK, "--report-dir", tmp_path)
        assert result.exit_code == 0, result.output
        (ledger,) = tmp_path.glob("ledger-*")
        assert contracts("cleanup", ledger, "--target", target).exit_code == 0
        assert contracts("cleanup", ledger, "--target", url).exit_code == 2
        assert state.spaces == {}


@pytest.mark.slow
def test_a_certificate_that_nobody_signed_needs_ca_or_insecure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, file = own_certificate(tmp_path)
    variables = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    for name in variables:
        monkeypatch.delenv(name, raising=False)
    with running(tls=context) as (url, _):
        refused = contracts("doctor", "--target", url)
        assert refused.exit_code == 3
        assert "pass --ca FILE or --insecure" in refused.stderr
        for command in (("doctor",), ("run", *CHECK)):
            assert contracts(*command, "--target", url, "--ca", file).exit_code == 0
            assert contracts(*command, "--target", url, "--insecure").exit_code == 0
        for name in variables:
            assert contracts("doctor", "--target", url, **{name: str(file)}).exit_code == 0


def test_a_client_certificate_is_shown_to_a_target_that_asks_for_one(tmp_path: Path) -> None:
    context, file = own_certificate(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(file)
    with running(tls=context) as (url, _):
        assert contracts("doctor", "--target", url, "--ca", file).exit_code == 3
        words = ("--cert", file, "--cert-key", tmp_path / "key.pem")
        assert contracts("doctor", "--target", url, "--ca", file, *words).exit_code == 0


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """Proxy that refuses everything, and the lines of its requests."""
    seen: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

        def handle_one_request(self) -> None:
            seen.append(self.rfile.readline().decode())
            self.wfile.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def test_proxies_come_from_the_environment_and_never_see_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with proxy() as (url, seen), running() as (target, _):
        for name in ("HTTPS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, url)
            monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert contracts("doctor", "--target", target).exit_code == 0
        assert seen == []
        with pytest.raises(Unanswered):
            Http("https://deployment.invalid").send(LIST._replace(method="POST"), OWNER)
        assert seen == ["CONNECT deployment.invalid:443 HTTP/1.0\r\n"]
        monkeypatch.setenv("NO_PROXY", ".invalid")
        assert proxies("https://deployment.invalid") == {}
    for host in ("localhost", "127.8.9.1", "[::1]", "a.localhost"):
        assert proxies(f"http://{host}:1") == {}


@pytest.mark.parametrize("asks_model", [False, True])
def test_an_answer_of_the_model_has_a_timeout_of_its_own(asks_model: bool) -> None:
    def habit(request: Handler, answer: Callable[[], Reply]) -> Reply | None:
        request.state.over.wait(60)
        return None

    connection = Connection(timeout=0.2, model_timeout=0.3)
    path = "/v1/model/response" if asks_model else "/v1/spaces/"
    said = "--model-timeout is 0.3 s" if asks_model else "; --timeout is 0.2 s"
    with running(habit) as (url, _), pytest.raises(Unanswered, match=said):
        Http(url, connection=connection).send(ClientRequest("POST", path, None, {}), None)


def test_no_more_requests_are_sent_at_once_than_concurrency_allows() -> None:
    most, now, lock = [0], [0], threading.Lock()

    def habit(request: Handler, answer: Callable[[], Reply]) -> Reply:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.02)
        with lock:
            now[0] -= 1
        return answer()

    with running(habit) as (url, _):
        words = ("--only", "parallel-adds-lose-nothing", "--concurrency", 2)
        assert contracts("run", "--target", url, *words).exit_code == 0
    assert most[0] == 2


def test_a_target_url_has_its_login_in_variables() -> None:
    url = TargetUrl.parse("https://alice:p%40ss-word@host.example:8443/api/")
    assert url.url == "https://host.example:8443/api"
    assert url.words == "https://$TARGET_USER:$TARGET_PASSWORD@host.example:8443/api"
    assert ("$TARGET_PASSWORD", "p@ss-word") in url.secrets
