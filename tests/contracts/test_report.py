"""Reports: consistent on terminal, in files and on GitHub, and without keys."""

from __future__ import annotations

import html
import json
import re
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema_rs
import pytest
from click.testing import Result

from contracts.checks.spec import document
from contracts.http.credentials import DEMO
from contracts.http.redact import Redactor
from contracts.report.documents import page
from contracts.report.github import operation_lines
from contracts.verdict.diff import differences
from contracts.verdict.failure import Verdict
from tests.contracts.broken import DOCUMENTED, broken, contracts, report, run
from tests.running import ROOT

ARTIFACTS = ("report.json", "report.html", "junit.xml", "failures.har")


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run with all kinds of failures, on a mock that repeats the caller's key."""
    folder = tmp_path_factory.mktemp("failed")
    with broken("add-answer-with-another-message", "adding-twice-is-a-conflict", "key-repeated-in-a-404"):
        checks = (*DOCUMENTED, "adding-twice-is-adding-once", "errors-give-nothing-away")
        result = run(folder, *checks, "operation-addThreadToSpace", "an-added-threads-messages-are-found")
    assert result.exit_code == 1, result.output
    return folder, result


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("passed")
    result = run(folder, *DOCUMENTED)
    assert result.exit_code == 0, result.output
    return folder, result


def validator() -> jsonschema_rs.Draft202012Validator:
    text = (resources.files("contracts.report") / "report.schema.json").read_text("utf-8")
    return jsonschema_rs.Draft202012Validator(json.loads(text), validate_formats=True)


def test_a_report_is_as_its_schema_says(failed: tuple[Path, Result], passed: tuple[Path, Result]) -> None:
    for folder, _ in (failed, passed):
        assert [error.message for error in validator().iter_errors(report(folder))] == []
    assert report(failed[0])["failures"]


def test_the_schema_refuses_what_is_no_report() -> None:
    assert not validator().is_valid({"version": 1, "outcomes": []})


def test_no_artifact_and_no_output_holds_a_key(failed: tuple[Path, Result]) -> None:
    """Though the target repeats it."""
    folder, result = failed
    texts = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    texts["output"] = result.output
    assert set(ARTIFACTS) < set(texts)
    assert [(name, key) for name, text in texts.items() for key in DEMO.values() if key in text] == []
    assert "$CONTRACTS_OWNER_KEY" in texts["report.json"]


def test_a_key_is_found_however_it_is_written() -> None:
    redact = Redactor({"owner": 'a"b/ü&c', "viewer": 'a"b'})
    for text in ('a"b/ü&c', json.dumps('a"b/ü&c'), "a%22b%2F%C3%BC%26c", json.dumps(["x", 'a"b/ü&c'])):
        assert "CONTRACTS_OWNER_KEY" in redact.text(text)
        assert "b/" not in redact.text(text)
    assert redact({"key": ['a"b']}) == {"key": ["$CONTRACTS_VIEWER_KEY"]}


def test_junit_has_a_test_case_for_each_check(failed: tuple[Path, Result]) -> None:
    folder, _ = failed
    (suite,) = Xml.parse(folder / "junit.xml").getroot()
    verdicts = {outcome["id"]: outcome["verdict"] for outcome in report(folder)["outcomes"]}
    assert {case.get("name") for case in suite} == set(verdicts)
    found = {case.get("name") for case in suite if case.find("failure") is not None}
    assert found == {name for name, verdict in verdicts.items() if verdict == "broken"}
    skipped = {case.get("name") for case in suite if case.find("skipped") is not None}
    assert {"adding-twice-is-adding-once", "an-added-threads-messages-are-found"} <= skipped
    assert (suite.get("failures"), suite.get("skipped")) == (str(len(found)), str(len(skipped)))


