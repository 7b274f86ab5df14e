"""A small WSGI app on mockserver.server.granian_server, run as a child process by test_serve.py."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from mockserver.server import granian_server, listeners

stopping = threading.Event()
closed = threading.Event()
calls: list[str] = []


def ticks() -> Iterator[bytes]:
    """Chunks until the server stops; says when it was closed."""
    try:
        while not stopping.wait(0.05):
            yield b"tick\n"
        yield b"end\n"
    finally:
        closed.set()


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
    """Answers by path; an unknown one at once."""
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    calls.append(path)
    status = query if path == "/status" else "200 OK"
    body: Any = [b"ok"]
    if path == "/stream":
        body = ticks()
    elif path == "/closed":
        body = [b"%d" % closed.wait(2)]
    elif path == "/wait":
        stopping.wait(float(query))
    elif path == "/deaf":
        time.sleep(float(query))
    elif path == "/count":
        body = [b"%d" % len(calls)]
    elif path == "/leak":
        body = [str(environ.get("HTTP_X_LEAK")).encode()]
    elif path == "/echo":
        source = environ["wsgi.input"]
        body = [source.read(1) + source.readline() + source.read()]
    start(status, [("Content-Type", "text/plain")])
    return body


def main() -> int:
    """Print the port before serving, `ready` on the first answer and `saved` after the stop."""
    try:
        bound = listeners.bind("127.0.0.1", int(sys.argv[1]))
    except listeners.PortTaken as taken:
        print(taken, file=sys.stderr)
        return 2
    print(bound[0].getsockname()[1], flush=True)
    granian_server.serve(app, bound, stopping=stopping, on_ready=lambda: print("ready", flush=True))
    print("saved")
    return 0


if __name__ == "__main__":
    granian_server.leave(main())
