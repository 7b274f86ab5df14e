"""Independent small deployment with other assumptions than the mock's; standard library only.

It keeps the documented contract, and differs where nothing is documented: 409 on a repeated add, newest
first, 400 for a bad cursor or limit. Enough of the API for the documents' two operations and what they need.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.contracts.other_state import KEYS, Refused, Reply, State, envelope

Wrap = Callable[["Handler", Callable[[], Reply]], Reply | None]
"""Habit of a deployment: (request, its usual answer) -> the answer; None if it used the socket itself."""


def usual(handler: Handler, answer: Callable[[], Reply]) -> Reply | None:
    """Answer as usual."""
    return answer()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    state: State
    habit: Wrap
    text: bytes
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else each answer waits for an acknowledgement

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Suppress the log."""

    def answer(self) -> None:
        """Handle any method."""
        self.text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.state.counts[self.command] += 1
        reply = type(self).habit(self, self.usual_answer)
        if reply is None:
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def usual_answer(self) -> Reply:
        """Answer of the API."""
        try:
            with self.state.lock:
                return Reply.of(*self.decide(self.text))
        except Refused as refusal:
            return Reply.of(refusal.status, envelope(refusal, self.state.now()))

    do_GET = answer  # noqa: N815 - these are http.server's names
    do_POST = answer  # noqa: N815
    do_DELETE = answer  # noqa: N815
    do_PATCH = answer  # noqa: N815
    do_PUT = do_HEAD = do_OPTIONS = answer  # noqa: N815

    def decide(self, text: bytes) -> tuple[int, Any]:  # noqa: C901 - a table of routes
        """Status and body."""
        key = self.key()
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        match [self.command, *url.path.split("/")[2:]]:
            case ["POST", "spaces", ""]:
                return 201, self.new_space(json.loads(text), KEYS[key])
            case ["POST", "threads"]:
                return 201, self.new_thread(json.loads(text), KEYS[key])
            case ["GET", "threads"]:
                return 200, self.threads_of_user(KEYS[key], query)
            case ["GET", "spaces", ""]:
                known = (as_body(s) for s in self.state.spaces.values() if KEYS[key] in may_view(s))
                return 200, {"spaces": list(known), "next_cursor": None}
            case ["GET", "spaces", space_id]:
                return 200, as_body(self.space(space_id, key, "View"))
            case ["PATCH", "spaces", space_id]:
                return 200, self.changed(self.space(space_id, key, "Edit"), json.loads(text), KEYS[key])
            case ["GET" | "PATCH" as method, "threads", thread_id]:
                thread = self.thread(thread_id, key)
                thread.update(json.loads(text) if method == "PATCH" else {})
                return 200, thread
            case ["GET", "threads", thread_id, "messages"]:
                self.thread(thread_id, key)
                nothing = {"first_id": None, "last_id": None, "has_more": False}
                return 200, {"object": "list", "data": [], **nothing}
            case ["GET", "spaces", space_id, "threads"]:
                return 200, self.page(self.space(space_id, key, "View"), query)
            case ["POST", "spaces", space_id, "threads", thread_id]:
                return 201, self.add(self.space(space_id, key, "Edit"), thread_id)
            case ["DELETE", "spaces", space_id, "threads", thread_id]:
                return self.take_out(self.space(space_id, key, "Edit"), thread_id)
            case ["DELETE", "spaces", space_id]:
                self.space(space_id, key, "Edit")
                del self.state.spaces[space_id]
                return 204, None
            case ["DELETE", "threads", thread_id]:
                self.thread(thread_id, key)
                del self.state.threads[thread_id]
                return 204, None
        raise Refused(404, "no such route")

    def key(self) -> str:
        """The caller's key."""
        key: str | None = self.headers.get("X-API-Key")
        if key is None:
            raise Refused(401, "no key")
        if key not in KEYS:
            raise Refused(401, "unknown key", "INVALID_API_KEY")
        return key

    def new_space(self, body: dict[str, Any], user: str) -> dict[str, Any]:
        """A space."""
        id_ = "space_" + self.state.suffix()
        self.members[id_] = {}
        nothing = dict.fromkeys(("description", *GRANTS, "last_activity_at", "vector_store_id"))
        now = self.state.now()
        times = {"created_at": now, "updated_at": now, "additional_vector_store_ids": []}
        made = {"access_mode": "private", **nothing, **times, **body, "id": id_, "created_by": user}
        self.state.spaces[id_] = made
        return as_body(made)

    def changed(self, space: dict[str, Any], changes: dict[str, Any], user: str) -> dict[str, Any]:
        """Change fields of a space; only its creator may change access."""
        if not 1 <= len(changes.get("name", "a name")) <= 255:
            raise Refused(422, "bad name")
        if space["created_by"] != user and {"access_mode", *GRANTS} & changes.keys():
            raise Refused(403, "Owner access required", space_id=space["id"])
        space.update(changes)
        return as_body(space)

    def thread(self, thread_id: str, key: str) -> dict[str, Any]:
        """The caller's thread; 404 for everybody else."""
        thread = self.state.threads.get(thread_id)
        if thread is None or thread["user_id"] != KEYS[key]:
            raise Refused(404, "No such thread", thread_id=thread_id)
        return thread

    def threads_of_user(self, user: str, query: dict[str, str]) -> dict[str, Any]:
        """A page of the user's threads, which begins after the thread `after`."""
        mine = [thread for thread in self.state.threads.values() if thread["user_id"] == user]
        start = next((n + 1 for n, thread in enumerate(mine) if thread["id"] == query.get("after")), 0)
        limit = query.get("limit", "20")
        if not (limit.isdecimal() and 1 <= int(limit) <= 100):
            raise Refused(400, "bad limit")
        page = mine[start : start + int(limit)]
        last = page[-1]["id"] if page else None
        return {"object": "list", "data": page, "last_id": last, "has_more": start + len(page) < len(mine)}

    def new_thread(self, body: dict[str, Any], user: str) -> dict[str, Any]:
        """A thread with the sixteen fields."""
        id_ = "thrd_" + self.state.suffix()
        nothing = ("metadata", "assistant_id", "last_model_used", "pinned_at")
        times = ("created_at", "updated_at", "last_message_at")
        self.state.threads[id_] = {
            **dict.fromkeys(nothing),
            **dict.fromkeys(times, self.state.now()),
            "object": "thread",
            "status": "inactive",
            "message_count": 0,
            "visible_in_ui": True,
            "is_pinned": False,
            **body,
            "id": id_,
            "user_id": user,
        }
        return self.state.threads[id_]

    @property
    def members(self) -> dict[str, dict[str, str]]:
        """space -> thread -> time of addition."""
        return self.state.members

    def space(self, space_id: str, key: str, needed: str) -> dict[str, Any]:
        """Space, if the key has access."""
        space = self.state.spaces.get(space_id)
        if space is None:
            raise Refused(404, "Space not found", space_id=space_id)
        may = may_view(space) if needed == "View" else may_edit(space)
        if KEYS[key] not in may:
            raise Refused(403, f"{needed} access required", space_id=space_id)
        return space

    def add(self, space: dict[str, Any], thread_id: str) -> dict[str, Any]:
        """Not idempotent, unlike ours."""
        if thread_id not in self.state.threads:
            raise Refused(404, "No such thread", thread_id=thread_id)
        if thread_id in self.members[space["id"]]:
            raise Refused(409, "already there", "ALREADY_THERE")
        self.members[space["id"]][thread_id] = added = self.state.now()
        names = {"space_id": space["id"], "thread_id": thread_id, "added_at": added}
        return {"success": True, "message": "Thread added to space", **names}

    def take_out(self, space: dict[str, Any], thread_id: str) -> tuple[int, None]:
        """Remove a thread from a space."""
        if self.members[space["id"]].pop(thread_id, None) is None:
            raise Refused(404, "Thread is not here")
        return 204, None

    def page(self, space: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        """Newest first, and a cursor that is a number."""
        limit, start = query.get("limit", "50"), query.get("cursor", "0")
        if not (limit.isdecimal() and 1 <= int(limit) <= 100 and start.isdecimal()):
            raise Refused(400, "bad limit or cursor")
        ids = [t for t in reversed(self.members[space["id"]]) if t in self.state.threads]
        end = int(start) + int(limit)
        data = [self.state.threads[id_] for id_ in ids[int(start) : end]]
        more = end < len(ids)
        return {"object": "list", "data": data, "has_more": more, "next_cursor": str(end) if more else None}


GRANTS = ("access_users", "editable_by_users", "access_departments", "editable_by_roles", "visible_to_roles")


def as_body(space: dict[str, Any]) -> dict[str, Any]:
    """Response body of a space."""
    return dict(space)


def may_edit(space: dict[str, Any]) -> set[str]:
    """Users."""
    return {space["created_by"], *(space["editable_by_users"] or ())}


def may_view(space: dict[str, Any]) -> set[str]:
    """Users."""
    everybody = set(KEYS.values()) if space["access_mode"] != "private" else set()
    return may_edit(space) | everybody | set(space["access_users"] or ())


class Server(ThreadingHTTPServer):
    """Server that says nothing about clients that hang up."""

    daemon_threads = True  # a connection that is kept open must not keep the test waiting

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


@contextmanager
def running(
    habit: Wrap = usual, state: State | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, State]]:
    """URL and state of the running server."""
    state = state or State()
    kind = type("Own", (Handler,), {"state": state, "habit": staticmethod(habit)})
    server = Server(("127.0.0.1", 0), kind)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", state
    finally:
        state.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
