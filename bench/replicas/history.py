"""Operations of clients on registers, as they were seen from outside."""

from __future__ import annotations

import itertools
import math
import threading
from collections import defaultdict
from dataclasses import dataclass, replace

INITIAL = "initial"
"""Value of every register before its first write."""
LOST = math.inf
"""End of an operation whose answer was lost."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A read or a write of a register: when it was sent, and when it was answered."""

    register: str
    kind: str
    """read or write"""
    value: str
    """Read or written; each value is written once."""
    begin: float
    """Seconds of one clock."""
    end: float


class History:
    """Operations of many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: dict[str, list[Operation]] = defaultdict(list)
        self._numbers = itertools.count()
        self.answers = 0
        """Number of operations that were answered."""

    def new_value(self) -> str:
        """A value that nobody wrote before."""
        return f"v-{next(self._numbers):07d}-"

    def add(self, operation: Operation) -> None:
        """Record an operation."""
        with self._lock:
            self._operations[operation.register].append(operation)
            self.answers += operation.end != LOST

    def registers(self) -> dict[str, list[Operation]]:
        """Operations by register, in the order of their beginning.

        A write whose answer was lost may have been carried out at any time since, or never. If nobody read
        its value, it is left out: the others have an order exactly if all have one. If somebody did, it was
        carried out before the end of the first such read.
        """
        with self._lock:
            operations = {name: list(each) for name, each in self._operations.items()}
        return {name: _bounded(each) for name, each in operations.items()}


def _bounded(operations: list[Operation]) -> list[Operation]:
    first: dict[str, float] = {}
    for each in operations:
        if each.kind == "read":
            first[each.value] = min(each.end, first.get(each.value, LOST))
    known = [
        each if each.end != LOST else replace(each, end=max(first[each.value], each.begin))
        for each in operations
        if each.end != LOST or each.value in first
    ]
    return sorted(known, key=lambda each: each.begin)
