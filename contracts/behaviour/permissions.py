"""Permissions beyond the table of single operations."""

from __future__ import annotations

import re
from urllib.parse import quote

from contracts.behaviour.vendor_documents import forbidden
from contracts.checks.check import check, equal
from contracts.checks.claims import basis
from contracts.checks.errors import Broken, Fingerprint, Untested
from contracts.checks.spec import ORGANIZATION, document
from contracts.http.exchange import ClientRequest
from contracts.http.run import Run


@check("listSpaces")
def private_spaces_are_listed_to_those_who_may_view(run: Run) -> None:
    """A private space is in its owner's and its viewers' lists, and not in an outsider's."""
    viewer, outsider = run.client("viewer"), run.client("outsider")
    space_id = run.owner.new_space(access_users=[viewer.user_id])["id"]
    for client, expected in ((run.owner, True), (viewer, True), (outsider, False)):
        equal(
            space_id in {space["id"] for space in client.spaces()}, expected, f"listed to the {client.role}"
        )


@check("getSpace", "updateSpace")
def organization_wide_spaces_are_open_to_members(run: Run) -> None:
    """access_mode organization lets every member view, and private revokes it."""
    outsider = run.client("outsider")
    path = f"/v1/spaces/{run.owner.new_space()['id']}"
    for mode, status in (("organization", 200), ("private", 403)):
        equal(run.owner.ask("PATCH", path, {"access_mode": mode}).status, 200, f"setting {mode}")
        equal(outsider.get(path).status, status, f"a member without a grant, in mode {mode}")


@check("getSpace", "updateSpace")
def public_spaces_are_open_to_members(run: Run) -> None:
    """access_mode public lets every member view."""
    outsider, path = run.client("outsider"), f"/v1/spaces/{run.owner.new_space(access_mode='public')['id']}"
    equal(outsider.get(path).status, 200, "a member without a grant")


@check("listThreads", "listThreadMessages")
def nobody_sees_the_threads_of_others(run: Run) -> None:
    """Other users' threads are not listed, and their messages can't be read."""
    other, thread = run.client("editor"), run.owner.new_thread()["id"]
    listing = other.get("/v1/threads", limit=100)
    equal(listing.status, 200, "status of the list")
    equal({t["user_id"] for t in listing.body["data"]} - {other.user_id}, set(), "other users in the list")
    status = other.get(f"/v1/threads/{thread}/messages").status
    if status not in (403, 404):
        raise Broken("another user reads the messages", expected="403 or 404", got=status)


@check("getThread", "updateThread", "deleteThread")
def a_thread_is_its_creators_alone(run: Run) -> None:
    """Other users can't read, change or delete a thread."""
    thread = run.owner.new_thread()
    path = f"/v1/threads/{thread['id']}"
    other = run.client("editor")
    for answer in (other.get(path), other.ask("PATCH", path, {"title": "mine"}), other.ask("DELETE", path)):
        if answer.status not in (403, 404):
            raise Broken(f"{answer.request.method} by another user", expected="403 or 404", got=answer.status)
    equal(run.owner.get(path).body.get("title"), thread["title"], "the title after it", "/title")


@check("createSpace", "listSpaces", "createThread")
def strangers_to_an_organization_are_refused(run: Run) -> None:
    """A user outside an organization can't create or list anything in it: 403."""
    foreign = run.client("foreign")
    name = {"organization_id": run.organization_id, "name": run.name()}
    created = foreign.ask("POST", "/v1/spaces/", name)
    forbidden(created, "Organization access required")
    listing = foreign.get("/v1/spaces/", organization_id=run.organization_id)
    forbidden(listing, "Organization access required")
    title = {"organization_id": run.organization_id, "title": run.name("thread")}
    thread = foreign.ask("POST", "/v1/threads", title)
    forbidden(thread, "Organization access required")
    equal(foreign.get(foreign.stores).status, 403, "listing its vector stores")


