"""What a probe sees beyond one answer: orders, times, and what two answers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from contracts.calibration.site import Site, parts_of
from contracts.checks.errors import Untested
from contracts.http.exchange import ClientRequest, ClientResponse

Seen: TypeAlias = Mapping[str, Any] | str
"""Parts of an answer, or the name of a behaviour."""


def post_space(site: Site, **fields: Any) -> ClientResponse:
    """Creation of a space."""
    body = {**site.organization, "name": site.run.name(), **fields}
    return site.owner.ask("POST", "/v1/spaces/", body)


def accepted(answer: ClientResponse) -> Seen:
    """Answer, with one status for a created space (A24)."""
    seen = parts_of(answer)
    return {**seen, "status": 201} if answer.status == 200 else seen


def raw_space(site: Site, text: str) -> ClientResponse:
    """Creation of a space with a body as it is."""
    return site.owner.ask("POST", "/v1/spaces/", text)


def own_store(site: Site) -> str:
    """Store of a new space."""
    return str(site.owner.new_space()["vector_store_id"])


def _attach(site: Site, store_id: str) -> ClientResponse:
    return site.owner.ask("POST", f"/v1/spaces/{site.space}/vector-stores/{site.run.ledger.allow(store_id)}")


def bad_token(site: Site, role: str | None) -> ClientResponse:
    """List with a token that is not valid."""
    headers = {"Authorization": "Bearer contracts-calibration"}
    return site.run.send(ClientRequest("GET", "/v1/threads?limit=1", role, None, headers))


def again(site: Site) -> Seen:
    """Second addition of a thread."""
    site.later  # noqa: B018 - a second must pass
    answer = site.owner.add(site.early["id"], site.early["thread"])
    if answer.status != 201:
        return {"status": answer.status}
    same = answer.fields.get("added_at") == site.early["added_at"]
    return "the first added_at" if same else "a new added_at"


def order_of_threads(site: Site) -> Seen:
    """Order of two threads that were added a second apart."""
    site.later  # noqa: B018 - a second must pass
    second = site.owner.new_thread()["id"]
    if site.owner.add(site.early["id"], second).status not in (200, 201):
        raise Untested("a thread can't be added")
    listed = site.owner.threads_of(site.early["id"])
    return _order([id_ for id_ in listed if id_ in (site.early["thread"], second)], site.early["thread"])


def order_of_spaces(site: Site) -> Seen:
    """Order of two spaces that were created a second apart."""
    pair = (site.early["id"], site.later["id"])
    return _order([space["id"] for space in site.owner.spaces() if space["id"] in pair], pair[0])


def _order(found: list[str], first: str) -> str:
    if len(found) < 2:
        raise Untested("a list lags behind its writes")
    return "oldest first" if found[0] == first else "newest first"


def default_order(site: Site) -> Seen:
    """Order of listThreads without `order`."""
    lists = {order: site.owner.ids("/v1/threads", limit=100, order=order) for order in ("asc", "desc", None)}
    if lists["asc"] == lists["desc"]:
        raise Untested("both orders list the same")
    names = {"asc": "oldest first", "desc": "newest first"}
    return next((name for order, name in names.items() if lists[order] == lists[None]), "another order")


def activity(site: Site) -> Seen:
    """What adding a thread moves."""
    before = site.early
    site.later  # noqa: B018 - a second must pass
    site.owner.add(before["id"], site.owner.new_thread()["id"])
    after = site.owner.get(f"/v1/spaces/{before['id']}").fields
    fields = ("last_activity_at", "updated_at")
    moved = [name for name in fields if after.get(name) != before.get(name)]
    if moved == [*fields]:
        return "updated_at moves too"
    return f"{' and '.join(moved) or 'nothing'} moves"


def empty_patch(site: Site) -> Seen:
    """What PATCH with {} moves."""
    site.later  # noqa: B018 - a second must pass
    space = site.idle.pop()
    answer = site.owner.ask("PATCH", f"/v1/spaces/{space['id']}", {})
    if answer.status != 200:
        return {"status": answer.status}
    return "{} moves nothing" if answer.fields.get("updated_at") == space["updated_at"] else "{} moves it too"


def attached_store(site: Site) -> Seen:
    """Status of attaching a space's own store, and texts for an unknown one."""
    status = _attach(site, own_store(site)).status
    return {**parts_of(_attach(site, site.unknown("vs"))), "status": status}


def long_name(site: Site) -> Seen:
    """Name of 256 characters."""
    answer = post_space(site, name=(site.run.name() + "x" * 256)[:256])
    return "longer names" if answer.status in (200, 201) else {"status": answer.status}


