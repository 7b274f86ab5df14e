"""One sequence of calls in lock step: taken by model and target, compared after each, read back at its end."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from contracts.checks.errors import Unanswered
from contracts.checks.spec import DocumentedOperation, document
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.role_client import FORM_HEADERS, file_form
from contracts.lockstep.api import COUNTS_ALL, LISTS, PREFIXES, READS, SHARED, kind_of, waits_for_queue
from contracts.lockstep.compare import Comparer, Difference, content
from contracts.lockstep.names import Names
from contracts.lockstep.sides import Model, Step, Target, key_of, labels_at_start

MAX_PAGES = 30
"""Pages of a walk."""
NOTHING = "~"
"""Mark in a label of an id that nothing has."""
READ_BACK = 60
"""Most reads after a sequence on a deployment."""
PATIENCE = 4
"""Times that a deployment's answer is read again if the queue or a lagging list may explain a difference."""


OPERATIONS = {operation.id: operation for operation in document().operations.values()}


@dataclass(eq=False)
class Found(Exception):
    """Model and target differ."""

    differences: list[Difference]
    steps: list[Step]
    """Steps taken, ending with the one whose answers differ."""
    model: ClientResponse
    target: ClientResponse
    chain: list[ClientResponse]
    """Answers of the target to all steps."""

    @property
    def step(self) -> Step:
        """Step whose answers differ."""
        return self.steps[-1]


class OutOfStep(Exception):
    """A known difference left the two in different states: the sequence ends."""


@dataclass
class Lockstep:
    """Model and target, and the differences that are known already."""

    model: Model
    target: Target
    owns: Callable[[str], bool] = lambda _: True
    """Whether a write to the target may name the id."""
    allow: Callable[[str], object] = lambda _: None
    """Lets writes name an id that nothing has."""
    known: set[tuple[str, ...]] = field(default_factory=set)
    names: Names = field(default_factory=Names)
    steps_taken: int = 0
    _count: int = 0

    def play(self, steps: Iterable[Step], *, read_back: bool = True) -> None:
        """Take the steps on fresh resources; Found at the first difference that is not known."""
        self._count += 1
        self.names = Names()
        self.chain: list[ClientResponse] = []
        self._unsettled = False
        name = f"lockstep-{self._count}"
        values = self.target.begin(name)
        self.model.begin(name, self.target.start)
        for label, (left, right) in labels_at_start(values).items():
            self.names.add(label, left, right)
        start = self.target.start.timestamp()
        slack = 0.0 if self.target.is_mock else 2.0
        self.comparer = Comparer(self.names, (start, start), slack, kind_of)
        done: list[Step] = []
        try:
            for step in steps:
                self._take(step, done)
            for step in self._reads(len(done)) if read_back else ():
                self._take(step, done)
        except OutOfStep:
            pass
        finally:
            self.target.end()
            self.model.end()

    def _take(self, step: Step, done: list[Step]) -> None:
        done.append(step)
        self.steps_taken += 1
        self.names.fresh = []
        found, model, target = self._compared(step)
        new = [each for each in found if signature(step, each) not in self.known]
        if new:
            raise Found(new, [*done], model, target, self.chain)
        if found and model.status != target.status and min(model.status, target.status) < 300:
            raise OutOfStep

    def _compared(self, step: Step) -> tuple[list[Difference], ClientResponse, ClientResponse]:
        """Differences of the answers to a step, with all pages of a walk."""
        extra: tuple[dict[str, str], dict[str, str]] = {}, {}
        for page in range(MAX_PAGES):
            found, model, target = self._once(step, extra, f"{step['uid']}p{page}" if page else step["uid"])
            if found or not step.get("walk"):
                break
            extra = following(model), following(target)
            if "between" in step and not page:
                self._once(step["between"], ({}, {}), step["between"]["uid"])
            if not extra[0] or not extra[1]:
                break
        step["_statuses"] = (model.status, target.status)
        return found, model, target

    def _once(
        self, step: Step, extra: tuple[dict[str, str], dict[str, str]], uid: str
    ) -> tuple[list[Difference], ClientResponse, ClientResponse]:
        operation = OPERATIONS[step["op"]]
        requests = [self._request(step, operation, side, extra[side]) for side in (0, 1)]
        role = step["role"]
        settle = waits_for_queue(step["op"]) and self._unsettled
        self._unsettled = operation.writes or (self._unsettled and not settle)
        seconds = self.target.wait(step.get("tick", 0.0), settle=settle)
        self.model.ask(requests[0], role, seconds, settle=settle)
        target = self._sent(requests[1], role)
        model = self.model.answer()
        found = self._differences(step, model, target, uid)
        for _ in range(
            PATIENCE if found and not self.target.is_mock and target.request.method == "GET" else 0
        ):
            seconds = self.target.wait(0.0, settle=True)
            self.model.ask(requests[0], role, seconds, settle=settle)
            again, model = self._sent(requests[1], role), self.model.answer()
            found = [each for each in self._differences(step, model, again, uid) if each in found]
            target = again
            if not found:
                break
        return found, model, target

    def _sent(self, request: ClientRequest, role: str | None) -> ClientResponse:
        answer = self.target.send(request, role)
        self.chain.append(answer)
        return answer

    def _differences(
        self, step: Step, model: ClientResponse, target: ClientResponse, uid: str
    ) -> list[Difference]:
        name = step["op"]
        if not self.target.is_mock and model.status == target.status == 200:
            if name == COUNTS_ALL:
                return []
            if name in SHARED:
                lists = [self._own(side, answer, SHARED[name]) for side, answer in enumerate((model, target))]
                return self.comparer.bodies(*lists, name, uid)
        return self.comparer.answers(model, target, name, uid)

    def _own(self, side: int, answer: ClientResponse, field_name: str) -> Any:
        """Items of a list that the sequence made."""
        items = answer.fields.get(field_name)
        if not isinstance(items, list):
            return content(answer)
        known = [item for item in items if isinstance(item, dict) and self.names.label(side, item.get("id"))]
        return {field_name: known}

    def _request(
        self, step: Step, operation: DocumentedOperation, side: int, extra: dict[str, str]
    ) -> ClientRequest:
        """Request of a step to a side, with its ids there."""
        path = step.get("raw", operation.path)
        for name, value in self._rendered(step.get("path", {}), side).items():
            path = path.replace("{" + name + "}", quote(str(value), safe=""))
        query = {**self._rendered(step.get("query", {}), side), **extra}
        pairs = [
            (name, str(each).lower() if isinstance(each, bool) else each)
            for name, value in query.items()
            for each in (value if isinstance(value, list) else [value])
            if each is not None
        ]
        body, headers = self._rendered(step.get("body"), side), {**step.get("headers", {})}
        if "form" in step:
            body, headers = file_form(*step["form"]), {**FORM_HEADERS}
        key = key_of(step["role"])
        if step.get("as") and self.target.is_mock:
            headers["Authorization"] = f"Bearer {key_of(step['as'])}"
        role = None if key is None or step["role"] == "wrong" else step["role"]
        method = step.get("method", operation.method.upper())
        return ClientRequest(method, path + ("?" + urlencode(pairs) if pairs else ""), role, body, headers)

    def _rendered(self, value: Any, side: int) -> Any:
        if isinstance(value, dict):
            if "$" in value:
                return self._value(value["$"], value.get("+", ""), side)
            return {name: self._rendered(inner, side) for name, inner in value.items()}
        return [self._rendered(inner, side) for inner in value] if isinstance(value, list) else value

    def _value(self, label: str, more: str, side: int) -> str:
        """Id of a label on a side; of one that was never created, an id that nothing has."""
        values = self.names.values
        if label not in values:
            kind = label.partition(":")[0]
            id_ = f"{PREFIXES.get(kind, kind)}_contracts{zlib.crc32(label.encode()):08x}"
            self.names.add(f"{label}{NOTHING}", id_, id_)
            values[label] = id_, id_
            self.allow(id_)
        if more and f"{label}{NOTHING}{more}" not in values:
            self.names.add(f"{label}{NOTHING}{more}", *(each + more for each in values[label]))
            self.allow(values[label][1] + more)
        return values[f"{label}{NOTHING}{more}" if more else label][side]

    def _reads(self, seed: int) -> Iterator[Step]:
        """Reads of everything by several callers."""
        pick = random.Random(seed)
        things: dict[str, list[str]] = {}
        for label in self.names.values:
            things.setdefault(label.partition(":")[0], []).append(label)
        callers = self.target.callers
        found = []
        for kind, operations in READS.items():
            for label in things.get(kind, ())[-6:]:
                for role in {callers[0], *pick.sample(callers, min(2, len(callers)))}:
                    found += [reading(name, role, label, kind) for name in operations]
        found += [reading(name, role) for name in LISTS for role in callers]
        if not self.target.is_mock:
            found = pick.sample(found, min(READ_BACK, len(found)))
        for number, step in enumerate(sorted(found, key=lambda each: json.dumps(each, sort_keys=True))):
            yield {**step, "uid": f"r{number}"}


