"""Differences as a sequence finds them, and what an answer says about further pages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from comparison.answers import AnswerDifference
from contracts.http.exchange import ClientResponse
from contracts.lockstep.api import Step


def lasts(difference: AnswerDifference) -> bool:
    """Whether no wait can explain it: another precision of times, another header, a body that is not JSON."""
    return difference.kind in ("header", "precision") or (difference.kind, difference.pointer) == ("type", "")


@dataclass(eq=False)
class Found(Exception):
    """Model and target differ."""

    differences: list[AnswerDifference]
    steps: list[Step]
    """Steps taken, ending with the one whose answers differ."""
    model: ClientResponse
    target: ClientResponse
    chain: list[ClientResponse]
    """Answers of the target to all steps."""
    is_drained: bool = False
    """Whether nothing waited to be embedded."""

    @property
    def step(self) -> Step:
        """Step whose answers differ."""
        return self.steps[-1]


class OutOfStep(Exception):
    """A known difference left the two in different states: the sequence ends."""


def following(answer: ClientResponse) -> dict[str, str]:
    """Parameter that asks for the next page; empty at the end."""
    body = answer.fields
    if isinstance(body.get("next_cursor"), str):
        return {"cursor": body["next_cursor"]}
    if body.get("has_more") and isinstance(body.get("last_id"), str):
        return {"after": body["last_id"]}
    if body.get("has_more") and isinstance(body.get("page"), int):
        return {"page": str(body["page"] + 1)}
    return {}


def is_whole(answer: ClientResponse) -> bool:
    """Whether a page ends its list, so that nothing of the sequence is on another page."""
    path, count = answer.request.path, len(answer.items)
    taken = re.search(r"[?&](?:take|limit)=(\d+)", path)
    return not following(answer) and "skip=" not in path and count < int(taken[1] if taken else count + 1)


def signature(step: Step, difference: AnswerDifference) -> tuple[str, ...]:
    """Identity of a difference across sequences."""
    values = (difference.left, difference.right) if difference.kind == "status" else ()
    return (step["op"], difference.kind, difference.pointer, *map(str, values))
