"""Replay of recorded failures with new ids: fixed, failed or flaky."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.checks.errors import Untested
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.http.transport import RequestLimit
from contracts.safety.ledger import Ledger
from contracts.verdict.resend import Resend
from mockserver.freddy import HANDLERS
from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.broken import broken, contracts, report, run


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    with broken("add-answer-with-another-message", "newest-first", "adding-twice-is-a-conflict"):
        run(folder, "add-answers-as-documented", "adding-twice-is-adding-once", "the-owner-may-everything")
        run(folder, "add-answers-as-documented", "adding-twice-is-adding-once")
    return folder


def number(folder: Path, check: str) -> str:
    return next(f"{folder}/report.json#{f['id']}" for f in report(folder)["failures"] if f["check"] == check)


def test_what_fails_still_is_failed(recorded: Path) -> None:
    with broken("add-answer-with-another-message"):
        result = contracts("replay", number(recorded, "add-answers-as-documented"))
    assert (result.exit_code, "FAILED" in result.output) == (1, True), result.output


def test_what_was_mended_is_fixed(recorded: Path) -> None:
    """The ids are the new ones, or the chain would end with a 404."""
    result = contracts("replay", number(recorded, "add-answers-as-documented"))
    assert (result.exit_code, "FIXED" in result.output) == (0, True), result.output
    assert "404" not in result.output


def test_what_fails_in_another_way_is_not_fixed(recorded: Path) -> None:
    with broken("wrong-status-addThreadToSpace"):
        result = contracts("replay", number(recorded, "add-answers-as-documented"))
    assert result.exit_code == 1, result.output


def test_what_fails_now_and_then_is_flaky(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add, tries = HANDLERS["addThreadToSpace"], iter(range(100))

    def every_other(call: Call, sandbox: Sandbox) -> Reply:
        reply = add(call, sandbox)
        wrong = {**reply.body, "message": "Added"} if next(tries) % 2 else reply.body
        return Reply(reply.status, wrong, reply.headers)

    with broken():
        monkeypatch.setitem(HANDLERS, "addThreadToSpace", every_other)
        result = contracts("replay", number(recorded, "add-answers-as-documented"))
    assert (result.exit_code, "FLAKY" in result.output) == (0, True), result.output


def test_an_assumption_fails_a_replay_only_if_it_is_strict(recorded: Path) -> None:
    with broken("adding-twice-is-a-conflict"):
        name = number(recorded, "adding-twice-is-adding-once")
        assert contracts("replay", recorded / name).exit_code == 0
        assert contracts("replay", name, "--strict-assumptions").exit_code == 1


def test_a_chain_may_only_write_to_what_it_made_itself(recorded: Path, tmp_path: Path) -> None:
    data = report(recorded)
    (failure,) = [f for f in data["failures"] if f["check"] == "add-answers-as-documented"]
    failure["chain"][-1].update(method="DELETE", path="/v1/spaces/space_abc123")
    (tmp_path / "report.json").write_text(json.dumps(data), "utf-8")
    result = contracts("replay", f"{tmp_path}#{failure['id']}")
    assert result.exit_code == 3
    assert "names space_abc123, which this run did not create" in result.stderr


@pytest.mark.parametrize("name", ["report.json", "nowhere#1", "{folder}#99", "{folder}#x"])
def test_what_is_not_in_a_report_is_wrong_usage(recorded: Path, name: str) -> None:
    result = contracts("replay", name.format(folder=recorded))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def test_a_request_that_was_never_sent_is_not_reported_as_one_that_may_have_made_something() -> None:
    run = Run(InProcess(limit=RequestLimit(most=0)), DEMO, DEMO_ORGANIZATION, ledger=Ledger(), run_id="r")
    sent = ClientResponse(
        ClientRequest("POST", "/v1/threads", "owner", {"title": "a"}), 201, {}, '{"id": "thrd_1"}', 1.0
    )
    with pytest.raises(Untested, match="--max-requests are used up"):
        Resend(run, "r", DEMO_ORGANIZATION).send(sent)
    assert run.ledger.unanswered == []
