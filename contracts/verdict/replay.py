"""Replay of a recorded failure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.markup import escape

from contracts.checks.check import Check
from contracts.checks.errors import Fingerprint, Untested, Usage
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.verdict.failure import Verdict
from contracts.verdict.resend import FailureSignature, NotReplayable, Resend, failure_predicate
from contracts.verdict.runner import try_check

PASSES = 3
Data = dict[str, Any]
OnExchange = Callable[[ClientRequest, ClientResponse, int], object]
"""Called with the request, its response, and the recorded status."""


class RecordedFailure(NamedTuple):
    """Failure of a report, with the report's run data."""

    run_data: Data
    failure: Data

    @property
    def chain(self) -> list[ClientResponse]:
        """Recorded exchanges."""
        return [
            ClientResponse(
                ClientRequest(each["method"], each["path"], each["role"], each["body"], each["headers"]),
                each["status"],
                each["answer_headers"],
                each["answer"],
                each["milliseconds"],
            )
            for each in self.failure["chain"]
        ]

    @property
    def signature(self) -> FailureSignature:
        """Signature of the failure."""
        failure = self.failure
        print_ = Fingerprint(**failure["fingerprint"])
        return FailureSignature(
            failure["check"], failure["layer"], print_, failure["pointer"], failure["difference"]
        )


def load_failure(name: str) -> RecordedFailure:
    """Load REPORT#ID; a folder stands for its report.json."""
    path, _, id_ = name.rpartition("#")
    file = Path(path) / "report.json" if Path(path).is_dir() else Path(path)
    if not path or not id_.isdecimal():
        raise Usage(f"{name}: expected a form like report/report.json#1")
    try:
        data = json.loads(file.read_text("utf-8"))
        found = [failure for failure in data["failures"] if failure["id"] == int(id_)]
        run_data = data["run"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Usage(f"{file} is not a report: {type(error).__name__}: {error}") from error
    if not found:
        raise Usage(f"{file} has no failure #{id_}; it has {len(data['failures'])}")
    return RecordedFailure(run_data, found[0])


def replay(
    run: Run, checks: Sequence[Check], what: RecordedFailure, on_exchange: OnExchange = lambda *_: None
) -> list[bool]:
    """Whether each pass failed; `on_exchange` is called during the first."""
    try:
        return [_once(run, checks, what, on_exchange if n == 0 else lambda *_: None) for n in range(PASSES)]
    except Untested as reason:
        raise NotReplayable(str(reason)) from reason


def _once(run: Run, checks: Sequence[Check], what: RecordedFailure, on_exchange: OnExchange) -> bool:
    sending = Resend(run, what.run_data["id"], what.run_data["organization_id"])
    answer = None
    for before in what.chain:
        answer = sending.send(before)
        on_exchange(answer.request, answer, before.status)
    predicate = failure_predicate(what.signature, what.chain[-1]) if answer is not None else None
    still_broken = predicate(answer, sending.new) if predicate is not None and answer is not None else None
    return _by_its_check(run, checks, what.signature) if still_broken is None else still_broken


def _by_its_check(run: Run, checks: Sequence[Check], signature: FailureSignature) -> bool:
    """Run the check itself on fresh resources, for failures that no single response shows."""
    check = next((check for check in checks if check.id == signature.check), None)
    if check is None:
        raise NotReplayable(f"no single response shows it, and this suite has no check {signature.check}")
    run.fresh_resources = True
    found = try_check(check, run)
    if check.layer in ("operations", "lockstep"):
        return signature.fingerprint in {failure.fingerprint for failure in found}
    return bool(found)


def exchange_line(request: ClientRequest, answer: ClientResponse, before: int) -> str:
    """One line per request, with rich markup."""
    changed = "" if answer.status == before else f" [yellow](was {before})[/]"
    who = request.role or "no key"
    return f"{request.method} {escape(request.path)} [dim]({who})[/] {answer.status}{changed}"


def result_line(what: RecordedFailure, passes: Sequence[bool]) -> str:
    """Result of the replay, with rich markup."""
    failed, failure = sum(passes), what.failure
    sentence = f"{failure['check']}: {escape(failure['sentence'])}"
    if failed == len(passes):
        return f"[bold red]FAILED[/]  still, {failed} times of {failed}. {sentence}"
    if failed:
        return f"[yellow]FLAKY[/]  it failed {failed} times of {len(passes)}. {sentence}"
    return f"[bold green]FIXED[/]  it did not fail, {len(passes)} times of {len(passes)}. {sentence}"


def still_broken(what: RecordedFailure, passes: Sequence[bool], *, strict: bool) -> bool:
    """Whether the failure still breaks the contract."""
    assumed = what.failure["confirmed"] == Verdict.ASSUMPTION and not strict
    return all(passes) and not assumed
