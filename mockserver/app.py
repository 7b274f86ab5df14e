"""The application factory: wires settings, documents, handlers and sandboxes together."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask

from mockserver import optional_parts
from mockserver.admin.paging import ControlContext
from mockserver.admin.registration import admin_handlers
from mockserver.corridor import Corridor
from mockserver.embeddings.policy import Policy
from mockserver.extensions import blueprints
from mockserver.extensions.views import FlaskViews
from mockserver.faults import rate_limit
from mockserver.faults.injection import Injector
from mockserver.faults.rule_list import FaultDefaults, Faults
from mockserver.flask_app import ADMIN_PREFIX, MockServer
from mockserver.freddy import vendor_operations
from mockserver.freddy.auth import authenticate, token_first
from mockserver.freddy.revisions import following, handlers_of
from mockserver.http.admin_guard import AdminGuard
from mockserver.http.context import Api
from mockserver.http.cors import Cors, is_loopback
from mockserver.http.event_stream import MOST
from mockserver.http.large_answers import MOST as MOST_LARGE
from mockserver.http.large_answers import LargeAnswers
from mockserver.http.log import RequestLog
from mockserver.http.problems import problem_json, vendor_envelope
from mockserver.http.upload import BodyLimits
from mockserver.identity import identity
from mockserver.journal import journal
from mockserver.openapi.record_shapes import RecordShapes
from mockserver.openapi.spec import Spec
from mockserver.openapi.yaml_document import DocumentError
from mockserver.persistence.keeper import Keeper
from mockserver.persistence.opening import Opening, open_store
from mockserver.persistence.recovery import Recovery
from mockserver.profile.answers import ProfileAnswers, rendering
from mockserver.profile.profile import DeploymentProfile
from mockserver.sandbox import catalogue
from mockserver.sandbox.catalogue import Catalogue
from mockserver.sandbox.clock import REAL_TIME, ClockStart, instant
from mockserver.sandbox.directory import KEY_HOLDER
from mockserver.sandbox.sandbox import Data, Sandbox, SandboxState
from mockserver.sandbox.sandboxes import DEFAULT, SandboxLimits
from mockserver.sandbox.snapshots import Snapshots
from mockserver.sandbox.transaction import ChangeNotWritten
from mockserver.scenarios import loader
from mockserver.scenarios.generated_size import parse_size
from mockserver.scenarios.generated_world import generate
from mockserver.settings import REVISIONS, Settings
from mockserver.state_document.state_file import StateDocuments

if TYPE_CHECKING:
    from mockserver.foreign.api import ForeignApi
    from mockserver.proxy.options import ProxyOptions

__all__ = ["MockServer", "create_app"]
MUCH = 20_000
"""Threads or messages to generate that take about a second."""
STATE_DOCUMENT_SETTINGS = {"scenario", "generate", "seed"} | {
    name for name in Settings.model_fields if "embedding" in name
}
"""Settings that a state document contains as well."""


def create_app(
    settings: Settings | None = None,
    *,
    log: RequestLog | None = None,
    stopping: threading.Event | None = None,
    journals: journal.Journals | None = None,
    proxy: ProxyOptions | None = None,
) -> MockServer:
    """WSGI application of the mock; DocumentError if spec, handlers or scenario do not fit together.

    `stopping` ends every sleep, wait and stream; without it the application creates its own event.
    `journals`: those of an application that this one replaces. `proxy`: the server that answers instead.
    """
    settings = settings or Settings()
    log = log or RequestLog(quiet=settings.quiet, probes=settings.log_probes)
    front = None if proxy is None else optional_parts.front(proxy, log.notice)
    journals = journals or journal.Journals(
        journal.JournalLimits(
            settings.journal_entries, settings.journal_mb << 20, settings.journal_body_bytes
        )
    )

    control_spec = Spec(Path(str(resources.files("mockserver.admin") / "admin.yaml")), is_lax=False)
    loaded = load(settings, control_spec.body_defaults("addFault"))
    beside = loaded.beside
    known = [*loaded.spec.operations, *(id_ for each in beside for id_ in each.operations)]
    fault_defaults = _fault_defaults(settings, known, control_spec)

    def new_sandbox(name: str, start: SandboxState) -> Sandbox:
        faults, follows = Faults(fault_defaults), loaded.profile.follower()
        return Sandbox(name, start, journal=journals.new(name), faults=faults, follows=follows)

    stopping = stopping or threading.Event()
    parts = optional_parts.state_parts(settings, log.notice, stopping)
    snapshots = parts.snapshots
    sandboxes = parts.sandboxes(
        start(settings, loaded, control_spec, log.notice, snapshots),
        new=new_sandbox,
        limits=SandboxLimits(settings.max_sandboxes, settings.sandbox_idle_seconds, settings.require_sandbox),
        catalogue=loaded.catalogue,
        snapshots=snapshots,
    )
    profile = loaded.profile
    authenticates = token_first if profile.builds("A12") else authenticate
    if front is not None:
        front.callers = authenticates
    vendor = Api(
        loaded.spec,
        following(handlers_of(settings.revision), profile),
        prefix="",
        authenticate=authenticates if front is None else front.caller,
        name_of=(lambda caller: caller.user_id) if front is None else str,
        render=rendering(profile, vendor_envelope),
        cors=Cors(settings.cors_origins),
        not_mocked=vendor_operations(),
        makes_sandboxes=not settings.strict_sandboxes,
        answers=ProfileAnswers(profile) if profile.followed else None,
        redirects=lambda path: not profile.builds("A20" if path == "/v1/spaces" else "A48"),
    )
    if proxy is not None and front is not None and proxy.mode == "compare":
        limits = BodyLimits(settings.max_body_bytes, settings.max_file_bytes)
        of_users = replace(vendor, authenticate=authenticates, name_of=lambda caller: caller.user_id)
        optional_parts.compare(front, of_users, sandboxes.start, limits)
    modules = blueprints.executed(settings.extend)
    foreign = optional_parts.foreign_apis(settings, beside, blueprints.handlers(modules))
    documents = {"openapi.json": loaded.spec.document, "admin.json": control_spec.document}
    documents |= {f"{each.name}.json": each.document.content for each in beside}
    prefixes = {f"{each.name}.json": each.prefix for each in beside}
    token = _admin_token(settings)

    def about() -> Mapping[str, Any]:
        of_proxy = {} if front is None else front.about
        return {**of_proxy, "also": {each.name: each.about() for each in beside}} if beside else of_proxy

    handlers = admin_handlers(
        ControlContext(sandboxes, loaded.states, documents, loaded.served, settings.shown(), about, prefixes)
    )
    control = Api(
        control_spec,
        handlers if front is None else front.without_state(handlers),
        prefix=ADMIN_PREFIX,
        authenticate=lambda *_: None,
        name_of=lambda _: "-",
        render=problem_json,
        cors=Cors(),
        head=True,
        journaled=False,
        guard=AdminGuard(
            token=token, open_paths=[o.template for o in control_spec.operations.values() if o.is_open]
        ),
    )
    # Each stream occupies a thread, as does each one of the control API, which are counted apart: half of the
    # threads stay available to other requests.
    most_streams = min(MOST, max(1, settings.threads // 4))
    most_large = min(MOST_LARGE, max(1, settings.threads // 16))
    # Each delayed answer occupies a thread: some stay available, so that the control API still answers.
    most_delayed = max(1, (settings.threads - 2 * most_streams) * 3 // 4)

    # Longer prefixes first: one can be the beginning of another.
    apis = [control, *sorted(foreign, key=lambda api: -len(api.prefix)), vendor]

    def corridor(app: Flask) -> Corridor:
        made = parts.corridor if front is None else optional_parts.forwarding(front, most_delayed)
        return made(
            apis,
            sandboxes,
            log=log,
            limits=BodyLimits(settings.max_body_bytes, settings.max_file_bytes),
            stopping=stopping,
            secrets=[secret for secret in (settings.api_key, token, settings.replica_token) if secret],
            keep=settings.journal_body_bytes,
            most_streams=most_streams,
            large_answers=LargeAnswers(most_large),
            injector=Injector(
                stopping=stopping,
                most_delayed=most_delayed,
                controls=not (settings.no_request_controls or (proxy is not None and proxy.forward_sandbox)),
            ),
            views=FlaskViews(app),
            root=f"{ADMIN_PREFIX}/ready" if front is None else "",
            propagate=lambda: app.testing,
        )

    app = MockServer(corridor, vendor.routes, sandboxes, stopping, token, loaded.states)
    app.journals, app.profile, app.front, app.foreign = journals, profile, front, beside
    app.foreign_files = [file for each in beside for file in each.document.files]
    if front is not None:
        journals.watch = front.watch

    def recovery(whole_state: Callable[[str], bytes]) -> Recovery:
        return Recovery(apis, loaded.states, whole_state, new_sandbox, fault_defaults.rule)

    app.recovery = recovery
    blueprints.register(app, settings.extend, modules)
    app.keeper = parts.open(settings, loaded.states.spec, loaded.served, recovery)
    if settings.persist is not None:
        store = open_store(settings.persist, most_bytes=settings.persist_mb << 20, sync=settings.persist_sync)
        app.keeper = Keeper(store, loaded.states.spec, log.notice)
        also = {each.name: each.document.served for each in beside}
        served = {**loaded.served, "also": also} if also else loaded.served
        opening = Opening(app.keeper, recovery(store.state), sandboxes, log.notice)
        try:
            opening.open(identity(settings, served), settings.persist_on_mismatch)
        except (OSError, ChangeNotWritten) as error:
            store.close()
            raise DocumentError(f"--persist {settings.persist}: {error}") from error
    return app


def _admin_token(settings: Settings) -> str | None:
    """Token of the control API: the configured one; a generated one unless on loopback; else None."""
    if settings.admin_token or is_loopback(settings.host):
        return settings.admin_token
    return secrets.token_urlsafe(24)


def _fault_defaults(settings: Settings, operations: Collection[str], control_spec: Spec) -> FaultDefaults:
    """Default fields of a fault rule, and the faults active from the start."""
    plan = None if settings.rate_limit is None else rate_limit.plan(settings.rate_limit)
    defaults = control_spec.body_defaults("addFault")
    return FaultDefaults(defaults, operations, settings.faults, plan)


def _policy(settings: Settings) -> Policy:
    return Policy(
        seed=settings.seed,
        duration=round(settings.embedding_seconds * 1_000_000),
        slots=settings.embedding_slots,
        failure_rate=settings.embedding_failure_rate,
        retries=settings.embedding_retries,
    )


class Documents(NamedTuple):
    """Documents spec, scenarios and state documents."""

    spec: Spec
    catalogue: Catalogue
    states: StateDocuments
    served: Mapping[str, Any]
    """Title, version and SHA-256 of the document, its overlays, and the profile."""
    profile: DeploymentProfile
    beside: Sequence[ForeignApi]
    """Documents of `--also`."""


def start(
    settings: Settings,
    loaded: Documents,
    control_spec: Spec,
    note: Callable[[str], object],
    snapshots: Snapshots,
) -> SandboxState:
    """Default starting state of a sandbox; DocumentError if it can't be loaded.

    `note` gets a line before much is generated, and for each field that was adapted in a state document of
    another spec; `snapshots` those of the document.
    """
    said = sorted(settings.model_fields_set & STATE_DOCUMENT_SETTINGS)
    if said and settings.import_ is not None:
        flags = ", ".join("--" + name.replace("_", "-") for name in said)
        raise DocumentError(f"{flags}: --import sets this already; leave one of them out")
    clock_start = REAL_TIME if settings.freeze is None else ClockStart(instant(settings.freeze), frozen=True)
    if settings.import_ is None or _is_first_start(settings):
        data = loaded.catalogue.data(loader.name_of(settings.scenario))
        begin = SandboxState(data, _policy(settings), clock_start=clock_start, origin=f"scenario:{data.name}")
        return begin if settings.generate is None else _with_generated(begin, settings.generate, note)
    shape = control_spec.component("State")
    state, saved = loaded.states.read(settings.import_, lambda content: shape.errors(content, "body"), note)
    snapshots.save_all(saved, DEFAULT)
    return state if settings.freeze is None else state._replace(clock_start=clock_start)


def _is_first_start(settings: Settings) -> bool:
    """Whether the file to import is the one that this mock will write, and was not written yet."""
    file = settings.import_
    if file is None or settings.export_on_exit is None or file.resolve() != settings.export_on_exit.resolve():
        return False
    return not file.exists() or (file.is_file() and file.stat().st_size == 0)


def _with_generated(begin: SandboxState, text: str, note: Callable[[str], object]) -> SandboxState:
    """The state with generated data added; `note` gets a line before much of it."""
    sandbox = Sandbox("-", begin)
    try:
        size = parse_size(text)
        if size.threads * max(1, size.messages) >= MUCH:
            note(f"generating {size.threads:,} threads with {size.messages:,} messages each")
        generate(sandbox, size, begin.policy.seed)
    except ValueError as error:
        raise DocumentError(f"--generate: {error}") from error
    return sandbox.state(begin.origin)._replace(clock_start=begin.clock_start)


def load(settings: Settings, rule: Mapping[str, Any] | None = None) -> Documents:
    """Load the spec and the scenarios; DocumentError names the file, line and reason.

    `rule`: default values of a fault rule's fields.
    """
    profile = DeploymentProfile(settings.profile)
    profile.require_revision(settings.revision)
    spec = spec_of(settings, profile)
    beside = optional_parts.load_foreign(settings, spec)
    shapes = RecordShapes(spec.component, completes_replies=bool(spec.overlays))

    def load_data(name_or_file: str) -> Data:
        loaded = loader.load(name_or_file, shapes)
        for each in loaded.faults:
            if each["operation"] not in spec.operations:
                raise DocumentError(f"{name_or_file}: faults: {each['operation'][:80]!r} is no operation")
        if settings.api_key:
            loaded = loaded._replace(directory=loaded.directory.with_key(settings.api_key, KEY_HOLDER))
        return _with_rows(loaded, beside) if beside else loaded

    ours = loader.names()
    own = load_data(settings.scenario)
    folder = catalogue.files_in(settings.scenarios, ours) if settings.scenarios is not None else {}
    data = {name: load_data(str(file)) for name, file in folder.items()}
    return Documents(
        spec,
        Catalogue({**data, own.name: own}, {name: partial(load_data, name) for name in ours}),
        StateDocuments(spec.served, shapes, settings.api_key, rule),
        spec.served if settings.profile is None else {**spec.served, "profile": profile.served},
        profile,
        beside,
    )


def _with_rows(data: Data, beside: Iterable[ForeignApi]) -> Data:
    """The data, with rows of examples in each collection of which the scenario says nothing."""
    table = Sandbox("-", SandboxState(data)).foreign_rows
    for foreign in beside:
        for collection, rows in foreign.initial_rows():
            if not table.keys("collection", collection):
                table.load_new(
                    ((collection, id_), {"collection": collection, "id": id_, "value": row})
                    for id_, row in rows
                )
    return data._replace(versions={**data.versions, "foreign_rows": table.content})


def spec_of(settings: Settings, profile: DeploymentProfile | None = None) -> Spec:
    """Document that the settings serve; DocumentError if it, an overlay or the profile is invalid."""
    profile = profile or DeploymentProfile(settings.profile)
    own = [profile.overlay] if profile.overlay is not None else []
    return Spec(
        settings.spec or bundled_spec(),
        overlays=(
            *revision_overlays(settings.revision),
            *own,
            *optional_parts.vendors_overlays(settings),
        ),
        is_lax=profile.builds("A102") is None,
        plain_integers=profile.builds("A50") is not None,
    )


def bundled_spec() -> Path:
    """Path of openapi.yaml."""
    return _bundled("openapi.yaml")


def revision_overlays(revision: str) -> list[Path]:
    """Overlays that make a revision of the vendor's API from openapi.yaml; none for the first."""
    return [] if revision == REVISIONS[0] else [_bundled(f"overlays/{revision}.yaml")]


def _bundled(name: str) -> Path:
    """Path of a file inside the installed package, else at the repository's root."""
    inside = Path(str(resources.files("mockserver") / name))
    return inside if inside.is_file() else Path(__file__).parent.parent / name
