"""`mockserver health`: what a container engine asks, quickly and without anybody's libraries."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from mockserver.commands import health
from mockserver.settings import Settings
from tests.running import mock


def asked(*flags: str, **environment: str) -> tuple[int, str]:
    """Exit code and stderr of the command in a process of its own."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith("MOCK_") and name != "PORT"
    }
    command = [sys.executable, "-m", "mockserver", "health", *flags]
    child = subprocess.run(
        command, env={**clean, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert child.stdout == ""
    return child.returncode, child.stderr


@contextmanager
def answering(text: bytes) -> Iterator[int]:
    """The port of a server that answers one request with `text` and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(text)

        thread = Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_mock_that_answers_is_healthy_wherever_the_variables_or_flags_put_it() -> None:
    with mock() as url:
        port = str(urlsplit(url).port)
        assert asked(MOCK_PORT=port) == (0, "")
        assert asked(PORT=port) == (0, "")
        assert asked("--port", port, MOCK_PORT="1") == (0, "")
        assert asked(MOCK_PORT=port, MOCK_HOST="0.0.0.0") == (0, "")


def test_a_port_that_was_picked_is_read_from_the_port_file(tmp_path: Path) -> None:
    file = tmp_path / "port"
    with mock("--port-file", str(file)):
        assert asked(MOCK_PORT="0", MOCK_PORT_FILE=str(file)) == (0, "")


def test_where_nobody_listens_it_is_not_healthy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        code, said = asked(MOCK_PORT=str(port))
    assert (code, len(said.splitlines())) == (1, 1)
    assert said.startswith(f"mockserver: no answer from 127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "answers /__admin/ready with 503"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "answers /__admin/ready with 404"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP answer from"),
        (b"", "no HTTP answer from"),
    ],
)
def test_another_answer_than_200_is_not_healthy(answer: bytes, reason: str) -> None:
    with answering(answer) as port:
        assert reason in health.failure("127.0.0.1", port)


@pytest.mark.parametrize(
    ("port", "said"),
    [
        ("abc", "--port (or MOCK_PORT): a number from 1 to 65535 is needed; got 'abc'"),
        ("99999", "--port (or MOCK_PORT): a number from 1 to 65535 is needed; got '99999'"),
        ("-1", "--port (or MOCK_PORT): a number from 1 to 65535 is needed; got '-1'"),
        ("0", "port 0 is a free port, known only from MOCK_PORT_FILE: set it, or give --port"),
    ],
)
def test_a_port_that_cannot_be_asked_is_one_line(port: str, said: str) -> None:
    assert asked(MOCK_PORT=port) == asked("--port", port) == (2, f"mockserver: {said}\n")


def test_a_port_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    code, said = asked(MOCK_PORT="0", MOCK_PORT_FILE=f"{tmp_path}/none")
    assert (code, said) == (2, f"mockserver: MOCK_PORT_FILE: {tmp_path}/none: No such file or directory\n")


def test_it_asks_where_the_mock_listens_if_nothing_is_set() -> None:
    assert health.address({}) == (
        Settings.model_fields["host"].default,
        Settings.model_fields["port"].default,
    )


def test_it_needs_none_of_the_libraries_and_no_part_of_the_mock_but_itself() -> None:
    """What makes it slow is what it imports."""
    program = "import mockserver.commands.health, sys; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    ours = {name for name in modules.split() if name.split(".")[0] == "mockserver"}
    assert ours == {"mockserver", "mockserver.commands", "mockserver.commands.health"}
    assert not {"click", "flask", "re", "typing", "pathlib", "http"} & set(modules.split())
