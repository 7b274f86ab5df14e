"""JSON form of the embedding queue.

It contains every attempt, past and planned, so that an imported queue continues as it would have.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import compress, count, pairwise
from operator import le, lt
from typing import Any

from immutables import Map

from mockserver.embeddings.batch import LONG_AGO, Attempts, Batch
from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import QueuesVersion
from mockserver.embeddings.space_queue import SpaceQueue
from mockserver.store.sorted_keys import Key, SortedKeys

Values = Mapping[str, Any]
"""A JSON object."""
Refuse = Callable[[str, str], None]
"""Called with the address and the text of an error."""
KeyOf = Callable[[str], Key | None]
"""Returns a message's key in its thread, also for a deleted message."""


def queues_json(version: QueuesVersion) -> Values:
    """JSON form of all queues, by space."""
    queues = {name: version.queues[name].planned for name in sorted(version.queues)}
    return {
        "next_job": version.next_job,
        "changed_policy": version.policy and version.policy.as_json(),
        "spaces": {
            name: {
                "busy": list(queue.busy),
                "next_batch": queue.next_batch,
                "batches": [_batch_json(batch) for batch in queue.of()],
            }
            for name, queue in queues.items()
        },
    }


def _batch_json(batch: Batch) -> Values:
    values = {
        "number": batch.number,
        "thread_id": batch.thread_id,
        "first_job": batch.first_job,
        "arrived": None if batch.arrived == LONG_AGO else batch.arrived,
        "messages": [key[-1] for key in batch.keys],
        "removed": sorted(batch.removed),
    }
    if not batch.fixed:
        return {**values, "retries": batch.attempts.retries, "rounds": [*_rounds_json(batch.attempts)]}
    if batch.attempts.places:
        state = "failed" if batch.attempts.fails[0] else "completed"
        values["ended"] = {"state": state, "attempts": batch.fixed, "at": batch.attempts.ends[0]}
    return values


def _rounds_json(attempts: Attempts) -> Iterator[Values]:
    for first, last in pairwise((*attempts.rounds, len(attempts.places))):
        places, starts, ends = ([*each[first:last]] for each in attempts[:3])
        failing = [*compress(count(), attempts.fails[first:last])]
        yield {"places": places, "starts": starts, "ends": ends, "failing": failing}


def read(
    values: Values, policy: Policy, key_of: KeyOf, listed: Callable[[str], SortedKeys], refuse: Refuse
) -> QueuesVersion:
    """Queues from their JSON form. `listed`: a thread's messages, shared where a batch has exactly these.

    `policy`: the one that the sandbox was created with.
    """
    changed = values["changed_policy"] and Policy.from_json(values["changed_policy"], policy.seed)
    queues: dict[str, SpaceQueue] = {}
    for space_id, queue in values["spaces"].items():
        at = f"queue.spaces.{space_id}.batches"
        batches = [
            _batch(each, key_of, listed, partial(_refuse_below, refuse, f"{at}.{place}"))
            for place, each in enumerate(queue["batches"])
        ]
        numbers = [*(batch.number for batch in batches), queue["next_batch"]]
        if not all(map(lt, numbers, numbers[1:])):
            refuse(at, "numbers must go up, and stay below next_batch")
            continue
        queues[space_id] = SpaceQueue(
            policy=changed or policy,
            batches=SortedKeys((batch.number, batch) for batch in batches),
            by_thread=SortedKeys(batch.entry for batch in batches),
            next_batch=queue["next_batch"],
            busy=tuple(queue["busy"]),
        )
    return QueuesVersion(Map(queues), values["next_job"], changed)


def _refuse_below(refuse: Refuse, at: str, where: str, why: str) -> None:
    refuse(f"{at}.{where}", why)


def _batch(values: Values, key_of: KeyOf, listed: Callable[[str], SortedKeys], refuse: Refuse) -> Batch:
    keys, removed = _keys(values, key_of, listed, refuse), frozenset(values["removed"])
    if any(place >= len(values["messages"]) for place in removed):
        refuse("removed", f"there are only {len(values['messages'])} places")
    arrived = LONG_AGO if values["arrived"] is None else values["arrived"]
    batch = Batch(values["thread_id"], keys, values["first_job"], arrived, values["number"], removed)
    if ended := values.get("ended"):
        if len(keys) != 1 or removed:
            refuse("ended", "is for one message, which was not removed")
        return batch.with_end(ended["state"], ended["attempts"], ended["at"])
    if "rounds" not in values:
        return batch._replace(fixed=1)
    return batch._replace(attempts=_attempts(values, len(keys), refuse))


def _attempts(values: Values, size: int, refuse: Refuse) -> Attempts:
    """Attempts of all rounds of a batch of this size."""
    places, starts, ends, fails, firsts = array("q"), array("q"), array("q"), bytearray(), list[int]()
    waiting = {*range(size)}
    for number, each in enumerate(values["rounds"]):
        if not _is_possible(each, waiting, max(ends[-1:], default=LONG_AGO)):
            refuse(f"rounds.{number}", "does not follow from the round before, or is not in order")
            break
        firsts.append(len(places))
        places.extend(each["places"])
        starts.extend(each["starts"])
        ends.extend(each["ends"])
        failing = {*each["failing"]}
        fails.extend(rank in failing for rank in range(len(each["starts"])))
        waiting = {each["places"][rank] for rank in failing} if len(starts) == len(places) else set()
    return Attempts(places, starts, ends, bytes(fails), tuple(firsts), values["retries"])


def _keys(values: Values, key_of: KeyOf, listed: Callable[[str], SortedKeys], refuse: Refuse) -> SortedKeys:
    """Keys of a batch's messages, sharing the thread's own sequence if it is equal."""
    ids = values["messages"]
    found = [key_of(message_id) for message_id in ids]
    for message_id, key in zip(ids, found, strict=True):
        if key is None:
            refuse("messages", f"message {message_id!r} is not in this state")
    keys, whole = SortedKeys(filter(None, found)), listed(values["thread_id"])
    if len(set(ids)) < len(ids):
        refuse("messages", "one of them is here twice")
    elif len(keys) == len(ids) and [key[-1] for key in keys] != ids:
        refuse("messages", "are not in the order of their sequence numbers")
    return whole if len(keys) == len(whole) and all(map(tuple.__eq__, keys, whole)) else keys


def _is_possible(each: Values, waiting: set[int], floor: int) -> bool:
    """Whether a round can try these jobs from `floor` on: each list ascends, and the lengths agree."""
    places, starts, ends, failing = (each[name] for name in ("places", "starts", "ends", "failing"))
    return (
        len(places) > 0
        and places == sorted(waiting.intersection(places))
        and len(starts) == len(ends) <= len(places)
        and all(map(le, [floor, *starts], starts))
        and all(map(le, ends, ends[1:]))
        and all(map(le, starts, ends))
        and all(map(lt, failing, [*failing[1:], len(starts)]))
    )
