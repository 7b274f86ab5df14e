"""Effects of one call on the responses to others."""

from __future__ import annotations

from contracts.behaviour.memory import require_running_clock
from contracts.behaviour.vendor_documents import not_found
from contracts.checks.check import check, equal
from contracts.checks.errors import Broken, Untested
from contracts.http.run import Run


@check("createSpace", "getSpace", "listSpaces")
def a_created_space_reads_back(run: Run) -> None:
    """A created space is private, has a store of its own, and reads back as it was answered."""
    space = run.owner.new_space(description="Ähnlich wie 日本 🚀")
    equal(space["access_mode"], "private", "access_mode", "/access_mode")
    equal(space["description"], "Ähnlich wie 日本 🚀", "description", "/description")
    equal(space["additional_vector_store_ids"], [], "attached stores", "/additional_vector_store_ids")
    if not space["vector_store_id"]:
        raise Broken("a space has a store of its own", pointer="/vector_store_id")
    equal(run.owner.get(f"/v1/spaces/{space['id']}").body, space, "what getSpace answers")


@check("updateSpace", "getSpace")
def a_patch_changes_what_it_names_and_nothing_else(run: Run) -> None:
    """PATCH changes the fields that it names, keeps all others, and is read back."""
    space = run.owner.new_space(description="before")
    path = f"/v1/spaces/{space['id']}"
    name = run.name()
    answer = run.owner.ask("PATCH", path, {"name": name})
    equal(answer.status, 200, "status")
    expected = {**space, "name": name, "updated_at": answer.body["updated_at"]}
    equal(answer.body, expected, "the answer")
    equal(run.owner.get(path).body, expected, "what getSpace answers")
    if answer.body["updated_at"] < space["created_at"]:
        raise Broken("updated_at is before created_at", pointer="/updated_at")


@check("updateSpace")
def null_clears_and_absent_keeps(run: Run) -> None:
    """PATCH with null clears the description; PATCH with nothing changes nothing; a null name is 422."""
    space = run.owner.new_space(description="text")
    path = f"/v1/spaces/{space['id']}"
    equal(run.owner.ask("PATCH", path, {}).body["description"], "text", "after {}", "/description")
    cleared = run.owner.ask("PATCH", path, {"description": None})
    equal(cleared.body["description"], None, "after null", "/description")
    equal(run.owner.ask("PATCH", path, {"name": None}).status, 422, "a null name")


@check("deleteSpace", "getSpace", "listSpaces")
def a_deleted_space_is_gone_and_its_threads_stay(run: Run) -> None:
    """After DELETE a space is 404 and unlisted, deleting it again is 404, and its threads still exist."""
    threads = run.owner.new_threads(3)
    space_id, other = run.owner.space_with(*threads), run.owner.space_with(*threads)
    path = f"/v1/spaces/{space_id}"
    deleted = run.owner.ask("DELETE", path)
    equal((deleted.status, deleted.text), (204, ""), "deleting")
    not_found(run.owner.get(path), "Space not found", space_id=space_id)
    equal(space_id in [s["id"] for s in run.owner.spaces()], False, "listed after that")
    equal(run.owner.get(f"{path}/threads").status, 404, "its threads")
    equal(run.owner.ask("DELETE", path).status, 404, "deleting again")
    for thread in threads:
        remaining = run.owner.get(f"/v1/threads/{thread}")
        equal(remaining.status, 200, "a thread of it")
        if space_id in remaining.body.get("space_ids", []):
            raise Broken("the thread still names the deleted space", pointer="/space_ids")
    equal(sorted(run.owner.threads_of(other)), sorted(threads), "the threads of another space")


@check("deleteThread", "getThread", "listThreads")
def a_deleted_thread_is_gone(run: Run) -> None:
    """After DELETE a thread is 404 and unlisted."""
    thread = run.owner.new_thread()["id"]
    equal(run.owner.ask("DELETE", f"/v1/threads/{thread}").status, 204, "deleting")
    equal(run.owner.get(f"/v1/threads/{thread}").status, 404, "reading it")
    listed = run.owner.ids("/v1/threads", limit=100)
    equal(thread in listed, False, "listed after that")


