"""The house: every sandbox by name, made when it is first asked for, dropped when it was idle for long."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from mockserver.http.problems import BadSandbox, Conflict, NotFound, SandboxGone, SandboxRequired
from mockserver.sandbox.catalogue import Catalogue
from mockserver.sandbox.clock import elapsed
from mockserver.sandbox.sandbox import Moment, Sandbox
from mockserver.sandbox.snapshots import Snapshots

DEFAULT = "default"
"""The sandbox of a request that names none; never dropped."""
REMEMBERED = 10_000
"""Names of dropped sandboxes that are remembered."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_ALLOWED = "1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit"


class Limits(NamedTuple):
    """How many sandboxes there may be, and for how long."""

    most: int = 1000
    """Besides the default one."""
    idle_seconds: float = 3600.0
    required: bool = False
    """Whether every request has to name its sandbox."""


class Lobby(Sandbox):
    """Where requests are answered that are in no sandbox. Nobody waits for anybody here."""

    def transaction(self) -> AbstractContextManager[None]:
        """Nothing is changed in here."""
        return nullcontext()


class Sandboxes:
    """Every sandbox by name."""

    def __init__(
        self,
        start: Moment,
        *,
        new: Callable[[str, Moment], Sandbox] = Sandbox,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        catalogue: Catalogue | None = None,
        seconds: Callable[[], float] = elapsed,
    ) -> None:
        """`start`: what a sandbox begins with that is made by being named; `seconds` tells real time."""
        self.start = start
        self.catalogue = catalogue or Catalogue()
        self.snapshots = Snapshots()
        self.lobby = Lobby("-", start)
        self.default = new(DEFAULT, start)
        self._new = new
        self._limits = limits
        self._seconds = seconds
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Sandbox] = OrderedDict()
        """Without the default one; the one that was used last is the last."""
        self._gone: OrderedDict[str, str] = OrderedDict()
        """name -> why it was dropped"""

    def enter(self, name: str | None) -> Sandbox:
        """The sandbox that a request names, made if it is new; a Problem if it can't be entered."""
        if name is None:
            if self._limits.required:
                raise _nameless()
            return self.default
        if name == DEFAULT:
            return self.default
        with self._lock:
            now = self._seconds()
            self._drop_idle(now)
            sandbox = self._open.get(name)
            if sandbox is None:
                if name in self._gone:
                    raise self._lost(name)
                return self._made(_checked(name), self.start, now)
            self._open.move_to_end(name)
            sandbox.last_used = now
            return sandbox

    def create(self, name: str | None, start: Moment) -> Sandbox:
        """A new sandbox, also of a name that was dropped; None makes one up. Conflict if it is taken."""
        with self._lock:
            now = self._seconds()
            self._drop_idle(now)
            name = self._fresh() if name is None else name
            if name == DEFAULT or name in self._open:
                reason = f"sandbox {name!r} is there already: use it, reset it, or delete it first"
                raise Conflict("Sandbox exists", reason=reason, sandbox=name)
            made = self._made(_checked(name), start, now)
            self._gone.pop(name, None)
            return made

    def drop(self, name: str) -> None:
        """Forget a sandbox; a call that is in it ends as if nothing had happened."""
        with self._lock:
            self._drop_idle(self._seconds())
            if name == DEFAULT:
                reason = "the default sandbox is never dropped; POST /__admin/reset puts it back to its start"
                raise Conflict("Default sandbox", reason=reason, sandbox=name)
            if name not in self._open:
                raise self._unknown(name)
            self._forget(name, "was deleted")

    def get(self, name: str = DEFAULT) -> Sandbox:
        """The sandbox of this name, to look at: that is no use of it; NotFound if there is none."""
        with self._lock:
            self._drop_idle(self._seconds())
            found = self.default if name == DEFAULT else self._open.get(name)
            if found is None:
                raise self._unknown(name)
            return found

    def listed(self) -> list[Sandbox]:
        """All of them, by name."""
        with self._lock:
            self._drop_idle(self._seconds())
            return sorted([self.default, *self._open.values()], key=lambda sandbox: sandbox.name)

    def idle(self, sandbox: Sandbox) -> float | None:
        """Seconds since its last request began; None for the default one, which does not age."""
        return None if sandbox is self.default else self._seconds() - sandbox.last_used

    def _fresh(self) -> str:
        name = self.lobby.ids.new("sandbox")
        return name if name not in self._open and name not in self._gone else self._fresh()

    def _made(self, name: str, start: Moment, now: float) -> Sandbox:
        sandbox = self._new(name, start)
        sandbox.last_used = now
        self._open[name] = sandbox
        while len(self._open) > self._limits.most:
            oldest = next(iter(self._open))
            self._forget(oldest, f"was the least recently used of more than {self._limits.most}")
        return sandbox

    def _drop_idle(self, now: float) -> None:
        while self._open:
            name, sandbox = next(iter(self._open.items()))
            if now - sandbox.last_used <= self._limits.idle_seconds:
                return
            self._forget(name, f"was not used for {self._limits.idle_seconds:g} seconds")

    def _forget(self, name: str, why: str) -> None:
        del self._open[name]
        self._gone[name] = why
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)

    def _lost(self, name: str) -> SandboxGone:
        revive = f'POST /__admin/sandboxes {{"id": "{name}"}} starts it anew, or use another name'
        return SandboxGone(
            "Sandbox gone", reason=f"sandbox {name!r} {self._gone[name]}; {revive}", sandbox=name
        )

    def _unknown(self, name: str) -> NotFound:
        why = self._gone.get(name, "does not exist")
        return NotFound("Sandbox not found", reason=f"sandbox {name[:80]!r} {why}", sandbox=name)


def _nameless() -> SandboxRequired:
    how = "send the header X-Mock-Sandbox, or put /__sandbox/NAME in front of the path"
    return SandboxRequired("Sandbox required", reason=f"the mock runs with --require-sandbox: {how}")


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        reason = f"{name[:80]!r} is no name of a sandbox: {_ALLOWED}"
        raise BadSandbox("Bad sandbox name", reason=reason)
    return name
