"""Keeper of the sandboxes that a replica owns, and of the snapshots by name that all replicas share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from mockserver.persistence.keeper import Keeper
from mockserver.persistence.kept_sandbox import pieces
from mockserver.replicas.ownership import RENEWAL, Ownership, RedisLog
from mockserver.replicas.problems import Refused, StoreUnavailable
from mockserver.replicas.redis_link import PREFIX
from mockserver.replicas.redis_store import RedisStore
from mockserver.sandbox.clock import elapsed
from mockserver.sandbox.sandbox import Sandbox, SandboxState
from mockserver.sandbox.snapshots import Snapshots

KEEP = 60.0
"""Seconds between two times at which the keys of what is in use are kept from expiring."""
NAMED = f"{PREFIX}snapshots"


class ReplicaKeeper(Keeper):
    """Keeper with a lease."""

    store: RedisStore

    def __init__(
        self,
        store: RedisStore,
        spec: Mapping[str, Any],
        notice: Callable[[str], object],
        owners: Ownership,
        look: Callable[[], object],
        stopping: threading.Event,
    ) -> None:
        """`look` is called after each renewal of the lease; `stopping`: set when the mock ends."""
        super().__init__(store, spec, notice)
        self.owners, self._look_at_others, self._ends = owners, look, stopping
        self.release_all: Callable[[], object] = lambda: None
        self._ended = threading.Event()
        self._renewals = threading.Thread(target=self._renew, name="lease", daemon=True)

    def start(self) -> None:
        """Begin; the lease begins with it."""
        self.owners.renew()
        self._thread.start()
        self._renewals.start()

    def adopt(self, sandbox: Sandbox) -> None:
        """Keep a new sandbox; StoreUnavailable if it can't be."""
        log = self.owners.held.get(sandbox.name)
        if log is None:
            raise Refused(f"ownership of sandbox {sandbox.name!r} is moving")
        kept = self.attach(sandbox, log)
        try:
            moment = kept.moment(log.length)._replace(state=None)
            self.store.put_snapshot(log, log.length, pieces(moment, self._spec))
        except StoreUnavailable:
            self._forget(kept)
            raise
        kept.is_changed = False

    def dropped(self, sandbox: Sandbox) -> None:
        """Forget a sandbox that was removed."""
        self.forget(sandbox)
        self.owners.held.pop(sandbox.name, None)

    def forget(self, sandbox: Sandbox) -> None:
        """Keep a sandbox no longer."""
        if sandbox.kept is not None:
            self._forget(sandbox.kept)

    def named_sandbox(self, ordinal: int) -> None:
        """Nothing: the store has the ordinal."""

    def remove_unused(self) -> None:
        """Nothing: whole states expire."""

    def tell_behind(self, log: RedisLog) -> None:
        """Tell the store by how much a sandbox's time is ahead of this machine's."""
        self.store.link.call(lambda redis: redis.hset(log.keys[0], "behind", log.behind))

    def saved(self, states: Mapping[str, SandboxState], by: str) -> None:
        """Keep snapshots of a sandbox."""
        rows = {name: orjson.dumps([self.hash_of(state), by]) for name, state in states.items()}
        if rows:
            self.store.link.call(lambda redis: redis.hset(NAMED, mapping=rows))

    def deleted(self, name: str) -> None:
        """Keep that a snapshot was deleted."""
        self.store.link.call(lambda redis: redis.hdel(NAMED, name))

    def close(self) -> None:
        """Write a snapshot of each sandbox that has changed, and leave all to other replicas."""
        self.owners.is_closed = True
        for kept in self.kept():
            kept.is_changed = kept.is_changed and self.owners.holds(kept.sandbox.name)
        super().close()
        self._ended.set()
        self._renewals.join()
        self.release_all()
        with suppress(StoreUnavailable):
            self.owners.drop_lease()

    def _renew(self) -> None:
        kept_at = elapsed()
        while not self._ended.is_set():
            if not self._ends.is_set():
                self._ends.wait(RENEWAL)
            else:  # streams end at once, but sandboxes are still to be written
                self.owners.lease.ended.set()
                self._ended.wait(RENEWAL)
            if self.owners.renew():
                with suppress(StoreUnavailable):
                    for log in list(self.owners.held.values()):
                        self._look(log)
                    if elapsed() - kept_at > KEEP:
                        kept_at = elapsed()
                        self._keep()
            with suppress(StoreUnavailable):
                self._look_at_others()

    def _look(self, log: RedisLog) -> None:
        kept = self._kept.get(log.name)
        if (
            kept is not None and kept.sandbox.source.reach(0) != log.behind
        ):  # the machine's clock was set back
            log.behind = kept.sandbox.source.reach(0)
            self.tell_behind(log)

    def _keep(self) -> None:
        sandboxes = list(self._kept.values())
        named = map(orjson.loads, self.store.link.call(lambda redis: redis.hvals(NAMED)))
        digests = {*(each.start[1] for each in sandboxes), *(digest for digest, _ in named)}
        self.store.keep([each.sandbox.name for each in sandboxes], digests)


class ReplicaSnapshots(Snapshots):
    """Snapshots by name as the store has them."""

    keeper: ReplicaKeeper
    state_of: Callable[[str], SandboxState]
    """Whole state by its hash."""

    def __init__(self) -> None:
        super().__init__()
        self._digests: dict[str, str] = {}

    def save_all(self, states: Mapping[str, SandboxState], by: str) -> None:
        """Save states of a sandbox under their names."""
        self._read()
        super().save_all(states, by)

    def get(self, name: str) -> SandboxState:
        """State of this name; NotFound if there is none."""
        self._read()
        return super().get(name)

    def delete(self, name: str) -> None:
        """Delete a snapshot."""
        self._read()
        super().delete(name)

    def listed(self) -> list[tuple[str, SandboxState]]:
        """All snapshots by name."""
        self._read()
        return super().listed()

    def _read(self) -> None:
        """Read what other replicas have changed."""
        if self.keeper is None:
            return  # not open yet
        rows = self.keeper.store.link.call(lambda redis: redis.hgetall(NAMED))
        found = {name.decode(): orjson.loads(row) for name, row in rows.items()}
        for name, (digest, by) in found.items():
            if self._digests.get(name) != digest:
                state = self.state_of(digest)
                with self._lock:
                    self._kept[name], self._by[name], self._digests[name] = state, by, digest
        with self._lock:
            for name in self._kept.keys() - found.keys():
                del self._kept[name]
                self._by.pop(name, None)
                self._digests.pop(name, None)
