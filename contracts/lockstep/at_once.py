"""Two calls at the same time: the target answers them as the model does in one order or the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from comparison.answers import AnswerDifference
from comparison.names import Names
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.lockstep.api import Step
from contracts.lockstep.servers import ModelSide, Target

Compare = Callable[[Step, ClientResponse, ClientResponse, str], list[AnswerDifference]]


class SimultaneousCall(NamedTuple):
    """One of the two calls."""

    step: Step
    requests: Sequence[ClientRequest]
    """To the model, and to the target."""


def both_at_once(
    calls: Sequence[SimultaneousCall],
    seconds: float,
    model: ModelSide,
    target: Target,
    names: Names,
    compare: Compare,
) -> tuple[list[AnswerDifference], int, list[ClientResponse], list[ClientResponse]]:
    """Differences, the call that has them, and the answers of the model and of the target to both calls.

    `seconds` pass for the model before. It has taken the calls in the order that explains the target's
    answers, or in the second one.
    """
    model.save()
    theirs = target.send_together([(call.requests[1], call.step["role"]) for call in calls])
    ours = list(theirs)
    for order in ((0, 1), (1, 0)):
        mark = names.mark()
        for at in order:
            passed = seconds if at == order[0] else 0.0
            model.ask(calls[at].requests[0], calls[at].step["role"], passed, settle=False)
            ours[at] = model.answer()
        for at in order:
            step = calls[at].step
            if found := compare(step, ours[at], theirs[at], step["uid"]):
                break
        else:
            return [], 0, ours, theirs
        if order == (0, 1):
            names.back(mark)
            model.restore()
    return found, at, ours, theirs
