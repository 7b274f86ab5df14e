"""One role's way to the API, and what it makes there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from contracts.checks.errors import Broken, Untested
from contracts.http.exchange import Answer, Request
from contracts.http.sender import Sender

PAGES = 2000
"""More than any list here has: behind them a walk does not end."""


class Caller:
    """One role's way to the API."""

    def __init__(self, run: Sender, role: str | None) -> None:
        self._run = run
        self.role = role
        """None: without a credential."""

    @property
    def user_id(self) -> str:
        """The user behind the key."""
        assert self.role is not None, "nobody is no user"
        return self._run.user_id(self.role)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        """Send a request; query parameters that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        whole = path + ("?" + urlencode(given) if given else "")
        return self._run.send(Request(method, whole, self.role, body, headers or {}))

    def get(self, path: str, **query: Any) -> Answer:
        """GET."""
        return self.ask("GET", path, **query)

    def pages(self, path: str, **query: Any) -> Iterator[Answer]:
        """Each page of a list that goes by cursors; Broken if one is no page, or there is no last one."""
        cursor = query.pop("cursor", None)
        for _ in range(PAGES):
            answer = self.get(path, **query, cursor=cursor)
            if answer.status != 200 or not isinstance(answer.body, dict):
                raise Broken(f"the list {path} can't be read", expected=200, got=answer.status)
            yield answer
            cursor = answer.body["next_cursor"]
            if cursor is None:
                return
        raise Broken(f"the walk of {path} does not end: {PAGES:,} pages were read")

    def new_space(self, **fields: Any) -> dict[str, Any]:
        """A space of this caller; Untested if it can't be made."""
        body = {"organization_id": self._run.organization_id, "name": self._run.name(), **fields}
        return _made(self.ask("POST", "/v1/spaces/", body), "a space")

    def new_thread(self, **fields: Any) -> dict[str, Any]:
        """A thread of this caller; Untested if it can't be made."""
        title = self._run.name("thread")
        body = {"organization_id": self._run.organization_id, "title": title, **fields}
        return _made(self.ask("POST", "/v1/threads", body), "a thread")

    def new_vector_store(self, **fields: Any) -> dict[str, Any]:
        """A vector store of this caller; Untested if it can't be made."""
        path = f"/v1/organizations/{quote(self._run.organization_id)}/vector-stores"
        answer = self.ask("POST", path, {"name": self._run.name("store"), **fields})
        made: dict[str, Any] = _made(answer, "a vector store")["data"]
        return made

    def add(self, space_id: str, thread_id: str) -> Answer:
        """Add a thread to a space."""
        return self.ask("POST", f"/v1/spaces/{space_id}/threads/{thread_id}")

    def take_out(self, space_id: str, thread_id: str) -> Answer:
        """Remove a thread from a space."""
        return self.ask("DELETE", f"/v1/spaces/{space_id}/threads/{thread_id}")

    def threads_of(self, space_id: str, limit: int = 100) -> list[str]:
        """The ids of all the threads of a space, page by page."""
        pages = self.pages(f"/v1/spaces/{space_id}/threads", limit=limit)
        return [thread["id"] for page in pages for thread in page.body["data"]]

    def spaces(self, limit: int = 100) -> list[dict[str, Any]]:
        """All spaces of the organization that the caller sees, page by page."""
        pages = self.pages("/v1/spaces/", organization_id=self._run.organization_id, limit=limit)
        return [space for page in pages for space in page.body["spaces"]]


def _made(answer: Answer, what: str) -> dict[str, Any]:
    if answer.status != 201 or not isinstance(answer.body, dict):
        raise Untested(f"{what} can't be made: {answer.status} {answer.text[:120]}")
    return answer.body
