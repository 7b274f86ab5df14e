"""The embedding queue as JSON values and back.

Written is what the plans follow from, so that a queue goes on as it would have: when slots were free, how
long attempts take, which of them fail. That is not decided again: the policy may have changed since.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from immutables import Map

from mockserver.embeddings.batch import LONG_AGO, Batch
from mockserver.embeddings.plan import Pace, Plan, ends_of, with_pace
from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import Version
from mockserver.embeddings.space_queue import EndedJob, SpaceQueue
from mockserver.sandbox.ordered import Key, Ordered

Values = Mapping[str, Any]
"""A JSON object."""
Refuse = Callable[[str, str], None]
"""Called with where something is wrong, and what."""
KeyOf = Callable[[str], Key | None]
"""A message's key in its thread, whether it was deleted or not."""


def written(version: Version) -> Values:
    """All queues, space by space."""
    spaces = {name: _queue(version.queues[name]) for name in sorted(version.queues)}
    changed = None if version.policy is None else policy_written(version.policy)
    return {"next_job": version.next_job, "changed_policy": changed, "spaces": spaces}


def policy_written(policy: Policy) -> Values:
    """How the queue works, without the seed; the messages that are to fail by their keys."""
    values = {name: value for name, value in policy._asdict().items() if name != "seed"}
    keys = [list(key) for key in policy.failing_keys]
    return {**values, "failing_turns": list(policy.failing_turns), "failing_keys": keys}


def policy_read(values: Values, seed: int) -> Policy:
    """The policy again."""
    turns, keys = tuple(values["failing_turns"]), tuple(map(tuple, values["failing_keys"]))
    return Policy(**{**values, "seed": seed, "failing_turns": turns, "failing_keys": keys})


def _queue(queue: SpaceQueue) -> Values:
    queue = queue.planned
    return {
        "free": list(queue.free),
        "next_batch": queue.next_batch,
        "batches": [_batch(batch) for _, batch in queue.batches],
        "decided": [
            {**one._asdict(), "order": list(one.order), "message_id": message_id}
            for message_id, one in sorted(queue.decided.items(), key=lambda item: item[1].number)
        ],
    }


def _batch(batch: Batch) -> Values:
    plan = batch.plan
    return {
        "number": batch.number,
        "thread_id": batch.thread_id,
        "first_job": batch.first_job,
        "arrived": None if plan is None else batch.arrived,
        "messages": [key[-1] for key in batch.keys],
        "removed": sorted(batch.removed),
        "rounds": [] if plan is None else [_round(plan, n, len(batch.keys)) for n in range(len(plan.rounds))],
    }


def _round(plan: Plan, number: int, count: int) -> Values:
    """`members` is null where they are all of the batch, `count` jobs: mostly."""
    first, last = plan.rounds[number], plan.round_end(number)
    is_last = number == len(plan.rounds) - 1
    paces = [pace for pace in plan.paces if first <= pace.first and (is_last or pace.first < last)]
    ends = [*(pace.first for pace in paces[1:]), last]
    return {
        "members": None if last - first == count else list(plan.places[first:last]),
        "paces": [
            {"jobs": end - pace.first, "bases": list(pace.free), "duration": pace.duration}
            for pace, end in zip(paces, ends, strict=True)
        ],
        "failing": [attempt - first for attempt in plan.failing if first <= attempt < last],
    }


def read(
    values: Values, seed: int, key_of: KeyOf, listed: Callable[[str], Ordered], refuse: Refuse
) -> Version:
    """The queues again. `listed` is a thread's messages, to share where a batch has just these."""
    queues: dict[str, SpaceQueue] = {}
    for space_id, queue in values["spaces"].items():
        at = f"queue.spaces.{space_id}"
        batches = [
            _batch_of(entry, key_of, listed, partial(_refuse_below, refuse, f"{at}.batches.{number}"))
            for number, entry in enumerate(queue["batches"])
        ]
        numbers = [batch.number for batch in batches]
        if numbers != sorted(set(numbers)) or (numbers and numbers[-1] >= queue["next_batch"]):
            refuse(f"{at}.batches", "numbers must go up, and stay below next_batch")
            continue
        queues[space_id] = SpaceQueue(
            batches=Ordered((batch.number, batch) for batch in batches),
            by_thread=Ordered((batch.thread_id, batch.number) for batch in batches),
            next_batch=queue["next_batch"],
            free=tuple(queue["free"]),
            later=Map(_later(batches)),
            decided=Map(_decided(queue["decided"], key_of, partial(_refuse_below, refuse, at))),
        )
    changed = values["changed_policy"]
    policy = None if changed is None else policy_read(changed, seed)
    return Version(Map(queues), values["next_job"], policy)


