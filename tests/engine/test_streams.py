"""A stream is held to the spec event by event, and gives back what it holds however it ends."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from mockserver.http.calls import Reply
from mockserver.http.event_stream import MOST
from mockserver.http.problems import SpecViolation
from mockserver.openapi.spec import Spec
from mockserver.openapi.yaml_document import DocumentError
from tests.engine.small import TRACE, document, written
from tests.engine.streaming import EVENT, EVENTS, JSON, OPEN_END, TICK, Small, responses, stream


def joined(lines: Iterable[bytes]) -> str:
    """Everything that is sent."""
    return b"".join(lines).decode("ascii")


def test_a_stream_is_its_events_and_the_last_line_in_ascii(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    events = {"text/event-stream": {"schema": {}, "x-event-schema": schema}}
    small = Small(tmp_path, stream({"text": "Zürich\n\u2028🙂"}, {}), events)
    status, headers, body = small.ask()
    assert (status, headers["Content-Type"]) == ("200 OK", "text/event-stream")
    assert (headers["Cache-Control"], headers["x-request-id"]) == ("no-cache, no-transform", TRACE)
    assert "Content-Length" not in headers
    text = r'data: {"text":"Z\u00fcrich\n\u2028\ud83d\ude42"}'
    assert joined(body) == f"{text}\n\ndata: {{}}\n\ndata: [END]\n\n"


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"tick": "very-secret"}, "The mock violated its own spec: getThing 200: /tick: event None: "),
        ({"tick": 1, "tock": 2}, "The mock violated its own spec: getThing 200: /: event None: "),
        ("no object", "The mock failed; its log says why"),
        ({"tick": {1, 2}}, "The mock failed; its log says why"),
    ],
)
def test_an_event_that_the_spec_forbids_is_logged_and_becomes_the_last_one(
    tmp_path: Path, event: Any, message: str
) -> None:
    """Quiet or not, without the caller's secrets; only the literal last line follows."""
    small = Small(tmp_path, stream(TICK, event, TICK))
    first, second, last = joined(small.ask()[2]).removesuffix("\n\n").split("\n\n")
    assert last == "data: [END]"
    assert first == 'data: {"tick":1}'
    assert json.loads(second.removeprefix("data: "))["failed"].startswith(message)
    (entry,) = small.logged()
    assert entry["operation"] == "getThing"
    assert "Traceback" in entry["traceback"]
    assert "very-secret" not in json.dumps(entry)
    assert small.free() == MOST


def test_an_event_that_the_spec_forbids_is_raised_in_tests(tmp_path: Path) -> None:
    small = Small(tmp_path, stream(TICK, {"tick": "x"}), testing=True)
    body = small.ask()[2]
    assert next(body) == b'data: {"tick":1}\n\n'
    with pytest.raises(SpecViolation, match="getThing 200: /tick: "):
        next(body)
    with pytest.raises(StopIteration):
        next(body)


def test_an_event_of_failure_that_the_spec_forbids_ends_the_stream_and_is_logged(tmp_path: Path) -> None:
    small = Small(tmp_path, stream({"tick": "x"}, failed=lambda _: {"failed": 1}))
    assert joined(small.ask()[2]) == ""
    assert [entry["error"].split(": ")[1] for entry in small.logged()] == ["/tick", "/failed"]


@pytest.mark.parametrize(
    ("content", "reply", "message"),
    [
        (JSON, stream(TICK), "the spec allows no stream here"),
        ({}, stream(TICK), "the spec allows no stream here"),
        (EVENTS, Reply(200, {"tick": 1}), "the spec allows only a stream here"),
        (EVENTS, Reply(200), "the spec allows only a stream here"),
        (EVENTS, Reply(200, stream(TICK).body, {"X-Note": "€"}), "holds a control character"),
    ],
)
def test_a_stream_or_none_where_the_spec_has_the_other_is_a_500(
    tmp_path: Path, content: Any, reply: Reply, message: str
) -> None:
    status, headers, body = Small(tmp_path, reply, content).ask()
    assert (status, headers["Content-Type"]) == ("500 Internal Server Error", "application/json")
    assert message in json.loads(joined(body))["error"]["system_message"]


def test_an_operation_may_have_both(tmp_path: Path) -> None:
    for reply, kind in ((stream(TICK), "text/event-stream"), (Reply(200, {}), "application/json")):
        assert Small(tmp_path, reply, {**JSON, **EVENTS}).ask()[1]["Content-Type"] == kind


