"""Pages on this machine may read answers, others only by name."""

from __future__ import annotations

import pytest

from mockserver.app import create_app
from mockserver.settings import Settings
from tests.conftest import Ask

PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "x-api-key, content-type",
}
EXPOSED = {"x-request-id", "X-Mock-Source", "X-Mock-Operation", "X-Mock-Reason", "Allow", "Retry-After"}
EXPOSED |= {"X-Mock-Fault", "X-Mock-Delay", "X-Mock-Violations", "X-Mock-Compared", "X-Mock-Owner"}
EXPOSED |= {"Preference-Applied"} | {f"X-RateLimit-{what}" for what in ("Limit", "Remaining", "Reset")}
LOCAL = [
    "http://localhost",
    "http://localhost:3000",
    "https://LOCALHOST:3000",
    "http://127.0.0.1:8080",
    "http://127.1.2.3",
    "http://[::1]:5173",
    "http://app.localhost:5173",
]
STRANGERS = [
    "http://localhost.evil.example",
    "http://evil.example",
    "http://127.0.0.1.evil.example",
    "http://evillocalhost",
    "http://10.0.0.1",
    "http://0.0.0.0:3000",
    "http://[::1",
    "null",
    "",
    "localhost",
]


@pytest.mark.parametrize("origin", LOCAL)
def test_a_page_on_loopback_may_read_answers(ask: Ask, origin: str) -> None:
    for answer in (
        ask("GET", "/v1/spaces/space_abc123", headers={"Origin": origin}),
        ask("GET", "/v1/spaces/space_abc123", key=None, headers={"Origin": origin}),
        ask("GET", "/nowhere", headers={"Origin": origin}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Vary"] == "Origin"
        assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) == EXPOSED


@pytest.mark.parametrize("origin", STRANGERS)
def test_other_pages_may_not(ask: Ask, origin: str) -> None:
    for answer in (
        ask("GET", "/v1/spaces/space_abc123", headers={"Origin": origin}),
        ask("OPTIONS", "/v1/spaces/space_abc123", headers={"Origin": origin, **PREFLIGHT}),
    ):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("path", ["/v1/spaces/", "/__admin/reset", "/nowhere"])
def test_a_preflight_is_answered_before_the_credential_is_asked(ask: Ask, path: str) -> None:
    answer = ask("OPTIONS", path, key=None, headers={"Origin": LOCAL[1], **PREFLIGHT})
    assert (answer.status_code, answer.data) == (204, b"")
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "x-api-key, content-type"
    assert answer.headers["Access-Control-Allow-Origin"] == LOCAL[1]
    assert "x-request-id" in answer.headers


def test_a_preflight_reflects_only_names_of_headers(ask: Ask) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-a\x7f, é"}
    answer = ask("OPTIONS", "/v1/spaces/", headers={"Origin": LOCAL[0], **asked})
    assert answer.status_code == 204
    assert "Access-Control-Allow-Headers" not in answer.headers


def test_other_origins_are_allowed_by_name() -> None:
    client = create_app(Settings(cors_origins=("https://Docs.example/",), quiet=True)).test_client()
    allowed = client.get("/v1/spaces/", headers={"Origin": "https://docs.example"})
    refused = client.get("/v1/spaces/", headers={"Origin": "https://docs.example.evil.example"})
    control = client.get("/__admin/health", headers={"Origin": "https://docs.example"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://docs.example"
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert "Access-Control-Allow-Origin" not in control.headers


def test_a_star_allows_every_origin() -> None:
    client = create_app(Settings(cors_origins=("*",), quiet=True)).test_client()
    for origin in ("https://anywhere.example", "null"):
        answer = client.get("/v1/spaces/", headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin
