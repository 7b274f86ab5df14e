"""The state of a mock that ends: exported whatever signal ends it, and imported by its successor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from codecs import BOM_UTF8
from pathlib import Path

import pytest
import requests

from mockserver.client.child import Child
from tests.running import ROOT

OWNER = {"X-API-Key": "ak_demo_owner"}
NEW = {"organization_id": "org_abc123", "name": "Kept"}


def start(*flags: str) -> Child:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("MOCK_", "FREDDY_")) and n != "PORT"}
    return Child("--quiet", *flags, cwd=ROOT, env=clean)


def created(child: Child) -> str:
    """Id of a new space."""
    assert child.ready is not None
    answer = requests.post(f"{child.ready['url']}/v1/spaces/", headers=OWNER, json=NEW, timeout=60)
    assert answer.status_code == 201
    return str(answer.json()["id"])


def known(file: Path) -> set[str]:
    """Ids of the spaces of a state document."""
    return {row["record"]["id"] for row in json.loads(file.read_bytes())["collections"]["spaces"]["records"]}


@pytest.mark.parametrize(
    "numbers",
    [
        [signal.SIGTERM],
        [signal.SIGHUP],
        [signal.SIGQUIT],
        [signal.SIGINT],
        [signal.SIGTERM] * 2,
        [signal.SIGTERM] * 50,
        [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT] * 5,
    ],
    ids=lambda numbers: f"{len(numbers)} from {numbers[0].name}",
)
def test_the_state_is_exported_whatever_signals_end_it(tmp_path: Path, numbers: list[signal.Signals]) -> None:
    file = tmp_path / "state.json"
    child = start("--export-on-exit", str(file))
    space = created(child)
    for number in numbers:
        child.process.send_signal(number)
    assert child.process.wait(60) == 0
    child.end()
    assert space in known(file)
    assert list(tmp_path.iterdir()) == [file]


def test_the_state_is_exported_when_the_parent_ends(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    child = start("--export-on-exit", str(file))
    space = created(child)
    assert child.process.stdin is not None
    child.process.stdin.close()
    assert child.process.wait(60) == 0
    child.end()
    assert space in known(file)


@pytest.mark.parametrize("before", ["missing", "empty", "a dangling link", "marked"])
def test_import_and_export_of_one_file_work_the_first_time(tmp_path: Path, before: str) -> None:
    """Each start has what the one before left; `marked`: an editor put a byte order mark before it."""
    file = tmp_path / "state.json"
    if before == "empty":
        file.touch(mode=0o600)
    elif before == "a dangling link":
        file.symlink_to("real.json")
    spaces = set()
    for _ in range(3):
        child = start("--import", str(file), "--export-on-exit", str(file))
        spaces.add(created(child))
        child.end()
        assert spaces <= known(file)  # written without a mark
        if before == "empty":
            assert file.stat().st_mode & 0o777 == 0o600
        elif before == "a dangling link":
            assert file.is_symlink()
        elif before == "marked":
            file.write_bytes(BOM_UTF8 + file.read_bytes())


def refused(*flags: str) -> str:
    """The one line with which a start is refused."""
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", *flags]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    return run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("flag", ["--import", "--export-on-exit", "--spec"])
def test_a_device_or_a_pipe_is_refused_at_the_start(tmp_path: Path, flag: str) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for file in (fifo, Path("/dev/zero"), Path("/dev/null")):
        assert "is a device or a pipe" in refused(flag, str(file))
    assert Path("/dev/null").is_char_device()


def test_another_file_to_import_must_exist(tmp_path: Path) -> None:
    said = refused("--import", str(tmp_path / "a.json"), "--export-on-exit", str(tmp_path / "b.json"))
    assert "No such file" in said


def test_a_signal_that_nohup_holds_back_does_not_end_it(tmp_path: Path) -> None:
    port = tmp_path / "port"
    command = [
        sys.executable,
        "-m",
        "mockserver",
        "serve",
        "--port",
        "0",
        "--port-file",
        str(port),
        "--quiet",
    ]
    with subprocess.Popen(
        ["nohup", *command], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as mock:
        assert mock.stdout is not None
        assert mock.stdout.readline()
        mock.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert requests.get(f"http://127.0.0.1:{port.read_text()}/", timeout=60).status_code == 200
        mock.terminate()
        assert mock.wait(60) == 0
