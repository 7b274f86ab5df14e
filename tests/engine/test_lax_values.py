"""The mock reads values as the vendor's framework does, where no source is stricter (A50, A100 to A104)."""

from __future__ import annotations

import pytest

from tests.conftest import Ask

TRUE = ["true", "True", "TRUE", "1", "on", "On", "yes", "y", "Y", "t"]
FALSE = ["false", "False", "0", "off", "no", "NO", "n", "f"]
QUESTION = {"inputs": [{"role": "user", "content": "Which hall?"}], "thread_id": "thrd_abc123"}


@pytest.mark.parametrize(("values", "total"), [(TRUE, int), (FALSE, type(None))])
def test_a_boolean_in_a_query_has_many_forms(ask: Ask, values: list[str], total: type) -> None:
    found = {value: ask("GET", f"/v1/threads?include_total={value}").json for value in values}
    assert {value: type((page or {})["total"]) for value, page in found.items()} == dict.fromkeys(
        values, total
    )


@pytest.mark.parametrize("value", ["", "2", "01", "1.0", "%20true", "null", "yes,no", "tru"])
def test_other_text_is_no_boolean(ask: Ask, value: str) -> None:
    assert ask("GET", f"/v1/threads?include_total={value}").status_code == 422


@pytest.mark.parametrize("value", ["2", "+2", " 2 ", "02", "2.0", "2.00", "0_2", "\t2", "\u00a02"])
def test_an_integer_in_a_query_has_many_forms(ask: Ask, value: str) -> None:
    answer = ask("GET", "/v1/threads", query_string={"limit": value})
    assert answer.json is not None
    assert answer.json["limit"] == 2


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2.5",
        "2.",
        ".0",
        "2e0",
        "0x2",
        "_2",
        "2_",
        "2__0",
        "+-2",
        "+ 2",
        "٢",
        "２",
        "2,0",
        "-2",
        "9" * 400,
    ],
)
def test_other_text_is_no_integer_in_range(ask: Ask, value: str) -> None:
    answer = ask("GET", "/v1/threads", query_string={"limit": value})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/v1/spaces/?organization_id=org_abc123", ["cursor"]),
        ("/v1/spaces/space_team/threads?limit=2", ["cursor", "organization_id"]),
        ("/v1/threads?limit=2", ["after", "before", "organization_id", "assistant_id", "workflow_id"]),
        ("/v1/threads/thrd_abc123/messages?limit=2", ["after", "before"]),
        ("/v1/organizations/org_abc123/vector-stores?take=2", ["search", "flow_id", "flowplate_project_id"]),
    ],
)
def test_an_optional_text_that_is_empty_is_as_if_it_were_not_sent(
    ask: Ask, path: str, names: list[str]
) -> None:
    """A100."""
    usual = ask("GET", path).json
    for name in names:
        assert ask("GET", f"{path}&{name}=").json == usual


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/spaces/?organization_id=", 403),
        ("GET", "/v1/threads?order=", 422),
        ("GET", "/v1/threads?limit=", 422),
        ("DELETE", "/v1/threads?organization_id=", 422),
        ("GET", "/v1/organizations/org_abc123/files?page=9007199254740991", 200),
        ("GET", "/v1/organizations/org_abc123/vector-stores?skip=9007199254740991", 200),
        ("GET", "/v1/organizations/org_abc123/files?page=9007199254740992", 422),
    ],
)
def test_other_bounds_are_assumed(ask: Ask, method: str, path: str, status: int) -> None:
    """A100, A101."""
    assert ask(method, path).status_code == status


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("store", value) for value in ("true", "No", 1, 0, 1.0, "1")),
        *(("parallel_tool_calls", value) for value in ("on", 0)),
        *(("temperature", value) for value in ("0.5", " 1 ", "1e-1", True, ".5", "1.")),
        *(("max_output_synapses", value) for value in ("5", "+5", "5.0", 5.0, True)),
    ],
)
def test_a_value_of_a_body_is_read_as_its_type(ask: Ask, field: str, value: object) -> None:
    """A102."""
    assert ask("POST", "/v1/model/response", json={**QUESTION, field: value}).status_code == 200


def test_text_that_says_true_asks_for_a_stream(ask: Ask) -> None:
    answer = ask("POST", "/v1/model/response", json={**QUESTION, "stream": "true"})
    assert answer.content_type.startswith("text/event-stream")


NO_FORM: list[tuple[str, object]] = [
    *(("store", text) for text in ("", "2", " true")),
    *(("store", value) for value in (2, 0.5, [True], None)),
    *(("temperature", text) for text in ("", "x", "inf", "nan", "2", "0x1", "1e999")),
    *(("max_output_synapses", text) for text in ("", "0", "0.5", "5.")),
    *(("max_output_synapses", value) for value in (0.5, False, "[]")),
    *(("model", value) for value in (5, True, ["gpt-4o"])),
]


@pytest.mark.parametrize(("field", "value"), NO_FORM)
def test_a_value_that_has_no_such_form_is_named(ask: Ask, field: str, value: object) -> None:
    answer = ask("POST", "/v1/model/response", json={**QUESTION, field: value})
    assert answer.status_code == 422
    assert answer.json is not None
    assert {fault["name"] for fault in answer.json["error"]["details"]["fields"]} == {field}


@pytest.mark.parametrize("name", ["thread_id", "space_id", "organization_id"])
def test_an_empty_id_in_a_question_is_as_if_it_were_not_sent(ask: Ask, name: str) -> None:
    """A100."""
    body = {"inputs": QUESTION["inputs"], "organization_id": "org_abc123", name: ""}
    assert ask("POST", "/v1/model/response", json=body).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/threads", {"organization_id": ""}, 403),
        ("/v1/threads", {"organization_id": "o" * 300}, 403),
        ("/v1/threads", {"organization_id": "org_abc123", "assistant_id": "a" * 300}, 201),
        ("/v1/threads", {"organization_id": "org_abc123", "assistant_id": ""}, 201),
        ("/v1/spaces/", {"organization_id": "org_abc123", "name": "x", "access_users": ["", "u" * 300]}, 201),
        ("/v1/model/response", {**QUESTION, "model": ""}, 200),
        ("/v1/model/response", {**QUESTION, "include": ["x" * 300] * 30}, 200),
        ("/v1/model/response", {**QUESTION, "inputs": [{"role": "assistant", "content": ""}]}, 200),
        ("/v1/model/response", {**QUESTION, "vector_store_ids": [""]}, 404),
        ("/v1/organizations/org_abc123/vector-stores", {"name": "x", "flow_id": ""}, 201),
        ("/v1/organizations/org_abc123/vector-stores/vs_def456/files", {"file_id": ""}, 404),
    ],
)
def test_text_that_no_source_bounds_may_be_empty_or_long(
    ask: Ask, path: str, body: dict[str, object], status: int
) -> None:
    assert ask("POST", path, json=body).status_code == status


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/threads/thrd_abc123/generateName", 200), ("/v1/threads", 422)]
)
def test_null_for_an_optional_body_is_none(ask: Ask, path: str, status: int) -> None:
    """A102."""
    assert ask("POST", path, data="null").status_code == status


def test_a_block_of_text_may_have_further_fields(ask: Ask) -> None:
    """A30."""
    block = {"type": "text", "text": "Which hall?", "annotations": []}
    body = {**QUESTION, "inputs": [{"role": "user", "content": [block]}]}
    assert ask("POST", "/v1/model/response", json=body).status_code == 200
