"""What is refused first when several things are wrong (A02, A32)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Ask

NOWHERE, HERE = "/v1/spaces/space_nowhere", "/v1/spaces/space_abc123"
NEW = {"organization_id": "org_abc123", "name": "New"}
CASES: list[tuple[str, str, str, Any, int]] = [
    # (method, path, key, body, status): each line has one fault less than the one before it.
    ("POST", f"{NOWHERE}/threads/thrd_nowhere", "nobody", None, 401),
    ("POST", f"{NOWHERE}/threads/thrd_nowhere", "viewer", None, 404),
    ("POST", f"{HERE}/threads/thrd_nowhere", "viewer", None, 403),
    ("POST", f"{HERE}/threads/thrd_nowhere", "editor", None, 404),
    ("DELETE", f"{NOWHERE}/threads/thrd_nowhere", "nobody", None, 401),
    ("DELETE", f"{NOWHERE}/threads/thrd_nowhere", "viewer", None, 404),
    ("DELETE", f"{HERE}/threads/thrd_nowhere", "viewer", None, 403),
    ("POST", f"{NOWHERE}/vector-stores/vs_nowhere", "nobody", None, 401),
    ("POST", f"{NOWHERE}/vector-stores/vs_nowhere", "viewer", None, 404),
    ("POST", f"{HERE}/vector-stores/vs_nowhere", "viewer", None, 403),
    ("POST", f"{HERE}/vector-stores/vs_nowhere", "editor", None, 404),
    ("POST", f"{HERE}/vector-stores/vs_auto123", "viewer", None, 403),
    ("POST", f"{HERE}/vector-stores/vs_auto123", "editor", None, 422),
    ("GET", f"{NOWHERE}/threads?limit=0&cursor=x", "nobody", None, 401),
    ("GET", f"{NOWHERE}/threads?limit=0&cursor=x", "outsider", None, 422),
    ("GET", f"{NOWHERE}/threads?cursor=x", "outsider", None, 404),
    ("GET", f"{HERE}/threads?cursor=x", "outsider", None, 403),
    ("GET", f"{HERE}/threads?cursor=x", "viewer", None, 422),
    ("PATCH", NOWHERE, "nobody", {"name": ""}, 401),
    ("PATCH", NOWHERE, "outsider", {"name": ""}, 422),
    ("PATCH", NOWHERE, "outsider", {"visible_to_roles": ["role_x"]}, 404),
    ("PATCH", HERE, "outsider", {"visible_to_roles": ["role_x"]}, 403),
    ("PATCH", HERE, "editor", {"visible_to_roles": ["role_x"]}, 403),
    ("PATCH", HERE, "owner", {"visible_to_roles": ["role_x"]}, 422),
    ("POST", "/v1/spaces/", "nobody", {"name": ""}, 401),
    ("POST", "/v1/spaces/", "foreign", {**NEW, "name": "", "visible_to_roles": ["role_x"]}, 422),
    ("POST", "/v1/spaces/", "foreign", {**NEW, "visible_to_roles": ["role_x"]}, 403),
    ("POST", "/v1/spaces/", "owner", {**NEW, "visible_to_roles": ["role_x"]}, 422),
    ("GET", "/v1/spaces/?limit=0&cursor=x", "nobody", None, 401),
    ("GET", "/v1/spaces/?limit=0&cursor=x&organization_id=org_abc123", "foreign", None, 422),
    ("GET", "/v1/spaces/?cursor=x&organization_id=org_abc123", "foreign", None, 403),
    ("GET", "/v1/spaces/?cursor=x&organization_id=org_abc123", "owner", None, 422),
    ("GET", "/v1/threads?limit=0&after=x&organization_id=org_abc123", "nobody", None, 401),
    ("GET", "/v1/threads?limit=0&after=x&organization_id=org_abc123", "foreign", None, 422),
    ("GET", "/v1/threads?after=x&organization_id=org_abc123", "foreign", None, 403),
    ("GET", "/v1/threads?after=x&organization_id=org_abc123", "owner", None, 422),
    ("PATCH", "/v1/threads/thrd_nowhere", "nobody", {"title": 1}, 401),
    ("PATCH", "/v1/threads/thrd_nowhere", "editor", {"title": 1}, 422),
    ("PATCH", "/v1/threads/thrd_nowhere", "editor", {"title": "x"}, 404),
    ("PATCH", "/v1/threads/thrd_pinned2", "editor", {"metadata": {f"k{n}": "" for n in range(16)}}, 403),
    ("PATCH", "/v1/threads/thrd_pinned2", "owner", {"metadata": {f"k{n}": "" for n in range(16)}}, 422),
]


@pytest.mark.parametrize(("method", "path", "key", "body", "status"), CASES)
def test_the_first_fault_in_order_decides_and_nothing_changes(
    ask: Ask, state: Callable[[], Any], method: str, path: str, key: str, body: Any, status: int
) -> None:
    """401, 422 of the request, 404 of the space, 403, 404 of the other, 422 of the state."""
    before = state()
    assert ask(method, path, f"ak_demo_{key}", json=body).status_code == status
    assert state() == before
