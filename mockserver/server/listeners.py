"""Listening sockets, and whether clients wait at them."""

import errno
import socket
from collections.abc import Iterable

BACKLOG = 1024
_TRIES = 20
"""Free ports of 127.0.0.1 that are tried, if the same port of ::1 is in use."""
_TCP_INFO_BYTES = 28
_WAITING_OFFSET = 24
"""Of `tcpi_unacked` in Linux' `struct tcp_info`: connections that a listening socket has not accepted."""


class PortTaken(Exception):
    """The port is in use; the text is one line for the user."""


def bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on one port (0: a free one); PortTaken, or OSError for an unusable address.

    `localhost` is 127.0.0.1 and, where the machine has it, ::1: clients try either of them first.
    """
    if host != "localhost":
        return [_listening(host, port)]
    for attempt in range(_TRIES):
        first = _listening("127.0.0.1", port)
        try:
            return [first, _listening("::1", first.getsockname()[1])]
        except PortTaken:
            first.close()
            if port or attempt == _TRIES - 1:
                raise
        except OSError:
            break  # no IPv6
    return [first]


def clients_wait(listeners: Iterable[socket.socket]) -> bool:
    """Whether connections wait to be accepted; always False where the system does not say."""
    option = getattr(socket, "TCP_INFO", None)
    if option is None:
        return False
    return any(
        any(each.getsockopt(socket.IPPROTO_TCP, option, _TCP_INFO_BYTES)[_WAITING_OFFSET:])
        for each in listeners
    )


def _listening(host: str, port: int) -> socket.socket:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by accepted connections; without it a small chunk waits for the client's ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except (OSError, OverflowError, ValueError) as error:
        sock.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise PortTaken(f"{where} is in use: use another port, or --port 0") from None
        raise OSError(f"cannot listen on {where}: {error}") from None
    return sock
