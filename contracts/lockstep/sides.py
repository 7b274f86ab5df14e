"""The two servers of a lock step: the model and the target, each with a clock and a state of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

from contracts.checks.errors import Excluded, Untested
from contracts.http.exchange import ClientRequest, ClientResponse, is_mock
from contracts.http.parallel import in_parallel
from contracts.http.run import Run
from contracts.lockstep.api import key_of
from contracts.lockstep.servers import Target

SANDBOX = "X-Mock-Sandbox"
MODEL_START = datetime(2026, 2, 26, 10, 30, tzinfo=UTC)
MOCK_START = datetime(2027, 6, 3, 23, 59, 50, tzinfo=UTC)
"""Instants at which a sequence begins on the model and on a mock: no answer may depend on the date."""
MODEL_VALUES = {
    "user:owner": "usr_abc123",
    "org:own": "org_abc123",
    "org:other": "org_other",
    "role:known": "role_research",
    "department:known": "dept_support",
    **{
        f"user:{role}": f"usr_{role}"
        for role in ("editor", "viewer", "outsider", "foreign", "admin", "researcher", "support")
    },
}
"""Values of the model's labels at the beginning."""
CALLERS = ("owner", "editor", "viewer", "outsider", "foreign", "admin", "researcher", "support")
"""Callers of a mock: the last two have access by a role and by a department."""
SETTLE_SECONDS = 1.5
"""Time that a deployment has to embed messages before a question."""
PAUSE_SECONDS = 2.2
"""Pause after which a deployment's times must differ."""


def new_sandbox(name: str, now: datetime, seed: int) -> ClientRequest:
    """Request that creates a sandbox with the callers and nothing else."""
    body = {"id": name, "scenario": "empty", "freeze": now.isoformat().replace("+00:00", "Z"), "seed": seed}
    return ClientRequest("POST", "/__admin/sandboxes", None, body)


def control(seconds: float, *, settle: bool, headers: dict[str, str]) -> list[ClientRequest]:
    """Requests to a mock that let time pass and finish its queue."""
    found = []
    if seconds:
        found.append(ClientRequest("PUT", "/__admin/clock", None, {"advance": seconds}, headers))
    if settle:
        found.append(ClientRequest("POST", "/__admin/embeddings/drain", None, {}, headers))
    return found


def queued(reply: Mapping[str, Any]) -> ClientRequest:
    """Request that queues what a mock answers to the next question."""
    return ClientRequest("POST", "/__admin/replies", None, {**reply})


class MockTarget:
    """A mock: a sandbox of its own for each sequence, with a frozen clock and an empty queue."""

    start, model_start, is_mock, callers = MOCK_START, MODEL_START, True, CALLERS

    def __init__(self, run: Run) -> None:
        self._send, self._together = run.send_aside, run.send_aside_together
        self._headers: dict[str, str] = {}
        self._seeds: Iterator[int] = run.shared.setdefault("seeds of sandboxes", count(1))

    def begin(self, name: str) -> dict[str, str]:
        """Create a sandbox, with ids that no sequence of the run had before."""
        self._headers = {SANDBOX: name}
        if self._send(new_sandbox(name, self.start, next(self._seeds)), None, {}).status != 201:
            raise Excluded("the mock gives no sandbox for lock step")
        return MODEL_VALUES

    def wait(self, seconds: float, *, settle: bool) -> float:
        """Advance the clock, and drain the queue."""
        for request in control(seconds, settle=settle, headers={}):
            self._send(request, None, self._headers)
        return seconds

    def queue(self, reply: Mapping[str, Any]) -> None:
        """Queue what it answers to the next question."""
        self._send(queued(reply), None, self._headers)

    def send(self, request: ClientRequest, role: str | None) -> ClientResponse:
        """Send a request to the sandbox."""
        return self._send(request, key_of(role), self._headers)

    def send_together(self, calls: Sequence[tuple[ClientRequest, str | None]]) -> list[ClientResponse]:
        """Send requests to the sandbox at the same time."""
        return self._together([(request, key_of(role)) for request, role in calls], self._headers)

    def end(self) -> None:
        """Delete the sandbox."""
        self._send(ClientRequest("DELETE", f"/__admin/sandboxes/{self._headers[SANDBOX]}", None), None, {})


class Deployment:
    """Any other server: the vendor's API alone, what was made is in the ledger, time passes by itself."""

    is_mock = False

    def __init__(self, run: Run) -> None:
        self._run = run
        self.callers = tuple(role for role in CALLERS if role in run.roles)
        self.start = MOCK_START
        self._synced = 0.0
        self._pauses = 0
        self._before: set[str] = set()
        """Ids that the run created before the sequence."""

    @property
    def model_start(self) -> datetime:
        """The model's clock follows the target's."""
        return self.start

    def begin(self, name: str) -> dict[str, str]:  # noqa: ARG002 - a mock needs it
        """Read the users and the time of the target."""
        run = self._run
        labels = {}
        for role in self.callers:
            with suppress(Untested):  # such as one of another organization, whose user no answer shows
                labels[f"user:{role}"] = run.user_id(role)
        stamp = run.owner.get(f"/v1/spaces/{run.unknown_id('space')}").error.get("timestamp")
        self.start = datetime.fromisoformat(str(stamp)) if stamp else datetime.now(UTC)
        self.start = self.start if self.start.tzinfo else self.start.replace(tzinfo=UTC)
        self._synced, self._pauses = time.monotonic(), 1
        self._before = {made.id for made in run.ledger.left()}
        return {**labels, "org:own": run.organization_id}

    def wait(self, seconds: float, *, settle: bool) -> float:
        """Sleep, once in a sequence; the model's clock follows this one."""
        if seconds > PAUSE_SECONDS and self._pauses:
            self._pauses -= 1
            time.sleep(PAUSE_SECONDS)
        if settle:
            time.sleep(SETTLE_SECONDS)
        before, self._synced = self._synced, time.monotonic()
        return self._synced - before

    def queue(self, reply: Mapping[str, Any]) -> None:
        """Queue nothing: a step with a reply is left out."""

    def send(self, request: ClientRequest, role: str | None) -> ClientResponse:  # noqa: ARG002 - likewise
        """Send a request through the run: guarded, recorded and counted."""
        return self._run.send(request)

    def send_together(self, calls: Sequence[tuple[ClientRequest, str | None]]) -> list[ClientResponse]:
        """Send requests through the run at the same time."""
        return in_parallel(self._run.send, [request for request, _ in calls])

    def end(self) -> None:
        """Delete what the sequence created."""
        for made in self._run.ledger.left():
            if made.id not in self._before:
                self._run.remove(made)


def target_of(run: Run) -> Target:
    """The target as lock step uses it."""
    probe = ClientRequest("GET", "/v1/threads?limit=1", None)

    def send(request: ClientRequest) -> ClientResponse:
        return run.send_aside(request, None, {})

    return (
        MockTarget(run)
        if is_mock(send, send(probe)) and run.has_key("owner", "ak_demo_owner")
        else Deployment(run)
    )


def labels_at_start(values: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Label -> value of the model and of the target."""
    return {label: (MODEL_VALUES[label], value) for label, value in values.items() if label in MODEL_VALUES}
