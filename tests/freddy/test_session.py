"""The document of a session: nothing that determines an answer of a sandbox is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.faults.rate_limit import RateLimiter
from mockserver.faults.rule import Rule
from mockserver.faults.rule_list import CountedRule, FaultsVersion
from mockserver.sandbox.sandbox import SandboxSession, SandboxState
from mockserver.sandbox.sandboxes import Sandboxes
from tests.freddy.steps import Steps
from tests.freddy.test_state import Mock, served, without_session

FAULTS, SPACE = "/__admin/faults", "/v1/spaces/space_abc123"
BROKEN = {"operation": "getSpace", "skip": 1, "every": 2, "error": {"status": 503}}
DOCUMENTED = {"data", "clock", "ids", "embeddings", "faults", "start"}
"""Attributes of a sandbox that its document holds."""
OF_THE_PROCESS = {
    "name",
    "last_used",
    "source",
    "journal",
    "view_thread",
    "space_thread_pages",
    "kept",
    "follows",
}
"""Attributes that determine no answer of the vendor's API, or follow from the others."""
NOT_EXPORTED = {"streams", "file_pieces"}
"""Streams in progress end with their sandbox; pieces follow from the contents of files."""


@pytest.fixture
def mock() -> Mock:
    return Mock()


def test_each_attribute_of_a_sandbox_is_in_the_document_or_of_the_process(mock: Mock) -> None:
    document = json.loads(mock.export())
    sandbox = vars(served(None).sandboxes.default)
    tables = {name for name in sandbox if name in document["collections"]}
    public = {name for name in sandbox if not name.startswith("_")}
    assert public == DOCUMENTED | OF_THE_PROCESS | tables | NOT_EXPORTED


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (SandboxState, "data policy counters clock_start origin faults"),
        (SandboxSession, "state faults start"),
        (FaultsVersion, "rules rate_limiter"),
        (CountedRule, "rule matched struck"),
    ],
)
def test_no_value_has_a_field_that_the_document_does_not_know(value: Any, fields: str) -> None:
    assert value._fields == tuple(fields.split())


def test_no_rule_and_no_rate_limit_has_an_attribute_that_the_document_does_not_know() -> None:
    assert set(Rule.__slots__) == {"id", "fields", "hold", "ends"}
    limiter = served(None, rate_limit="standard").sandboxes.default.faults.rate_limiter
    assert isinstance(limiter, RateLimiter)
    assert set(vars(limiter)) == {"plan", "_windows", "_buckets", "_lock"}


def lived_in(mock: Mock) -> None:
    """Faults that have struck, a limit that has been used, a snapshot, a hold, a change."""
    steps = Steps(mock)
    steps("POST", FAULTS, json=BROKEN)
    steps(
        "POST", FAULTS, json={"operation": "getThread", "seconds": 60, "times": 2, "error": {"status": 500}}
    )
    steps("POST", FAULTS, json={"operation": "listSpaces", "hold": {"after_events": 0}, "probability": 0.5})
    steps("PUT", "/__admin/rate-limit", json={"per_minute": 60, "burst": 9, "per_day": 100})
    for _ in range(3):
        mock("GET", SPACE)
    steps("PUT", "/__admin/snapshots/of-before")
    steps.space(name="Made")


def going_on(mock: Mock) -> list[Any]:
    """Answers of both APIs, through faults, limits, a reset and a snapshot."""
    answers = [mock("GET", SPACE) for _ in range(4)]
    answers.append(mock("GET", FAULTS))
    answers.append(mock("PUT", "/__admin/clock", json={"advance": 3}))
    answers += [mock("GET", "/v1/threads/thrd_abc123") for _ in range(4)]
    answers.append(mock("POST", "/__admin/snapshots/of-before/restore"))
    answers.append(mock("GET", "/v1/spaces/?organization_id=org_abc123"))
    answers.append(mock("POST", "/__admin/reset"))
    answers += [mock("GET", SPACE), mock("GET", FAULTS), mock("GET", "/__admin/rate-limit")]
    changing = ("server", "date", "content-length")
    return [
        (each.status_code, each.get_json().get("error", {}).get("code"), limits(each), body(each))
        for each in answers
        if changing
    ]


