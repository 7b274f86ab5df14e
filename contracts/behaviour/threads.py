"""Metadata of threads and messages, and pinned threads."""

from __future__ import annotations

import time

from contracts.checks.check import check, equal
from contracts.checks.errors import Broken
from contracts.http.run import Run

FULL = {f"key {number}": "before" for number in range(16)}
"""Maximum number of pairs."""
MOST = 20
"""Pinned threads of a user in an organization."""


@check("updateThread", "getThread")
def a_threads_metadata_is_merged(run: Run) -> None:
    """PATCH of a thread merges the metadata and keeps everything that it does not name."""
    thread = run.owner.new_thread(metadata={"a": "1", "b": "2"})
    path = f"/v1/threads/{thread['id']}"
    answer = run.owner.ask("PATCH", path, {"metadata": {"b": "3", "c": "4"}})
    equal(answer.status, 200, "status")
    equal(answer.body["metadata"], {"a": "1", "b": "3", "c": "4"}, "metadata", "/metadata")
    equal(answer.body["title"], thread["title"], "title", "/title")
    equal(run.owner.get(path).body["metadata"], answer.body["metadata"], "read back", "/metadata")
    emptied = run.owner.ask("PATCH", path, {"metadata": {}})
    equal(emptied.body["metadata"], answer.body["metadata"], "after a PATCH without a pair", "/metadata")


@check("updateThreadMessage", "listThreadMessages")
def a_messages_metadata_is_merged(run: Run) -> None:
    """PATCH of a message merges the metadata, and keeps the pairs and the text that it does not name."""
    thread_id = run.owner.new_thread()["id"]
    equal(run.owner.ask_model("Good morning.", thread_id=thread_id).status, 200, "storing the message")
    listing = f"/v1/threads/{thread_id}/messages"
    path = f"{listing}/{run.owner.get(listing).body['data'][0]['id']}"
    for pairs in ({"a": "1", "b": "2"}, {"b": "3"}, {}):
        equal(run.owner.ask("PATCH", path, {"metadata": pairs}).status, 200, f"sending {pairs}")
    message = run.owner.get(listing).body["data"][0]
    equal(message["metadata"], {"a": "1", "b": "3"}, "metadata", "/data/0/metadata")
    equal(message["content"], "Good morning.", "content", "/data/0/content")


@check("createThread", "updateThread")
def a_full_set_of_metadata_can_be_changed(run: Run) -> None:
    """A thread may have sixteen pairs, and each of them can be changed."""
    path = f"/v1/threads/{run.owner.new_thread(metadata=FULL)['id']}"
    answer = run.owner.ask("PATCH", path, {"metadata": {"key 3": "after"}})
    equal(answer.status, 200, "changing one of sixteen pairs")
    equal(answer.body["metadata"], {**FULL, "key 3": "after"}, "metadata", "/metadata")


@check("updateThread")
def a_seventeenth_pair_of_metadata_is_refused(run: Run) -> None:
    """A seventeenth pair is 422, and changes nothing."""
    path = f"/v1/threads/{run.owner.new_thread(metadata=FULL)['id']}"
    answer = run.owner.ask("PATCH", path, {"metadata": {"key 3": "after", "one more": "x"}})
    equal(answer.status, 422, "sending a seventeenth pair")
    equal(run.owner.get(path).body["metadata"], FULL, "the metadata after it", "/metadata")


@check("pinThread", "unpinThread", "listThreads")
def a_pinned_thread_is_marked_and_listed_among_the_pinned(run: Run) -> None:
    """Pinning marks a thread and lists it with is_pinned=true; unpinning removes the mark."""
    thread = run.owner.new_thread()["id"]
    for verb, pinned in (("pin", True), ("unpin", False)):
        done = run.owner.ask("POST", f"/v1/threads/{thread}/{verb}")
        equal(done.status, 200, f"status of {verb}")
        equal(done.body.get("is_pinned"), pinned, f"is_pinned after {verb}", "/is_pinned")
        read = run.owner.get(f"/v1/threads/{thread}").body
        equal(read.get("is_pinned"), pinned, f"is_pinned of the thread after {verb}", "/is_pinned")
        equal(read.get("pinned_at") is not None, pinned, f"whether pinned_at is set after {verb}")
        page = run.owner.get("/v1/threads", limit=100, is_pinned="true").body
        listed = thread in [each["id"] for each in page["data"]]
        equal(listed, pinned, f"listed among the pinned threads after {verb}", "/data")


@check("pinThread")
def no_more_than_twenty_threads_are_pinned(run: Run) -> None:
    """A user pins at most twenty threads; a further one is 422."""
    pinned: list[str] = []
    try:
        while len(pinned) <= MOST:
            thread = run.owner.new_thread()["id"]
            status = run.owner.ask("POST", f"/v1/threads/{thread}/pin").status
            if status == 422:
                return
            equal(status, 200, "status of pin")
            pinned.append(thread)
        raise Broken(f"{len(pinned)} threads are pinned", expected=422, got=status)
    finally:
        for thread in pinned:
            run.owner.ask("POST", f"/v1/threads/{thread}/unpin")


@check("pinThread", "listThreads")
def the_last_pinned_thread_comes_first(run: Run) -> None:
    """Pinned threads come before the others, the last pinned first, whatever was made last."""
    first, second, other = run.owner.new_threads(3)

    def listed() -> list[str]:
        return [thread for thread in run.owner.ids("/v1/threads", limit=100) if thread in expected]

    expected = [first, second, other]
    try:
        for thread in (second, first):
            equal(run.owner.ask("POST", f"/v1/threads/{thread}/pin").status, 200, "status of pin")
        if listed() != expected:  # pinned_at may be whole seconds
            time.sleep(1.1)
            for verb in ("unpin", "pin"):
                equal(run.owner.ask("POST", f"/v1/threads/{first}/{verb}").status, 200, f"status of {verb}")
        equal(listed(), expected, "the order of the list", "/data")
    finally:
        for thread in (first, second):
            run.owner.ask("POST", f"/v1/threads/{thread}/unpin")


@check("createThread", "updateThread", "getThread")
def metadata_holds_any_json(run: Run) -> None:
    """Values of metadata may be lists, objects, numbers and flags, and read back as they were sent."""
    sent = {
        "category": "support",
        "tags": ["billing", "urgent"],
        "more": {"n": 1.5, "done": True, "by": None},
    }
    thread = run.owner.new_thread(metadata=sent)
    equal(thread["metadata"], sent, "metadata", "/metadata")
    path = f"/v1/threads/{thread['id']}"
    equal(run.owner.ask("PATCH", path, {"metadata": {"tags": []}}).status, 200, "status of PATCH")
    equal(run.owner.get(path).body["metadata"], {**sent, "tags": []}, "read back", "/metadata")


@check("updateThread", "updateVectorStore")
def null_keeps_what_can_not_be_cleared(run: Run) -> None:
    """null for visible_in_ui of a thread, or name and access_mode of a store, changes nothing."""
    thread, store = run.owner.new_thread(visible_in_ui=False), run.owner.new_vector_store()
    for path, unset in (
        (f"/v1/threads/{thread['id']}", {"visible_in_ui": None}),
        (f"{run.owner.stores}/{store['id']}", {"name": None, "access_mode": None}),
    ):
        before = run.owner.get(path).body
        equal(run.owner.ask("PATCH", path, unset).status, 200, f"status of {unset}")
        after = run.owner.get(path).body
        for name in unset:
            equal(after.get("data", after)[name], before.get("data", before)[name], f"{name} after null")
