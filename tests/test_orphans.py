"""Mocks that end with the process that started them, at any moment and however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT, eventually

SIGNALS = [signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGKILL]
PYTEST = ("pytest", "-q", "-p", "mockserver.client.pytest_plugin")
"""Command of a pytest that loads no other plugin: some take seconds."""
MARK = "MOCK_SCENARIOS"
"""Variable by which a mock of a test is found; its value is the test's own folder."""


def mocks(folder: Path) -> list[int]:
    """Processes that serve and were started by this test."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            command, variables = (each / "cmdline").read_bytes(), (each / "environ").read_bytes()
        except OSError:
            continue
        if b"\0serve\0" in command and f"{MARK}={folder}".encode() in variables.split(b"\0"):
            found.append(int(each.name))
    return found


def start(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("MOCK_", "FREDDY_", "PYTEST_"))}
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**clean, MARK: str(folder), "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("moment", ["at once", "while it starts", "while it serves"])
def test_exec_leaves_no_mock(tmp_path: Path, number: signal.Signals, moment: str) -> None:
    told = tmp_path / "told"
    program = f"import pathlib, time; pathlib.Path({str(told)!r}).touch(); time.sleep(600)"
    words = ["exec", "--quiet"] + (["--generate", "threads=20000"] if moment == "while it starts" else [])
    with start(tmp_path, "mockserver", *words, "--", sys.executable, "-c", program) as parent:
        if moment != "at once":
            assert eventually(lambda: bool(mocks(tmp_path)))
        if moment == "while it serves":
            assert eventually(told.exists)
        parent.send_signal(number)
        parent.wait(60)
        assert eventually(lambda: not mocks(tmp_path))
        if number == signal.SIGKILL and moment == "while it serves":
            os.killpg(parent.pid, signal.SIGKILL)  # the command itself goes on


TESTS = """
import multiprocessing, pathlib, time

def test_it(mock):
    forked = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
    forked.start()
    pathlib.Path("told").write_text(str(forked.pid))
    time.sleep(600)
"""


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "2"]], ids=["alone", "xdist"])
def test_pytest_leaves_no_mock(tmp_path: Path, number: signal.Signals, workers: list[str]) -> None:
    """A process that a test has forked does not keep it alive."""
    (tmp_path / "test_it.py").write_text(TESTS)
    told = tmp_path / "told"
    with start(tmp_path, *PYTEST, *workers, "test_it.py") as parent:
        try:
            assert eventually(lambda: told.exists() and told.read_text() != "")
            assert mocks(tmp_path)
            parent.send_signal(number)
            parent.wait(60)
            assert eventually(lambda: not mocks(tmp_path))
        finally:
            os.killpg(parent.pid, signal.SIGKILL)


INTERRUPTED = """
import pathlib, time

def test_it(mock):
    pathlib.Path("told").touch()
    time.sleep(600)
"""


@needs_proc
@pytest.mark.slow
def test_ctrl_c_is_for_pytest_alone(tmp_path: Path) -> None:
    """The terminal sends it to every process of its group; the mock still answers the end of the test."""
    (tmp_path / "test_it.py").write_text(INTERRUPTED)
    command = [sys.executable, "-m", *PYTEST, "test_it.py"]
    variables = {**os.environ, MARK: str(tmp_path), "PYTHONPATH": str(ROOT)}
    variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with subprocess.Popen(
        command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, start_new_session=True, text=True
    ) as parent:
        assert eventually((tmp_path / "told").exists)
        os.killpg(parent.pid, signal.SIGINT)
        said = parent.communicate(timeout=60)[0]
    assert parent.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in said
    assert "Unreachable" not in said
    assert eventually(lambda: not mocks(tmp_path))


def command_lines() -> bytes:
    """Command line of every process but this one."""
    lines = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((each / "cmdline").read_bytes())
        except OSError:
            continue
    return b"\n".join(lines)


@needs_proc
@pytest.mark.parametrize("flag", ["--admin-token ", "--admin-token="])
@pytest.mark.parametrize("words", [["serve", "--port", "0"], ["exec", "--quiet"]], ids=lambda words: words[0])
def test_no_token_is_listed_with_the_processes(tmp_path: Path, words: list[str], flag: str) -> None:
    """Not that of a mock, nor that of the one beside a command."""
    told, token = tmp_path / "told", f"secret:{tmp_path}"
    program = (
        f"import os, pathlib, time; pathlib.Path({str(told)!r}).write_text(os.environ['MOCK_ADMIN_TOKEN'])"
    )
    beside = ["--", sys.executable, "-c", program + "; time.sleep(600)"] if words[0] == "exec" else []
    if not beside:
        words = [*words, "--port-file", str(told)]
    with start(tmp_path, "mockserver", *words, *f"{flag}{token}".split(), *beside) as process:
        assert eventually(lambda: told.exists() and told.read_text() != "")
        assert token.encode() not in command_lines()
        if beside:
            assert told.read_text() == token
        process.terminate()
        process.wait(60)


@needs_proc
@pytest.mark.slow
def test_the_token_of_the_plugins_mock_is_not_listed_either(pytester: pytest.Pytester) -> None:
    """The ini file has it; the plugin knows it."""
    token = f"secret:{pytester.path}"
    pytester.makeini(f"[pytest]\nmock_flags = --admin-token {token}\n")
    pytester.makepyfile(f"""
        from pathlib import Path

        def test_it(mock_server, mock):
            lines = []
            for each in Path("/proc").glob("[0-9]*"):
                try:
                    lines.append((each / "cmdline").read_bytes())
                except OSError:
                    continue
            assert {token.encode()!r} not in b"".join(lines)
            assert mock_server.token == {token!r}
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
