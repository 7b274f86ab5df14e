"""Python client of the control API, for commands, the pytest plugin and user scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

from mockserver.client.transport import (
    Refused,
    Send,
    Unreachable,
    lines_over_http,
    over_http,
    reason_of,
)

__all__ = [
    "ClockControl",
    "Control",
    "EmbeddingControl",
    "FaultControl",
    "JournalControl",
    "RecordControl",
    "Refused",
    "SnapshotControl",
    "Unreachable",
]


class Control:
    """Client of one sandbox of a mock."""

    def __init__(
        self, url: str, *, sandbox: str | None = None, token: str | None = None, send: Send = over_http
    ) -> None:
        """`url` of the mock, such as http://127.0.0.1:4010; `token` if the mock requires one."""
        self.url = url.rstrip("/")
        self.sandbox = sandbox
        self._headers = {"Content-Type": "application/json"}
        if sandbox is not None:
            self._headers["X-Mock-Sandbox"] = sandbox
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._send = send
        self.clock = ClockControl(self)
        self.embeddings = EmbeddingControl(self)
        self.faults = FaultControl(self)
        self.records = RecordControl(self)
        self.requests = JournalControl(self)
        self.snapshots = SnapshotControl(self)

    def ask(self, method: str, path: str, body: Any = None, /, **query: Any) -> Any:
        """Call a path under /__admin, decoded; Refused for an error, Unreachable without an answer."""
        present = {name: value for name, value in query.items() if value is not None}
        url = f"{self.url}/__admin{path}" + (f"?{urlencode(present)}" if present else "")
        data = None if body is None else json.dumps(body).encode()
        status, answer = self._send(method, url, self._headers, data)
        if status >= 300:
            raise Refused(status, reason_of(status, answer))
        return json.loads(answer) if answer else None

    def events(self, after: int | None = None, timeout: int = 0) -> Iterator[tuple[int, Any]]:
        """Events with their ids, as they come; of all sandboxes, unless this client has one.

        `after`: id of the last one seen, None for now; `timeout`: seconds after which it ends.
        """
        headers = self._headers if after is None else {**self._headers, "Last-Event-ID": str(after)}
        everywhere = {} if self.sandbox is not None else {"sandbox": "*"}
        query = urlencode({"timeout": timeout, **everywhere})
        id_ = 0
        for line in lines_over_http(f"{self.url}/__admin/events?{query}", headers):
            if line.startswith("id: "):
                id_ = int(line[4:])
            elif line.startswith("data: "):
                yield id_, json.loads(line[6:])

    def health(self) -> Any:
        """Version of the mock and of its spec."""
        return self.ask("GET", "/health")

    def reset(self, to: str | None = None, keep: Iterable[str] = ()) -> Any:
        """Reset, also `to` empty, scenario:NAME or snapshot:NAME; `keep` journal, faults, clock."""
        return self.ask("POST", "/reset", to=to, keep=",".join(keep) or None)

    def state(self) -> Any:
        """State document of the sandbox."""
        return self.ask("GET", "/state")

    def scenario(self) -> Any:
        """Data of the sandbox as a scenario, and what it lacks."""
        return self.ask("GET", "/state/scenario")

    def restore(self, state: Any) -> Any:
        """Restore a state document from `state()`."""
        return self.ask("PUT", "/state", state)

    def verify(self, **expectation: Any) -> Any:
        """Check how often, or in which order, requests were received."""
        return self.ask("POST", "/verify", expectation)

    def violations(self) -> Any:
        """Answers that violated the spec."""
        return self.ask("GET", "/violations")

    def say(self, thread_id: str, role: str, content: str) -> Any:
        """Add a message of any role to a thread."""
        body = {"role": role, "content": content}
        return self.ask("POST", f"/threads/{quote(thread_id, safe='')}/messages", body)

    def reply(self, **reply: Any) -> Any:
        """Queue the next reply of createResponse."""
        return self.ask("POST", "/replies", reply)


class _Part:
    def __init__(self, control: Control) -> None:
        self._control = control


class ClockControl(_Part):
    """Clock of the sandbox."""

    def get(self) -> Any:
        """Current time, and whether the clock is frozen."""
        return self._control.ask("GET", "/clock")

    def freeze(self, instant: str) -> Any:
        """Freeze the clock at an instant such as 2026-02-26T10:30:00Z."""
        return self._control.ask("PUT", "/clock", {"freeze": instant})

    def advance(self, by: float | str) -> Any:
        """Advance the clock by seconds or by a duration such as PT1H; returns the attempts that ended."""
        return self._control.ask("PUT", "/clock", {"advance": by})

    def resume(self) -> Any:
        """Let the clock run."""
        return self._control.ask("PUT", "/clock", {"resume": True})


