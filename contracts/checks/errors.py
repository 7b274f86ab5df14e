"""What ends a check, a request or a run, other than success."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from contracts.checks.evidence import Evidence
from contracts.http.exchange import Answer


class Usage(Exception):
    """Asked for what can't be; one line says what to give instead."""


class Unreachable(Exception):
    """The target can't be tested; one line says why."""


class Unanswered(Exception):
    """One request got no answer, or none of the API's; one line says which."""


class Untested(Exception):
    """The check could not be tried here; one line says what is missing."""


class Spent(Untested):
    """The request budget is used up."""


class Guarded(AssertionError):
    """A bug of the suite: it was about to write to something that it did not make."""


class Crashed(Exception):
    """Something is wrong with the suite itself; one line says what, and says nothing about the target."""


class Fingerprint(NamedTuple):
    """What makes a failure the same failure in another run, on other ids."""

    operation: str
    status: int | None
    pointer: str
    """In the answer, with a star for every index."""
    keyword: str
    """A keyword of JSON Schema, a check of Schemathesis, or a check of ours."""
    property: str


@dataclass(eq=False)
class Broken(AssertionError):
    """The promise does not hold."""

    message: str
    expected: Any = None
    got: Any = None
    pointer: str = ""
    evidence: Evidence | None = None
    assumption: str | None = None
    """What is known better than the check knows it: on what this one failure is founded."""
    what: str = ""
    """The message without its values."""
    fingerprint: Fingerprint | None = None
    chain: tuple[Answer, ...] | None = None
    """Likewise, what makes it the same elsewhere, and the exchanges that led to it."""
    more: tuple[Broken, ...] = ()
    """What else the check found broken in the same try."""

    def __str__(self) -> str:
        return self.message
