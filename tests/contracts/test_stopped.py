"""Ctrl-C and SIGTERM end every command with 130 and 143, and one line."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.running import ROOT

STOPPED = """
import os, signal, sys

awaited, word, number = sys.argv[1:4]
del sys.argv[1:4]

def stop(event, words):
    if event == awaited and word in map(str, words):
        os.kill(os.getpid(), int(number))

signal.signal(signal.SIGINT, signal.default_int_handler)  # the tests may run where it is ignored
sys.addaudithook(stop)
from contracts.__main__ import main
main()
"""
"""A command that gets a signal at an audit event: EVENT WORD NUMBER COMMAND..."""
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


def stopped(event: str, word: str, number: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Result of `contracts` with these words, stopped at this event."""
    command = [sys.executable, "-c", STOPPED, event, word, str(int(number)), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_command_that_is_stopped_among_its_imports_says_so(number: signal.Signals, code: int) -> None:
    result = stopped("import", "contracts.session", number, "list")
    assert (result.returncode, result.stdout, result.stderr) == (code, "", "contracts: stopped\n")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize("command", [("doctor",), ("calibrate", "-o", "never.yaml")])
def test_a_command_that_is_stopped_before_its_first_answer_says_so(
    command: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    words = (*command, "--target", "http://127.0.0.1:9")
    result = stopped("socket.connect", "('127.0.0.1', 9)", number, *words)
    assert (result.returncode, result.stderr) == (code, "contracts: stopped\n"), result.stderr
