"""What one call does to the answers of others."""

from __future__ import annotations

import time

from contracts.behaviour.clock_moves import require_a_clock_that_goes
from contracts.behaviour.vendor_documents import refused
from contracts.checks.check import equal, promise
from contracts.checks.errors import Broken, Untested
from contracts.checks.evidence import Evidence
from contracts.http.run import Team


@promise("createSpace", "getSpace", "listSpaces", evidence=Evidence.PUBLISHED)
def a_created_space_reads_back(team: Team) -> None:
    """A created space is private, has a store of its own, and reads back as it was answered."""
    space = team.owner.new_space(description="Ähnlich wie 日本 🚀")
    equal(space["access_mode"], "private", "access_mode", "/access_mode")
    equal(space["description"], "Ähnlich wie 日本 🚀", "description", "/description")
    equal(space["additional_vector_store_ids"], [], "attached stores", "/additional_vector_store_ids")
    if not space["vector_store_id"]:
        raise Broken("a space has a store of its own", pointer="/vector_store_id")
    equal(team.owner.get(f"/v1/spaces/{space['id']}").body, space, "what getSpace answers")


@promise("updateSpace", "getSpace", evidence=Evidence.PUBLISHED)
def a_patch_changes_what_it_names_and_nothing_else(team: Team) -> None:
    """PATCH changes the fields that it names, keeps all others, and is read back."""
    space = team.owner.new_space(description="before")
    path = f"/v1/spaces/{space['id']}"
    name = team.name()
    answer = team.owner.ask("PATCH", path, {"name": name})
    equal(answer.status, 200, "status")
    expected = {**space, "name": name, "updated_at": answer.body["updated_at"]}
    equal(answer.body, expected, "the answer")
    equal(team.owner.get(path).body, expected, "what getSpace answers")
    if answer.body["updated_at"] < space["created_at"]:
        raise Broken("updated_at is before created_at", pointer="/updated_at")


@promise("updateSpace", evidence=Evidence.ASSUMED, assumption="A18")
def null_clears_and_absent_keeps(team: Team) -> None:
    """PATCH with null clears the description; PATCH with nothing changes nothing; a null name is 422."""
    space = team.owner.new_space(description="text")
    path = f"/v1/spaces/{space['id']}"
    equal(team.owner.ask("PATCH", path, {}).body["description"], "text", "after {}", "/description")
    cleared = team.owner.ask("PATCH", path, {"description": None})
    equal(cleared.body["description"], None, "after null", "/description")
    equal(team.owner.ask("PATCH", path, {"name": None}).status, 422, "a null name")


@promise("deleteSpace", "getSpace", "listSpaces", evidence=Evidence.PUBLISHED)
def a_deleted_space_is_gone_and_its_threads_stay(team: Team) -> None:
    """After DELETE a space is 404 and unlisted, again 404 to delete, and its threads are still there."""
    space, thread = team.owner.new_space(), team.owner.new_thread()
    team.owner.add(space["id"], thread["id"])
    path = f"/v1/spaces/{space['id']}"
    deleted = team.owner.ask("DELETE", path)
    equal((deleted.status, deleted.text), (204, ""), "deleting")
    refused(team.owner.get(path), 404, "RESOURCE_NOT_FOUND", "Space not found", space_id=space["id"])
    equal(space["id"] in [s["id"] for s in team.owner.spaces()], False, "listed after that")
    equal(team.owner.get(f"{path}/threads").status, 404, "its threads")
    equal(team.owner.ask("DELETE", path).status, 404, "deleting again")
    kept = team.owner.get(f"/v1/threads/{thread['id']}")
    equal(kept.status, 200, "the thread")
    if space["id"] in kept.body.get("space_ids", []):
        raise Broken("the thread still names the deleted space", pointer="/space_ids")


@promise("deleteThread", "getThread", "listThreads", evidence=Evidence.PUBLISHED)
def a_deleted_thread_is_gone(team: Team) -> None:
    """After DELETE a thread is 404 and unlisted."""
    thread = team.owner.new_thread()["id"]
    equal(team.owner.ask("DELETE", f"/v1/threads/{thread}").status, 204, "deleting")
    equal(team.owner.get(f"/v1/threads/{thread}").status, 404, "reading it")
    shown = [t["id"] for t in team.owner.get("/v1/threads", limit=100).body["data"]]
    equal(thread in shown, False, "listed after that")


