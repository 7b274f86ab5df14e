"""Sandboxes filled by hand, and the mock without a socket: what bench/ knows of the mock's inside."""

from __future__ import annotations

import io
import json
import multiprocessing
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from bench.rows import at

if TYPE_CHECKING:
    from mockserver.app import MockServer
    from mockserver.sandbox.sandbox import Record, Sandbox

SPACE = "space_bench"
START = "2026-02-26T10:00:00Z"
USER, ORGANIZATION, KEY = "usr_abc123", "org_abc123", "ak_demo_owner"
WORDS = ["".join(random.Random(i).choices("abcdefghijklmnopqrstuvwxyz", k=4 + i % 6)) for i in range(5000)]
T = TypeVar("T")


def apart(work: Callable[..., T], *given: Any) -> T:
    """What `work` returns in a fresh process, so that no row stands on the heap of another."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def milliseconds(work: Callable[[], object], times: int = 1, share: float = 0.5) -> float:
    """The median of so many runs, or another share."""
    taken = []
    for _ in range(times):
        start = perf_counter()
        work()
        taken.append((perf_counter() - start) * 1000)
    return at(share, taken)


def application() -> MockServer:
    """The mock in this process, with people and nothing else."""
    from mockserver.app import create_app
    from mockserver.settings import Settings

    return create_app(Settings(scenario="empty", quiet=True))


def sandbox_of(app: MockServer) -> Sandbox:
    """The one that requests go to."""
    return app.sandboxes.get()


def filled(sandbox: Sandbox, threads: int, messages: int) -> Sandbox:
    """The sandbox with a space of nothing, and so many threads of so many messages each."""
    dice = random.Random(1)
    sandbox.spaces.put(SPACE, _space())
    for t in range(threads):
        thread_id = f"thrd_{t:06}"
        sandbox.threads.put(thread_id, _thread(thread_id, messages))
        for m in range(messages):
            message_id = f"msg_{t:06}{m:06}"
            text = " ".join(dice.choices(WORDS, k=12))
            sandbox.messages.put(message_id, _message(message_id, thread_id, text))
    return sandbox


def link(sandbox: Sandbox, thread_id: str) -> None:
    """Put the thread into the space; nothing of it is embedded."""
    record = {"space_id": SPACE, "thread_id": thread_id, "added_at": START}
    sandbox.space_threads.put((SPACE, thread_id), record)


def _space() -> Record:
    return {
        "id": SPACE,
        "organization_id": ORGANIZATION,
        "created_by": USER,
        "name": "Bench",
        "last_activity_at": None,
    }


def _thread(thread_id: str, messages: int) -> Record:
    return {
        "id": thread_id,
        "object": "thread",
        "created_at": START,
        "updated_at": START,
        "last_message_at": START,
        "metadata": {},
        "assistant_id": None,
        "organization_id": ORGANIZATION,
        "user_id": USER,
        "title": thread_id,
        "status": "inactive",
        "message_count": messages,
        "visible_in_ui": True,
        "last_model_used": None,
        "is_pinned": False,
        "pinned_at": None,
    }


def _message(message_id: str, thread_id: str, text: str) -> Record:
    return {
        "id": message_id,
        "created_at": START,
        "thread_id": thread_id,
        "role": "user",
        "content": text,
        "attachments": None,
        "metadata": None,
        "tool_calls": None,
        "iterations": None,
        "response_blocks": None,
    }


def answered(app: MockServer, method: str, path: str, query: str = "") -> Any:
    """The decoded answer of the whole corridor, without a socket; a success."""
    status: list[str] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_X_API_KEY": KEY,
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
    }
    body = b"".join(app.wsgi_app(environ, lambda line, *_: status.append(line)))  # type: ignore[arg-type]  # a bare start_response
    assert status[0].startswith("2"), (status, body)
    return json.loads(body) if body else None
