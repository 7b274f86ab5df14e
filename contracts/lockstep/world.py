"""What a maker of sequences knows of the state: what there is, what is gone, and who made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from comparison.names import NOTHING, Names
from contracts.lockstep.api import DELETES, KINDS, Step

FIXED = ("org", "user", "role", "department")
"""Kinds that no call creates."""
NO_IDS = ("cursor", "words", "text", "time", "link")
"""Kinds of labels whose values are no ids of things."""


class World:
    """State of one sequence, by labels."""

    def __init__(self, pick: Random, callers: Sequence[str], names: Names) -> None:
        self._pick, self._names = pick, names
        self.sane = True
        """Whether the next call mostly names existing things."""
        self.dead: dict[str, list[str]] = {}
        self.maker: dict[str, str] = {}
        """Label -> caller who made the thing."""
        self.together: list[dict[str, str]] = []
        """Things that were named together in a call, by kind."""
        self.worked: Counter[str] = Counter()
        """Operation -> how often it succeeded in any sequence."""
        known = {
            kind: [f"{kind}:known"] * 4 for kind in ("role", "department") if f"{kind}:known" in names.values
        }
        self.live: dict[str, list[str]] = {
            "org": ["org:own"] * 12 + ["org:other", "org:none"],
            "user": [f"user:{role}" for role in callers if f"user:{role}" in names.values],
            "role": [*known.get("role", ()), "role:none"],
            "department": [*known.get("department", ()), "department:none"],
        }

    def ref(self, kind: str) -> dict[str, str]:
        """Reference to a thing: mostly one that exists, also a deleted one, one of another kind, or none."""
        pick, live, dead = self._pick, self.live.get(kind) or [], self.dead.get(kind) or []
        chance = pick.random() * (0.85 if live and self.sane else 1.0)
        if kind in FIXED:
            existing = [label for label in live if ":none" not in label] if self.sane else []
            more = {"+": pick.choice("xX ")} if chance > 0.97 else {}
            return {"$": pick.choice(existing or live), **more}
        if live and chance < 0.88:
            return {"$": live[0] if chance < 0.3 else pick.choice(live[-6:])}  # to the first, much happens
        if dead and chance < 0.94:
            return {"$": pick.choice(dead)}
        if live and chance < 0.96:
            return {"$": live[-1], "+": pick.choice(["x", "X", " ", "0"])}
        others = [
            label
            for other, labels in self.live.items()
            if other not in (kind, *FIXED, *NO_IDS)
            for label in labels
        ]
        return {"$": pick.choice(others) if others and chance < 0.98 else f"{kind}:none{pick.randrange(3)}"}

    def pair(self, kinds: Sequence[str]) -> list[str] | None:
        """Existing things of these kinds that were named together; None without any."""
        found = self.pairs(kinds)
        return self._pick.choice(found) if found else None

    def pairs(self, kinds: Sequence[str], within: int = 40) -> list[list[str]]:
        """Existing things of these kinds that were named together in the latest calls, each pair once."""
        fits = [each for each in self.together[-within:] if all(kind in each for kind in kinds)]
        found = dict.fromkeys(tuple(each[kind] for kind in kinds) for each in fits)
        dead = {label for labels in self.dead.values() for label in labels}
        return [[*each] for each in found if not dead & {*each}]

    def learn(self, step: Step) -> bool:
        """Learn from the answers to a step; returns whether it succeeded."""
        for each in (step.get("between"), step.get("beside"), step):
            self._note_new(each) if each else None
        statuses = step.get("_statuses", (0, 0))
        if not 200 <= min(statuses) <= max(statuses) < 300 or "method" in step:
            return False
        self.worked[step["op"]] += 1
        things = named(step)
        for label in self._names.fresh:
            kind = label.partition(":")[0]
            if kind in ("message", "file", "store"):
                self.together.append({**things, kind: label})
        if len(things) > 1:
            self.together.append(things)
        if step["op"] in DELETES:
            kind, label = KINDS.get(DELETES[step["op"]], ""), label_of(step, DELETES[step["op"]])
            if label in self.live.get(kind, ()):
                self.live[kind].remove(label)
                self.dead.setdefault(kind, []).append(label)
        return True

    def linked(self, labels: Sequence[str]) -> list[str]:
        """Things that exist and were named together with these, or made in one call with them."""
        calls = {label.partition(":")[2].partition("/")[0] for label in labels}
        touched = [each.values() for each in self.together[-40:] if {*labels} & {*each.values()}]
        found = [label for each in touched for label in each]
        found += [
            label
            for kind in ("space", "thread", "store", "file")
            for label in self.live.get(kind, ())
            if label.partition(":")[2].partition("/")[0] in calls
        ]
        dead = {label for labels in self.dead.values() for label in labels}
        return [label for label in dict.fromkeys(found) if label not in dead and label not in labels]

    def _note_new(self, step: Step) -> None:
        for label in self._names.fresh:
            kind = label.partition(":")[0]
            known = (*self.live.setdefault(kind, []), *self.dead.get(kind, ()))
            if NOTHING not in label and label not in known:
                self.live[kind].append(label)
                self.maker.setdefault(label, step["role"] or step.get("as", "owner"))


def label_of(step: Step, name: str) -> str:
    """Label of the thing that a parameter of the path names; empty without one."""
    value: Any = step["path"].get(name)
    return str(value.get("$", "")) if isinstance(value, dict) else ""


def named(step: Step) -> dict[str, str]:
    """Things that a step names, by kind."""
    body = step.get("body")
    fields = {**step["path"], **(body if isinstance(body, dict) else {})}
    kinds = ("space", "thread", "store", "file", "message")
    found = {KINDS.get(name, ""): value for name, value in fields.items() if isinstance(value, dict)}
    return {kind: value["$"] for kind, value in found.items() if kind in kinds and "$" in value}
