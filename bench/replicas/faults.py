"""Faults of a cluster, one after the other."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from random import Random

from bench.replicas.clients import Told
from bench.replicas.processes import Cluster

SHORT = 1.0
"""Seconds of a fault that is over before a lease is."""
QUIET = 2.0
"""Seconds between two, at most."""


class Faults:
    """Faults in an order that a seed decides."""

    def __init__(self, cluster: Cluster, seed: int, longest: float, told: Told) -> None:
        """`longest`: seconds of a fault during which leases end."""
        self._cluster, self._pick, self._longest = cluster, Random(seed), longest
        self._told = told
        self.counts: Counter[str] = Counter()
        self._kinds: list[Callable[[float], None]] = [
            self.replica_paused,
            self.replica_killed,
            self.store_paused,
            self.store_killed,
        ]
        self._kinds += [self.replica_ended, *[self.replica_cut_off] * cluster.netns]

    def one(self) -> None:
        """Bring about one fault, and end it."""
        time.sleep(self._pick.random() * QUIET)
        kind = self._pick.choice(self._kinds)
        name = kind.__name__.replace("_", " ")
        self.counts[name] += 1
        self._told.fault = name
        kind(self._pick.choice([SHORT, SHORT * 3, self._longest]) * (0.5 + self._pick.random()))
        self._told.fault = f"after {name}"

    def replica_paused(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT."""
        replica = self._pick.choice(self._cluster.replicas)
        replica.pause()
        time.sleep(seconds)
        replica.wake()

    def replica_killed(self, seconds: float) -> None:
        """SIGKILL, and a new start."""
        replica = self._pick.choice(self._cluster.replicas)
        replica.kill()
        time.sleep(min(seconds, 3 * SHORT))
        replica.start()

    def replica_ended(self, _: float) -> None:
        """SIGTERM, and a new start."""
        replica = self._pick.choice(self._cluster.replicas)
        replica.end()
        replica.start()

    def store_paused(self, seconds: float) -> None:
        """SIGSTOP of Redis, and SIGCONT."""
        self._cluster.redis.signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._cluster.redis.signal(signal.SIGCONT)

    def store_killed(self, seconds: float) -> None:
        """SIGKILL of Redis, and a new start."""
        self._cluster.redis.kill()
        time.sleep(min(seconds, 3 * SHORT))
        self._cluster.redis.start()

    def replica_cut_off(self, seconds: float) -> None:
        """Packets of a replica to Redis are dropped."""
        replica = self._pick.choice(self._cluster.replicas)
        replica.cut(self._cluster.redis, off=True)
        time.sleep(seconds)
        replica.cut(self._cluster.redis, off=False)

    def heal(self) -> None:
        """Wait until everything can have recovered."""
        time.sleep(self._longest)
