"""Drives Schemathesis' engine. The only file that knows its inside, which changes from week to week."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

import requests
import schemathesis
from schemathesis import transport as transports
from schemathesis.checks import load_all_checks
from schemathesis.core.transport import Response
from schemathesis.engine import Status, events
from schemathesis.engine.core import Engine
from schemathesis.engine.run import Phase, PhaseName, PhaseSkipReason
from schemathesis.transport import BaseTransport
from schemathesis.transport.requests import REQUESTS_TRANSPORT

from contracts.checks.errors import Spent, Unanswered, Unreachable
from contracts.checks.spec import Document
from contracts.generated.exemptions import Excuses
from contracts.generated.hypothesis_patches import hasten
from contracts.generated.id_rewriting import Steer
from contracts.generated.response_checks import Riders
from contracts.generated.types import BASE, EngineError, Finding, Run, as_request, config
from contracts.http.exchange import SAFE, Answer, Request

VERSION = "4.32.5"
NOT_SENT = "contracts: not sent"
PATIENCE = 3
"""Requests without an answer after which an exploration ends."""


class Gateway(BaseTransport[Any]):
    """What the engine takes for the application: it steers, guards, sends and looks on."""

    def __init__(self, document: Document, steer: Steer) -> None:
        super().__init__()
        self._copy_serializers_from(REQUESTS_TRANSPORT)
        self.document = document
        self.steer = steer
        self.excuses = Excuses(steer.team.ledger)
        self.riders = Riders(steer.team)
        self.riding: list[Finding] = []
        self.sent: Counter[str] = Counter()
        """How many requests of each operation went out, those with an undocumented method not counted."""
        self.unanswered: list[Unanswered] = []
        self.dead: Exception | None = None
        """Why nothing more is sent."""

    def __call__(self, *_: Any) -> Any:
        """Never called; the engine wants an application to be callable."""
        raise AssertionError("the engine was to use the gateway's transport")

    def serialize_case(self, case: Any, **kwargs: Any) -> dict[str, Any]:
        """As for any other target."""
        return REQUESTS_TRANSPORT.serialize_case(case, **{**kwargs, "base_url": BASE})

    def send(self, case: Any, *, session: Any = None, **kwargs: Any) -> Response:
        """The target's answer, or one that says that the request was not sent."""
        headers = {**(session.headers if session is not None else {}), **(kwargs.get("headers") or {})}
        given = {name: kwargs[name] for name in ("params", "cookies", "json", "data") if name in kwargs}
        try:
            data = self.serialize_case(case, headers=headers, **given)
            prepared = requests.Request(**data).prepare()
            request = as_request(prepared)
        except (requests.RequestException, ValueError):
            return _response(_nothing(case), None)
        return _response(prepared, self._sent(case, request))

    def _sent(self, case: Any, request: Request) -> Answer | None:
        if self.dead is not None:
            return None
        try:
            label = case.operation.label
            before = self.riders.before(label, request) if not self.steer.refusal(request) else None
            answer = self.steer.send(request)
            if answer is None:
                return None
            self.sent[label] += request.method == case.operation.method.upper()
            if answer.fault:
                message = f"the answer is not JSON: {answer.fault}"
                self.riding.append(Finding(label, "answer_is_json", message, answer))
                return None
            self.excuses.watch(answer)
            looks = chain(self.riders.look(label, answer), self.riders.after(label, answer, before))
            self.riding += [Finding(label, check, message, answer) for check, message in looks]
        except Unanswered as error:
            self.unanswered.append(error)
            if len(self.unanswered) == PATIENCE:
                self.dead = error
            return None
        except (Unreachable, Spent) as error:
            self.dead = error
            return None
        return answer


class _Engine(Engine):
    """The engine without probes of its own: they would not go through the gateway."""

    def get_phase_config(self, phase_name: PhaseName, **kwargs: Any) -> Phase:
        if phase_name in (PhaseName.PROBING, PhaseName.AUTH_BOOTSTRAP, PhaseName.SCHEMA_ANALYSIS):
            return Phase(name=phase_name, is_enabled=False, skip_reason=PhaseSkipReason.DISABLED)
        return super().get_phase_config(phase_name, **kwargs)


