"""The model as one side of lock step."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.lockstep.api import key_of
from contracts.lockstep.model_process import KeyedRequest, ModelProcess
from contracts.lockstep.sides import SANDBOX, control, new_sandbox, queued


class ModelClient:
    """The mock in a process of its own."""

    def __init__(self, revision: str, profile: str | None = None) -> None:
        self._process = ModelProcess(revision, profile)
        self._headers: dict[str, str] = {}

    def begin(self, name: str, start: datetime) -> None:
        """Begin a sequence."""
        self._headers = {SANDBOX: name}
        self._process.send(new_sandbox(name, start, seed=0))

    def queue(self, reply: Mapping[str, Any]) -> None:
        """Answer the next question so."""
        self._process.send(queued(reply)._replace(headers=self._headers))

    def ask(self, request: ClientRequest, role: str | None, seconds: float, *, settle: bool) -> None:
        """Send a request after so many seconds, without waiting for the answer."""
        requests = [
            KeyedRequest(each, None) for each in control(seconds, settle=settle, headers=self._headers)
        ]
        sent = request._replace(headers={**request.headers, **self._headers})
        self._process.ask(*requests, KeyedRequest(sent, key_of(role)))

    def answer(self) -> ClientResponse:
        """Answer to that request."""
        return self._process.answers()[-1]

    def save(self) -> None:
        """Save the state, to which `restore` returns."""
        self._process.send(ClientRequest("PUT", "/__admin/snapshots/before", None, None, self._headers))

    def restore(self) -> None:
        """Return to the saved state."""
        path = "/__admin/snapshots/before/restore"
        self._process.send(ClientRequest("POST", path, None, None, self._headers))

    def end(self) -> None:
        """Forget the sequence."""
        self._process.send(ClientRequest("DELETE", f"/__admin/sandboxes/{self._headers[SANDBOX]}", None))

    def close(self) -> None:
        """End the process."""
        self._process.close()


@cache
def shared_model(revision: str, profile: str | None = None) -> ModelClient:
    """The one model of this process with this revision and profile; it ends with this process."""
    model = ModelClient(revision, profile)
    atexit.register(model.close)
    return model
