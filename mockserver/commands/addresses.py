"""Addresses at which a mock can be opened."""

from __future__ import annotations

import socket
from contextlib import suppress

EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def url_of(host: str, port: int) -> str:
    """URL of a host, which may be an IPv6 address."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def urls_to_open(host: str, port: int) -> list[str]:
    """URLs for a browser: of this machine, and in its network if the mock listens there."""
    if host not in EVERY_ADDRESS:
        return [url_of(host, port)]
    found = [url_of("127.0.0.1", port)]
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: the route tells the machine's own address
        address: str = probe.getsockname()[0]
        if not address.startswith(("127.", "0.")):
            found.append(url_of(address, port))
    return found
