"""Replay of a recording on another server: the same requests with its ids, and answers compared by kind."""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from comparison.answers import AnswerDifference, Comparer, moment
from comparison.given import KEY_STATES, SLACK, Given, error_of
from comparison.names import Names
from comparison.translation import Translation
from mockserver.http.redaction import MASK
from mockserver.proxy.exchange import Outgoing
from mockserver.proxy.target import ProxyTarget
from mockserver.recordings.recorded import PRODUCED, RecordedExchange

PATIENCE = 20.0
"""Seconds for which reads of one replay are repeated in all."""
AGAIN = 0.05
"""Seconds between two tries of a read."""
UNKNOWN = "ak_replayed_unknown"
"""Key of a caller whom the recorded server knew no more than this one does."""
_NOT_SENT = frozenset(
    ("host", "content-length", "accept-encoding", "connection", "cookie", "prefer", "user-agent", "expect")
)
_TEXTS = ("json", "text/event-stream")
"""Content types whose bodies are compared."""


@dataclass
class ReplayResult:
    """What became of one recorded exchange."""

    recorded: RecordedExchange
    skipped: str = ""
    """Why it was not sent."""
    differences: Sequence[AnswerDifference] = ()


class NoKey(Exception):
    """A role of the recording has no key."""


@dataclass
class Replay:
    """Replay on one target."""

    target: ProxyTarget
    keys: Callable[[str], str | None]
    """Role -> key."""
    settle: float = 2.0
    """Seconds for which a read is repeated until it answers as recorded."""
    names: Names = field(default_factory=Names)

    def run(self, recording: Sequence[RecordedExchange]) -> Iterator[ReplayResult]:
        """Send each request; NoKey before the first one if a role has none."""
        made = [each for each in recording if each.source in PRODUCED]
        self._refused = refused_roles(made)
        if missing := {each.role for each in made if each.role and self._key(each.role) is None}:
            raise NoKey(", ".join(sorted(missing)))
        self._took = made[-1].at - made[0].at if made else 0.0
        self._begin, self._patience = time.monotonic(), PATIENCE
        self._translation = Translation(self.names)
        comparer = Comparer(self.names, starts=(start_of(made), self._now()))
        for each in recording:
            if why := _unsendable(each):
                yield ReplayResult(each, skipped=why)
            else:
                yield ReplayResult(each, differences=self._compared(each, comparer))

    def _compared(self, recorded: RecordedExchange, comparer: Comparer) -> list[AnswerDifference]:
        begin = time.monotonic()
        comparer.slack = SLACK + self._took + begin - self._begin
        until = begin + (min(self.settle, self._patience) if recorded.method == "GET" else 0.0)
        while True:
            mark, answer = self.names.mark(), self._sent(recorded)
            found = [each for each in _differences(recorded, answer, comparer) if MASK not in str(each.left)]
            if not found or time.monotonic() >= until:
                self._patience -= time.monotonic() - begin
                return found
            self.names.back(mark)
            time.sleep(AGAIN)

    def _sent(self, recorded: RecordedExchange) -> Given:
        headers = {name: text for name, text in recorded.sent_headers.items() if _is_sent(name)}
        for name in ("x-api-key", "authorization"):
            if name in recorded.sent_headers and recorded.role:
                scheme = "Bearer " if name == "authorization" else ""
                headers[name] = scheme + str(self._key(recorded.role))
        if recorded.is_encoded:
            body = b64decode(recorded.sent)
        else:
            body = self._translation.body(recorded.sent).encode()
        return self._asked(recorded.method, self._translation.path(recorded.path), headers, body)

    def _asked(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Given:
        named = {"host": self.target.host, "accept-encoding": "identity", **headers}
        if body or method in ("POST", "PUT", "PATCH"):
            named["content-length"] = str(len(body))
        path = self.target.path + path
        received = self.target.send(Outgoing(method, path, list(named.items()), body), nullcontext())
        data, piece = b"", received.read()
        while piece:
            data, piece = data + piece, received.read()
        received.end()
        found = {name.lower(): value for name, value in received.headers}
        return Given(received.status, found, data.decode("utf-8", "replace"))

    def _key(self, role: str) -> str | None:
        return UNKNOWN if role in self._refused else self.keys(role)

    def _now(self) -> float:
        """Time of the target: that of an error, since a mock's clock can be another one."""
        answer = self._asked("GET", "/v1/threads?limit=1", {}, b"")
        if "timestamp" in error_of(answer.body):
            return moment(error_of(answer.body)["timestamp"])
        told = answer.headers.get("date", "")
        return parsedate_to_datetime(told).timestamp() if told else 0.0


def _differences(recorded: RecordedExchange, answer: Given, comparer: Comparer) -> list[AnswerDifference]:
    uid = str(recorded.order)
    kind = recorded.headers.get("content-type", "")
    if recorded.is_cut or (recorded.text and not any(each in kind for each in _TEXTS)):
        if recorded.status != answer.status:
            return [AnswerDifference("status", "", recorded.status, answer.status)]
        return []
    return comparer.answers(recorded, answer, recorded.operation, uid)


def _unsendable(recorded: RecordedExchange) -> str:
    if recorded.source not in PRODUCED:
        return f"the answer was not the target's, but of source {recorded.source}"
    if recorded.sent == MASK:
        return "its body is masked"
    if recorded.is_sent_cut:
        return "its body is longer than what is recorded"
    return ""


def key_states(recording: Sequence[RecordedExchange]) -> dict[str, str]:
    """Role -> state of a key that the server knew and refused."""
    found = {
        each.role: KEY_STATES.get(error_of(each.body).get("code", ""))
        for each in recording
        if each.status == 401
    }
    return {role: state for role, state in found.items() if state is not None}


def refused_roles(recording: Sequence[RecordedExchange]) -> set[str]:
    """Roles all of whose requests were refused: the server did not know their keys."""
    accepted = {each.role for each in recording if each.status != 401}
    return {each.role for each in recording} - accepted - key_states(recording).keys()


def start_of(recording: Sequence[RecordedExchange]) -> float:
    """Time of the recorded server when the recording began, which may be another than the proxy's."""
    for each in recording:
        body = each.body
        told = error_of(body).get("timestamp") or (
            body.get("created_at") if isinstance(body, dict) and each.status == 201 else None
        )
        if isinstance(told, str):
            return moment(told) - (each.at - recording[0].at)
    return recording[0].at if recording else 0.0


def _is_sent(name: str) -> bool:
    return (
        name not in _NOT_SENT
        and not name.startswith("x-mock-")
        and name not in ("x-api-key", "authorization")
    )
