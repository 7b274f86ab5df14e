"""The embedding queue as JSON values and back: its plans as they are, so that they go on as they would have.

Nothing is planned again: what a batch was planned with may have changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from immutables import Map

from mockserver.sandbox import embedding
from mockserver.sandbox.line import Line
from mockserver.sandbox.ordered import EMPTY, Key, Ordered
from mockserver.sandbox.pace import Pace, Round
from mockserver.sandbox.plan import LONG_AGO, Batch, Counts
from mockserver.sandbox.policy import Policy
from mockserver.sandbox.queue import Decided, Queue

Values = Mapping[str, Any]
"""A JSON object."""
Refuse = Callable[[str, str], None]
"""Told where something is wrong, and what."""
KeyOf = Callable[[str], Key | None]
"""A message's key in its thread, whether it was deleted or not."""


def written(mark: embedding.Mark) -> Values:
    """All queues, space by space."""
    spaces = {name: _queue(mark.queues[name]) for name in sorted(mark.queues)}
    changed = None if mark.policy is None else policy_written(mark.policy)
    return {"next_job": mark.next_job, "changed_policy": changed, "spaces": spaces}


def policy_written(policy: Policy) -> Values:
    """How the queue goes, without the seed; the messages that are to fail by their keys."""
    values = {name: value for name, value in policy._asdict().items() if name != "seed"}
    return {
        **values,
        "failing_turns": list(policy.failing_turns),
        "failing_keys": _listed(policy.failing_keys),
    }


def policy_read(values: Values, seed: int) -> Policy:
    """The policy again."""
    keys = tuple(map(tuple, values["failing_keys"]))
    return Policy(
        **{**values, "seed": seed, "failing_turns": tuple(values["failing_turns"]), "failing_keys": keys}
    )


def _listed(keys: Iterable[Key]) -> list[list[Any]]:
    return [list(key) for key in keys]


def _queue(queue: Queue) -> Values:
    return {
        "free": list(queue.line.free),
        "next_batch": queue.next_batch,
        "batches": [_batch(batch) for batch in queue.line],
        "decided": [
            {**one._asdict(), "order": list(one.order), "message_id": message_id}
            for message_id, one in sorted(queue.decided.items(), key=lambda item: item[1].number)
        ],
    }


def _batch(batch: Batch) -> Values:
    return {
        "number": batch.number,
        "thread_id": batch.thread_id,
        "first_job": batch.first_job,
        "arrived": _instant(batch.arrived),
        "messages": [key[-1] for key in batch.keys],
        "removed": [[place, batch.removed[place]] for place in sorted(batch.removed)],
        "gone": batch.gone._asdict(),
        "rounds": [_round(round_) for round_ in batch.rounds],
    }


def _round(round_: Round) -> Values:
    """`members` is null where they are all of the batch, in its order: mostly."""
    everybody = isinstance(round_.members, range)
    return {
        "members": None if everybody else list(round_.members),
        "paces": [
            {**pace._asdict(), "bases": [_instant(base) for base in pace.bases]} for pace in round_.paces
        ],
        "failing": list(round_.failing),
    }


def _instant(value: int) -> int | None:
    return None if value == LONG_AGO else value


def read(
    values: Values, seed: int, key_of: KeyOf, listed: Callable[[str], Ordered], refuse: Refuse
) -> embedding.Mark:
    """The queues again. `listed` is a thread's messages, to share where a batch has just these."""
    queues: dict[str, Queue] = {}
    for space_id, queue in values["spaces"].items():
        at = f"queue.spaces.{space_id}.batches"
        batches = [
            _batch_of(entry, key_of, listed, partial(_refuse_below, refuse, f"{at}.{number}"))
            for number, entry in enumerate(queue["batches"])
        ]
        numbers = [batch.number for batch in batches]
        if numbers != sorted(set(numbers)) or (numbers and numbers[-1] >= queue["next_batch"]):
            refuse(at, "numbers must go up, and stay below next_batch")
            continue
        threads: dict[str, Ordered] = {}
        for batch in batches:
            threads[batch.thread_id] = threads.get(batch.thread_id, EMPTY).with_key((batch.number,))
        queues[space_id] = Queue(
            line=Line.of(batches, tuple(queue["free"])),
            next_batch=queue["next_batch"],
            threads=Map(threads),
            later=Map(_later(batches)),
            decided=Map(
                _decided(queue["decided"], key_of, partial(_refuse_below, refuse, f"queue.spaces.{space_id}"))
            ),
        )
    changed = values["changed_policy"]
    policy = None if changed is None else policy_read(changed, seed)
    return embedding.Mark(Map(queues), values["next_job"], policy)


def _decided(entries: Iterable[Values], key_of: KeyOf, refuse: Refuse) -> Iterator[tuple[str, Decided]]:
    for number, entry in enumerate(entries):
        message_id, order = entry["message_id"], tuple(entry["order"])
        if key_of(message_id) != (*order, message_id):
            refuse(f"decided.{number}", f"message {message_id!r} is not in this state, or at another place")
        values = {name: value for name, value in entry.items() if name != "message_id"}
        yield message_id, Decided(**{**values, "order": order})


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
    keys: list[Key] = []
    for message_id in values["messages"]:
        key = key_of(message_id)
        if key is None:
            refuse("messages", f"message {message_id!r} is not in this state")
        else:
            keys.append(key)
    ordered = _shared(keys, listed(values["thread_id"]))
    count = len(values["messages"])
    if len(ordered) == len(keys) == count and [key[-1] for key in ordered] != values["messages"]:
        refuse("messages", "are not in the order of their sequence numbers")
    if len(set(values["messages"])) < count:
        refuse("messages", "one of them is here twice")
    removed = dict(map(tuple, values["removed"]))
    if any(place >= count for place in removed):
        refuse("removed", f"there are only {count} places")
    rounds = tuple(_round_of(entry, count, refuse) for entry in values["rounds"])
    arrived = LONG_AGO if values["arrived"] is None else values["arrived"]
    counts = Counts(**values["gone"])
    return Batch(
        values["number"],
        values["thread_id"],
        ordered,
        values["first_job"],
        arrived,
        Map(removed),
        counts,
        rounds,
    )


def _shared(keys: Sequence[Key], whole: Ordered) -> Ordered:
    """The keys as a sequence: the thread's own one if it has just these."""
    if len(keys) == len(whole) and all(map(tuple.__eq__, keys, whole)):
        return whole
    return Ordered(keys)


def _round_of(values: Values, count: int, refuse: Refuse) -> Round:
    members: Sequence[int] = range(count) if values["members"] is None else values["members"]
    paces = tuple(
        Pace(
            entry["jobs"],
            tuple(LONG_AGO if base is None else base for base in entry["bases"]),
            entry["duration"],
        )
        for entry in values["paces"]
    )
    if sum(pace.jobs for pace in paces) != len(members):
        refuse("rounds.paces", f"are for other than {len(members)} jobs")
    for name, places, limit in (("members", members, count), ("failing", values["failing"], len(members))):
        if any(b <= a for a, b in pairwise(places)) or (places and places[-1] >= limit):
            refuse(f"rounds.{name}", f"must go up, and stay below {limit}")
    if any(list(pace.bases) != sorted(pace.bases) for pace in paces):
        refuse("rounds.paces", "bases must go up")
    return Round(members, paces, values["failing"])
