"""A running mock's control API from Python, for commands, the pytest plugin and scripts of yours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

TIMEOUT = 60.0
"""Seconds for one answer; the mock itself ends a wait after 60 at most."""
Send = Callable[[str, str, Mapping[str, str], bytes | None], tuple[int, bytes]]
"""(method, URL, headers, body) -> status and body of the answer."""


class Unreachable(Exception):
    """No mock answers there; the text is one line that says what to do."""


class Refused(Exception):
    """The mock says no; the text is its reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def over_http(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
    """Send one request; Unreachable if nothing answers."""
    from urllib.error import HTTPError, URLError  # a fifth of the start of a command that asks nothing
    from urllib.request import Request, build_opener

    request = Request(url, body, dict(headers), method=method)  # noqa: S310 - the URL is the user's own
    try:
        with build_opener().open(request, timeout=TIMEOUT) as response:
            return response.status, response.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(f"no mock answers at {url}: {reason}; start one with mockserver serve") from None


class Control:
    """One sandbox of one mock."""

    def __init__(
        self, url: str, *, sandbox: str | None = None, token: str | None = None, send: Send = over_http
    ) -> None:
        """`url` of the mock, such as http://127.0.0.1:4010; `token` where the mock asks for one."""
        self.url = url.rstrip("/")
        self.sandbox = sandbox
        self._headers = {"Content-Type": "application/json"}
        if sandbox is not None:
            self._headers["X-Mock-Sandbox"] = sandbox
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._send = send
        self.clock = Clock(self)
        self.embeddings = Embeddings(self)
        self.faults = Faults(self)
        self.requests = Requests(self)
        self.snapshots = Snapshots(self)

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One call under /__admin, decoded; Refused for anything but a success, Unreachable for no answer."""
        given = {name: value for name, value in query.items() if value is not None}
        url = f"{self.url}/__admin{path}" + (f"?{urlencode(given)}" if given else "")
        data = None if body is None else json.dumps(body).encode()
        status, answer = self._send(method, url, self._headers, data)
        if status >= 300:
            raise Refused(status, _reason(status, answer))
        return json.loads(answer) if answer else None

    def health(self) -> Any:
        """Version of the mock, and which spec it serves."""
        return self.ask("GET", "/health")

    def reset(self, to: str | None = None, keep: Iterable[str] = ()) -> Any:
        """Back to the start, or `to` empty, scenario:NAME or snapshot:NAME; `keep` journal, faults, clock."""
        return self.ask("POST", "/reset", to=to, keep=",".join(keep) or None)

    def state(self) -> Any:
        """Everything in the sandbox."""
        return self.ask("GET", "/state")

    def restore(self, state: Any) -> Any:
        """Put back what `state()` told."""
        return self.ask("PUT", "/state", state)

    def verify(self, **expectation: Any) -> Any:
        """Whether requests came as often, and in such an order, as expected."""
        return self.ask("POST", "/verify", expectation)

    def violations(self) -> Any:
        """The answers that broke the spec."""
        return self.ask("GET", "/violations")

    def say(self, thread_id: str, role: str, content: str) -> Any:
        """Put a message of any role into a thread."""
        body = {"role": role, "content": content}
        return self.ask("POST", f"/threads/{quote(thread_id, safe='')}/messages", body)

    def reply(self, **order: Any) -> Any:
        """Order the next answer of createResponse."""
        return self.ask("POST", "/replies", order)


def _reason(status: int, answer: bytes) -> str:
    try:
        problem = json.loads(answer)
        return str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return f"it answers {status} and no reason: is it a mock of this version?"


class _Part:
    def __init__(self, control: Control) -> None:
        self._control = control


class Clock(_Part):
    """The sandbox's clock."""

    def get(self) -> Any:
        """What time it is, and whether time stands still."""
        return self._control.ask("GET", "/clock")

    def freeze(self, instant: str) -> Any:
        """Stand still at an instant such as 2026-02-26T10:30:00Z."""
        return self._control.ask("PUT", "/clock", {"freeze": instant})

    def advance(self, by: float | str) -> Any:
        """Go forward by seconds, or by a duration such as PT1H; tells what fell due."""
        return self._control.ask("PUT", "/clock", {"advance": by})

    def resume(self) -> Any:
        """Tick on."""
        return self._control.ask("PUT", "/clock", {"resume": True})


class Embeddings(_Part):
    """The sandbox's embedding queue."""

    def get(self, **filters: Any) -> Any:
        """Counts and jobs; by space_id, thread_id, state, limit, cursor."""
        return self._control.ask("GET", "/embeddings", **filters)

    def drain(self) -> Any:
        """Let everything have run."""
        return self._control.ask("POST", "/embeddings/drain")

    def policy(self, **policy: Any) -> Any:
        """How the queue goes; with `mode` and more, how it is to go."""
        return self._control.ask("PUT" if policy else "GET", "/embeddings/policy", policy or None)

    def step(self, n: int = 1, space_id: str | None = None) -> Any:
        """Let the next attempts end."""
        return self._control.ask("POST", "/embeddings/step", n=n, space_id=space_id)

    def fail(self, job_id: str) -> Any:
        """Let a job fail for good."""
        return self._control.ask("POST", f"/embeddings/{job_id}/fail")

    def complete(self, job_id: str) -> Any:
        """Let a message be embedded."""
        return self._control.ask("POST", f"/embeddings/{job_id}/complete")

    def retry(self, job_id: str) -> Any:
        """Queue a failed job again."""
        return self._control.ask("POST", f"/embeddings/{job_id}/retry")


class Faults(_Part):
    """Failures on order."""

    def list(self) -> Any:
        """The rules, in order."""
        return self._control.ask("GET", "/faults")

    def add(self, **rule: Any) -> Any:
        """Order a rule, or a `profile` of them."""
        return self._control.ask("POST", "/faults", rule)

    def remove(self, id_: str) -> Any:
        """Take one rule back."""
        return self._control.ask("DELETE", f"/faults/{quote(id_, safe='')}")

    def clear(self) -> Any:
        """Take all rules back."""
        return self._control.ask("DELETE", "/faults")


class Requests(_Part):
    """The journal."""

    def list(self, **filters: Any) -> Any:
        """A page of it, the oldest first."""
        return self._control.ask("GET", "/requests", **filters)

    def get(self, id_: str) -> Any:
        """One exchange, by the x-request-id of its answer."""
        return self._control.ask("GET", f"/requests/{quote(id_, safe='')}")

    def count(self, **criteria: Any) -> int:
        """How many requests meet the criteria."""
        found: int = self._control.ask("POST", "/requests/count", criteria)["count"]
        return found

    def find(self, **criteria: Any) -> Any:
        """The exchanges that meet the criteria."""
        return self._control.ask("POST", "/requests/find", criteria)

    def wait(self, **awaited: Any) -> Any:
        """Wait until so many requests came: operation, count, timeout in seconds."""
        return self._control.ask("GET", "/requests/wait", **awaited)

    def clear(self) -> Any:
        """Forget them."""
        return self._control.ask("DELETE", "/requests")


class Snapshots(_Part):
    """States with a name, which all sandboxes of a mock can go to."""

    def list(self) -> Any:
        """What there is."""
        return self._control.ask("GET", "/snapshots")

    def save(self, name: str) -> Any:
        """Keep the sandbox as it is now."""
        return self._control.ask("PUT", f"/snapshots/{quote(name, safe='')}")

    def restore(self, name: str) -> Any:
        """Put the sandbox into it."""
        return self._control.ask("POST", f"/snapshots/{quote(name, safe='')}/restore")

    def delete(self, name: str) -> Any:
        """Forget it."""
        return self._control.ask("DELETE", f"/snapshots/{quote(name, safe='')}")
