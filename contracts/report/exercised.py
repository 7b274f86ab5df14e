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
        self.items: set[tuple[str, str, str]] = set()
        """Operation, what (status, code or parameter), name (such as 404, 404 CODE or query limit)."""
        self._lock = threading.Lock()

    def note(self, answer: ClientResponse) -> None:
        """Count one exchange."""
        request = answer.request
        found = self.document.at(request.method, request.path)
        code = answer.error.get("code") if answer.status >= 400 else None
        sent = _sent(request) if found is not None else []
        with self._lock:
            self.requests += 1
            if found is None:
                return
            self.seen[found.id, answer.status, request.role or "", self.check] += 1
            self.items.add((found.id, "status", str(answer.status)))
            self.items.add((found.id, "code", f"{answer.status} {code}"))
            self.items.update((found.id, "parameter", one) for one in sent)


def _sent(request: ClientRequest) -> list[str]:
    """Place and name of a request's parameters, except those of the path."""
    query = parse_qsl(request.path.partition("?")[2], keep_blank_values=True)
    found = [f"query {name}" for name, _ in query]
    found += [f"header {name.lower()}" for name in request.headers]
    return found + [f"body {name}" for name in request.fields]
