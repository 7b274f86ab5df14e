"""Calibration: a mock that follows an alternative is calibrated back to exactly that one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from werkzeug import Response

from contracts.calibration.calibrate import AS_ASSUMED, calibrate
from contracts.calibration.probes import PROBES
from contracts.calibration.profile_file import text_of
from contracts.calibration.table import followed, without_switch
from contracts.checks.evidence import assumptions
from contracts.cli import main
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.documents import entry_fault, switches
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.report import drift
from contracts.safety.ledger import Ledger
from mockserver.commands.cli import main as mockserver
from tests.contracts.calibrated import NEWER, OF_NEWER, PROBED, UNKNOWN, found, of_seed, run_on
from tests.contracts.whole_server import KEYS, running, spaces
from tests.contracts.whole_server.errors import Refused
from tests.running import mock
from tests.test_profile import profile


def test_at_least_forty_assumptions_have_a_switch_and_a_probe() -> None:
    assert len(PROBED) >= 40


@pytest.mark.slow
@pytest.mark.parametrize("assumption", PROBED)
def test_each_alternative_is_calibrated_back(tmp_path: Path, assumption: str) -> None:
    revision = NEWER if assumption in OF_NEWER else "2026-02"
    for alternative in followed(assumption):
        seen = found(run_on(tmp_path, {assumption: alternative}, revision), assumption)
        assert seen[assumption] == alternative


@pytest.mark.parametrize("seed", range(3))
def test_ten_alternatives_at_once_are_calibrated_back(tmp_path: Path, seed: int) -> None:
    run, chosen = of_seed(tmp_path, seed)
    seen = found(run)
    assert seen == {**dict.fromkeys(seen, AS_ASSUMED), **chosen, **UNKNOWN}


def test_switches_and_probes_are_of_assumptions_with_such_alternatives() -> None:
    assert {*switches(), *PROBES} <= {*assumptions()}
    for id_ in switches():
        kinds, parts = assumptions()[id_].alternatives, switches()[id_].parts
        assert "behaviour" in kinds or "status" not in parts or "status" in kinds, id_
        assert "behaviour" in kinds or "code" not in parts or kinds.keys() & {"codes", "status"}, id_
        assert "behaviour" in kinds or "message" not in parts or "texts" in kinds, id_


def test_an_alternative_without_a_switch_is_named() -> None:
    assert without_switch("A17") == ["status 200"]
    assert without_switch("A14") == ["links kept"]


def invoke(*words: str, **environment: str) -> Result:
    """`contracts calibrate` with these words."""
    return CliRunner().invoke(main, ["calibrate", *words], env=environment)


def test_a_profile_is_small_sorted_and_names_what_it_is_of(tmp_path: Path) -> None:
    file = tmp_path / "mock.profile.yaml"
    result = invoke("--target", "mock", "-o", str(file), "--only", "A02", "--only", "A11")
    assert result.exit_code == 0, result.output
    text = file.read_text("utf-8")
    content = yaml.safe_load(text)
    assert content["revision"] == "2026-02"
    assert content["document"].startswith("Freddy")
    assert [*content["assumptions"]] == sorted(assumptions(), key=lambda id_: int(id_[1:]))
    assert (content["assumptions"]["A02"], content["assumptions"]["A03"]) == (
        AS_ASSUMED,
        {"not probed": "left out"},
    )
    assert "ak_" not in text
    assert len(text) < 12_000


def test_read_only_probes_what_reads_tell(tmp_path: Path) -> None:
    file = tmp_path / "read.yaml"
    result = invoke("--target", "mock", "-o", str(file), "--read-only", "--only", "A02", "--only", "A11")
    assert result.exit_code == 0, result.output
    entries = yaml.safe_load(file.read_text("utf-8"))["assumptions"]
    assert entries["A11"] == AS_ASSUMED
    assert entries["A02"] == {"not probed": "it writes, and the run is read-only"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "pass --target URL and -o FILE, --from-drift FILE and -o FILE, or --diff"),
        (("--target", "mock", "-o", "x", "--only", "A999"), "--only A999: no such assumption"),
        (("--target", "mock", "-o", "missing/x.yaml"), "missing/x.yaml can't be written"),
        (("--diff", "missing.yaml", "missing.yaml"), "missing.yaml: No such file or directory"),
        (("--diff", "a", "b", "--target", "mock"), "--diff calls no target; leave out --target"),
        (("--diff", "a", "b", "-o", "c", "--yes"), "--diff calls no target; leave out --output, --yes"),
        (("--from-drift", "a", "-o", "b", "--target", "mock"), "--from-drift calls no target; leave out"),
    ],
)
def test_wrong_usage_is_one_line(words: tuple[str, ...], said: str, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*words)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_change_between_two_profiles_is_exit_code_1(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    before = profile(old, A01={"status": 409}, A02="as assumed", A03={"not probed": "no key"})
    after = profile(new, A01={"status": 409}, A02={"status": 422}, A03={"status": 400})
    result = invoke("--diff", before, after)
    assert result.exit_code == 1
    assert result.output.splitlines() == [f"A02 {assumptions()['A02'].about}: as assumed -> {{status: 422}}"]
    same = invoke("--diff", after, after)
    assert (same.exit_code, same.output) == (0, "no change\n")


@pytest.mark.parametrize("entries", [{"A999": "as assumed"}, {"A01": "status 9999"}])
def test_an_invalid_entry_in_either_of_two_profiles_is_exit_code_2(tmp_path: Path, entries: Any) -> None:
    (tmp_path / "bad").mkdir()
    good, bad = profile(tmp_path), profile(tmp_path / "bad", **entries)
    for pair in ((good, bad), (bad, good)):
        result = invoke("--diff", *pair)
        assert result.exit_code == 2
        assert f"{bad}:6: assumptions." in result.output
        assert result.output.count("\n") == 1


def test_with_only_the_other_entries_of_an_existing_profile_stay(tmp_path: Path) -> None:
    file = profile(tmp_path, A01={"status": 409}, A02={"status": 422}, A14={"not probed": "no probe"})
    result = invoke("--target", "mock", "-o", file, "--only", "A02")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == f"written to {file}; 2 other entries of it are kept"
    entries = yaml.safe_load(Path(file).read_text("utf-8"))["assumptions"]
    assert (entries["A01"], entries["A02"]) == ({"status": 409}, AS_ASSUMED)
    assert (entries["A03"], entries["A14"]) == ({"not probed": "left out"}, {"not probed": "no probe"})


def test_with_only_an_existing_profile_of_another_revision_is_left_as_it_is(tmp_path: Path) -> None:
    file = profile(tmp_path, A01={"status": 409})
    before = Path(file).read_text("utf-8")
    result = invoke("--target", "mock", "--revision", NEWER, "-o", file, "--only", "A02")
    assert result.exit_code == 2
    assert f"{file} is of revision 2026-02, and this target of {NEWER}; pass another -o" in result.output
    assert Path(file).read_text("utf-8") == before


@pytest.mark.parametrize("status", [200, 404, 500])
def test_of_a_target_without_one_usable_answer_nothing_is_none(status: int) -> None:
    error = {"error": {"status": status, "code": "X", "message": "X", "system_message": "X"}}
    run = Run(
        InProcess(Response(json.dumps(error), status, content_type="application/json")),
        DEMO,
        DEMO_ORGANIZATION,
        ledger=Ledger(),
        run_id="calibration",
        model_calls=50,
    )
    text = text_of(calibrate(run), "2026-02", "2026-11-30")
    assert "None" not in text
    assert all(not entry_fault(*each) for each in yaml.safe_load(text)["assumptions"].items())


@pytest.mark.slow
def test_a_mock_with_the_learned_profile_is_in_lock_step_with_the_first(tmp_path: Path) -> None:
    chosen: dict[str, Any] = {
        "A01": {"status": 409},
        "A02": {"status": 422},
        "A04": "newest first",
        "A24": {"status": 200},
        "A40": "the time of creation",
        "A42": "null",
    }
    learned, folder = tmp_path / "learned.yaml", tmp_path / "report"
    with mock("--profile", profile(tmp_path, **chosen)) as url:
        assert invoke("--target", url, "-o", str(learned)).exit_code == 0
        words = ["run", "--target", url, "--only", "lockstep", "--report-dir", str(folder)]
        result = CliRunner().invoke(main, [*words, "--profile-file", str(learned)])
    assert result.exit_code == 0, result.output
    assert json.loads((folder / "report.json").read_text("utf-8"))["summary"] == {"passed": 1}
    entries = yaml.safe_load(learned.read_text("utf-8"))["assumptions"]
    assert {id_: entry for id_, entry in entries.items() if id_ in chosen} == chosen


@pytest.mark.slow
def test_a_changed_behaviour_of_a_deployment_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Changed(Refused):
        """Refusal with 400 where it was 409."""

        def __init__(self, status: int, *texts: str, **details: Any) -> None:
            super().__init__(400 if status == 409 else status, *texts, **details)

    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"
    with running() as (url, state):
        asked = invoke("--target", url, "-o", str(before), **KEYS)
        assert (asked.exit_code, state.spaces) == (2, {})
        assert "is no mock" in asked.output
        words = ["--target", url, "--yes", "--with-model", "5", "-o"]
        assert invoke(*words, str(before), **KEYS).exit_code == 0
        monkeypatch.setattr(spaces, "Refused", Changed)
        assert invoke(*words, str(after), **KEYS).exit_code == 0
        assert (state.spaces, state.threads, state.stores, state.files) == ({}, {}, {}, {})
    entries = yaml.safe_load(before.read_text("utf-8"))["assumptions"]
    assert [entries[id_] for id_ in ("A01", "A04", "A21")] == [
        {"status": 409},
        "newest first",
        "microseconds",
    ]
    changed = invoke("--diff", str(before), str(after))
    assert changed.exit_code == 1
    assert [line.split()[0] for line in changed.output.splitlines()] == ["A01", "A17"]
    assert CliRunner().invoke(mockserver, ["check", "--profile", str(before)]).exit_code == 0


def test_a_run_expects_what_the_profile_says(tmp_path: Path) -> None:
    follows = profile(tmp_path, A01={"status": 409})
    words = ["--only", "adding-twice-is-adding-once", "--strict-assumptions", "--report-dir", str(tmp_path)]
    with mock("--profile", follows) as url:
        without = CliRunner().invoke(main, ["run", "--target", url, *words])
        judged = CliRunner().invoke(main, ["run", "--target", url, *words, "--profile-file", follows])
        other = profile(tmp_path, A01="as assumed")
        drifted = CliRunner().invoke(main, ["run", "--target", url, *words, "--profile-file", other])
    assert (without.exit_code, judged.exit_code, drifted.exit_code) == (1, 0, 1), drifted.output
    failure = json.loads((tmp_path / "report.json").read_text("utf-8"))["failures"][0]
    assert failure["message"].startswith("the profile says that A01 is as assumed: ")


def test_a_bad_profile_of_a_run_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: b", "utf-8")
    words = ["run", "--target", "mock", "--profile-file", str(tmp_path / "bad.yaml")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "--profile-file: " in result.output
    assert "profile: is missing" in result.output


@pytest.mark.slow
def test_what_a_profile_does_not_explain_of_a_deployment_is_in_the_ledger(tmp_path: Path) -> None:
    learned, ledger = tmp_path / "learned.yaml", tmp_path / "drift.yaml"
    words = [
        "--only",
        "lockstep",
        "--profile",
        "small",
        "--profile-file",
        str(learned),
        "--drift",
        str(ledger),
    ]
    words += ["--with-model", "60", "--report-dir", str(tmp_path / "report")]
    with running() as (url, _):
        assert invoke("--target", url, "--yes", "-o", str(learned), **KEYS).exit_code == 0
        run = CliRunner().invoke(main, ["run", "--target", url, *words], env=KEYS)
    assert run.exit_code == 0, run.output
    assert {each["claim"] for each in drift.read(ledger)} <= {*assumptions()}
