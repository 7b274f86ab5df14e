"""A check: one sentence that holds for every deployment, and the function that tries it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence
from contracts.http.run import Team


class Check(NamedTuple):
    """One promise."""

    id: str
    sentence: str
    layer: str
    operations: tuple[str, ...]
    evidence: Evidence
    assumption: str | None
    run: Callable[[Team], None]

    @property
    def gates(self) -> bool:
        """Whether its failure breaks the contract: not if it is only assumed."""
        return self.evidence > Evidence.ASSUMED


def promise(
    *operations: str, evidence: Evidence, assumption: str | None = None, layer: str = "behaviour"
) -> Callable[[Callable[[Team], None]], Check]:
    """Make a function a check: its name is the id, its docstring the sentence."""

    def declare(run: Callable[[Team], None]) -> Check:
        name = run.__name__.replace("_", "-")
        if not run.__doc__:
            raise ValueError(f"check {name} needs a docstring")
        return Check(name, " ".join(run.__doc__.split()), layer, operations, evidence, assumption, run)

    return declare


def declared(module: ModuleType) -> list[Check]:
    """The checks of a module: its CHECKS, or else each that it defines, in their order."""
    found: list[Check] = getattr(module, "CHECKS", [])
    return found or [value for value in vars(module).values() if isinstance(value, Check)]


def equal(got: Any, expected: Any, what: str, pointer: str = "") -> None:
    """Broken unless both are equal."""
    if got != expected:
        raise Broken(
            f"{what}: expected {expected!r}, got {got!r}"[:600],
            expected=expected,
            got=got,
            pointer=pointer,
            what=what,
        )
