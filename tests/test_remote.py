"""The commands for a mock that runs: each is one call, its answer on stdout, its refusal one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from mockserver.commands.cli import main
from tests.running import FROZEN, mock

OWNER = {"X-API-Key": "ak_demo_owner"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with mock("--freeze", FROZEN) as url:
        requests.post(f"{url}/__admin/sandboxes", json={"id": "remote"}, timeout=60)
        yield url


def run(url: str, *words: str) -> Result:
    """A command in a sandbox of the mock."""
    return CliRunner().invoke(main, [*words, "--url", url, "--sandbox", "remote"])


def call(url: str, *words: str) -> Any:
    """What it prints; it has to end well."""
    result = run(url, *words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if result.stdout else None


def lines(url: str, *words: str) -> list[Any]:
    """What it prints, one JSON object on each line."""
    result = run(url, *words)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def ask(url: str, method: str, path: str) -> int:
    return requests.request(method, f"{url}/__sandbox/remote{path}", headers=OWNER, timeout=60).status_code


def test_the_clock_is_frozen_advanced_and_resumed(url: str) -> None:
    assert call(url, "clock") == {"now": FROZEN, "frozen": True}
    assert call(url, "clock", "advance", "PT1H")["now"] == "2026-02-26T11:30:00Z"
    assert call(url, "clock", "advance", "60")["now"] == "2026-02-26T11:31:00Z"
    assert call(url, "clock", "resume")["frozen"] is False
    assert call(url, "clock", "freeze", FROZEN)["now"] == FROZEN


def test_the_state_is_written_as_a_scenario_and_what_that_lacks_is_told(url: str, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    call(url, "reset")
    assert ask(url, "DELETE", "/v1/threads/thrd_pinned1") == 204
    result = run(url, "state", "--as-scenario", str(file))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "left out: deleted_threads: 1 record (" in result.stderr
    assert CliRunner().invoke(main, ["check", "--scenario", str(file)]).exit_code == 0


def test_a_reset_goes_where_it_is_told_to(url: str) -> None:
    assert call(url, "reset", "--to", "empty", "--keep", "clock", "--keep", "journal")["sandbox"] == "remote"
    assert ask(url, "GET", "/v1/spaces/space_abc123") == 404
    call(url, "reset")
    assert ask(url, "GET", "/v1/spaces/space_abc123") == 200


def test_snapshots_are_saved_restored_and_deleted(url: str) -> None:
    call(url, "snapshot", "save", "before")
    ask(url, "DELETE", "/v1/spaces/space_abc123")
    call(url, "snapshot", "restore", "before")
    assert ask(url, "GET", "/v1/spaces/space_abc123") == 200
    assert [found["name"] for found in call(url, "snapshot", "list")["snapshots"]] == ["before"]
    call(url, "snapshot", "delete", "before")
    assert call(url, "snapshot", "list")["snapshots"] == []


def test_the_state_goes_into_a_file_and_back(url: str, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    call(url, "state", "--save", str(file))
    ask(url, "DELETE", "/v1/spaces/space_abc123")
    call(url, "state", "--load", str(file))
    assert ask(url, "GET", "/v1/spaces/space_abc123") == 200
    assert call(url, "state")["format"] == json.loads(file.read_text("utf-8"))["format"]


def test_faults_are_added_by_profile_or_rule_and_cleared(url: str) -> None:
    call(url, "faults", "add", '{"operation": "getSpace", "error": {"status": 503}}')
    assert ask(url, "GET", "/v1/spaces/space_abc123") == 503
    (rule,) = call(url, "faults")["faults"]
    call(url, "faults", "remove", rule["id"])
    assert ask(url, "GET", "/v1/spaces/space_abc123") == 200
    call(url, "faults", "add", "offline")
    call(url, "faults", "clear")
    assert call(url, "faults", "list")["faults"] == []


def test_requests_are_listed_counted_found_and_forgotten(url: str) -> None:
    call(url, "requests", "clear")
    ask(url, "GET", "/v1/spaces/space_none")
    assert call(url, "requests", "count", "--operation", "getSpace", "--status", "404") == {"count": 1}
    assert [each["status"] for each in lines(url, "requests", "find", "--operation", "getSpace")] == [404]
    (listed,) = lines(url, "requests", "--limit", "1", "--path", "/v1/spaces/space_none")
    assert listed["status"] == 404
    assert call(url, "requests", "show", listed["id"])["decision"]["record"] == "space_none"
    ask(url, "GET", "/v1/spaces/space_abc123")
    assert [each["status"] for each in lines(url, "requests")] == [404, 200]
    assert lines(url, "requests", "--errors") == [listed]
    call(url, "requests", "clear")
    assert call(url, "requests", "count") == {"count": 0}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["clock", "freeze", "yesterday"], 1, "mockserver: "),
        (["reset", "--to", "nowhere"], 1, "mockserver: "),
        (["snapshot", "restore", "none"], 1, "mockserver: "),
        (["clock", "freeze"], 2, "needs a VALUE"),
        (["snapshot", "save"], 2, "needs a NAME"),
        (["faults", "add", "{"], 2, "not valid JSON"),
        (["requests", "show"], 2, "needs an ID"),
        (["requests", "show", "none"], 1, "mockserver: "),
        (["logs", "--since", "yesterday"], 2, "give a duration such as 30s"),
        (["logs", "--since", "2026-02-26T10:30:00"], 2, "give a duration such as 30s"),
        (["state", "--load", "no-such-file"], 2, "does not exist"),
    ],
)
def test_a_refusal_is_one_line_and_wrong_usage_is_2(url: str, words: list[str], code: int, said: str) -> None:
    result = run(url, *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert code == 2 or len(result.stderr.splitlines()) == 1


def test_no_mock_there_is_one_line() -> None:
    result = CliRunner().invoke(main, ["reset", "--url", "http://127.0.0.1:9"])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "start one with mockserver serve" in result.stderr


def test_a_token_opens_a_mock_that_asks_for_one() -> None:
    with mock("--admin-token", "let-me-steer-this") as url:
        assert run(url, "reset").exit_code == 1
        opened = CliRunner().invoke(main, ["reset", "--url", url, "--token", "let-me-steer-this"])
        assert opened.exit_code == 0, opened.output
