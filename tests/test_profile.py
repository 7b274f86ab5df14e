"""A profile: the mock answers as the deployment that it describes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from mockserver.app import create_app
from mockserver.commands.cli import main
from mockserver.openapi.yaml_document import DocumentError
from mockserver.profile.answers import CONDITIONS
from mockserver.profile.profile import DeploymentProfile
from mockserver.profile.switches import switches
from mockserver.settings import Settings
from tests.running import ROOT

OWNER = {"X-API-Key": "ak_demo_owner"}
HEAD = {"profile": 1, "document": "any", "revision": "2026-02", "date": "2026-11-30"}


def profile(folder: Path, **assumptions: Any) -> str:
    """Path of a profile with these assumptions."""
    file = folder / "staging.profile.yaml"
    file.write_text(yaml.safe_dump({**HEAD, "assumptions": assumptions}, sort_keys=False), "utf-8")
    return str(file)


def client(folder: Path, **assumptions: Any) -> Any:
    """Client of a mock that follows these alternatives."""
    settings = Settings.model_construct(quiet=True, profile=profile(folder, **assumptions))
    return create_app(settings).test_client()


@pytest.mark.parametrize(
    ("assumptions", "said"),
    [
        ({"A1": "as assumed"}, r":6: assumptions.A1: is no assumption"),
        ({"A999": "as assumed"}, r":6: assumptions.A999: is no assumption; docs/assumptions.md lists"),
        ({"A999": {"status": 409}}, r":7: assumptions.A999: is no assumption"),
        ({"A999": {"not probed": "no key"}}, r":7: assumptions.A999: is no assumption"),
        (
            {"A01": "as assumed", "A04": "last first"},
            r":7: assumptions.A04: 'last first' is no alternative of A04",
        ),
        (
            {"A02": {"staus": 422}},
            r":7: assumptions.A02: is `as assumed`, the name of an alternative, or parts",
        ),
        ({"A02": {"status": 99}}, r"a status is from 200 to 599"),
        ({"A02": {"unsteady": 1}}, r"unsteady: say why, as text"),
    ],
)
def test_a_bad_entry_is_one_line_that_names_its_line(tmp_path: Path, assumptions: Any, said: str) -> None:
    with pytest.raises(DocumentError, match=said) as error:
        DeploymentProfile(profile(tmp_path, **assumptions))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "not a profile"),
        ("profile: 1", "document: is missing"),
        ("profile: 2\ndocument: x\nrevision: 2026-02\ndate: 2026-11-30\nassumptions: {}", "profile: is 1"),
        ("profile: 1\nassumptions: [", r"bad\.yaml:\d"),
        ("profile: 1\n[a]: 1", r"bad\.yaml:2: key that is a list or an object must be a string; quote it$"),
    ],
)
def test_a_file_that_is_no_profile_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.yaml").write_text(text, "utf-8")
    with pytest.raises(DocumentError, match=said):
        DeploymentProfile(str(tmp_path / "bad.yaml"))


def test_a_profile_of_another_revision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DocumentError, match=r":3: revision: is 2026-02, and 2026-05 is served; use --revision"
    ):
        create_app(Settings.model_construct(profile=profile(tmp_path), revision="2026-05"))


def test_a_refusal_has_the_learned_parts_and_says_why(tmp_path: Path) -> None:
    texts = {"status": 422, "system_message": "No {thread_id} here"}
    answer = client(tmp_path, A02=texts).post("/v1/spaces/space_abc123/threads/thrd_x", headers=OWNER)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["status"], error["system_message"]) == (422, 422, "No thrd_x here")
    assert answer.headers["X-Mock-Reason"].endswith(
        "by the profile: A02 status 422, system_message No {thread_id} here"
    )


def test_a_behaviour_that_decided_is_named(tmp_path: Path) -> None:
    mock = client(tmp_path, A04="newest first", A01={"status": 409})
    listed = mock.get("/v1/spaces/space_abc123/threads", headers=OWNER)
    assert listed.headers["X-Mock-Reason"] == "A04 newest first"
    first = listed.get_json()["data"][0]["id"]
    again = mock.post(f"/v1/spaces/space_abc123/threads/{first}", headers=OWNER)
    assert again.status_code == 409
    assert again.headers["X-Mock-Reason"].endswith("by the profile: A01 status 409")


def test_a_walk_in_another_order_finds_everything_once(tmp_path: Path) -> None:
    mock = client(tmp_path, A04="newest first")
    path, seen, cursor = "/v1/spaces/space_abc123/threads", [], ""
    while cursor is not None:
        page = mock.get(f"{path}?limit=2&cursor={cursor}", headers=OWNER).get_json()
        seen += [thread["id"] for thread in page["data"]]
        cursor = page["next_cursor"]
    assert seen == [each["id"] for each in mock.get(f"{path}?limit=100", headers=OWNER).get_json()["data"]]


def test_health_names_the_profile_and_what_is_not_followed(tmp_path: Path) -> None:
    mock = client(tmp_path, A02={"status": 422}, A15={"status": 400}, A33={"not probed": "no probe"})
    served = mock.get("/__admin/health").get_json()["spec"]["profile"]
    assert (served["alternatives"], served["not_followed"]) == (1, ["A15"])
    assert served["sha256"] == DeploymentProfile(served["name"]).sha256


def test_the_profile_in_the_docs_is_followed(tmp_path: Path) -> None:
    shown = (ROOT / "docs/calibration.md").read_text("utf-8").partition("```yaml staging.profile.yaml\n")[2]
    file = tmp_path / "staging.profile.yaml"
    file.write_text(shown.partition("```")[0], "utf-8")
    result = CliRunner().invoke(main, ["check", "--profile", str(file)])
    assert (result.exit_code, result.output) == (
        0,
        f"profile {file}: 3 alternatives\nok: scenario 'demo' fits the bundled spec\n",
    )
    wrong = file.read_text("utf-8").replace("{status: 409}", "conflict")
    file.write_text(wrong, "utf-8")
    said = CliRunner().invoke(main, ["check", "--profile", str(file)]).output
    assert said.replace(f"{tmp_path}/", "") in (ROOT / "docs/calibration.md").read_text("utf-8")


def test_the_habits_of_the_framework_come_with_the_mock() -> None:
    assert create_app(Settings.model_construct(quiet=True, profile="fastapi")).profile.followed


def test_without_a_profile_a_listing_takes_no_more_calls(tmp_path: Path) -> None:
    counts = []
    for settings in (
        Settings.model_construct(quiet=True),
        Settings.model_construct(quiet=True, profile=profile(tmp_path)),
    ):
        mock = create_app(settings).test_client()
        mock.get("/v1/spaces/space_abc123/threads", headers=OWNER)
        calls = 0

        def count(_: Any, event: str, __: Any) -> None:
            nonlocal calls
            calls += event == "call"

        sys.setprofile(count)
        try:
            mock.get("/v1/spaces/space_abc123/threads", headers=OWNER)
        finally:
            sys.setprofile(None)
        counts.append(calls)
    assert counts[0] == counts[1]


def test_the_table_of_switches_names_what_there_is() -> None:
    operations = {*re.findall(r"operationId: (\w+)", (ROOT / "openapi.yaml").read_text("utf-8"))}
    for id_, switch in switches().items():
        for row in (*switch.refusals, *switch.successes):
            assert row.keys() <= CONDITIONS, id_
            assert {*row.get("operations", ())} <= operations, id_
        assert {name for names in switch.behaviour.values() for name in names} <= operations, id_


def test_handlers_follow_a_profile_in_few_places() -> None:
    files = [*(ROOT / "mockserver/freddy").glob("*.py"), *(ROOT / "mockserver/sandbox").glob("*.py")]
    followed = re.findall(r'\.follows\("(A\d+)"\)', "".join(file.read_text("utf-8") for file in files))
    assert len(followed) <= 15
    assert {*followed} == {id_ for id_, switch in switches().items() if switch.behaviour}
