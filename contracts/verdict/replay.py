"""Sends a recorded chain again and says whether it still fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.markup import escape

from contracts.checks.check import Check
from contracts.checks.errors import Fingerprint, Untested, Usage
from contracts.http.exchange import Answer, Request
from contracts.http.run import Team
from contracts.verdict.failure import Verdict
from contracts.verdict.resend import NoReplay, Resend, Sign, shows
from contracts.verdict.runner import tried

PASSES = 3
Data = dict[str, Any]
Tell = Callable[[Request, Answer, int], object]
"""Is shown what was sent, what came, and the status that came before."""


class Recorded(NamedTuple):
    """A failure in a report."""

    run: Data
    failure: Data

    @property
    def chain(self) -> list[Answer]:
        """Its exchanges."""
        return [
            Answer(
                Request(each["method"], each["path"], each["role"], each["body"], each["headers"]),
                each["status"],
                each["answer_headers"],
                each["answer"],
                each["milliseconds"],
            )
            for each in self.failure["chain"]
        ]

    @property
    def sign(self) -> Sign:
        """By what it is known again."""
        failure = self.failure
        print_ = Fingerprint(**failure["fingerprint"])
        return Sign(failure["check"], failure["layer"], print_, failure["pointer"], failure["difference"])


def recorded(name: str) -> Recorded:
    """What REPORT#ID names; a folder stands for the report.json in it."""
    path, _, id_ = name.rpartition("#")
    file = Path(path) / "report.json" if Path(path).is_dir() else Path(path)
    if not path or not id_.isdecimal():
        raise Usage(f"{name}: give it like report/report.json#1")
    try:
        data = json.loads(file.read_text("utf-8"))
        found = [failure for failure in data["failures"] if failure["id"] == int(id_)]
        run = data["run"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Usage(f"{file} is no report: {type(error).__name__}: {error}") from error
    if not found:
        raise Usage(f"{file} has no failure #{id_}; it has {len(data['failures'])}")
    return Recorded(run, found[0])


def replay(team: Team, checks: Sequence[Check], what: Recorded, tell: Tell = lambda *_: None) -> list[bool]:
    """In which of the passes it still failed; only the first is told."""
    try:
        return [_once(team, checks, what, tell if n == 0 else lambda *_: None) for n in range(PASSES)]
    except Untested as reason:
        raise NoReplay(str(reason)) from reason


def _once(team: Team, checks: Sequence[Check], what: Recorded, tell: Tell) -> bool:
    sending = Resend(team, what.run["id"], what.run["organization_id"])
    answer = None
    for before in what.chain:
        answer = sending.send(before)
        tell(answer.request, answer, before.status)
    shown = shows(what.sign, what.chain[-1]) if answer is not None else None
    fails = shown(answer, sending.new) if shown is not None and answer is not None else None
    return _by_its_check(team, checks, what.sign) if fails is None else fails


def _by_its_check(team: Team, checks: Sequence[Check], sign: Sign) -> bool:
    """No single answer shows it: the check itself is tried, on fresh resources."""
    check = next((check for check in checks if check.id == sign.check), None)
    if check is None:
        raise NoReplay(f"no single answer shows it, and this suite has no check {sign.check}")
    team.afresh = True
    found = tried(check, team)
    if check.layer in ("operations", "workflows"):
        return sign.fingerprint in {failure.fingerprint for failure in found}
    return bool(found)


def step(request: Request, answer: Answer, before: int) -> str:
    """A request of the chain in one line, with rich's markup."""
    changed = "" if answer.status == before else f" [yellow](was {before})[/]"
    who = request.role or "no key"
    return f"{request.method} {escape(request.path)} [dim]({who})[/] {answer.status}{changed}"


def told(what: Recorded, passes: Sequence[bool]) -> str:
    """What came of it, with rich's markup."""
    failed, failure = sum(passes), what.failure
    sentence = f"{failure['check']}: {escape(failure['sentence'])}"
    if failed == len(passes):
        return f"[bold red]FAILED[/]  still, {failed} times of {failed}. {sentence}"
    if failed:
        return f"[yellow]FLAKY[/]  it failed {failed} times of {len(passes)}. {sentence}"
    return f"[bold green]FIXED[/]  it did not fail, {len(passes)} times of {len(passes)}. {sentence}"


def fails(what: Recorded, passes: Sequence[bool], *, strict: bool) -> bool:
    """Whether the contract is still broken by it."""
    assumed = what.failure["confirmed"] == Verdict.ASSUMPTION and not strict
    return all(passes) and not assumed
