"""A page that may not read an answer is named in the log; probes are not; secret parameters are masked."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest

from mockserver.app import create_app
from mockserver.http.log import RequestLog
from mockserver.settings import Settings, SettingsError, read_settings

OWNER = {"X-API-Key": "ak_demo_owner"}
FOREIGN = {"Origin": "https://app.example"}
PREFLIGHT = FOREIGN | {"Access-Control-Request-Method": "POST"}


def logged(method: str, path: str, headers: dict[str, str], **log: Any) -> tuple[Any, list[dict[str, Any]]]:
    """The answer, and the lines on stderr."""
    stream = StringIO()
    request_log = RequestLog(stream, **log)
    answer = create_app(Settings(), log=request_log).test_client().open(path, method=method, headers=headers)
    request_log.flush()
    return answer, [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [("GET", OWNER | FOREIGN, 200), ("GET", FOREIGN, 401), ("OPTIONS", PREFLIGHT, 204)],
)
def test_a_refused_origin_is_the_reason_in_log_and_header(
    method: str, headers: dict[str, str], status: int
) -> None:
    answer, (line,) = logged(method, "/v1/threads", headers)
    expected = (
        "pages at 'https://app.example' may not read this answer; "
        "start the mock with `--cors-origins https://app.example` to allow it"
    )
    assert answer.status_code == line["status"] == status
    assert line["reason"].endswith(expected)
    assert answer.headers["X-Mock-Reason"] == line["reason"]


def test_an_allowed_page_may_send_credentials() -> None:
    for headers in (OWNER, {"Access-Control-Request-Method": "GET"}):
        method = "GET" if headers is OWNER else "OPTIONS"
        answer, (line,) = logged(method, "/v1/threads", headers | {"Origin": "http://localhost:3000"})
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "reason" not in line


@pytest.mark.parametrize(
    "origin", ["https://*.example.com", "http://localhost:*", "https://a.example*", "**"]
)
def test_a_wildcard_within_an_origin_is_refused_at_start(origin: str) -> None:
    with pytest.raises(SettingsError, match=r"nor \* alone"):
        read_settings({"cors_origins": origin})


@pytest.mark.parametrize("path", ["/__admin/health", "/__admin/ready"])
def test_a_health_probe_is_logged_only_if_asked_for(path: str) -> None:
    assert logged("GET", path, {})[1] == []
    assert [line["path"] for line in logged("GET", path, {}, probes=True)[1]] == [path]
    assert [line["status"] for line in logged("POST", path, {})[1]] == [405]


SECRETS = [
    "api_key=hidden-1",
    "limit=5&API-KEY=hidden-1&x=1",
    "access_token=hidden-1#x",
    "api%5Fkey=hidden-1",
    "x=1&%61pi_key=hidden-1",
    "api_key=%68idden-1",
    "client_secret=hidden-1+hidden-2",
    "password=hidden-1%26hidden-2",
]


@pytest.mark.parametrize("query", SECRETS)
@pytest.mark.parametrize("path", ["/v1/threads", "/v1/threads/", "/nowhere"])
def test_a_secret_parameter_is_masked_wherever_it_is_shown(path: str, query: str) -> None:
    stream = StringIO()
    log = RequestLog(stream)
    client = create_app(Settings(), log=log).test_client()
    client.get(f"{path}?{query}", headers={"Referer": f"http://localhost/?{query.partition('%')[0]}"})
    name = "api_key"
    wanted = {"request": {"queryParameters": {name: {"equalTo": "none"}}}, "exactly": 1}
    shown = [
        client.get("/__admin/requests").data,
        client.get("/__admin/events?timeout=0", headers={"Last-Event-ID": "0"}).data,
        client.post("/__admin/verify", json=wanted).data,
        client.post("/__admin/verify", json={"request": {"url": "/"}, "exactly": 1}).data,
    ]
    log.flush()
    assert "hidden" not in stream.getvalue()
    for each in shown:
        assert b"hidden" not in each
        assert b"68idden" not in each
