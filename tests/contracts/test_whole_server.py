"""A deployment of its own, written from the vendor's documents alone, differs in assumptions alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from contracts.cli import main
from contracts.http.run import KEY_ROLES
from tests.contracts.whole_server import KEYS, running

CHECKS = (
    *("add-answers-as-documented", "an-added-thread-is-listed", "walking-by-any-size-gives-the-same-list"),
    *("adding-twice-is-adding-once", "threads-come-in-the-order-of-adding", "a-made-up-cursor-is-refused"),
    *("walking-the-spaces-finds-every-one-once", "who-may-getThread", "who-may-createThread"),
    *("an-added-threads-messages-are-found", "nothing-comes-from-another-space"),
    *("a-stream-tells-in-pieces-what-it-tells-as-a-whole", "a-stream-can-be-read-again-from-any-event"),
    *(
        "cancelling-without-a-stream-is-404",
        "a-text-file-is-processed",
        "threads-come-by-their-last-activity",
    ),
    *("a-405-names-the-methods", "the-trace-id-is-the-request-id", "stores-are-searched-sorted-and-paged"),
    *("operation-listThreads", "operation-addThreadToSpace"),
)
ASSUMED = {"A01", "A04", "A05", "A06", "A10", "A25", "A36", "A37"}
"""Decisions of the mock that this deployment does not share, as far as these checks show them."""


@pytest.mark.slow
def test_a_deployment_of_its_own_breaks_nothing_and_each_difference_is_an_alternative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*(f"CONTRACTS_{role.upper()}_KEY" for role in KEY_ROLES), "FREDDY_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    only = [word for check in CHECKS for word in ("--only", check)]
    with running() as (url, state):
        words = ["run", "--target", url, "--profile", "small", "--with-model", "60", *only]
        result = CliRunner().invoke(main, [*words, "--report-dir", str(tmp_path)], env=KEYS)
        left = (state.spaces, state.threads, state.stores, state.files)
    verdicts = json.loads((tmp_path / "report.json").read_text("utf-8"))["summary"]
    assert result.exit_code == 0, result.output
    assert verdicts.keys() <= {"passed", "assumption does not hold here"}, result.output
    found = {*re.findall(r"^(?:#\d+ +)?assumption (A\d+) does not hold here", result.output, re.MULTILINE)}
    assert found == ASSUMED, result.output
    assert left == ({}, {}, {}, {})
