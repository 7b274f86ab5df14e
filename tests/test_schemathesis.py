"""Schemathesis, as it comes, finds no fault in the mock over a real socket, and would find one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from mockserver.freddy import HANDLERS
from tests.running import FROZEN, ROOT, mock
from tests.schemathesis.exemptions import EXEMPTIONS, POLICY, STORES, Exemption, errors, no_pattern

pytestmark = pytest.mark.slow

SEED = 20260226
CONFIG = "schemathesis.toml"
"""In the folder of openapi.yaml, where Schemathesis finds it without being told."""
NEW = {"organization_id": "org_abc123", "name": "New"}
ST = Path(sys.executable).with_name("st")


def st(spec: Path, config: str, url: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """One run of Schemathesis on a running mock."""
    command: list[str | Path] = [
        ST,
        "--config-file",
        config,
        "run",
        spec,
        "--url",
        url,
    ]
    return subprocess.run(
        [*command, "--seed", str(SEED), "--max-examples", "4", *flags],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_hooks_are_not_imported_by_tests_for_they_apply_to_every_run_in_the_process() -> None:
    assert "tests.schemathesis.hooks" not in sys.modules


def test_it_finds_no_fault_in_the_vendors_operations() -> None:
    with mock("--freeze", FROZEN) as url:
        run = st(ROOT / "openapi.yaml", CONFIG, url)
    assert run.returncode == 0, run.stdout + run.stderr
    count = len(HANDLERS)
    assert f"{count} selected / {count} total" in run.stdout
    assert f"Tested: {count}" in run.stdout


def test_it_finds_no_fault_in_the_control_operations() -> None:
    """On a mock of its own: it moves the clock to all ends of time."""
    with mock() as url:
        run = st(ROOT / "mockserver" / "admin" / "admin.yaml", "tests/schemathesis/admin.toml", url)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Coverage" in run.stdout


@pytest.mark.parametrize(
    ("operation", "said", "instead", "code"),
    [
        ("listSpaceThreads", "maximum: 100, default: 50", "maximum: 99, default: 50", "ST201"),
        ("addThreadToSpace", "required: [success, message, space_id", "required: [more, space_id", "ST108"),
        ("createThread", "'201':\n", "'200':\n", "ST103"),
        (
            "createResponse",
            "const: response.processing",
            "const: response.started",
            "every_event_is_described",
        ),
    ],
)
def test_it_finds_where_the_mock_and_a_spec_differ(
    tmp_path: Path, operation: str, said: str, instead: str, code: str
) -> None:
    """The spec is broken on purpose, not the mock; the one is as good as the other."""
    whole = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
    assert said in whole
    broken = tmp_path / "openapi.yaml"
    broken.write_text(whole.replace(said, instead), encoding="utf-8")
    with mock("--freeze", FROZEN) as url:
        run = st(broken, CONFIG, url, "--phases", "coverage", "--include-operation-id", operation)
    assert run.returncode == 1
    assert code in run.stdout


def test_each_exemption_is_shown_by_its_case() -> None:
    """The value is a 422 at that parameter alone, though the spec allows it."""
    with mock("--freeze", FROZEN) as url, requests.Session() as session:
        session.headers["X-API-Key"] = "ak_demo_owner"
        assert [_complaints(session, url, each) for each in EXEMPTIONS] == [
            {(each.place, each.parameter)} for each in EXEMPTIONS
        ]


def test_too_many_pieces_are_refused_by_their_number_or_by_their_size() -> None:
    with mock() as url:
        answers = [
            requests.post(f"{url}/__admin/replies", json={"text": "x", "deltas": [piece] * 10_001})
            for piece in ("x", "x" * 200)
        ]
    assert [answer.status_code for answer in answers] == [422, 413]


def test_a_state_that_the_spec_allows_is_refused_if_its_records_do_not_fit() -> None:
    """Only what the mock gave out itself is never exempt; one of another document is taken where it fits."""
    with mock() as url:
        state = requests.get(f"{url}/__admin/state").json()
        changes: list[Any] = [{}, {"spec": state["spec"] | {"version": "0"}}, {"users": []}]
        answers = [requests.put(f"{url}/__admin/state", json=state | change) for change in changes]
    assert [answer.status_code for answer in answers] == [200, 200, 422]


def test_a_pattern_that_is_none_is_refused_for_that_alone() -> None:
    with mock() as url:
        answer = requests.post(f"{url}/__admin/requests/count", json={"urlPattern": "(", "status": 200})
    assert (answer.status_code, list(map(no_pattern, errors(answer.json())))) == (422, [True])


def _complaints(session: requests.Session, url: str, exemption: Exemption) -> set[tuple[str, str]]:
    method, case = exemption.operation.split()[0], exemption.case
    for value in filter(None, (case.first, case.value)):
        given = {exemption.parameter: value}
        sent: dict[str, dict[str, Any]] = {
            "query": {"params": given},
            "body": {"json": _whole(case.path) | given},
            "path": {},
        }
        response = session.request(method, url + case.path, **sent[exemption.place])
    return {(each["in"], each["name"].partition(".")[0]) for each in errors(response.json())}


def _whole(path: str) -> dict[str, Any]:
    """What else must be in the body."""
    needed: dict[str, dict[str, Any]] = {
        "/v1/spaces/": NEW,
        STORES: {"name": "New"},
        "/__admin/seed": {"threads": 1000},
        POLICY: {"mode": "manual"},
        "/v1/model/response": {"inputs": [{"role": "user", "content": "Hello"}]},
    }
    return needed.get(path, {})
