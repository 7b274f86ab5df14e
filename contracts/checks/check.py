"""Check: a sentence that holds for every deployment, and the function that verifies it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence, effects
from contracts.http.run import Run


class Check(NamedTuple):
    """One statement about the API, with its evidence and the function that verifies it."""

    id: str
    sentence: str
    layer: str
    operations: tuple[str, ...]
    evidence: Evidence
    assumption: str | None
    function: Callable[[Run], None]
    left_out: str = ""
    """Reason why the check is not run."""
    claim: str = ""
    """Id in contracts/effects.yaml; empty for a check of all claims of an operation."""

    @property
    def gates(self) -> bool:
        """Whether a failure breaks the contract; a statement that is only assumed does not."""
        return self.evidence > Evidence.ASSUMED


def check(
    *operations: str, claim: str | None = None, layer: str = "behaviour"
) -> Callable[[Callable[[Run], None]], Check]:
    """Decorator that turns a function into a check: its name is the id, its docstring the sentence.

    `claim`: what it checks, one of contracts/effects.yaml; by default the one with the id of the check.
    """

    def declare(function: Callable[[Run], None]) -> Check:
        name = function.__name__.replace("_", "-")
        if not function.__doc__:
            raise ValueError(f"check {name} needs a docstring")
        effect = effects().get(claim or name)
        if effect is None:
            raise ValueError(f"check {name}: contracts/effects.yaml has no claim {claim or name}")
        about = (name, " ".join(function.__doc__.split()), layer, operations)
        return Check(*about, effect.evidence, effect.assumption, function, claim=claim or name)

    return declare


def declared(module: ModuleType) -> list[Check]:
    """Checks of a module in order of definition; its CHECKS list if it has one."""
    found: list[Check] = getattr(module, "CHECKS", [])
    return found or [value for value in vars(module).values() if isinstance(value, Check)]


def equal(got: Any, expected: Any, what: str, pointer: str = "") -> None:
    """Raise Broken unless both values are equal."""
    if got != expected:
        raise Broken(
            f"{what}: expected {expected!r}, got {got!r}"[:600],
            expected=expected,
            got=got,
            pointer=pointer,
            what=what,
        )
