"""Reads after a sequence: the state behind the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Any

from contracts.checks.spec import DocumentedOperation, OpenApiDocument
from contracts.lockstep.api import LISTS, READS, Step

READ_ALL = {"limit": 100, "take": 100, "page_size": 100, "include_deleted": True, "include_total": True}
"""Parameters with which a list is read back."""
LATEST = 6
"""Things of a kind that are read back."""


class Reads:
    """Makes the reads of one target's operations."""

    def __init__(self, contract: OpenApiDocument, operations: Mapping[str, DocumentedOperation]) -> None:
        self._contract, self._operations = contract, operations

    def of(self, labels: Iterable[str], callers: Sequence[str], pick: Random) -> list[Step]:
        """Reads of everything that has a label by the first caller and another, and of the lists by three."""
        things: dict[str, list[str]] = {}
        for label in labels:
            things.setdefault(label.partition(":")[0], []).append(label)

        def some(count: int) -> list[str]:
            return sorted({callers[0], *pick.sample(callers, min(count, len(callers)))})

        found = [
            self.read(name, role, label)
            for kind, names in READS.items()
            for label in things.get(kind, ())[-LATEST:]
            for name in names
            for role in some(1)
        ]
        lists = [each for found in LISTS.values() for each in found]
        found += [self.read(name, role, "", query) for name, query in lists for role in some(2)]
        return [{**step, "uid": f"r{number}"} for number, step in enumerate(found)]

    def read(self, name: str, role: str, label: str, query: Mapping[str, Any] = MappingProxyType({})) -> Step:
        """One read by a caller of the thing with this label."""
        operation = self._operations[name]
        parameters = self._contract.parameters(operation)
        step: Step = {"op": name, "role": role, "path": {}, "query": {}, "walk": name.startswith("list")}
        for needed in [each["name"] for each in parameters if each["in"] == "path" or each.get("required")]:
            place = "path" if "{" + needed + "}" in operation.path else "query"
            step[place][needed] = {"$": _organization(role) if needed == "organization_id" else label}
        optional = {each["name"] for each in parameters if each["in"] == "query"}
        step["query"] |= {option: value for option, value in READ_ALL.items() if option in optional}
        step["query"] |= query
        return step


def _organization(role: str) -> str:
    return "org:other" if role == "foreign" else "org:own"