def explore(gateway: Gateway, run: Run) -> Iterator[Finding]:
    """Send what Schemathesis makes up; every failure that nothing excuses, repeated ones included."""
    hasten()
    load_all_checks()
    schema: Any = schemathesis.openapi.from_dict(
        gateway.document.raw, config=schemathesis.Config.from_dict(config(run))
    )
    if run.operation is not None:
        schema = schema.include(operation_id=run.operation)
    if run.read_only:
        schema = schema.include(method="GET")
    schema.app = gateway
    schema.adapt_to_null_byte_in_header_failure()  # http clients send no such header
    schema.adapt_to_path_decoder_rejection()  # nor does every server route such a path
    stream = _Engine(schema=schema).execute()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for event in stream:
            if gateway.dead is not None:
                stream.stop()
            elif isinstance(event, events.Interrupted):  # the engine has taken Ctrl-C for itself
                raise KeyboardInterrupt
            yield from _told(event)
            yield from gateway.riding
            gateway.riding.clear()
    if gateway.dead is not None:
        raise gateway.dead
    if gateway.unanswered:
        raise gateway.unanswered[0]


def _told(event: Any) -> Iterator[Finding]:
    if isinstance(event, events.ScenarioFinished):
        yield from _failures(event.recorder)
    elif isinstance(event, events.NonFatalError):
        raise _error(event.value, event.label)
    elif isinstance(event, events.FatalError):
        raise _error(event.exception, "")


def _error(error: Exception, label: str) -> Exception:
    """The engine's own trouble is nothing to fail for; a mistake in what we put into it has to be seen."""
    inner = error.__cause__ or error
    if type(inner).__module__.partition(".")[0] in ("hypothesis", "schemathesis"):
        return EngineError(f"{label}: {str(inner)[:300]}")
    return RuntimeError(f"{label}: {type(inner).__name__}: {inner}")


def _failures(recorder: Any) -> Iterator[Finding]:
    for case_id, checks in recorder.checks.items():
        for node in checks:
            interaction = recorder.interactions.get(case_id)
            if node.status != Status.FAILURE or interaction is None or interaction.response is None:
                continue
            answer = _answer(interaction.response)
            if answer is None:
                continue
            failure = node.failure_info.failure
            before = [
                found
                for other, seen in recorder.interactions.items()
                if other != case_id and seen.response is not None and seen.timestamp <= interaction.timestamp
                if (found := _answer(seen.response)) is not None
            ]
            case = recorder.cases[case_id].value
            negative = bool(case.meta and case.meta.generation.mode.is_negative)
            yield Finding(
                failure.operation or case.operation.label,
                node.name,
                f"{failure.title}: {failure.message}",
                answer,
                tuple(before),
                negative,
            )


def _nothing(case: Any) -> requests.PreparedRequest:
    return requests.Request(case.method, f"{BASE}/").prepare()


def _response(prepared: requests.PreparedRequest, answer: Answer | None) -> Response:
    prepared.contracts = answer  # type: ignore[attr-defined]
    if answer is None:
        return Response(404, {}, b"", prepared, 0.0, verify=False, message=NOT_SENT)
    headers = {name: [value] for name, value in answer.headers.items()}
    content = answer.text.encode("utf-8", "replace")
    elapsed = answer.milliseconds / 1000
    return Response(answer.status, headers, content, prepared, elapsed, verify=False, encoding="utf-8")


def _answer(response: Any) -> Answer | None:
    found: Answer | None = getattr(response.request, "contracts", None)
    return found


def _before_call(_: Any, case: Any, __: Any) -> None:
    gateway = case.operation.app
    if not isinstance(gateway, Gateway):
        return
    steer = gateway.steer
    if case.method in SAFE and not steer.team.read_only:
        return
    path = case.operation.path
    for place in ("path_parameters", "query"):
        given = getattr(case, place)
        if given:
            steered = steer.parameters(case.method, path, dict(given))
            if steered != dict(given):
                setattr(case, place, steered)
    body = steer.body(path, case.body)
    if json.dumps(body, default=repr) != json.dumps(case.body, default=repr):
        case.body = body


def _filter_failure(_: Any, failure: Any, case: Any, response: Any) -> bool:
    gateway = case.operation.app
    if not isinstance(gateway, Gateway) or response is None:
        return True
    if response.message == NOT_SENT:
        return False
    if failure.title == "SSE event violates schema":
        return False  # OpenAPI 3.1 describes the whole stream, Schemathesis takes it for one event
    return not gateway.excuses.excuse(case, failure.checks, _answer(response))


_chosen = transports.get


def _get(app: object) -> Any:
    return app if isinstance(app, Gateway) else _chosen(app)


_before_call.__name__, _filter_failure.__name__ = "before_call", "filter_failure"
schemathesis.hook(_before_call)
schemathesis.hook(_filter_failure)
transports.get = _get
