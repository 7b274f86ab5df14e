"""`mockserver logs`: what happened, a line each; JSON in a pipe, readable on a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from mockserver.commands import lines
from mockserver.commands.cli import main
from tests.running import FROZEN, ROOT, mock

OWNER = {"X-API-Key": "ak_demo_owner"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A mock that was asked for a space in two sandboxes, and changed."""
    with mock("--freeze", FROZEN) as url:
        for sandbox in ("a", "b"):
            requests.get(f"{url}/__sandbox/{sandbox}/v1/spaces/space_abc123", headers=OWNER, timeout=60)
        requests.get(f"{url}/__sandbox/a/v1/threads?limit=x", headers=OWNER, timeout=60)
        requests.put(f"{url}/__sandbox/a/__admin/clock", json={"advance": 60}, timeout=60)
        yield url


def logged(url: str, *words: str) -> list[Any]:
    result = CliRunner().invoke(main, ["logs", "--url", url, *words])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_everything_is_shown_in_order(url: str) -> None:
    seen = [(each["event"], each["sandbox"]) for each in logged(url)]
    assert seen == [
        ("sandbox", "a"),
        ("exchange", "a"),
        ("sandbox", "b"),
        ("exchange", "b"),
        ("exchange", "a"),
        ("clock", "a"),
    ]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--sandbox", "b"], 2),
        (["--errors"], 1),
        (["--operation", "getSpace"], 2),
        (["--path", "/v1/threads"], 1),
        (["--caller", "usr_nobody"], 0),
        (["--operation", "getSpace", "--errors"], 0),
        (["--since", "1h"], 6),
        (["--since", "2999-01-01T00:00:00Z"], 0),
    ],
)
def test_options_choose(url: str, words: list[str], count: int) -> None:
    assert len(logged(url, *words)) == count


def test_an_unknown_sandbox_is_one_line(url: str) -> None:
    result = CliRunner().invoke(main, ["logs", "--url", url, "--sandbox", "typo"])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)


def test_following_shows_what_comes_and_ends_with_the_mock() -> None:
    with mock("--freeze", FROZEN) as url:
        command = [sys.executable, "-m", "mockserver", "logs", "-f", "--url", url]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        requests.post(f"{url}/__admin/reset", timeout=60)
        assert json.loads(process.stdout.readline())["event"] == "reset"
        requests.get(f"{url}/v1/spaces/space_abc123", headers=OWNER, timeout=60)
        assert json.loads(process.stdout.readline())["status"] == 200
    _, said = process.communicate(timeout=60)
    assert (process.returncode, len(said.splitlines())) == (1, 1)


def test_on_a_terminal_a_line_is_readable(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    events = logged(url)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for event in events:
        lines.show(event)
    shown = capsys.readouterr().out
    assert "GET    /v1/threads?limit=x  listThreads a usr_abc123" in shown
    assert "(validation: query limit" in shown
    assert "clock a: setClock" in shown
