"""Short ways to fill the mock and to watch what it remembers."""

from __future__ import annotations

from typing import Any

from tests.conftest import Ask

LETTERS = {"pending": "w", "processing": "r", "completed": "c", "failed": "f"}
"""w waits, r runs."""


class Steps:
    """The vendor's operations and the mock's own, by one word each; every call succeeds."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __call__(self, method: str, path: str, key: str = "ak_demo_owner", **sent: Any) -> Any:
        """What the call answers."""
        answer = self._ask(method, path, key, **sent)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json() if answer.status_code != 204 else None

    def space(self, key: str = "ak_demo_owner", **fields: Any) -> str:
        """A new space's id."""
        body = {"organization_id": "org_abc123", "name": "New", **fields}
        return str(self("POST", "/v1/spaces/", key, json=body)["id"])

    def thread(self, *texts: str, key: str = "ak_demo_owner") -> str:
        """The id of a new thread with these messages."""
        thread_id = str(self("POST", "/v1/threads", key, json={"organization_id": "org_abc123"})["id"])
        for text in texts:
            self.say(thread_id, text)
        return thread_id

    def say(self, thread_id: str, text: str, role: str = "user") -> str:
        """A new message's id."""
        body = {"role": role, "content": text}
        return str(self("POST", f"/__admin/threads/{thread_id}/messages", json=body)["id"])

    def messages(self, thread_id: str, key: str = "ak_demo_owner") -> list[Any]:
        """The first hundred messages of the thread."""
        return list(self("GET", f"/v1/threads/{thread_id}/messages?limit=100", key)["data"])

    def edit(self, thread_id: str, message_id: str, text: str) -> None:
        """Another text."""
        self("PATCH", f"/v1/threads/{thread_id}/messages/{message_id}", json={"content": text})

    def delete(self, thread_id: str, message_id: str) -> None:
        """One message less."""
        self("DELETE", f"/v1/threads/{thread_id}/messages/{message_id}")

    def add(self, space_id: str, thread_id: str) -> None:
        """Into the space."""
        self("POST", f"/v1/spaces/{space_id}/threads/{thread_id}")

    def remove(self, space_id: str, thread_id: str) -> None:
        """Out of the space."""
        self("DELETE", f"/v1/spaces/{space_id}/threads/{thread_id}")

    def advance(self, seconds: float) -> Any:
        """What fell due on the way."""
        return self("PUT", "/__admin/clock", json={"advance": seconds})["due"]

    def drain(self) -> Any:
        """The counts after it."""
        return self("POST", "/__admin/embeddings/drain")["counts"]

    def queue(self, **query: Any) -> Any:
        """GET /__admin/embeddings, the first thousand jobs."""
        return self("GET", "/__admin/embeddings", query_string={"limit": 1000, **query})

    def line(self, space_id: str, **query: Any) -> str:
        """The states of the space's jobs in the order of the queue, a letter each; held to its counts."""
        found = self.queue(space_id=space_id, **query)
        letters = "".join(LETTERS[job["state"]] for job in found["jobs"])
        assert {state: letters.count(letter) for state, letter in LETTERS.items()} == found["counts"]
        return letters

    def answer(self, question: str, key: str = "ak_demo_owner", **fields: Any) -> Any:
        """createResponse."""
        body = {"inputs": [{"role": "user", "content": question}], **fields}
        return self("POST", "/v1/model/response", key, json=body)

    def found(self, question: str, key: str = "ak_demo_owner", **fields: Any) -> list[str]:
        """The texts that createResponse finds, best first."""
        answer = self.answer(question, key, include=["file_search.results"], **fields)
        return [result["text"] for result in answer["file_search"]["results"]]
