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
from mockserver.embeddings.space_queue import SpaceQueue
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
    kept = (batch for _, batch in queue.batches if batch.live or batch.plan is None or batch.plan.paces)
    batches = [_batch(batch) for batch in kept]
    return {"free": list(queue.free), "next_batch": queue.next_batch, "batches": batches}


def _batch(batch: Batch) -> Values:
    plan, count = batch.plan, len(batch.keys)
    rounds = [_round(plan, n, count) for n in range(len(plan.rounds))] if plan and plan.paces else []
    values = {
        "number": batch.number,
        "thread_id": batch.thread_id,
        "first_job": batch.first_job,
        "arrived": None if batch.arrived == LONG_AGO else batch.arrived,
        "messages": [key[-1] for key in batch.keys],
        "removed": sorted(batch.removed),
        "rounds": rounds,
    }
    if plan and not plan.paces:
        state = "failed" if plan.fails(len(plan.ends) - 1) else "completed"
        values["ended"] = {"state": state, "attempts": len(plan.ends), "at": plan.ends[-1]}
    return values


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
        decided = enumerate(queue.get("decided", ()), queue["next_batch"])
        entries = [*queue["batches"], *(_as_batch(entry, number) for number, entry in decided)]
        following = queue["next_batch"] + len(entries) - len(queue["batches"])
        batches = [
            _batch_of(entry, key_of, listed, partial(_refuse_below, refuse, f"{at}.batches.{number}"))
            for number, entry in enumerate(entries)
        ]
        numbers = [batch.number for batch in batches]
        if numbers != sorted(set(numbers)) or (numbers and numbers[-1] >= following):
            refuse(f"{at}.batches", "numbers must go up, and stay below next_batch")
            continue
        queues[space_id] = SpaceQueue(
            batches=Ordered((batch.number, batch) for batch in batches),
            by_thread=Ordered((batch.thread_id, batch.number) for batch in batches),
            next_batch=following,
            free=tuple(queue["free"]),
            later=Map(_later(batches)),
        )
    changed = values["changed_policy"]
    policy = None if changed is None else policy_read(changed, seed)
    return Version(Map(queues), values["next_job"], policy)


def _as_batch(entry: Values, number: int) -> Values:
    """A job that was given an end, as the version before wrote it."""
    names = {"thread_id": "thread_id", "first_job": "number", "arrived": "queued_at"}
    batch = {name: entry[old] for name, old in names.items()}
    return {**batch, "number": number, "messages": [entry["message_id"]], "removed": [], "ended": entry}


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
    batch = Batch(values["number"], values["thread_id"], keys, values["first_job"], LONG_AGO, removed)
    batch = batch if arrived is None else batch._replace(arrived=arrived)
    if ended := values.get("ended"):
        if len(ids) != 1 or removed:
            refuse("ended", "is for one message, which was not removed")
        return batch.given_end(ended["state"], max(ended["attempts"], 1), ended["at"])
    if arrived is None:
        return batch
    return batch._replace(plan=_plan_of(values["rounds"], len(ids), removed, refuse))


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
