"""Python client of the control API, for commands, the pytest plugin and user scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any
from urllib.parse import quote, urlencode

TIMEOUT = 60.0
"""Seconds for one answer; the mock ends a wait after 60 at most."""
Send = Callable[[str, str, Mapping[str, str], bytes | None], tuple[int, bytes]]
"""(method, URL, headers, body) -> status and body of the answer."""


class Unreachable(Exception):
    """No mock answers at the URL; the text is one line that says what to do."""


class Refused(Exception):
    """The mock refuses the call; the text is its reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def over_http(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
    """Send one request; Unreachable if nothing answers, Refused for a redirect, which is not followed.

    This machine is never asked for through a proxy.
    """
    status, answer = _sent(method, url, headers, body, lambda response: (response.status, response.read()))
    return status, answer


def lines_over_http(url: str, headers: Mapping[str, str]) -> Iterator[str]:
    """Lines of a stream as they come; ends with it, Refused or Unreachable if there is none."""
    response = _sent("GET", url, headers, None, lambda response: response, keep=True)
    if isinstance(response, tuple):
        raise Refused(response[0], _reason(*response))
    with response:
        try:
            for line in response:
                yield line.decode().rstrip("\n")
        except OSError as error:
            raise Unreachable(f"the mock at {url} has ended its stream: {error}") from None


def _sent(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    read: Callable[[Any], Any],
    *,
    keep: bool = False,
) -> Any:
    """What `read` makes of the response, or status and body of a refusal; `keep` leaves it open."""
    from urllib.error import HTTPError, URLError  # a fifth of the start of a command that makes no call
    from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

    opener: OpenerDirector = build_opener(_no_redirect(), *([ProxyHandler({})] if _is_loopback(url) else []))
    request = Request(url, body, dict(headers), method=method)  # noqa: S310 - the URL is the user's own
    try:
        response = opener.open(request, timeout=TIMEOUT)
        with nullcontext() if keep else response:
            return read(response)
    except HTTPError as error:
        with error:
            if 300 <= error.code < 400:
                there = error.headers.get("Location", "nowhere")
                raise Refused(
                    error.code, f"{url} redirects to {there}: give the address it leads to"
                ) from None
            return error.code, error.read()
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(f"no mock answers at {url}: {reason}; start one with mockserver serve") from None


def _no_redirect() -> Any:
    from urllib.request import HTTPRedirectHandler

    class NoRedirect(HTTPRedirectHandler):
        """Redirects are answers: following one would pass the token on."""

        def redirect_request(self, *_: Any) -> None:
            return None

    return NoRedirect()


def _is_loopback(url: str) -> bool:
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    try:
        host = urlsplit(url).hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            return True
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


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
            raise Refused(status, _reason(status, answer))
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


def _reason(status: int, answer: bytes) -> str:
    try:
        problem = json.loads(answer)
        return str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return f"it answers {status} and no reason: is it a mock of this version, or a proxy on the way?"


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

    def remove(self, id_: str) -> Any:
        """Remove a rule."""
        return self._control.ask("DELETE", f"/faults/{quote(id_, safe='')}")

    def clear(self) -> Any:
        """Remove all rules."""
        return self._control.ask("DELETE", "/faults")


class RecordControl(_Part):
    """Records of the sandbox: spaces, threads, messages, stores, files, links, users, keys."""

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
