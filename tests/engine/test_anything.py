"""Whatever is sent, the mock does not fail, and what it answers it can explain."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.app import MockServer, create_app
from mockserver.openapi.spec import Spec
from mockserver.settings import Settings
from tests.test_openapi import ROOT

SPEC = Spec(ROOT / "openapi.yaml")
TEMPLATES = [*sorted({op.template for op in SPEC.operations.values()}), "/__admin/clock", "/__admin/reset"]
IDS = st.sampled_from(["space_abc123", "thrd_def456", "vs_def456", "thrd_abc123", "org_abc123"])
NAMES = ["organization_id", "limit", "cursor", "order", "after", "before", "include_total", "is_pinned"]
FIELDS = ["organization_id", "name", "title", "metadata", "access_mode", "access_users", "freeze", "advance"]
TEXT = st.text(max_size=20) | st.sampled_from(["org_abc123", "PT1H", "2026-02-26T10:30:00Z", "1", "*"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
BODIES = st.binary(max_size=50) | st.dictionaries(st.sampled_from(FIELDS) | TEXT, VALUES, max_size=4).map(
    lambda body: json.dumps(body).encode()
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Authorization", "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"]
    ),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=20)
    | st.sampled_from(["Bearer ak_demo_owner", "http://localhost"]),
    max_size=3,
)


@st.composite
def paths(draw: st.DrawFn) -> str:
    """A path of ours with ids of ours or any text in it, or any text."""
    if draw(st.integers(0, 9)) == 0:
        return "/" + draw(st.text(max_size=30))
    steps = draw(st.sampled_from(TEMPLATES)).split("/")
    path = "/".join(draw(IDS | TEXT) if step.startswith("{") else step for step in steps)
    return path + draw(st.sampled_from(["", "", "/"]))


@pytest.fixture(scope="module")
def mock() -> MockServer:
    """A mock of its own, whose failures are raised."""
    app = create_app(Settings(quiet=True))
    app.testing = True
    return app


@pytest.mark.slow
@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "BREW"]),
    path=paths(),
    query=st.dictionaries(st.sampled_from(NAMES) | TEXT, TEXT | st.integers().map(str), max_size=4),
    body=BODIES,
    headers=HEADERS,
    key=st.sampled_from(["ak_demo_owner", "ak_demo_admin", "ak_demo_viewer", "ak_demo_foreign", None]),
    content_type=st.sampled_from(["application/json", "", "text/plain", "application/x+json; charset=x"]),
)
def test_no_request_is_a_failure(
    mock: MockServer,
    method: str,
    path: str,
    query: dict[str, str],
    body: bytes,
    headers: dict[str, str],
    key: str | None,
    content_type: str,
) -> None:
    if key is not None:
        headers = {**headers, "X-API-Key": key}
    environ = {"PATH_INFO": path.encode("utf-8", "replace").decode("latin-1")}
    answer = mock.test_client().open(
        "/",
        method=method,
        query_string=query,
        data=body,
        headers=headers,
        content_type=content_type,
        environ_overrides=environ,
    )
    assert answer.status_code < 500 or answer.status_code == 501  # A80
    assert "x-request-id" in answer.headers
    if answer.status_code >= 400:
        assert answer.headers["X-Mock-Reason"].isascii()
        assert answer.headers["X-Mock-Reason"].isprintable()
    if answer.status_code == 307:
        assert answer.headers["Location"].startswith("/")
        assert not answer.headers["Location"].startswith("//")
