"""What createResponse refuses as the vendor's server does, and edits and branches of a thread."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Ask
from tests.freddy.conftest import fields, said
from tests.freddy.steps import Steps

RESPONSE = "/v1/model/response"
INPUTS: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]
MCP = {"type": "mcp", "server_label": "a", "server_url": "https://example.com"}
CONFIGURED = {"type": "mcp", "server_label": "b", "configuration_id": "mcp_" + "0" * 32}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"top_p": 1.01}, "top_p"),
        ({"top_p": -0.1}, "top_p"),
        ({"tools": [{"name": "1st"}]}, "tools.0.name"),
        ({"tools": [{"name": "a-b"}]}, "tools.0.name"),
        ({"tools": [{"name": "a" * 65}]}, "tools.0.name"),
        ({"tools": [{"name": "a", "description": "x" * 1025}]}, "tools.0.description"),
        ({"tools": [{"name": "a"}] * 129}, "tools"),
        ({"inputs": [{"role": "tool", "content": "42"}]}, "inputs.0.tool_call_id"),
        ({"tools": [{"type": "mcp", "server_label": "a"}]}, "tools.0"),
        ({"tools": [{**MCP, "configuration_id": CONFIGURED["configuration_id"]}]}, "tools.0"),
        ({"tools": [{**CONFIGURED, "configuration_id": "mcp_1"}]}, "tools.0.configuration_id"),
        ({"tools": [MCP, {**CONFIGURED, "server_label": "a"}]}, "tools.1.server_label"),
        ({"system_tools": {"telepathy": {"mode": "on"}}}, "system_tools.telepathy"),
        ({"system_tools": {"web_search": {"mode": "maybe"}}}, "system_tools.web_search.mode"),
        (
            {"system_tools": {"image_operations": {"provider": "me"}}},
            "system_tools.image_operations.provider",
        ),
        ({"system_tools": {"image_operations": {"model": "crayon"}}}, "system_tools.image_operations.model"),
        ({"max_output_synapses": 0}, "max_output_synapses"),
        ({"inputs": [{**INPUTS[0], "files": [{"file_id": "file_a"}] * 11}]}, "inputs.0.files"),
        ({"output_mode": "json_schema"}, "output_mode"),
        ({"output_mode": "xml"}, "output_mode"),
        ({"output_mode": "blocks"}, "output_mode"),
        ({"edit_message_id": "msg_a"}, "edit_message_id"),
        ({"previous_message_id": "msg_a"}, "previous_message_id"),
    ],
)
def test_what_the_vendors_server_refuses_is_refused(ask: Ask, sent: dict[str, Any], field: str) -> None:
    answer = ask("POST", RESPONSE, json={"inputs": INPUTS, **sent})
    assert field in [name for _, name in fields(answer)]


@pytest.mark.parametrize(
    "sent",
    [
        {"top_p": 1, "max_output_synapses": 1, "output_mode": "json"},
        {
            "include": None,
            "output_mode": None,
            "previous_response_id": None,
            "tools": None,
            "system_tools": None,
        },
        {"tools": [{"name": "_" + "a" * 63, "description": "x" * 1024, "parameters": {}}] * 128},
        {"tools": [MCP, CONFIGURED]},
        {"system_tools": {"web_search": {"mode": "auto"}, "file_search": None}},
        {"system_tools": {"image_operations": {"provider": "openai", "model": "dall-e-3"}}},
        {"inputs": [{**INPUTS[0], "files": [{"file_id": "file_a"}] * 10, "color": "red"}], "unknown": 1},
        {"model": "gpt-5", "reasoning": {"effort": "high"}},
        {"reasoning": None},
        {"reasoning": {}},
        {"previous_response_id": "resp_a"},
    ],
)
def test_what_the_vendors_server_accepts_is_accepted(steps: Steps, sent: dict[str, Any]) -> None:
    """A30, A72."""
    assert steps("POST", RESPONSE, json={"inputs": INPUTS, **sent})["success"] is True


@pytest.mark.parametrize("model", [{}, {"model": "gpt-4o"}])
def test_gpt_4o_does_not_reason(ask: Ask, model: dict[str, str]) -> None:
    answer = ask("POST", RESPONSE, json={"inputs": INPUTS, "reasoning": {"effort": "low"}, **model})
    expected = {"in": "body", "name": "reasoning", "message": "Model 'gpt-4o' does not support reasoning"}
    assert said(answer).details["fields"] == [expected]


@pytest.mark.parametrize("other", ["previous_message_id", "previous_response_id"])
def test_an_edit_excludes_other_starts(ask: Ask, other: str) -> None:
    sent = {"inputs": INPUTS, "thread_id": "thrd_abc123", "edit_message_id": "msg_a", other: "x"}
    assert fields(ask("POST", RESPONSE, json=sent)) == [("body", "edit_message_id")]


def test_structured_adds_blocks_and_the_threads_assistant_is_told(steps: Steps) -> None:
    answer = steps.answer("Hello", output_mode="structured", assistant_id="asst_a")
    assert answer["response_blocks"] == [{"type": "text", "content": answer["response"][0]["text"]}]
    assert answer["assistant_id"] == "asst_a"
    plain = steps.answer("Hello", output_mode="plain")
    assert plain.keys().isdisjoint({"response_blocks", "assistant_id"})


def contents(steps: Steps, thread: str) -> list[str]:
    return [message["content"] for message in steps.messages(thread)]


@pytest.mark.parametrize(("start", "kept"), [("edit_message_id", "a"), ("previous_message_id", "ab")])
def test_an_edit_replaces_a_message_and_a_branch_follows_it(steps: Steps, start: str, kept: str) -> None:
    """A79."""
    thread = steps.thread(*"abcd")
    second = steps.messages(thread)[1]["id"]
    answer = steps.answer("new", thread_id=thread, **{start: second})
    said_ = answer["response"][0]["text"]
    assert contents(steps, thread) == [*kept, "new", said_]
    assert steps("GET", f"/v1/threads/{thread}")["message_count"] == len(kept) + 2


def test_what_an_edit_deletes_is_no_longer_found(steps: Steps) -> None:
    """A79: its embeddings go, and the search of the same call does not find it."""
    space, thread = steps.space(), steps.thread("The vault code is 4711.", "Noted.")
    steps("POST", f"/v1/spaces/{space}/threads/{thread}")
    steps("POST", "/__admin/embeddings/drain")
    first = steps.messages(thread)[0]["id"]
    sent = {"thread_id": thread, "edit_message_id": first, "include": ["file_search.results"]}
    answer = steps.answer("Which vault code is it?", **sent)
    assert answer["file_search"]["results"] == []


@pytest.mark.parametrize("start", ["edit_message_id", "previous_message_id"])
@pytest.mark.parametrize("named", ["resp_a", "deleted", "of another thread"])
def test_a_message_that_is_not_in_the_thread_is_not_found_and_nothing_changes(
    ask: Ask, steps: Steps, start: str, named: str
) -> None:
    """A79."""
    thread, other = steps.thread("a", "b"), steps.thread("c")
    named_id = named
    if named == "deleted":
        named_id = steps.messages(thread)[1]["id"]
        steps("DELETE", f"/v1/threads/{thread}/messages/{named_id}")
    elif named == "of another thread":
        named_id = steps.messages(other)[0]["id"]
    before = steps.messages(thread)
    answer = ask("POST", RESPONSE, json={"inputs": INPUTS, "thread_id": thread, start: named_id})
    assert said(answer)[:2] == (404, "MESSAGE_NOT_FOUND")
    assert steps.messages(thread) == before
