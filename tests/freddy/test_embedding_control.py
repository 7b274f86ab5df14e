"""Control of the embedding queue: policy, steps, outcomes of jobs. Its arithmetic: tests/embeddings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Ask

POLICY, STEP = "/__admin/embeddings/policy", "/__admin/embeddings/step"
SPACE = "/__admin/embeddings?space_id=space_abc123&thread_id=thrd_def456"


def add(ask: Ask) -> None:
    ask("POST", "/v1/spaces/space_abc123/threads/thrd_def456")


def policy(ask: Ask, **body: Any) -> Any:
    answer = ask("PUT", POLICY, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json


def states(ask: Ask) -> list[str]:
    answer: Any = ask("GET", SPACE).json
    return [job["state"] for job in answer["jobs"]]


def ids(ask: Ask) -> list[str]:
    answer: Any = ask("GET", SPACE).json
    return [job["id"] for job in answer["jobs"]]


def test_immediate_embeds_at_once_what_waits_and_what_comes(ask: Ask) -> None:
    add(ask)
    policy(ask, mode="immediate")
    assert states(ask) == ["completed"] * 4
    ask("POST", "/__admin/threads/thrd_def456/messages", json={"role": "user", "content": "And one more."})
    assert states(ask) == ["completed"] * 5


def test_manual_embeds_nothing_until_a_step(ask: Ask) -> None:
    policy(ask, mode="manual")
    add(ask)
    ask("PUT", "/__admin/clock", json={"advance": 100_000})
    assert states(ask) == ["pending"] * 4
    answer: Any = ask("POST", STEP + "?n=3").json
    assert (answer["ended"], answer["counts"]["pending"]) == (3, 1)
    assert states(ask) == ["completed"] * 3 + ["pending"]
    more: Any = ask("POST", STEP + "?n=3").json
    assert more["ended"] == 1


def test_a_step_ends_attempts_in_timed_mode_too(ask: Ask) -> None:
    policy(ask, mode="timed", seconds=10, slots=2)
    add(ask)
    ask("POST", STEP)
    assert states(ask) == ["completed", "processing", "processing", "pending"]


def test_what_has_ended_stays_and_the_rest_begins_anew(ask: Ask) -> None:
    policy(ask, mode="timed", seconds=10, slots=1)
    add(ask)
    ask("PUT", "/__admin/clock", json={"advance": 15})
    assert states(ask) == ["completed", "processing", "pending", "pending"]
    policy(ask, mode="timed", seconds=10, slots=3)
    ask("PUT", "/__admin/clock", json={"advance": 9})
    assert states(ask) == ["completed"] + ["processing"] * 3
    ask("PUT", "/__admin/clock", json={"advance": 1})
    assert states(ask) == ["completed"] * 4


@pytest.mark.parametrize(
    ("fail", "ends"),
    [
        ({"every": 1}, ["failed"] * 4),
        ({"every": 2}, ["completed", "failed", "completed", "failed"]),
        ({"nth": [1, 3]}, ["failed", "completed", "failed", "completed"]),
        ({"rate": 1}, ["failed"] * 4),
        ({"every": 1, "attempts": 2}, ["completed"] * 4),
    ],
)
def test_what_fails_can_be_ordered(ask: Ask, fail: dict[str, Any], ends: list[str]) -> None:
    policy(ask, mode="immediate", retries=2, fail=fail)
    add(ask)
    assert states(ask) == ends


def test_a_named_message_fails_before_and_after_it_is_queued(ask: Ask) -> None:
    listed: Any = ask("GET", "/v1/threads/thrd_def456/messages").json
    named = [listed["data"][1]["id"]]
    policy(ask, mode="immediate", retries=0, fail={"message_ids": named})
    add(ask)
    answer: Any = ask("GET", SPACE).json
    assert [job["message_id"] for job in answer["jobs"] if job["state"] == "failed"] == named


def test_a_failing_job_is_tried_as_often_as_it_has_retries(ask: Ask) -> None:
    policy(ask, mode="manual", retries=2, fail={"every": 1})
    add(ask)
    for left in (8, 4, 0):
        ask("POST", STEP + "?n=4")
        answer: Any = ask("GET", SPACE).json
        assert {job["begun"] for job in answer["jobs"]} == {3 - left // 4}
    assert states(ask) == ["failed"] * 4


def test_one_job_is_failed_completed_and_retried_by_order(ask: Ask) -> None:
    policy(ask, mode="manual")
    add(ask)
    first, second, *_ = ids(ask)
    assert ask("POST", f"/__admin/embeddings/{first}/fail").json["state"] == "failed"  # type: ignore[index]
    assert ask("POST", f"/__admin/embeddings/{second}/complete").json["state"] == "completed"  # type: ignore[index]
    again: Any = ask("POST", f"/__admin/embeddings/{first}/retry").json
    assert (again["id"], again["state"]) == (first, "pending")
    assert sorted(states(ask)) == ["completed", "pending", "pending", "pending"]


def test_a_message_is_found_once_its_job_is_completed_by_order(ask: Ask) -> None:
    policy(ask, mode="manual")
    add(ask)
    question = {
        "thread_id": "thrd_abc123",
        "include": ["file_search.results"],
        "inputs": [{"role": "user", "content": "Which hall is our booth in, C-417 in hall 6?"}],
    }

    def found() -> list[str]:
        answer: Any = ask("POST", "/v1/model/response", json=question).json
        return [result["thread_id"] for result in answer["file_search"]["results"]]

    assert "thrd_def456" not in found()
    for job in ids(ask):
        ask("POST", f"/__admin/embeddings/{job}/complete")
    assert "thrd_def456" in found()
    ask("DELETE", "/v1/spaces/space_abc123/threads/thrd_def456")
    assert "thrd_def456" not in found()


@pytest.mark.parametrize("order", ["fail", "retry", "complete"])
def test_a_job_in_the_wrong_state_is_a_409_and_an_unknown_one_a_404(ask: Ask, order: str) -> None:
    policy(ask, mode="manual" if order == "retry" else "immediate")
    add(ask)
    refused = ask("POST", f"/__admin/embeddings/{ids(ask)[0]}/{order}")
    assert refused.status_code == 409
    for unknown in ("999999", "-1", "x"):
        assert ask("POST", f"/__admin/embeddings/{unknown}/{order}").status_code == 404


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"mode": "manual", "seconds": 1}, "seconds"),
        ({"mode": "slow"}, "mode"),
        ({"mode": "timed", "seconds": 0}, "seconds"),
        ({"mode": "timed", "fail": {"message_ids": ["msg_none"]}}, "fail.message_ids.0"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_and_changes_nothing(
    ask: Ask, body: dict[str, Any], name: str
) -> None:
    before = ask("GET", POLICY).json
    refused: Any = ask("PUT", POLICY, json=body)
    assert refused.status_code == 422
    assert [error["name"] for error in refused.json["errors"]] == [name]
    assert ask("GET", POLICY).json == before


def test_a_reset_brings_the_first_policy_back(ask: Ask) -> None:
    before = ask("GET", POLICY).json
    policy(ask, mode="manual", retries=9)
    ask("POST", "/__admin/reset")
    assert ask("GET", POLICY).json == before


def test_steps_take_turns_by_the_age_of_the_jobs(ask: Ask) -> None:
    policy(ask, mode="manual")
    add(ask)
    ask("POST", "/v1/spaces/space_team/threads/thrd_def456")
    ask("POST", "/__admin/threads/thrd_def456/messages", json={"role": "user", "content": "The newest."})
    ask("POST", STEP + "?n=5")
    team: Any = ask("GET", "/__admin/embeddings?space_id=space_team&thread_id=thrd_def456").json
    assert states(ask) == ["completed"] * 4 + ["pending"]
    assert [job["state"] for job in team["jobs"]] == ["completed"] + ["pending"] * 4
