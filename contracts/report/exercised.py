"""What a run exercised: every exchange by operation, status, error code, role, check and parameters."""

from __future__ import annotations

import threading
from collections import Counter
from urllib.parse import parse_qsl

from contracts.checks.spec import Document
from contracts.http.exchange import Answer, Request


class Record:
    """Looks at every exchange; cheap, as there are tens of thousands."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.check = ""
        """The check that runs."""
        self.requests = 0
        self.seen: Counter[tuple[str, int, str, str]] = Counter()
        """Operation, status, role (empty without a key), check."""
        self.codes: set[tuple[str, int, str]] = set()
        """Operation, status, error code."""
        self.parameters: set[tuple[str, str, str]] = set()
        """Operation, place, name."""
        self._lock = threading.Lock()

    def note(self, answer: Answer) -> None:
        """Look at one exchange."""
        request = answer.request
        found = self.document.at(request.method, request.path)
        code = _code(answer) if answer.status >= 400 else None
        sent = set(_sent(request)) if found is not None else set()
        with self._lock:
            self.requests += 1
            if found is None:
                return
            self.seen[found.id, answer.status, request.role or "", self.check] += 1
            self.parameters.update((found.id, *one) for one in sent)
            if code is not None:
                self.codes.add((found.id, answer.status, code))


def _code(answer: Answer) -> str | None:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None


def _sent(request: Request) -> list[tuple[str, str]]:
    """Where and how the parameters of a request are called; those in its path are always there."""
    query = parse_qsl(request.path.partition("?")[2], keep_blank_values=True)
    found = [("query", name) for name, _ in query]
    found += [("header", name.lower()) for name in request.headers]
    return found + [("body", name) for name in request.fields]
