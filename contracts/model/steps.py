"""Steps as data, and their description in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

Step = tuple[Any, ...]
"""Method of Pair with its arguments; spaces and threads have names such as S1 and T1."""


READS = ("read_space", "read_thread", "walk", "list_spaces")
"""Steps that change nothing."""


class Note(NamedTuple):
    """Assumption that did not hold: the steps, and the difference."""

    assumption: str
    steps: tuple[Step, ...]
    complaint: str


def listed(names: Iterable[str]) -> str:
    """Comma-separated names."""
    return ", ".join(names) or "nothing"


def shorter(text: object) -> str:
    """Short representation of a value."""
    whole = repr(text)
    return whole if len(whole) <= 40 else f"{whole[:8]}…' ({len(str(text))} characters)"


def words(step: Step) -> str:
    """Description of a step."""
    kind, *args = step
    match kind, args:
        case "create_space", [space, label, grants]:
            named = f" with a name of {len(label)} characters" if label in BOUNDARY else ""
            granted = "; ".join(f"{field}: {listed(roles)}" for field, roles in grants)
            return f"create space {space}{named}" + (f" ({granted})" if granted else "")
        case "create_thread", [thread]:
            return f"create thread {thread}"
        case "add", [role, space, thread]:
            return f"{_as(role)}add {thread} to {space}"
        case "remove", [role, space, thread]:
            return f"{_as(role)}remove {thread} from {space}"
        case "patch", [role, space, changes]:
            fields = " and ".join(f"{field} of {space} to {shorter(value)}" for field, value in changes)
            return f"{_as(role)}set {fields}" if fields else f"{_as(role)}patch {space} with nothing"
        case "walk", [role, space, limit]:
            return f"{_as(role)}list {space} by {limit}"
        case "remove_between_pages", [space, limit]:
            return f"list the first {limit} of {space}, remove the last of them, list the rest"
        case "list_spaces", [role]:
            return f"{_as(role)}list the spaces"
        case _:
            role, name = args
            return f"{_as(role)}{kind.replace('_space', '').replace('_thread', '')} {name}"


def _as(role: str) -> str:
    return "" if role == "owner" else f"as {role} "


SHORT, LONG = "n", "n" * 255
BOUNDARY = (SHORT, LONG)
"""Names of 1 and 255 characters, which are sent unchanged."""


_STATUSES = re.compile(r"answers \d{3}, the model says \d{3}")


def story(steps: Sequence[Step]) -> str:
    """Description of all steps."""
    return ", ".join(map(words, steps))


def general(complaint: str) -> str:
    """Part of a complaint that does not depend on the scenario that led to it."""
    match = _STATUSES.search(complaint)
    return match[0] if match else "differs from the model"


def renamed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Steps with resources renamed S1, S2, … and T1, T2, … in order of creation."""
    names: dict[str, str] = {}
    for kind, name, *_ in steps:
        if kind in ("create_space", "create_thread"):
            same = [known for known in names if known[0] == name[0]]
            names[name] = f"{name[0]}{len(same) + 1}"
    return tuple(
        tuple(names.get(part, part) if isinstance(part, str) else part for part in step) for step in steps
    )
