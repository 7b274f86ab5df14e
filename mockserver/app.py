"""create_app(settings): the wiring, nothing else."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask

from mockserver.admin.handlers import admin_handlers
from mockserver.auth import authenticate
from mockserver.engine import limits
from mockserver.engine.corridor import Api, Corridor
from mockserver.engine.cors import Cors, is_loopback
from mockserver.engine.faults import Faults, Terms
from mockserver.engine.guard import Guard
from mockserver.engine.journal import Journals, Limits
from mockserver.engine.log import RequestLog
from mockserver.engine.orders import Orders
from mockserver.engine.problems import problem_json, vendor_envelope
from mockserver.engine.spec import Spec
from mockserver.engine.streams import MOST
from mockserver.handlers import HANDLERS
from mockserver.sandbox import scenario
from mockserver.sandbox.clock import Clock, instant
from mockserver.sandbox.directory import KEY_HOLDER
from mockserver.sandbox.policy import Policy
from mockserver.sandbox.sandbox import Sandbox, Sandboxes, World
from mockserver.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ADMIN_PREFIX = "/__admin"


class MockServer(Flask):
    """Flask's test client and ecosystem around our own corridor, which answers every request."""

    def __init__(
        self,
        corridor: Callable[[Callable[[], bool]], Corridor],
        sandboxes: Sandboxes,
        stopping: threading.Event,
        admin_token: str | None,
    ) -> None:
        super().__init__("mockserver", static_folder=None)
        self.sandboxes = sandboxes
        self.stopping = stopping
        """Set when the server stops: every sleep, wait and stream waits on it."""
        self.admin_token = admin_token
        """What the control API asks for; None if it asks for nothing."""
        self._corridor = corridor(lambda: self.testing)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Every request, straight into the corridor."""
        return self._corridor(environ, start_response)


def create_app(settings: Settings | None = None, *, log: RequestLog | None = None) -> MockServer:
    """The mock as a WSGI application; DocumentError if spec, handlers or scenario don't fit."""
    settings = settings or Settings()
    log = log or RequestLog(quiet=settings.quiet)
    spec, world = load(settings)
    frozen = None if settings.freeze is None else instant(settings.freeze)
    policy = _policy(settings)
    journals = Journals(
        Limits(settings.journal_entries, settings.journal_mb << 20, settings.journal_body_bytes)
    )
    vendor: Api[Any, Any] = Api(
        spec,
        HANDLERS,
        prefix="",
        authenticate=authenticate,
        name_of=lambda caller: caller.user_id,
        render=vendor_envelope,
        cors=Cors(settings.cors_origins),
    )
    control_spec = Spec(Path(str(resources.files("mockserver.admin") / "admin.yaml")))
    token = _admin_token(settings)
    control: Api[Any, Any] = Api(
        control_spec,
        admin_handlers(
            {"title": spec.title, "version": spec.version, "sha256": spec.sha256},
            spec.document,
            control_spec.document,
        ),
        prefix=ADMIN_PREFIX,
        authenticate=lambda *_: None,
        name_of=lambda _: "-",
        render=problem_json,
        cors=Cors(),
        journaled=False,
        guard=Guard(
            token=token, open_paths=[o.template for o in control_spec.operations.values() if o.is_open]
        ),
    )

    terms = _fault_terms(settings, spec, control_spec)

    def sandbox(name: str) -> Sandbox:
        def clock() -> Clock:
            return Clock(frozen)

        faults = Faults(terms)
        return Sandbox(name, world, policy=policy, new_clock=clock, journal=journals.new(), faults=faults)

    sandboxes, stopping = Sandboxes(sandbox), threading.Event()
    # A stream holds a thread: half of them are kept for everybody else.
    most_streams = min(MOST, max(1, settings.threads // 2))
    # What a fault holds up holds a thread too: some are kept, so that the mock can still be steered.
    most_held = max(1, (settings.threads - most_streams) * 3 // 4)
    controls = not settings.no_request_controls

    def corridor(propagate: Callable[[], bool]) -> Corridor:
        return Corridor(
            [control, vendor],
            sandboxes,
            log=log,
            max_body_bytes=settings.max_body_bytes,
            stopping=stopping,
            secrets=[secret for secret in (settings.api_key, token) if secret],
            keep=settings.journal_body_bytes,
            most_streams=most_streams,
            orders=Orders(stopping=stopping, most_held=most_held, controls=controls),
            propagate=propagate,
        )

    return MockServer(corridor, sandboxes, stopping, token)


def _admin_token(settings: Settings) -> str | None:
    """The token of the control API: the given one; one of our own where others can reach it; else none."""
    if settings.admin_token or is_loopback(settings.host):
        return settings.admin_token
    return secrets.token_urlsafe(24)


def _fault_terms(settings: Settings, spec: Spec, control_spec: Spec) -> Terms:
    """What a rule can say, and what goes wrong from the start."""
    plan = None if settings.rate_limit is None else limits.plan(settings.rate_limit)
    defaults = control_spec.body_defaults("addFault")
    return Terms(defaults, spec.operations.keys(), settings.faults, plan)


def _policy(settings: Settings) -> Policy:
    return Policy(
        seed=settings.seed,
        duration=round(settings.embedding_seconds * 1_000_000),
        slots=settings.embedding_slots,
        failure_rate=settings.embedding_failure_rate,
        retries=settings.embedding_retries,
    )


def load(settings: Settings) -> tuple[Spec, World]:
    """The spec and the starting world; DocumentError says what is wrong with either."""
    spec = Spec(settings.spec or bundled_spec())

    def check(schema: str, value: Any) -> str:
        return ": ".join(filter(None, spec.component(schema).first_error(value)))

    world = scenario.load(settings.scenario, check)
    if settings.api_key:
        world = world._replace(directory=world.directory.with_key(settings.api_key, KEY_HOLDER))
    return spec, world


def bundled_spec() -> Path:
    """openapi.yaml: inside the package when installed, at the root of the repository else."""
    inside = Path(str(resources.files("mockserver") / "openapi.yaml"))
    return inside if inside.is_file() else Path(__file__).parent.parent / "openapi.yaml"
