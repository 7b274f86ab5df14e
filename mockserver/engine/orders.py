"""What is ordered for one request, by rules, by its own headers and by the rate limit; and its waiting."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from mockserver.engine import examples
from mockserver.engine.controls import NO_WISHES, Wishes, wishes_of
from mockserver.engine.damage import broken, kind_here
from mockserver.engine.examples import Asking
from mockserver.engine.faults import Faults
from mockserver.engine.problems import OfTheMock
from mockserver.engine.rules import Asked, Fault
from mockserver.engine.wire import Answer, Request, header_safe


class Held(OfTheMock):
    """503: as many requests as there may be are held up by faults already."""

    status = 503
    code = "SERVICE_UNAVAILABLE"
    message = "The service is busy. Please try again later."

    def __init__(self, most: int) -> None:
        reason = f"faults hold up {most} answers, the most at the same time; see --threads"
        super().__init__(reason, retry_after=1)
        self.headers = {"Retry-After": "1"}


@dataclass(slots=True)
class Order:
    """What becomes of one request."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    fault: Fault | None = None
    told: str = ""
    """The fault as X-Mock-Fault and the journal name it."""
    answer: Answer | None = None
    """Instead of the handler's."""
    source: str = "state"
    dropped: list[Any] | None = None
    """What is dropped from a request that is handled leniently; None if it is not."""


class Orders:
    """Asked about each request to the vendor's API for which anything is ordered."""

    def __init__(self, *, stopping: threading.Event, most_held: int, controls: bool) -> None:
        """`controls`: whether a request may order for itself."""
        self._stopping = stopping
        self._most_held = most_held
        self._held = threading.BoundedSemaphore(most_held)
        self._controls = controls

    def place(
        self, order: Order, request: Request, caller: str, faults: Faults, now: int, asking: Asking
    ) -> None:
        """Fill in `order`, and wait as long as it says; a Problem for what can't be granted."""
        if faults.limits is not None:
            order.headers += faults.limits.take(caller, now).items()
        ordering = self._controls and request.has_controls
        wishes = wishes_of(request, asking.trace_id) if ordering else NO_WISHES
        fault = wishes.fault
        if not wishes.passes and faults.armed:
            operation = asking.operation
            asked = Asked(operation.id, operation.method, request.path, caller, request.header)
            fault = faults.strike(asked, now)
        self._grant(order, wishes, asking)
        if fault is not None:
            order.fault, order.told = fault, header_safe(fault.name)
            self._answer(order, fault, asking)
        self._delay(order, wishes.delay + (0.0 if fault is None else fault.delay), request)

    def _grant(self, order: Order, wishes: Wishes, asking: Asking) -> None:
        applied = []
        if wishes.handling is not None:
            applied.append(f"handling={wishes.handling}")
            order.dropped = [] if wishes.handling == "lenient" else None
        if wishes.code is not None or wishes.example is not None:
            order.answer = examples.example_answer(wishes.code, wishes.example, asking)
            order.source = "example"
            applied += [f"code={wishes.code}"] if wishes.code is not None else []
            applied += [f'example="{wishes.example}"'] if wishes.example is not None else []
        if applied:
            order.headers.append(("Preference-Applied", ", ".join(applied)))

    def _answer(self, order: Order, fault: Fault, asking: Asking) -> None:
        error = fault.error
        if error is None and fault.damage is not None and not fault.handled:
            error = {"status": 503}  # of which the client sees a part at most
        if error is not None:
            order.answer = examples.ordered_answer(error, asking)
            order.source = "fault"
        if fault.error is not None:
            order.told += f"; status={fault.error['status']}"

    def _delay(self, order: Order, milliseconds: float, request: Request) -> None:
        if milliseconds <= 0:
            return
        if not self._held.acquire(blocking=False):
            raise Held(self._most_held)
        try:
            with request.held:
                self._stopping.wait(milliseconds / 1000)
        finally:
            self._held.release()
        order.headers.append(("X-Mock-Delay", str(round(milliseconds))))

    def damage(self, order: Order, answer: Answer, request: Request) -> Answer:
        """The answer as it is sent: with the order's headers, and its bytes broken if that is ordered."""
        answer.headers.extend(order.headers)
        fault = order.fault
        if fault is None or fault.damage is None:
            return answer
        wanted, connection = fault.damage["kind"], request.connection
        kind = kind_here(wanted, connection, streams=not isinstance(answer.body, bytes))
        if kind and not self._held.acquire(blocking=False):
            kind = ""  # the answer is done: it is better whole than not sent
        order.told += f"; damage={kind or 'none'}"
        if kind != wanted:
            order.told += f"; instead-of={wanted}"
        if not kind:
            return answer
        order.source = "fault"
        return broken(answer, kind, fault.damage, connection, self._stopping.wait, self._held.release)