def _decided(entries: Iterable[Values], key_of: KeyOf, refuse: Refuse) -> Iterator[tuple[str, EndedJob]]:
    for number, entry in enumerate(entries):
        message_id, order = entry["message_id"], tuple(entry["order"])
        if key_of(message_id) != (*order, message_id):
            refuse(f"decided.{number}", f"message {message_id!r} is not in this state, or at another place")
        values = {name: value for name, value in entry.items() if name != "message_id"}
        yield message_id, EndedJob(**{**values, "order": order})


def _refuse_below(refuse: Refuse, at: str, where: str, what: str) -> None:
    refuse(f"{at}.{where}", what)


def _later(batches: Iterable[Batch]) -> Iterator[tuple[str, int]]:
    """Which batch has a message that is not, or not any more, in the first one of its thread."""
    seen: set[str] = set()
    for batch in batches:
        if batch.thread_id in seen:
            for place, key in enumerate(batch.keys):
                if place not in batch.removed:
                    yield key[-1], batch.number
        seen.add(batch.thread_id)


def _batch_of(values: Values, key_of: KeyOf, listed: Callable[[str], Ordered], refuse: Refuse) -> Batch:
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
    # The version before wrote the first round without it behind each place.
    removed = frozenset(entry[0] if isinstance(entry, list) else entry for entry in values["removed"])
    if any(place >= len(ids) for place in removed):
        refuse("removed", f"there are only {len(ids)} places")
    plan = None if arrived is None else _plan_of(values["rounds"], len(ids), removed, refuse)
    arrived = LONG_AGO if arrived is None else arrived
    return Batch(values["number"], values["thread_id"], keys, values["first_job"], arrived, removed, plan)


def _shared(keys: Sequence[Key], whole: Ordered) -> Ordered:
    """The keys as a sequence: the thread's own one if it has just these."""
    if len(keys) == len(whole) and all(map(tuple.__eq__, keys, whole)):
        return whole
    return Ordered(keys)


def _plan_of(rounds: Sequence[Values], count: int, removed: frozenset[int], refuse: Refuse) -> Plan | None:
    """The plan; None if something is wrong with it. `count` is how many jobs the batch has."""
    if not rounds:
        refuse("rounds", "must be at least one, for the batch arrived at an instant")
        return None
    ends, places, failing = array("q"), array("l"), array("l")
    starts: list[int] = []
    paces: tuple[Pace, ...] = ()
    tried: set[int] = {*range(count)} - removed
    for values in rounds:
        members: Sequence[int] = range(count) if values["members"] is None else values["members"]
        if wrong := _wrong(values, members, count, tried, removed):
            refuse(*wrong)
            return None
        starts.append(len(places))
        for pace in values["paces"]:
            paces = with_pace(paces, Pace(len(ends), pace["duration"], tuple(pace["bases"])))
            ends.extend(ends_of(pace["jobs"], [*pace["bases"]], pace["duration"]))
        places.extend(members)
        failed = [rank for rank in values["failing"] if members[rank] not in removed]
        failing.extend([starts[-1] + rank for rank in failed])
        tried = {members[rank] for rank in failed}
    if any(b < a for a, b in pairwise(ends)):
        refuse("rounds.paces", "attempts must end in their order")
        return None
    void = [attempt for attempt, place in enumerate(places) if place in removed]
    everybody = len(rounds) == 1 and len(places) == count
    return Plan(ends, range(count) if everybody else places, failing, void, tuple(starts), paces)


def _wrong(
    values: Values, members: Sequence[int], count: int, tried: set[int], removed: frozenset[int]
) -> tuple[str, str] | None:
    """What is wrong with a round, and where, if something is. `tried` are the jobs that it has to try."""
    paces, failing = values["paces"], values["failing"]
    if sum(pace["jobs"] for pace in paces) != len(members):
        return "rounds.paces", f"are for other than {len(members)} jobs"
    for name, places, limit in (("members", members, count), ("failing", failing, len(members))):
        if any(b <= a for a, b in pairwise(places)) or (places and places[-1] >= limit):
            return f"rounds.{name}", f"must go up, and stay below {limit}"
    if {*members} - removed != tried:
        return "rounds.members", "must be all jobs, then those that failed in the round before"
    if any(None in pace["bases"] or pace["bases"] != sorted(pace["bases"]) for pace in paces):
        return "rounds.paces", "bases must go up, and be instants"
    return None
