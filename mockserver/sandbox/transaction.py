"""Errors of transactions that views of extensions open."""

from __future__ import annotations

from mockserver.http.problems import MockOwnError

VIEW_SECONDS = 5.0
"""Seconds that others wait for the transaction of a view; handlers of operations need milliseconds."""


class NestedTransaction(RuntimeError):
    """A view that is in a transaction begins another one, or calls the mock."""

    def __init__(self, sandbox: str) -> None:
        super().__init__(
            f"this view is in a transaction of sandbox {sandbox!r}: leave it before you begin another one "
            "or call the mock"
        )


class ChangeNotWritten(
    MockOwnError,
    status=503,
    code="SERVICE_UNAVAILABLE",
    message="The service is busy. Please try again later.",
    rule="limits",
):
    """503: a change could not be written to the directory of --persist, and was not made."""

    def __init__(self, why: str) -> None:
        reason = (
            f"the change can't be written and was not made: {why}; make room for --persist (a larger "
            "--persist-mb, or mockserver persisted discard) and repeat it"
        )
        super().__init__("Not written", reason=reason)


class SandboxBusy(
    MockOwnError,
    status=503,
    code="SERVICE_UNAVAILABLE",
    message="The service is busy. Please try again later.",
    rule="limits",
):
    """503: a view has been in a transaction for too long, perhaps waiting for this very answer."""

    def __init__(self, sandbox: str) -> None:
        reason = (
            f"a view of an extension has been in a transaction of sandbox {sandbox!r} for over "
            f"{VIEW_SECONDS:g} seconds; a view must not wait, nor call the mock, inside of one"
        )
        super().__init__("A transaction takes too long", reason=reason)
