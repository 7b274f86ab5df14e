"""JSON form of the embedding queue.

It contains every attempt, past and planned, so that an imported queue continues as it would have.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
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
    places, _, ends, fails, rounds, retries = batch.attempts
    if not batch.given:
        cuts = [slice(*each) for each in pairwise((*rounds, len(places)))]
        return {**values, "retries": retries, "rounds": [_round_json(batch.attempts, cut) for cut in cuts]}
    if places:
        state = "failed" if fails[0] else "completed"
        values["ended"] = {"state": state, "attempts": batch.given, "at": ends[0]}
    return values


def _round_json(attempts: Attempts, cut: slice) -> Values:
    places, starts, ends = ([*each[cut]] for each in attempts[:3])
    failing = [rank for rank, fails in enumerate(attempts.fails[cut]) if fails]
    return {"places": places, "starts": starts, "ends": ends, "failing": failing}


def read(
    values: Values, policy: Policy, key_of: KeyOf, listed: Callable[[str], SortedKeys], refuse: Refuse
) -> QueuesVersion:
    """Queues from their JSON form. `listed`: a thread's messages, shared where a batch has exactly these.

    `policy`: the one that the sandbox was created with.
    """
    changed = values["changed_policy"] and Policy.from_json(values["changed_policy"], policy.seed)
    queues: dict[str, SpaceQueue] = {}
    for space_id, queue in values["spaces"].items():
        at, batches = f"queue.spaces.{space_id}.batches", list[Batch]()
        for place, each in enumerate(queue["batches"]):
            keys = [key_of(message_id) for message_id in each["messages"]]
            errors = [*_errors(each, keys)]
            for where, why in errors:
                refuse(f"{at}.{place}.{where}", why)
            batches += [] if errors else [_batch(each, keys, listed(each["thread_id"]))]
        numbers = [*(batch["number"] for batch in queue["batches"]), queue["next_batch"]]
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


def _errors(values: Values, keys: Sequence[Key | None]) -> Iterator[tuple[str, str]]:
    """Address and text of each error in a batch with these keys, None for a message that is not there."""
    ids, removed = values["messages"], values["removed"]
    for message_id, key in zip(ids, keys, strict=True):
        if key is None:
            yield "messages", f"message {message_id!r} is not in this state"
    if len({*ids}) < len(ids):
        yield "messages", "one of them is here twice"
    elif None not in keys and [*keys] != sorted(filter(None, keys)):
        yield "messages", "are not in the order of their sequence numbers"
    if any(place >= len(ids) for place in removed):
        yield "removed", f"there are only {len(ids)} places"
    if "ended" in values and (len(ids) != 1 or removed):
        yield "ended", "is for one message, which was not removed"
    waiting, floor = {*range(len(ids))}, LONG_AGO
    for number, each in enumerate(values.get("rounds", ())):
        if not _is_possible(each, waiting, floor):
            yield f"rounds.{number}", "does not follow from the round before, or is not in order"
            return
        is_complete, floor = len(each["starts"]) == len(each["places"]), max([floor, *each["ends"][-1:]])
        waiting = {each["places"][rank] for rank in each["failing"] if is_complete}


def _is_possible(each: Values, waiting: set[int], floor: int) -> bool:
    """Whether a round can try these jobs from `floor` on: each list ascends, and the lengths agree."""
    places, starts, ends, failing = (each[name] for name in ("places", "starts", "ends", "failing"))
    return (
        len(places) > 0
        and places == sorted(waiting.intersection(places))
        and len(starts) == len(ends) <= len(places)
        and [floor, *starts] == sorted([floor, *starts])
        and ends == sorted(ends)
        and all(map(le, starts, ends))
        and failing == sorted({*range(len(starts))}.intersection(failing))
    )


def _batch(values: Values, keys: Sequence[Any], whole: SortedKeys) -> Batch:
    """Batch without errors; its keys are the thread's own sequence if they are equal."""
    batch = Batch(
        thread_id=values["thread_id"],
        keys=whole if len(keys) == len(whole) and [*keys] == [*whole] else SortedKeys(keys),
        first_job=values["first_job"],
        arrived=LONG_AGO if values["arrived"] is None else values["arrived"],
        number=values["number"],
        removed=frozenset(values["removed"]),
    )
    if ended := values.get("ended"):
        return batch.with_end(ended["state"], ended["attempts"], ended["at"])
    if "rounds" not in values:
        return batch._replace(given=1)
    places, starts, ends = array("q"), array("q"), array("q")
    fails, firsts = bytearray(), list[int]()
    for each in values["rounds"]:
        firsts.append(len(places))
        places.extend(each["places"])
        starts.extend(each["starts"])
        ends.extend(each["ends"])
        failing = {*each["failing"]}
        fails.extend(rank in failing for rank in range(len(each["starts"])))
    attempts = Attempts(places, starts, ends, bytes(fails), tuple(firsts), values["retries"])
    return batch._replace(attempts=attempts)
