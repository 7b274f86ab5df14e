"""Maker of sequences: calls of every operation, on what there is, what is gone, and what never was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from random import Random

from contracts.checks.spec import DocumentedOperation
from contracts.http.exchange import MODEL_OPERATIONS
from contracts.lockstep.aftermath import reads_after
from contracts.lockstep.api import KINDS, PRODUCES, RARE, Step
from contracts.lockstep.calls import TICKS, Calls
from contracts.lockstep.play import Lockstep
from contracts.lockstep.reads import Reads
from contracts.lockstep.starts import STARTS, prepared
from contracts.lockstep.world import World

NOT_AGAIN = ("between", "beside", "_statuses")
"""Parts of a step that its repetition does not have."""
READ_SHARE, MOST_READS = 0.4, 4
"""Share of the writes that are followed by reads, and how many."""
MOST = 5
"""Things of a kind after which more are rarely created."""


class Maker:
    """Makes one sequence after another from a seed, and learns from the answers."""

    def __init__(self, seed: int, lockstep: Lockstep) -> None:
        self._pick, self._lockstep = Random(seed), lockstep
        asks = MODEL_OPERATIONS if not lockstep.may_ask else ()
        self._operations = [each for each in lockstep.operations.values() if each.id not in asks]
        self._needs = {
            each.id: [
                KINDS.get(p["name"], "") for p in lockstep.contract.parameters(each) if p["in"] == "path"
            ]
            for each in self._operations
        }
        self._makes = {
            operation: kind for (operation, _), kind in PRODUCES.items() if not operation.startswith("list")
        }
        self._writes = [each for each in self._operations if each.writes and each.id not in MODEL_OPERATIONS]
        self._worked: Counter[str] = Counter()
        self.failing: Counter[str] = Counter()
        """Operation -> sequences that ended at it."""

    def sequence(self, length: int) -> Iterator[Step]:
        """Steps of one sequence; each is taken before the next is asked for."""
        pick, lockstep = self._pick, self._lockstep
        callers, names = lockstep.target.callers, lockstep.names
        self._world = world = World(pick, callers, names)
        world.worked = self._worked
        self._calls = Calls(pick, lockstep.contract, callers, world, on_mock=lockstep.target.is_mock)
        self._reads = Reads(lockstep.contract, lockstep.operations)
        self._last: Step = {}
        self._next: list[Step] = []
        for call in (*pick.choice([*STARTS.values()]), *[""] * length):
            step = prepared(call, self._calls.bare("", "owner"), world) if call else self._step()
            yield step
            if world.learn(step):
                self._calls.words.note(step.get("body"))
                self._read_after(step)
                if step["op"] == "createResponse" and pick.random() < 0.6:
                    self._read_messages(step)

    def _step(self) -> Step:
        pick = self._pick
        if self._next:
            return self._next.pop()
        if self._last and pick.random() < 0.08:  # the same call again, now and then by somebody else
            kept = {name: value for name, value in self._last.items() if name not in NOT_AGAIN}
            role = pick.choice([kept["role"], kept["role"], pick.choice(self._lockstep.target.callers)])
            return {**deepcopy(kept), "uid": self._calls.uid(), "role": role, "tick": pick.choice(TICKS)}
        step = self._last = self._calls.call(self._operation())
        if step.get("walk") and pick.random() < 0.3:
            step["between"] = self._calls.call(pick.choice(self._writes))
        elif self._may_have_another(step) and pick.random() < 0.08:
            again = {**deepcopy(step), "uid": self._calls.uid()}
            is_same = pick.random() < 0.4 and step["op"] != "createResponse"
            step["beside"] = again if is_same else self._calls.call(pick.choice(self._writes))
        return step

    def _may_have_another(self, step: Step) -> bool:
        """Whether another call may be sent at the same time; a deployment is asked nothing meanwhile."""
        is_question = step["op"] == "createResponse" and self._lockstep.target.is_mock
        return is_question or any(step["op"] == each.id for each in self._writes)

    def _operation(self) -> DocumentedOperation:
        most = 1 + max(self._worked.values(), default=0)
        weights = [self._weight(each.id, most) for each in self._operations]
        return self._pick.choices(self._operations, weights)[0]

    def _weight(self, operation: str, most: int) -> float:
        """What seldom succeeded is tried more; what needs things that there are not, less."""
        live = self._world.live
        weight: float = RARE.get(operation, 1.0) * min(9.0, most / (1 + self._worked[operation])) ** 0.5
        if operation in self._makes:
            count = len(live.get(self._makes[operation], ()))
            weight = 0.15 if count >= MOST else 4.0 if count < 2 else weight
        if not all(live.get(kind) for kind in self._needs[operation]):
            weight *= 0.1
        return weight / float(1 + self.failing[operation]) ** 2

    def _read_after(self, step: Step) -> None:
        """Read next, now and then, some of what a write may have changed."""
        pick, lockstep = self._pick, self._lockstep
        if lockstep.operations[step["op"]].writes and pick.random() < READ_SHARE:
            other = pick.choice(lockstep.target.callers)
            found = reads_after(step, self._world, lockstep.names.fresh, self._reads, other)
            self._next += pick.sample(found, min(MOST_READS, len(found)))

    def _read_messages(self, step: Step) -> None:
        """Read the thread of a question next, whose messages can be named then."""
        fresh = [label for label in self._lockstep.names.fresh if label.startswith("thread:")]
        thread = (step["body"].get("thread_id") or {}).get("$") or (fresh or [""])[0]
        if thread:
            read = self._calls.bare("listThreadMessages", step["role"] or step.get("as", "owner"))
            self._next.append({**read, "path": {"thread_id": {"$": thread}}})
