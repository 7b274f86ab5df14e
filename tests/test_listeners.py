"""Where the mock listens."""

from __future__ import annotations

import socket

import pytest

from mockserver.server import listeners
from tests.running import ready
from tests.wire_client import OWNER, ask


def has_ipv6() -> bool:
    """Whether this machine has ::1."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6")


@needs_ipv6
def test_localhost_is_both_loopback_addresses_on_one_port() -> None:
    with ready("--host", "localhost", "--fault-port", "0", "--quiet") as line:
        for port in (line["port"], line["fault_port"]):
            for host in ("127.0.0.1", "[::1]"):
                assert ask(f"http://{host}:{port}", "GET /v1/threads", OWNER).status == 200
                body = b'{"organization_id": "org_abc123"}'
                length = f"Content-Length: {len(body)}"
                assert (
                    ask(f"http://{host}:{port}", "POST /v1/threads", OWNER, length, body=body).status == 201
                )


@needs_ipv6
def test_localhost_is_taken_if_one_of_its_addresses_is() -> None:
    other = socket.create_server(("::1", 0), family=socket.AF_INET6)
    with other, pytest.raises(listeners.PortTaken, match=r"\[::1\]"):
        listeners.bind("localhost", other.getsockname()[1])


def test_other_names_and_addresses_are_one_socket() -> None:
    bound = listeners.bind("127.0.0.1", 0)
    assert len(bound) == 1
    bound[0].close()


def test_clients_wait_until_they_are_accepted() -> None:
    if not hasattr(socket, "TCP_INFO"):
        pytest.skip("the system does not say")
    bound = listeners.bind("127.0.0.1", 0)
    with bound[0] as listener, socket.create_connection(listener.getsockname()):
        assert listeners.clients_wait(bound)
        listener.accept()[0].close()
        assert not listeners.clients_wait(bound)
