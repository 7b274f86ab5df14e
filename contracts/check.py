"""A check: one sentence that holds for every deployment, and the function that tries it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from contracts.evidence import Evidence

if TYPE_CHECKING:
    from contracts.exchange import Answer
    from contracts.team import Team


class Fingerprint(NamedTuple):
    """What makes a failure the same failure in another run, on other ids."""

    operation: str
    status: int | None
    pointer: str
    """In the answer, with a star for every index."""
    keyword: str
    """A keyword of JSON Schema, a check of Schemathesis, or a check of ours."""
    property: str


class Untested(Exception):
    """The check could not be tried here; one line says what is missing."""


class Broken(AssertionError):
    """The promise does not hold."""

    def __init__(
        self,
        message: str,
        *,
        expected: Any = None,
        got: Any = None,
        pointer: str = "",
        evidence: Evidence | None = None,
        assumption: str | None = None,
        what: str = "",
        fingerprint: Fingerprint | None = None,
        chain: tuple[Answer, ...] | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.expected, self.got, self.pointer = message, expected, got, pointer
        self.evidence, self.assumption = evidence, assumption
        """What is known better than the check knows it: on what this one failure is founded."""
        self.what = what
        """The message without its values."""
        self.fingerprint, self.chain = fingerprint, chain
        """Likewise, what makes it the same elsewhere, and the exchanges that led to it."""
        self.more: tuple[Broken, ...] = ()
        """What else the check found broken in the same try."""


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


class Checks:
    """All checks by id."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def __iter__(self) -> Iterator[Check]:
        return iter(self._checks.values())

    def promise(
        self, *operations: str, evidence: Evidence, assumption: str | None = None, layer: str = "behaviour"
    ) -> Callable[[Callable[[Team], None]], Callable[[Team], None]]:
        """Register a check: its name is the id, the first line of its docstring the sentence."""

        def register(run: Callable[[Team], None]) -> Callable[[Team], None]:
            name = run.__name__.replace("_", "-")
            if name in self._checks or not run.__doc__:
                raise ValueError(f"check {name} needs a docstring and a name of its own")
            sentence = " ".join(run.__doc__.split())
            self._checks[name] = Check(name, sentence, layer, operations, evidence, assumption, run)
            return run

        return register


CHECKS = Checks()
promise = CHECKS.promise


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