@pytest.mark.parametrize(
    ("media_type", "media", "reason"),
    [
        ("text/event-stream", {}, "text/event-stream needs x-event-schema"),
        ("application/json", {"x-event-schema": EVENT}, "x-event-schema is only understood for text/event-"),
        ("text/event-stream", {"x-event-schema": []}, "expected an object (schema), found a list"),
        ("text/event-stream", {"x-event-schema": {"type": "tick"}}, "not a valid schema"),
        ("text/event-stream", {"x-event-schema": {"$ref": "#/nowhere"}}, "leads nowhere"),
        ("text/event-stream", {"x-event-schema": EVENT, "example": ": hm"}, "event 1 does not begin with"),
        (
            "text/event-stream",
            {"x-event-schema": EVENT, "example": 'data: {}\n\ndata: {"tick":true}\n\n'},
            "example is not valid at event 2, /tick: ",
        ),
        (
            "text/event-stream",
            {"x-event-schema": EVENT, "examples": {"half": {"value": "data: {\n\n"}}},
            "example 'half' is not a stream: event 1 is not JSON",
        ),
    ],
)
def test_half_a_stream_in_a_spec_is_refused_in_one_line(
    tmp_path: Path, media_type: str, media: Any, reason: str
) -> None:
    path = written(tmp_path, document(responses=responses({media_type: {"schema": {}, **media}})))
    with pytest.raises(DocumentError) as refused:
        Spec(path)
    assert reason in str(refused.value)
    assert str(refused.value).startswith(f"{path}:")
    assert len(str(refused.value).splitlines()) == 1


def test_an_example_that_is_a_stream_is_fine(tmp_path: Path) -> None:
    example = 'data: {"tick":1}\n\ndata: [END]\n\n'
    content = {"text/event-stream": {**EVENTS["text/event-stream"], "example": example}}
    assert Spec(written(tmp_path, document(responses=responses(content)))).operations["getThing"]


def test_one_stream_too_many_is_a_503_until_one_ends(tmp_path: Path) -> None:
    small = Small(tmp_path, stream(TICK, OPEN_END))
    opened = [small.ask()[2] for _ in range(MOST)]
    status, headers, body = small.ask()
    assert (status, headers["retry-after"]) == ("503 Service Unavailable", "1")
    assert headers["X-Mock-Reason"] == "128 streams are open, the limit"
    assert json.loads(joined(body))["error"]["code"] == "SERVICE_UNAVAILABLE"
    opened[0].close()
    assert (small.ask()[0], small.ask()[0]) == ("200 OK", "200 OK")


@pytest.mark.parametrize("way", ["never iterated", "begun", "closed twice", "ended", "dropped"])
def test_a_stream_gives_its_slot_back_exactly_once(tmp_path: Path, way: str) -> None:
    small = Small(tmp_path, stream(TICK))
    gc.disable()  # whoever only drops a stream does not wait for the collector
    try:
        body = small.ask()[2]
        if way in ("begun", "dropped"):
            next(body)
        if way == "ended":
            assert list(body)[-1] == b"data: [END]\n\n"
        if way not in ("ended", "dropped"):
            body.close()
        if way == "closed twice":
            body.close()
        del body
        assert small.free() == MOST
    finally:
        gc.enable()


def test_a_stream_that_becomes_a_500_gives_its_slot_back(tmp_path: Path) -> None:
    small = Small(tmp_path, Reply(200, stream(TICK).body, {"X-Note": "€"}))
    assert {small.ask()[0] for _ in range(MOST + 1)} == {"500 Internal Server Error"}


def test_nothing_comes_after_close(tmp_path: Path) -> None:
    body = Small(tmp_path, stream(TICK, TICK)).ask()[2]
    next(body)
    body.close()
    assert list(body) == []


def test_another_thread_may_close_it_while_it_waits(tmp_path: Path) -> None:
    """The slot is free at once; what waits ends, here with the server, and sends nothing more."""
    small = Small(tmp_path, stream(TICK, OPEN_END))
    body = small.ask()[2]
    next(body)
    rest: list[bytes] = []
    waiting = threading.Thread(target=lambda: rest.extend(body))
    waiting.start()
    body.close()
    assert small.free() == MOST
    small.stopping.set()
    waiting.join(5)
    assert (waiting.is_alive(), rest) == (False, [])


def test_stopping_ends_what_waits_without_the_last_line(tmp_path: Path) -> None:
    small = Small(tmp_path, stream(TICK, OPEN_END))
    small.stopping.set()
    assert joined(small.ask()[2]) == 'data: {"tick":1}\n\n'
    assert small.free() == MOST
