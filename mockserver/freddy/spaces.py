"""Spaces: create, list, read, change, delete."""

from __future__ import annotations

from mockserver.freddy.access import Access, require_member, rule_for
from mockserver.freddy.file_search import empty_store
from mockserver.freddy.lookup import Call, backward, require_known_names, space_for, start_of_page
from mockserver.http.calls import Reply, handles
from mockserver.sandbox import records
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.store.collection import cursor, page
from mockserver.store.sorted_keys import Key

ACCESS_FIELDS = (
    "access_mode",
    "access_users",
    "access_departments",
    "editable_by_users",
    "editable_by_roles",
    "visible_to_roles",
)
"""Fields that only an owner may change."""


@handles("createSpace")
def create_space(call: Call, sandbox: Sandbox) -> Reply:
    """Create a space of the caller, with its own vector store."""
    organization_id = call.body["organization_id"]
    require_member(organization_id, call)
    require_known_names(call.body, organization_id, sandbox)
    space = records.space(
        sandbox.ids.new("space"),
        created_by=call.caller.user_id,
        vector_store_id=sandbox.ids.new("vs"),
        created_at=sandbox.now(),
        **call.body,
    )
    if sandbox.follows("A40"):
        space = {**space, "last_activity_at": space["created_at"]}
    sandbox.spaces.put(space["id"], space)
    sandbox.vector_stores.put(space["vector_store_id"], records.dedicated_store(space))
    return Reply(201, space_body(space, sandbox))


@handles("listSpaces")
def list_spaces(call: Call, sandbox: Sandbox) -> Reply:
    """Spaces of the organization that the caller may view, in order of creation (A05)."""
    organization_id = call.query["organization_id"]
    require_member(organization_id, call)
    start = start_of_page(call, "listSpaces", organization_id)

    def is_visible(key: Key) -> bool:
        return rule_for(sandbox.spaces.record(key[-1]), call.caller).level >= Access.VIEW

    keys = sandbox.spaces.keys("organization", organization_id)
    wanted = backward(keys, start) if sandbox.follows("A05") else keys.after(start)
    found, has_more = page(wanted, call.query["limit"], is_visible)
    return Reply(
        200,
        {
            "spaces": [space_body(sandbox.spaces.record(key[-1]), sandbox) for key in found],
            "next_cursor": cursor(found[-1][:-1], "listSpaces", organization_id) if has_more else None,
            "has_more": has_more,
        },
    )


@handles("getSpace")
def get_space(call: Call, sandbox: Sandbox) -> Reply:
    """Return one space."""
    return Reply(200, space_body(space_for(Access.VIEW, call, sandbox), sandbox))


@handles("updateSpace")
def update_space(call: Call, sandbox: Sandbox) -> Reply:
    """Change the fields sent; null clears, absent keeps (A18, A41)."""
    changes_access = any(field in call.body for field in ACCESS_FIELDS)
    space = space_for(Access.OWNER if changes_access else Access.EDIT, call, sandbox)  # A39
    require_known_names(call.body, space["organization_id"], sandbox)
    if call.body or sandbox.follows("A41"):
        space = {**space, **call.body, "updated_at": sandbox.now()}
        sandbox.spaces.put(space["id"], space)
    return Reply(200, space_body(space, sandbox))


@handles("deleteSpace")
def delete_space(call: Call, sandbox: Sandbox) -> Reply:
    """Delete a space, its own store and its links; threads and attached stores stay."""
    space = space_for(Access.OWNER if sandbox.follows("A27") else Access.EDIT, call, sandbox)
    for link in list(sandbox.space_threads.ids("space", space["id"])):
        sandbox.space_threads.remove(link)
    for link in list(sandbox.space_vector_stores.ids("space", space["id"])):
        sandbox.space_vector_stores.remove(link)
    sandbox.embeddings.drop_space(space["id"])
    empty_store(space["vector_store_id"], sandbox)
    sandbox.vector_stores.remove(space["vector_store_id"])
    sandbox.spaces.remove(space["id"])
    return Reply(204)


def space_body(space: Record, sandbox: Sandbox) -> Record:
    """Space as the API returns it, with the attached stores."""
    attached = sandbox.space_vector_stores.ids("space", space["id"])
    return {**space, "additional_vector_store_ids": [store_id for _, store_id in attached]}
