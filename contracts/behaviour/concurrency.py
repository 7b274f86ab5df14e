"""Concurrent calls: the result equals that of some sequential order."""

from __future__ import annotations

from functools import partial

from contracts.checks.check import check, equal
from contracts.http.parallel import in_parallel
from contracts.http.run import Run


@check("addThreadToSpace", "listSpaceThreads")
def parallel_adds_of_one_thread_are_one_membership(run: Run) -> None:
    """Twenty adds of one thread at the same time list it once."""
    space_id, thread = run.owner.new_space()["id"], run.owner.new_thread()["id"]
    answers = in_parallel(lambda _: run.owner.add(space_id, thread), range(20))
    equal(run.owner.threads_of(space_id), [thread], "the threads")
    equal([a.status for a in answers if a.status >= 500], [], "server errors")


@check("addThreadToSpace", "listSpaceThreads", claim="all-threads-are-listed")
def parallel_adds_lose_nothing(run: Run) -> None:
    """Adds of different threads at the same time are all there afterwards."""
    space_id = run.owner.new_space()["id"]
    threads = run.owner.new_threads(10)
    answers = in_parallel(lambda t: run.owner.add(space_id, t), threads)
    equal({a.status for a in answers}, {201}, "the answers")
    equal(sorted(run.owner.threads_of(space_id)), sorted(threads), "the threads")


@check("removeThreadFromSpace", "listSpaceThreads")
def parallel_removals_all_count(run: Run) -> None:
    """Threads that are removed at the same time are all gone, and the others are still there."""
    threads = run.owner.new_threads(9)
    space_id = run.owner.space_with(*threads)
    answers = in_parallel(lambda t: run.owner.remove_thread(space_id, t), threads[:8])
    equal({a.status for a in answers}, {204}, "the answers")
    equal(run.owner.threads_of(space_id), threads[8:], "the threads")


@check("createSpace", "getSpace")
def parallel_creates_make_different_spaces(run: Run) -> None:
    """Spaces that are created at the same time have different ids, and each keeps its name."""
    names = [run.name() for _ in range(6)]
    created = in_parallel(lambda name: run.owner.new_space(name=name), names)
    equal(len({space["id"] for space in created}), 6, "different ids")
    read_back = [run.owner.get(f"/v1/spaces/{space['id']}").body["name"] for space in created]
    equal(read_back, names, "the names, read back")


@check("updateThread")
def parallel_changes_of_metadata_are_all_kept(run: Run) -> None:
    """Pairs of metadata that are sent at the same time are all merged."""
    path = f"/v1/threads/{run.owner.new_thread()['id']}"
    pairs = {f"k{number}": "v" for number in range(6)}
    changes = [{"metadata": {name: value}} for name, value in pairs.items()]
    in_parallel(partial(run.owner.ask, "PATCH", path), changes)
    equal(run.owner.get(path).body["metadata"], pairs, "metadata", "/metadata")


@check("updateSpace")
def parallel_patches_of_different_fields_are_all_kept(run: Run) -> None:
    """Changes of name and description at the same time are both kept."""
    for _ in range(3):
        space_id = run.owner.new_space(description="before")["id"]
        changes = [{"name": run.name()}, {"description": "after"}]
        in_parallel(partial(run.owner.ask, "PATCH", f"/v1/spaces/{space_id}"), changes)
        after = run.owner.get(f"/v1/spaces/{space_id}").body
        equal((after["name"], after["description"]), (changes[0]["name"], "after"), "name and description")


@check("createResponse", "getThread", "listThreadMessages")
def parallel_questions_are_all_counted(run: Run) -> None:
    """After questions in one thread at the same time it counts as many messages as it lists."""
    thread_id = run.owner.new_thread()["id"]
    asked = in_parallel(lambda n: run.owner.ask_model(f"Number {n}?", thread_id=thread_id), range(4))
    equal([a.status for a in asked if a.status >= 500], [], "server errors")
    listed = run.owner.get(f"/v1/threads/{thread_id}/messages", limit=100).body["data"]
    counted = run.owner.get(f"/v1/threads/{thread_id}").body["message_count"]
    equal(counted, len(listed), "messages counted beside those listed", "/message_count")
