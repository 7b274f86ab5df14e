"""Instants before 1970 and in the year 9999 work everywhere; real time never goes back."""

from __future__ import annotations

import json
import re
from itertools import islice
from random import Random
from typing import Any

import pytest

from mockserver.app import create_app
from mockserver.sandbox.clock import TimeSource, instant
from mockserver.settings import Settings
from tests.test_instants import calls, learn

SECOND = 1_000_000
INSTANTS = ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
OWNER = "ak_demo_owner"
CONTROL: list[tuple[str, str, Any]] = [
    *[("GET", f"/__admin/{each}", None) for each in ("clock", "embeddings", "state", "sandboxes", "faults")],
    *[("GET", f"/__admin/{each}", None) for each in ("requests?limit=1000", "events?timeout=0", "coverage")],
    ("PUT", "/__admin/snapshots/x", None),
    ("GET", "/__admin/snapshots", None),
    ("POST", "/__admin/sandboxes/default/fork", None),
    ("POST", "/__admin/seed", {"threads": 3, "messages": 3, "spaces": 1}),
    ("POST", "/__admin/embeddings/drain", None),
    ("PUT", "/__admin/clock", {"advance": "P1D"}),
    ("PUT", "/__admin/clock", {"resume": True}),
    ("GET", "/__admin/clock", None),
]
LIMITS: list[dict[str, Any]] = [
    {},
    {"rate_limit": "60/min,burst 5"},
    {"generate": "threads=9,messages=3,spaces=2"},
]


@pytest.mark.slow
@pytest.mark.parametrize("more", LIMITS, ids=str)
@pytest.mark.parametrize("freeze", INSTANTS)
def test_every_request_is_answered_at_any_instant(freeze: str, more: dict[str, Any]) -> None:
    settings = Settings(quiet=True, freeze=freeze, embedding_seconds=2, embedding_failure_rate=0.5, **more)
    client = create_app(settings).test_client()
    known = {"space": ["space_abc123"], "thrd": ["thrd_abc123"], "vs": ["vs_abc123"], "msg": ["msg_1"]}
    requests = [*islice(calls(Random(1), known), 150)]
    for method, path, body, key in (*requests, *((*each, OWNER) for each in CONTROL)):
        answer = client.open(path, method=method, json=body, headers={"X-API-Key": key})
        assert answer.status_code < 500, answer.data
        assert not re.search(rb'"[a-z_]*(?:_at|timestamp|now|at)" ?: ?""', answer.data)
        assert int(answer.headers.get("X-RateLimit-Reset", 0)) >= 0
        if answer.data.startswith(b"{"):
            learn(json.loads(answer.data), known)
    state = client.get("/__admin/state").get_json()
    assert client.put("/__admin/state", json=state).status_code == 200


def test_real_time_that_is_set_back_continues_from_its_last_instant() -> None:
    real = [100, 200, 150, 160, 400, 10, 11]
    source = TimeSource(iter(real).__next__)
    assert [source() for _ in real] == [100, 200, 200, 210, 450, 450, 451]


def test_a_clock_that_is_set_back_leaves_every_job_as_it_is() -> None:
    app = create_app(Settings(quiet=True, embedding_seconds=1))
    client, sandbox = app.test_client(), app.sandboxes.default
    now = instant("2026-02-26T10:30:00Z")
    sandbox.source.real = lambda: now
    client.post("/v1/spaces/space_abc123/threads/thrd_def456", headers={"X-API-Key": OWNER})

    def counts() -> Any:
        return client.get("/__admin/embeddings").get_json()

    started = counts()
    now += 2 * SECOND
    before = counts()
    assert before != started
    now -= 3600 * SECOND
    assert counts() == before
    at = client.get("/__admin/clock").get_json()["now"]
    now += SECOND
    assert client.get("/__admin/clock").get_json()["now"] > at
