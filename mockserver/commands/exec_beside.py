"""`mockserver exec`: run a command with a mock that ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from typing import Any

import click

from mockserver.client.child import Child

OWNER_KEY = "ak_demo_owner"
NOT_FOUND, NOT_RUN = 127, 126
"""Exit codes for a missing command, and for one that can't be run, as in a shell."""
UNUSABLE = 2


def run(command: tuple[str, ...], settings: Mapping[str, Any]) -> int:
    """Start a mock on a free port, run the command, and end the mock.

    Returns the command's exit code, or 128 plus the signal number; 2 if the mock does not start.
    """
    environment = {
        **os.environ,
        **{f"MOCK_{name.upper().rstrip('_')}": _text(value) for name, value in settings.items()},
    }
    mock = Child(env=environment)
    try:
        return mock.process.wait() or UNUSABLE if mock.ready is None else _run_command(command, mock.ready)
    finally:
        mock.end()


def _run_command(command: tuple[str, ...], ready: Mapping[str, Any]) -> int:
    environment = {**os.environ, "FREDDY_API_URL": ready["url"], "MOCK_URL": ready["url"]}
    environment.setdefault("FREDDY_API_KEY", OWNER_KEY)
    if "admin_token" in ready:
        environment["MOCK_ADMIN_TOKEN"] = ready["admin_token"]
    for name in ("no_proxy", "NO_PROXY"):
        known = environment.get(name) or environment.get(name.swapcase()) or ""
        environment[name] = ",".join(filter(None, (known, *_LOOPBACK)))
    try:
        child = subprocess.Popen(command, env=environment)  # noqa: S603 - it is the user's own
    except OSError as error:
        click.echo(f"mockserver: {command[0]}: {error.strerror}", err=True)
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUN
    passed = {
        number: signal.signal(number, lambda number, _: child.send_signal(number))
        for number in _FORWARDED
        if signal.getsignal(number) is not signal.SIG_IGN  # of nohup, say, which the command ignores too
    }
    try:
        code = child.wait()
    finally:
        for number, handler in passed.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts that clients of the command must not ask a proxy for."""


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else "1" if value is True else str(value)
