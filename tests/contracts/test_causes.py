"""Habits of real deployments: each cause is told once, and leads to the right exit code."""

from __future__ import annotations

import re

import pytest

from tests.contracts.habits import HABITS
from tests.contracts.habits_table import CHECKS, KEYS, Row, run, serving
from tests.contracts.test_cli import contracts

pytestmark = pytest.mark.slow

FEW = (
    "add-answers-as-documented",
    "an-added-thread-is-listed",
    "a-deleted-thread-is-gone",
    "any-text-is-an-id",
)
"""Checks that add, list, delete, and send what looks like an attack."""


def on(name: str, *words: str, checks: tuple[str, ...] = FEW) -> Row:
    """The suite on a habit."""
    return run(HABITS[name], *words, checks=checks)


@pytest.mark.parametrize("name", ["usual", "long-ids", "clock-5-minutes-off"])
def test_what_only_looks_different_is_no_finding(name: str) -> None:
    row = on(name, checks=CHECKS)
    assert (row.exit, set(row.verdicts)) == (0, {"passed"}), row.output


def test_an_answer_that_is_not_the_apis_is_no_answer_and_its_cause_is_told_once() -> None:
    cause = "something in front of the API answers 403 with a page of HTML to"
    row = on("firewall", "--timeout", "2s", checks=CHECKS)
    assert (row.exit, "broken" in row.verdicts) == (0, False), row.output
    told = [line for line in row.output.splitlines() if re.match(r"no answer +\d+ checks?: ", line)]
    assert len([line for line in told if cause.removesuffix(" to") in line]) == 1, told


def test_a_run_of_which_a_firewall_keeps_too_much_back_has_no_result() -> None:
    row = on("firewall", "--timeout", "2s", "--min-coverage", "100", checks=CHECKS)
    assert (row.exit, "broken" in row.verdicts) == (3, False), row.output
    assert "something in front of the API answers 403 with a page of HTML to" in row.last


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("expired-owner", "the owner's key is refused: 401 API_KEY_EXPIRED"),
        (
            "expired-editor",
            "the editor's key is refused: 401 API_KEY_EXPIRED; set CONTRACTS_EDITOR_KEY to",
        ),
        (
            "owner-expires",
            "the owner's key is refused: 401 API_KEY_EXPIRED; set CONTRACTS_OWNER_KEY to",
        ),
        (
            "read-only-key",
            "the owner's key may not write: POST /v1/threads answers 403",
        ),
    ],
)
def test_a_key_that_can_not_be_used_ends_with_3_and_what_to_do(name: str, says: str) -> None:
    row = on(name, checks=CHECKS)
    assert (row.exit, "broken" in row.verdicts) == (3, False), row.output
    assert says in row.last


def test_a_missing_operation_is_named_once_and_what_needs_it_is_untested() -> None:
    row = on(
        "missing-operation",
        checks=(
            "a-removed-thread-is-used-as-before",
            "operation-updateThread",
            "a-threads-metadata-is-merged",
        ),
    )
    assert row.exit == 1, row.output
    assert row.verdicts["broken"] == 1, row.output
    assert re.findall(r"PATCH /v1/threads/\{thread_id\} is missing: .* answers 405", row.output)
    assert "it needs updateThread, which the target does not have" in row.output


def test_another_slash_convention_is_one_finding_with_its_location() -> None:
    row = on("other-slash", checks=("operation-createSpace", "operation-listSpaces", *FEW))
    assert row.exit == 1, row.output
    (heading,) = re.findall(r"^ #\d+ .* broken .*$", row.output, re.MULTILINE)
    assert "redirects (307) to /v1/spaces" in row.output, heading


def test_doctor_finds_another_slash_convention_with_its_location(tmp_path: object) -> None:
    with serving(HABITS["other-slash"], tmp_path) as (url, _, _):  # type: ignore[arg-type]
        done = contracts("doctor", "--target", url, **KEYS)
    assert done.exit_code == 3, done.output
    found = r"GET /v1/spaces/ redirects \(307\) to /v1/spaces\S*: another slash convention"
    assert re.search(found, done.output), done.output


def test_doctor_names_a_refused_key_and_ends_with_3(tmp_path: object) -> None:
    with serving(HABITS["expired-editor"], tmp_path) as (url, _, _):  # type: ignore[arg-type]
        done = contracts("doctor", "--target", url, **KEYS)
    assert (done.exit_code, "set CONTRACTS_EDITOR_KEY to another key" in done.stderr) == (3, True), (
        done.output
    )


def test_lists_that_lag_behind_a_write_are_one_finding() -> None:
    row = on("lagging-lists-without-settle", checks=CHECKS)
    assert (row.exit, row.verdicts["broken"]) == (1, 1), row.output
    assert "lags behind the writes (eventual)" in row.output
    assert on("lagging-lists").exit == 0
