"""Deployment of its own: all operations of openapi.yaml on the vendor's framework, with habits of its own.

It is written from the vendor's two documents, published pages and client libraries, and knows nothing of
the mock. Where no source says what to do, it does something else: a repeated add is a 409, lists are newest
first, cursors are numbers, another user's thread is a 404, times have microseconds, codes and texts are its
own. It embeds in real time, in a thread.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from tests.contracts.whole_server import (
    directory,
    files,
    messages,
    responses,
    spaces,
    store_files,
    stores,
    threads,
)
from tests.contracts.whole_server.embedding import Embedder
from tests.contracts.whole_server.errors import Refused, add_handlers, envelope
from tests.contracts.whole_server.state import ORGANIZATION, USERS, State

KEYS = {f"CONTRACTS_{key.removeprefix('key-').upper()}_KEY": key for key in USERS} | {
    "CONTRACTS_ORGANIZATION_ID": ORGANIZATION
}
"""Variables for a run of the suite."""


class Authentication:
    """ASGI middleware: who calls, before anything else of a request is looked at; and a request id."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on with its caller, or answer 401."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_id(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", str(uuid.uuid4()).encode())]
            await send(message)

        sent = dict(scope["headers"])
        key = sent.get(b"x-api-key", b"").decode("latin-1")
        if b"x-api-key" not in sent and sent.get(b"authorization", b"").startswith(b"Bearer "):
            key = sent[b"authorization"].decode("latin-1").removeprefix("Bearer ").strip()
        scope["caller"] = USERS.get(key)
        if scope["caller"] is None and not scope["path"].endswith("/download"):
            text = "No credential" if not key else "Unknown credential"
            invalid = ("INVALID_API_KEY", "Your API key is invalid") if key else ()
            await JSONResponse(envelope(Refused(401, text, *invalid)), 401)(scope, receive, with_id)
            return
        await self.app(scope, receive, with_id)


def application(state: State) -> FastAPI:
    """The application, without its server."""
    app = FastAPI(openapi_url=None, strict_content_type=False)
    app.state.all, app.state.embedder = state, Embedder(state)
    add_handlers(app)
    for part in (directory, spaces, threads, messages, responses, stores, store_files, files):
        app.include_router(part.router)
    app.add_middleware(Authentication)
    return app


@contextmanager
def running() -> Iterator[tuple[str, State]]:
    """URL and state of the running server."""
    state = State()
    app = application(state)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run, daemon=True)
    app.state.embedder.start()
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", state
    finally:
        server.should_exit = True
        app.state.embedder.queue.put(None)
        thread.join()
        app.state.embedder.join()