def foreign_organization(site: Site) -> Seen:
    """Space that is named with an organization that it is not in."""
    answer = site.owner.get(f"/v1/spaces/{site.space}", organization_id=site.unknown("org"))
    return "ignored" if answer.status == 200 else parts_of(answer)


def trace_id(site: Site) -> Seen:
    """trace_id of an error beside its x-request-id."""
    answer = site.owner.get(f"/v1/spaces/{site.unknown('space')}")
    shown, sent = answer.error.get("trace_id"), answer.headers.get("x-request-id")
    if not shown or not sent:
        return f"no {'x-request-id' if shown else 'trace_id'}"
    return "the x-request-id" if shown == sent else "another id"


def whose_thread(site: Site) -> Seen:
    """Thread of another member, added by the owner of the space."""
    thread = site.run.client("editor").new_thread()["id"]
    status = site.owner.add(site.space, thread).status
    return "any member's" if status in (200, 201) else "the caller's alone"


def who_deletes(site: Site) -> Seen:
    """Deletion of a space by an editor of it."""
    space = site.owner.new_space(editable_by_users=[site.run.user_id("editor")])["id"]
    status = site.run.client("editor").ask("DELETE", f"/v1/spaces/{space}").status
    return {204: "an editor", 403: "the owner"}.get(status, f"status {status}")


def unknown_thread_removed(site: Site) -> Seen:
    """Removal of an unknown thread beside that of one that is not in the space."""
    absent = parts_of(site.owner.remove_thread(site.space, site.thread))
    unknown = parts_of(site.owner.remove_thread(site.space, site.unknown("thrd")))
    return "like one that is not attached" if absent == unknown else "like a thread that is unknown"


def first_activity(site: Site) -> Seen:
    """last_activity_at of a new space."""
    space = site.owner.new_space()
    value = space.get("last_activity_at")
    return (
        "the time of creation"
        if value == space["created_at"]
        else "null"
        if value is None
        else "another time"
    )


def precision(site: Site) -> Seen:
    """Digits of a second in a time; one of several times may end with 0."""
    stamps = [site.owner.new_space()["created_at"] for _ in range(3)]
    digits = max(len(stamp.partition(".")[2].rstrip("Z").partition("+")[0]) for stamp in stamps)
    return {0: "seconds", 3: "milliseconds", 6: "microseconds"}.get(digits, f"{digits} digits of a second")


def new_metadata(site: Site) -> Seen:
    """Metadata of a new thread."""
    return _json(site.owner.new_thread().get("metadata"))


def cleared_metadata(site: Site) -> Seen:
    """Metadata of a thread after PATCH with null."""
    thread = site.owner.new_thread(metadata={"a": "b"})["id"]
    answer = site.owner.ask("PATCH", f"/v1/threads/{thread}", {"metadata": None})
    return f"cleared to {_json(answer.fields.get('metadata', answer.status))}"


def _json(value: Any) -> str:
    return (
        {None: "null"}.get(value, "a value") if not isinstance(value, dict) else "{}" if not value else "kept"
    )


def field_names(site: Site) -> Seen:
    """Name of a nested field in a 422."""
    fields = post_space(site, access_users=["x", 5]).error.get("details", {}).get("fields", [])
    name = str(fields[0]["name"]) if fields else ""
    return "dotted" if "." in name else "JSON pointers" if name.startswith("/") else f"{name or 'none'}"


def challenge(site: Site) -> Seen:
    """WWW-Authenticate of a 401."""
    sent = "www-authenticate" in site.anonymous.get("/v1/threads", limit=1).headers
    return "WWW-Authenticate with a 401" if sent else "no WWW-Authenticate"


def total(site: Site) -> Seen:
    """Total of listThreads without include_total."""
    counted = site.owner.get("/v1/threads", limit=1).body.get("total") is not None
    return "always counted" if counted else "counted when asked for"


def token_or_key(site: Site) -> Seen:
    """A key that is valid beside a token that is not."""
    status = bad_token(site, "owner").status
    return {200: "the key wins", 401: "the token wins"}.get(status, f"status {status}")


def without_organization(site: Site) -> Seen:
    """Space without the organization, which newer revisions require."""
    if not site.run.requires_organization("GET", f"/v1/spaces/{site.space}"):
        raise Untested("it is of revision 2026-05")
    request = ClientRequest("GET", f"/v1/spaces/{site.space}", "owner")
    return parts_of(site.run.send(request, as_it_is=True))


def page_size(answer: ClientResponse) -> str:
    """Size of a page that nobody asked for."""
    limit = (answer.fields.get("pagination") or answer.fields).get("limit")
    if limit is None:
        raise Untested("the answer names no limit")
    return f"{limit} by default"
