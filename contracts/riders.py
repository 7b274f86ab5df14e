"""Our own looks at generated cases: what no schema says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from contracts.exchange import Answer, Request

if TYPE_CHECKING:
    from contracts.steer import Steer

_TRACE = re.compile(r"Traceback \(most recent|\.py\"?, line \d|\n\s+at [\w.$]+\([\w.]+:\d+\)")
_ITEMS = ("data", "spaces")
_OWN = re.compile(r"/v1/(?:spaces|threads)/[^/]+|/v1/organizations/[^/]+/vector-stores/[^/]+")
FOLLOW_UPS = 5
"""How many created and how many refused requests of an operation are looked into with a request more."""


class Riders:
    """Looks at each answer as it comes."""

    def __init__(self, steer: Steer) -> None:
        self._team = steer.team
        self._looked: Counter[tuple[str, str]] = Counter()
        self._state: dict[str, str] = {}

    def look(self, label: str, answer: Answer) -> Iterator[tuple[str, str]]:
        """What is wrong, as (check, message)."""
        text = answer.text + str(dict(answer.headers))
        if self._team.tells_a_key(text):
            yield "no_key_in_an_answer", "the answer repeats a key"
        if _TRACE.search(answer.text):
            yield "no_stack_trace", "the answer shows a stack trace"
        request = answer.request
        if request.method == "GET" and answer.status == 200 and label.startswith("GET "):
            yield from _page(answer)
        elif request.method == "POST" and answer.status == 201 and request.role == "owner":
            yield from self._reads_back(label, answer)

    def _reads_back(self, label: str, answer: Answer) -> Iterator[tuple[str, str]]:
        path = answer.request.path.partition("?")[0]
        body = answer.body if isinstance(answer.body, dict) else {}
        made = body.get("data", body)
        if not isinstance(made, dict) or not isinstance(made.get("id"), str) or "{space_id}" in label:
            return
        if self._often(label, "reads_back"):
            return
        where = f"{path.rstrip('/')}/{made['id']}"
        read = self._team.send(Request("GET", where, "owner"))
        shown = read.body if isinstance(read.body, dict) else {}
        shown = shown.get("data", shown)
        if read.status != 200:
            yield "created_reads_back", f"what was created reads as {read.status}"
        elif isinstance(shown, dict):
            wrong = sorted(name for name in made if name in shown and shown[name] != made[name])
            if wrong:
                yield "created_reads_back", f"what was created reads back with another {', '.join(wrong)}"

    def before(self, label: str, request: Request) -> str | None:
        """The state of the thing that a write is about to name, to compare it if the write is refused."""
        path = request.path.partition("?")[0]
        match = _OWN.match(path)
        if request.method in ("GET", "HEAD", "OPTIONS", "TRACE") or match is None:
            return None
        if match[0].rpartition("/")[2] not in {made.id for made in self._team.ledger.left()}:
            return None
        if self._looked[label, "refused"] >= FOLLOW_UPS:
            return None
        state = self._team.send(Request("GET", match[0], "owner"))
        return state.text if state.status == 200 else None

    def after(self, label: str, answer: Answer, before: str | None) -> Iterator[tuple[str, str]]:
        """Whether a refused write changed the thing after all."""
        match = _OWN.match(answer.request.path)
        if before is None or match is None or not 400 <= answer.status < 500:
            return
        self._looked[label, "refused"] += 1
        now = self._team.send(Request("GET", match[0].partition("?")[0], "owner"))
        if now.text != before:
            yield (
                "a_refused_write_changes_nothing",
                f"it was refused with {answer.status} and changed something",
            )

    def _often(self, label: str, what: str) -> bool:
        self._looked[label, what] += 1
        return self._looked[label, what] > FOLLOW_UPS


def _page(answer: Answer) -> Iterator[tuple[str, str]]:
    body = answer.body
    if not isinstance(body, dict):
        return
    query = parse_qs(urlsplit(answer.request.path).query)
    limit = (query.get("limit") or query.get("take") or [""])[-1]
    for name in _ITEMS:
        items = body.get(name)
        if isinstance(items, list) and limit.isdecimal() and 0 < int(limit) < len(items):
            yield "page_within_limit", f"limit={limit} and {len(items)} items"
    more, cursor = body.get("has_more"), body.get("next_cursor")
    if "next_cursor" in body and isinstance(more, bool) and more != (cursor is not None):
        yield "has_more_goes_with_a_cursor", f"has_more is {more}, and next_cursor is {cursor!r}"
