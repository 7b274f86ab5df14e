"""Driver of Schemathesis' engine. The only file that depends on its frequently changing internals."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
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

from contracts.checks.errors import Broken, Intercepted, Spent, TargetUnreachable, Unanswered
from contracts.checks.spec import OpenApiDocument, document
from contracts.generated.exemptions import Exemptions
from contracts.generated.hypothesis_patches import patch_hypothesis
from contracts.generated.id_rewriting import IdRewriter
from contracts.generated.response_checks import ResponseChecks
from contracts.generated.types import BASE, EngineError, EngineFailure, GenerationPlan, as_request, config
from contracts.http.exchange import SAFE, ClientRequest, ClientResponse

VERSION = "4.32.5"
NOT_SENT = "contracts: not sent"
LINK_BODY = "x-request-body"
"""Body of a link; code generators refuse an object as `requestBody`."""
FIRST_CASES, SAMPLE = 4, 5
"""With a limited number of cases: requests that are always sent, then one in so many."""
STOPS = (Broken, Unanswered, TargetUnreachable, Spent)
"""Errors that a request may end with; none of them is one of the engine."""
MAX_UNANSWERED = 3
"""Unanswered requests after which an exploration ends."""


class Gateway(BaseTransport[Any]):
    """Application as seen by the engine: rewrites, guards, sends and checks requests."""

    def __init__(self, rewriter: IdRewriter) -> None:
        super().__init__()
        self._copy_serializers_from(REQUESTS_TRANSPORT)
        self.rewriter = rewriter
        self.exemptions = Exemptions(rewriter.run.ledger)
        self.response_checks = ResponseChecks(rewriter.run)
        self.pending: list[EngineFailure] = []
        self.sent: Counter[str] = Counter()
        """Requests sent, by operation; those with an undocumented method are not counted."""
        self.offered: Counter[str] = Counter()
        """Generated requests, by operation, sent or not."""
        self.unanswered: list[Unanswered] = []
        self.fatal: Exception | None = None
        """Error after which nothing more is sent."""

    def __call__(self, *_: Any) -> Any:
        """Never called; the engine requires a callable application."""
        raise AssertionError("the engine must use the gateway's transport")

    def serialize_case(self, case: Any, **kwargs: Any) -> dict[str, Any]:
        """Serialize a case as for a remote target."""
        return REQUESTS_TRANSPORT.serialize_case(case, **{**kwargs, "base_url": BASE})

    def send(self, case: Any, *, session: Any = None, **kwargs: Any) -> Response:
        """Response of the target, or a placeholder if the request was not sent."""
        headers = {**(session.headers if session is not None else {}), **(kwargs.get("headers") or {})}
        extra = {name: kwargs[name] for name in ("params", "cookies", "json", "data") if name in kwargs}
        try:
            data = self.serialize_case(case, headers=headers, **extra)
            prepared = requests.Request(**data).prepare()
            request = as_request(prepared)
        except (requests.RequestException, ValueError):
            return _response(requests.Request(case.method, f"{BASE}/").prepare(), None)
        return _response(prepared, self._sent(case, request))

    def _sent(self, case: Any, request: ClientRequest) -> ClientResponse | None:
        if self.fatal is not None:
            return None
        try:
            label = case.operation.label
            if self.rewriter.refusal(request) or self._left_out(label):
                return None
            before = self.response_checks.before(label, request)
            answer = self.rewriter.send(request)
            if answer is None:
                return None
            self.sent[label] += request.method == case.operation.method.upper()
            if answer.fault:
                message = f"the answer is not JSON: {answer.fault}"
                self.pending.append(EngineFailure(label, "answer_is_json", message, answer))
                return None
            self.exemptions.note(answer)
            looks = chain(
                self.response_checks.inspect(label, answer), self.response_checks.after(label, answer, before)
            )
            self.pending += [EngineFailure(label, check, message, answer) for check, message in looks]
        except STOPS as error:
            self._note(label, error)
            return None
        return answer

    def rewrite(self, case: Any) -> None:
        """Put ids of the run into a generated case; it may create resources for it."""
        if self.fatal is not None or (case.method in SAFE and not self.rewriter.run.read_only):
            return
        path = case.operation.path
        try:
            for place in ("path_parameters", "query"):
                values = getattr(case, place)
                if values:
                    rewritten = self.rewriter.parameters(case.method, path, dict(values))
                    if rewritten != dict(values):
                        setattr(case, place, rewritten)
            body = self.rewriter.body(path, case.body)
        except STOPS as error:
            self._note(case.operation.label, error)
            return
        if json.dumps(body, default=repr) != json.dumps(case.body, default=repr):
            case.body = body

    def _note(self, label: str, error: Exception) -> None:
        """Keep what stopped a request: a failure, a missing answer, or the end of all requests."""
        if isinstance(error, Broken):  # a create that returned what was there before
            self.pending.append(EngineFailure(label, "unique_id", str(error), self.rewriter.run.chain[-1]))
            return
        if isinstance(error, Unanswered):
            self.unanswered.append(error)
            if sum(not isinstance(each, Intercepted) for each in self.unanswered) < MAX_UNANSWERED:
                return
        self.fatal = error

    def _left_out(self, label: str) -> bool:
        """Whether the profile leaves the request out: all but the first, and a sample of the others.

        The sample is by position, so that a retry and another run send the same cases.
        """
        most = self.rewriter.run.settings.profile.cases
        self.offered[label] += 1
        if most is None or self.sent[label] < FIRST_CASES:
            return False
        return self.sent[label] >= most or self.offered[label] % SAMPLE > 0


class _Engine(Engine):
    """Engine without its own probes, which would bypass the gateway."""

    def get_phase_config(self, phase_name: PhaseName, **kwargs: Any) -> Phase:
        if phase_name in (PhaseName.PROBING, PhaseName.AUTH_BOOTSTRAP, PhaseName.SCHEMA_ANALYSIS):
            return Phase(name=phase_name, is_enabled=False, skip_reason=PhaseSkipReason.DISABLED)
        return super().get_phase_config(phase_name, **kwargs)


def explore(gateway: Gateway, run: GenerationPlan) -> Iterator[EngineFailure]:
    """Run the engine; yields every failure without an exemption, duplicates included."""
    patch_hypothesis()
    load_all_checks()
    schema = _schema(run._replace(operation=None, read_only=False), document()).clone()
    if run.operation is not None:
        schema = schema.include(operation_id=run.operation)
    if run.read_only:
        schema = schema.include(method="GET")
    schema = schema.exclude(func=lambda found: found.operation.label not in document().operations)
    schema.app = gateway
    schema.adapt_to_null_byte_in_header_failure()  # HTTP clients can't send such a header
    schema.adapt_to_path_decoder_rejection()  # not every server routes such a path
    stream = _Engine(schema=schema).execute()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for event in stream:
            if gateway.fatal is not None:
                stream.stop()
            elif isinstance(event, events.Interrupted):  # the engine swallows Ctrl-C
                raise KeyboardInterrupt
            elif isinstance(event, (events.NonFatalError, events.FatalError)):
                raise _error(event)
            if isinstance(event, events.ScenarioFinished):
                yield from _failures(event.recorder)
            yield from gateway.pending
            gateway.pending.clear()
    if gateway.fatal is not None:
        raise gateway.fatal
    if gateway.unanswered:
        raise gateway.unanswered[0]


@cache
def _schema(run: GenerationPlan, contract: OpenApiDocument) -> Any:
    """Parsed once for all operations; a clone shares nothing that an exploration learns."""
    found = schemathesis.Config.from_dict(config(run))
    # A copy: chains write resolved responses into the document.
    own = deepcopy(contract.raw)
    for link in _links(own):
        if LINK_BODY in link:
            link["requestBody"] = link.pop(LINK_BODY)
    return schemathesis.openapi.from_dict(own, config=found)


def _links(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Links of the responses of all operations."""
    for path in raw["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                for response in operation.get("responses", {}).values():
                    yield from response.get("links", {}).values()


def _error(event: Any) -> Exception:
    """EngineError for a problem of the engine; RuntimeError for one of our own code."""
    error, label = (event.value, event.label) if hasattr(event, "value") else (event.exception, "")
    inner = error.__cause__ or error
    if type(inner).__module__.partition(".")[0] in ("hypothesis", "schemathesis"):
        return EngineError(f"{label}: {str(inner)[:300]}")
    return RuntimeError(f"{label}: {type(inner).__name__}: {inner}")


def _failures(recorder: Any) -> Iterator[EngineFailure]:
    for case_id, checks in recorder.checks.items():
        interaction = recorder.interactions.get(case_id)
        answer = _answer(interaction.response) if interaction is not None else None
        for node in checks:
            if node.status != Status.FAILURE or answer is None:
                continue
            failure = node.failure_info.failure
            before = [
                found
                for other, seen in recorder.interactions.items()
                if other != case_id and seen.timestamp <= interaction.timestamp
                if (found := _answer(seen.response)) is not None
            ]
            case = recorder.cases[case_id].value
            negative = bool(case.meta and case.meta.generation.mode.is_negative)
            yield EngineFailure(
                failure.operation or case.operation.label,
                node.name,
                f"{failure.title}: {failure.message}",
                answer,
                tuple(before),
                negative,
            )


def _response(prepared: requests.PreparedRequest, answer: ClientResponse | None) -> Response:
    prepared.contracts = answer  # type: ignore[attr-defined]
    if answer is None:
        return Response(404, {}, b"", prepared, 0.0, verify=False, message=NOT_SENT)
    headers = {name: [value] for name, value in answer.headers.items()}
    content = answer.text.encode("utf-8", "replace")
    elapsed = answer.milliseconds / 1000
    return Response(answer.status, headers, content, prepared, elapsed, verify=False, encoding="utf-8")


def _answer(response: Any) -> ClientResponse | None:
    return None if response is None else getattr(response.request, "contracts", None)


def _before_call(_: Any, case: Any, __: Any) -> None:
    if isinstance(case.operation.app, Gateway):
        case.operation.app.rewrite(case)


def _filter_failure(_: Any, failure: Any, case: Any, response: Any) -> bool:
    gateway = case.operation.app
    if not isinstance(gateway, Gateway) or response is None:
        return True
    if response.message == NOT_SENT:
        return False
    if failure.title == "SSE event violates schema":
        return False  # OpenAPI 3.1 describes the whole stream, Schemathesis applies it to each event
    return not gateway.exemptions.covers(case, failure.checks, _answer(response))


_default_transport = transports.get


def _get(app: object) -> Any:
    return app if isinstance(app, Gateway) else _default_transport(app)


_before_call.__name__, _filter_failure.__name__ = "before_call", "filter_failure"
schemathesis.hook(_before_call)
schemathesis.hook(_filter_failure)
transports.get = _get
