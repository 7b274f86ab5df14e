"""create_app(settings): the wiring, nothing else."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask

from mockserver.admin.paging import Mock
from mockserver.admin.registration import admin_handlers
from mockserver.corridor import Corridor
from mockserver.embeddings.policy import Policy
from mockserver.faults import rate_limit
from mockserver.faults.injection import Orders
from mockserver.faults.rule_list import Faults, Terms
from mockserver.freddy import HANDLERS
from mockserver.freddy.auth import authenticate
from mockserver.http.admin_guard import Guard
from mockserver.http.context import Api
from mockserver.http.cors import Cors, is_loopback
from mockserver.http.event_stream import MOST
from mockserver.http.log import RequestLog
from mockserver.http.problems import problem_json, vendor_envelope
from mockserver.journal import journal
from mockserver.openapi.spec import Spec
from mockserver.openapi.yaml_document import DocumentError
from mockserver.sandbox import catalogue
from mockserver.sandbox.catalogue import Catalogue
from mockserver.sandbox.clock import REAL_TIME, Dial, instant
from mockserver.sandbox.directory import KEY_HOLDER
from mockserver.sandbox.sandbox import Moment, Sandbox, World
from mockserver.sandbox.sandboxes import Limits, Sandboxes
from mockserver.scenarios import loader
from mockserver.scenarios.generated_size import parse
from mockserver.scenarios.generated_world import grow
from mockserver.settings import Settings
from mockserver.state_document.state_file import States

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ADMIN_PREFIX = "/__admin"
SAID_BY_STATE = {"scenario", "generate", "seed"} | {
    name for name in Settings.model_fields if "embedding" in name
}
"""Settings that a state document has too."""


class MockServer(Flask):
    """Flask's test client and ecosystem around our own corridor, which answers every request."""

    def __init__(
        self,
        corridor: Callable[[Callable[[], bool]], Corridor],
        sandboxes: Sandboxes,
        stopping: threading.Event,
        admin_token: str | None,
        states: States,
    ) -> None:
        super().__init__("mockserver", static_folder=None)
        self.sandboxes = sandboxes
        self.states = states
        self.stopping = stopping
        """Set when the server stops: every sleep, wait and stream waits on it."""
        self.admin_token = admin_token
        """What the control API asks for; None if it asks for nothing."""
        self._corridor = corridor(lambda: self.testing)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Every request, straight into the corridor."""
        return self._corridor(environ, start_response)

    def become(self, other: MockServer) -> None:
        """Answer as `other` does from now on; requests that are under way end as they began."""
        self.sandboxes, self.states = other.sandboxes, other.states
        self._corridor = other._corridor


def create_app(
    settings: Settings | None = None,
    *,
    log: RequestLog | None = None,
    stopping: threading.Event | None = None,
) -> MockServer:
    """The mock as a WSGI application; DocumentError if spec, handlers or scenario don't fit.

    `stopping` ends every sleep, wait and stream; the application makes one of its own without it.
    """
    settings = settings or Settings()
    log = log or RequestLog(quiet=settings.quiet)
    journals = journal.Journals(
        journal.Limits(settings.journal_entries, settings.journal_mb << 20, settings.journal_body_bytes)
    )

    loaded = load(settings)
    control_spec = Spec(Path(str(resources.files("mockserver.admin") / "admin.yaml")))
    terms = _fault_terms(settings, loaded.spec, control_spec)

    def new_sandbox(name: str, start: Moment) -> Sandbox:
        return Sandbox(name, start, journal=journals.new(), faults=Faults(terms))

    sandboxes = Sandboxes(
        start(settings, loaded, control_spec),
        new=new_sandbox,
        limits=Limits(settings.max_sandboxes, settings.sandbox_idle_seconds, settings.require_sandbox),
        catalogue=loaded.catalogue,
    )
    vendor = Api(
        loaded.spec,
        HANDLERS,
        prefix="",
        authenticate=authenticate,
        name_of=lambda caller: caller.user_id,
        render=vendor_envelope,
        cors=Cors(settings.cors_origins),
    )
    documents = {"openapi.json": loaded.spec.document, "admin.json": control_spec.document}
    token = _admin_token(settings)
    control = Api(
        control_spec,
        admin_handlers(Mock(sandboxes, loaded.states, documents, loaded.served)),
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
    stopping = stopping or threading.Event()
    # A stream holds a thread: half of them are kept for everybody else.
    most_streams = min(MOST, max(1, settings.threads // 2))
    # What a fault holds up holds a thread too: some are kept, so that the mock can still be steered.
    most_held = max(1, (settings.threads - most_streams) * 3 // 4)

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
            orders=Orders(stopping=stopping, most_held=most_held, controls=not settings.no_request_controls),
            propagate=propagate,
        )

    return MockServer(corridor, sandboxes, stopping, token, loaded.states)


def _admin_token(settings: Settings) -> str | None:
    """The token of the control API: the given one; one of our own where others can reach it; else none."""
    if settings.admin_token or is_loopback(settings.host):
        return settings.admin_token
    return secrets.token_urlsafe(24)


def _fault_terms(settings: Settings, spec: Spec, control_spec: Spec) -> Terms:
    """What a rule can say, and what goes wrong from the start."""
    plan = None if settings.rate_limit is None else rate_limit.plan(settings.rate_limit)
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


class Loaded(NamedTuple):
    """What the mock serves, and what it can begin with."""

    spec: Spec
    catalogue: Catalogue
    states: States
    served: Mapping[str, str]
    """Title, version and sha256 of the spec."""


def start(settings: Settings, loaded: Loaded, control_spec: Spec) -> Moment:
    """What every sandbox begins with that is not told otherwise; DocumentError if there is no such thing."""
    dial = REAL_TIME if settings.freeze is None else Dial(instant(settings.freeze), frozen=True)
    if settings.import_ is None:
        world = loaded.catalogue.world(loader.name_of(settings.scenario))
        begin = Moment(world, _policy(settings), dial=dial, origin=f"scenario:{world.name}")
        return begin if settings.generate is None else _grown(begin, settings.generate)
    if said := sorted(settings.model_fields_set & SAID_BY_STATE):
        flags = ", ".join("--" + name.replace("_", "-") for name in said)
        raise DocumentError(f"{flags}: the file of --import says that already; leave one of them out")
    shape = control_spec.component("State")
    moment = loaded.states.read(settings.import_, lambda content: shape.flaws(content, "body"))
    return moment if settings.freeze is None else moment._replace(dial=dial)


def _grown(begin: Moment, order: str) -> Moment:
    """The moment with a generated world in it."""
    sandbox = Sandbox("-", begin)
    try:
        grow(sandbox, parse(order), begin.policy.seed)
    except ValueError as error:
        raise DocumentError(f"--generate: {error}") from error
    return sandbox.moment(begin.origin)._replace(dial=begin.dial)


def load(settings: Settings) -> Loaded:
    """The spec and the scenarios; DocumentError says what is wrong with one of them."""
    spec = Spec(settings.spec or bundled_spec())
    component = cache(spec.component)

    def check(schema: str, record: Any) -> str:
        if component(schema).is_valid(record):
            return ""
        return ": ".join(filter(None, component(schema).first_error(record)))

    def world(name_or_file: str) -> World:
        loaded = loader.load(name_or_file, check)
        if settings.api_key:
            loaded = loaded._replace(directory=loaded.directory.with_key(settings.api_key, KEY_HOLDER))
        return loaded

    ours = loader.names()
    own = world(settings.scenario)
    folder = catalogue.files_in(settings.scenarios, ours) if settings.scenarios is not None else {}
    worlds = {name: world(str(file)) for name, file in folder.items()}
    served = {"title": spec.title, "version": spec.version, "sha256": spec.sha256}
    return Loaded(
        spec,
        Catalogue({**worlds, own.name: own}, {name: partial(world, name) for name in ours}),
        States(served, check, settings.api_key),
        served,
    )


def bundled_spec() -> Path:
    """openapi.yaml: inside the package when installed, at the root of the repository else."""
    inside = Path(str(resources.files("mockserver") / "openapi.yaml"))
    return inside if inside.is_file() else Path(__file__).parent.parent / "openapi.yaml"
