"""Sandbox as a view sees it: at the instant of its request, with transactions that it opens itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

from mockserver.http.log import Exchange
from mockserver.sandbox.clock import Clock


class InstantClock:
    """Clock that shows one instant and can't be moved."""

    def __init__(self, instant: int, text: str) -> None:
        self._instant, self._text = instant, text

    def now(self) -> int:
        """Microseconds since 1970."""
        return self._instant

    def text(self) -> str:
        """RFC 3339 in UTC with whole seconds, as the API formats it."""
        return self._text


class RequestSandbox:
    """The sandbox of one request; what is not here is the sandbox's own.

    Its instant is that of the request's arrival, then that of the last transaction, as for operations.
    """

    def __init__(self, sandbox: Any, exchange: Exchange) -> None:
        self._sandbox = sandbox
        self._exchange = exchange
        self._inside = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sandbox, name)

    @property
    def clock(self) -> Clock | InstantClock:
        """Clock at the request's instant; inside a transaction the sandbox's own, which can be moved."""
        if self._inside:
            clock: Clock = self._sandbox.clock
            return clock
        return InstantClock(self.instant(), self.now())

    def instant(self) -> int:
        """Instant of the request, in microseconds since 1970."""
        return self._sandbox.instant() if self._inside else self._exchange.instant

    def now(self) -> str:
        """Instant of the request as the API formats it."""
        text: str = self._sandbox.text(self.instant())
        return text

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Exclusive access at one instant; an exception rolls back every change.

        Call the mock before or after it, not inside: NestedTransaction from the same thread, and SandboxBusy
        (503) over HTTP. SandboxBusy too if another view has been in one for longer than VIEW_SECONDS.
        """
        sandbox = self._sandbox
        with sandbox.transaction():
            sandbox.view_thread = get_ident()
            self._exchange.instant = sandbox.instant()
            self._inside = True
            try:
                yield
                if sandbox.kept is not None and sandbox.has_changed():
                    sandbox.kept.whole()
            finally:
                self._inside, sandbox.view_thread = False, None
