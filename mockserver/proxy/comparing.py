"""Comparison of the target's answers with those of a mock that answers from a copy of the data."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from comparison import ledger
from comparison.answers import AnswerDifference, Comparer, moment
from comparison.given import SLACK, Given, error_of
from comparison.names import Names
from comparison.translation import Translation
from mockserver.http.context import RequestContext
from mockserver.http.problems import Problem
from mockserver.proxy.copy import Copy
from mockserver.proxy.exchange import is_text
from mockserver.proxy.fetching import Fetches, Unknown
from mockserver.proxy.filling import ID, UNNAMED, Filling, key_of
from mockserver.proxy.headers import sent_path
from mockserver.proxy.target import SAFE, ProxyTarget

MOST = 20
"""Most differences of one answer."""
LONGEST = 10.0
"""Seconds for which the comparison of a stream waits for its turn."""
FAILING = "a target that fails, or is limited"
ANOTHER = "a record of another form"
STRANGE = (KeyError, TypeError, ValueError, AttributeError)
"""Errors of records that are not as the document has them."""
_QUEUE = re.compile(r"/(data_size|file_count|total_size|chunk_count|processing_\w+)$|/results|/file_search")
"""Places that depend on contents which the copy does not have, and on when the target embeds."""
_LONGEST = 120


class Comparison:
    """The mock beside the target: one request at a time, in the order in which the target gets them."""

    def __init__(self, target: ProxyTarget, copy: Copy, operation_at: Callable[[str], str]) -> None:
        """`operation_at`: operationId of a GET."""
        self.lock = threading.RLock()  # reentrant: garbage collection may close a stream at any point
        self._target, self._copy = target, copy
        self._names = Names()
        self._translation = Translation(self._names)
        self._fetch = Fetches(target, operation_at)
        self._filling = Filling(copy, self._names, self._fetch)
        self._comparer: Comparer | None = None
        self._begun, self._number = 0.0, 0
        self._counts, self._unknown = Counter[str](), Counter[str]()
        self._cancelled = set[str]()
        """Threads whose stream was cancelled."""
        self._drift: list[dict[str, Any]] = []

    @property
    def counts(self) -> dict[str, Any]:
        """What health tells."""
        return {
            "compared": self._counts["compared"],
            "different": self._counts["different"],
            "not_compared": dict(self._unknown),
            "fetched": self._fetch.count,
            "budget": self._target.options.compare_budget,
        }

    def line(self) -> str:
        """What is told at the end."""
        compared, different = self._counts["compared"], self._counts["different"]
        why = "".join(f"; {count} not compared: {text}" for text, count in self._unknown.most_common())
        return f"{compared} compared, {different} different, {self._fetch.count} fetched{why}"

    def write_drift(self) -> str:
        """Add the differences to the drift ledger; a line that says how many are new, or OSError."""
        path = self._target.options.drift
        if path is None:
            return ""
        found = ledger.add(path, self._drift, time.strftime("%Y-%m-%d", time.gmtime()))
        return f"{found.new} new differences, {found.known} known: {path}"

    def prepare(self, context: RequestContext) -> str:
        """Fill the copy for a request; empty, or why its answer can't be compared."""
        try:
            self._begin(context)
            self._filling.fill(context, context.request.received.decode("utf-8", "replace"))
        except Unknown as unknown:
            if context.matched.id == "cancelStream":
                self._cancelled.add(context.ids["thread_id"])
            return str(unknown)
        except Problem:
            return FAILING
        except STRANGE:
            return ANOTHER
        return ""

    def compare(self, context: RequestContext, why: str, theirs: Given | None) -> str:
        """Answer from the copy, note the differences, and say what became of it.

        `why`: it can't be compared; `theirs`: the target's answer, None if it is not whole.
        """
        writes = context.request.method not in (*SAFE, "OPTIONS")
        found = list[AnswerDifference]()
        if not why and (theirs is None or theirs.status == 429 or theirs.status >= 500):
            why = "an answer that is too large, or broke off" if theirs is None else FAILING
        if context.matched.id == "createResponse" and self._was_cancelled(context):
            why = why or "a stream that was cancelled"
        if not why and theirs is not None:
            try:
                why, found = self._found(context, theirs, writes=writes)
            except STRANGE:
                why = ANOTHER
        if writes and (why or found):
            text = context.request.received.decode("utf-8", "replace")
            self._filling.forget(ID.findall(f"{context.request.path}?{context.request.query} {text}"))
        if why:
            self._unknown[why] += 1
            return f"no: {why}"
        self._counts["compared"] += 1
        self._counts["different"] += bool(found)
        self._note(context, found, theirs)
        return "different" if found else "yes"

    def after_stream(self, compare: Callable[[], object]) -> None:
        """Compare a stream that has ended, unless another thread has waited for long.

        It can be closed in a thread that holds the journal's lock, for which that other thread waits.
        """
        if self.lock.acquire(timeout=LONGEST):
            try:
                compare()
            finally:
                self.lock.release()
        else:
            self._unknown["a stream that ended while others waited"] += 1

    def _found(
        self, context: RequestContext, theirs: Given, *, writes: bool
    ) -> tuple[str, list[AnswerDifference]]:
        """Why the two can't be compared, or their differences; what only the copy has done is undone."""
        before = self._copy.sandbox.state("") if writes else None
        if writes or theirs.status >= 400:
            self._copy.set_clock(theirs.body)
        ours = self._answered(context)
        if before is not None and ours.status < 300 <= theirs.status:
            self._copy.sandbox.restore(before)
        if ours.status >= 500:
            return "a failure of the mock", []
        self._name_user(context, theirs)
        found = self._differences(context, theirs, ours)
        if found and 403 in (theirs.status, ours.status) and not self._is_known(context):
            return "who may do this", []
        return "", found

    def _begin(self, context: RequestContext) -> None:
        if self._comparer is None:
            given = self._fetch(context, "/v1/threads?limit=1", anonymous=True)
            told = error_of(given.body).get("timestamp")
            clock = self._copy.sandbox.clock
            if isinstance(told, str):
                clock.freeze(int(moment(told) * 1_000_000))
                clock.resume()
            start, self._begun = clock.now() / 1_000_000, time.monotonic()
            self._comparer = Comparer(self._names, starts=(start, start))
        self._comparer.slack = SLACK + time.monotonic() - self._begun

    def _answered(self, context: RequestContext) -> Given:
        request = context.request
        path = self._translation.path(sent_path(request, ""))
        body = request.received
        translated = self._translation.body(body.decode()).encode() if is_text(body) else body
        return self._copy.answer(request, path, translated)

    def _differences(self, context: RequestContext, theirs: Given, ours: Given) -> list[AnswerDifference]:
        assert self._comparer is not None
        self._number += 1
        is_compared = any(
            each in theirs.headers.get("content-type", "json") for each in ("json", "event-stream")
        )
        if not is_compared and theirs.status == ours.status:
            return []  # contents of a file
        found = self._comparer.answers(theirs, ours, context.matched.id, str(self._number))
        return [each for each in found if not _QUEUE.search(each.pointer)][:MOST]

    def _was_cancelled(self, context: RequestContext) -> bool:
        named = {*ID.findall(context.request.received.decode("utf-8", "replace"))} & self._cancelled
        self._cancelled -= named
        return bool(named)

    def _name_user(self, context: RequestContext, theirs: Given) -> None:
        """Pair a user whom the target has not named with the one that it names as the maker of a record."""
        user, body = self._copy.user_of(key_of(context.request)), theirs.body
        if user.startswith(UNNAMED) and theirs.status == 201 and isinstance(body, dict):
            named = body.get("user_id") or body.get("created_by")
            if isinstance(named, str) and self._names.label(1, user) is None:
                self._names.add(f"user:{user}", named, user)

    def _is_known(self, context: RequestContext) -> bool:
        user = self._copy.user_of(key_of(context.request))
        return not user or user in self._copy.known_users

    def _note(self, context: RequestContext, found: list[AnswerDifference], theirs: Given | None) -> None:
        operation = context.matched.id
        for each in found:
            text = f"{each.kind}: the target {_short(each.left)}, the mock {_short(each.right)}"
            status = theirs.status if theirs is not None else 0
            different = {"operation": operation, "status": status, "in": "difference"}
            context.exchange.violations += (
                {**different, "pointer": each.pointer, "message": context.safe(text)},
            )
            if self._target.options.drift is not None:
                self._drift.append(self._drifted(operation, each))

    def _drifted(self, operation: str, each: AnswerDifference) -> dict[str, Any]:
        claim = next(iter(self._copy.assumptions), "")
        what = f"{each.kind} at {each.pointer}" if each.pointer else each.kind
        entry = {"operation": operation, "difference": what, "claim": claim or "unknown"}
        if claim and each.kind in ("status", "value") and each.pointer in ledger.PARTS:
            return {**entry, "part": ledger.PARTS[each.pointer], "value": each.left}
        return entry


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
