"""The vector stores of a space."""

from __future__ import annotations

from urllib.parse import quote

from contracts.behaviour.vendor_documents import refused
from contracts.checks.check import equal, promise
from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence
from contracts.http.run import Team


def listed(team: Team, space_id: str) -> list[str]:
    """The ids of the stores that are attached to a space."""
    body = team.owner.get(f"/v1/spaces/{space_id}/vector-stores").body
    return [entry["vector_store_id"] for entry in body["vector_stores"]]


def store_path(team: Team, store_id: str) -> str:
    """Where a store is read."""
    return f"/v1/organizations/{quote(team.organization_id)}/vector-stores/{store_id}"


@promise("addVectorStoreToSpace", "removeVectorStoreFromSpace", evidence=Evidence.PUBLISHED)
def stores_need_edit_access(team: Team) -> None:
    """Who may not edit a space attaches and detaches nothing: 403, and nothing has changed."""
    inside, beside = (team.owner.new_vector_store()["id"] for _ in range(2))
    for role, granted in (("viewer", "access_users"), ("outsider", ""), ("editor", "editable_by_users")):
        caller = team.caller(role)
        space_id = team.owner.new_space(**({granted: [caller.user_id]} if granted else {}))["id"]
        path = f"/v1/spaces/{space_id}/vector-stores"
        equal(team.owner.ask("POST", f"{path}/{inside}").status, 201, "attaching")
        for method, store_id in (("POST", beside), ("DELETE", inside)):
            answer = caller.ask(method, f"{path}/{store_id}")
            if role == "editor":
                equal(answer.status, 201 if method == "POST" else 204, f"{method} by the {role}")
            else:
                refused(answer, 403, "INSUFFICIENT_PERMISSIONS", "Edit access required", space_id=space_id)
                equal(
                    listed(team, space_id), [inside], f"the stores after {method} was refused to the {role}"
                )


@promise("removeVectorStoreFromSpace", "getVectorStore", evidence=Evidence.PUBLISHED)
def a_detached_store_stays(team: Team) -> None:
    """Detaching a store leaves the store itself."""
    space_id, store_id = team.owner.new_space()["id"], team.owner.new_vector_store()["id"]
    path = f"/v1/spaces/{space_id}/vector-stores/{store_id}"
    equal([team.owner.ask(m, path).status for m in ("POST", "DELETE")], [201, 204], "attaching, detaching")
    equal(team.owner.get(store_path(team, store_id)).status, 200, "the store after it")


@promise("addVectorStoreToSpace", "listSpaceVectorStores", evidence=Evidence.PUBLISHED)
def a_store_says_who_attached_it(team: Team) -> None:
    """added_by of an attached store is the user who attached it, whoever made the space."""
    editor, store_id = team.caller("editor"), team.owner.new_vector_store()["id"]
    path = f"/v1/spaces/{team.owner.new_space(editable_by_users=[editor.user_id])['id']}/vector-stores"
    equal(editor.ask("POST", f"{path}/{store_id}").status, 201, "attaching by the editor")
    (entry,) = team.owner.get(path).body["vector_stores"]
    equal(entry["added_by"], editor.user_id, "who attached it", "/vector_stores/0/added_by")


@promise("deleteSpace", "getVectorStore", evidence=Evidence.PUBLISHED)
def a_deleted_spaces_attached_store_stays(team: Team) -> None:
    """Deleting a space leaves the stores that were attached to it."""
    space_id, store_id = team.owner.new_space()["id"], team.owner.new_vector_store()["id"]
    equal(team.owner.ask("POST", f"/v1/spaces/{space_id}/vector-stores/{store_id}").status, 201, "attaching")
    equal(team.owner.ask("DELETE", f"/v1/spaces/{space_id}").status, 204, "deleting the space")
    equal(team.owner.get(store_path(team, store_id)).status, 200, "the store after it")


@promise("addVectorStoreToSpace", evidence=Evidence.ASSUMED, assumption="A17")
def attaching_is_once_and_of_what_there_is(team: Team) -> None:
    """Attaching again lists the store once; a store that is not there is 404, a space's own is 422."""
    space, store_id = team.owner.new_space(), team.owner.new_vector_store()["id"]
    path = f"/v1/spaces/{space['id']}/vector-stores"
    first, second = (team.owner.ask("POST", f"{path}/{store_id}") for _ in range(2))
    equal((second.status, second.body), (201, first.body), "attaching again")
    equal(listed(team, space["id"]), [store_id], "the attached stores")
    unknown = team.invented("vs")
    answer = team.owner.ask("POST", f"{path}/{unknown}")
    refused(answer, 404, "VECTOR_STORE_NOT_FOUND", "Vector store not found", vector_store_id=unknown)
    equal(team.owner.ask("POST", f"{path}/{space['vector_store_id']}").status, 422, "attaching its own store")
    equal(listed(team, space["id"]), [store_id], "the attached stores after that")


@promise("addVectorStoreToSpace", "removeVectorStoreFromSpace", evidence=Evidence.ASSUMED, assumption="A17")
def a_space_has_twenty_stores_at_most(team: Team) -> None:
    """Twenty stores can be attached and no more: 422; one that is detached makes room for another."""
    path = f"/v1/spaces/{team.owner.new_space()['id']}/vector-stores"
    stores = [team.owner.new_vector_store()["id"] for _ in range(22)]
    attached = [team.owner.ask("POST", f"{path}/{store_id}").status for store_id in stores[:21]]
    equal(attached, [201] * 20 + [422], "attaching twenty-one")
    equal(team.owner.ask("DELETE", f"{path}/{stores[0]}").status, 204, "detaching one")
    again = [team.owner.ask("POST", f"{path}/{store_id}").status for store_id in stores[20:]]
    equal(again, [201, 422], "attaching two more")


@promise("createSpace", "getVectorStore", evidence=Evidence.ASSUMED, assumption="A47")
def a_spaces_own_store_can_be_read(team: Team) -> None:
    """The store that a new space names is there."""
    answer = team.owner.get(store_path(team, team.owner.new_space()["vector_store_id"]))
    if answer.status != 200:
        raise Broken("the space's own store can't be read", expected=200, got=answer.status)


@promise("updateVectorStore", "getVectorStore", "deleteVectorStore", evidence=Evidence.SDK)
def a_changed_store_is_read_as_changed_and_can_be_deleted(team: Team) -> None:
    """A store that was renamed has its new name, and can still be deleted."""
    path = store_path(team, team.owner.new_vector_store()["id"])
    name = team.name("store")
    equal(team.owner.ask("PATCH", path, {"name": name}).status, 200, "renaming")
    equal(team.owner.get(path).body["data"]["name"], name, "the name after it", "/data/name")
    gone = team.owner.ask("DELETE", path).status
    equal(200 <= gone < 300, True, f"deleting (it answered {gone})")
    equal(team.owner.get(path).status, 404, "the store after it")
