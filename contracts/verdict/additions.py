"""Additions: fields of responses that openapi.yaml does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Fingerprint
from contracts.checks.spec import document
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run
from contracts.verdict.diff import at
from contracts.verdict.failure import Failure, Verdict, failure_of


class Additions:
    """Additions of every response of a run; they break the contract only if it is closed (`--closed`)."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, ClientResponse]] = {}
        """Operation -> JSON pointer of each addition, with the first response that has it."""
        self._reported: set[str] = set()

    def note(self, answer: ClientResponse) -> None:
        """Look for additions in one response."""
        operation = document().at(answer.request.method, answer.request.path)
        if operation is None:
            return
        for pointer in document().additions(operation, answer.status, answer.body):
            self.found.setdefault(operation.id, {}).setdefault(pointer, answer)

    def failures(self, check: Check, run: Run) -> Iterator[Failure]:
        """A failure for each operation with additions that had none yet."""
        for id_, pointers in self.found.items():
            if id_ in self._reported:
                continue
            self._reported.add(id_)
            pointer, answer = next(iter(pointers.items()))
            broken = Broken(
                f"{document().by_id(id_).label} answers with undocumented fields: {', '.join(pointers)}"[
                    :300
                ],
                got=at(answer.body, pointer.replace("*", "0")),
                evidence=document().basis(document().by_id(id_), answer.status).evidence,
                fingerprint=Fingerprint(id_, answer.status, pointer, "additionalProperties", ""),
                chain=(answer,),
            )
            yield failure_of(check, broken, (), run)._replace(confirmed=Verdict.BROKEN)

    def as_data(self) -> dict[str, list[str]]:
        """JSON pointers of the additions, by operation."""
        return {id_: [*pointers] for id_, pointers in self.found.items()}


def additions_of(run: Run) -> Additions:
    """Additions of a run, which are noted from the first call on."""
    if "additions" not in run.shared:
        found = run.shared["additions"] = Additions()
        run.on_exchange = _both(run.on_exchange, found.note)
    noted: Additions = run.shared["additions"]
    return noted


def _both(
    first: Callable[[ClientResponse], Any], second: Callable[[ClientResponse], Any]
) -> Callable[[ClientResponse], None]:
    def call(answer: ClientResponse) -> None:
        first(answer)
        second(answer)

    return call
