"""Changes whose answer Redis did not send in time, and what a replica makes of them later."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import requests

from mockserver.app import create_app
from mockserver.replicas import keeper
from mockserver.settings import Settings
from tests.replicas.cluster import CONTINUE, KEY, KILL, STOP, Cluster, Replica, cluster
from tests.running import eventually

Change = Callable[[Replica], requests.Response]


def spaces(replica: Replica, sandbox: str = "s") -> set[str]:
    answer = replica.names(sandbox)
    assert answer.status_code == 200, answer.text
    return {space["name"] for space in answer.json()["spaces"]}


def unanswered(made: Cluster, replica: Replica, change: Change) -> None:
    """Make a change that Redis carries out only after the replica has given it up."""
    made.redis.process.send_signal(STOP)
    assert change(replica).status_code == 503
    made.redis.process.send_signal(CONTINUE)
    assert eventually(lambda: replica.call("GET", "/__admin/ready").status_code == 200)


@pytest.mark.parametrize(
    "change",
    [
        lambda replica: replica.create(name="late"),
        lambda replica: replica.call("POST", "/__admin/reset?to=empty"),
        lambda replica: replica.call("DELETE", "/__admin/sandboxes/s"),
    ],
    ids=["entry", "snapshot", "deletion"],
)
def test_a_change_that_redis_carries_out_late_is_one_for_all_replicas(change: Change) -> None:
    with cluster() as made:
        one, two = made.replica(), made.replica()
        assert one.create(name="before").status_code == 201
        unanswered(made, one, change)
        one.create(name="after")  # of whatever there is now: a deleted sandbox has gone
        known = one.names()
        one.signal(KILL)
        assert eventually(lambda: two.names().status_code == known.status_code)
        assert known.status_code == 410 or spaces(two) == {each["name"] for each in known.json()["spaces"]}


def test_a_redis_that_has_lost_everything_gets_the_starting_states_again() -> None:
    with cluster() as made:
        one, two = made.replica(), made.replica()
        assert one.create(name="before").status_code == 201
        made.redis.client.flushall()
        time.sleep(1)
        assert eventually(lambda: one.create(name="after").status_code == 201)
        one.signal(KILL)
        three = made.replica()
        assert eventually(lambda: three.names().status_code == 200)
        assert "after" in spaces(three)
        assert spaces(two) == spaces(three)


def test_a_replica_that_nobody_asks_drops_idle_sandboxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "KEEP", 0.5)
    with cluster() as made:
        app = create_app(
            Settings(
                store=made.redis.url,
                advertise="http://127.0.0.1:1",
                replica_token="a-token-1",
                sandbox_idle_seconds=0.1,
            )
        )
        assert app.keeper is not None
        assert app.test_client().get("/v1/models", headers={**KEY, "X-Mock-Sandbox": "s"}).status_code == 200
        assert eventually(lambda: not made.redis.client.exists("freddy:sandbox:s:snapshot"))
        app.keeper.close()


def test_a_fork_to_a_name_of_another_replica_is_a_conflict() -> None:
    with cluster() as made:
        one, two = made.replica(), made.replica()
        one.create("from")
        two.create("to")
        answer = one.call("POST", "/__admin/sandboxes/from/fork", json={"id": "to"})
        assert answer.status_code == 409, answer.text