def limits(answer: Any) -> dict[str, str]:
    """Headers that a limit or a fault has added."""
    return {n: v for n, v in answer.headers.items() if n.lower().startswith(("x-ratelimit", "x-mock-fault"))}


def body(answer: Any) -> Any:
    """Body without the ids of the requests and of the sandbox."""
    values = answer.get_json()
    return {name: value for name, value in values.items() if name not in ("error", "sandbox")}


def test_what_was_imported_has_the_faults_the_limit_the_snapshots_and_the_start() -> None:
    original, other = Mock(), Mock(scenario="empty")
    lived_in(original)
    exported = original.export()
    assert other.put(exported).status_code == 200
    assert other.export() == exported
    assert going_on(original) == going_on(other)


def test_a_document_without_a_session_leaves_faults_and_snapshots_as_they_are(mock: Mock) -> None:
    lived_in(mock)
    before = json.loads(mock.export())
    assert mock.put(without_session(json.loads(Mock().export()))).status_code == 200
    after = json.loads(mock.export())
    assert [after[name] for name in ("faults", "start")] == [before[name] for name in ("faults", "start")]
    assert "of-before" in after["snapshots"]


def test_equal_states_are_stored_once(mock: Mock) -> None:
    document = json.loads(mock.export())
    mock("PUT", "/__admin/snapshots/equal-to-another")
    mock("PUT", "/__admin/snapshots/and-another")
    more = json.loads(mock.export())
    mine = {more["snapshots"][name] for name in ("equal-to-another", "and-another")}
    assert len({*document["states"], *more["states"]} - {*document["states"]} - mine) == 0
    assert more["start"] == document["start"]


@pytest.mark.parametrize(
    ("place", "value", "name"),
    [
        ("start", "0" * 64, "start"),
        ("snapshots", {"a": "0" * 64}, "snapshots.a"),
        ("faults", {"rules": [], "rate_limit": 1}, "faults.rate_limit"),
    ],
)
def test_a_session_that_does_not_fit_is_refused_with_its_place(
    mock: Mock, place: str, value: Any, name: str
) -> None:
    state = json.loads(mock.export())
    state[place] = value
    refused = mock.put(state)
    assert (refused.status_code, refused.get_json()["errors"][0]["name"]) == (422, name)


def test_a_record_of_a_damaged_state_is_named_with_the_state(mock: Mock) -> None:
    state = json.loads(mock.export())
    (digest,) = {state["start"]}
    state["states"][digest]["collections"]["spaces"]["records"].clear()
    refused = mock.put(state)
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["name"].startswith(f"states.{digest}.collections.")


def test_a_record_of_a_view_is_exported_if_it_is_json(mock: Mock) -> None:
    sandboxes: Sandboxes = served(None).sandboxes
    fork = sandboxes.create(None, sandboxes.start)
    with fork.transaction():
        fork.extension_records.put("one", {"a": [1, None]})
        fork.extension_records.put("two", {"a": {1, 2}})
        session = fork.session()
    document = served(None).states.session_document(session, {})
    assert document["collections"]["extension_records"] == {
        "next": 3,
        "records": [{"sequence": 1, "key": "one", "record": {"a": [1, None]}}],
    }
    assert mock.put(json.loads(json.dumps(document))).status_code == 200


def test_a_rule_for_some_real_seconds_ends_while_the_clock_stands_still(mock: Mock) -> None:
    rule = {"operation": "getSpace", "for_seconds": 0, "error": {"status": 503}}
    added = Steps(mock)("POST", FAULTS, json=rule)["faults"][0]
    assert added["over"] is True
    Steps(mock)("POST", FAULTS, json={**rule, "for_seconds": 3600})
    assert mock("GET", SPACE).status_code == 503
