"""Lists that lag behind the writes: found once, and read again until they show the writes from then on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Fingerprint, Untested
from contracts.checks.spec import document
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run
from contracts.verdict.failure import Failure, Verdict, failure_of

MAX_TRIES = 2
"""Failed checks that are tried again with patient lists, as long as no list is found to lag."""
_TRIES = "tries with patient lists"


def with_patient_lists(
    failures: list[Failure], run: Run, again: Callable[[], list[Failure]]
) -> list[Failure]:
    """Failures of a check; if a list lags, that one and those that remain with lists that are read again."""
    settling, tries = run.settling, run.shared.setdefault(_TRIES, [])
    lists = [answer for failure in failures for answer in (*failure.wide, *failure.chain) if _lists(answer)]
    if settling.seconds or not settling.patience or not lists or len(tries) >= MAX_TRIES:
        return failures
    check = failures[0].check
    tries.append(check.id)
    settling.seconds, settling.late = settling.patience, []
    run.fresh_resources = True
    try:
        remaining = again()
    except Untested:
        remaining = failures
    finally:
        run.fresh_resources = False
        settling.seconds = settling.patience if settling.late else 0.0
    if not settling.late:
        return failures
    return [_lagging(check, settling.late[0], lists, run), *remaining]


def _lists(answer: ClientResponse) -> bool:
    found = document().at(answer.request.method, answer.request.path)
    return found is not None and found.id.startswith("list")


def _lagging(check: Check, path: str, lists: Sequence[ClientResponse], run: Run) -> Failure:
    operation = document().at("GET", path)
    assert operation is not None, "the run waits for documented lists only"
    same = [answer for answer in lists if answer.request.path.partition("?")[0] == path] or lists
    message = (
        f"{operation.label} lags behind the writes: it shows one only when it is read again. The other checks"
        f" wait for it up to {run.settling.patience:.0f} s; pass --settle to accept that"
    )
    broken = Broken(
        message,
        brief=f"{operation.label} lags behind the writes (eventual)",
        fingerprint=Fingerprint(operation.id, 200, "", "eventual", ""),
        chain=(same[-1],),
    )
    return failure_of(check, broken, (), run)._replace(confirmed=Verdict.BROKEN)
