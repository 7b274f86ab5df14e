"""Cuts the requests of a failure down to those without which it does not show again."""

from __future__ import annotations

import time
from collections.abc import Sequence

from contracts.checks.errors import Unanswered, Untested
from contracts.http.exchange import Answer
from contracts.http.run import ASKS_A_MODEL, Team
from contracts.verdict.diff import smallest
from contracts.verdict.failure import Failure
from contracts.verdict.reproduction import fewest, made_by
from contracts.verdict.resend import NoReplay, Resend, Sign, shows

PATIENCE = 4.0
"""Seconds for one failure."""


def shortened(failure: Failure, team: Team) -> Failure:
    """The failure with the fewest requests that show it again, if any do by their last answer alone."""
    if team.sparing or not failure.chain or any(_costs(answer) for answer in failure.wide or failure.chain):
        return failure
    shown = shows(sign_of(failure), failure.chain[-1])
    if shown is None:
        return failure
    until = time.monotonic() + PATIENCE
    old = {id_ for answer in (*failure.chain, *failure.wide) for id_ in made_by(answer)}

    def again(chain: Sequence[Answer]) -> bool:
        sending = Resend(team, team.run_id, team.organization_id, old)
        try:
            answers = [sending.send(answer) for answer in chain]
        except (NoReplay, Untested, Unanswered):
            return False
        return answers[-1].status == failure.chain[-1].status and shown(answers[-1], sending.new) is True

    def needed(chain: tuple[Answer, ...]) -> bool:
        return time.monotonic() < until and again((*chain, failure.chain[-1]))

    for chain in (failure.chain, failure.wide):
        if chain and again(chain):
            return failure._replace(chain=(*fewest(chain[:-1], needed), chain[-1]), alone=True)
    return failure._replace(alone=False)


def sign_of(failure: Failure) -> Sign:
    """The sign of a failure of this run."""
    broken = failure.broken
    told = broken.expected is not None or broken.got is not None
    difference = smallest(broken.expected, broken.got, broken.pointer) if told else []
    return Sign(failure.check.id, failure.check.layer, failure.fingerprint, broken.pointer, difference)


def _costs(answer: Answer) -> bool:
    return answer.request.method == "POST" and answer.request.path.startswith(ASKS_A_MODEL)
