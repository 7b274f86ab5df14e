"""Exceptions that end a check, a request or a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from contracts.checks.evidence import Evidence
from contracts.http.exchange import ClientResponse


class Usage(Exception):
    """Invalid command line or file; the message says what to pass instead."""


class TargetUnreachable(Exception):
    """The target can't be tested; the message gives the reason."""


class Unwritable(TargetUnreachable):
    """A file of the run can't be written, so nothing more may be created; the message names the file."""


class Unanswered(Exception):
    """A request got no response, or one that is not from the API; the message identifies it."""


class Intercepted(Unanswered):
    """A page of something in front of the API, which would answer the same again."""


class Firewalled(Intercepted):
    """The page refuses the request (4xx), so that the API behind it never had it."""


class Untested(Exception):
    """The check can't run here; the message says what is missing."""


class Excluded(Untested):
    """The keys or options of the run exclude the check, so that it does not count as missed."""


class OutOfQuestions(Untested):
    """The questions of --with-model are used up."""


class Spent(Untested):
    """The request budget is used up."""


class WriteGuardError(AssertionError):
    """Bug in the suite: it was about to write to a resource that the run did not create."""


class Crashed(Exception):
    """Failure of the suite itself, which implies nothing about the target."""


class CleanUpStopped(Exception):
    """The user stopped the deletion of created resources; the message names the command that finishes it."""

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal
        """Number of the signal that stopped the run first."""


class Fingerprint(NamedTuple):
    """Identity of a failure across runs, independent of ids."""

    operation: str
    status: int | None
    pointer: str
    """JSON pointer into the response; list indexes are stars."""
    keyword: str
    """JSON Schema keyword, Schemathesis check or id of our check."""
    property: str


@dataclass(eq=False)
class Broken(AssertionError):
    """The checked statement does not hold."""

    message: str
    expected: Any = None
    got: Any = None
    pointer: str = ""
    evidence: Evidence | None = None
    assumption: str | None = None
    """Overrides the assumption of the check for this failure."""
    what: str = ""
    """Message without the actual values."""
    brief: str = ""
    """The difference in a few words, if the message begins with something else."""
    fingerprint: Fingerprint | None = None
    chain: tuple[ClientResponse, ...] | None = None
    """Exchanges that led to the failure; None for those of the current check."""
    more: tuple[Broken, ...] = ()
    """Further failures of the same attempt."""

    def __str__(self) -> str:
        return self.message
