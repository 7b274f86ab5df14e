"""--persist: which calls are written, and which are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import g

from tests.freddy.steps import Steps
from tests.test_persistence import NEW, SPACES, Kept, Start, start

__all__ = ["start"]
CANCEL = "/v1/model/response/thrd_abc123/cancel"
FIND: dict[str, Any] = {"method": "GET"}


def written(kept: Kept) -> tuple[int, int]:
    """Number of the log of the default sandbox, and its bytes."""
    log = kept.app.keeper.kept()[0].log
    assert log.name == "default"
    return log.number, log.length


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", SPACES + "?organization_id=org_abc123", None),
        ("GET", "/v1/threads/thrd_abc123/messages", None),
        ("GET", "/__admin/state", None),
        ("GET", "/__admin/embeddings", None),
        ("POST", "/__admin/sandboxes", {}),
        ("POST", "/__admin/sandboxes/default/fork", {}),
        ("PUT", "/__admin/snapshots/of-entries", None),
        ("DELETE", "/__admin/requests", None),
        ("POST", "/__admin/requests/count", FIND),
        ("POST", "/__admin/requests/find", FIND),
        ("POST", "/__admin/verify", {**FIND, "times": 0}),
        ("POST", SPACES, {"name": "refused"}),
        ("DELETE", "/v1/spaces/space_of_nobody", None),
    ],
)
def test_what_changes_nothing_of_the_sandbox_is_not_written(
    start: Start, method: str, path: str, body: Any
) -> None:
    kept = start()
    kept("GET", "/v1/spaces/space_abc123")  # reserves request ids
    before, log = kept.state(), written(kept)
    kept(method, path, json=body)
    after = kept.state()
    assert (written(kept), after["collections"], after["faults"]) == (
        log,
        before["collections"],
        before["faults"],
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", SPACES, NEW),
        ("POST", "/__admin/reset", None),
        ("PUT", "/__admin/clock", {"advance": 5}),
        ("POST", "/__admin/faults", {"operation": "getSpace", "error": {"status": 503}}),
        ("PUT", "/__admin/rate-limit", {"plan": "standard"}),
        ("POST", "/__admin/seed", {"threads": 3}),
        ("PUT", "/__admin/embeddings/policy", {"mode": "manual"}),
        ("POST", "/__admin/replies", {"text": "Ordered"}),
        ("PATCH", "/__admin/records/spaces/space_abc123", {"name": "Mine"}),
    ],
)
def test_what_changes_something_is_one_entry(
    start: Start, tmp_path: Path, method: str, path: str, body: Any
) -> None:
    kept = start()
    kept("GET", "/v1/spaces/space_abc123")
    number, length = written(kept)
    Steps(kept)(method, path, json=body)
    before = kept.state()
    assert written(kept)[0] == number
    assert written(kept)[1] > length
    again = start(kept.crash(tmp_path / "crashed"))
    assert (again.state(), again.said) == (before, [])


def test_matches_of_rules_and_tokens_of_the_rate_limit_are_written(start: Start, tmp_path: Path) -> None:
    kept = start()
    steps, space = Steps(kept), "/v1/spaces/space_abc123"
    steps("POST", "/__admin/faults", json={"operation": "getSpace", "times": 3, "error": {"status": 503}})
    steps("PUT", "/__admin/rate-limit", json={"per_minute": 5})
    assert [kept("GET", space).status_code for _ in range(2)] == [503, 503]
    again = start(kept.crash(tmp_path / "crashed"))
    assert again.state() == kept.state()
    assert [again("GET", space).status_code for _ in range(4)] == [503, 200, 200, 429]


def test_calls_that_are_made_again_are_not_told_again(start: Start, tmp_path: Path) -> None:
    kept = start()
    Steps(kept)("PUT", "/__admin/clock", json={"advance": 5})
    again = start(kept.crash(tmp_path / "crashed"))
    assert again("GET", "/__admin/requests").get_json()["requests"] == []
    assert again.app.journals.events.last == 0


def test_a_stream_can_be_cancelled_after_a_crash(start: Start, tmp_path: Path) -> None:
    kept = start()
    steps = Steps(kept)
    steps("POST", "/__admin/replies", json={"text": "one two three", "pace": 5})
    asked = {"inputs": [{"role": "user", "content": "x"}], "thread_id": "thrd_abc123", "stream": True}
    kept("POST", "/v1/model/response", json=asked, buffered=False).close()
    again = start(kept.crash(tmp_path / "crashed"))
    assert Steps(again)("GET", "/v1/threads/thrd_abc123")["status"] == "streaming"
    cancelled = [each("POST", CANCEL) for each in (kept, again)]
    assert [each.status_code for each in cancelled] == [200, 200]
    assert cancelled[0].get_json() == cancelled[1].get_json()


def test_a_transaction_of_a_view_is_written_whole(start: Start, tmp_path: Path) -> None:
    kept = start()

    def view() -> dict[str, Any]:
        with g.sandbox.transaction():
            g.sandbox.extension_records.put("mine", {"a": [1]})
        return {}

    kept.app.add_url_rule("/my/view", "view", view, methods=["POST"])
    assert kept("POST", "/my/view").status_code == 200
    again = start(kept.crash(tmp_path / "crashed"))
    assert again.app.sandboxes.default.extension_records.get("mine") == {"a": [1]}
