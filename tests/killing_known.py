"""What the clients of a sandbox were told, and what the sandbox holds."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any

View = dict[str, Any]
"""What a sandbox is known to hold: kind and id -> what is told of it."""
KEY = {"X-API-Key": "ak_demo_owner"}


class Ended(Exception):
    """The mock was killed before it answered."""


class Client:
    """Asks in one sandbox, over one connection."""

    def __init__(self, port: int, sandbox: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {**KEY, "X-Mock-Sandbox": sandbox, "Content-Type": "application/json"}

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[Any, str]:
        """Body of a success, and the id of the request; Ended without an answer."""
        data = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, data, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise Ended from error
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {content[:300]!r}")
        is_json = "json" in answer.headers.get("content-type", "")
        return (json.loads(content) if is_json and content else None), answer.headers["x-request-id"]

    def __del__(self) -> None:
        self._connection.close()

    def _rows(self, kind: str) -> Iterator[Any]:
        path = f"/__admin/records/{kind}?limit=1000"
        page: Any = {"next_cursor": ""}
        while page["next_cursor"] is not None:
            page = self("GET", path + (f"&cursor={page['next_cursor']}" if page["next_cursor"] else ""))[0]
            yield from page["records"]

    def view(self) -> View:
        """What the sandbox holds."""
        view: View = {}
        for kind, told in (("spaces", "name"), ("threads", "message_count"), ("links", None)):
            for row in self._rows(kind):
                view[f"{kind}:{row['id']}"] = True if told is None else row["record"][told]
        for fault in self("GET", "/__admin/faults")[0]["faults"]:
            view[f"faults:{fault['id']}"] = fault["matched"]
        view["clock"] = self("GET", "/__admin/clock")[0]["now"]
        return view


class Known:
    """What the clients of one sandbox were told, and what they were not answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.Lock()
        self.view: View = {}
        self.pending: list[Callable[[str, Any, Any], bool]] = []
        """Of each call without an answer: whether it explains a difference."""
        self.others: list[View] = []
        """What the sandbox may hold instead."""
        self.ids: set[str] = set()
        self.saved: tuple[Any, View] | None = None
        self.twice: list[str] = []

    def given(self, id_: str) -> None:
        """An id that must never be given again."""
        with self.lock:
            if id_ in self.ids:
                self.twice.append(id_)
            self.ids.add(id_)

    def differences(self, found: View) -> list[str]:
        """What is lost or invented; then what was found is what is known."""
        pending = list(self.pending)
        wrong = [f"{self.name}: {id_} was given twice" for id_ in self.twice]
        if not any(found == other for other in self.others):
            for key in sorted({*self.view, *found}):
                old, new = self.view.get(key), found.get(key)
                if old == new:
                    continue
                explained = next((each for each in pending if each(key, old, new)), None)
                if explained is None:
                    wrong.append(f"{self.name}: {key} was {old!r}, is {new!r}")
                else:
                    pending.remove(explained)
        self.view, self.pending, self.others, self.twice = found, [], [], []
        return wrong