@check("getSpace", "updateSpace")
def everybody_on_a_list_has_access(run: Run) -> None:
    """Every user in access_users may view, and every one in editable_by_users may edit."""
    clients = [run.client("viewer"), run.client("editor")]
    named = [client.user_id for client in clients]
    viewed, edited = run.owner.new_space(access_users=named), run.owner.new_space(editable_by_users=named)
    for client in clients:
        equal(client.get(f"/v1/spaces/{viewed['id']}").status, 200, f"reading by the {client.role}")
        answer = client.ask("PATCH", f"/v1/spaces/{edited['id']}", {"description": f"by the {client.role}"})
        equal(answer.status, 200, f"changing by the {client.role}")


@check("getSpace")
def everybody_means_everybody_of_the_organization(run: Run) -> None:
    """`*` in editable_by_users opens a space to every member of its organization, and to nobody else."""
    space_id = run.owner.new_space(editable_by_users=["*"])["id"]
    for role, status in (("outsider", 200), ("foreign", 403)):
        equal(run.client(role).get(f"/v1/spaces/{space_id}").status, status, f"reading by the {role}")


@check("getSpace", "updateSpace")
def a_part_of_an_id_is_nobody(run: Run) -> None:
    """A user whose id is a substring or superstring of a listed id has no access."""
    outsider = run.client("outsider")
    near = [f"{outsider.user_id}0", f"0{outsider.user_id}", outsider.user_id[:-1], outsider.user_id.upper()]
    for field in ("access_users", "editable_by_users"):
        path = f"/v1/spaces/{run.owner.new_space(**{field: near})['id']}"
        equal(outsider.get(path).status, 403, f"reading, with such ids in {field}")
        changed = outsider.ask("PATCH", path, {"description": "mine"}).status
        equal(changed, 403, f"changing, with such ids in {field}")


@check("getSpace", "updateSpace")
def an_admin_has_no_say_in_other_organizations(run: Run) -> None:
    """An admin of one organization has no access to another's spaces: 403."""
    admin, foreign = run.client("admin"), run.client("foreign")
    if admin.get(f"/v1/spaces/{run.owner.new_space()['id']}").status != 200:
        raise Untested("the admin may not read the owner's private space: the key is not an admin's")
    home = foreign.get("/v1/threads", limit=1).body["data"]
    if not home or home[0]["organization_id"] == run.organization_id:
        raise Untested("the foreign user has no thread that shows the organization")
    other = home[0]["organization_id"]
    path = f"/v1/spaces/{foreign.new_space(organization_id=other)['id']}?organization_id={quote(other)}"
    equal(admin.get(path).status, 403, "reading a space of another organization")
    equal(admin.ask("PATCH", path, {"description": "mine"}).status, 403, "changing it")


@check("getSpace")
def the_organization_of_a_space_is_named_where_that_is_required(run: Run) -> None:
    """An operation on a space requires organization_id in its query exactly where the document says so."""
    broken = []
    for operation in document().operations.values():
        named = [
            p for p in document().parameters(operation) if (p["name"], p["in"]) == (ORGANIZATION, "query")
        ]
        if not named or "{space_id}" not in operation.path or (operation.writes and run.read_only):
            continue
        path = re.sub(r"{\w+}", lambda _: run.unknown_id("x"), operation.path)
        body: object = {} if "requestBody" in operation.raw else None
        answer = run.send(ClientRequest(operation.method.upper(), path, run.owner.role, body), as_it_is=True)
        is_required = answer.status in (400, 422) and ORGANIZATION in answer.text
        if is_required != document().requires_organization(operation.method.upper(), path):
            what = "requires" if is_required else "does not require"
            each = Broken(
                f"{operation.label} {what} {ORGANIZATION}",
                got=answer.status,
                evidence=basis((named[0],)).evidence,
                fingerprint=Fingerprint(operation.id, answer.status, "", "required", ORGANIZATION),
                chain=(answer,),
            )
            broken.append(each)
    if broken:
        broken[0].more = tuple(broken[1:])
        raise broken[0]
