"""What Schemathesis takes for a fault and is none; exempt are only values that the mock never gave out.

The functions apply to every run of Schemathesis in their process: no test imports this module.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import schemathesis
from jsonschema_rs import Draft202012Validator
from schemathesis.core import NotSet

from contracts.checks.requests import is_readable
from contracts.checks.spec import document
from contracts.generated.exemptions import ACCEPT
from contracts.http.exchange import ClientRequest
from contracts.safety.write_guard import deletes_collection
from mockserver.http.cors import is_loopback
from tests.schemathesis.exemptions import EXEMPTIONS, SEED, errors, no_pattern

STREAMED, EVENTS = "POST /v1/model/response", "text/event-stream"
AGAIN = "GET /v1/model/response/{thread_id}/stream"
PIECES = "POST /__admin/replies"
RECORD = (
    "PUT /__admin/records/{kind}/{id}",
    "PATCH /__admin/records/{kind}/{id}",
    "PUT /__admin/state/scenario",
)
"""Calls whose fields no schema of the control API has: those of a record or of a scenario file."""
STATE = "PUT /__admin/state"
WAITS = ("/__admin/requests/wait", "/__admin/events")

states: set[str] = set()
"""State documents that the mock gave out: these alone must be accepted. All others name what is not there."""
given_out: set[tuple[str, str]] = {
    ("access_departments", "dept_support"),
    ("operation", "addThreadToSpace"),
    ("editable_by_roles", "role_admin"),
    ("editable_by_roles", "role_research"),
    ("visible_to_roles", "role_admin"),
    ("visible_to_roles", "role_research"),
}
"""(parameter, value) that must be accepted; in a query at one path. Grows with the mock's answers."""


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A wait in vain takes its time, and so does a stream: they are asked for, but for no time at all.

    All threads of a user are deleted on a mock of this machine alone, in a sandbox of its own.
    """
    # Other tests have an application, whose own guard refuses.
    if case.operation.app is None and deletes_collection(case.method, case.formatted_path):
        assert is_loopback(urlsplit(case.operation.base_url).hostname), f"never sent: DELETE {case.path}"
        case.headers = {**(case.headers or {}), "X-Mock-Sandbox": "emptied"}
    timeout = str(case.query.get("timeout"))
    if case.operation.path in WAITS and re.fullmatch("[0-9]{1,4}|8[0-6][0-9]{3}|None", timeout):
        case.query["timeout"] = 0


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leave out wrong values that are right as the vendor's framework reads them (A50, A102)."""
    operation = document().operations.get(case.operation.label)
    if operation is None or not isinstance(case.body, (dict, list, type(None), NotSet)):
        return True
    if case.body is None and not operation.raw.get("requestBody", {}).get("required", False):
        return False
    query = f"?{urlencode(case.query, doseq=True)}" if case.query else ""
    body = None if isinstance(case.body, NotSet) else case.body
    request = ClientRequest(case.method, case.formatted_path + query, None, body)
    return not is_readable(document(), operation, request)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Remember the cursors, and the ids of the caller's own threads and messages, that an answer shows."""
    if response.status_code not in (200, 201) or "json" not in response.headers["content-type"][0]:
        return  # a stream of events, too, shows nothing to go on from
    body = response.json() if response.content else None
    if not isinstance(body, dict):
        return
    if case.operation.label == "GET /__admin/state":
        states.add(json.dumps(body))
    if body.get("next_cursor"):
        given_out.add((f"cursor {case.formatted_path}", body["next_cursor"]))
    if case.operation.path.startswith("/v1/threads"):
        for shown in body.get("data", [body]):
            place = f"/v1/threads/{shown['thread_id']}/messages" if "thread_id" in shown else "/v1/threads"
            if "id" in shown and "deleted" not in shown:
                given_out.update((f"{side} {place}", shown["id"]) for side in ("after", "before"))


@schemathesis.check
def every_event_is_described(context: Any, response: Any, case: Any) -> None:
    """What a stream sends: each event is one that the spec describes; the vendor's last line is [DONE]."""
    content = response_content(case, response)
    if EVENTS not in content:
        return
    schema = {
        **content[EVENTS]["x-event-schema"],
        "components": case.operation.schema.raw_schema["components"],
    }
    events = [re.sub("^id: [0-9]+\n", "", text) for text in response.text.removesuffix("\n\n").split("\n\n")]
    if case.operation.label in (STREAMED, AGAIN):
        last = events.pop()
        assert last == "data: [DONE]", f"the stream ends with {last}"
    for event in events:
        errors = Draft202012Validator(schema).iter_errors(json.loads(event.removeprefix("data: ")))
        assert [error.message for error in errors] == [], event


def response_content(case: Any, response: Any) -> Any:
    """The content that the spec describes, by media type, of an answer of one; empty for all others."""
    if response.headers.get("content-type") != [EVENTS]:
        return {}
    return case.operation.definition.raw["responses"]["200"]["content"]


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """False, which drops the failure, if everything that the refusal complains of is exempt."""
    if response is not None and response.status_code == 501:
        return False  # an operation of the vendor's that the mock does not have (A80)
    if response is None or response.status_code not in (413, 422):
        return True
    if response.status_code == 413:
        # Over 10,000 pieces of some length are over the limit of the body before anyone counts them.
        return not (case.operation.label == PIECES and "negative_data_rejection" in failure.checks)
    if "negative_data_rejection" not in failure.checks and all(map(no_pattern, errors(response.json()))):
        return False
    return not all(
        _exempt(failure.checks, case, each["in"], each["name"]) for each in errors(response.json())
    )


def _exempt(checks: tuple[str, ...], case: Any, place: str, name: str) -> bool:
    parameter, _, index = name.partition(".")
    if case.operation.label == STATE:
        return ACCEPT in checks and json.dumps(case.body) not in states
    if case.operation.label in RECORD:
        return ACCEPT in checks and place == "body"
    known = {(each.operation, each.place, each.parameter) for each in EXEMPTIONS}
    if ACCEPT not in checks or (case.operation.label, place, parameter) not in known:
        return False
    if parameter == "metadata":
        return bool(case.body[parameter])
    if case.operation.label == SEED:
        return bool(case.body["threads"] * case.body.get("messages", 10) > 100_000)
    if parameter == "seconds":
        return bool(case.body["mode"] != "timed")
    if parameter == "fail":
        return bool(case.body["fail"]["message_ids"])
    if case.operation.label == STREAMED:
        return bool(case.body[parameter])
    if place == "body":
        value = case.body[parameter]
        return (parameter, value[int(index)] if index else value) not in given_out
    sent = case.path_parameters if place == "path" else case.query
    return (f"{parameter} {case.formatted_path}", sent[parameter]) not in given_out