def reading(operation: str, role: str, label: str = "", kind: str = "") -> Step:
    """Step that reads a thing, or a list."""
    found = OPERATIONS[operation]
    step: Step = {"op": operation, "role": role, "path": {}, "query": {}}
    names = [p["name"] for p in document().parameters(found) if p["in"] == "path" or p.get("required")]
    for name in names:
        place = "path" if "{" + name + "}" in found.path else "query"
        step[place][name] = {"$": "org:own" if name == "organization_id" else label}
    query = {p["name"] for p in document().parameters(found) if p["in"] == "query"}
    step["query"] |= {name: value for name, value in READ_ALL.items() if name in query}
    step["walk"] = operation.startswith("list")
    return step


READ_ALL = {"limit": 100, "take": 100, "page_size": 100, "include_deleted": True, "include_total": True}
"""Parameters with which a list is read back."""


def following(answer: ClientResponse) -> dict[str, str]:
    """Parameter that asks for the next page; empty at the end."""
    body = answer.fields
    if isinstance(body.get("next_cursor"), str):
        return {"cursor": body["next_cursor"]}
    if body.get("has_more") and isinstance(body.get("last_id"), str):
        return {"after": body["last_id"]}
    if body.get("has_more") and isinstance(body.get("page"), int):
        return {"page": str(body["page"] + 1)}
    return {}


def signature(step: Step, difference: Difference) -> tuple[str, ...]:
    """Identity of a difference across sequences."""
    values = (difference.left, difference.right) if difference.kind == "status" else ()
    return (step["op"], difference.kind, difference.pointer, *map(str, values))


def shortest(
    steps: Sequence[Step],
    fewest: Callable[..., tuple[Step, ...]],
    happens: Callable[[tuple[Step, ...]], bool],
) -> tuple[Step, ...]:
    """Fewest steps before the last one with which the difference remains."""
    before, last = tuple(steps[:-1]), steps[-1]
    return (*fewest(before, lambda some: happens((*some, last))), last)


def unanswered(error: Exception) -> bool:
    """Whether a replay says nothing about a difference."""
    return isinstance(error, Unanswered)
