"""Python with which each replica is broken on purpose, so that the judges have something to find."""

_LEASE = """
from mockserver.replicas.ownership import Ownership
def _holds(self, name):
    log = self.held.get(name)
    return log is not None and log.is_ready and not log.is_lost
Ownership.holds = _holds
"""
_FENCE = """
from mockserver.replicas import redis_link
redis_link.APPEND = '''
local length = redis.call('HGET', KEYS[1], 'length') or 0
redis.call('XADD', KEYS[2], (length + 1) .. '-0', 'entry', ARGV[5])
redis.call('HSET', KEYS[1], 'length', length + 1)
return 1
'''
"""
STALL = """
import random, time
from mockserver.replicas import redis_link as _link
_script = _link.RedisLink.script
def _late(self, text, *args, **options):
    if text == _link.APPEND and random.random() < 0.005:
        time.sleep(3)
    return _script(self, text, *args, **options)
_link.RedisLink.script = _late
"""
"""One write in 200 reaches the store late, when the lease may have ended."""
PATCHES = {"lease": _LEASE, "fence": _FENCE, "both": _LEASE + _FENCE}
"""What is left out: the look at the lease before an answer; the store's check of owner, epoch and length."""
