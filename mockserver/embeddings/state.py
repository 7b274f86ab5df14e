"""JSON form of the embedding queue.

It contains every attempt, past and planned, so that an imported queue continues as it would have.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from heapq import heapreplace
from itertools import pairwise
from typing import Any

from immutables import Map

from mockserver.embeddings.batch import LONG_AGO, Attempts, Batch, Slots
from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import QueuesVersion
from mockserver.embeddings.space_queue import SpaceQueue
from mockserver.store.sorted_keys import Key, SortedKeys

Values = Mapping[str, Any]
"""A JSON object."""
NEVER = 10**18
"""Microseconds; start of attempts waiting for a step, in documents of the previous version."""
LATEST = 253_402_300_799_000_000
"""Microseconds; the end of the year 9999."""
Refuse = Callable[[str, str], None]
"""Called with the address and the text of an error."""
KeyOf = Callable[[str], Key | None]
"""Returns a message's key in its thread, also for a deleted message."""


def queues_json(version: QueuesVersion) -> Values:
    """JSON form of all queues, by space."""
    spaces = {name: _queue(version.queues[name]) for name in sorted(version.queues)}
    changed = None if version.policy is None else policy_json(version.policy)
    return {"next_job": version.next_job, "changed_policy": changed, "spaces": spaces}


def policy_json(policy: Policy) -> Values:
    """JSON form of a policy, without the seed."""
    values = {name: value for name, value in policy._asdict().items() if name != "seed"}
    keys = [list(key) for key in policy.failing_keys]
    return {**values, "failing_turns": list(policy.failing_turns), "failing_keys": keys}


def policy_read(values: Values, seed: int) -> Policy:
    """Policy from its JSON form."""
    turns, keys = tuple(values["failing_turns"]), tuple(map(tuple, values["failing_keys"]))
    return Policy(**{**values, "seed": seed, "failing_turns": turns, "failing_keys": keys})


def _queue(queue: SpaceQueue) -> Values:
    queue = queue.planned
    kept = (batch for _, batch in queue.batches if batch.live or batch.slots or not batch.attempts)
    free = queue.slots.free if queue.slots else ()
    return {"free": list(free), "next_batch": queue.next_batch, "batches": list(map(_batch, kept))}


def _batch(batch: Batch) -> Values:
    attempts, slots = batch.attempts, batch.slots
    values = {
        "number": batch.number,
        "thread_id": batch.thread_id,
        "first_job": batch.first_job,
        "arrived": None if batch.arrived == LONG_AGO else batch.arrived,
        "messages": [key[-1] for key in batch.keys],
        "removed": sorted(batch.removed),
    }
    if attempts and slots:
        plan = {name: list(each) for name, each in attempts._asdict().items()}
        values["attempts"] = {**plan, "free": list(slots.free), "retries": batch.retries}
    elif attempts:
        state = "failed" if attempts.failing else "completed"
        values["ended"] = {"state": state, "attempts": batch.tried + 1, "at": attempts.ends[0]}
    return values


def read(
    values: Values, policy: Policy, key_of: KeyOf, listed: Callable[[str], SortedKeys], refuse: Refuse
) -> QueuesVersion:
    """Queues from their JSON form. `listed`: a thread's messages, shared where a batch has exactly these.

    `policy`: the one that the sandbox was created with.
    """
    changed = None if values["changed_policy"] is None else policy_read(values["changed_policy"], policy.seed)
    queues: dict[str, SpaceQueue] = {}
    for space_id, queue in values["spaces"].items():
        at = f"queue.spaces.{space_id}"
        decided = enumerate(queue.get("decided", ()), queue["next_batch"])
        entries = [*queue["batches"], *(_as_batch(entry, number) for number, entry in decided)]
        following = queue["next_batch"] + len(entries) - len(queue["batches"])
        batches = [
            _batch_of(
                entry, key_of, listed, changed or policy, partial(_refuse_below, refuse, f"{at}.batches.{n}")
            )
            for n, entry in enumerate(entries)
        ]
        numbers = [batch.number for batch in batches]
        if numbers != sorted(set(numbers)) or (numbers and numbers[-1] >= following):
            refuse(f"{at}.batches", "numbers must go up, and stay below next_batch")
            continue
        batches, floor = _with_floors(batches)
        free = tuple(sorted(instant for instant in queue["free"] if instant < NEVER))
        queues[space_id] = SpaceQueue(
            batches=SortedKeys((batch.number, batch) for batch in batches),
            by_thread=SortedKeys((batch.thread_id, batch.number) for batch in batches),
            next_batch=following,
            slots=Slots(free, floor) if free else None,
            later=Map(_later(batches)),
        )
    return QueuesVersion(Map(queues), values["next_job"], changed)


def _with_floors(batches: Iterable[Batch]) -> tuple[list[Batch], int]:
    """Batches with the earliest start that their predecessors allow, and the start of the last attempt."""
    floored, floor = list[Batch](), LONG_AGO
    for batch in batches:
        attempts, slots = batch.attempts, batch.slots
        if attempts and slots:
            batch = batch._replace(slots=slots.not_before(floor))
            floor = max(floor, *attempts.starts[-1:], LONG_AGO)
        floored.append(batch)
    return floored, floor


def _as_batch(entry: Values, number: int) -> Values:
    """Batch from a job ended by a tester, as the previous version wrote it."""
    names = {"thread_id": "thread_id", "first_job": "number", "arrived": "queued_at"}
    batch = {name: entry[old] for name, old in names.items()}
    return {**batch, "number": number, "messages": [entry["message_id"]], "removed": [], "ended": entry}