@check("deleteThread", "listSpaceThreads")
def a_deleted_thread_leaves_every_space(run: Run) -> None:
    """After its deletion a thread is in no space's list and can't be read or added."""
    thread = run.owner.new_thread()["id"]
    spaces = [run.owner.space_with(thread) for _ in range(2)]
    equal(run.owner.ask("DELETE", f"/v1/threads/{thread}").status, 204, "deleting the thread")
    equal([run.owner.threads_of(space_id) for space_id in spaces], [[], []], "the spaces' threads")
    equal(run.owner.get(f"/v1/threads/{thread}").status, 404, "reading it")
    equal(run.owner.add(spaces[0], thread).status, 404, "adding it")


@check("removeThreadFromSpace", "listSpaceThreads")
def a_removed_thread_is_unlisted_and_stays(run: Run) -> None:
    """Removing a thread takes it out of the list of this space alone; it can be added again."""
    *rest, thread = run.owner.new_threads(5)
    space_id, other = run.owner.space_with(*rest, thread), run.owner.space_with(thread)
    removed = run.owner.remove_thread(space_id, thread)
    equal((removed.status, removed.text), (204, ""), "removing")
    equal(sorted(run.owner.threads_of(space_id)), sorted(rest), "this space")
    while rest:
        run.owner.remove_thread(space_id, rest.pop())
        equal(sorted(run.owner.threads_of(space_id)), sorted(rest), "this space, with one less")
    equal(run.owner.threads_of(other), [thread], "the other space")
    equal(run.owner.get(f"/v1/threads/{thread}").status, 200, "the thread itself")
    equal(run.owner.remove_thread(other, thread).status, 204, "removing it there too")
    equal(run.owner.get(f"/v1/threads/{thread}").status, 200, "the thread in no space")
    equal(run.owner.add(space_id, thread).status, 201, "adding it again")
    equal(run.owner.threads_of(space_id), [thread], "this space, after that")


@check("removeThreadFromSpace", "updateThread", "listThreadMessages")
def a_removed_thread_is_used_as_before(run: Run) -> None:
    """A thread that was removed from a space can still be read, changed and deleted."""
    thread = run.owner.new_thread()["id"]
    path, space_id = f"/v1/threads/{thread}", run.owner.space_with(thread)
    equal(run.owner.remove_thread(space_id, thread).status, 204, "removing")
    equal(run.owner.get(path).status, 200, "reading the thread")
    equal(run.owner.get(f"{path}/messages").status, 200, "reading its messages")
    equal(run.owner.ask("PATCH", path, {"title": "renamed"}).status, 200, "changing it")
    equal(run.owner.ask("DELETE", path).status, 204, "deleting it")


@check("removeThreadFromSpace")
def removing_what_is_not_there_is_404(run: Run) -> None:
    """Removing a thread that is not in the space is 404, with both ids."""
    space_id, thread = run.owner.new_space()["id"], run.owner.new_thread()["id"]
    answer = run.owner.remove_thread(space_id, thread)
    not_found(answer, "Thread not attached to space", space_id=space_id, thread_id=thread)


@check("addThreadToSpace")
def adding_twice_is_adding_once(run: Run) -> None:
    """Adding a thread again is 201 with the first added_at, and the thread is listed once."""
    space_id, thread = run.owner.new_space()["id"], run.owner.new_thread()["id"]
    first, second = run.owner.add(space_id, thread), run.owner.add(space_id, thread)
    equal(run.owner.threads_of(space_id), [thread], "the threads")
    equal((second.status, second.body), (201, first.body), "the second answer")


@check("addThreadToSpace")
def adding_an_unknown_thread_is_404(run: Run) -> None:
    """Adding a thread that does not exist is 404, Thread not found, and lists nothing."""
    space_id, thread_id = run.owner.new_space()["id"], run.unknown_id("thrd")
    answer = run.owner.add(space_id, thread_id)
    not_found(answer, "Thread not found", thread_id=thread_id)
    equal(run.owner.threads_of(space_id), [], "the threads")


