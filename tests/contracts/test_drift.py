"""Drift: what lock step finds beyond a profile is recorded, and becomes answers of the mock where it can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from contracts.cli import main
from contracts.report import drift
from mockserver.profile.profile import DeploymentProfile
from tests.running import ROOT, mock
from tests.test_profile import profile

TIMES = {"first_seen": "2026-11-29", "last_seen": "2026-11-30"}


def entry(operation: str, claim: str, part: str, value: Any) -> dict[str, Any]:
    """Entry of a ledger."""
    what = {"operation": operation, "difference": f"value of {part}", "claim": claim}
    return {**what, **TIMES, "part": part, "value": value}


def learn(folder: Path, entries: list[dict[str, Any]], **assumptions: Any) -> tuple[Result, dict[str, Any]]:
    """Result of --from-drift, and the entries of the profile after it."""
    ledger, file = folder / "drift.yaml", profile(folder, **assumptions)
    ledger.write_text(yaml.safe_dump(entries), "utf-8")
    result = CliRunner().invoke(main, ["calibrate", "--from-drift", str(ledger), "-o", file])
    learned: dict[str, Any] = yaml.safe_load(Path(file).read_text("utf-8"))["assumptions"]
    return result, learned


def test_an_answer_that_was_not_probed_is_learned_from_drift(tmp_path: Path) -> None:
    seen = [entry("getThread", "A36", "status", 404), entry("getThread", "A36", "system_message", "No")]
    result, entries = learn(tmp_path, seen, A36={"not probed": "no key"})
    assert result.output.splitlines() == ["A36 status: 404", "A36 system_message: No"]
    assert entries == {"A36": {"status": 404, "system_message": "No"}}


@pytest.mark.parametrize(
    ("seen", "known"),
    [
        (entry("getThread", "A36", "status", 404), "as assumed"),
        (entry("getThread", "A36", "status", 404), {"status": 400}),
        (entry("downloadFile", "A91", "status", 403), {"not probed": "no key"}),
        (entry("listSpaces", "A15", "status", 400), {"not probed": "no probe"}),
    ],
)
def test_what_a_probe_saw_or_no_switch_is_about_is_not_learned(tmp_path: Path, seen: Any, known: Any) -> None:
    result, entries = learn(tmp_path, [seen], **{seen["claim"]: known})
    assert result.output == "nothing that a profile can say is new\n"
    assert entries == {seen["claim"]: known}


@pytest.mark.parametrize("value", [9999, 99, "404", True, [404]])
def test_a_value_that_no_profile_can_have_is_left_out_and_said(tmp_path: Path, value: Any) -> None:
    seen = [entry("getThread", "A36", "status", value), entry("getThread", "A36", "system_message", "No")]
    result, entries = learn(tmp_path, seen, A36={"not probed": "no key"})
    assert result.exit_code == 0, result.output
    said = result.output.splitlines()
    assert said[0].startswith(f"left out: A36 status: {value!r} ")
    assert said[1:] == ["A36 system_message: No"]
    assert entries == {"A36": {"system_message": "No"}}
    DeploymentProfile(str(tmp_path / "staging.profile.yaml"))


@pytest.mark.parametrize(
    ("ledger", "entries", "said"),
    [
        ("missing.yaml", {}, "missing.yaml: No such file or directory"),
        ("drift.yaml", {"A999": "as assumed"}, ":6: assumptions.A999: is no assumption"),
    ],
)
def test_a_ledger_or_a_profile_that_is_not_usable_is_wrong_usage(
    tmp_path: Path, ledger: str, entries: Any, said: str
) -> None:
    (tmp_path / "drift.yaml").write_text("[]", "utf-8")
    words = ["calibrate", "--from-drift", str(tmp_path / ledger), "-o", profile(tmp_path, **entries)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert said in result.output
    assert result.output.count("\n") == 1


def test_the_ledger_in_the_docs_is_read(tmp_path: Path) -> None:
    shown = (ROOT / "docs/calibration.md").read_text("utf-8").partition("```yaml staging.drift.yaml\n")[2]
    (tmp_path / "drift.yaml").write_text(shown.partition("```")[0], "utf-8")
    assert [*drift.answers(drift.read(tmp_path / "drift.yaml"))] == [("getThread", "A36", "status", 404)]


def test_a_file_that_is_no_ledger_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("a: b", "utf-8")
    words = ["run", "--target", "mock", "--drift", str(tmp_path / "other.yaml")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "is no drift ledger; pass a file of `contracts run --drift`" in result.output


@pytest.mark.slow
def test_a_difference_is_recorded_once_with_when_it_was_seen(tmp_path: Path) -> None:
    ledger = tmp_path / "drift.yaml"
    words = ["--only", "lockstep", "--report-dir", str(tmp_path / "report"), "--drift", str(ledger)]
    with mock("--profile", profile(tmp_path, A40="the time of creation")) as url:
        first = CliRunner().invoke(main, ["run", "--target", url, *words])
        found = drift.read(ledger)
        again = CliRunner().invoke(main, ["run", "--target", url, *words])
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert found
    assert {each["claim"] for each in found} <= {"A16", "A40"}
    assert drift.read(ledger) == found
    assert f"{len(found)} new, 0 known" in first.output
    assert f"0 new, {len(found)} known" in again.output
