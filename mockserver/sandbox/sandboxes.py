"""All sandboxes by name: created by the first accepted request, dropped when idle."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from mockserver.http.problems import (
    BadSandbox,
    Conflict,
    NotFound,
    SandboxGone,
    SandboxRequired,
    SandboxUnknown,
    TooManySandboxes,
    nearest,
)
from mockserver.sandbox.catalogue import NAME, Catalogue
from mockserver.sandbox.clock import elapsed
from mockserver.sandbox.sandbox import Sandbox, SandboxState
from mockserver.sandbox.snapshots import Snapshots

DEFAULT = "default"
"""Name of the sandbox for requests that name none; never dropped."""
REMEMBERED = 10_000
"""Names of dropped sandboxes that are remembered."""
SAFE_SECONDS = 60.0
"""Seconds after its last accepted request for which a sandbox is not dropped in favour of a new one."""
_ALLOWED = "1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit"


class SandboxLimits(NamedTuple):
    """Limits on the number and the idle time of sandboxes."""

    most: int = 1000
    """Most sandboxes besides the default one."""
    idle_seconds: float = 3600.0
    required: bool = False
    """Whether every request must name its sandbox."""


class UnlockedSandbox(Sandbox):
    """Sandbox for requests outside of any sandbox; without a lock, since nothing changes in it."""

    def transaction(self) -> AbstractContextManager[None]:
        """No lock and no rollback."""
        return nullcontext()


class Sandboxes:
    """Every sandbox by name."""

    def __init__(
        self,
        start: SandboxState,
        *,
        new: Callable[[str, SandboxState], Sandbox] = Sandbox,
        limits: SandboxLimits = SandboxLimits(),  # noqa: B008 - immutable
        catalogue: Catalogue | None = None,
        snapshots: Snapshots | None = None,
        seconds: Callable[[], float] = elapsed,
    ) -> None:
        """`start`: state of a sandbox created on first use; `seconds`: clock for idle times."""
        self.start = start
        self.catalogue = catalogue or Catalogue()
        self.snapshots = snapshots or Snapshots()
        self.outside = UnlockedSandbox("-", start)
        self.default = new(DEFAULT, start)
        self._new = new
        self._limits = limits
        self._seconds = seconds
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Sandbox] = OrderedDict()
        """All but the default one, least recently used first."""
        self.keeper: Any = None
        """Keeps sandboxes beyond the process; None without `--persist`."""
        self._gone: OrderedDict[str, str] = OrderedDict()
        """Name -> reason why it was dropped."""

    def find(self, name: str | None) -> Sandbox:
        """Sandbox that a request names; a Problem if it can't be entered.

        A name that nobody has used yet gets a sandbox in the starting state, which `enter` adds: until then
        the request, which may be refused, has no effect.
        """
        if name is None:
            if self._limits.required:
                how = "send the header X-Mock-Sandbox, or put /__sandbox/NAME in front of the path"
                reason = f"the mock runs with --require-sandbox: {how}"
                raise SandboxRequired("Sandbox required", reason=reason)
            return self.default
        if name == DEFAULT:
            return self.default
        with self._lock:
            self._drop_idle(self._seconds())
            sandbox = self._open.get(name)
            if sandbox is None and name in self._gone:
                raise self._gone_problem(name)
            return sandbox or self._new(_valid_name(name), self.start)

    def enter(self, found: Sandbox, makes: Callable[[], bool] = lambda: True) -> Sandbox:
        """Use what `find` returned for an accepted request, and add it if it is new.

        Returns another sandbox if one of this name was added meanwhile; a Problem if none may be dropped, or
        if it is new and the request `makes` none.
        """
        if found is self.default or found is self.outside:
            return found
        with self._lock:
            now = self._seconds()
            sandbox = self._open.get(found.name)
            if sandbox is None:
                if found.name in self._gone:
                    raise self._gone_problem(found.name)
                if not makes():
                    raise self._unmade_problem(found.name)
                return self._add(found, now)
            self._open.move_to_end(found.name)
            sandbox.last_used = now
            return sandbox

    def create(self, name: str | None, start: SandboxState) -> Sandbox:
        """Create a sandbox, with a generated name for None; Conflict if the name is in use."""
        if self.keeper is not None:
            self.keeper.hash_of(start)  # a large one takes a while
        with self._lock:
            now = self._seconds()
            self._drop_idle(now)
            name = self._fresh() if name is None else name
            if name == DEFAULT or name in self._open:
                raise self._exists(name)
            sandbox = self._add(self._new(_valid_name(name), start), now)
            self._gone.pop(name, None)
            return sandbox

    def drop(self, name: str) -> None:
        """Drop a sandbox; calls in progress end as usual."""
        with self._lock:
            self._drop_idle(self._seconds())
            if name == DEFAULT:
                reason = "the default sandbox is never dropped; POST /__admin/reset resets it"
                raise Conflict("Default sandbox", reason=reason, sandbox=name)
            if name not in self._open:
                raise self._unknown(name)
            self._forget(name, "was deleted")

    def get(self, name: str = DEFAULT) -> Sandbox:
        """Existing sandbox of this name, without counting as use; NotFound if there is none."""
        with self._lock:
            self._drop_idle(self._seconds())
            found = self.default if name == DEFAULT else self._open.get(name)
            if found is None:
                raise self._unknown(name)
            return found

    def listed(self) -> list[Sandbox]:
        """All sandboxes by name."""
        with self._lock:
            self._drop_idle(self._seconds())
            return sorted([self.default, *self._open.values()], key=lambda sandbox: sandbox.name)

    def recovered(self, sandbox: Sandbox) -> None:
        """Take in a sandbox of another process."""
        if sandbox.name == DEFAULT:
            self.default = sandbox
        else:
            sandbox.last_used = self._seconds()
            self._open[sandbox.name] = sandbox

    def new(self, name: str, start: SandboxState) -> Sandbox:
        """Sandbox that is not added."""
        return self._new(name, start)

    def adopt(self, others: Sandboxes, names: set[str]) -> None:
        """Take over the snapshots and these sandboxes of others, and what is known of dropped ones."""
        self.snapshots = others.snapshots
        if DEFAULT in names:
            self.default, self.start = others.default, others.start
        with others._lock:
            self._open.update((name, each) for name, each in others._open.items() if name in names)
            self._gone.update(others._gone)

    def idle(self, sandbox: Sandbox) -> float | None:
        """Seconds since its last request began; None for the default one, which never expires."""
        return None if sandbox is self.default else self._seconds() - sandbox.last_used

    def _fresh(self) -> str:
        name = self.outside.ids.new("sandbox")
        if self.keeper is not None:
            self.keeper.named_sandbox(self.outside.ids.counters().ordinals["sandbox"])
        return name if name not in self._open and name not in self._gone else self._fresh()

    def _add(self, sandbox: Sandbox, now: float) -> Sandbox:
        most = self._limits.most
        if len(self._open) >= most:
            oldest = next(iter(self._open.values()))
            used = now - oldest.last_used
            if used < SAFE_SECONDS:
                raise TooManySandboxes(most, SAFE_SECONDS - used)
            self._forget(oldest.name, f"was the least recently used of more than {most}")
        if self.keeper is not None:
            self.keeper.adopt(sandbox)
        sandbox.last_used = now
        self._open[sandbox.name] = sandbox
        sandbox.journal.happened("sandbox", sandbox.instant(), f"created from {sandbox.start.origin}")
        return sandbox

    def _drop_idle(self, now: float) -> None:
        while self._open:
            name, sandbox = next(iter(self._open.items()))
            if now - sandbox.last_used <= self._limits.idle_seconds:
                return
            self._forget(name, f"was not used for {self._limits.idle_seconds:g} seconds")

    def _forget(self, name: str, why: str) -> None:
        dropped = self._open.pop(name)
        if self.keeper is not None:
            self.keeper.dropped(dropped)
        dropped.faults.clear()  # nobody can release what it holds
        dropped.journal.happened("sandbox", dropped.instant(), why)
        self._gone[name] = why
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)

    @staticmethod
    def _exists(name: str) -> Conflict:
        reason = f"sandbox {name!r} exists already: use it, reset it, or delete it first"
        return Conflict("Sandbox exists", reason=reason, sandbox=name)

    def _gone_problem(self, name: str) -> SandboxGone:
        revive = f'POST /__admin/sandboxes {{"id": "{name}"}} starts it again, or use another name'
        return SandboxGone(
            "Sandbox gone", reason=f"sandbox {name!r} {self._gone[name]}; {revive}", sandbox=name
        )

    def _unmade_problem(self, name: str) -> SandboxUnknown:
        how = f'POST /__admin/sandboxes {{"id": "{name}"}} creates it'
        near = nearest(name, self._open)
        return SandboxUnknown(
            "Sandbox not found", reason=f"nobody has created sandbox {name!r}; {how}{near}", sandbox=name
        )

    def _unknown(self, name: str) -> NotFound:
        why = self._gone.get(name, f"does not exist{nearest(name, self._open)}")
        return NotFound("Sandbox not found", reason=f"sandbox {name[:80]!r} {why}", sandbox=name)


def _valid_name(name: str) -> str:
    if not NAME.fullmatch(name):
        reason = f"{name[:80]!r} is not a valid sandbox name: {_ALLOWED}"
        raise BadSandbox("Bad sandbox name", reason=reason)
    return name
