"""What became of requests that were never answered: found by comparing with what was there before the run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from contracts.checks.errors import Unanswered, Untested
from contracts.http.role_client import Caller
from contracts.http.run import Team
from contracts.safety.ledger import Made

PAGES = 60
"""Pages of a hundred that are read of each list at most: of a longer one it can't be told what is new."""
SLACK = 60.0
"""Seconds by which the time of something that the run made may differ from when the run asked for it."""
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
"""Where things of a kind are listed."""


class Left(NamedTuple):
    """What settling came to."""

    removed: list[str]
    unsure: list[str]
    """What has to be decided by somebody: one line each."""


def before(team: Team) -> dict[str, Any]:
    """What each user sees, as ids by role and kind; null for a list that can't be read whole."""
    return {role: {kind: _ids(team, role, kind) for kind in LISTS} for role in team.roles}


def settle(team: Team) -> Left:
    """Find out what the unanswered requests made, and remove it if there is no doubt that it is ours."""
    left = Left([], [])
    intents = team.ledger.unanswered
    for group in {(i["kind"], i["role"], i["name"]) for i in intents}:
        same = [i for i in intents if (i["kind"], i["role"], i["name"]) == group]
        _settle(team, same, left)
    return left


def _settle(team: Team, intents: list[dict[str, Any]], left: Left) -> None:
    """The same for intents that only their time tells apart."""
    kind, role, name = (intents[0][field] for field in ("kind", "role", "name"))
    what = (
        f"a {kind.replace('_', ' ')} named {name!r}" if name else f"a {kind.replace('_', ' ')} without a name"
    )
    try:
        found = list(_candidates(team, intents))
    except (Untested, Unanswered, _Unclear) as reason:
        left.unsure.append(f"{what} may have been made: {reason}")
        return
    if found and (not name or len(found) > len(intents)):
        ids = ", ".join(item["id"] for item in found)
        left.unsure.append(f"{what} may have been made by this run, and is perhaps one of these: {ids}")
        return
    for item in found:
        made = Made(kind, item["id"], role, team.organization_id)
        team.ledger.made(intents.pop()["intent"], made)
        answer = team.remove(made)
        if answer.status in (204, 404):
            left.removed.append(f"{kind} {made.id}")
        else:
            left.unsure.append(f"{kind} {made.id} can't be removed: {answer.status}")
    for intent in intents:
        team.ledger.unmade(intent["intent"])


class _Unclear(Exception):
    """It can't be told what is new."""


def _candidates(team: Team, intents: list[dict[str, Any]]) -> Iterator[Item]:
    """What is new since before the run, of the same user, name and time."""
    kind, role, name = (intents[0][field] for field in ("kind", "role", "name"))
    known = team.ledger.about.get("before", {}).get(role, {}).get(kind)
    if known is None:
        raise _Unclear("it is not known what was there before the run")
    now = _items(team, role, kind)
    if now is None:
        raise _Unclear("the list can't be read whole")
    user = who(team, role)
    for item in now:
        if item["id"] in known or team.ledger.owns(item["id"]):
            continue
        if item.get("name", item.get("title")) != (name or None):
            continue
        owner = item.get("created_by", item.get("user_id"))
        if user is None:
            raise _Unclear(f"it is not known which user has the {role}'s key")
        if owner == user and any(_in_time(item, intent, team.ledger.about) for intent in intents):
            yield item


def _in_time(item: Item, intent: dict[str, Any], about: dict[str, Any]) -> bool:
    """Whether it was made after the run began and by the time of the intent, by the target's clock.

    That clock may differ from ours, and may stand still.
    """
    made, began = _seconds(item.get("created_at")), _seconds(about.get("clock"))
    if made is None or began is None or "at" not in intent:
        return True  # there is nothing to tell it by
    return bool(began - 1 <= made <= began + (intent["at"] - about["at"]) + SLACK)


def who(team: Team, role: str) -> str | None:
    """The user behind a key, if one of the user's threads tells; nothing is written."""
    answer = team.caller(role).get("/v1/threads", limit=1)
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    first = data[0] if isinstance(data, list) and data else {}
    user = first.get("user_id") if isinstance(first, dict) else None
    return user if isinstance(user, str) else None


def _ids(team: Team, role: str, kind: str) -> list[str] | None:
    try:
        items = _items(team, role, kind)
    except (Untested, Unanswered):
        return None
    return None if items is None else [item["id"] for item in items]


def _items(team: Team, role: str, kind: str) -> list[Item] | None:
    """Everything of a kind that a role sees; None if a list can't be read, or is too long."""
    found: dict[str, Item] = {}
    for where in LISTS[kind]:
        items = _whole(team, team.caller(role), where)
        if items is None:
            return None
        found |= {item["id"]: item for item in items}
    return list(found.values())


def _whole(team: Team, caller: Caller, where: _List) -> list[Item] | None:
    path = where.path.format(organization=quote(team.organization_id))
    query = {n: v.format(organization=team.organization_id) for n, v in where.query.items()}
    found: list[Item] = []
    more: dict[str, Any] = {}
    for _ in range(PAGES):
        answer = caller.get(path, **query, **more)
        if answer.status == 403:
            return []  # of another organization: the role makes nothing here
        items = answer.body.get(where.items) if isinstance(answer.body, dict) else None
        if answer.status != 200 or not isinstance(items, list):
            return None
        found += [item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]
        behind = _behind(answer.body, query, len(found))
        if behind is None or not items:
            return found
        more = behind
    return None


def _behind(page: Item, query: dict[str, str], count: int) -> dict[str, Any] | None:
    """What to ask for behind a page, from it and the number of items up to it; None at the end."""
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