@promise("deleteThread", "listSpaceThreads", evidence=Evidence.ASSUMED, assumption="A14")
def a_deleted_thread_leaves_every_space(team: Team) -> None:
    """After its deletion a thread is in no space's list and can't be read or added."""
    spaces, thread = [team.owner.new_space()["id"] for _ in range(2)], team.owner.new_thread()
    for space_id in spaces:
        team.owner.add(space_id, thread["id"])
    equal(team.owner.ask("DELETE", f"/v1/threads/{thread['id']}").status, 204, "deleting the thread")
    equal([team.owner.threads_of(space_id) for space_id in spaces], [[], []], "the spaces' threads")
    equal(team.owner.get(f"/v1/threads/{thread['id']}").status, 404, "reading it")
    equal(team.owner.add(spaces[0], thread["id"]).status, 404, "adding it")


@promise("removeThreadFromSpace", "listSpaceThreads", evidence=Evidence.PUBLISHED)
def a_removed_thread_is_unlisted_and_stays(team: Team) -> None:
    """Removing a thread takes it out of the list of this space alone; it can be added again."""
    space_id, other = team.owner.new_space()["id"], team.owner.new_space()["id"]
    thread = team.owner.new_thread()["id"]
    for each in (space_id, other):
        team.owner.add(each, thread)
    removed = team.owner.take_out(space_id, thread)
    equal((removed.status, removed.text), (204, ""), "removing")
    equal(team.owner.threads_of(space_id), [], "this space")
    equal(team.owner.threads_of(other), [thread], "the other space")
    equal(team.owner.get(f"/v1/threads/{thread}").status, 200, "the thread itself")
    equal(team.owner.take_out(other, thread).status, 204, "removing it there too")
    equal(team.owner.get(f"/v1/threads/{thread}").status, 200, "the thread in no space")
    equal(team.owner.add(space_id, thread).status, 201, "adding it again")
    equal(team.owner.threads_of(space_id), [thread], "this space, after that")


@promise("removeThreadFromSpace", evidence=Evidence.ASSUMED, assumption="A03")
def removing_what_is_not_there_is_404(team: Team) -> None:
    """Removing a thread that is not in the space is 404, with both ids."""
    space_id, thread = team.owner.new_space()["id"], team.owner.new_thread()["id"]
    answer = team.owner.take_out(space_id, thread)
    message = "Thread not attached to space"
    refused(answer, 404, "RESOURCE_NOT_FOUND", message, space_id=space_id, thread_id=thread)


@promise("addThreadToSpace", evidence=Evidence.ASSUMED, assumption="A01")
def adding_twice_is_adding_once(team: Team) -> None:
    """Adding a thread again is 201 with the first added_at, and the thread is listed once."""
    space_id, thread = team.owner.new_space()["id"], team.owner.new_thread()["id"]
    first, second = team.owner.add(space_id, thread), team.owner.add(space_id, thread)
    equal(team.owner.threads_of(space_id), [thread], "the threads")
    equal((second.status, second.body), (201, first.body), "the second answer")


@promise("addThreadToSpace", evidence=Evidence.ASSUMED, assumption="A02")
def adding_an_unknown_thread_is_404(team: Team) -> None:
    """Adding a thread that does not exist is 404, Thread not found, and lists nothing."""
    space_id, thread_id = team.owner.new_space()["id"], team.invented("thrd")
    answer = team.owner.add(space_id, thread_id)
    refused(answer, 404, "RESOURCE_NOT_FOUND", "Thread not found", thread_id=thread_id)
    equal(team.owner.threads_of(space_id), [], "the threads")


