"""Whatever the habits of a deployment, a run leaves it as it was, and says in a line what it could not do."""

from __future__ import annotations

import re

import pytest

from tests.contracts.habits import HABITS
from tests.contracts.habits_table import run

pytestmark = pytest.mark.slow

PASS = (
    "rate-limited",
    "502-after-the-write",
    "resets-after-the-write",
    "tls",
    "prefix",
    "http-1.0-and-more-headers",
)
"""Habits that say nothing about the contract; the command for the table runs all."""


@pytest.mark.parametrize("name", [*PASS, "existing-id"])
def test_a_run_leaves_a_deployment_as_it_was(name: str) -> None:
    row = run(HABITS[name])
    assert (row.left, row.lost) == ([], []), row.output
    assert row.exit in (0, 1, 3)
    assert "Traceback" not in row.output
    assert "crashed" not in row.output
    if name in PASS:
        assert row.exit == 0, row.output
        assert {*row.verdicts} == {"passed"}


@pytest.mark.parametrize(("name", "code"), [("more-fields", 0), ("more-fields-closed", 1)])
def test_undocumented_fields_break_only_a_closed_contract(name: str, code: int) -> None:
    row = run(HABITS[name])
    assert row.exit == code, row.output
    told = re.findall(r"^undocumented +(\w+) answers with", row.output, re.MULTILINE)
    assert "listSpaceThreads" in told
    assert len(told) == len({*told})


def test_an_id_from_before_the_run_is_a_finding_among_generated_requests_too() -> None:
    """Their threads are created while Schemathesis prepares a request."""
    row = run(HABITS["existing-id"], "--profile", "small", checks=("operation-addThreadToSpace",))
    assert "which was there before the run" in row.output
    assert "crashed" not in row.output
    assert (row.left, row.lost) == ([], [])


def test_what_can_not_be_deleted_is_listed_with_the_command_that_deletes_it_later() -> None:
    row = run(HABITS["owner-expires"])
    assert row.left
    output = row.output.replace("behind  thread", "behind  space")
    assert [id_ for id_ in row.left if f"left behind  space {id_}" not in output] == []
    assert "contracts cleanup" in row.output
