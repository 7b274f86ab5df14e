"""A verdict is founded on the weakest claim that the failure needs, and an addition breaks nothing."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from contracts.checks import requests
from contracts.checks.claims import basis
from contracts.checks.evidence import Evidence
from contracts.checks.spec import document
from contracts.http.exchange import ClientRequest, ClientResponse
from tests.contracts.habits import HABITS
from tests.contracts.habits_table import run

SPACE = {"organization_id": "org_one", "name": "x"}


def answer(status: int, method: str, path: str, body: object = None, text: str = "{}") -> ClientResponse:
    return ClientResponse(ClientRequest(method, path, "owner", body), status, {}, text, 1.0)


def field_error(name: str) -> str:
    return json.dumps({"error": {"details": {"fields": [{"in": "body", "name": name, "message": "no"}]}}})


def test_more_fields_are_told_once_for_each_operation_and_break_only_a_closed_contract() -> None:
    checks = ("add-answers-as-documented", "an-added-thread-is-listed", "a-viewer-may-list")
    plain = run(HABITS["more-fields"], checks=checks)
    assert (plain.exit, {*plain.verdicts}) == (0, {"passed"}), plain.output
    told = Counter(re.findall(r"^undocumented +(\w+) answers with", plain.output, re.MULTILINE))
    assert told["listSpaceThreads"] == 1
    assert {*told.values()} == {1}
    closed = run(HABITS["more-fields-closed"], checks=checks)
    assert closed.exit == 1, closed.output


@pytest.mark.parametrize(
    ("wrong", "evidence"),
    [
        ({"access_users": ["x" * 256]}, Evidence.ASSUMED),
        ({"access_users": ["x"] * 1001}, Evidence.ASSUMED),
        ({"access_mode": 1}, Evidence.PUBLISHED),
        ({"access_users": ["x" * 256], "access_mode": 1}, Evidence.PUBLISHED),
    ],
)
def test_accepting_a_broken_rule_is_judged_by_the_strongest_of_the_rules(
    wrong: dict[str, object], evidence: Evidence
) -> None:
    operation = document().by_id("createSpace")
    found = requests.accepted(document(), operation, answer(201, "POST", "/v1/spaces/", {**SPACE, **wrong}))
    assert found is not None
    assert found.evidence is evidence


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        (field_error("access_users.0"), Evidence.ASSUMED),
        (field_error("description"), Evidence.PUBLISHED),
        ('{"detail": [{"loc": ["body", "access_users", 0], "msg": "too many"}]}', Evidence.ASSUMED),
        ('{"detail": [{"loc": ["body", "description"], "msg": "too long"}]}', Evidence.PUBLISHED),
        ('{"error": {"system_message": "access_users has too many items"}}', Evidence.ASSUMED),
    ],
)
def test_a_refusal_is_judged_by_the_part_that_it_names(text: str, evidence: Evidence) -> None:
    body = {**SPACE, "description": "d", "access_users": ["usr_a"]}
    operation = document().by_id("createSpace")
    found = requests.refused(document(), operation, answer(422, "POST", "/v1/spaces/", body, text))
    assert found is not None
    assert found.evidence is evidence


def test_the_nearest_mark_counts_and_a_mark_may_name_its_keyword() -> None:
    outer, inner = {"x-evidence": "assumed", "x-assumption": ["A01"]}, {"x-evidence": "documented"}
    own = {"x-evidence": {"maxLength": "assumed"}, "x-assumption": ["A100"], "maxLength": 3, "type": "string"}
    assert basis((outer, inner), "type").evidence is Evidence.DOCUMENTED
    assert basis((outer,), "type").assumption == "A01"
    assert basis((inner, own), "type").evidence is Evidence.DOCUMENTED
    assert basis((inner, own), "maxLength").assumption == "A100"
