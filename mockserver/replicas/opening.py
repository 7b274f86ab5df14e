"""One of many replicas: its parts, and how it joins the others."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from mockserver.corridor import Corridor
from mockserver.http.cors import is_loopback
from mockserver.identity import identity
from mockserver.openapi.yaml_document import DocumentError
from mockserver.persistence.recovery import Recovery
from mockserver.replicas.corridor import ReplicaCorridor
from mockserver.replicas.keeper import ReplicaKeeper, ReplicaSnapshots
from mockserver.replicas.ownership import Ownership
from mockserver.replicas.passing import Passing
from mockserver.replicas.peers import Peers
from mockserver.replicas.problems import StoreUnavailable
from mockserver.replicas.redis_link import RedisLink
from mockserver.replicas.redis_store import RedisStore
from mockserver.replicas.sandboxes import ReplicaSandboxes
from mockserver.settings import Settings

SYNC_SINCE = (7, 2)
"""Version of Redis that can wait for its disk."""
MAY_DIFFER = {"version", "document", "settings"}
"""What may differ between replicas, as it does during an upgrade: entries are held to their digests."""


class Replicas:
    """What a replica has beyond a mock; DocumentError if the store can't be used."""

    def __init__(
        self, settings: Settings, notice: Callable[[str], object], stopping: threading.Event
    ) -> None:
        assert settings.store is not None
        assert settings.advertise is not None
        assert settings.replica_token is not None
        if not is_loopback(settings.host) and settings.admin_token is None:
            raise DocumentError("--store: needs --admin-token TOKEN, the same for all replicas")
        self._notice, self._stopping = notice, stopping
        try:
            self._link = RedisLink(settings.store)
        except ValueError as error:
            raise DocumentError(f"--store: {error}") from None
        url = settings.advertise.rstrip("/")
        self._owners = Ownership(self._link, url, os.urandom(8).hex())
        self._peers = Peers(self._link, settings.replica_token)
        self.snapshots = ReplicaSnapshots()
        self.corridor: Callable[..., Corridor] = partial(
            ReplicaCorridor,
            passing=Passing(self._peers, settings.admin_token),
            token=settings.replica_token,
            strict=settings.strict_reads,
        )

    def sandboxes(self, *args: Any, **options: Any) -> ReplicaSandboxes:
        """Sandboxes of the replica."""
        self._sandboxes = ReplicaSandboxes(*args, **options)
        self._sandboxes.owners, self._sandboxes.notice = self._owners, self._notice
        return self._sandboxes

    def open(
        self,
        settings: Settings,
        spec: Mapping[str, Any],
        served: Mapping[str, Any],
        recovery: Callable[[Callable[[str], bytes]], Recovery],
    ) -> ReplicaKeeper:
        """Join the other replicas."""
        store = RedisStore(self._link, settings.sandbox_idle_seconds, sync=settings.store_sync)
        keeper = ReplicaKeeper(store, spec, self._notice, self._owners, self._peers.look, self._stopping)
        try:
            self._require_fitting(store, identity(settings, served), sync=settings.store_sync)
            sandboxes = self._sandboxes
            sandboxes.recovery = recovery(store.state)
            imported = dict(self.snapshots.listed())
            sandboxes.keeper = self.snapshots.keeper = keeper
            self.snapshots.state_of = sandboxes.recovery.state
            keeper.release_all = sandboxes.release_all
            keeper.saved(imported, sandboxes.default.name)
            keeper.start()
        except StoreUnavailable as error:
            raise DocumentError(f"--store: {error}") from None
        return keeper

    def _require_fitting(self, store: RedisStore, own: Mapping[str, Any], *, sync: bool) -> None:
        if sync:
            version = self._link.call(lambda redis: redis.info("server"))["redis_version"]
            if tuple(map(int, str(version).split(".")[:2])) < SYNC_SINCE:
                raise DocumentError(
                    f"--store-sync: Redis at {self._link.place} is {version}, and only 7.2 and later waits "
                    "for its disk; upgrade it, or leave --store-sync out"
                )
        before = orjson.loads(store.read("mock") or b"null")
        if before is not None:
            differing = "; ".join(
                f"{name} was {before.get(name)!r}, is {own[name]!r}"
                for name in sorted(own.keys() - MAY_DIFFER)
                if before.get(name) != own[name]
            )
            if differing:
                raise DocumentError(
                    f"--store: Redis at {self._link.place} has sandboxes of another mock: {differing}; start "
                    "that one, or give another database (redis://HOST/1)"
                )
        store.write("mock", orjson.dumps(own))
