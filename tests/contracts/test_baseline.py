"""Baseline: known failures don't fail a run, new ones do, and missing ones are reported."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from contracts.checks.spec import document
from tests.contracts.broken import DOCUMENTED, broken, contracts, report, run

MUTANT = "add-answer-with-another-message"


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A baseline that has one failure."""
    file = tmp_path / "known.json"
    with broken(MUTANT):
        result = run(tmp_path / "first", *DOCUMENTED, words=("--baseline", file, "--update-baseline"))
    assert result.exit_code == 0, result.output
    return file


def test_a_known_failure_is_told_and_does_not_fail_the_run(known: Path, tmp_path: Path) -> None:
    with broken(MUTANT):
        result = run(tmp_path / "second", *DOCUMENTED, words=("--baseline", known))
    assert result.exit_code == 0, result.output
    assert "the baseline contains it" in result.output
    assert "broken" not in re.sub(r"^ operation .*$", "", result.output, flags=re.MULTILINE)
    assert report(tmp_path / "second")["summary"] == {"passed": 2, "known": 1}


def test_a_new_failure_beside_a_known_one_fails_the_run(known: Path, tmp_path: Path) -> None:
    """In the same check, even."""
    with broken("add-answer-with-a-note"):
        result = run(tmp_path / "second", *DOCUMENTED, words=("--baseline", known, "--closed"))
    assert result.exit_code == 1, result.output


def test_a_known_failure_that_is_gone_is_told(known: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "second", *DOCUMENTED, words=("--baseline", known))
    assert result.exit_code == 0, result.output
    assert "a known failure did not occur" in result.output
    assert len(report(tmp_path / "second")["no_longer"]) == 1


def test_what_was_not_tried_is_not_gone(known: Path, tmp_path: Path) -> None:
    words = ("--baseline", known, "--update-baseline")
    before = known.read_text("utf-8")
    result = run(tmp_path / "second", DOCUMENTED[1], words=words)
    assert (result.exit_code, known.read_text("utf-8")) == (0, before)
    assert "did not occur" not in result.output


def test_an_update_forgets_what_is_gone(known: Path, tmp_path: Path) -> None:
    run(tmp_path / "second", *DOCUMENTED, words=("--baseline", known, "--update-baseline"))
    assert json.loads(known.read_text("utf-8"))["failures"] == []


@pytest.mark.slow
def test_another_seed_forgets_nothing_that_generated_requests_found(tmp_path: Path) -> None:
    """Other requests may miss a failure that is still there."""
    file, words = tmp_path / "known.json", ("operation-addThreadToSpace",)
    update = ("--baseline", file, "--update-baseline", "--closed")
    with broken("add-answer-with-a-note"):
        assert run(tmp_path / "first", *words, words=(*update, "--seed", 1)).exit_code == 0
    before = json.loads(file.read_text("utf-8"))["failures"]
    assert [known["generated_by"] for known in before] == ["quick 1"]
    run(tmp_path / "second", *words, words=(*update, "--seed", 2))
    assert json.loads(file.read_text("utf-8"))["failures"] == before
    run(tmp_path / "third", *words, words=(*update, "--seed", 1))
    assert json.loads(file.read_text("utf-8"))["failures"] == []


@pytest.mark.slow
def test_a_known_failure_is_known_whatever_steps_find_it(tmp_path: Path) -> None:
    """Lock step finds it after other steps with every seed."""
    words = ("--baseline", tmp_path / "known.json", "--profile", "ci")
    with broken("deep-a-patch-of-the-name-shuts-the-viewers-out"):
        first = run(tmp_path / "1", "lockstep", words=(*words, "--update-baseline", "--seed", 1))
        assert first.exit_code == 0, first.output
        assert json.loads((tmp_path / "known.json").read_text("utf-8"))["failures"]
        again = run(tmp_path / "2", "lockstep", words=(*words, "--seed", 2))
        assert again.exit_code == 0, again.output


def test_two_fields_that_are_missing_are_two_failures() -> None:
    """Also if both are missing in the same object."""
    operation = document().by_id("getSpace")
    violations = list(document().violations(operation, 200, {}))
    missing = {violation.name for violation in violations if violation.keyword == "required"}
    assert {"name", "updated_at"} <= missing


@pytest.mark.parametrize(
    ("content", "words", "says"),
    [
        (None, (), "--update-baseline writes it"),
        ("[]", (), "is not a baseline"),
        ('{"version": 1, "failures": []}', (), "has version 1, this suite reads 2: delete it, and write it"),
    ],
)
def test_a_bad_baseline_is_wrong_usage(
    content: str | None, words: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    file = tmp_path / "known.json"
    if content is not None:
        file.write_text(content, "utf-8")
    result = contracts("run", "--target", "mock", "--baseline", file, *words)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert says in result.stderr


def test_an_update_needs_a_file() -> None:
    assert contracts("run", "--target", "mock", "--update-baseline").exit_code == 2
