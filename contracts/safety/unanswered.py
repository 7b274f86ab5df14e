"""Outcome of unanswered requests, found by comparison with the lists before the run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from contracts.checks.errors import Unanswered, Untested
from contracts.http.role_client import RoleClient
from contracts.http.run import Run
from contracts.safety.ledger import CreatedResource

MAX_PAGES = 60
"""Most pages of 100 read from a list; new items of a longer list can't be identified."""
SLACK = 60.0
"""Tolerated seconds between a request and the creation time of its resource."""
Item = dict[str, Any]


class _List(NamedTuple):
    path: str
    items: str
    query: dict[str, str]


LISTS = {
    "space": [_List("/v1/spaces/", "spaces", {"organization_id": "{organization}", "limit": "100"})],
    "thread": [
        _List("/v1/threads", "data", {"limit": "100", "visible_in_ui": visible})
        for visible in ("true", "false")
    ],
    "vector_store": [_List("/v1/organizations/{organization}/vector-stores", "data", {"take": "100"})],
}
"""Lists that show resources of a kind."""


class Reconciliation(NamedTuple):
    """Result of reconciling unanswered requests."""

    removed: list[str]
    unsure: list[str]
    """Cases that a person has to decide, one line each."""


def existing_ids(run: Run) -> dict[str, Any]:
    """Ids visible to each role, by kind; null for a list that can't be read completely."""
    return {role: {kind: _ids(run, role, kind) for kind in LISTS} for role in run.roles}


def reconcile(run: Run) -> Reconciliation:
    """Delete what unanswered requests created, where it certainly belongs to the run."""
    left = Reconciliation([], [])
    intents = run.ledger.unanswered
    for group in {(i["kind"], i["role"], i["name"]) for i in intents}:
        alike = [i for i in intents if (i["kind"], i["role"], i["name"]) == group]
        _reconcile_group(run, alike, left)
    return left


def _reconcile_group(run: Run, intents: list[dict[str, Any]], left: Reconciliation) -> None:
    """Reconcile intents that differ in time only."""
    kind, role, name = (intents[0][field] for field in ("kind", "role", "name"))
    what = (
        f"a {kind.replace('_', ' ')} named {name!r}" if name else f"a {kind.replace('_', ' ')} without a name"
    )
    try:
        found = list(_candidates(run, intents))
    except (Untested, Unanswered, _Unclear) as reason:
        left.unsure.append(f"{what} may have been created: {reason}")
        return
    if found and (not name or len(found) > len(intents)):
        ids = ", ".join(item["id"] for item in found)
        left.unsure.append(f"{what} may have been created by this run, and may be one of these: {ids}")
        return
    for item in found:
        made = CreatedResource(kind, item["id"], role, run.organization_id)
        run.ledger.created(intents.pop()["intent"], made)
        answer = run.remove(made)
        if answer.status in (204, 404):
            left.removed.append(f"{kind} {made.id}")
        else:
            left.unsure.append(f"{kind} {made.id} can't be removed: {answer.status}")
    for intent in intents:
        run.ledger.not_created(intent["intent"])


class _Unclear(Exception):
    """New items can't be identified."""


def _candidates(run: Run, intents: list[dict[str, Any]]) -> Iterator[Item]:
    """Items created since the start of the run with the same user, name and time."""
    kind, role, name = (intents[0][field] for field in ("kind", "role", "name"))
    known = run.ledger.about.get("before", {}).get(role, {}).get(kind)
    if known is None:
        raise _Unclear("the existing items before the run are unknown")
    now = _items(run, role, kind)
    if now is None:
        raise _Unclear("the list can't be read completely")
    user = user_of_key(run, role)
    for item in now:
        if item["id"] in known or run.ledger.owns(item["id"]):
            continue
        if item.get("name", item.get("title")) != (name or None):
            continue
        owner = item.get("created_by", item.get("user_id"))
        if user is None:
            raise _Unclear(f"the user behind the {role}'s key is unknown")
        if owner == user and any(_in_time(item, intent, run.ledger.about) for intent in intents):
            yield item


def _in_time(item: Item, intent: dict[str, Any], about: dict[str, Any]) -> bool:
    """Whether the creation time lies between the start of the run and the intent.

    Times are the target's, whose clock may differ from ours or be frozen.
    """
    made, began = _seconds(item.get("created_at")), _seconds(about.get("clock"))
    if made is None or began is None or "at" not in intent:
        return True  # no times to compare
    return bool(began - 1 <= made <= began + (intent["at"] - about["at"]) + SLACK)


def user_of_key(run: Run, role: str) -> str | None:
    """User id behind a key, read from one of the user's threads; None without threads."""
    answer = run.client(role).get("/v1/threads", limit=1)
    user = answer.items[0].get("user_id") if answer.items else None
    return user if isinstance(user, str) else None


def _ids(run: Run, role: str, kind: str) -> list[str] | None:
    try:
        items = _items(run, role, kind)
    except (Untested, Unanswered):
        return None
    return None if items is None else [item["id"] for item in items]


def _items(run: Run, role: str, kind: str) -> list[Item] | None:
    """All items of a kind visible to a role; None if a list is unreadable or too long."""
    found: dict[str, Item] = {}
    for where in LISTS[kind]:
        items = _read_list(run, run.client(role), where)
        if items is None:
            return None
        found |= {item["id"]: item for item in items}
    return list(found.values())


def _read_list(run: Run, client: RoleClient, where: _List) -> list[Item] | None:
    path = where.path.format(organization=quote(run.organization_id))
    query = {n: v.format(organization=run.organization_id) for n, v in where.query.items()}
    found: list[Item] = []
    more: dict[str, Any] = {}
    for _ in range(MAX_PAGES):
        answer = client.get(path, **query, **more)
        if answer.status == 403:
            return []  # of another organization, where the run creates nothing
        items = answer.fields.get(where.items)
        if answer.status != 200 or not isinstance(items, list):
            return None
        found += [item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]
        behind = _next_page(answer.body, query, len(found))
        if behind is None or not items:
            return found
        more = behind
    return None


def _next_page(page: Item, query: dict[str, str], count: int) -> dict[str, Any] | None:
    """Query of the next page; None at the end. `count` is the number of items so far."""
    if "take" in query:
        return {"skip": count} if len(page["data"]) == 100 else None
    if page.get("next_cursor"):
        return {"cursor": page["next_cursor"]}
    return {"after": page["last_id"]} if page.get("has_more") and page.get("last_id") else None


def _seconds(instant: object) -> float | None:
    try:
        return datetime.fromisoformat(str(instant).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
