"""Conversion of state documents of the version of November 2026: messages, and the embedding queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heapreplace
from itertools import chain, count, islice
from typing import Any

Values = Mapping[str, Any]
NEVER = 10**18
"""Microseconds; start of attempts that wait for a tester's step."""
LONG_AGO = -NEVER


def with_lists(document: Values) -> Values:
    """The document with a list and an object where messages had null for attachments and metadata."""
    collections = {
        name: _with_lists(content) if name in ("messages", "deleted_messages") else content
        for name, content in document["collections"].items()
    }
    return {**document, "collections": collections}


def _with_lists(content: Values) -> Values:
    rows = []
    for row in content["records"]:
        record = row["record"]
        if isinstance(record, dict) and None in (record.get("attachments", 0), record.get("metadata", 0)):
            empty = {name: value for name, value in _EMPTY.items() if record.get(name, 0) is None}
            row = {**row, "record": {**record, **empty}}
        rows.append(row)
    return {**content, "records": rows}


_EMPTY: Values = {"attachments": [], "metadata": {}}


def converted(queue: Values, retries: int) -> Values:
    """The queue of all spaces as this version writes it; what is of this version stays."""
    retries = (queue["changed_policy"] or {"retries": retries})["retries"]
    return {**queue, "spaces": {name: _space(space, retries) for name, space in queue["spaces"].items()}}


def _space(space: Values, retries: int) -> Values:
    batches = [_batch(batch, retries) for batch in space["batches"]]
    batches += map(_ended, space.get("decided", ()), count(space["next_batch"]))
    paces = (
        pace
        for batch in space["batches"]
        for each in batch.get("rounds", ())
        for pace in each.get("paces", ())
    )
    free = {*space.get("free", ()), *chain.from_iterable(pace["bases"] for pace in paces)} - {None}
    ends = (
        {end for batch in batches for each in batch.get("rounds", ()) for end in each["ends"]} if free else {}
    )
    busy = (instant for instant in free if instant < NEVER and instant not in ends)
    return {
        "busy": [*space.get("busy", ()), *sorted(busy)],
        "next_batch": space["next_batch"] + len(space.get("decided", ())),
        "batches": batches,
    }


def _ended(job: Values, number: int) -> Values:
    """Batch of a job that a tester ended."""
    return {
        "number": number,
        "thread_id": job["thread_id"],
        "first_job": job["number"],
        "arrived": job["queued_at"],
        "messages": [job["message_id"]],
        "removed": [],
        "ended": {"state": job["state"], "attempts": max(job["attempts"], 1), "at": job["at"]},
    }


def _batch(batch: Values, retries: int) -> Values:
    # Each removed place stood beside a round, which is not needed.
    removed = [entry[0] if isinstance(entry, list) else entry for entry in batch["removed"]]
    batch = {"retries": retries, **batch, "removed": removed}
    if not batch.get("rounds"):
        return batch
    return {**batch, "rounds": list(_rounds(batch["rounds"], len(batch["messages"])))}


def _rounds(rounds: list[Values], size: int) -> Iterator[Values]:
    """Rounds with an instant for each attempt, up to the first one that waits for a step."""
    for values in rounds:
        if "places" in values:
            yield values
            continue
        places = list(range(size)) if values["members"] is None else values["members"]
        # One attempt more than there are jobs is enough to refuse the round.
        times = islice(chain.from_iterable(map(_times, values["paces"])), len(places) + 1)
        started = [(start, end) for start, end in times if start < NEVER]
        failing = [rank for rank in values["failing"] if rank < len(started)]
        starts, ends = ([time[n] for time in started] for n in (0, 1))
        if not places:
            return
        yield {"places": places, "starts": starts, "ends": ends, "failing": failing}
        if len(started) < len(places):
            return


def _times(pace: Values) -> Iterator[tuple[int, int]]:
    slots = sorted(LONG_AGO if base is None else base for base in pace["bases"])
    for _ in range(pace["jobs"]):
        yield slots[0], slots[0] + pace["duration"]
        heapreplace(slots, slots[0] + pace["duration"])
