"""Sandboxes of all replicas: those that this one owns are in memory, the others are elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson

from mockserver.persistence.opening import FAILURES, reason_of
from mockserver.persistence.recovery import Recovery
from mockserver.replicas.keeper import ReplicaKeeper
from mockserver.replicas.ownership import Acquired, Ownership, RedisLog
from mockserver.replicas.problems import Elsewhere, Refused, StoreUnavailable, Unrecoverable
from mockserver.replicas.redis_link import PREFIX
from mockserver.sandbox.gc_pause import gc_paused
from mockserver.sandbox.sandbox import Sandbox, SandboxState
from mockserver.sandbox.sandboxes import DEFAULT, Sandboxes

STRIPES = 64


class ReplicaSandboxes(Sandboxes):
    """Every sandbox that this replica owns; others are taken over when they are asked for."""

    owners: Ownership
    keeper: ReplicaKeeper
    recovery: Recovery
    notice: Callable[[str], object]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._moving = [threading.RLock() for _ in range(STRIPES)]

    def find(self, name: str | None) -> Sandbox:
        """Sandbox that a request names; Elsewhere if another replica owns it."""
        self.locate(DEFAULT if name is None else name)
        return super().find(name)

    def enter(self, found: Sandbox, makes: Callable[[], bool] = lambda: True) -> Sandbox:
        """Use what `find` returned; Refused if another replica may own it meanwhile."""
        if found.name == DEFAULT:
            return self.default
        if found.last_used and found.name not in self._open:
            raise Refused(f"ownership of sandbox {found.name!r} is moving")
        return super().enter(found, makes)

    def is_current(self, sandbox: object, name: str) -> bool:
        """Whether a sandbox is still the one of this name, or was never added."""
        if sandbox is self.outside:
            return True
        return sandbox is self.default if name == DEFAULT else self._open.get(name, sandbox) is sandbox

    def locate(self, name: str) -> None:
        """Become the owner of a sandbox unless this replica is; Elsewhere if another one is."""
        if self.owners.holds(name):
            return
        with self._moved(name):
            if not self.owners.holds(name):
                self._take_over(name)

    def create(self, name: str | None, start: SandboxState) -> Sandbox:
        """Create a sandbox, with a generated name for None."""
        self.keeper.hash_of(start)  # a large one takes a while
        name = self._fresh() if name is None else name
        self.locate(name)
        return super().create(name, start)

    def let_go(self, name: str) -> None:
        """Leave the name of a sandbox that was asked for and does not exist to other replicas."""
        if name == DEFAULT or name in self._open:
            return
        with self._moved(name):
            with self._lock:
                log = None if name in self._open else self.owners.held.pop(name, None)
            if log is None:
                return
            with suppress(StoreUnavailable):
                self.keeper.store.release(log, 0, is_nothing=name not in self._gone)

    def discard(self, name: str) -> None:
        """Begin a sandbox anew that can't be recovered."""
        with self._moved(name):
            found = self.owners.acquire(name, self.keeper.store.expires(name))
            log = RedisLog(name, found.epoch, found.length, self.owners.lease)
            self.keeper.store.remove(log)
            self.keeper.store.release(log, found.floor or 0)
        self.locate(name)
        if name != DEFAULT:
            self.create(name, self.start)

    def give_up(self, name: str) -> None:
        """Forget a sandbox that another replica may own."""
        self.owners.held.pop(name, None)
        with self._lock:
            sandbox = self.default if name == DEFAULT else self._open.pop(name, None)
            if name == DEFAULT:
                self.default = self._new(DEFAULT, self.start)
        if sandbox is not None and sandbox.kept is not None:
            self.keeper.forget(sandbox)
            sandbox.faults.clear()

    def release_all(self) -> None:
        """Leave all sandboxes to other replicas, as they are now."""
        for name, log in list(self.owners.held.items()):
            sandbox = self.default if name == DEFAULT else self._open.get(name)
            with suppress(StoreUnavailable):
                self.keeper.store.release(log, 0 if sandbox is None else sandbox.source())

    def _take_over(self, name: str) -> None:
        try:
            found = self.owners.acquire(name, self.keeper.store.expires(name))
        except Elsewhere:
            if name in self.owners.held:
                self.give_up(name)
            raise
        held, lease = self.owners.held.get(name), self.owners.lease
        if held is not None:
            with held.lock:
                before = (held.is_ready, held.lease.replica, held.epoch, held.length)
                if before == (True, found.previous, found.previous_epoch, found.length):  # nobody has had it
                    held.epoch, held.lease, held.is_lost = found.epoch, lease, False
                    return
            self.give_up(name)
        log = RedisLog(name, found.epoch, found.length, lease)
        try:
            with gc_paused():
                self._recover(log, found)
            log.is_ready = True
        except FAILURES as error:
            if isinstance(error, StoreUnavailable):
                raise
            with suppress(StoreUnavailable):
                self.keeper.store.release(log, found.floor or 0)
            how = "POST /__admin/reset" if name == DEFAULT else f"DELETE /__admin/sandboxes/{name}"
            why = f"sandbox {name!r} can't be recovered: {reason_of(error)}; {how} discards it"
            raise Unrecoverable(why) from error

    def _recover(self, log: RedisLog, found: Acquired) -> None:
        name, stored = log.name, self.keeper.store.stored(log.name)
        if stored is None:
            with self._lock:
                self._gone.pop(name, None)
                if found.gone and name != DEFAULT:
                    self._gone[name] = found.gone
            self.owners.held[name] = log
            if name == DEFAULT:
                self.default = self._new(DEFAULT, self.start)
                self.keeper.adopt(self.default)
            return
        snapshot, entries = stored
        sandbox = self.recovery.sandbox(name, snapshot, entries)
        log.behind = sandbox.source.reach(found.floor or 0)
        self.keeper.tell_behind(log)
        sandbox.journal.rings[0].dropped += 1  # what the previous owner had is lost
        log.grown, log.snapshot_bytes = sum(map(len, entries)), len(snapshot)
        self.owners.held[name] = log
        kept = self.keeper.attach(sandbox, log)
        kept.start = sandbox.start, orjson.loads(snapshot.partition(b"\n")[0])["start"]
        kept.is_changed = bool(entries)
        self.keeper.remember(*kept.start)
        with self._lock:
            self._gone.pop(name, None)
            self.recovered(sandbox)

    def _fresh(self) -> str:
        number = self.keeper.store.link.call(lambda redis: redis.incr(f"{PREFIX}names"))
        ids = self.outside.ids
        ids.restore({**ids.counters().ordinals, "sandbox": number - 1})
        return ids.new("sandbox")

    def _forget(self, name: str, why: str) -> None:
        log = self.owners.held.get(name)
        try:
            if log is not None:
                self.keeper.store.remove(log, why)
        except Refused:
            self.keeper.dropped(self._open.pop(name))
            raise
        super()._forget(name, why)

    def _drop_idle(self, now: float) -> None:
        with suppress(StoreUnavailable):
            super()._drop_idle(now)

    @contextmanager
    def _moved(self, name: str) -> Iterator[None]:
        with self._moving[hash(name) % STRIPES]:
            yield
