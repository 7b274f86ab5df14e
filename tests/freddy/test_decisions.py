"""The decision behind an answer, which the journal puts into words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Ask

SPACE, THREAD = "/v1/spaces/space_abc123", "/v1/threads/thrd_abc123"
STORE = "/v1/organizations/org_abc123/vector_stores"


def decision(ask: Ask, method: str, path: str, key: str | None, **sent: Any) -> Any:
    """Of the answer to this request."""
    answer = ask(method, path, key=key, **sent)
    return ask("GET", f"/__admin/requests/{answer.headers['x-request-id']}").get_json()["decision"]


@pytest.mark.parametrize(
    ("method", "path", "key", "steps", "rule", "record"),
    [
        ("GET", SPACE, "ak_demo_owner", "route caller validation access state", "created_by", "space_abc123"),
        ("DELETE", SPACE, "ak_demo_viewer", "route caller validation access", "access_users", "space_abc123"),
        ("GET", SPACE, "ak_demo_outsider", "route caller validation access", None, "space_abc123"),
        ("GET", SPACE + "x", "ak_demo_owner", "route caller validation state", None, "space_abc123x"),
        ("GET", THREAD, "ak_demo_viewer", "route caller validation access", "user_id", "thrd_abc123"),
        ("GET", THREAD, None, "route caller", None, None),
        ("GET", "/v1/nowhere", "ak_demo_owner", "route", None, None),
        ("POST", "/v1/spaces/", "ak_demo_owner", "route caller validation", None, None),
        (
            "GET",
            "/v1/organizations/org_abc123/roles",
            "ak_demo_foreign",
            "route caller validation access",
            "membership",
            "org_abc123",
        ),
    ],
)
def test_it_lists_the_steps_up_to_the_one_that_decided(
    ask: Ask, method: str, path: str, key: str | None, steps: str, rule: str | None, record: str | None
) -> None:
    found = decision(ask, method, path, key, json={} if method == "POST" else None)
    assert [step["step"] for step in found["steps"]] == steps.split()
    outcomes = [step["outcome"] for step in found["steps"]]
    assert outcomes == ["passed"] * (len(outcomes) - 1) + [outcomes[-1]]
    assert outcomes[-1] == ("answered" if steps.endswith("access state") else "refused")
    assert (found["rule"], found["record"]) == (rule, record)


def test_it_says_who_has_which_access_and_which_is_needed(ask: Ask) -> None:
    access = decision(ask, "GET", SPACE, "ak_demo_viewer")["steps"][3]["text"]
    assert access == "usr_viewer has VIEW of space_abc123 by access_users, VIEW needed"


def test_it_names_the_statement_of_the_document_and_its_evidence(ask: Ask) -> None:
    assert decision(ask, "GET", THREAD, "ak_demo_viewer")["claim"] == {
        "pointer": "/paths/~1v1~1threads~1{thread_id}/get/responses/403",
        "text": "The thread belongs to another user.",
        "evidence": "assumed",
        "assumptions": ["A36"],
    }
    assert decision(ask, "GET", "/v1/nowhere", None)["claim"] is None


def test_a_fault_is_a_step_that_decides_unless_it_only_delays(ask: Ask) -> None:
    ask("POST", "/__admin/faults", json={"error": {"status": 503}, "times": 1})
    refused = decision(ask, "GET", SPACE, "ak_demo_owner")["steps"]
    assert (refused[-1]["step"], refused[-1]["outcome"]) == ("fault", "refused")
    ask("POST", "/__admin/faults", json={"delay": 1})
    delayed = decision(ask, "GET", SPACE, "ak_demo_owner")["steps"]
    assert [step["step"] for step in delayed] == ["route", "caller", "fault", "validation", "access", "state"]


def test_only_one_exchange_at_a_time_tells_its_decision(ask: Ask) -> None:
    ask("GET", SPACE)
    (listed,) = ask("GET", "/__admin/requests").get_json()["requests"]
    assert "decision" not in listed


def test_no_key_is_shown_in_it(ask: Ask) -> None:
    found = decision(ask, "GET", "/v1/spaces/ak_demo_owner", "ak_demo_owner")
    assert "ak_demo_owner" not in str(found)
