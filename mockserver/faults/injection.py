"""Faults injected into one request: by rules, by its own headers, and by the rate limit."""

from __future__ import annotations

import threading
from socket import socket

from mockserver.faults import example_answers
from mockserver.faults.broken_body import applicable_kind, damaged_answer
from mockserver.faults.hold import HeldStream, Hold, passes
from mockserver.faults.request_headers import NO_OVERRIDES, RequestOverrides, overrides_of
from mockserver.faults.rule import Fault, MatchedRequest
from mockserver.http.context import Injection, RequestContext
from mockserver.http.event_stream import Lines, WaitingSlots
from mockserver.http.log import Exchange
from mockserver.http.request import Answer, Request, header_safe


class Injector:
    """Applies faults to requests to the vendor's API."""

    def __init__(self, *, stopping: threading.Event, most_delayed: int, controls: bool) -> None:
        """`controls`: whether a request may inject faults by its own headers."""
        self._stopping = stopping
        self._held = WaitingSlots(most_delayed, "answers are held up by faults (see --threads)")
        self._controls = controls

    def inject(self, context: RequestContext) -> Answer | None:
        """Decide the request's faults and wait for their delay; an answer replaces the handler's.

        A Problem for a header that can't be granted. Everything time-dependent uses the instant of arrival.
        """
        request, faults, now = context.request, context.sandbox.faults, context.exchange.instant
        injection = context.injection = Injection()
        if faults.rate_limiter is not None:
            injection.headers += faults.rate_limiter.take(context.exchange.caller, now).items()
            if faults.taken is not None:
                faults.taken(context.exchange.caller, now)
        has_overrides = self._controls and request.has_controls
        overrides = overrides_of(request, context.trace_id) if has_overrides else NO_OVERRIDES
        fault = overrides.fault
        if not overrides.passes and faults.armed:
            operation = context.matched
            asked = MatchedRequest(
                operation.id, operation.method, request.path, context.exchange.caller, request.header
            )
            fault = faults.apply(asked, now)
        _apply_overrides(injection, overrides, context)
        if fault is not None:
            _apply_fault(injection, fault, context)
        if fault is not None and fault.hold is not None and fault.hold_after is None:
            self._wait(fault.hold, request)
        self._delay(injection, overrides.delay + (0.0 if fault is None else fault.delay), request)
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

    def _wait(self, hold: Hold, request: Request) -> None:
        self._held.take()
        released = hold.entered()
        try:
            with request.held:
                passes(released, self._stopping)
        finally:
            hold.left()
            self._held.release()

    def break_body(
        self, injection: Injection, answer: Answer, connection: socket | None, exchange: Exchange
    ) -> Answer:
        """The answer with the injected headers, and with damaged bytes if a fault says so."""
        answer.headers.extend(injection.headers)
        fault = injection.fault
        if fault is not None and fault.hold is not None and fault.hold_after is not None:
            hold_stream(answer.body, fault.hold, fault.hold_after, self._stopping, exchange)
        if fault is None or fault.damage is None:
            return answer
        wanted = fault.damage["kind"]
        kind = applicable_kind(wanted, connection, streams=not isinstance(answer.body, bytes))
        if kind and not self._held.acquire():
            kind = ""  # too many delayed answers: send it undamaged rather than not at all
        injection.label += f"; damage={kind or 'none'}"
        if kind != wanted:
            injection.label += f"; instead-of={wanted}"
        if not kind:
            return answer
        injection.source = "fault"
        return damaged_answer(answer, kind, fault.damage, connection, self._stopping.wait, self._held.release)


def hold_stream(body: object, hold: Hold, after: int, stopping: threading.Event, exchange: Exchange) -> None:
    """Let a stream wait after so many events, and note for how long; any other body is sent at once."""

    def ended(seconds: float) -> None:
        exchange.fault += f"; held after {after} events for {seconds:.1f} s"

    if isinstance(body, Lines):
        body.hold(after, HeldStream(hold, stopping, ended))


def _apply_overrides(injection: Injection, overrides: RequestOverrides, context: RequestContext) -> None:
    applied = []
    if overrides.handling is not None:
        applied.append(f"handling={overrides.handling}")
        injection.dropped = [] if overrides.handling == "lenient" else None
    if overrides.code is not None or overrides.example is not None:
        injection.answer = example_answers.example_answer(overrides.code, overrides.example, context)
        injection.source = "example" if context.api.foreign is None else context.exchange.source
        applied += [f"code={overrides.code}"] if overrides.code is not None else []
        applied += [f'example="{overrides.example}"'] if overrides.example is not None else []
    if applied:
        injection.headers.append(("Preference-Applied", ", ".join(applied)))


def _apply_fault(injection: Injection, fault: Fault, context: RequestContext) -> None:
    injection.fault, injection.label = fault, header_safe(fault.name)
    error = fault.error
    if error is None and fault.damage is not None and not fault.handled:
        error = {"status": 503}  # the client receives part of it at most
    if error is not None:
        injection.answer = example_answers.injected_answer(error, context)
        injection.source = "fault"
    if fault.error is not None:
        injection.label += f"; status={fault.error['status']}"