class EmbeddingControl(_Part):
    """Embedding queue of the sandbox."""

    def get(self, **filters: Any) -> Any:
        """Counts and jobs; by space_id, thread_id, state, limit, cursor."""
        return self._control.ask("GET", "/embeddings", **filters)

    def drain(self) -> Any:
        """Finish everything in the queue."""
        return self._control.ask("POST", "/embeddings/drain")

    def policy(self, **policy: Any) -> Any:
        """Policy of the queue; with arguments, change it."""
        return self._control.ask("PUT" if policy else "GET", "/embeddings/policy", policy or None)

    def step(self, n: int = 1, space_id: str | None = None) -> Any:
        """End the next `n` attempts."""
        return self._control.ask("POST", "/embeddings/step", n=n, space_id=space_id)

    def fail(self, job_id: str) -> Any:
        """Fail a job for good."""
        return self._control.ask("POST", f"/embeddings/{job_id}/fail")

    def complete(self, job_id: str) -> Any:
        """Complete a job."""
        return self._control.ask("POST", f"/embeddings/{job_id}/complete")

    def retry(self, job_id: str) -> Any:
        """Queue a failed job again."""
        return self._control.ask("POST", f"/embeddings/{job_id}/retry")


class FaultControl(_Part):
    """Fault rules of the sandbox."""

    def list(self) -> Any:
        """All rules, in order."""
        return self._control.ask("GET", "/faults")

    def add(self, **rule: Any) -> Any:
        """Add a rule, or those of a `profile`."""
        return self._control.ask("POST", "/faults", rule)

    def release(self, id_: str) -> Any:
        """Release the answers that a rule holds."""
        return self._control.ask("POST", f"/faults/{quote(id_, safe='')}/release")

    def remove(self, id_: str) -> Any:
        """Remove a rule."""
        return self._control.ask("DELETE", f"/faults/{quote(id_, safe='')}")

    def clear(self) -> Any:
        """Remove all rules."""
        return self._control.ask("DELETE", "/faults")


class RecordControl(_Part):
    """Records of the sandbox: spaces, threads, messages, stores, files, links, users, keys, rows."""

    def list(self, kind: str, **page: Any) -> Any:
        """Page of the records of a kind; by limit, cursor."""
        return self._control.ask("GET", f"/records/{kind}", **page)

    def get(self, kind: str, id_: str) -> Any:
        """One record."""
        return self._control.ask("GET", _record(kind, id_))["record"]

    def put(self, kind: str, id_: str, **fields: Any) -> Any:
        """Create a record with this id, or replace it."""
        return self._control.ask("PUT", _record(kind, id_), fields)["record"]

    def change(self, kind: str, id_: str, **fields: Any) -> Any:
        """Change fields of a record."""
        return self._control.ask("PATCH", _record(kind, id_), fields)["record"]

    def delete(self, kind: str, id_: str) -> Any:
        """Delete a record."""
        return self._control.ask("DELETE", _record(kind, id_))


def _record(kind: str, id_: str) -> str:
    return f"/records/{kind}/{quote(id_, safe='')}"


class JournalControl(_Part):
    """Journal of the sandbox."""

    def list(self, **filters: Any) -> Any:
        """Page of exchanges, newest first."""
        return self._control.ask("GET", "/requests", **filters)

    def get(self, id_: str) -> Any:
        """Exchange by the x-request-id of its answer."""
        return self._control.ask("GET", f"/requests/{quote(id_, safe='')}")

    def count(self, **criteria: Any) -> int:
        """Number of requests that match the criteria."""
        found: int = self._control.ask("POST", "/requests/count", criteria)["count"]
        return found

    def find(self, **criteria: Any) -> Any:
        """Exchanges that match the criteria."""
        return self._control.ask("POST", "/requests/find", criteria)

    def wait(self, **condition: Any) -> Any:
        """Wait for requests: operation, count, timeout in seconds."""
        return self._control.ask("GET", "/requests/wait", **condition)

    def har(self) -> Any:
        """Finished exchanges as an HTTP Archive."""
        return self._control.ask("GET", "/requests/har")

    def clear(self) -> Any:
        """Clear the journal."""
        return self._control.ask("DELETE", "/requests")


class SnapshotControl(_Part):
    """Named states, shared by all sandboxes of a mock."""

    def list(self) -> Any:
        """All snapshots."""
        return self._control.ask("GET", "/snapshots")

    def save(self, name: str) -> Any:
        """Save the current state of the sandbox."""
        return self._control.ask("PUT", f"/snapshots/{quote(name, safe='')}")

    def restore(self, name: str) -> Any:
        """Restore a snapshot into the sandbox."""
        return self._control.ask("POST", f"/snapshots/{quote(name, safe='')}/restore")

    def delete(self, name: str) -> Any:
        """Delete a snapshot."""
        return self._control.ask("DELETE", f"/snapshots/{quote(name, safe='')}")
