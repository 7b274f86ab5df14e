"""Logs, snapshots and whole states in Redis, which many replicas use.

freddy:sandbox:NAME:owner       hash: owner, epoch, length of the log; `gone` if it was deleted
freddy:sandbox:NAME:log         stream: entries after the snapshot, each with its position as id
freddy:sandbox:NAME:snapshot    hash: `at`, the position that it stands for, and `data`
freddy:lease:REPLICA            URL of a replica, for as long as its lease lasts
freddy:clock:REPLICA            latest instant that it can tell, until its lease ends
freddy:state:SHA256             whole states, each once
freddy:snapshots                hash: snapshot by name -> hash of its state, and the sandbox that saved it
freddy:names                    ordinal of generated names
freddy:mock                     what the mock serves
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

from mockserver.persistence.frames import DamagedError
from mockserver.persistence.state_store import Log
from mockserver.replicas import redis_link as keys
from mockserver.replicas.ownership import RedisLog
from mockserver.replicas.problems import Refused
from mockserver.replicas.redis_link import PREFIX, RedisLink, sandbox_keys

LONG = 30 * 86_400_000
"""Milliseconds without a replica after which the default sandbox expires, and what belongs to none."""
MARGIN = 600_000
"""Milliseconds for which a sandbox stays in Redis after its replica would have dropped it."""
GONE = 86_400_000
"""Milliseconds for which it is known that a sandbox was dropped."""


class RedisStore:
    """Store that many replicas use: each changes only the sandboxes that it owns."""

    folder = Path("redis")

    def __init__(self, link: RedisLink, idle_seconds: float, *, sync: bool = False) -> None:
        """`idle_seconds`: after which a sandbox is dropped; `sync`: wait until Redis's disk has a change."""
        self.link, self._sync = link, sync
        self._expires = int(idle_seconds * 1000) + MARGIN

    def expires(self, name: str) -> int:
        """Milliseconds without use after which a sandbox leaves Redis."""
        return LONG if name == "default" else self._expires

    def names(self) -> list[str]:
        """Names of all sandboxes."""
        pattern, found = f"{PREFIX}sandbox:*:snapshot", list[str]()
        for key in self.link.call(lambda redis: list(redis.scan_iter(pattern, count=1000))):
            found.append(key.decode().removeprefix(f"{PREFIX}sandbox:").removesuffix(":snapshot"))
        return sorted(found)

    def stored(self, name: str) -> tuple[bytes, list[bytes]] | None:
        """Snapshot of a sandbox and the entries after it; None if there is no sandbox; or DamagedError."""
        _, log, snapshot = sandbox_keys(name)
        pipe = self.link.redis.pipeline(transaction=True)
        pipe.hmget(snapshot, "at", "data")
        pipe.xrange(log)
        (at, data), rows = self.link.call(lambda _: pipe.execute())
        if data is None:
            if rows:
                raise DamagedError("there is no snapshot")
            return None
        places = [int(id_.split(b"-")[0]) for id_, _ in rows]
        if places != list(range(int(at) + 1, int(at) + 1 + len(places))):
            raise DamagedError("a part of the log is missing")
        return _uncompressed(data), [fields[b"entry"] for _, fields in rows]

    def load(self, name: str) -> tuple[bytes, list[bytes], Log, int]:
        """The same as `stored`, as the interface has it."""
        raise NotImplementedError(name)

    def begin(self, name: str, pieces: Iterable[bytes]) -> Log:
        """The same as `put_snapshot`, as the interface has it."""
        raise NotImplementedError(name)

    def append(self, log: Log, entry: bytes) -> None:
        """Append an entry; Refused if another replica is the owner."""
        assert isinstance(log, RedisLog)
        with log.lock:
            self._change(log, keys.APPEND, log.length, entry)
            log.length += 1
            log.grown += len(entry)

    def rotate(self, log: Log) -> int:
        """Position for which a snapshot can stand."""
        return log.length

    def put_snapshot(self, log: Log, number: int, pieces: Iterable[bytes]) -> None:
        """Put a snapshot in front of what follows a position of the log; what is older is removed."""
        assert isinstance(log, RedisLog)
        packer = zlib.compressobj(1)
        data = b"".join([*map(packer.compress, pieces), packer.flush()])
        with log.lock:
            is_last = log.length == number
            self._change(log, keys.SNAPSHOT, number if is_last else "", number, data)
            log.snapshot_bytes = len(data)
            if is_last:
                log.grown = 0

    def remove(self, log: Log, why: str = "was deleted") -> None:
        """Remove everything of a sandbox; others know that it is gone."""
        assert isinstance(log, RedisLog)
        with log.lock:
            self._change(log, keys.REMOVE, log.length, why, expires=GONE)

    def release(self, log: RedisLog, latest: int, *, is_nothing: bool = False) -> None:
        """Leave a sandbox to other replicas; `latest`: last instant that it told."""
        with log.lock:
            expires = 60_000 if is_nothing else self.expires(log.name)
            self._change(log, keys.RELEASE, "", latest, expires=expires)

    def keep(self, names: Iterable[str], digests: Iterable[str]) -> None:
        """Keep sandboxes, whole states and what belongs to all from expiring."""
        pipe = self.link.redis.pipeline(transaction=False)
        for name in names:
            for key in sandbox_keys(name):
                pipe.pexpire(key, self.expires(name))
        for key in ("snapshots", "names", "mock", *(f"state:{each}" for each in digests)):
            pipe.pexpire(f"{PREFIX}{key}", LONG)
        self.link.call(lambda _: pipe.execute())

    def set_aside(self, name: str) -> Path:
        """Nothing: what can't be recovered stays where it is."""
        return Path(name)

    def has_state(self, digest: str) -> bool:
        """Whether there is a whole state with this hash, which does not expire soon then."""
        return bool(self.link.call(lambda redis: redis.pexpire(f"{PREFIX}state:{digest}", LONG)))

    def write_state(self, digest: str, pieces: Iterable[bytes]) -> None:
        """Write a whole state."""
        data = zlib.compress(b"".join(pieces), 1)
        self.link.call(lambda redis: redis.set(f"{PREFIX}state:{digest}", data, px=LONG))

    def state(self, digest: str) -> bytes:
        """A whole state; DamagedError if it is not there, or not whole."""
        data = self.link.call(lambda redis: redis.get(f"{PREFIX}state:{digest}"))
        if data is None:
            raise DamagedError(f"there is no state {digest}")
        return _uncompressed(data)

    def states(self) -> list[str]:
        """Nothing: whole states expire."""
        return []

    def remove_state(self, digest: str) -> None:
        """Nothing: other replicas may need it."""

    def read(self, name: str) -> bytes | None:
        """Content of a key about the store itself; None if there is none."""
        found: bytes | None = self.link.call(lambda redis: redis.get(PREFIX + name))
        return found

    def write(self, name: str, data: bytes) -> None:
        """Replace a key about the store itself."""
        self.link.call(lambda redis: redis.set(PREFIX + name, data))

    def flush(self) -> None:
        """Nothing: each change is sent at once."""

    def clear(self) -> None:
        """Nothing: other replicas use it."""

    def close(self) -> None:
        """Nothing: the process ends."""

    def _change(
        self, log: RedisLog, script: str, length: int | str, *args: object, expires: int | None = None
    ) -> None:
        if log.is_lost:
            raise Refused(f"sandbox {log.name!r} has another owner")
        expires = self.expires(log.name) if expires is None else expires
        values = (log.lease.replica, log.epoch, length, expires, *args)
        if not self.link.script(script, log.keys, *values, sync=self._sync):
            log.is_lost = True
            raise Refused(f"sandbox {log.name!r} has another owner")


def _uncompressed(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise DamagedError(str(error)) from error