def _refuse_below(refuse: Refuse, at: str, where: str, what: str) -> None:
    refuse(f"{at}.{where}", what)


def _later(batches: Iterable[Batch]) -> Iterator[tuple[str, int]]:
    """Batch of each message that is not, or no longer, in the backfill of its thread."""
    seen: set[str] = set()
    for batch in batches:
        if batch.thread_id in seen:
            for place, key in enumerate(batch.keys):
                if place not in batch.removed:
                    yield key[-1], batch.number
        seen.add(batch.thread_id)


def _batch_of(
    values: Values, key_of: KeyOf, listed: Callable[[str], SortedKeys], policy: Policy, refuse: Refuse
) -> Batch:
    ids, arrived = values["messages"], values["arrived"]
    found = [key_of(message_id) for message_id in ids]
    for message_id, key in zip(ids, found, strict=True):
        if key is None:
            refuse("messages", f"message {message_id!r} is not in this state")
    keys = _shared([key for key in found if key is not None], listed(values["thread_id"]))
    if len(keys) == len(ids) and [key[-1] for key in keys] != ids:
        refuse("messages", "are not in the order of their sequence numbers")
    if len(set(ids)) < len(ids):
        refuse("messages", "one of them is here twice")
    # The previous version wrote each place together with a round.
    removed = frozenset(entry[0] if isinstance(entry, list) else entry for entry in values["removed"])
    if any(place >= len(ids) for place in removed):
        refuse("removed", f"there are only {len(ids)} places")
    batch = Batch(values["number"], values["thread_id"], keys, values["first_job"], LONG_AGO, removed)
    batch = batch if arrived is None else batch._replace(arrived=arrived)
    if ended := values.get("ended"):
        if len(ids) != 1 or removed:
            refuse("ended", "is for one message, which was not removed")
        return batch.with_end(ended["state"], max(ended["attempts"], 1), ended["at"])
    plan = values.get("attempts") or _of_rounds(values.get("rounds", ()), len(ids), policy.retries, refuse)
    if plan is None or arrived is None:
        return batch
    if wrong := _wrong(plan, len(ids)):
        refuse(*wrong)
        return batch
    places, starts, ends, failing = (array("q", plan[name]) for name in Attempts._fields[:4])
    slots = Slots(tuple(sorted(plan["free"])), arrived)
    return batch._replace(
        attempts=Attempts(places, starts, ends, failing, tuple(plan["rounds"])),
        slots=slots,
        retries=plan["retries"],
    )


def _shared(keys: Sequence[Key], whole: SortedKeys) -> SortedKeys:
    """Sorted keys, sharing the thread's own sequence if it is equal."""
    if len(keys) == len(whole) and all(map(tuple.__eq__, keys, whole)):
        return whole
    return SortedKeys(keys)


def _of_rounds(rounds: Sequence[Values], count: int, retries: int, refuse: Refuse) -> Values | None:
    """Attempts of a batch from the previous version's form: slots, and the duration of each attempt."""
    places, starts, ends, failing, firsts, free = (list[int]() for _ in range(6))
    for values in rounds:
        members: Sequence[int] = range(count) if values["members"] is None else values["members"]
        if sum(pace["jobs"] for pace in values["paces"]) != len(members):
            refuse("rounds.paces", f"are for other than {len(members)} jobs")
            return None
        firsts.append(len(places))
        places += members
        failing += [firsts[-1] + rank for rank in values["failing"]]
        for pace in values["paces"]:
            free = sorted(LONG_AGO if base is None else base for base in pace["bases"])
            slots = [*free]
            for _ in range(pace["jobs"]):
                starts.append(slots[0])
                ends.append(heapreplace(slots, slots[0] + pace["duration"]) + pace["duration"])
    if not rounds:
        return None
    known = sum(start < NEVER for start in starts)  # the others were waiting for a step
    return {
        "places": places[:known],
        "starts": starts[:known],
        "ends": ends[:known],
        "failing": [attempt for attempt in failing if attempt < known],
        "rounds": [first for first in firsts if first <= known],
        "free": [min(instant, LATEST) for instant in free],
        "retries": retries,
    }


def _wrong(plan: Values, count: int) -> tuple[str, str] | None:
    """First error in a batch's attempts, with its address; `count`: number of its jobs."""
    places, starts, ends, failing, rounds = (plan[name] for name in Attempts._fields)
    total = len(places)
    if not len(starts) == len(ends) == total or any(map(int.__gt__, starts, ends)):
        return "attempts", "each has one place, one start, and an end that is not before"
    if any(b < a for values in (starts, ends) for a, b in pairwise(values)):
        return "attempts", "must start and end in their order"
    for name, values, limit in (("failing", failing, total), ("rounds", rounds, total + 1)):
        if any(b <= a for a, b in pairwise(values)) or (values and values[-1] >= limit):
            return f"attempts.{name}", f"must go up, and stay below {limit}"
    if rounds[:1] != [0]:
        return "attempts.rounds", "must begin with 0"
    tried = {*range(count)}
    for first, last in pairwise((*rounds, total)):
        members = places[first:last]
        if any(b <= a for a, b in pairwise(members)) or not tried.issuperset(members):
            return "attempts.places", "must be all jobs, then those that failed in the round before, in order"
        tried = {places[attempt] for attempt in failing if first <= attempt < last}
    return None
