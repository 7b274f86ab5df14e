"""Health check with as few imports as possible: container engines run it often."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping

HEALTHY, UNHEALTHY, UNUSABLE = 0, 1, 2
HOST, PORT = "127.0.0.1", "4010"
"""Defaults of the settings, repeated because the settings are slow to import."""
TIMEOUT = 2.0
"""Seconds for the connection, and for each part of the answer."""
_PATH = "/__admin/ready"
_EVERYWHERE = {"0.0.0.0": HOST, "::": "::1", "": HOST}  # noqa: S104 - nothing is bound here
"""Address that listens on all interfaces -> address to connect to."""


class Unknown(Exception):
    """The address of the mock is unknown; the text is one line that says what to set."""


def address(environment: Mapping[str, str]) -> tuple[str, int]:
    """Host and port of a mock started with these environment variables."""
    host = environment.get("MOCK_HOST", "")
    text = environment.get("MOCK_PORT") or environment.get("PORT") or PORT
    if text == "0":
        text = _port_from_file(environment.get("MOCK_PORT_FILE"))
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise Unknown(f"--port (or MOCK_PORT): a number from 1 to 65535 is needed; got {text[:80]!r}")
    return _EVERYWHERE.get(host, host), int(text)


def _port_from_file(port_file: str | None) -> str:
    if not port_file:
        raise Unknown("port 0 is a free port, known only from MOCK_PORT_FILE: set it, or give --port")
    from pathlib import Path  # rarely needed, and half of the whole start

    from mockserver.files import read_whole

    try:
        return read_whole(Path(port_file), 80).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unknown(f"MOCK_PORT_FILE: {port_file}: {getattr(error, 'strerror', None) or error}") from None


def failure(host: str, port: int) -> str:
    """Reason why the mock is not ready; empty if it is."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    request = f"GET {_PATH} HTTP/1.1\r\nHost: {where}\r\nConnection: close\r\n\r\n"
    answer = b""
    try:
        # As bytes: for a str, Python loads the tables of international domain names.
        name: str = os.fsencode(host)  # type: ignore[assignment] # typeshed forgets that bytes will do
        with socket.create_connection((name, port), TIMEOUT) as connection:
            connection.sendall(request.encode())
            while b"\r\n" not in answer and len(answer) < 1024 and (part := connection.recv(1024)):
                answer += part
    except OSError as error:
        return f"no answer from {where}: {error}"
    protocol, _, rest = answer.partition(b" ")
    if not protocol.startswith(b"HTTP/"):
        return f"no HTTP answer from {where}"
    status = rest[:3].decode("ascii", "replace")
    return "" if status == "200" else f"{where} answers {_PATH} with {status}"


def main(environment: Mapping[str, str]) -> int:
    """Exit code; the reason goes to stderr."""
    try:
        reason, code = failure(*address(environment)), UNHEALTHY
    except Unknown as error:
        reason, code = str(error), UNUSABLE
    if reason:
        print(f"mockserver: {reason}", file=sys.stderr)  # noqa: T201 - click takes longer than the question
    return code if reason else HEALTHY
