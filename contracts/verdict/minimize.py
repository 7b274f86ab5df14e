"""Minimization: the fewest requests that reproduce a failure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from contracts.checks.errors import Unanswered, Untested
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run
from contracts.verdict.diff import differences
from contracts.verdict.failure import Failure, Verdict
from contracts.verdict.reproduction import created_ids, fewest
from contracts.verdict.resend import FailureSignature, NotReplayable, Resend, failure_predicate

TIME_LIMIT = 4.0
"""Seconds spent on one failure."""


def minimized(failure: Failure, run: Run) -> Failure:
    """Failure with the fewest requests whose last response reproduces it; unchanged if it does not count."""
    counts = failure.confirmed in (Verdict.BROKEN, Verdict.ASSUMPTION)
    asks = any(answer.request.asks_model for answer in failure.wide or failure.chain)
    if failure.check.layer == "lockstep" or not counts or run.rate_limited or asks or not failure.chain:
        return failure
    predicate = failure_predicate(signature_of(failure), failure.chain[-1])
    if predicate is None:
        return failure
    until = time.monotonic() + TIME_LIMIT
    old = {id_ for answer in (*failure.chain, *failure.wide) for id_ in created_ids(answer)}

    def again(chain: Sequence[ClientResponse]) -> bool:
        sending = Resend(run, run.run_id, run.organization_id, old)
        try:
            answers = [sending.send(answer) for answer in chain]
        except (NotReplayable, Untested, Unanswered):
            return False
        return answers[-1].status == failure.chain[-1].status and predicate(answers[-1], sending.new) is True

    def needed(chain: tuple[ClientResponse, ...]) -> bool:
        return time.monotonic() < until and again((*chain, failure.chain[-1]))

    for chain in (failure.chain, failure.wide):
        if chain and again(chain):
            return failure._replace(chain=(*fewest(chain[:-1], needed), chain[-1]), alone=True)
    return failure._replace(alone=False)


def signature_of(failure: Failure) -> FailureSignature:
    """Signature of a failure of this run."""
    check, broken = failure.check, failure.broken
    difference = differences(broken.expected, broken.got, broken.pointer)
    return FailureSignature(check.id, check.layer, failure.fingerprint, broken.pointer, difference)
