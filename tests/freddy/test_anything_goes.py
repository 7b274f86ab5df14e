"""Whatever is written in whatever order: no failure, and the parts of the state go on fitting together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.app import create_app
from mockserver.settings import Settings
from tests.running import FROZEN

ORG = "org_abc123"
STORES = f"/v1/organizations/{ORG}/vector-stores"
WORDS = ("rotterdam", "warehouse", "penguin", "thursday", "launch budget")
APP = create_app(Settings(freeze=FROZEN, quiet=True, embedding_failure_rate=0.3, embedding_retries=1))
APP.testing = True
KINDS = (
    *("new space", "new thread", "add", "add", "remove", "say", "say", "ask", "ask in space", "ask new"),
    *("edit", "edit", "delete message", "delete message", "delete thread", "delete space", "wait", "wait"),
    *("drain", "back", "new store", "attach", "detach", "change store", "delete store", "order", "note"),
)


class Walk:
    """Calls of the owner; ids are taken from what is there, or was."""

    def __init__(self) -> None:
        APP.sandboxes.get().reset()
        self.sandbox = APP.sandboxes.get()
        self.client = APP.test_client()
        self.ids: dict[str, list[str]] = {
            "space": ["space_abc123", "space_support", "space_other"],
            "thread": ["thrd_abc123", "thrd_support1", "thrd_def456", "thrd_other1"],
            "store": ["vs_def456", "vs_auto123", "vs_nowhere"],
            "message": [],
        }

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer; a failure or a violation of the spec is raised."""
        answer = self.client.open(path, method=method, headers={"X-API-Key": "ak_demo_owner"}, json=body)
        text = answer.get_data(as_text=True)
        assert answer.status_code < 500, text
        return answer.get_json() if answer.is_json else {}

    def step(self, kind: str, a: int, b: int, c: int) -> None:
        """One call."""
        space, thread, store = (
            self.ids[name][i % len(self.ids[name])] for name, i in (("space", a), ("thread", b), ("store", c))
        )
        text, messages = f"{WORDS[a % 5]} {WORDS[b % 5]} {c}", f"/v1/threads/{thread}/messages"
        known = [*self.sandbox.messages.ids("thread", thread), "msg_nowhere"]
        message = f"{messages}/{known[c % len(known)]}"
        asked: Any = {"inputs": [{"role": "user", "content": text}], "include": ["file_search.results"]}
        link, attached = f"/v1/spaces/{space}/threads/{thread}", f"/v1/spaces/{space}/vector-stores/{store}"
        calls: dict[str, tuple[Any, ...]] = {
            "new space": ("POST", "/v1/spaces/", {"organization_id": ORG, "name": text}),
            "new thread": ("POST", "/v1/threads", {"organization_id": ORG}),
            "add": ("POST", link),
            "remove": ("DELETE", link),
            "say": ("POST", f"/__admin/threads/{thread}/messages", {"role": "user", "content": text}),
            "ask": ("POST", "/v1/model/response", asked | {"thread_id": thread, "stream": bool(c % 2)}),
            "ask in space": ("POST", "/v1/model/response", asked | {"thread_id": thread, "space_id": space}),
            "ask new": ("POST", "/v1/model/response", asked | {"space_id": space, "store": bool(c % 2)}),
            "edit": ("PATCH", message, {"content": text}),
            "note": ("PATCH", message, {"metadata": {text: text}}),
            "delete message": ("DELETE", message),
            "delete thread": ("DELETE", f"/v1/threads/{thread}"),
            "delete space": ("DELETE", f"/v1/spaces/{space}"),
            "wait": ("PUT", "/__admin/clock", {"advance": c / 10}),
            "drain": ("POST", "/__admin/embeddings/drain"),
            "back": ("PUT", "/__admin/clock", {"freeze": f"2026-02-26T10:{c % 60:02}:00Z"}),
            "new store": ("POST", STORES, {"name": text}),
            "attach": ("POST", attached),
            "detach": ("DELETE", attached),
            "change store": ("PATCH", f"{STORES}/{store}", {"name": text, "access_mode": "private"}),
            "delete store": ("DELETE", f"{STORES}/{store}"),
            "order": ("POST", "/__admin/replies", {"text": text, "times": 1 + c % 3}),
        }
        answer = self.call(*calls[kind])
        if kind in ("new space", "new thread") and "id" in answer:
            self.ids[kind.removeprefix("new ")].append(answer["id"])
        elif kind == "new store":
            self.ids["store"].append(answer["data"]["id"])
        elif "thread_id" in answer and kind == "ask new":
            self.ids["thread"].append(answer["thread_id"])

    def check(self) -> None:
        """Each thread counts its messages; each space has one job for each message of its threads."""
        listed = self.call("GET", f"/v1/spaces/?organization_id={ORG}&limit=100")["spaces"]
        for space in (space for space in listed if space["id"] != "space_team"):
            expected: list[str] = []
            for thread in self.call("GET", f"/v1/spaces/{space['id']}/threads?limit=100")["data"]:
                messages = list(self.sandbox.messages.ids("thread", thread["id"]))
                assert thread["message_count"] == len(messages)
                expected += messages
            queue = self.call("GET", f"/__admin/embeddings?space_id={space['id']}&limit=1000")
            assert sorted(job["message_id"] for job in queue["jobs"]) == sorted(expected)
            states = [job["state"] for job in queue["jobs"]]
            assert queue["counts"] == {state: states.count(state) for state in queue["counts"]}
            own = self.call("GET", f"{STORES}/{space['vector_store_id']}")["data"]
            assert own["data_size"] == 256 * states.count("completed")
            links = self.call("GET", f"/v1/spaces/{space['id']}/vector-stores")["vector_stores"]
            assert [each["vector_store_id"] for each in links] == space["additional_vector_store_ids"]
            assert all(each["vector_store_id"] in self.sandbox.vector_stores for each in links)
        for thread_id in self.ids["thread"]:
            if (thread := self.sandbox.threads.get(thread_id)) and thread["user_id"] == "usr_abc123":
                page = self.call("GET", f"/v1/threads/{thread_id}/messages?limit=100")
                assert len(page["data"]) == thread["message_count"] or page["has_more"]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), *[st.integers(0, 60)] * 3), max_size=25))
def test_whatever_is_written_the_counts_fit_what_is_listed(steps: list[tuple[str, int, int, int]]) -> None:
    walk = Walk()
    for step in steps:
        walk.step(*step)
        walk.check()
    APP.sandboxes.get().reset()
