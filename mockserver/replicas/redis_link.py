"""Link to Redis: the names of keys, the scripts, and what happens when it does not answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from mockserver.replicas.problems import StoreUnavailable
from mockserver.sandbox.clock import elapsed

TIMEOUT = 0.4
"""Seconds that a call of Redis may take."""
PREFIX = "freddy:"

ACQUIRE = """
if redis.call('EXISTS', KEYS[2]) == 0 then return {'lapsed'} end
local had = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'length', 'behind', 'floor', 'gone')
local owner, clock = had[1], false
if owner and owner ~= '' then
  local url = owner ~= ARGV[1] and redis.call('GET', ARGV[2] .. 'lease:' .. owner)
  if url then return {'owned', owner, url} end
  clock = redis.call('GET', ARGV[2] .. 'clock:' .. owner)
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local told = {clock or '', had[4] or 0, had[5] or '', had[6] or ''}
return {'here', epoch, had[3] or 0, owner or '', had[2] or 0, unpack(told)}
"""
"""Owner of a sandbox, or this replica from now on, in a new epoch."""
_OWNED = """
local had = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'length')
local length = had[3] or '0'
if had[1] ~= ARGV[1] or had[2] ~= ARGV[2] or (ARGV[3] ~= '' and length ~= ARGV[3]) then return 0 end
"""
"""What begins every script of an owner: nothing is done for anybody else, nor for a log of another length."""
_TOUCH = "for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[4]) end return 1"
APPEND = f"""{_OWNED}
redis.call('XADD', KEYS[2], (length + 1) .. '-0', 'entry', ARGV[5])
redis.call('HSET', KEYS[1], 'length', length + 1)
if redis.call('XLEN', KEYS[2]) > 1 then return 1 end
{_TOUCH}
"""
SNAPSHOT = f"""{_OWNED}
local at = tonumber(ARGV[5])
if ARGV[3] ~= '' then
  at = at + 1
  redis.call('HSET', KEYS[1], 'length', at)
end
if tonumber(redis.call('HGET', KEYS[3], 'at') or '-1') > at then return 1 end
redis.call('HSET', KEYS[3], 'at', at, 'data', ARGV[6])
redis.call('XTRIM', KEYS[2], 'MINID', (at + 1) .. '-0')
redis.call('HDEL', KEYS[1], 'gone')
{_TOUCH}
"""
"""A snapshot of everything takes a position of its own, so that one that came late is noticed."""
REMOVE = f"""{_OWNED}
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[1], 'gone', ARGV[5], 'length', length + 1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""
RELEASE = f"""{_OWNED}
redis.call('HSET', KEYS[1], 'owner', '', 'floor', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""
HOLDS = f"""{_OWNED}
return 1
"""
RENEW = """
if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', 86400000)
return 1
"""
"""A lease goes on, unless it has ended."""


def lease_key(replica: str) -> str:
    """Key of a replica's lease: its URL, until the lease ends."""
    return f"{PREFIX}lease:{replica}"


def sandbox_keys(name: str) -> tuple[str, str, str]:
    """Keys of a sandbox: its owner, its log, its snapshot."""
    return f"{PREFIX}sandbox:{name}:owner", f"{PREFIX}sandbox:{name}:log", f"{PREFIX}sandbox:{name}:snapshot"


class RedisLink:
    """Redis as a replica calls it; after a failure, calls fail at once until it answers again."""

    def __init__(self, url: str) -> None:
        """ValueError for a URL that is none."""
        retry = Retry(NoBackoff(), 0)  # an append that is sent twice would be refused
        self.redis: Any = Redis.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=retry, max_connections=10_000
        )
        parameters = self.redis.connection_pool.connection_kwargs
        self.place = f"{parameters.get('host') or parameters.get('path', '')}:{parameters.get('port', '')}"
        """Address for messages, without a password."""
        self._scripts: dict[str, Any] = {}
        self._idle: list[Any] = []
        """Connections that no script uses."""
        self.failed_at = 0.0
        """Since when calls fail; 0 if the last one did not."""

    def is_down(self, seconds: float) -> bool:
        """Whether it has not answered for so long."""
        return bool(self.failed_at) and elapsed() - self.failed_at > seconds

    def call(self, function: Callable[[Any], Any], *, is_probe: bool = False) -> Any:
        """Result of `function` of the client; StoreUnavailable if Redis does not answer.

        A probe is sent even if Redis did not answer before.
        """
        if self.failed_at and not is_probe:
            raise StoreUnavailable(f"Redis at {self.place} does not answer")
        try:
            result = function(self.redis)
        except RedisError as error:
            self.failed_at = self.failed_at or elapsed()
            raise StoreUnavailable(f"Redis at {self.place} does not answer: {error}") from error
        if self.failed_at:
            self.failed_at = 0.0
        return result

    def script(
        self, text: str, keys: Sequence[str], *args: Any, is_probe: bool = False, sync: bool = False
    ) -> Any:
        """Result of a script; `sync`: once it is on Redis's disk."""
        if sync:
            return self._synced(text, keys, args)
        known = self._scripts.get(text)
        if known is None:
            known = self._scripts[text] = self.redis.register_script(text)
        return self.call(lambda _: self._run(known, keys, args), is_probe=is_probe)

    def _run(self, script: Any, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """The same as the client does, in half of the time: every write waits for it."""
        connection = self._popped() or self.redis.connection_pool.make_connection()
        try:
            packed = connection.pack_command("EVALSHA", script.sha, len(keys), *keys, *args)
            connection.send_packed_command(packed, check_health=False)
            result = connection.read_response()
        except NoScriptError:
            self._idle.append(connection)
            return script(keys=keys, args=args)
        except BaseException:
            connection.disconnect()
            while (other := self._popped()) is not None:  # they have the same fate
                other.disconnect()
            raise
        self._idle.append(connection)
        return result

    def _popped(self) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _synced(self, text: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        pipe = self.redis.pipeline(transaction=False)  # it waits for what its own connection has written
        pipe.eval(text, len(keys), *keys, *args)
        pipe.execute_command("WAITAOF", 1, 0, int(TIMEOUT * 800))
        result, written = self.call(lambda _: pipe.execute())
        if result and not written[0]:
            raise StoreUnavailable("Redis did not write the change to its disk in time")
        return result
