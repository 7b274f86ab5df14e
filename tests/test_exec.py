"""`mockserver exec`: a mock for as long as a command runs, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ASK = """
import json, os, urllib.request as u
url = os.environ["FREDDY_API_URL"]
request = u.Request(url + "/v1/spaces/space_abc123", headers={"X-API-Key": os.environ["FREDDY_API_KEY"]})
print(json.dumps({"status": u.urlopen(request).status, "url": url, "pid": os.getppid()}))
raise SystemExit(7)
"""


def exec_(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `mockserver exec` says and how it ends."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("MOCK_", "FREDDY_")) and n != "PORT"}
    command = [sys.executable, "-m", "mockserver", "exec", *words]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, timeout=60)


def test_the_command_finds_the_mock_and_a_key_and_its_exit_code_is_passed_on() -> None:
    run = exec_("--quiet", "--", sys.executable, "-c", ASK)
    assert run.returncode == 7
    assert json.loads(run.stdout)["status"] == 200


def test_flags_reach_the_mock() -> None:
    program = (
        "import os, urllib.request as u; print(u.urlopen(os.environ['MOCK_URL'] + '/__admin/clock').read())"
    )
    run = exec_("--quiet", "--freeze", "2026-02-26T10:30:00Z", "--", sys.executable, "-c", program)
    assert "2026-02-26T10:30:00Z" in run.stdout


def test_a_key_of_the_users_own_is_kept() -> None:
    run = exec_("--quiet", "--", sys.executable, "-c", ASK, FREDDY_API_KEY="ak_my_own")
    assert json.loads(run.stdout)["status"] == 200


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--", "no-such-command"], 127, "no-such-command: No such file"),
        (["--", "/"], 126, "Permission denied"),
        (["--freeze", "yesterday", "--", "true"], 2, "is not an instant"),
        (["--scenario", "nowhere", "--", "true"], 2, "no scenario 'nowhere'"),
        ([], 2, "Missing argument"),
    ],
)
def test_what_can_not_be_run_is_said(words: list[str], code: int, said: str) -> None:
    run = exec_("--quiet", *words)
    assert run.returncode == code
    assert said in run.stderr


def test_the_mock_ends_with_the_command_however_that_ends(tmp_path: Path) -> None:
    told = tmp_path / "url"
    program = f"import os, time; open({str(told)!r}, 'w').write(os.environ['MOCK_URL']); time.sleep(60)"
    command = [sys.executable, "-m", "mockserver", "exec", "--quiet", "--", sys.executable, "-c", program]
    with subprocess.Popen(command) as child:
        while not told.exists() or not told.read_text():
            time.sleep(0.05)
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 128 + signal.SIGTERM
    health = [sys.executable, "-m", "mockserver", "clock", "--url", told.read_text()]
    gone = subprocess.run(health, capture_output=True, text=True, timeout=30)
    assert gone.returncode == 1
    assert "no mock answers" in gone.stderr
