"""Body of a request on the fault port, read from its socket within limits of size and time."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from mockserver.server.request_readers import MALFORMED, PIECE, SLOW

if TYPE_CHECKING:
    from socket import socket

    from _typeshed.wsgi import WSGIEnvironment

_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)
_CHUNK_SIZE = re.compile(rb"\A([0-9a-fA-F]{1,12})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LINE = 4096
"""Most bytes of a line between chunks."""
_TRAILERS = 100
"""Most lines behind the last chunk."""


def receive(
    environ: WSGIEnvironment, source: io.BufferedReader, limit: int, seconds: float
) -> tuple[io.BytesIO, str]:
    """The body, empty if its announced length is over `limit`, else up to one byte more; and why it was not
    received: malformed, slow or empty. ConnectionAbortedError if the client has left.
    """
    connection: socket = environ["werkzeug.socket"]
    try:
        if "HTTP_TRANSFER_ENCODING" in environ:
            environ.pop("CONTENT_LENGTH", None)
            if environ["HTTP_TRANSFER_ENCODING"].strip().lower() != "chunked":
                return io.BytesIO(), MALFORMED
            pieces = _chunks(source)
        else:
            length = environ.get("CONTENT_LENGTH") or "0"
            if not _LENGTH.fullmatch(length):
                return io.BytesIO(), MALFORMED
            if int(length) > limit:
                return io.BytesIO(), ""
            pieces = _exactly(source, int(length))
        if limit == 0:
            return io.BytesIO(), ""
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return _joined(pieces, connection, limit, seconds), ""
    except ValueError:
        return io.BytesIO(), MALFORMED
    except TimeoutError:
        return io.BytesIO(), SLOW


def _joined(pieces: Iterator[bytes], connection: socket, limit: int, seconds: float) -> io.BytesIO:
    end, body = perf_counter() + seconds, io.BytesIO()
    connection.settimeout(seconds)
    for piece in pieces:
        body.write(piece[: limit + 1 - body.tell()])
        if body.tell() > limit:
            break
        left = end - perf_counter()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
    body.seek(0)
    return body


def _exactly(source: io.BufferedReader, length: int) -> Iterator[bytes]:
    while length:
        piece = source.read1(min(length, PIECE))
        if not piece:
            raise ConnectionAbortedError("the client left before the end of its body")
        length -= len(piece)
        yield piece


def _chunks(source: io.BufferedReader) -> Iterator[bytes]:
    """Data of the chunks; ValueError if one is malformed."""
    while size := _chunk_size(source):
        yield from _exactly(source, size)
        if _line(source).strip(b"\r\n"):
            raise ValueError("data behind a chunk")
    for _ in range(_TRAILERS):
        if not _line(source).strip(b"\r\n"):
            return
    raise ValueError("too many trailers")


def _chunk_size(source: io.BufferedReader) -> int:
    found = _CHUNK_SIZE.fullmatch(_line(source))
    if found is None:
        raise ValueError("no chunk size")
    return int(found[1], 16)


def _line(source: io.BufferedReader) -> bytes:
    line = source.readline(_LINE)
    if not line:
        raise ConnectionAbortedError("the client left before the end of its body")
    if not line.endswith(b"\n"):
        raise ValueError("a line is too long, or cut off")
    return line
