"""Verification of the requests that were received."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mockserver.admin.journal_entries import exchange_head, mask_of
from mockserver.admin.paging import Call, ControlContext
from mockserver.admin.request_matching import Criteria
from mockserver.http.calls import Reply, handles
from mockserver.http.redaction import Mask
from mockserver.journal.entry import Entry
from mockserver.sandbox.sandbox import Record, Sandbox

MOST_SHOWN = 10
"""Most matching requests listed."""
MOST_NEAR = 3
"""Most near misses listed."""


@handles("verify")
def verify(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Check the count or the order of requests."""
    journal, mask = sandbox.journal, mask_of(sandbox)
    entries, dropped = journal.entries(), journal.dropped
    if "sequence" in call.body:
        steps = [Criteria(request, f"sequence.{n}.") for n, request in enumerate(call.body["sequence"])]
        return Reply(200, _in_sequence(steps, entries, dropped > 0, mask))
    return Reply(200, _counted(call.body, entries, dropped > 0, mask))


def _counted(body: Record, entries: Sequence[Entry], dropped: bool, mask: Mask) -> Record:
    criteria = Criteria(body["request"], "request.")
    found = [entry for entry in entries if criteria.fits(entry)]
    unsure = {entry for entry in entries if criteria.unsure(entry)}
    truncated = dropped or bool(unsure)
    least, most, wanted = _bounds(body)
    count, sure = len(found), sum(entry not in unsure for entry in found)
    # Dropped exchanges can only increase the count.
    good = sure >= least and (most is None or (count <= most and not truncated))
    message = f"{count} {'request was' if count == 1 else 'requests were'} like this, {wanted}"
    if truncated and not good and (most is None or sure <= most):
        message += "; this is uncertain, because the journal has not kept everything"
    too_few = not good and count < least
    return {
        "verified": good,
        "count": count,
        "truncated": truncated,
        "message": message,
        "requests": [exchange_head(entry, mask) for entry in found[:MOST_SHOWN]],
        "nearest": _nearest(criteria, entries, mask) if too_few else [],
    }


def _bounds(body: Record) -> tuple[int, int | None, str]:
    if body.get("never"):
        return 0, 0, "none is wanted"
    if "exactly" in body:
        return body["exactly"], body["exactly"], f"exactly {body['exactly']} wanted"
    most: int | None = body.get("atMost")
    least: int = body.get("atLeast", 1 if most is None else 0)
    words = ([f"at least {least}"] if most is None or "atLeast" in body else []) + (
        [] if most is None else [f"at most {most}"]
    )
    return least, most, f"{' and '.join(words)} wanted"


def _in_sequence(steps: Sequence[Criteria], entries: Sequence[Entry], dropped: bool, mask: Mask) -> Record:
    found: list[Entry] = []
    ahead, message, nearest = list(entries), "", list[Any]()
    for number, criteria in enumerate(steps, 1):
        place = next((n for n, entry in enumerate(ahead) if criteria.fits(entry)), None)
        if place is None:
            message = _missing(number, criteria, found, entries, dropped)
            nearest = _nearest(criteria, ahead, mask)
            break
        found.append(ahead[place])
        ahead = ahead[place + 1 :]
    return {
        "verified": not message,
        "count": len(found),
        "truncated": dropped,
        "message": message or f"all {len(found)} came in this order",
        "requests": [exchange_head(entry, mask) for entry in found[:MOST_SHOWN]],
        "nearest": nearest,
    }


def _missing(
    number: int, criteria: Criteria, found: Sequence[Entry], entries: Sequence[Entry], dropped: bool
) -> str:
    after = f" after request {found[-1].number}" if found else ""
    message = f"step {number} of the sequence did not come{after}"
    earlier = [str(entry.number) for entry in entries if criteria.fits(entry)]
    if earlier:
        message += f"; it came before, as request {', '.join(earlier[:MOST_SHOWN])}"
    if dropped:
        message += "; this is uncertain, because the journal has not kept everything"
    return message


def _nearest(criteria: Criteria, entries: Sequence[Entry], mask: Mask) -> list[Any]:
    """Exchanges with the fewest differences, newest first."""
    others = [(found, entry) for entry in entries if (found := criteria.differences(entry))]
    others.sort(key=lambda pair: (len(pair[0]), -pair[1].number))
    return [
        {
            "request": exchange_head(entry, mask),
            "differences": [
                {"at": d.at, "wanted": mask.text(d.wanted), "found": mask.text(d.found)} for d in differences
            ],
        }
        for differences, entry in others[:MOST_NEAR]
    ]
