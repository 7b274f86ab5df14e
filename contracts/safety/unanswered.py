"""Outcome of unanswered requests, found by comparison with the lists before the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from contracts.checks.errors import Unanswered, Untested
from contracts.http.lists import LISTS, next_page
from contracts.http.run import Run
from contracts.safety.ledger import CreatedResource

MAX_PAGES = 60
"""Most pages of 100 read from a list; new items of a longer list can't be identified."""
SLACK = 60.0
"""Tolerated seconds between a request and the creation time of its resource."""
Item = dict[str, Any]


class Reconciliation(NamedTuple):
    """Result of reconciling unanswered requests."""

    removed: list[str]
    unsure: list[str]
    """Cases that a person has to decide, one line each."""


def existing_ids(run: Run) -> dict[str, Any]:
    """Ids visible to each role, by kind; null for a list that can't be read completely."""
    return {role: {kind: _ids(run, role, kind) for kind in LISTS} for role in run.roles}


def _ids(run: Run, role: str, kind: str) -> list[str] | None:
    try:
        return list(_items(run, role, kind))
    except (Untested, Unanswered, _Unclear):
        return None


def reconcile(run: Run) -> Reconciliation:
    """Delete what unanswered requests created, where it certainly belongs to the run."""
    left = Reconciliation([], [])
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for intent in run.ledger.unanswered:
        alike.setdefault((intent["kind"], intent["role"], intent["name"]), []).append(intent)
    for about, intents in alike.items():
        _reconcile_group(run, about, intents, left)
    return left


def _reconcile_group(
    run: Run, about: tuple[str, ...], intents: list[dict[str, Any]], left: Reconciliation
) -> None:
    """Reconcile intents that differ in time only; `about` has their kind, role and name."""
    kind, role, name = about
    what = f"a {kind.replace('_', ' ')} {f'named {name!r}' if name else 'without a name'}"
    try:
        found = list(_candidates(run, about, intents))
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


def _candidates(run: Run, about: tuple[str, ...], intents: list[dict[str, Any]]) -> Iterator[Item]:
    """Items created since the start of the run with the same user, name and time."""
    kind, role, name = about
    known = run.ledger.about.get("before", {}).get(role, {}).get(kind)
    if known is None:
        raise _Unclear("the existing items before the run are unknown")
    now, user = _items(run, role, kind), user_of_key(run, role)
    for item in now.values():
        if item["id"] in known or run.ledger.owns(item["id"]):
            continue
        if _first_of(item, "name", "title", "original_filename") != (name or None):
            continue
        owner = _first_of(item, "created_by", "user_id", "uploaded_by")
        if user is None:
            raise _Unclear(f"the user behind the {role}'s key is unknown")
        if owner == user and any(_in_time(item, intent, run.ledger.about) for intent in intents):
            yield item


def _in_time(item: Item, intent: dict[str, Any], about: dict[str, Any]) -> bool:
    """Whether the creation time lies between the start of the run and the intent.

    Times are the target's, whose clock may differ from ours or be frozen.
    """
    made, began = _seconds(_first_of(item, "created_at", "uploaded_at")), _seconds(about.get("clock"))
    if made is None or began is None or "at" not in intent:
        return True  # no times to compare
    return bool(began - 1 <= made <= began + (intent["at"] - about["at"]) + SLACK)


def user_of_key(run: Run, role: str) -> str | None:
    """User id behind a key, read from one of the user's threads; None without threads."""
    answer = run.client(role).get("/v1/threads", limit=1)
    user = answer.items[0].get("user_id") if answer.items else None
    return user if isinstance(user, str) else None


def _items(run: Run, role: str, kind: str) -> dict[str, Item]:
    """All items of a kind visible to a role, by id; _Unclear if a list is unreadable or too long."""
    found: dict[str, Item] = {}
    for template in LISTS[kind]:
        path, more, count = template.format(organization=quote(run.organization_id, safe="")), "", 0
        for _ in range(MAX_PAGES):
            answer = run.client(role).get(path + more)
            if answer.status == 403:
                break  # of another organization, where the run creates nothing
            if answer.status != 200 or not isinstance(
                _first_of(answer.fields, "spaces", "files", "data"), list
            ):
                raise _Unclear("the list can't be read completely")
            count += len(answer.items)
            found |= {item["id"]: item for item in answer.items if isinstance(item.get("id"), str)}
            more = next_page(answer, count)
            if not more:
                break
        else:
            raise _Unclear("the list can't be read completely")
    return found


def _first_of(fields: Mapping[str, Any], *names: str) -> Any:
    """Value of the first of these fields that is there; None if none is."""
    return next((fields[name] for name in names if name in fields), None)


def _seconds(instant: object) -> float | None:
    try:
        return datetime.fromisoformat(str(instant).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
