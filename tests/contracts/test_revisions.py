"""A run judges by the revision that its target speaks, or by the one of its flag, and cleans up by both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from contracts.checks.spec import document, judged_by
from contracts.cli import main
from contracts.http.documents import revisions
from tests.running import mock

OWNER = {"X-API-Key": "ak_demo_owner"}
REVISIONS = revisions()
NEWER = (*reversed(REVISIONS),)
ORGANIZATION = "the-organization-of-a-space-is-named-where-that-is-required"
LOCKSTEP = "the-target-answers-like-the-mock"
CHEAP = ("who-may-addThreadToSpace", "an-added-thread-is-listed")


def contracts(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def only(*names: str) -> list[str]:
    return [word for name in names for word in ("--only", name)]


@pytest.fixture(scope="module")
def newer() -> Iterator[str]:
    """A mock of the newer revision."""
    with mock("--revision", "2026-05") as url:
        yield url


def spaces(url: str, sandbox: str) -> int:
    """Number of spaces that the owner has in the sandbox of a run."""
    headers = {**OWNER, "X-Mock-Sandbox": sandbox}
    page = requests.get(f"{url}/v1/spaces/?organization_id=org_abc123&limit=100", headers=headers, timeout=60)
    return len(page.json()["spaces"])


def judged(folder: Path, *words: str) -> tuple[Result, Any]:
    """A run, and its report."""
    result = contracts("run", *words, "--report-dir", str(folder))
    return result, json.loads((folder / "report.json").read_text("utf-8"))


def test_doctor_and_run_find_out_which_revision_a_target_speaks(newer: str, tmp_path: Path) -> None:
    """Without the flag; the run holds, and leaves nothing behind, for its clean-up names the organization."""
    said = "2026-05, as the target answers a GET without organization_id"
    assert said in contracts("doctor", "--target", newer).output
    result, report = judged(tmp_path, "--target", newer, *only(*CHEAP, ORGANIZATION))
    assert (result.exit_code, said in result.output, "left behind" in result.output) == (0, True, False)
    contract = report["run"]["contract"]
    assert (contract["revision"], contract["spoken"]) == ("2026-05", "2026-05")
    assert [each["title"] for each in contract["overlays"]] == ["Revision 2026-05"]
    assert spaces(newer, f"contracts-{report['run']['id']}") == spaces(newer, "another")


@pytest.mark.parametrize("revision", revisions())
def test_a_fresh_mock_serves_the_revision_that_judges_it(revision: str, tmp_path: Path) -> None:
    result, report = judged(tmp_path, "--target", "mock", "--revision", revision, *only(*CHEAP, LOCKSTEP))
    assert (result.exit_code, report["run"]["contract"]["revision"]) == (0, revision), result.output
    assert ("--revision" in report["run"]["again"]) is True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("served", "judge", "what"), [(*REVISIONS, "does not require"), (*NEWER, "requires")]
)
def test_another_revision_than_the_spoken_one_judges_and_nothing_is_left(
    served: str, judge: str, what: str, tmp_path: Path
) -> None:
    """What differs is broken once for each operation; requests, and lock step, fit the target."""
    words = ("--revision", judge, *only(ORGANIZATION, "an-added-thread-is-listed", LOCKSTEP))
    with mock("--revision", served) as url:
        result, report = judged(tmp_path, "--target", url, *words)
        assert f"{judge}; the target speaks {served}" in result.output
        assert (result.exit_code, "left behind" in result.output) == (1, False)
        assert spaces(url, f"contracts-{report['run']['id']}") == spaces(url, "another")
    found = [failure["message"] for failure in report["failures"]]
    nine = [o.label for o in document().operations.values() if o.path.startswith("/v1/spaces/{space_id}")]
    assert (found, len(found)) == ([f"{label} {what} organization_id" for label in nine], 9)


def test_an_unknown_revision_is_one_line_and_exit_code_2() -> None:
    result = contracts("run", "--target", "mock", "--revision", "2025", *only("an-added-thread-is-listed"))
    assert (result.exit_code, "--revision 2025: is one of 2026-02, 2026-05" in result.output) == (2, True)


def test_the_revision_that_judges_is_that_of_its_block() -> None:
    with judged_by("2026-05"):
        assert document().requires_organization("GET", "/v1/spaces/space_1")
        with judged_by("2026-02"):
            assert not document().requires_organization("GET", "/v1/spaces/space_1")
        assert document().revision == "2026-05"
    assert document().revision == "2026-02"


@pytest.mark.slow
def test_each_field_that_the_newer_revision_adds_is_missing_once(tmp_path: Path) -> None:
    """And nobody else may add a thread: that is all in which these operations of the older one differ."""
    checks = ("operation-getSpace", "operation-getThread", "who-may-addThreadToSpace", LOCKSTEP)
    with mock("--revision", "2026-02") as url:
        _, report = judged(tmp_path, "--target", url, "--revision", "2026-05", *only(*checks))
    missing = [re.findall(r'"(\w+)" is a required', failure["message"]) for failure in report["failures"]]
    fields = ["activated_skins", "expected_deletion_at", "has_unread", "is_incognito", "object", "thread_ids"]
    assert sorted(name for names in missing for name in names) == fields
    others = [
        failure["check"] for failure, names in zip(report["failures"], missing, strict=True) if not names
    ]
    assert others == ["who-may-addThreadToSpace"]
