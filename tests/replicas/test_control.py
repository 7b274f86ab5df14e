"""/__admin on every replica."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests

from tests.replicas.cluster import END, KEY, KILL, Cluster, Replica, cluster
from tests.running import eventually

Both = tuple[Cluster, Replica, Replica]


@pytest.fixture(scope="module")
def shared() -> Iterator[Both]:
    """Replicas that a test may ask, but not end."""
    with cluster() as made:
        yield made, made.replica(), made.replica()


def test_the_list_of_sandboxes_is_a_union_with_owners(shared: Both) -> None:
    _, one, two = shared
    one.create("of-one")
    two.create("of-two")
    for replica in shared[1:]:
        rows = replica.call("GET", "/__admin/sandboxes").json()["sandboxes"]
        owners = {row["id"]: row["owner"] for row in rows}
        assert owners["of-one"] == one.url
        assert owners["of-two"] == two.url


def test_what_is_about_one_sandbox_reaches_its_owner(shared: Both) -> None:
    _, one, two = shared
    one.create("about", name="known")
    assert "known" in two.call("GET", "/__admin/state", "about").text
    assert two.call("GET", "/__admin/sandboxes/about").json()["id"] == "about"
    assert two.call("GET", "/__admin/requests", "about").json()["total"] >= 1
    assert two.call("PUT", "/__admin/clock", "about", json={"freeze": "2026-02-26T10:30:00Z"}).ok
    assert one.call("GET", "/__admin/clock", "about").json()["frozen"]
    fork = two.call("POST", "/__admin/sandboxes/about/fork", json={"id": "fork"})
    assert fork.status_code == 201
    assert "known" in one.names("fork").text


def test_a_sandbox_is_created_once_and_is_gone_everywhere_once_deleted(shared: Both) -> None:
    _, one, two = shared
    assert one.call("POST", "/__admin/sandboxes", json={"id": "once"}).status_code == 201
    assert two.call("POST", "/__admin/sandboxes", json={"id": "once"}).status_code == 409
    assert two.call("DELETE", "/__admin/sandboxes/once").status_code == 204
    for replica in (one, two):
        assert replica.names("once").status_code == 410
    assert two.call("POST", "/__admin/sandboxes", json={"id": "once"}).status_code == 201
    assert one.names("once").status_code == 200


def test_generated_names_differ(shared: Both) -> None:
    made = [replica.call("POST", "/__admin/sandboxes", json={}) for replica in shared[1:] * 3]
    assert [answer.status_code for answer in made] == [201] * 6
    assert len({answer.json()["id"] for answer in made}) == 6


def test_snapshots_are_those_of_all_replicas(shared: Both) -> None:
    _, one, two = shared
    one.create("saved", name="in-it")
    assert one.call("PUT", "/__admin/snapshots/of-saved", "saved").status_code == 201
    listed = two.call("GET", "/__admin/snapshots").json()["snapshots"]
    assert "of-saved" in {each["name"] for each in listed}
    assert two.call("POST", "/__admin/sandboxes", json={"id": "of-it", "snapshot": "of-saved"}).ok
    assert "in-it" in one.names("of-it").text
    assert one.call("DELETE", "/__admin/snapshots/of-saved").status_code == 204
    assert "of-saved" not in two.call("GET", "/__admin/snapshots").text


def test_the_page_is_served_by_each_replica(shared: Both) -> None:
    for replica in shared[1:]:
        answer = replica.call("GET", "/__admin/")
        assert answer.status_code == 200
        assert "text/html" in answer.headers["Content-Type"]


def test_only_replicas_with_the_token_may_pass_requests_on(shared: Both) -> None:
    answer = shared[1].call("GET", "/v1/models", headers={"X-Mock-Replica-Token": "wrong"})
    assert answer.status_code == 403
    assert "--replica-token" in answer.headers["X-Mock-Reason"]


def test_an_upload_and_a_download_are_passed_on(shared: Both) -> None:
    _, one, two = shared
    one.create("files")
    content = b"0123456789" * 200_000
    form = {"files": ("big.txt", content, "text/plain")}
    sent = two.call("POST", "/v1/organizations/org_abc123/files/upload", "files", files=form)
    assert sent.status_code == 201, sent.text
    state = [replica.call("GET", "/__admin/state", "files") for replica in (one, two)]
    assert [answer.headers["X-Mock-Owner"] for answer in state] == [one.url] * 2
    assert len(state[1].content) > len(content)
    assert abs(len(state[0].content) - len(state[1].content)) < 100


def test_a_stream_is_passed_on_event_by_event(shared: Both) -> None:
    _, one, two = shared
    one.create("stream")
    events = two.session.get(
        two.url + "/__admin/events", headers={**KEY, "X-Mock-Sandbox": "stream"}, stream=True, timeout=10
    )
    lines = events.iter_lines()
    threading.Timer(0.3, lambda: one.create("stream", name="seen")).start()
    found = next(line for line in lines if b"createSpace" in line)
    assert json.loads(found.removeprefix(b"data: "))
    events.close()


def test_a_stream_ends_with_the_ownership_and_can_be_taken_up() -> None:
    with cluster() as made:
        one, two = made.replica(), made.replica()
        words = [f"word{number} " for number in range(20)]
        reply = {"text": "".join(words), "deltas": words, "pace": 0.2}
        assert one.call("POST", "/__admin/replies", "stream", json=reply).status_code == 201
        body = {"thread_id": "thrd_abc123", "stream": True, "inputs": [{"role": "user", "content": "?"}]}
        stream = two.call("POST", "/v1/model/response", "stream", json=body, stream=True)
        assert stream.headers["X-Mock-Owner"] == one.url
        lines, seen = stream.iter_lines(decode_unicode=True), list[str]()
        for line in lines:
            seen.append(line)
            if "word2" in line:
                one.signal(END)
                break
        with suppress(requests.RequestException):
            seen += lines
        assert "data: [DONE]" not in seen
        last = [line.removeprefix("id: ") for line in seen if line.startswith("id: ")][-1]
        path = f"/v1/model/response/thrd_abc123/stream?last_event_id={last}"
        rest = two.call("GET", path, "stream")
        assert rest.headers["X-Mock-Owner"] == two.url
        assert "data: [DONE]" in rest.text
        together = "\n".join(seen) + rest.text
        assert all(together.count(f'"{word}"') == 1 for word in words)


def test_expired_keys_leave_nothing_in_redis() -> None:
    with cluster() as made:
        one = made.replica("--sandbox-idle-seconds", "5")
        one.create("short")
        for kind in ("owner", "log", "snapshot"):
            left = made.redis.client.pttl(f"freddy:sandbox:short:{kind}")
            assert 600_000 < left <= 605_000
        one.signal(KILL)
        for key in made.redis.client.keys("freddy:sandbox:*"):
            assert made.redis.client.pttl(key) > 0


def test_time_never_goes_back_when_the_clock_of_the_next_owner_is_behind() -> None:
    with cluster() as made:
        one, two = made.replica(), made.replica()
        one.create("time")
        key = "freddy:sandbox:time:owner"
        made.redis.client.hset(key, "behind", 3600 * 1_000_000)  # as if the first one's were an hour ahead
        one.signal(KILL)
        assert eventually(lambda: two.names("time").status_code == 200)
        now = two.call("GET", "/__admin/clock", "time").json()["now"]
        assert now > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3500))