def test_the_archive_has_every_exchange_of_the_chains(failed: tuple[Path, Result]) -> None:
    folder, _ = failed
    log = json.loads((folder / "failures.har").read_text("utf-8"))["log"]
    chains = [exchange for failure in report(folder)["failures"] for exchange in failure["chain"]]
    assert (log["version"], len(log["entries"])) == ("1.2", len(chains))
    for entry, exchange in zip(log["entries"], chains, strict=True):
        assert entry["request"]["url"].endswith(exchange["path"])
        assert entry["response"]["status"] == exchange["status"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", entry["startedDateTime"])
        assert entry["time"] == sum(entry["timings"][name] for name in ("send", "wait", "receive"))


def test_the_page_needs_nothing_else(failed: tuple[Path, Result]) -> None:
    text = (failed[0] / "report.html").read_text("utf-8")
    assert re.findall(r"(?:src|href)=\"(?!#)[^\"]*|<script|<link|@import|url\(", text) == []
    for failure in report(failed[0])["failures"]:
        assert f'id="failure-{failure["id"]}"' in text


def test_what_a_target_says_is_text_on_the_page(failed: tuple[Path, Result]) -> None:
    data = report(failed[0])
    data["failures"][0]["chain"][-1]["answer"] = data["run"]["target"] = "<script>alert(1)</script>"
    assert "<script" not in page(data)
    assert page(data).count("&lt;script&gt;") > 1


def test_a_failure_fits_on_one_screen(failed: tuple[Path, Result]) -> None:
    screens = re.split(r"^ #\d+  ", failed[1].output, flags=re.MULTILINE)[1:]
    assert len(screens) == len(report(failed[0])["failures"])
    for screen in screens[:-1]:
        assert sum(1 + len(line) // 120 for line in screen.splitlines()) <= 50, screen


def test_a_failure_says_what_it_takes_to_see_it_again(failed: tuple[Path, Result]) -> None:
    folder, result = failed
    whole = " ".join(result.output.split())
    for words in (
        "Adding a thread is 201 with success, message, both ids and added_at.",
        "evidence documented",
        "/message - Thread added to space",
        'SPACE_1=$(curl -sS -X POST "$TARGET/v1/spaces/" -H "X-API-Key: $CONTRACTS_OWNER_KEY"',
        f"contracts replay {folder}/report.json#",
        "--seed 20261121 --only add-answers-as-documented",
        "assumption A01 does not hold here; no contract is broken",
    ):
        assert words in whole


@pytest.mark.parametrize(
    ("expected", "got", "wanted"),
    [
        (201, 409, [{"pointer": "", "expected": 201, "got": 409}]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [{"pointer": "/a/c", "expected": 2, "got": 3}]),
        ({"a": 1}, {"b": 1}, [{"pointer": "/a", "expected": 1}, {"pointer": "/b", "got": 1}]),
        (["x", "y", "z"], ["x", "z"], [{"pointer": "/1", "expected": "y"}]),
        (["x", "z"], ["x", "y", "z"], [{"pointer": "/1", "got": "y"}]),
        (["x", "y"], ["y", "x"], [{"pointer": "", "expected": ["x", "y"], "got": ["y", "x"]}]),
        (True, 1, [{"pointer": "", "expected": True, "got": 1}]),
        ({"b", "a"}, {"a"}, [{"pointer": "/1", "expected": "b"}]),
        ([1], [1], []),
    ],
)
def test_the_difference_is_the_smallest(expected: Any, got: Any, wanted: list[dict[str, Any]]) -> None:
    assert differences(expected, got) == wanted


def test_github_gets_annotations_and_a_summary(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    with broken("add-answer-with-another-message"):
        result = run(
            tmp_path / "report", *DOCUMENTED, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary)
        )
    (line,) = re.findall("^::error .*$", result.output, flags=re.MULTILINE)
    assert "title=broken%3A add-answers-as-documented::" in line
    assert "## The contract is broken" in summary.read_text("utf-8")
    assert "| 1 | broken | `add-answers-as-documented` |" in summary.read_text("utf-8")


def test_an_annotation_points_at_the_operation_itself_and_at_no_link() -> None:
    file = ROOT / "openapi.yaml"
    lines, found = file.read_text("utf-8").splitlines(), operation_lines(file)
    assert {*found} - {"deleteAllThreads"} == {operation.id for operation in document().operations.values()}
    for id_, number in found.items():
        assert lines[number - 1] == f"      operationId: {id_}"


def test_the_text_of_an_assumption_stands_beside_its_number(failed: tuple[Path, Result]) -> None:
    folder, result = failed
    says = "adding a thread that is already in the space: 201 again, same body"
    (failure,) = [each for each in report(folder)["failures"] if each["assumption"] == "A01"]
    assert failure["assumed"].startswith(says)
    texts = [" ".join(result.output.split()), (folder / "report.html").read_text("utf-8")]
    assert all(says in text for text in texts)


def test_the_index_shows_the_difference(failed: tuple[Path, Result]) -> None:
    text = (failed[0] / "report.html").read_text("utf-8")
    index = text.partition('<table class="index">')[2].partition("</table>")[0]
    for failure in report(failed[0])["failures"]:
        assert failure["brief"][:30] in html.unescape(index)


def test_elsewhere_there_are_none(failed: tuple[Path, Result]) -> None:
    assert "::error" not in failed[1].output


def test_nothing_is_written_outside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("here", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("HOME", str(tmp_path / "here"))
    run(tmp_path / "report", "operation-getSpace", *DOCUMENTED)
    assert [*(tmp_path / "here").iterdir(), *(tmp_path / "temporary").iterdir()] == []
    assert {file.name for file in (tmp_path / "report").iterdir()} >= set(ARTIFACTS)


def test_without_a_folder_the_reports_are_where_the_run_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = contracts("run", "--target", "mock", "--only", DOCUMENTED[0])
    (folder,) = re.findall(r"^reports +(.+)$", result.output, flags=re.MULTILINE)
    assert set(ARTIFACTS) <= {file.name for file in Path(folder).iterdir()}


def test_the_page_about_reports_has_every_verdict_and_every_file() -> None:
    text = (Path(__file__).parents[2] / "docs" / "contract-reports.md").read_text("utf-8")
    documented = re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE)
    assert sorted(documented) == sorted([*(verdict.value for verdict in Verdict), *ARTIFACTS])