@check("addThreadToSpace")
def threads_of_other_organizations_are_404(run: Run) -> None:
    """Adding a thread of another organization is 404, as if it did not exist, and lists nothing."""
    foreign = run.client("foreign")
    own = {t["organization_id"] for t in foreign.get("/v1/threads", limit=100).body["data"]}
    other = next(iter(own - {run.organization_id}), None)
    if other is None:
        raise Untested("the foreign user has no thread that shows the organization")
    space_id, thread = run.owner.new_space()["id"], foreign.new_thread(organization_id=other)["id"]
    answer = run.owner.add(space_id, thread)
    not_found(answer, "Thread not found", thread_id=thread)
    equal(run.owner.threads_of(space_id), [], "the threads")


@check("updateSpace")
def a_patch_moves_updated_at(run: Run) -> None:
    """A PATCH a second later moves updated_at and leaves created_at."""
    after = space = run.owner.new_space()
    for _ in range(5):  # times may be whole seconds
        run.pause(0.22)
        after = run.owner.ask("PATCH", f"/v1/spaces/{space['id']}", {"name": run.name()}).body
        if after["updated_at"] != space["updated_at"]:
            break
    if after["updated_at"] == space["updated_at"]:
        require_running_clock(run)
    equal(after["updated_at"] > space["updated_at"], True, "updated_at moved", "/updated_at")
    equal(after["created_at"], space["created_at"], "created_at", "/created_at")


@check("addVectorStoreToSpace", "listSpaceVectorStores", "removeVectorStoreFromSpace")
def stores_attach_and_detach(run: Run) -> None:
    """An attached store is in the space and its list, a detached one is not; detaching again is 404."""
    space_id, store_id = run.owner.new_space()["id"], run.owner.new_vector_store()["id"]
    path = f"/v1/spaces/{space_id}/vector-stores"
    attached = run.owner.ask("POST", f"{path}/{store_id}")
    equal(attached.status, 201, "attaching")
    equal(attached.body["message"], "Vector store added to space", "message", "/message")
    listed = [entry["vector_store_id"] for entry in run.owner.get(path).body["vector_stores"]]
    equal(listed, [store_id], "the attached stores")
    space = run.owner.get(f"/v1/spaces/{space_id}").body
    equal(space["additional_vector_store_ids"], [store_id], "the space", "/additional_vector_store_ids")
    equal(run.owner.ask("DELETE", f"{path}/{store_id}").status, 204, "detaching")
    equal(run.owner.get(path).body["vector_stores"], [], "after that")
    again = run.owner.ask("DELETE", f"{path}/{store_id}")
    not_found(again, "Vector store not attached to space", vector_store_id=store_id)


@check("addThreadToSpace", "getSpace")
def adding_moves_the_last_activity_alone(run: Run) -> None:
    """Adding a thread moves the space's last_activity_at and leaves its updated_at."""
    space, added_at = run.owner.new_space(), ""
    for _ in range(6):  # times may be whole seconds, and within one nothing moves
        added_at = run.owner.add(space["id"], run.owner.new_thread()["id"]).body["added_at"]
        if added_at != space["updated_at"]:
            break
        run.pause(0.22)
    after = run.owner.get(f"/v1/spaces/{space['id']}").body
    if after["last_activity_at"] is None:
        raise Broken("last_activity_at did not move", pointer="/last_activity_at")
    if added_at == space["updated_at"]:
        require_running_clock(run)
    equal(after["updated_at"], space["updated_at"], "updated_at", "/updated_at")


@check("addThreadToSpace", "getThread", "listThreadMessages")
def an_added_thread_can_still_be_read(run: Run) -> None:
    """Adding a thread to a space changes nothing in how it and its messages are read."""
    space_id, thread_id = run.owner.new_space()["id"], run.owner.new_thread()["id"]
    paths = (f"/v1/threads/{thread_id}", f"/v1/threads/{thread_id}/messages")
    before = [run.owner.get(path).status for path in paths]
    equal(run.owner.add(space_id, thread_id).status, 201, "adding")
    equal([run.owner.get(path).status for path in paths], before, "reading it after it was added")