@promise("addThreadToSpace", evidence=Evidence.ASSUMED, assumption="A02")
def threads_of_other_organizations_are_404(team: Team) -> None:
    """Adding a thread of another organization is 404, as if it were not there, and lists nothing."""
    foreign = team.caller("foreign")
    own = {t["organization_id"] for t in foreign.get("/v1/threads", limit=100).body["data"]}
    other = next(iter(own - {team.organization_id}), None)
    if other is None:
        raise Untested("the foreign user has no thread that tells the organization")
    space_id, thread = team.owner.new_space()["id"], foreign.new_thread(organization_id=other)["id"]
    answer = team.owner.add(space_id, thread)
    refused(answer, 404, "RESOURCE_NOT_FOUND", "Thread not found", thread_id=thread)
    equal(team.owner.threads_of(space_id), [], "the threads")


@promise("updateSpace", evidence=Evidence.ASSUMED, assumption="A41")
def a_patch_moves_updated_at(team: Team) -> None:
    """A PATCH a second later moves updated_at and leaves created_at."""
    after = space = team.owner.new_space()
    for _ in range(5):  # times may be whole seconds
        time.sleep(0.22)
        after = team.owner.ask("PATCH", f"/v1/spaces/{space['id']}", {"name": team.name()}).body
        if after["updated_at"] != space["updated_at"]:
            break
    if after["updated_at"] == space["updated_at"]:
        require_a_clock_that_goes(team)
    equal(after["updated_at"] > space["updated_at"], True, "updated_at moved", "/updated_at")
    equal(after["created_at"], space["created_at"], "created_at", "/created_at")


@promise(
    "addVectorStoreToSpace",
    "listSpaceVectorStores",
    "removeVectorStoreFromSpace",
    evidence=Evidence.PUBLISHED,
)
def stores_attach_and_detach(team: Team) -> None:
    """An attached store is listed and shown with the space; a detached one is neither; again is 404."""
    space_id = team.owner.new_space()["id"]
    store_id = team.owner.new_vector_store()["id"]
    path = f"/v1/spaces/{space_id}/vector-stores"
    attached = team.owner.ask("POST", f"{path}/{store_id}")
    equal(attached.status, 201, "attaching")
    equal(attached.body["message"], "Vector store added to space", "message", "/message")
    shown = [entry["vector_store_id"] for entry in team.owner.get(path).body["vector_stores"]]
    equal(shown, [store_id], "the attached stores")
    space = team.owner.get(f"/v1/spaces/{space_id}").body
    equal(space["additional_vector_store_ids"], [store_id], "the space", "/additional_vector_store_ids")
    equal(team.owner.ask("DELETE", f"{path}/{store_id}").status, 204, "detaching")
    equal(team.owner.get(path).body["vector_stores"], [], "after that")
    refused(
        team.owner.ask("DELETE", f"{path}/{store_id}"),
        404,
        "RESOURCE_NOT_FOUND",
        "Vector store not attached to space",
        vector_store_id=store_id,
    )


@promise("addThreadToSpace", "getSpace", evidence=Evidence.ASSUMED, assumption="A16")
def adding_moves_the_last_activity_alone(team: Team) -> None:
    """Adding a thread moves the space's last_activity_at and leaves its updated_at."""
    space, thread = team.owner.new_space(), team.owner.new_thread()["id"]
    team.owner.add(space["id"], thread)
    after = team.owner.get(f"/v1/spaces/{space['id']}").body
    if after["last_activity_at"] is None:
        raise Broken("last_activity_at did not move", pointer="/last_activity_at")
    equal(after["updated_at"], space["updated_at"], "updated_at", "/updated_at")


@promise("addThreadToSpace", "getThread", "listThreadMessages", evidence=Evidence.PUBLISHED)
def an_added_thread_can_still_be_read(team: Team) -> None:
    """Adding a thread to a space changes nothing in how it and its messages are read."""
    space_id, thread_id = team.owner.new_space()["id"], team.owner.new_thread()["id"]
    paths = (f"/v1/threads/{thread_id}", f"/v1/threads/{thread_id}/messages")
    before = [team.owner.get(path).status for path in paths]
    equal(team.owner.add(space_id, thread_id).status, 201, "adding")
    equal([team.owner.get(path).status for path in paths], before, "reading it after it was added")
