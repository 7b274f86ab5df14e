"""What a write may have changed, and the reads that show it."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.lockstep.api import LISTS, READS, Step
from contracts.lockstep.reads import Reads
from contracts.lockstep.world import World, named


def touched(step: Step, world: World, fresh: Iterable[str]) -> list[str]:
    """Labels of what a write names, made, or is linked to."""
    found = dict.fromkeys((*named(step).values(), *fresh))
    return [*found, *world.linked([*found])]


def reads_after(step: Step, world: World, fresh: Iterable[str], reads: Reads, other: str) -> list[Step]:
    """Reads of what a write may have changed, each by who made it and by another caller."""
    labels = touched(step, world, fresh)
    makers = {world.maker[label] for label in labels if label in world.maker} or {"owner"}
    found = [
        reads.read(name, role, label)
        for label in labels
        for name in READS.get(label.partition(":")[0], ())
        for role in dict.fromkeys((world.maker.get(label, "owner"), other))
    ]
    found += [
        reads.read(name, role, "", query)
        for kind in dict.fromkeys(label.partition(":")[0] for label in labels)
        for name, query in LISTS.get(kind, ())
        for role in sorted({*makers, other} if kind == "space" else makers)
    ]
    return [{**read, "uid": f"{step['uid']}r{number}"} for number, read in enumerate(found)]
