"""Deployments behind TLS, proxies, gateways and limits; the size of a run."""

from __future__ import annotations

import json
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

from contracts.checks.cost import expected
from contracts.checks.errors import Unanswered, Untested, Usage
from contracts.cli import main
from contracts.http.connection import Connection, TargetUrl, proxies, seconds
from contracts.http.deployment import Http
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.transport import RequestLimit, retry_delay
from contracts.pace import Pace
from contracts.safety.ledger import CreatedResource, Ledger
from contracts.settings import PROFILES
from contracts.suite import CHECKS, selected
from tests.contracts.habits import own_certificate, prefix, slow
from tests.contracts.habits_table import KEYS
from tests.contracts.other_server import Handler, Reply, running
from tests.running import ROOT

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


DATE = "Mon, 30 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "delay"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Mon, 30 Nov 2026 08:00:05 GMT", "date": DATE}, 5.0),
        ({"x-ratelimit-reset": "1796025603", "date": DATE}, 3.0),
        ({"x-ratelimit-reset": "4", "date": DATE}, 4.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_limited_target_says_how_long_to_wait_by_its_own_clock(
    headers: dict[str, str], delay: float | None
) -> None:
    assert retry_delay(headers) == delay


def test_a_wait_that_does_not_fit_the_run_is_not_begun() -> None:
    def habit(request: Handler, answer: Callable[[], Reply]) -> Reply:
        return Reply(429, b"", {"Retry-After": "36000"})

    with running(habit) as (url, _), pytest.raises(Unanswered, match="asks to wait 36,000 s"):
        Http(url).send(LIST, OWNER)
    limit = RequestLimit()
    limit.hold(3600)
    limit.lift(1)
    with pytest.raises(Untested, match="the time of the run is over"):
        limit.wait(1)


@pytest.mark.parametrize("name", ["add-answers-as-documented", "listSpaceThreads", "behaviour"])
def test_what_is_skipped_is_untested_and_said(name: str, tmp_path: Path) -> None:
    only = ("--only", "add-answers-as-documented", "--only", "a-new-space-has-no-threads")
    with running() as (url, _):
        result = contracts("run", "--target", url, *only, "--skip", name, "--report-dir", tmp_path)
    data = json.loads((tmp_path / "report.json").read_text("utf-8"))
    skipped = {o["id"] for o in data["outcomes"] if o["message"] == f"left out by --skip {name}"}
    assert len(data["outcomes"]) == 2
    assert len(skipped) == {"behaviour": 2}.get(name, 1)
    assert data["run"]["skip"] == [name]
    assert f"{len(skipped)} checks left out by --skip {name}" in result.output
    assert result.exit_code == (3 if name == "behaviour" else 0)


def test_small_fits_1500_requests_and_names_what_it_leaves_out() -> None:
    chosen = selected((), (), "small")
    assert len(chosen) == len(CHECKS)
    assert expected(chosen, "small", 6) < 1500 * 0.9
    assert {check.left_out for check in chosen} == {
        "",
        "left out by --profile small: name it with --only, or use a larger profile",
    }
    assert not [check.id for check in selected(("getSpace",), (), "small") if check.left_out]
    assert PROFILES["small"].most == 1500


def test_the_page_about_deployments_has_the_expected_numbers() -> None:
    text = (ROOT / "docs" / "contracts-deployment.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) min \| ([\d,]+) min \|$", text, re.MULTILINE)
    assert {name for name, *_ in rows} == {*PROFILES}
    for name, *numbers in rows:
        requests = expected(selected((), (), name), name, 6)
        wanted = (requests, requests * 0.3 / 60, requests / 100)
        for number, value in zip(numbers, wanted, strict=True):
            assert int(number.replace(",", "")) == pytest.approx(value, rel=0.1)


@pytest.mark.slow
def test_small_sends_at_most_1500_requests_and_the_costs_are_those_of_now(tmp_path: Path) -> None:
    result = contracts("run", "--target", "mock", "--profile", "small", "--report-dir", tmp_path)
    assert result.exit_code == 0, result.output
    requests = json.loads((tmp_path / "report.json").read_text("utf-8"))["coverage"]["requests"]
    assert abs(requests - expected(selected((), (), "small"), "small", 6)) < 200
    assert requests <= 1500


def answers(milliseconds: float, **headers: str) -> list[ClientResponse]:
    return [ClientResponse(LIST, 200, headers, "", milliseconds)] * 3


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        (Pace.of(answers(300), None), "about 9,000 requests, 45 min at 300 ms an answer"),
        (Pace.of(answers(1), 100), "about 9,000 requests, 90 min at 100 requests a minute"),
        (
            Pace.of(answers(1, **{"x-ratelimit-limit": "100"}), None),
            "about 9,000 requests, 90 min at 100 requests a minute",
        ),
        (Pace.of(answers(1), None), "about 2,000 requests, under 1 min at 1 ms an answer"),
    ],
)
def test_the_minutes_to_expect_follow_from_the_slower_of_answers_and_limit(pace: Pace, said: str) -> None:
    assert pace.words(int(said.split()[1].replace(",", ""))) == said


def test_a_run_and_the_doctor_say_what_to_expect_of_a_slow_target() -> None:
    """Quick ends within ten minutes: small takes its place, unless --max-time allows more."""
    with running(slow) as (url, _):
        doctor = contracts("doctor", "--target", url)
        small = contracts("run", "--target", url, "--max-requests", 40)
        quick = contracts("run", "--target", url, "--max-requests", 40, "--max-time", "2h")
    assert re.search(r"^quick +about 9,\d\d\d requests, \d+ min at 3\d\d ms an answer$", doctor.output, re.M)
    assert re.search(r"^small +about 1,\d\d\d requests, \d min at 3\d\d ms an answer$", doctor.output, re.M)
    assert re.search(r"^expected +about 1,\d\d\d requests, .*, profile small", small.output, re.M)
    assert "checks left out by --profile small" in small.output
    assert re.search(r"^expected +about 9,\d\d\d requests, .*, profile quick$", quick.output, re.M)


def test_a_target_url_has_its_login_in_variables() -> None:
    url = TargetUrl.parse("https://alice:p%40ss-word@host.example:8443/api/")
    assert url.url == "https://host.example:8443/api"
    assert url.words == "https://$TARGET_USER:$TARGET_PASSWORD@host.example:8443/api"
    assert ("$TARGET_PASSWORD", "p@ss-word") in url.secrets


def test_the_clean_up_of_many_resources_has_time_for_each() -> None:
    """At 100 requests a minute, a thousand deletions take ten minutes."""
    with running() as (url, _):
        target, ledger = Http(url), Ledger()
        for n in range(1000):
            ledger.created(n, CreatedResource("space", f"space_{n}", "nobody", "org_one"))
        Run(target, {}, "org_one", ledger=ledger, run_id="r").clean_up()
        assert target.limit.longest_delay > 600
