"""A state as a scenario: a mock that starts from the file answers as the one that wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockserver.app import create_app
from mockserver.commands.lines import scenario_text
from mockserver.settings import Settings
from tests.freddy.steps import Steps
from tests.freddy.test_state import FILES, Mock, in_json
from tests.freddy.test_state import lived_in as lived_in_much
from tests.running import FROZEN

PATHS = (
    "/v1/spaces/?organization_id=org_abc123&limit=50",
    "/v1/spaces/space_abc123",
    "/v1/spaces/space_abc123/threads?limit=50",
    "/v1/spaces/space_team/threads?limit=7",
    "/v1/spaces/space_abc123/vector-stores",
    "/v1/threads?limit=100",
    "/v1/threads/thrd_abc123/messages?limit=100",
    FILES,
    FILES.replace("/vector-stores/vs_def456", ""),
)


@pytest.fixture
def mock() -> Mock:
    return Mock()


def exported(mock: Mock) -> dict[str, Any]:
    """Scenario, and what it lacks."""
    return dict(Steps(mock)("GET", "/__admin/state/scenario"))


def started_from(text: str, folder: Path) -> Mock:
    """A mock that starts from a scenario file."""
    file = folder / "world.yaml"
    file.write_text(text, "utf-8")
    return Mock(scenario=str(file))


@pytest.mark.parametrize("key", ["ak_demo_owner", "ak_demo_admin", "ak_demo_researcher", "ak_demo_foreign"])
def test_it_answers_the_same(mock: Mock, tmp_path: Path, key: str) -> None:
    steps = Steps(mock)
    space, thread = steps.space(description="a\u2028b\x85 😀 \x00"), steps.thread("one", "two: [")
    steps.add(space, thread)
    steps("POST", "/v1/spaces/space_abc123/vector-stores/vs_def456")
    steps("POST", f"{FILES}/upload-base64", json={"files": [in_json(b"One\n\nTwo")]})
    steps("POST", "/__admin/embeddings/drain")
    found = exported(mock)
    assert found["left_out"] == []
    other = started_from(scenario_text(found["scenario"]), tmp_path)
    asked = {"inputs": [{"role": "user", "content": "one"}], "thread_id": thread}
    paths = [*PATHS, f"/v1/threads/{thread}/messages", f"/v1/spaces/{space}"]
    for path in paths:
        mine, its = (told(each, path, key) for each in (mock, other))
        assert (path, mine) == (path, its)
    texts = [each("POST", "/v1/model/response", json=asked).get_json()["response"] for each in (mock, other)]
    assert texts[0] == texts[1]


def told(mock: Mock, path: str, key: str) -> Any:
    """An answer without the id of its request."""
    body = mock("GET", path, key).get_json()
    if "error" in body:
        del body["error"]["trace_id"]
    return body


def test_what_it_lacks_is_named(mock: Mock) -> None:
    lived_in_much(mock)
    lacking = exported(mock)["left_out"]
    names = {line.partition(":")[0] for line in lacking}
    assert {"deleted_threads", "deleted_messages", "replies", "queue"} <= names


def test_settings_of_the_queue_that_were_changed_are_named(mock: Mock) -> None:
    policy = {"mode": "timed", "seconds": 8, "slots": 2, "fail": {"every": 3}}
    Steps(mock)("PUT", "/__admin/embeddings/policy", json=policy)
    assert exported(mock)["left_out"] == ["queue: its settings (8 s a message, 2 at once, 1 of 3 fails)"]


def test_check_accepts_it(mock: Mock, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(scenario_text(exported(mock)["scenario"]), "utf-8")
    create_app(Settings(scenario=str(file), freeze=FROZEN, quiet=True))


def test_a_sandbox_starts_from_it_and_a_reset_returns_to_it(mock: Mock) -> None:
    space = Steps(mock).space(name="Kept")
    scenario, other = exported(mock)["scenario"], Mock()
    assert mock("PUT", "/__admin/state/scenario", json={**scenario, "users": []}).status_code == 422
    done = Steps(other)("PUT", "/__admin/state/scenario", json=scenario)
    assert done["scenario"] == "imported"
    assert told(other, f"/v1/spaces/{space}", "ak_demo_owner") == told(
        mock, f"/v1/spaces/{space}", "ak_demo_owner"
    )
    Steps(other)("DELETE", f"/v1/spaces/{space}")
    Steps(other)("POST", "/__admin/reset")
    assert other("GET", f"/v1/spaces/{space}").status_code == 200
