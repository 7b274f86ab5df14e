"""One sequence of calls, taken by model and target, compared after each, and read back at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from comparison.answers import AnswerDifference, Comparer, content
from comparison.names import Names
from contracts.checks.spec import DocumentedOperation, OpenApiDocument
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.lockstep.api import (
    REFUSED,
    SHARED,
    Step,
    is_shared,
    kind_of,
    waits_for_queue,
)
from contracts.lockstep.at_once import SimultaneousCall, both_at_once
from contracts.lockstep.found import Found, OutOfStep, following, is_whole, lasts, signature
from contracts.lockstep.reads import Reads
from contracts.lockstep.rendering import Rendering
from contracts.lockstep.servers import ModelSide, Target
from contracts.lockstep.sides import labels_at_start

MAX_PAGES = 30
"""Pages of a walk."""
READ_BACK = 60
"""Most reads after a sequence on a deployment."""
PATIENCE = 4
"""Times that a deployment's answer is read again if the queue or a lagging list may explain a difference."""


@dataclass
class Lockstep:
    """Model and target, and the differences that are known already."""

    model: ModelSide
    target: Target
    contract: OpenApiDocument
    operations: Mapping[str, DocumentedOperation]
    """Operations by id."""
    may_ask: bool = True
    """Whether the model may be asked."""
    may_send: Callable[[str], bool] = lambda _: True
    """Whether an operation may be sent to a deployment; it uses up a question if it is one."""
    permits: Callable[[ClientRequest], bool] = lambda _: True
    """Whether a request may be sent to a deployment."""
    allow: Callable[[str], object] = lambda _: None
    """Lets writes name an id that nothing has."""
    requires_organization: Callable[[str, str], bool] = lambda *_: False
    """Whether a request, by method and path, has to name the organization in its query."""
    known: set[tuple[str, ...]] = field(default_factory=set)
    unsteady: dict[str, set[str]] = field(default_factory=dict)
    """Operation -> places whose values the target changes between equal reads; they are not compared."""
    names: Names = field(default_factory=Names)
    steps_taken: int = 0
    _count: int = 0

    def play(self, steps: Iterable[Step], *, read_back: bool = True) -> Step | None:
        """Take the steps on fresh resources; Found at the first difference that is not known.

        Returns the step whose known difference ended it.
        """
        self._count += 1
        self.names = Names()
        self.chain: list[ClientResponse] = []
        self._unsettled = False
        self._rendering = Rendering(self.names, self.allow, self.requires_organization)
        name = f"lockstep-{self._count}"
        values = self.target.begin(name)
        self.model.begin(name, self.target.model_start)
        for label, (left, right) in labels_at_start(values).items():
            self.names.add(label, left, right)
        starts = self.target.model_start.timestamp(), self.target.start.timestamp()
        slack = 0.0 if self.target.is_mock else 2.0
        self.comparer = Comparer(self.names, starts, slack, kind_of)
        self._elapsed = 0.0
        self._note_time("time:start")
        self._note_time("time:before")
        done: list[Step] = []
        try:
            for step in steps:
                self._take(step, done)
            for step in self._reads(len(done)) if read_back else ():
                self._take(step, done)
        except OutOfStep:
            return done[-1]
        finally:
            self.target.end()
            self.model.end()
        return None

    def _take(self, step: Step, done: list[Step]) -> None:
        self.names.fresh = []
        step["_statuses"] = (0, 0)
        if self._skipped(step):
            return
        done.append(step)
        self.steps_taken += 1
        if self.operations[step["op"]].writes:
            self._note_time("time:before")
        found, model, target = self._compared(step)
        new = [each for each in found if signature(step, each) not in self.known]
        if new:
            is_drained = self.target.is_mock and not step.get("unsettled")
            raise Found(new, [*done], model, target, self.chain, is_drained)
        for label in self.names.fresh:
            if label.startswith("message:"):
                self.allow(self.names.values[label][1])
        if found and model.status != target.status and min(model.status, target.status) < 300:
            raise OutOfStep

    def _note_time(self, label: str) -> None:
        """Keep the time of each side."""
        now = [datetime.fromtimestamp(int(start + self._elapsed), UTC) for start in self.comparer.starts]
        model, target = (f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in now)
        self.names.values[label] = model, target

    def _skipped(self, step: Step) -> bool:
        """Whether a step can't be taken: there is no such caller, or it is not allowed on this target."""
        operation = self.operations.get(step["op"])
        refused = REFUSED if self.target.is_mock else ("wrong",)
        if operation is None or step["role"] not in (None, *refused, *self.target.callers):
            return True
        if self.target.is_mock:
            return False
        if {"as", "reply"} & {*step} or "Authorization" in step.get("headers", ()):
            return True  # these have keys and answers of a mock
        if step.get("method") == "DELETE" or not self.may_send(step["op"]):
            return True
        if step["op"] == "createResponse" and not (step["body"] or {}).get("thread_id"):
            return True  # nothing would record the thread that it creates
        return not self.permits(self._rendering.request(step, operation, 1, {}))

    def _compared(self, step: Step) -> tuple[list[AnswerDifference], ClientResponse, ClientResponse]:
        """Differences of the answers to a step, with all pages of a walk."""
        if "beside" in step and not self._skipped(step["beside"]):
            return self._at_once(step)
        extra: tuple[dict[str, str], dict[str, str]] = {}, {}
        for page in range(MAX_PAGES):
            found, model, target = self._once(step, extra, f"{step['uid']}p{page}" if page else step["uid"])
            if found or not step.get("walk"):
                break
            extra = following(model), following(target)
            if step["walk"] == "growing" and isinstance(limit := step["query"].get("limit"), int):
                more = {"limit": str(min(limit + page + 1, 100))}
                extra = {**extra[0], **more}, {**extra[1], **more}
            if "between" in step and not page and not self._skipped(step["between"]):
                found = self._once(step["between"], ({}, {}), step["between"]["uid"])[0]
            if found or not following(model) or not following(target):
                break
        step["_statuses"] = (model.status, target.status)
        return found, model, target

    def _at_once(self, step: Step) -> tuple[list[AnswerDifference], ClientResponse, ClientResponse]:
        """Differences of two calls that are sent at the same time."""
        requests = self._rendering.request
        calls = [
            SimultaneousCall(each, [requests(each, self.operations[each["op"]], side, {}) for side in (0, 1)])
            for each in (step, step["beside"])
        ]
        seconds = self.target.wait(step.get("tick", 0.0), settle=not self.target.is_mock)
        self._elapsed += seconds
        sides = self.model, self.target
        found, at, ours, theirs = both_at_once(calls, seconds, *sides, self.names, self._differences)
        self.chain += theirs
        self._unsettled = True
        step["_statuses"] = (ours[0].status, theirs[0].status)
        return found, ours[at], theirs[at]

    def _once(
        self, step: Step, extra: tuple[dict[str, str], dict[str, str]], uid: str
    ) -> tuple[list[AnswerDifference], ClientResponse, ClientResponse]:
        operation = self.operations[step["op"]]
        requests = [self._rendering.request(step, operation, side, extra[side]) for side in (0, 1)]
        role = step["role"]
        on_mock = self.target.is_mock
        waits = waits_for_queue(step["op"], on_mock=on_mock) and not (on_mock and step.get("unsettled"))
        settle = waits and self._unsettled
        self._unsettled = operation.writes or (self._unsettled and not settle)
        for side in (self.model, self.target) if "reply" in step else ():
            side.queue(step["reply"])
        model, target = self._both(requests, role, step.get("tick", 0.0), settle=settle)
        found, moved = self._differences(step, model, target, uid), set[str]()
        for _ in range(PATIENCE if target.request.method == "GET" and not on_mock else 0):
            if not moved and all(lasts(each) or signature(step, each) in self.known for each in found):
                break
            model, target = self._both(requests, role, 0.0, settle=True)
            again = self._differences(step, model, target, uid)
            places = {each.pointer for each in found} | moved
            moved = {each.pointer for each in again if each not in found and each.pointer in places}
            found = [each for each in again if each in found]
        if moved:
            self.unsteady.setdefault(step["op"], set()).update(moved)
        return found, model, target

    def _both(
        self, requests: list[ClientRequest], role: str | None, tick: float, *, settle: bool
    ) -> tuple[ClientResponse, ClientResponse]:
        """Answers of both; the model's clock follows the target's."""
        seconds = self.target.wait(tick, settle=settle)
        self._elapsed += seconds
        self.model.ask(requests[0], role, seconds, settle=settle)
        try:
            target = self._sent(requests[1], role)
        finally:
            model = self.model.answer()
        return model, target

    def _reads(self, seed: int) -> list[Step]:
        pick, target = Random(seed), self.target
        found = Reads(self.contract, self.operations).of(self.names.values, target.callers, pick)
        return found if target.is_mock else pick.sample(found, min(READ_BACK, len(found)))

    def _sent(self, request: ClientRequest, role: str | None) -> ClientResponse:
        answer = self.target.send(request, role)
        self.chain.append(answer)
        return answer

    def _differences(
        self, step: Step, model: ClientResponse, target: ClientResponse, uid: str
    ) -> list[AnswerDifference]:
        name = step["op"]
        if not self.target.is_mock and model.status == target.status == 200:
            if name in SHARED and is_whole(target):
                lists = [self._own(side, answer, SHARED[name]) for side, answer in enumerate((model, target))]
                return self.comparer.bodies(lists[0], lists[1], name, uid)
            if is_shared(self.operations[name]):
                return []  # what others wrote is in it, too
        return self.comparer.answers(model, target, name, uid)

    def _own(self, side: int, answer: ClientResponse, field_name: str) -> Any:
        """Items of a list that the sequence made."""
        items = answer.fields.get(field_name)
        if not isinstance(items, list):
            return content(answer)
        known = [item for item in items if isinstance(item, dict) and self.names.label(side, item.get("id"))]
        return {field_name: known}
