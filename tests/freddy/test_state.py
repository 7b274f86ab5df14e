"""A sandbox as a document: out of one mock, into another, and on as if nothing had happened."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from werkzeug.test import TestResponse

from mockserver.app import MockServer, create_app
from mockserver.openapi.yaml_document import DocumentError
from mockserver.sandbox.sandbox import SandboxSession
from mockserver.settings import Settings
from tests.engine.mutants import mutants
from tests.freddy.steps import Steps
from tests.running import FROZEN

STATE, SPACES = "/__admin/state", "/v1/spaces/"
NEW = {"organization_id": "org_abc123", "name": "New"}
FILES = "/v1/organizations/org_abc123/vector-stores/vs_def456/files"
OWNER = {"X-API-Key": "ak_demo_owner"}
Ask = Callable[..., TestResponse]


@cache
def served(_key: str | None, **settings: Any) -> MockServer:
    """A mock of these settings, and of the FREDDY_API_KEY that is set."""
    app = create_app(Settings(**{"freeze": FROZEN, "quiet": True, **settings}))
    app.testing = True
    return app


class Mock:
    """A sandbox in which nothing has happened, of a mock with these settings, asked by its owner."""

    def __init__(self, **settings: Any) -> None:
        app = served(os.environ.get("FREDDY_API_KEY"), **settings)
        self._client = app.test_client()
        self._sandbox = app.sandboxes.create(None, app.sandboxes.start).name

    def __call__(self, method: str, path: str, key: str = "ak_demo_owner", **sent: Any) -> TestResponse:
        """An answer."""
        headers = {"X-API-Key": key, "X-Mock-Sandbox": self._sandbox}
        return self._client.open(path, method=method, headers=headers, **sent)

    def export(self) -> bytes:
        """The whole state."""
        answer = self("GET", STATE)
        assert answer.status_code == 200
        return bytes(answer.data)

    def session(self) -> SandboxSession:
        """What is behind the document."""
        sandbox = served(os.environ.get("FREDDY_API_KEY")).sandboxes.get(self._sandbox)
        with sandbox.transaction():
            return sandbox.session()

    def put(self, state: Any) -> TestResponse:
        """Import a state, as bytes or as values."""
        data = state if isinstance(state, bytes) else json.dumps(state)
        return self("PUT", STATE, data=data, content_type="application/json")


@pytest.fixture
def mock() -> Mock:
    return Mock()


def in_json(content: bytes, media_type: str = "text/plain") -> dict[str, str]:
    """A file as an upload in base64 has it."""
    return {"filename": "a", "content": b64encode(content).decode(), "mime_type": media_type}


def lived_in(mock: Mock) -> None:
    """Something of everything that a state can hold: what runs, waits, was edited, deleted, ordered."""
    steps = Steps(mock)
    steps.add("space_abc123", "thrd_def456")
    steps.advance(0.2)
    space, thread = steps.space(), steps.thread("one", "two", "three")
    steps.add(space, thread)
    first = steps.messages(thread)[0]["id"]
    steps.edit(thread, first, "another")
    steps.delete(thread, steps.messages(thread)[1]["id"])
    steps.remove("space_abc123", "thrd_abc123")
    steps("DELETE", "/v1/threads/thrd_pinned1")
    steps("POST", f"{SPACES}space_abc123/vector-stores/vs_def456")
    steps("POST", "/__admin/replies", json={"text": "Ordered", "times": 2, "pace": 0.5})
    steps.answer("Where is the booth?", thread_id="thrd_def456")
    steps(
        "POST",
        f"{FILES}/upload-base64",
        json={"files": [in_json(b"One\n\nTwo"), in_json(b"No", "image/png")]},
    )
    fails = {"every": 3, "nth": [2], "message_ids": [steps.messages(thread)[0]["id"]], "attempts": 1}
    steps("PUT", "/__admin/embeddings/policy", json={"mode": "manual", "slots": 2, "fail": fails})
    steps.add("space_team", thread)
    steps("POST", "/__admin/embeddings/step?n=1")
    jobs = [job["id"] for job in steps.queue(space_id="space_team", state="pending")["jobs"]]
    steps("POST", f"/__admin/embeddings/{jobs[0]}/fail")
    steps("POST", f"/__admin/embeddings/{jobs[0]}/retry")
    steps("POST", f"/__admin/embeddings/{jobs[-1]}/complete")
    steps("PATCH", f"{SPACES}{space}", json={"description": "äöü \u2028 \x00"})


def going_on(mock: Mock) -> list[tuple[int, bytes, str]]:
    """What it answers to calls of every kind from now on."""
    paths = [f"{SPACES}?organization_id=org_abc123&limit=2", "/v1/threads?limit=3&include_deleted=true"]
    paths += [f"{FILES}?page_size=1", f"{FILES.replace('/vector-stores/vs_def456', '')}"]
    paths += ["/v1/spaces/space_team/threads?limit=2", "/__admin/embeddings", "/v1/threads/nowhere"]
    answers = [mock("GET", path) for path in paths]
    cursor = answers[4].get_json()["next_cursor"]
    answers.append(mock("GET", f"/v1/spaces/space_team/threads?cursor={cursor}"))
    answers.append(mock("POST", SPACES, json=NEW))
    answers.append(mock("POST", "/v1/spaces/space_abc123/threads/thrd_hidden1"))
    asked = {"inputs": [{"role": "user", "content": "Which hall?"}], "thread_id": "thrd_def456"}
    answers += [mock("POST", "/v1/model/response", json=asked | {"stream": True}) for _ in range(3)]
    answers.append(mock("PUT", "/__admin/clock", json={"advance": 0.3}))
    answers.append(mock("DELETE", "/v1/threads/thrd_def456"))
    answers.append(mock("GET", STATE))
    return [(answer.status_code, answer.data, answer.headers["x-request-id"]) for answer in answers]


@pytest.mark.parametrize("settings", [{}, {"embedding_failure_rate": 0.6, "seed": 3, "embedding_retries": 2}])
def test_what_was_imported_goes_on_as_the_original_does(settings: dict[str, Any]) -> None:
    original, other = Mock(**settings), Mock(scenario="empty", seed=9)
    lived_in(original)
    exported = original.export()
    assert other.put(exported).get_json()["scenario"] == "demo"
    assert other.export() == exported
    # The requests of the control API are counted apart, and are no part of the state.
    mine, its = going_on(original), going_on(other)
    assert [answer[:2] for answer in mine] == [answer[:2] for answer in its]
    assert [a[2] for a in mine[:3]] == [a[2] for a in its[:3]]


@pytest.mark.parametrize("seed", range(6))
def test_it_can_be_carried_over_at_any_moment(seed: int) -> None:
    """Random calls on a mock that is carried over between them, and on one that is not."""
    dice = Random(seed)
    settings = {"embedding_failure_rate": 0.4, "embedding_slots": 2, "embedding_seconds": 1, "seed": seed}
    whole, carried = Mock(**settings), Mock(**settings)
    for _ in range(6):
        for call in [call_of(dice) for _ in range(12)]:
            one, other = (mock(call[0], call[1], json=call[2]) for mock in (whole, carried))
            assert said(one) == said(other), call
        exported = carried.export()
        assert exported == whole.export()
        carried = Mock()
        assert carried.put(exported).status_code == 200


def said(answer: TestResponse) -> tuple[int, bytes]:
    """Status and body, without the id of a control request: those are no part of a state."""
    return answer.status_code, answer.data.replace(answer.headers["x-request-id"].encode(), b"")


def call_of(dice: Random) -> tuple[str, str, Any]:
    """Some change, or some look."""
    thread = dice.choice(["thrd_def456", "thrd_abc123", "thrd_team001", "thrd_team002"])
    space = dice.choice(["space_abc123", "space_team"])
    message = f"msg_{dice.randrange(5)}"
    return dice.choice(
        [
            ("POST", f"{SPACES}{space}/threads/{thread}", None),
            ("DELETE", f"{SPACES}{space}/threads/{thread}", None),
            ("POST", f"/__admin/threads/{thread}/messages", {"role": "user", "content": message}),
            (
                "POST",
                "/v1/model/response",
                {"thread_id": thread, "inputs": [{"role": "user", "content": "Hall?"}]},
            ),
            ("PUT", "/__admin/clock", {"advance": dice.choice([0.5, 1, 3])}),
            ("POST", SPACES, NEW),
            ("GET", "/__admin/embeddings", None),
            ("PUT", "/__admin/embeddings/policy", {"mode": dice.choice(["manual", "timed", "immediate"])}),
            ("PUT", "/__admin/embeddings/policy", {"mode": "timed", "fail": {"every": 2, "attempts": 1}}),
            ("POST", "/__admin/embeddings/step?n=2", None),
            ("POST", f"/__admin/embeddings/{270 + dice.randrange(40)}/fail", None),
            ("POST", f"/__admin/embeddings/{270 + dice.randrange(40)}/complete", None),
            ("POST", f"/__admin/embeddings/{270 + dice.randrange(40)}/retry", None),
            ("GET", f"/v1/threads/{thread}/messages", None),
            ("POST", "/__admin/embeddings/drain", None)
            if dice.random() < 0.2
            else ("GET", "/__admin/clock", None),
        ]
    )


def test_a_clock_that_ticked_goes_on_from_the_exported_instant(mock: Mock) -> None:
    mock("PUT", "/__admin/clock", json={"resume": True})
    mock("PUT", "/__admin/clock", json={"advance": 3600})
    state = json.loads(mock.export())
    other = Mock(freeze="2001-01-01T00:00:00Z")
    other.put(state)
    clock = other("GET", "/__admin/clock").get_json()
    assert clock["frozen"] is False
    assert "2026-02-26T11:30:0" in clock["now"]


def without_session(state: dict[str, Any]) -> dict[str, Any]:
    """A document as older versions wrote it."""
    new = ("faults", "start", "snapshots", "states")
    old = {name: value for name, value in state.items() if name not in new}
    tables = {name: rows for name, rows in old["collections"].items() if name != "extension_records"}
    return {**old, "collections": tables}


def test_a_reset_goes_to_the_start_of_the_document_or_the_own_one_without_it(mock: Mock) -> None:
    own, start = mock.export(), Mock(scenario="empty").export()
    state = json.loads(start)
    for expected in (start, own):
        assert mock.put(state).status_code == 200
        assert json.loads(mock.export())["scenario"] == "empty"
        mock("POST", "/__admin/reset")
        assert mock.export() == expected
        mock.put(own)
        state = without_session(state)


def test_it_is_indented_so_that_one_change_is_one_line(mock: Mock) -> None:
    before = mock.export().splitlines()
    mock("PATCH", "/v1/threads/thrd_abc123", json={"title": "Changed"})
    changed = [(a, b) for a, b in zip(before, mock.export().splitlines(), strict=True) if a != b]
    assert [b.strip() for _, b in changed if b"Changed" in b] == [b'"title": "Changed",']
    assert len(changed) <= 4, "the title, its dates, and the count of requests"


def test_it_has_the_keys_of_the_scenario_and_not_the_one_from_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FREDDY_API_KEY", "my-own-secret-1")
    exported = Mock().export()
    assert b"ak_demo_owner" in exported
    assert b"my-own-secret" not in exported
    monkeypatch.setenv("FREDDY_API_KEY", "my-own-secret-2")
    other = Mock()
    other.put(exported)
    assert other("GET", "/v1/threads", "my-own-secret-2").status_code == 200
    assert other("GET", "/v1/threads", "my-own-secret-1").status_code == 401


def test_a_large_one_is_taken_whatever_the_limit_of_other_bodies_is() -> None:
    small = Mock(max_body_bytes=1000)
    assert small.put(small.export()).status_code == 200
    refused = small("POST", "/__admin/replies", json={"text": "x" * 1000})
    assert refused.status_code == 413


@pytest.fixture(scope="module")
def exported() -> dict[str, Any]:
    mock = Mock()
    lived_in(mock)
    state: dict[str, Any] = json.loads(mock.export())
    return state


def records(state: Any, name: str) -> Any:
    return state["collections"][name]["records"]


def forget(name: str, number: int) -> Callable[[Any], None]:
    return lambda state: records(state, name).pop(number)


def batch(state: Any) -> Any:
    return state["queue"]["spaces"]["space_abc123"]["batches"][-1]


def attempts(state: Any) -> Any:
    """Of four jobs that have ended."""
    return state["queue"]["spaces"]["space_abc123"]["batches"][0]["rounds"][0]


def written_before(state: Any, **damage: Any) -> None:
    """The last batch as the version of November 2026 wrote it, with damaged attempts."""
    pace = {"jobs": 1, "bases": [0], "duration": 1, **damage}
    space = state["queue"]["spaces"]["space_abc123"]
    space["free"] = space.pop("busy")
    space["batches"] = space["batches"][-1:]
    batch(state).pop("retries")
    batch(state).update(rounds=[{"members": None, "paces": [pace], "failing": []}])


def with_end(state: Any) -> Any:
    batches = state["queue"]["spaces"]["space_team"]["batches"]
    return next(batch for batch in batches if "ended" in batch)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda s: s.update(format="freddy-mock-state/2"), "format: is 'freddy-mock-state/2'"),
        (lambda s: s.pop("queue"), "queue: is required"),
        (lambda s: s.update(more=1), "more: is not a known field"),
        (lambda s: s["clock"].update(now="yesterday"), "clock.now: "),
        (lambda s: s["clock"].update(now="0000-01-01T00:00:00Z"), "clock.now: "),
        (forget("spaces", 0), "space 'space_team' is not in this state"),
        (forget("threads", 0), "thread 'thrd_"),
        (forget("messages", 0), "message_count is "),
        (forget("vector_stores", 0), "vector store 'vs_def456' is not in this state"),
        (forget("vector_stores", -1), "or not its own"),
        (forget("space_threads", 0), "thread 'thrd_team001' is not in space 'space_team'"),
        (lambda s: s["users"].clear(), "user 'usr_abc123' is not in this state"),
        (lambda s: s["users"].append(s["users"][0]), "is here twice"),
        (lambda s: s["organizations"].pop(0), "organization 'org_abc123' is not in this state"),
        (lambda s: s["organizations"][0]["roles"].clear(), "role 'role_"),
        (lambda s: records(s, "spaces").append(records(s, "spaces")[0]), "'space_team' is here twice"),
        (lambda s: records(s, "spaces")[0].update(sequence=4), "sequence 4 is used"),
        (lambda s: records(s, "spaces")[0].update(sequence=99), "sequence 99 is used, or not below next"),
        (lambda s: records(s, "messages")[0]["record"].update(role="nobody"), "not a valid Message: /role"),
        (lambda s: records(s, "threads")[0]["record"].pop("title"), "not a valid ListedThread"),
        (lambda s: records(s, "vector_stores")[0]["record"].pop("space_id"), "/space_id"),
        (lambda s: s["queue"]["spaces"].pop("space_team"), "the queue has no batch of it"),
        (lambda s: batch(s)["messages"].append("msg_x"), "message 'msg_x' is not in this state"),
        (lambda s: batch(s)["messages"].reverse(), "not in the order"),
        (lambda s: batch(s)["messages"].append(batch(s)["messages"][-1]), "here twice"),
        (lambda s: attempts(s).update(failing=[99]), "does not follow"),
        (lambda s: attempts(s).update(failing=[1, 0]), "does not follow"),
        (lambda s: attempts(s).update(places=[], starts=[], ends=[]), "does not follow"),
        (lambda s: attempts(s)["places"].pop(), "does not follow"),
        (lambda s: attempts(s)["ends"].pop(), "does not follow"),
        (lambda s: attempts(s)["ends"].__setitem__(0, 0), "does not follow"),
        (lambda s: attempts(s)["places"].__setitem__(-1, 99), "does not follow"),
        (lambda s: attempts(s)["ends"].__setitem__(0, 10**17), "does not follow"),
        (lambda s: with_end(s).update(messages=["x"]), "message 'x' is not"),
        (lambda s: with_end(s)["ended"].update(state="done"), "ended.state"),
        (lambda s: with_end(s)["ended"].update(attempts=10**9), "ended.attempts"),
        (lambda s: batch(s).update(ended=with_end(s)["ended"]), "ended: is for one message, which"),
        (lambda s: written_before(s, jobs=99), "does not follow"),
        (lambda s: written_before(s, jobs=2**53 - 1), "does not follow"),
        (lambda s: written_before(s, bases=["x"]), "bases"),
        (lambda s: batch(s).update(number=1), "numbers must go up"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason_and_changes_nothing(
    mock: Mock, exported: dict[str, Any], damage: Callable[[Any], None], reason: str
) -> None:
    before, state = mock.export(), json.loads(json.dumps(exported))
    damage(state)
    refused = mock.put(state)
    assert refused.status_code == 422
    told = [f"{each['name']}: {each['message']}" for each in refused.get_json()["errors"]]
    assert any(reason in text for text in told), told
    assert mock.export() == before


@pytest.mark.parametrize("part", ["version", "sha256", "title"])
def test_a_document_of_another_spec_is_taken_as_it_is_where_it_fits(
    mock: Mock, exported: dict[str, Any], part: str
) -> None:
    """A comment more in openapi.yaml makes no exported state unreadable."""
    state = json.loads(json.dumps(exported))
    state["spec"][part] = "0" * 64
    answer = mock.put(state)
    assert (answer.status_code, "adapted" in answer.get_json()) == (200, False)
    assert json.loads(mock.export()) == exported


def test_a_document_of_another_spec_is_completed_and_says_so(mock: Mock, exported: dict[str, Any]) -> None:
    """A record gets the fields that it lacks, loses those that the spec does not have, or is refused."""
    state = json.loads(json.dumps(exported))
    state["spec"]["overlays"] = [{"title": "x", "version": "1", "sha256": "0" * 64}]
    for row in records(state, "threads"):
        row["record"].pop("last_model_used")
        row["record"]["region"] = "eu"
    count = len(records(state, "threads"))
    assert mock.put(state).get_json()["adapted"] == [
        f"collections.threads: last_model_used completed in {count} records",
        f"collections.threads: region left out of {count} records",
    ]
    records(state, "threads")[0]["record"].pop("user_id")
    errors = mock.put(state).get_json()["errors"]
    assert [(each["name"], "user_id" in each["message"]) for each in errors[:1]] == [
        ("collections.threads.0", True)
    ]


def test_every_reason_is_told(mock: Mock, exported: dict[str, Any]) -> None:
    state = json.loads(json.dumps(exported))
    state["format"] = "other"
    records(state, "messages")[3]["record"]["role"] = "nobody"
    records(state, "space_vector_stores").clear()
    records(state, "spaces").pop(2)
    told = {each["name"].rpartition(".")[0] for each in mock.put(state).get_json()["errors"]}
    assert {
        "",
        "collections.messages",
        "collections.space_threads",
        "collections.vector_stores",
    } <= told


def test_of_very_many_reasons_the_first_hundred_are_told(mock: Mock, exported: dict[str, Any]) -> None:
    state = json.loads(json.dumps(exported))
    for row in records(state, "messages"):
        row["record"]["role"] = "nobody"
    errors = mock.put(state).get_json()["errors"]
    assert len(errors) == 101
    assert errors[-1]["message"].startswith("and ")


def test_a_truncated_one_is_refused(mock: Mock, exported: dict[str, Any]) -> None:
    text = json.dumps(exported).encode()
    for length in (0, 1, 100, len(text) // 2, len(text) - 1):
        assert mock.put(text[:length]).status_code == 422


@pytest.fixture(scope="module")
def small() -> dict[str, Any]:
    """A state with little in it, so that damage hits everything."""
    mock = Mock(scenario="empty")
    steps = Steps(mock)
    space, thread = steps.space(), steps.thread("one", "two", "three")
    steps.add(space, thread)
    steps.edit(thread, steps.messages(thread)[0]["id"], "another")
    steps.delete(thread, steps.messages(thread)[1]["id"])
    steps("POST", "/__admin/replies", json={"text": "Ordered"})
    own = steps("GET", f"{SPACES}{space}")["vector_store_id"]
    files = FILES.replace("vs_def456", own)
    steps("POST", f"{files}/upload-base64", json={"files": [in_json(b"One\n\nTwo")]})
    state: dict[str, Any] = json.loads(mock.export())
    return state


@pytest.mark.slow
def test_a_damaged_one_is_refused_or_works(small: dict[str, Any]) -> None:
    """Whatever is deleted or replaced: never a failure of ours, then or later. It would be raised in here."""
    mock, statuses = Mock(), list[int]()
    for mutant in mutants(small, 400):
        status = mock.put(mutant).status_code
        statuses.append(status)
        if status == 200:
            for path in (f"{SPACES}?organization_id=org_abc123", "/v1/threads", "/__admin/embeddings", STATE):
                mock("GET", path)
            mock("PUT", "/__admin/clock", json={"advance": 1})
    assert set(statuses) == {200, 422}


def test_an_integer_may_be_written_with_a_fraction_of_zero(mock: Mock, exported: dict[str, Any]) -> None:
    """As some languages do; to every schema it is an integer."""
    text = json.dumps(exported)
    mock.put(exported)
    other, plain = Mock(), mock.export()
    state = json.loads(text, parse_int=lambda digits: float(digits) if len(digits) < 16 else int(digits))
    for name in exported["collections"]:
        for row, own in zip(records(state, name), records(exported, name), strict=True):
            row["record"] = own["record"]
    state["states"] = exported["states"]
    assert other.put(state).status_code == 200
    assert other.export() == plain
    made = [m("POST", "/__admin/seed", json={"threads": n, "seed": n}) for m, n in ((mock, 2), (other, 2.0))]
    assert made[0].data == made[1].data


# Generated worlds


def test_a_generated_world_is_added_and_gone_after_a_reset(mock: Mock) -> None:
    before = mock.export()
    made = mock("POST", "/__admin/seed", json={"threads": 120, "messages": 2, "spaces": 3, "seed": 7})
    assert made.status_code == 201
    body = made.get_json()
    assert (body["spaces"]["count"], body["threads"]["count"], len(body["threads"]["first"])) == (3, 120, 100)
    for space in body["spaces"]["first"]:
        assert mock("GET", f"{SPACES}{space}/threads", "ak_demo_admin").status_code in (200, 403)
    again = Mock()
    for count in (20, 100):
        order = {"threads": count, "messages": 2, "seed": 7}
        again("POST", "/__admin/seed", json=order | {"spaces": 3 if count == 20 else 0})
    ids = [[row["record"]["id"] for row in records(json.loads(m.export()), "threads")] for m in (mock, again)]
    assert ids[0] == ids[1]
    mock("POST", "/__admin/reset")
    assert mock.export() == before


def test_what_is_generated_is_exported_and_imported_like_all_else(mock: Mock) -> None:
    mock("POST", "/__admin/seed", json={"threads": 30, "spaces": 3})
    other = Mock()
    assert other.put(mock.export()).status_code == 200
    for each in (mock, other):
        each("POST", "/__admin/seed", json={"threads": 1})
    assert other.export() == mock.export()


def test_too_much_at_once_is_refused(mock: Mock) -> None:
    refused = mock("POST", "/__admin/seed", json={"threads": 1000, "messages": 101})
    assert (refused.status_code, refused.get_json()["errors"][0]["name"]) == (422, "messages")


def test_where_nobody_is_nothing_can_be_generated(mock: Mock) -> None:
    state = json.loads(Mock(scenario="empty").export())
    state["users"] = []
    assert mock.put(state).status_code == 200
    assert mock("POST", "/__admin/seed", json={"threads": 1}).status_code == 409


def test_large_contents_are_beside_the_file_and_inside_of_an_answer(mock: Mock, tmp_path: Path) -> None:
    """Above 1 MB by reference; a copy of the document without its folder is refused in one line."""
    large, file = b"x" * 1_000_001, tmp_path / "state.json"
    steps, sent = Steps(mock), {"files": [in_json(large, "image/png"), in_json(b"small")]}
    steps("POST", f"{FILES}/upload-base64", json=sent)
    exported = json.loads(mock.export())
    contents = [row["record"]["content"] for row in records(exported, "files")]
    assert [len(content["base64"]) for content in contents] == [1_333_336, 8]
    app = served(os.environ.get("FREDDY_API_KEY"))
    app.states.write(file, mock.session(), {})
    document = json.loads(file.read_bytes())
    assert [set(row["record"]["content"]) for row in records(document, "files")] == [
        {"sha256"},
        {"sha256", "base64"},
    ]
    assert [(each.name, each.read_bytes()) for each in (tmp_path / "state.json.files").iterdir()] == [
        (contents[0]["sha256"], large)
    ]
    read, _ = app.states.read(file, lambda _: [])
    again = app.states.document(read)
    assert again == {name: exported[name] for name in again}
    app.states.write(file, Mock().session(), {})
    assert list((tmp_path / "state.json.files").iterdir()) == []
    file.write_text(json.dumps(document))
    with pytest.raises(
        DocumentError, match=f"state.json: .*{contents[0]['sha256']} is neither here nor"
    ) as error:
        app.states.read(file, lambda _: [])
    assert "\n" not in str(error.value)


def test_a_document_that_can_not_be_written_leaves_the_contents_of_the_old_one(
    mock: Mock, tmp_path: Path
) -> None:
    file = tmp_path / "state.json"
    Steps(mock)("POST", f"{FILES}/upload-base64", json={"files": [in_json(b"x" * 1_000_001, "image/png")]})
    app = served(os.environ.get("FREDDY_API_KEY"))
    app.states.write(file, mock.session(), {})
    kept = [each.name for each in (tmp_path / "state.json.files").iterdir()]
    assert len(kept) == 1
    file.unlink()
    file.mkdir()  # what can't be replaced by a file
    with pytest.raises(OSError, match=r"state\.json"):
        app.states.write(file, Mock().session(), {})
    assert [each.name for each in (tmp_path / "state.json.files").iterdir()] == kept


@pytest.mark.parametrize(
    "content", [None, {}, {"sha256": "x"}, {"sha256": "0" * 64, "base64": "eA=="}, {"sha256": "0" * 64}]
)
def test_a_content_that_is_missing_or_wrong_is_refused(mock: Mock, content: Any) -> None:
    Steps(mock)("POST", f"{FILES}/upload-base64", json={"files": [in_json(b"x")]})
    state = json.loads(mock.export())
    records(state, "files")[0]["record"]["content"] = content
    refused = mock.put(state)
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["name"] == "collections.files.0"
