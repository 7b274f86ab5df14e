"""Lists of the API: where each kind of resource is listed, and how the next page is asked for."""

from __future__ import annotations

from urllib.parse import urlencode

from contracts.http.exchange import ClientResponse

LISTS = {
    "space": ["/v1/spaces/?organization_id={organization}&limit=100"],
    "thread": [f"/v1/threads?limit=100&visible_in_ui={visible}" for visible in ("true", "false")],
    "vector_store": ["/v1/organizations/{organization}/vector-stores?take=100"],
    "file": ["/v1/organizations/{organization}/files?limit=100"],
}
"""Lists that show resources of a kind."""


def next_page(page: ClientResponse, count: int) -> str:
    """Query of the next page; empty at the end. `count` is the number of items so far."""
    if "take=" in page.request.path:
        return f"&skip={count}" if len(page.items) == 100 else ""
    if "/files?" in page.request.path:
        return f"&page={count // 100 + 1}" if page.fields.get("has_more") and page.items else ""
    names = {"cursor": page.fields.get("next_cursor")}
    if page.fields.get("has_more"):
        names["after"] = page.fields.get("last_id")
    chosen = next(((name, value) for name, value in names.items() if value and page.items), None)
    return f"&{urlencode([chosen])}" if chosen else ""
