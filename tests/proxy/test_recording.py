"""A proxy records what goes by without keys, and lets the mock answer what the target does not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.client.child import Child
from mockserver.proxy.recording import masked_body
from tests.proxy.target import Asked, answer, ask, ended, proxy, saying, target
from tests.proxy.test_passing_on import REQUEST_ID, THREADS
from tests.running import ROOT, eventually, mock


def recorded(to: str, file: Path, calls: Any, *flags: str) -> dict[str, Any]:
    """The archive of a proxy through which some calls went."""
    child = Child("--target", to, "--record", str(file), *flags, "--quiet", command="proxy", cwd=ROOT)
    assert child.ready is not None
    calls(child.ready["url"])
    assert ended(child.process) == 0
    child.end()
    return dict(json.loads(file.read_bytes()))


def recorded_walk(walk: Any, factory: pytest.TempPathFactory) -> Path:
    """Recording of a walk on a mock of another seed and time."""
    file = factory.mktemp("recording") / "walk.har"
    with mock("--seed", "7", "--freeze", "2026-03-01T00:00:00Z") as behind:
        recorded(behind, file, walk)
    return file


def test_a_recording_has_every_exchange_in_order_and_no_key(tmp_path: Path) -> None:
    file, part = tmp_path / "walk.har", tmp_path / "walk.har.part"

    def calls(url: str) -> None:
        made = ask(
            "POST", f"{url}/v1/threads", json={"organization_id": "org_abc123", "title": "Anna"}
        ).json()
        ask("GET", f"{url}/v1/threads/{made['id']}", headers={"X-API-Key": "ak_demo_viewer"})
        ask(
            "GET",
            f"{url}/v1/threads",
            headers={"X-API-Key": "unknown-key", "Authorization": "Bearer other-key"},
        )
        assert eventually(lambda: part.read_bytes().count(b"\n") == 3), "lines are written while it runs"

    with mock() as behind:
        log = recorded(behind, file, calls, "--mask", "/title")["log"]
    assert (part.exists(), file.stat().st_mode & 0o777) == (False, 0o600)
    text = file.read_text("utf-8")
    assert not [secret for secret in ("ak_demo", "unknown-key", "other-key", "Anna") if secret in text]
    assert [(e["_mock"]["order"], e["_mock"]["operation"], e["_mock"]["role"]) for e in log["entries"]] == [
        (1, "createThread", "owner"),
        (2, "getThread", "viewer"),
        (3, "listThreads", "key_1"),
    ]
    first = log["entries"][0]
    assert first["request"]["url"] == f"{behind}/v1/threads"
    assert json.loads(first["request"]["postData"]["text"])["title"] == "***"
    assert {"name": "x-api-key", "value": "{owner}"} in first["request"]["headers"]


def test_a_recording_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    child = Child("--target", "http://127.0.0.1:1", "--record", str(tmp_path), command="proxy", cwd=ROOT)
    child.end()
    assert (child.ready, child.process.returncode) == (None, 2)


@pytest.mark.parametrize(
    ("text", "pointer", "masked"),
    [
        ('{"a":{"b":"x"}}', "/a/b", '{"a":{"b":"***"}}'),
        ('{"a":[{"b":"x"},{"b":"y"}]}', "/a/*/b", '{"a":[{"b":"***"},{"b":"***"}]}'),
        ('{"a/b":"x"}', "/a~1b", '{"a/b":"***"}'),
        ('data: {"a":"x"}\n\ndata: [DONE]\n\n', "/a", 'data: {"a":"***"}\n\ndata: [DONE]\n\n'),
        ('{"a":"x"}', "/b", '{"a":"x"}'),
        ('{"a":"x', "/a", "***"),
    ],
)
def test_masked_values_are_in_no_body(text: str, pointer: str, masked: str) -> None:
    assert masked_body(text, [pointer]) == masked


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed", "501 Not Implemented"])
def test_the_mock_fills_in_what_the_target_does_not_have(status: str) -> None:
    missing = saying(body={"detail": "Not Found"}, status=status)
    with target(missing) as behind, proxy(behind.url, "--mode", "fill") as url:
        got = ask("GET", f"{url}/v1/threads?limit=1", headers={"X-API-Key": "a real key"})
        refused = ask("POST", f"{url}/v1/threads", json={"title": 1})
        nothing = ask("GET", f"{url}/v1/no/such/path")
    assert (got.status_code, got.headers["X-Mock-Source"], len(got.json()["data"])) == (200, "state", 1)
    assert (refused.status_code, refused.headers["X-Mock-Source"]) == (422, "state")
    assert nothing.headers["X-Mock-Source"] == "target"
    assert len(behind.asked) == 3, "the target is always asked first"


def test_what_the_target_has_is_not_filled_in() -> None:
    missing = {"success": False, "error": {"code": "RESOURCE_NOT_FOUND"}}

    def script(connection: Any, asked: Asked) -> None:
        has = asked.line.startswith("GET /v1/threads?")
        connection.sendall(
            answer(REQUEST_ID, body=THREADS) if has else answer(body=missing, status="404 Not Found")
        )

    with target(script) as behind, proxy(behind.url, "--mode", "fill") as url:
        assert ask("GET", f"{url}/v1/threads?limit=1").json() == THREADS
        assert ask("GET", f"{url}/v1/threads/thrd_pinned1").json() == missing
