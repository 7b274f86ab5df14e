"""Replicas: one owner for each sandbox, and what happens when it, or Redis, stops."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from tests.replicas.cluster import CONTINUE, END, KILL, STOP, Cluster, Replica, cluster
from tests.running import eventually

LEASE = 2.5
"""Seconds after which a lease has certainly ended."""


@pytest.fixture
def both() -> Iterator[tuple[Cluster, Replica, Replica]]:
    with cluster() as made:
        yield made, made.replica(), made.replica()


def spaces(replica: Replica, sandbox: str = "s") -> set[str]:
    answer = replica.names(sandbox)
    assert answer.status_code == 200, answer.text
    return {space["name"] for space in answer.json()["spaces"]}


Both = tuple[Cluster, Replica, Replica]


def test_any_replica_takes_any_request_and_names_the_owner(both: Both) -> None:
    _, one, two = both
    assert one.create(name="a").status_code == 201
    answer = two.create(name="b")
    assert answer.status_code == 201
    assert answer.headers["X-Mock-Owner"] == one.url
    assert {"a", "b"} <= spaces(one)
    assert {"a", "b"} <= spaces(two)


def test_the_log_has_the_request_id_of_each_write(both: Both) -> None:
    made, one, two = both
    ids = [replica.create(name="a").headers["x-request-id"] for replica in (one, two, one)]
    calls = [entry for entry in map(orjson.loads, made.redis.log("s")) if entry[0] == "call"]
    assert [entry[11] for entry in calls] == ids


def test_another_replica_takes_over_what_a_killed_one_owned(both: Both) -> None:
    _, one, two = both
    assert one.create(name="a").status_code == 201
    one.signal(KILL)
    assert eventually(lambda: two.create(name="b").status_code == 201)
    assert {"a", "b"} <= spaces(two)


def test_a_replica_that_ends_releases_what_it_owned_at_once(both: Both) -> None:
    made, one, two = both
    assert one.create(name="a").status_code == 201
    one.signal(END)
    assert one.child.process.wait(10) == 0
    answer = two.names()
    assert answer.headers["X-Mock-Owner"] == two.url
    assert "a" in spaces(two)
    assert all(orjson.loads(entry)[0] != "call" for entry in made.redis.log("s"))  # the snapshot has it


def test_a_paused_owner_neither_reads_nor_writes_when_it_wakes(both: Both) -> None:
    _, one, two = both
    assert one.create(name="a").status_code == 201
    one.signal(STOP)
    time.sleep(LEASE)
    assert eventually(lambda: two.create(name="b").status_code == 201)
    with ThreadPoolExecutor() as pool:
        read, write = pool.submit(one.names), pool.submit(Replica.create, one, "s", "c")
        time.sleep(0.2)
        one.signal(CONTINUE)
        assert {"a", "b"} <= {space["name"] for space in read.result().json()["spaces"]}
        assert write.result().headers["X-Mock-Owner"] == two.url
    assert {"a", "b", "c"} <= spaces(two)


def test_requests_to_a_paused_owner_are_answered_once_its_lease_has_ended(both: Both) -> None:
    _, one, two = both
    assert one.create(name="a").status_code == 201
    one.signal(STOP)
    begun = time.monotonic()
    assert eventually(lambda: two.names().status_code == 200)
    assert time.monotonic() - begun < 6
    one.signal(CONTINUE)
    assert "a" in spaces(one)


def test_without_redis_every_request_is_answered_within_two_seconds(both: Both) -> None:
    made, one, two = both
    assert one.create(name="a").status_code == 201
    assert one.names().status_code == 200
    made.redis.process.send_signal(STOP)
    begun = time.monotonic()
    assert one.names().status_code == 200  # its lease lasts
    assert time.monotonic() - begun < 1
    for replica in (one, two):
        begun = time.monotonic()
        refused = replica.create(name="b")
        assert time.monotonic() - begun < 2
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "STORE_UNAVAILABLE"
        assert refused.headers["Retry-After"] == "1"
    time.sleep(LEASE)
    for path, status in (("/__admin/health", 200), ("/__admin/ready", 503), ("/v1/models", 503)):
        begun = time.monotonic()
        assert one.call("GET", path).status_code == status, path
        assert time.monotonic() - begun < 2
    made.redis.process.send_signal(CONTINUE)
    assert eventually(lambda: one.call("GET", "/__admin/ready").status_code == 200)
    assert eventually(lambda: two.create(name="c").status_code == 201)
    assert {"a", "c"} <= spaces(one)


def test_a_restart_of_redis_loses_nothing_that_is_on_its_disk(both: Both) -> None:
    made, one, two = both
    for name in ("a", "b"):
        assert one.create(name=name).status_code == 201
    made.redis.process.kill()
    made.redis.process.wait()
    assert one.create(name="c").status_code == 503
    made.redis.start()
    assert eventually(lambda: two.create(name="d").status_code == 201)
    assert {"a", "b", "d"} <= spaces(one)
    assert "c" not in spaces(one)


@pytest.mark.parametrize(
    ("sandbox", "method", "path", "status"),
    [("s", "DELETE", "/__admin/sandboxes/s", 204), ("default", "POST", "/__admin/reset", 200)],
)
def test_a_sandbox_that_cannot_be_recovered_is_refused_until_it_is_discarded(
    both: Both, sandbox: str, method: str, path: str, status: int
) -> None:
    made, one, two = both
    assert one.create(sandbox, name="a").status_code == 201
    one.signal(KILL)
    (last, fields), *_ = made.redis.client.xrevrange(f"freddy:sandbox:{sandbox}:log", count=1)
    made.redis.client.xtrim(f"freddy:sandbox:{sandbox}:log", maxlen=0)
    made.redis.client.xadd(f"freddy:sandbox:{sandbox}:log", fields, id=f"{int(last.split('-')[0]) + 5}-0")

    def is_refused() -> bool:
        return "can't be recovered" in two.names(sandbox).headers.get("X-Mock-Reason", "")

    assert eventually(is_refused)
    assert two.names("another").status_code == 200
    assert two.call(method, path, sandbox).status_code == status
    assert two.names(sandbox).status_code == (200 if sandbox == "default" else 410)


def test_an_owner_that_wakes_forgets_what_another_one_has(both: Both) -> None:
    made, one, two = both
    assert one.create(name="a").status_code == 201
    one.signal(STOP)
    time.sleep(LEASE)
    assert eventually(lambda: two.create(name="b").status_code == 201)
    one.signal(CONTINUE)
    assert one.names().headers["X-Mock-Owner"] == two.url
    assert one.call("DELETE", "/__admin/sandboxes/s").status_code == 204
    assert one.names().status_code == two.names().status_code == 410
    assert made.redis.client.keys("freddy:sandbox:s:*") == ["freddy:sandbox:s:owner"]


def test_a_body_that_is_too_large_is_refused_by_any_replica(both: Both) -> None:
    _, one, two = both
    assert one.create().status_code == 201
    for replica in (one, two):
        assert replica.create(name="x" * 1_100_000).status_code == 413


def test_strict_reads_ask_redis_before_they_answer() -> None:
    with cluster() as made:
        one = made.replica("--strict-reads")
        assert one.create().status_code == 201
        before = made.redis.client.info("commandstats")["cmdstat_evalsha"]["calls"]
        for _ in range(50):
            assert one.names().status_code == 200
        assert made.redis.client.info("commandstats")["cmdstat_evalsha"]["calls"] >= before + 50
        made.redis.client.hset("freddy:sandbox:s:owner", "epoch", 99)
        assert one.names().headers["X-Mock-Owner"] == one.url  # taken over again, from the log
