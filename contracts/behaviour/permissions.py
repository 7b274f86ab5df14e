"""Who may see and do what, beyond the table of single operations."""

from __future__ import annotations

from urllib.parse import quote

from contracts.behaviour.vendor_documents import refused
from contracts.checks.check import equal, promise
from contracts.checks.errors import Broken, Untested
from contracts.checks.evidence import Evidence
from contracts.http.run import Team


@promise("listSpaces", evidence=Evidence.PUBLISHED)
def private_spaces_are_listed_to_those_who_may_view(team: Team) -> None:
    """A private space is in its owner's and its viewers' lists, and in no outsider's."""
    viewer, outsider = team.caller("viewer"), team.caller("outsider")
    space_id = team.owner.new_space(access_users=[viewer.user_id])["id"]
    for caller, expected in ((team.owner, True), (viewer, True), (outsider, False)):
        equal(
            space_id in {space["id"] for space in caller.spaces()}, expected, f"listed to the {caller.role}"
        )


@promise("getSpace", "updateSpace", evidence=Evidence.PUBLISHED)
def organization_wide_spaces_are_open_to_members(team: Team) -> None:
    """access_mode organization lets every member view, and private shuts them out again."""
    outsider = team.caller("outsider")
    path = f"/v1/spaces/{team.owner.new_space()['id']}"
    for mode, status in (("organization", 200), ("private", 403)):
        equal(team.owner.ask("PATCH", path, {"access_mode": mode}).status, 200, f"setting {mode}")
        equal(outsider.get(path).status, status, f"a member without a grant, in mode {mode}")


@promise("getSpace", "updateSpace", evidence=Evidence.ASSUMED, assumption="A44")
def public_spaces_are_open_to_members(team: Team) -> None:
    """access_mode public lets every member view."""
    outsider, path = team.caller("outsider"), f"/v1/spaces/{team.owner.new_space(access_mode='public')['id']}"
    equal(outsider.get(path).status, 200, "a member without a grant")


@promise("listThreads", "listThreadMessages", evidence=Evidence.SDK)
def nobody_sees_the_threads_of_others(team: Team) -> None:
    """Somebody else's threads are not in the list, and their messages can't be read."""
    other, thread = team.caller("editor"), team.owner.new_thread()["id"]
    shown = other.get("/v1/threads", limit=100)
    equal(shown.status, 200, "status of the list")
    equal({t["user_id"] for t in shown.body["data"]} - {other.user_id}, set(), "other users in the list")
    status = other.get(f"/v1/threads/{thread}/messages").status
    if status not in (403, 404):
        raise Broken("another user reads the messages", expected="403 or 404", got=status)


@promise("getThread", "updateThread", "deleteThread", evidence=Evidence.SDK)
def a_thread_is_its_creators_alone(team: Team) -> None:
    """Nobody else reads, changes or deletes a thread through the threads operations."""
    thread = team.owner.new_thread()
    path = f"/v1/threads/{thread['id']}"
    other = team.caller("editor")
    for answer in (other.get(path), other.ask("PATCH", path, {"title": "mine"}), other.ask("DELETE", path)):
        if answer.status not in (403, 404):
            raise Broken(f"{answer.request.method} by another user", expected="403 or 404", got=answer.status)
    equal(team.owner.get(path).body.get("title"), thread["title"], "the title after it", "/title")


@promise("createSpace", "listSpaces", "createThread", evidence=Evidence.OBSERVED)
def strangers_to_an_organization_are_refused(team: Team) -> None:
    """Who does not belong to an organization makes and lists nothing in it: 403."""
    foreign = team.caller("foreign")
    name = {"organization_id": team.organization_id, "name": team.name()}
    made = foreign.ask("POST", "/v1/spaces/", name)
    refused(made, 403, "INSUFFICIENT_PERMISSIONS", "Organization access required")
    listing = foreign.get("/v1/spaces/", organization_id=team.organization_id)
    refused(listing, 403, "INSUFFICIENT_PERMISSIONS", "Organization access required")
    title = {"organization_id": team.organization_id, "title": team.name("thread")}
    thread = foreign.ask("POST", "/v1/threads", title)
    refused(thread, 403, "INSUFFICIENT_PERMISSIONS", "Organization access required")
    stores = foreign.get(f"/v1/organizations/{quote(team.organization_id)}/vector-stores")
    equal(stores.status, 403, "listing its vector stores")


@promise("getSpace", "updateSpace", evidence=Evidence.PUBLISHED)
def everybody_on_a_list_has_access(team: Team) -> None:
    """Each of the users that a space names may view it, or edit it; not only the first."""
    callers = [team.caller("viewer"), team.caller("editor")]
    named = [caller.user_id for caller in callers]
    viewed, edited = team.owner.new_space(access_users=named), team.owner.new_space(editable_by_users=named)
    for caller in callers:
        equal(caller.get(f"/v1/spaces/{viewed['id']}").status, 200, f"reading by the {caller.role}")
        answer = caller.ask("PATCH", f"/v1/spaces/{edited['id']}", {"description": f"by the {caller.role}"})
        equal(answer.status, 200, f"changing by the {caller.role}")


@promise("getSpace", evidence=Evidence.ASSUMED, assumption="A45")
def everybody_means_everybody_of_the_organization(team: Team) -> None:
    """A space that `*` may edit is open to every member of its organization, and to nobody else."""
    space_id = team.owner.new_space(editable_by_users=["*"])["id"]
    for role, status in (("outsider", 200), ("foreign", 403)):
        equal(team.caller(role).get(f"/v1/spaces/{space_id}").status, status, f"reading by the {role}")


@promise("getSpace", "updateSpace", evidence=Evidence.PUBLISHED)
def a_part_of_an_id_is_nobody(team: Team) -> None:
    """Who has an id that is a part of one that a space names, or has one of these in it, has no access."""
    outsider = team.caller("outsider")
    near = [f"{outsider.user_id}0", f"0{outsider.user_id}", outsider.user_id[:-1], outsider.user_id.upper()]
    for field in ("access_users", "editable_by_users"):
        path = f"/v1/spaces/{team.owner.new_space(**{field: near})['id']}"
        equal(outsider.get(path).status, 403, f"reading, with such ids in {field}")
        changed = outsider.ask("PATCH", path, {"description": "mine"}).status
        equal(changed, 403, f"changing, with such ids in {field}")


@promise("getSpace", "updateSpace", evidence=Evidence.ASSUMED, assumption="A46")
def an_admin_has_no_say_in_other_organizations(team: Team) -> None:
    """Who may do everything in one organization's spaces may nothing in another's: 403."""
    admin, foreign = team.caller("admin"), team.caller("foreign")
    if admin.get(f"/v1/spaces/{team.owner.new_space()['id']}").status != 200:
        raise Untested("the admin may not read the owner's private space: the key is no admin's")
    home = foreign.get("/v1/threads", limit=1).body["data"]
    if not home or home[0]["organization_id"] == team.organization_id:
        raise Untested("the foreign user has no thread that tells the organization")
    path = f"/v1/spaces/{foreign.new_space(organization_id=home[0]['organization_id'])['id']}"
    equal(admin.get(path).status, 403, "reading a space of another organization")
    equal(admin.ask("PATCH", path, {"description": "mine"}).status, 403, "changing it")
