"""Unanswered requests, request limits, unsuitable targets, and the doctor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from contracts.cli import main
from contracts.doctor import needs
from contracts.http.target import open_transport
from contracts.suite import selected
from contracts.verdict.failure import Verdict
from contracts.verdict.runner import judge
from tests.contracts.front import KEYS, deployment, everything
from tests.contracts.mutants import damaged
from tests.contracts.strength import fresh_app, run_on
from tests.contracts.test_cli import contracts, only
from tests.proxy.target import proxy
from tests.running import mock

pytestmark = pytest.mark.slow

assert main
DOCUMENTED = only("add-answers-as-documented", "a-new-space-has-no-threads", "an-added-thread-is-listed")


class Whims:
    """Misbehaves on selected requests instead of responding."""

    def __init__(self, said: str, *, about: Callable[[str, str], bool], times: int = 10**6) -> None:
        self.left, self._said, self._about = times, said, about

    def __call__(self, method: str, path: str, _: Callable[[], None]) -> str:
        if not self.left or not self._about(method, path):
            return ""
        self.left -= 1
        return self._said


def adds(method: str, path: str) -> bool:
    return method == "POST" and "/threads/" in path


def run(url: str, *words: str) -> Result:
    return contracts("run", "--target", url, *words, **KEYS)


@pytest.mark.parametrize("said", ["drop", "503"])
def test_what_is_not_answered_once_is_tried_again(said: str) -> None:
    with deployment(Whims(said, about=adds, times=1)) as url:
        result = run(url, *DOCUMENTED)
    assert result.exit_code == 0, result.output
    assert "3 passed" in result.output


@pytest.mark.parametrize(("said", "reason"), [("drop", "no answer from"), ("503", "answers 503 to POST")])
def test_what_is_never_answered_is_told_apart_and_the_others_are_tried(said: str, reason: str) -> None:
    with deployment(Whims(said, about=adds)) as url:
        before = everything(url)
        result = run(url, *DOCUMENTED, "--only", "operation-addThreadToSpace")
        assert everything(url) == before
    assert result.exit_code == 3, result.output
    assert "3 checks got no answer" in result.stderr
    assert reason in result.stderr
    assert "1 passed" in result.output
    assert "the contract is broken" not in result.output


def test_a_deployment_that_dies_ends_the_run_and_what_it_made_is_named() -> None:
    dead: list[str] = []

    def dies(method: str, path: str, pass_on: Callable[[], None]) -> str:
        if adds(method, path):
            dead.append(path)
        return "drop" if dead else ""

    with deployment(dies) as url:
        result = run(url, *DOCUMENTED)
    assert result.exit_code == 3, result.output
    assert "does not answer any more" in result.output
    assert "left behind" in result.output
    assert "contracts cleanup" in result.output


def test_a_broken_promise_counts_more_than_no_answer() -> None:
    def both(method: str, path: str, pass_on: Callable[[], None]) -> str:
        return (
            "drop" if adds(method, path) else "404" if path.endswith("/threads") and method == "GET" else ""
        )

    with deployment(both) as url:
        assert run(url, *DOCUMENTED).exit_code == 1


def test_a_429_is_waited_out() -> None:
    def busy(method: str, path: str, pass_on: Callable[[], None]) -> str:
        busy_until.append(path)
        return "429" if len(busy_until) in (3, 5) else ""

    busy_until: list[str] = []
    with deployment(busy) as url:
        assert run(url, "--only", "a-new-space-has-no-threads").exit_code == 0


def test_the_request_budget_bounds_the_checks_and_not_the_cleaning_up() -> None:
    with deployment() as url:
        before = everything(url)
        result = run(url, "--only", "listSpaceThreads", "--only", "lockstep", "--max-requests", "150")
        assert everything(url) == before
    assert "the requests of --max-requests are used up" in result.output
    assert result.exit_code == 3, result.output


def test_redirects_are_not_followed() -> None:
    """And a target that redirects everything is not this API."""
    seen: list[str] = []

    def away(method: str, path: str, pass_on: Callable[[], None]) -> str:
        seen.append(path)
        return "302"

    with deployment(away) as url:
        result = run(url)
    assert (result.exit_code, len(seen)) == (3, 1)
    assert "not this API: it redirects" in result.stderr


def test_a_server_of_something_else_can_not_be_tested() -> None:
    with deployment(lambda *_: "200") as url:
        result = run(url)
    assert (result.exit_code, result.stderr.count("\n")) == (3, 1)
    assert "not this API: GET /v1/threads answers 200 with text/plain" in result.stderr


def test_a_mock_on_a_free_port_holds_the_contract_and_is_gone_afterwards() -> None:
    transport = open_transport("mock-http")
    url = transport.url
    transport.close()
    assert contracts("doctor", "--target", url).exit_code == 3
    result = contracts("run", "--target", "mock-http", *DOCUMENTED)
    assert result.exit_code == 0, result.output


def test_a_run_on_a_mock_that_others_use_has_a_sandbox_of_its_own() -> None:
    """The header is on every request, and on none to what does not say that it is a mock."""
    with mock() as url:
        transport = open_transport(url)
        from contracts.http.credentials import open_target

        assert open_target(transport, {}, "1234abcd").mock
        assert transport.always == {"X-Mock-Sandbox": "contracts-1234abcd"}
        transport.close()
        with proxy(url) as through:  # says that it is none in health
            transport = open_transport(through)
            assert not open_target(transport, KEYS, "1234abcd").mock
            assert transport.always == {}
            transport.close()
    with deployment() as url:
        transport = open_transport(url)
        assert not open_target(transport, KEYS, "1234abcd").mock
        assert transport.always == {}
        transport.close()


def test_a_read_only_run_looks_at_the_spaces_that_it_is_given() -> None:
    sent: list[tuple[str, str]] = []

    def noted(method: str, path: str, pass_on: Callable[[], None]) -> str:
        sent.append((method, path))
        return ""

    with deployment(noted) as url:
        words = [
            "--read-only",
            "--space-id",
            "space_team",
            "--space-id",
            "space_abc123",
            "--profile",
            "small",
        ]
        result = run(url, *words, "--only", "getSpace", "--only", "listSpaceThreads")
    assert result.exit_code == 0, result.output
    assert {method for method, _ in sent} <= {"GET", "HEAD", "OPTIONS"}
    assert any(path.startswith("/v1/spaces/space_team/threads?") for _, path in sent)
    assert any(path.startswith("/v1/spaces/space_abc123/threads?") for _, path in sent)
    assert "passed" in result.output


def test_doctor_says_which_keys_work_as_what_and_what_would_be_skipped() -> None:
    sent: list[str] = []

    def noted(method: str, path: str, pass_on: Callable[[], None]) -> str:
        sent.append(f"{method} {path}")
        return ""

    keys = {**KEYS, "CONTRACTS_VIEWER_KEY": "wrong", "CONTRACTS_FOREIGN_KEY": ""}
    with deployment(noted) as url:
        result = contracts("doctor", "--target", url, "--space-id", "space_abc123", **keys)
    assert result.exit_code == 3, result.output
    assert "the viewer's key is refused: 401 INVALID_API_KEY; set CONTRACTS_VIEWER_KEY" in result.stderr
    assert "usr_abc123, of the organization" in result.output
    assert "the key is refused: 401" in result.output
    assert "no key: set CONTRACTS_FOREIGN_KEY" in result.output
    assert "owner: owns" in result.output
    assert "a-viewer-may-list" in result.output
    assert {line.partition(" ")[0] for line in sent} == {"GET"}
    assert not any("__admin" in line for line in sent)


def test_doctor_knows_the_version_of_a_mock() -> None:
    assert "(a mock, version " in contracts("doctor", "--target", "mock").output


def test_what_doctor_says_is_missing_for_a_check_is_what_the_check_misses() -> None:
    app = fresh_app()
    checks = [check for check in selected(("behaviour",)) if "createResponse" not in check.operations]
    with damaged(app, None):
        run = run_on(app)
        run._keys = {"owner": "ak_demo_owner"}
        untested = {check.id for check in checks if judge(check, run).verdict is Verdict.UNTESTED}
        run.clean_up()
    assert {check.id for check in checks if needs(check)} == untested
