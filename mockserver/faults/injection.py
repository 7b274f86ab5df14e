"""What is ordered for one request, by rules, by its own headers and by the rate limit; and its waiting."""

from __future__ import annotations

import threading
from socket import socket

from mockserver.faults import example_answers
from mockserver.faults.broken_body import broken, kind_here
from mockserver.faults.request_headers import NO_WISHES, Wishes, wishes_of
from mockserver.faults.rule import Asked, Fault
from mockserver.http.context import Injection, RequestContext
from mockserver.http.event_stream import Places
from mockserver.http.request import Answer, Request, header_safe


class Orders:
    """Asked about each request to the vendor's API for which anything is ordered."""

    def __init__(self, *, stopping: threading.Event, most_held: int, controls: bool) -> None:
        """`controls`: whether a request may order for itself."""
        self._stopping = stopping
        self._held = Places(most_held, "answers are held up by faults (see --threads)")
        self._controls = controls

    def place(self, context: RequestContext) -> Answer | None:
        """Note what is ordered, and wait as long as that says; the answer if it is not the handler's.

        A Problem for what can't be granted. What depends on time is decided at the instant of entry.
        """
        request, faults, now = context.request, context.sandbox.faults, context.exchange.instant
        injection = context.injection = Injection()
        if faults.limits is not None:
            injection.headers += faults.limits.take(context.exchange.caller, now).items()
        ordering = self._controls and request.has_controls
        wishes = wishes_of(request, context.trace_id) if ordering else NO_WISHES
        fault = wishes.fault
        if not wishes.passes and faults.armed:
            operation = context.matched
            asked = Asked(
                operation.id, operation.method, request.path, context.exchange.caller, request.header
            )
            fault = faults.strike(asked, now)
        _grant(injection, wishes, context)
        if fault is not None:
            _take(injection, fault, context)
        self._delay(injection, wishes.delay + (0.0 if fault is None else fault.delay), request)
        return injection.answer

    def _delay(self, injection: Injection, milliseconds: float, request: Request) -> None:
        if milliseconds <= 0:
            return
        self._held.take()
        try:
            with request.held:
                self._stopping.wait(milliseconds / 1000)
        finally:
            self._held.release()
        injection.headers.append(("X-Mock-Delay", str(round(milliseconds))))

    def damage(self, injection: Injection, answer: Answer, connection: socket | None) -> Answer:
        """The answer as it is sent: with the order's headers, and its bytes broken if that is ordered."""
        answer.headers.extend(injection.headers)
        fault = injection.fault
        if fault is None or fault.damage is None:
            return answer
        wanted = fault.damage["kind"]
        kind = kind_here(wanted, connection, streams=not isinstance(answer.body, bytes))
        if kind and not self._held.acquire(blocking=False):
            kind = ""  # the answer is done: it is better whole than not sent
        injection.label += f"; damage={kind or 'none'}"
        if kind != wanted:
            injection.label += f"; instead-of={wanted}"
        if not kind:
            return answer
        injection.source = "fault"
        return broken(answer, kind, fault.damage, connection, self._stopping.wait, self._held.release)


def _grant(injection: Injection, wishes: Wishes, context: RequestContext) -> None:
    applied = []
    if wishes.handling is not None:
        applied.append(f"handling={wishes.handling}")
        injection.dropped = [] if wishes.handling == "lenient" else None
    if wishes.code is not None or wishes.example is not None:
        injection.answer = example_answers.example_answer(wishes.code, wishes.example, context)
        injection.source = "example"
        applied += [f"code={wishes.code}"] if wishes.code is not None else []
        applied += [f'example="{wishes.example}"'] if wishes.example is not None else []
    if applied:
        injection.headers.append(("Preference-Applied", ", ".join(applied)))


def _take(injection: Injection, fault: Fault, context: RequestContext) -> None:
    injection.fault, injection.label = fault, header_safe(fault.name)
    error = fault.error
    if error is None and fault.damage is not None and not fault.handled:
        error = {"status": 503}  # of which the client sees a part at most
    if error is not None:
        injection.answer = example_answers.ordered_answer(error, context)
        injection.source = "fault"
    if fault.error is not None:
        injection.label += f"; status={fault.error['status']}"
