"""Whether the operations on a register have an order that explains every answer.

Two judges, which share nothing: one trusts the positions of writes in a log, the other searches for an order.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence

from bench.replicas.history import INITIAL, Operation

WINDOW = 12
"""Operations of a short history, at least."""
MOST_STATES = 500_000
"""States of one search, after which it gives up."""


def by_positions(operations: Sequence[Operation], positions: Mapping[str, int]) -> Iterator[str]:
    """Violations by the positions of written values in the log.

    Every value that was written or read has a position, and what begins after the end of another operation
    has no lower one.
    """
    placed: list[tuple[Operation, int]] = []
    for each in operations:
        if each.value == INITIAL:
            placed.append((each, -1))
        elif each.value in positions:
            placed.append((each, positions[each.value]))
        else:
            yield f"not in the log: {each}"
    begun = {each.value: each.begin for each in operations if each.kind == "write"}
    ended = sorted(placed, key=lambda pair: pair[0].end)
    ends, highest = [each.end for each, _ in ended], list[tuple[Operation, int]]()
    for pair in ended:
        highest.append(max([*highest[-1:], pair], key=lambda known: known[1]))
    for each, position in placed:
        before = bisect.bisect_left(ends, each.begin)
        if before and highest[before - 1][1] >= position + (each.kind == "read"):
            yield f"older than what was known before: {each} after {highest[before - 1][0]}"
        if each.value != INITIAL and begun.get(each.value, each.end + 1) > each.end:
            yield f"read before it was written: {each}"


def by_search(operations: Sequence[Operation]) -> Iterator[str]:
    """Violations found by a search, in short histories: the first of a register ends it."""
    values = frozenset({INITIAL})
    for history in _windows(operations):
        found = last_values(history, values)
        if not found:
            yield f"no order of these, from {sorted(values)}: {'; '.join(map(str, history))}"
            return
        values = found


def _windows(operations: Sequence[Operation]) -> Iterator[Sequence[Operation]]:
    """Short histories: cut where no operation is under way."""
    start, latest = 0, 0.0
    for number, each in enumerate(operations):
        if number - start >= WINDOW and each.begin > latest:
            yield operations[start:number]
            start = number
        latest = max(latest, each.end)
    if operations[start:]:
        yield operations[start:]


def last_values(operations: Sequence[Operation], values: frozenset[str]) -> frozenset[str]:
    """Values that can be there at the end of a history that begins with one of these; empty without an order.

    Wing and Gong's search, which remembers the sets of operations that it has seen carried out. TimeoutError
    after MOST_STATES.
    """
    every = (1 << len(operations)) - 1
    waiting = [(0, value) for value in values]
    seen = set(waiting)
    while waiting:
        done, value = waiting.pop()
        left = [(number, each) for number, each in enumerate(operations) if not done >> number & 1]
        first_end = min((each.end for _, each in left), default=0.0)
        for number, each in left:
            state = (done | 1 << number, each.value)
            if (
                each.begin <= first_end
                and (each.kind == "write" or each.value == value)
                and state not in seen
            ):
                seen.add(state)
                waiting.append(state)
        if len(seen) > MOST_STATES:
            raise TimeoutError(f"{len(operations)} operations have more than {MOST_STATES} states")
    return frozenset(value for done, value in seen if done == every)
