"""Waits until a list shows the writes before it, on a target whose lists lag behind."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.lists import LISTS, next_page

PAUSE = 0.1
"""Seconds between two reads of a list."""
MAX_PAGES = 20
"""Pages of 100 that are searched for an effect."""
_LIST = re.compile(
    r"/v1/spaces/|/v1/threads|/v1/organizations/[^/]+/vector-stores|/v1/spaces/[^/]+/(?:threads|vector-stores)"
)
_KINDS = {"spaces": "space", "threads": "thread", "vector-stores": "vector_store"}


class Effect(NamedTuple):
    """What a list has to show of a write."""

    role: str | None
    """Role that wrote."""
    fields: Mapping[str, Any] | None
    """Fields of the item; None if it must not be listed."""
    until: float
    """Monotonic time at which the effect is no longer waited for."""


class Settling:
    """Recent writes whose effects lists may not show yet."""

    def __init__(
        self, seconds: float, organization_id: str, send: Callable[[ClientRequest], ClientResponse]
    ) -> None:
        self.seconds, self._organization_id, self._send = seconds, organization_id, send
        self.patience = 0.0
        """Seconds to read lists again after a failure that a lagging list may explain; 0 where none lags."""
        self.late: list[str] = []
        """Paths of lists that showed a write only when they were read again."""
        self._effects: dict[str, dict[str, Effect]] = {}
        """Path of a list -> id -> effect."""
        self._holding: dict[str, set[str]] = {}
        """Thread -> lists of the spaces that it was added to."""

    def note(self, answer: ClientResponse) -> None:
        """Remember the effect of a write."""
        if (
            not self.seconds
            or answer.status >= 300
            or answer.request.method not in ("POST", "PATCH", "DELETE")
        ):
            return
        for path, id_, fields in self._effects_of(answer):
            effect = Effect(answer.request.role, fields, time.monotonic() + self.seconds)
            self._effects.setdefault(path, {})[id_] = effect

    def wait(self, request: ClientRequest) -> None:
        """Read a list again until it shows the writes before this request, or their time is over."""
        path = request.path.partition("?")[0]
        effects = self._effects.pop(path, {}) if request.method == "GET" else {}
        first = True
        while effects:
            expected = len(effects)
            for role in {effect.role for effect in effects.values()}:
                items = self._items(path, role)
                for id_, effect in [*effects.items()]:
                    if effect.role == role and items is not None and _is_shown(effect, items.get(id_)):
                        del effects[id_]
            if len(effects) < expected and not first:
                self.late.append(path)
            first = False
            effects = {id_: effect for id_, effect in effects.items() if time.monotonic() < effect.until}
            if effects:
                time.sleep(PAUSE)

    def _effects_of(self, answer: ClientResponse) -> Iterator[tuple[str, str, Mapping[str, Any] | None]]:
        """List, id and expected fields of each effect."""
        request, path = answer.request, answer.request.path.partition("?")[0]
        parent, _, id_ = path.rpartition("/")
        parent += "/" if parent == "/v1/spaces" else ""
        sent, body = request.fields, answer.fields
        if request.method == "POST" and _LIST.fullmatch(path):
            made = body.get("data", body) if path.endswith("vector-stores") else body
            if isinstance(made, dict) and isinstance(made.get("id"), str):
                yield path, made["id"], {}
                if path == "/v1/spaces/":  # its list can be read
                    yield f"{path}{made['id']}/threads", "", None
        elif _LIST.fullmatch(parent):
            changed = {name: body[name] for name in sent if name in body} if request.method == "PATCH" else {}
            yield parent, id_, None if request.method == "DELETE" else changed
        if request.method == "POST" and parent.endswith("/threads"):
            self._holding.setdefault(id_, set()).add(parent)
        if request.method == "DELETE" and parent == "/v1/threads":
            yield from ((space, id_, None) for space in self._holding.pop(id_, ()))

    def _items(self, path: str, role: str | None) -> dict[str, dict[str, Any]] | None:
        """All items that the list shows now, by id; None if it can't be read."""
        kind = _KINDS[path.rstrip("/").rpartition("/")[2]]
        of_space = path.startswith("/v1/spaces/") and path != "/v1/spaces/"
        organization = quote(self._organization_id, safe="")
        lists = (
            [f"{path}?limit=100"] if of_space else [t.format(organization=organization) for t in LISTS[kind]]
        )
        found: dict[str, dict[str, Any]] = {}
        for first in lists:
            more, count = "", 0
            for _ in range(MAX_PAGES):
                page = self._send(ClientRequest("GET", first + more, role))
                if page.status != 200:
                    return None
                count += len(page.items)
                found |= {item["id"]: item for item in page.items if isinstance(item.get("id"), str)}
                more = next_page(page, count)
                if not more:
                    break
        return found


def _is_shown(effect: Effect, item: Mapping[str, Any] | None) -> bool:
    if effect.fields is None or item is None:
        return effect.fields is None and item is None
    return all(item[name] == value for name, value in effect.fields.items() if name in item)
