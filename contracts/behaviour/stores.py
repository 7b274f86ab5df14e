"""Vector stores of spaces."""

from __future__ import annotations

from contracts.behaviour.vendor_documents import forbidden, refused
from contracts.checks.check import check, equal
from contracts.checks.errors import Broken
from contracts.http.run import Run


def listed(run: Run, space_id: str) -> list[str]:
    """Ids of the stores attached to a space."""
    body = run.owner.get(f"/v1/spaces/{space_id}/vector-stores").body
    return [entry["vector_store_id"] for entry in body["vector_stores"]]


@check("addVectorStoreToSpace", "removeVectorStoreFromSpace")
def stores_need_edit_access(run: Run) -> None:
    """Attaching and detaching without edit access is 403, and changes nothing."""
    inside, beside = (run.owner.new_vector_store()["id"] for _ in range(2))
    for role, granted in (("viewer", "access_users"), ("outsider", ""), ("editor", "editable_by_users")):
        client = run.client(role)
        space_id = run.owner.new_space(**({granted: [client.user_id]} if granted else {}))["id"]
        path = f"/v1/spaces/{space_id}/vector-stores"
        equal(run.owner.ask("POST", f"{path}/{inside}").status, 201, "attaching")
        for method, store_id in (("POST", beside), ("DELETE", inside)):
            answer = client.ask(method, f"{path}/{store_id}")
            if role == "editor":
                equal(answer.status, 201 if method == "POST" else 204, f"{method} by the {role}")
            else:
                forbidden(answer, "Edit access required", space_id=space_id)
                equal(listed(run, space_id), [inside], f"the stores after {method} was refused to the {role}")


@check("removeVectorStoreFromSpace", "getVectorStore")
def a_detached_store_stays(run: Run) -> None:
    """Detaching a store leaves the store itself."""
    space_id, store_id = run.owner.new_space()["id"], run.owner.new_vector_store()["id"]
    path = f"/v1/spaces/{space_id}/vector-stores/{store_id}"
    equal([run.owner.ask(m, path).status for m in ("POST", "DELETE")], [201, 204], "attaching, detaching")
    equal(run.owner.get(f"{run.owner.stores}/{store_id}").status, 200, "the store after it")


@check("addVectorStoreToSpace", "listSpaceVectorStores")
def a_store_says_who_attached_it(run: Run) -> None:
    """added_by of an attached store is the user who attached it, whoever made the space."""
    editor, store_id = run.client("editor"), run.owner.new_vector_store()["id"]
    path = f"/v1/spaces/{run.owner.new_space(editable_by_users=[editor.user_id])['id']}/vector-stores"
    equal(editor.ask("POST", f"{path}/{store_id}").status, 201, "attaching by the editor")
    (entry,) = run.owner.get(path).body["vector_stores"]
    equal(entry["added_by"], editor.user_id, "who attached it", "/vector_stores/0/added_by")


@check("deleteSpace", "getVectorStore")
def a_deleted_spaces_attached_store_stays(run: Run) -> None:
    """Deleting a space leaves the stores that were attached to it."""
    space_id, store_id = run.owner.new_space()["id"], run.owner.new_vector_store()["id"]
    equal(run.owner.ask("POST", f"/v1/spaces/{space_id}/vector-stores/{store_id}").status, 201, "attaching")
    equal(run.owner.ask("DELETE", f"/v1/spaces/{space_id}").status, 204, "deleting the space")
    equal(run.owner.get(f"{run.owner.stores}/{store_id}").status, 200, "the store after it")


@check("addVectorStoreToSpace")
def attaching_is_once_and_of_what_there_is(run: Run) -> None:
    """Attaching again lists the store once; an unknown store is 404, the space's own store is 422."""
    space, store_id = run.owner.new_space(), run.owner.new_vector_store()["id"]
    path = f"/v1/spaces/{space['id']}/vector-stores"
    first, second = (run.owner.ask("POST", f"{path}/{store_id}") for _ in range(2))
    equal((second.status, second.body), (201, first.body), "attaching again")
    equal(listed(run, space["id"]), [store_id], "the attached stores")
    unknown = run.unknown_id("vs")
    answer = run.owner.ask("POST", f"{path}/{unknown}")
    refused(answer, 404, "VECTOR_STORE_NOT_FOUND", "Vector store not found", vector_store_id=unknown)
    equal(run.owner.ask("POST", f"{path}/{space['vector_store_id']}").status, 422, "attaching its own store")
    equal(listed(run, space["id"]), [store_id], "the attached stores after that")


@check("addVectorStoreToSpace", "removeVectorStoreFromSpace")
def a_space_has_twenty_stores_at_most(run: Run) -> None:
    """Twenty stores can be attached, a further one is 422; detaching one makes room for another."""
    path = f"/v1/spaces/{run.owner.new_space()['id']}/vector-stores"
    stores = [run.owner.new_vector_store()["id"] for _ in range(22)]
    attached = [run.owner.ask("POST", f"{path}/{store_id}").status for store_id in stores[:21]]
    equal(attached, [201] * 20 + [422], "attaching twenty-one")
    equal(run.owner.ask("DELETE", f"{path}/{stores[0]}").status, 204, "detaching one")
    again = [run.owner.ask("POST", f"{path}/{store_id}").status for store_id in stores[20:]]
    equal(again, [201, 422], "attaching two more")


@check("createSpace", "getVectorStore")
def a_spaces_own_store_can_be_read(run: Run) -> None:
    """The vector_store_id of a new space can be read."""
    answer = run.owner.get(f"{run.owner.stores}/{run.owner.new_space()['vector_store_id']}")
    if answer.status != 200:
        raise Broken("the space's own store can't be read", expected=200, got=answer.status)


@check("updateVectorStore", "getVectorStore", "deleteVectorStore")
def a_changed_store_is_read_as_changed_and_can_be_deleted(run: Run) -> None:
    """A renamed store has its new name, and can still be deleted."""
    path = f"{run.owner.stores}/{run.owner.new_vector_store()['id']}"
    name = run.name("store")
    equal(run.owner.ask("PATCH", path, {"name": name}).status, 200, "renaming")
    equal(run.owner.get(path).body["data"]["name"], name, "the name after it", "/data/name")
    gone = run.owner.ask("DELETE", path).status
    equal(200 <= gone < 300, True, f"deleting (it answered {gone})")
    equal(run.owner.get(path).status, 404, "the store after it")
