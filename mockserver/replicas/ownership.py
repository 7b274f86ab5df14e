"""Lease of a replica, and the sandboxes that it owns."""

from __future__ import annotations

import threading
import time
from typing import Any

from mockserver.persistence.state_store import Log
from mockserver.replicas import redis_link as keys
from mockserver.replicas.problems import Elsewhere, Refused, StoreUnavailable
from mockserver.replicas.redis_link import RedisLink, lease_key, sandbox_keys
from mockserver.sandbox.clock import real_time

LEASE = 2.0
"""Seconds for which a replica may answer reads after it has told Redis that it runs."""
RENEWAL = 0.4
"""Seconds between two renewals."""


def suspended_too() -> float:
    """Seconds, of which those count as well in which the machine was suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """Time until which a replica owns what it owns; once it has ended, it never begins again."""

    def __init__(self, replica: str) -> None:
        self.replica = replica
        self.until = 0.0
        self.ended = threading.Event()
        """Set when it has ended, or the replica ends; streams end then."""
        self.is_over = False

    def end(self) -> None:
        """End it."""
        self.until, self.is_over = 0.0, True
        self.ended.set()

    @property
    def is_valid(self) -> bool:
        """Whether nobody else can be the owner."""
        return suspended_too() < self.until


class RedisLog(Log):
    """Log of a sandbox in Redis; its length is the number of entries so far."""

    def __init__(self, name: str, epoch: int, length: int, lease: Lease) -> None:
        super().__init__(name, 0, length)
        self.grown = 0
        self.epoch, self.lease = epoch, lease
        self.keys = sandbox_keys(name)
        self.lock = threading.Lock()
        self.is_ready = False
        """Whether what it tells is in memory."""
        self.is_lost = False
        """Whether the store has refused a change."""
        self.behind = 0
        """Microseconds by which the sandbox's time is ahead of the machine's, as the store knows them."""


class Acquired:
    """What the store tells a replica that becomes the owner of a sandbox."""

    def __init__(self, values: list[Any]) -> None:
        texts = [each.decode() if isinstance(each, bytes) else str(each) for each in values]
        self.epoch, self.length = int(texts[1]), int(texts[2])
        self.previous, self.previous_epoch = texts[3], int(texts[4])
        self.gone = texts[8]
        """Why there is no sandbox of this name any more."""
        clock, behind, floor = texts[5:8]
        self.floor: int | None = int(clock) + int(behind) if clock else int(floor) if floor else None
        """Latest instant that the previous owner can have told, in microseconds of the sandbox's source."""


class Ownership:
    """Sandboxes that this replica owns, by name."""

    def __init__(self, link: RedisLink, url: str, name: str) -> None:
        """`name`: of this process, which no other one has."""
        self.link, self.url = link, url
        self._name, self._number = name, 0
        self.held: dict[str, RedisLog] = {}
        self.lease = Lease("")
        self.is_closed = False
        self._last: dict[str, tuple[str, str]] = {}
        """Last known owners of other sandboxes, for reads while Redis does not answer."""

    @property
    def is_ready(self) -> bool:
        """Whether Redis answers, and this replica has its lease."""
        return not self.link.failed_at and self.lease.is_valid and not self.is_closed

    def holds(self, name: str) -> bool:
        """Whether this replica owns the sandbox for certain."""
        log = self.held.get(name)
        if log is None or not log.is_ready or log.is_lost or log.lease is not self.lease:
            return False
        return suspended_too() < log.lease.until

    def holds_strictly(self, name: str) -> bool:
        """The same, as the store has it now."""
        log = self.held.get(name)
        if log is None or not self.holds(name):
            return False
        return bool(self.link.script(keys.HOLDS, log.keys[:1], log.lease.replica, log.epoch, ""))

    def acquire(self, name: str, expires: int) -> Acquired:
        """Become the owner; Elsewhere if another replica is, StoreUnavailable if that is unknown."""
        if self.is_closed:
            raise Refused("this replica ends")
        lease = self.lease
        key = sandbox_keys(name)[0]
        try:
            found = self.link.script(
                keys.ACQUIRE, (key, lease_key(lease.replica)), lease.replica, keys.PREFIX, expires
            )
        except StoreUnavailable:
            if name in self._last and not self.link.is_down(LEASE):
                raise Elsewhere(*self._last[name]) from None
            raise
        if found[0] == b"lapsed" or not lease.is_valid:
            raise Refused("this replica has not renewed its lease yet")
        if found[0] == b"owned":
            while len(self._last) > 10_000:
                self._last.pop(next(iter(self._last)), None)
            self._last[name] = found[1].decode(), found[2].decode()
            raise Elsewhere(*self._last[name])
        self._last.pop(name, None)
        return Acquired(found)

    def renew(self) -> bool:
        """Renew the lease, or begin another one if it has ended: whether Redis answered."""
        before, lease = suspended_too(), self.lease
        milliseconds, latest = int(LEASE * 1000), real_time() + int(LEASE * 1_000_000)
        try:
            if lease.replica and not lease.is_over:
                key = lease_key(lease.replica)
                clock = f"{keys.PREFIX}clock:{lease.replica}"
                if self.link.script(keys.RENEW, (key, clock), milliseconds, latest, is_probe=True):
                    lease.until = before + LEASE
                    return True
                lease.end()
            if lease.replica:  # which the store may still know
                self.link.call(lambda redis: redis.delete(lease_key(lease.replica)), is_probe=True)
            self._number += 1
            fresh = Lease(f"{self._name}.{self._number}")
            self.link.call(
                lambda redis: redis.set(lease_key(fresh.replica), self.url, px=milliseconds), is_probe=True
            )
            self.link.call(
                lambda redis: redis.set(f"{keys.PREFIX}clock:{fresh.replica}", latest, px=86_400_000)
            )
            fresh.until = before + LEASE
            self.lease = fresh
        except StoreUnavailable:
            if lease.until and not lease.is_valid:
                lease.end()
            return False
        return True

    def drop_lease(self) -> None:
        """End the lease: this replica owns nothing any more."""
        self.lease.end()
        self.link.call(lambda redis: redis.delete(lease_key(self.lease.replica)))
