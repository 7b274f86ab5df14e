"""Recorder of exercised operations, statuses, error codes, roles and parameters."""

from __future__ import annotations

import threading
from collections import Counter
from urllib.parse import parse_qsl

from contracts.checks.spec import OpenApiDocument
from contracts.http.exchange import ClientRequest, ClientResponse


class Recorder:
    """Counts every exchange; cheap, since a run has tens of thousands."""

    def __init__(self, document: OpenApiDocument) -> None:
        self.document = document
        self.check = ""
        """Id of the current check."""
        self.requests = 0
        self.seen: Counter[tuple[str, int, str, str]] = Counter()
        """Operation, status, role (empty without a key), check."""
        self.codes: set[tuple[str, int, str]] = set()
        """Operation, status, error code."""
        self.parameters: set[tuple[str, str, str]] = set()
        """Operation, place, name."""
        self._lock = threading.Lock()

    def note(self, answer: ClientResponse) -> None:
        """Count one exchange."""
        request = answer.request
        found = self.document.at(request.method, request.path)
        code = answer.error.get("code") if answer.status >= 400 else None
        sent = set(_sent(request)) if found is not None else set()
        with self._lock:
            self.requests += 1
            if found is None:
                return
            self.seen[found.id, answer.status, request.role or "", self.check] += 1
            self.parameters.update((found.id, *one) for one in sent)
            if isinstance(code, str):
                self.codes.add((found.id, answer.status, code))


def _sent(request: ClientRequest) -> list[tuple[str, str]]:
    """Place and name of a request's parameters, except those of the path."""
    query = parse_qsl(request.path.partition("?")[2], keep_blank_values=True)
    found = [("query", name) for name, _ in query]
    found += [("header", name.lower()) for name in request.headers]
    return found + [("body", name) for name in request.fields]
