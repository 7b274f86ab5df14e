"""`mockserver exec`: a mock for as long as another command runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import click

OWNER_KEY = "ak_demo_owner"
NOT_FOUND, NOT_RUN = 127, 126
"""Exit codes for a command that is not there, or that can't be run; as a shell has them."""
UNUSABLE = 2
PATIENCE = 5.0
"""Seconds that the mock gets to end before it is killed."""


def run(command: tuple[str, ...], settings: Mapping[str, Any]) -> int:
    """Start a mock on a free port, run the command beside it, and end the mock.

    Returns the command's exit code, 128 and a signal's number where that ended it; 2 if there is no mock.
    """
    environment = {
        **os.environ,
        **{f"MOCK_{name.upper().rstrip('_')}": _text(value) for name, value in settings.items()},
    }
    mock = subprocess.Popen(
        [sys.executable, "-m", "mockserver", "serve", "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the command; the mock ends after it
    )
    try:
        assert mock.stdout is not None
        line = mock.stdout.readline()
        if not line:
            return mock.wait() or UNUSABLE
        return _attached(command, json.loads(line))
    finally:
        mock.terminate()
        try:
            mock.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            mock.kill()
            mock.wait()
        assert mock.stdout is not None
        mock.stdout.close()


def _attached(command: tuple[str, ...], ready: Mapping[str, Any]) -> int:
    environment = {**os.environ, "FREDDY_API_URL": ready["url"], "MOCK_URL": ready["url"]}
    environment.setdefault("FREDDY_API_KEY", OWNER_KEY)
    if "admin_token" in ready:
        environment["MOCK_ADMIN_TOKEN"] = ready["admin_token"]
    try:
        child = subprocess.Popen(command, env=environment)  # noqa: S603 - it is the user's own
    except OSError as error:
        click.echo(f"mockserver: {command[0]}: {error.strerror}", err=True)
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUN
    passed = {
        number: signal.signal(number, lambda number, _: child.send_signal(number)) for number in _PASSED
    }
    try:
        code = child.wait()
    finally:
        for number, handler in passed.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


_PASSED = (signal.SIGTERM, signal.SIGINT)


def _text(value: Any) -> str:
    return "1" if value is True else str(value)
