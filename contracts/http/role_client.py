"""API client of one role, with shortcuts for the resources that checks need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from contracts.checks.errors import Broken, Untested
from contracts.http.exchange import ClientRequest, ClientResponse

_BOUNDARY = "contracts-of-a-file"
FORM_HEADERS = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
"""Headers of a form by `file_form`."""
MAX_PAGES = 2000
"""Page count after which a list is considered endless."""


class Sender(Protocol):
    """Part of a run that a role client depends on."""

    organization_id: str

    def name(self, what: str = "space") -> str:
        """Unique name that identifies the run."""

    def user_id(self, role: str) -> str:
        """User id behind a role's key."""

    def send(self, request: ClientRequest) -> ClientResponse:
        """Send a request after the write guard, and record it in the ledger."""

    def spend_model_question(self) -> None:
        """Use up one model call; Untested if none is left."""


class RoleClient:
    """Sends requests with the key of one role."""

    def __init__(self, run: Sender, role: str | None) -> None:
        self._run = run
        self.role = role
        """None for no credential."""

    @property
    def user_id(self) -> str:
        """User id behind the key."""
        assert self.role is not None, "a client without credentials has no user"
        return self._run.user_id(self.role)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> ClientResponse:
        """Send a request; query parameters that are None are left out."""
        present = {name: value for name, value in query.items() if value is not None}
        target = path + ("?" + urlencode(present) if present else "")
        return self._run.send(ClientRequest(method, target, self.role, body, headers or {}))

    def get(self, path: str, **query: Any) -> ClientResponse:
        """Send a GET request."""
        return self.ask("GET", path, **query)

    def ids(self, path: str, **query: Any) -> list[str]:
        """Ids on one page of a list."""
        return [item["id"] for item in self.get(path, **query).body["data"]]

    def pages(self, path: str, **query: Any) -> Iterator[ClientResponse]:
        """Pages of a cursor-paginated list; Broken if a page is invalid or the list never ends."""
        cursor = query.pop("cursor", None)
        for _ in range(MAX_PAGES):
            answer = self.get(path, **query, cursor=cursor)
            if answer.status != 200 or not isinstance(answer.body, dict):
                raise Broken(f"the list {path} can't be read", expected=200, got=answer.status)
            yield answer
            cursor = answer.body["next_cursor"]
            if cursor is None:
                return
        raise Broken(f"the walk of {path} does not end: {MAX_PAGES:,} pages were read")

    def new_space(self, **fields: Any) -> dict[str, Any]:
        """Create a space; Untested if refused."""
        body = {"organization_id": self._run.organization_id, "name": self._run.name(), **fields}
        return _created(self.ask("POST", "/v1/spaces/", body), "a space")

    def space_with(self, *thread_ids: str) -> str:
        """Create a space with these threads, and return its id; Broken if one can't be added."""
        space_id: str = self.new_space()["id"]
        for thread_id in thread_ids:
            answer = self.add(space_id, thread_id)
            if answer.status != 201:
                raise Broken("a new thread can't be added to a new space", expected=201, got=answer.status)
        return space_id

    def new_threads(self, count: int) -> list[str]:
        """Create threads, and return their ids."""
        return [self.new_thread()["id"] for _ in range(count)]

    def new_thread(self, **fields: Any) -> dict[str, Any]:
        """Create a thread; Untested if refused."""
        title = self._run.name("thread")
        body = {"organization_id": self._run.organization_id, "title": title, **fields}
        return _created(self.ask("POST", "/v1/threads", body), "a thread")

    @property
    def stores(self) -> str:
        """Path of the organization's vector stores."""
        return f"/v1/organizations/{quote(self._run.organization_id)}/vector-stores"

    def new_vector_store(self, **fields: Any) -> dict[str, Any]:
        """Create a vector store; Untested if refused."""
        answer = self.ask("POST", self.stores, {"name": self._run.name("store"), **fields})
        store: dict[str, Any] = _created(answer, "a vector store")["data"]
        return store

    @property
    def files(self) -> str:
        """Path of the organization's files."""
        return f"/v1/organizations/{quote(self._run.organization_id)}/files"

    def new_file(self, text: str = "The contract suite wrote this.", media_type: str = "text/plain") -> Any:
        """Upload a small file with a name of the run; Untested if refused."""
        form = file_form(f"{self._run.name('file')}.txt", text, media_type)
        answer = self.ask("POST", f"{self.files}/upload", form, headers=FORM_HEADERS)
        return _created(answer, "a file")["files"][0]

    def ask_model(self, question: str, **fields: Any) -> ClientResponse:
        """Ask the model; Untested without model calls left."""
        self._run.spend_model_question()
        inputs = [{"role": "user", "content": question}]
        return self.ask(
            "POST", "/v1/model/response", {"inputs": inputs, "include": ["file_search.results"], **fields}
        )

    def add(self, space_id: str, thread_id: str) -> ClientResponse:
        """Add a thread to a space."""
        return self.ask("POST", f"/v1/spaces/{space_id}/threads/{thread_id}")

    def remove_thread(self, space_id: str, thread_id: str) -> ClientResponse:
        """Remove a thread from a space."""
        return self.ask("DELETE", f"/v1/spaces/{space_id}/threads/{thread_id}")

    def threads_of(self, space_id: str, limit: int = 100) -> list[str]:
        """Ids of all threads of a space."""
        pages = self.pages(f"/v1/spaces/{space_id}/threads", limit=limit)
        return [thread["id"] for page in pages for thread in page.body["data"]]

    def spaces(self, limit: int = 100) -> list[dict[str, Any]]:
        """All spaces of the organization that this role can list."""
        pages = self.pages("/v1/spaces/", organization_id=self._run.organization_id, limit=limit)
        return [space for page in pages for space in page.body["spaces"]]


def file_form(filename: str, text: str, media_type: str = "text/plain") -> str:
    """Body of an upload of one text file."""
    lines = (
        f"--{_BOUNDARY}",
        f'Content-Disposition: form-data; name="files"; filename="{filename}"',
        f"Content-Type: {media_type}",
        "",
        text,
        f"--{_BOUNDARY}--",
        "",
    )
    return "\r\n".join(lines)


def _created(answer: ClientResponse, what: str) -> dict[str, Any]:
    if answer.status not in (200, 201) or not isinstance(answer.body, dict):  # A24
        raise Untested(f"{what} can't be created: {answer.status} {answer.text[:120]}")
    return answer.body
