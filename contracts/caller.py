"""One role's way to the API, and what it makes there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from contracts.check import Broken, Untested
from contracts.exchange import Answer, Request
from contracts.ledger import Made

if TYPE_CHECKING:
    from contracts.team import Team


class Guarded(AssertionError):
    """A bug of the suite: it was about to write to something that it did not make."""


class Caller:
    """One role's way to the API."""

    def __init__(self, team: Team, role: str | None) -> None:
        self._team = team
        self.role = role
        """None: without a credential."""

    @property
    def user_id(self) -> str:
        """The user behind the key."""
        assert self.role is not None, "nobody is no user"
        return self._team.user_id(self.role)

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
        return self._team.send(Request(method, whole, self.role, body, headers or {}))

    def get(self, path: str, **query: Any) -> Answer:
        """GET."""
        return self.ask("GET", path, **query)

    def make(self, kind: str, path: str, body: dict[str, Any]) -> Answer:
        """POST something new, with its entries in the ledger."""
        ledger, role = self._team.ledger, self.role or "owner"  # what nobody should have made
        intent = ledger.intend(kind, role, str(body.get("name", body.get("title", ""))))
        try:
            answer = self.ask("POST", path, body)
        except (Untested, Guarded):
            ledger.unmade(intent)  # it was not sent
            raise
        made = answer.body if isinstance(answer.body, dict) else {}
        made = made.get("data", made) if kind == "vector_store" else made
        if answer.status < 300 and isinstance(made, dict) and isinstance(made.get("id"), str):
            ledger.made(intent, Made(kind, made["id"], role, self._team.organization_id))
            if isinstance(made.get("vector_store_id"), str):
                ledger.invent(made["vector_store_id"])
        else:
            ledger.unmade(intent)
        return answer

    def new_space(self, **fields: Any) -> dict[str, Any]:
        """A space of this caller; Untested if it can't be made."""
        body = {"organization_id": self._team.organization_id, "name": self._team.name(), **fields}
        return _made(self.make("space", "/v1/spaces/", body), 201, "a space")

    def new_thread(self, **fields: Any) -> dict[str, Any]:
        """A thread of this caller; Untested if it can't be made."""
        title = self._team.name("thread")
        body = {"organization_id": self._team.organization_id, "title": title, **fields}
        return _made(self.make("thread", "/v1/threads", body), 201, "a thread")

    def new_vector_store(self, **fields: Any) -> dict[str, Any]:
        """A vector store of this caller; Untested if it can't be made."""
        path = f"/v1/organizations/{quote(self._team.organization_id)}/vector-stores"
        answer = self.make("vector_store", path, {"name": self._team.name("store"), **fields})
        made: dict[str, Any] = _made(answer, 201, "a vector store")["data"]
        return made

    def remove(self, made: Made) -> Answer:
        """Delete something that the run made."""
        organization = quote(made.organization_id)
        path = {
            "space": f"/v1/spaces/{made.id}",
            "thread": f"/v1/threads/{made.id}",
            "vector_store": f"/v1/organizations/{organization}/vector-stores/{made.id}",
        }[made.kind]
        answer = self.ask("DELETE", path)
        if answer.status in (204, 404):
            self._team.ledger.removed(made.id)
        return answer

    def add(self, space_id: str, thread_id: str) -> Answer:
        """Add a thread to a space."""
        return self.ask("POST", f"/v1/spaces/{space_id}/threads/{thread_id}")

    def take_out(self, space_id: str, thread_id: str) -> Answer:
        """Remove a thread from a space."""
        return self.ask("DELETE", f"/v1/spaces/{space_id}/threads/{thread_id}")

    def threads_of(self, space_id: str, limit: int = 100) -> list[str]:
        """The ids of all the threads of a space, page by page."""
        found: list[str] = []
        cursor = None
        for _ in range(1000):
            answer = self.get(f"/v1/spaces/{space_id}/threads", limit=limit, cursor=cursor)
            if answer.status != 200 or not isinstance(answer.body, dict):
                raise Broken("the list of threads can't be read", expected=200, got=answer.status)
            found += [thread["id"] for thread in answer.body["data"]]
            cursor = answer.body["next_cursor"]
            if cursor is None:
                return found
        raise Broken("the list of threads never ends: 1,000 pages were read")


def _made(answer: Answer, status: int, what: str) -> dict[str, Any]:
    if answer.status != status or not isinstance(answer.body, dict):
        raise Untested(f"{what} can't be made: {answer.status} {answer.text[:120]}")
    return answer.body
