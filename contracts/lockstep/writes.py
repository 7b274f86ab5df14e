"""Every write in every prepared state, each followed by all reads that show what it changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from random import Random

from contracts.checks.spec import DocumentedOperation
from contracts.http.exchange import MODEL_OPERATIONS
from contracts.lockstep.aftermath import reads_after, touched
from contracts.lockstep.api import DELETES, KINDS, Step
from contracts.lockstep.calls import Calls
from contracts.lockstep.play import Lockstep
from contracts.lockstep.reads import Reads
from contracts.lockstep.starts import STARTS, prepared
from contracts.lockstep.words import TOPICS
from contracts.lockstep.world import World

TIMES = 3
"""Calls of each write in each state."""
MEMBERS = 5
"""Members of a collection that are deleted one after another."""
PATH_NAME = re.compile(r"{(\w+)}")
FEW_STATES, FEW_READS = 3, 2
"""States on a deployment, where every request takes its time, and reads after each write there."""


def states(lockstep: Lockstep) -> list[str]:
    """Prepared states in which the writes are tried; those with the most things on a deployment."""
    richest = sorted(STARTS, key=lambda name: -len(STARTS[name]))
    return richest if lockstep.target.is_mock else richest[:FEW_STATES]


def writes(lockstep: Lockstep, state: str) -> Iterator[Step]:
    """Steps of the sequence of a state."""
    yield from _Writes(lockstep, state).steps()


class _Writes:
    """Steps of one sequence; each is taken before the next is asked for."""

    def __init__(self, lockstep: Lockstep, state: str) -> None:
        self._lockstep, self._state = lockstep, state
        self._pick = pick = Random(state)
        self._callers, self._on_mock = lockstep.target.callers, lockstep.target.is_mock
        self._world = World(pick, self._callers, lockstep.names)
        self._calls = Calls(pick, lockstep.contract, self._callers, self._world, on_mock=self._on_mock)
        self._asker = ""
        """Thread of no space, from which the spaces are searched."""
        self._reads = Reads(lockstep.contract, lockstep.operations)

    def steps(self) -> Iterator[Step]:
        """Steps that prepare the state, then each write, in an order that ends with the deletions."""
        for call in ("thread", *STARTS[self._state]):
            step = prepared(call, self._calls.bare("", "owner"), self._world)
            yield step
            self._world.learn(step)
            self._asker = self._asker or next(iter(self._world.live.get("thread", ())), "")
        asks = () if self._lockstep.may_ask else MODEL_OPERATIONS
        writes = [each for each in self._lockstep.operations.values() if each.writes and each.id not in asks]
        self._pick.shuffle(writes)
        for operation in sorted(writes, key=lambda each: (each.id in DELETES, -each.path.count("/"))):
            for _ in range(TIMES if self._on_mock else 1):
                yield from self._write({**self._calls.good(operation), "tick": 1})
            if operation.method == "delete" and self._on_mock:
                yield from self._emptied(operation)

    def _emptied(self, operation: DocumentedOperation) -> Iterator[Step]:
        """Members of a collection deleted one after another, the last ones first."""
        names = [name for name in PATH_NAME.findall(operation.path) if name != "organization_id"]
        kinds = [KINDS[name] for name in names]
        pairs = self._world.pairs(kinds, within=1000) if len(kinds) > 1 else []
        pairs = [pair for pair in pairs if pair[0] != self._asker]
        fullest = [whole for whole, _ in Counter(pair[0] for pair in pairs).most_common(1)]
        for pair in [pair for pair in pairs if pair[0] in fullest][: -MEMBERS - 1 : -1]:
            step = self._calls.bare(operation.id, self._world.maker.get(pair[0], "owner"))
            path = {name: {"$": label} for name, label in zip(names, pair, strict=True)}
            organization = (
                {"organization_id": {"$": "org:own"}} if "{organization_id}" in operation.path else {}
            )
            yield from self._write({**step, "path": {**path, **organization}, "tick": 1})

    def _write(self, step: Step) -> Iterator[Step]:
        yield step
        fresh = [*self._lockstep.names.fresh]
        if not self._world.learn(step):
            return
        self._calls.words.note(step.get("body"))
        other = self._pick.choice(self._callers)
        reads = reads_after(step, self._world, fresh, self._reads, other)
        if self._on_mock:
            reads += [self._question(label) for label in self._spaces(step, fresh)]
        else:
            reads = self._pick.sample(reads, min(FEW_READS, len(reads)))
        for read in reads:
            yield read
            self._world.learn(read)

    def _spaces(self, step: Step, fresh: list[str]) -> list[str]:
        """Spaces whose memory a write may have changed."""
        things = touched(step, self._world, fresh)
        return [label for label in things if label in self._world.live.get("space", ())][:3]

    def _question(self, space: str) -> Step:
        """Question from a thread of no space that searches one; everything is found that it has."""
        text = " ".join(self._pick.sample(TOPICS, 3))
        body = {"thread_id": {"$": self._asker}, "space_id": {"$": space}, "include": ["file_search.results"]}
        inputs = [{"role": "user", "content": text}]
        return {**self._calls.bare("createResponse", "owner"), "body": {**body, "inputs": inputs}}
