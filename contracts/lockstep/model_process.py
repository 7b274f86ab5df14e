"""The model: a mock in a process of its own, which a fault in this process can't reach.

It is called through a pipe, several requests at a time, and ends with this process, however that ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from contracts.checks.errors import Crashed
from contracts.http.exchange import ClientRequest, ClientResponse


class KeyedRequest(NamedTuple):
    """Request with the key to send."""

    request: ClientRequest
    key: str | None


class ModelProcess:
    """Child process that answers requests in order."""

    def __init__(self, revision: str, profile: str | None = None) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - our own mock
            [sys.executable, "-m", "contracts.lockstep.model_process", revision, profile or ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C must reach the suite alone, which still cleans up
        )
        os.register_at_fork(after_in_child=self._close)  # else a forked process would keep it alive
        self.pid = self._child.pid
        self._asked: list[list[KeyedRequest]] = []

    def ask(self, *requests: KeyedRequest) -> None:
        """Send requests, without waiting for the answers."""
        self._asked.append([*requests])
        lines = [[r.method, r.path, r.body, {**r.headers}, key] for r, key in requests]
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(lines) + "\n")
            self._child.stdin.flush()
        except OSError as error:
            raise Crashed("the process of the model ended") from error

    def answers(self) -> list[ClientResponse]:
        """Answers of the oldest call of `ask` whose answers nobody read."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise Crashed("the process of the model ended")
        asked = self._asked.pop(0)
        return [
            ClientResponse(each.request, status, headers, text, 0.0, garbled=garbled)
            for each, (status, headers, text, garbled) in zip(asked, json.loads(line), strict=True)
        ]

    def send(self, request: ClientRequest, key: str | None = None) -> ClientResponse:
        """Answer to one request."""
        self.ask(KeyedRequest(request, key))
        return self.answers()[0]

    def close(self) -> None:
        """End the process."""
        self._close()
        self._child.kill()
        self._child.wait()

    def _close(self) -> None:
        for pipe in (self._child.stdin, self._child.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()


def answer_all(revision: str, profile: str, lines: Any, out: Any) -> None:
    """Answer lines of requests, by a revision of the API and a profile, until there are no more."""
    from contracts.http.target import InProcess

    mock = InProcess(revision=revision, profile=profile or None)
    for line in lines:
        answers: list[Sequence[Any]] = []
        for method, path, body, headers, key in json.loads(line):
            answer = mock.send(ClientRequest(method, path, None, body, headers), key)
            answers.append((answer.status, {**answer.headers}, answer.text, answer.garbled))
        out.write(json.dumps(answers) + "\n")
        out.flush()


if __name__ == "__main__":
    answer_all(sys.argv[1], sys.argv[2], sys.stdin, sys.stdout)
