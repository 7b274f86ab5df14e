"""Run: the shared state of one execution of the suite, with the write guard and the ledger."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any
from urllib.parse import quote

from contracts.checks.errors import Excluded, OutOfQuestions, Unanswered, Untested, WriteGuardError
from contracts.http.documents import revisions
from contracts.http.exchange import SAFE, ClientRequest, ClientResponse
from contracts.http.origin import refuse_foreign
from contracts.http.parallel import in_parallel
from contracts.http.role_client import RoleClient
from contracts.http.sending import Sending
from contracts.http.settle import Settling
from contracts.http.transport import Transport
from contracts.safety.ledger import CreatedResource, Ledger
from contracts.safety.write_guard import deletes_collection
from contracts.settings import DEFAULT, RunSettings
from contracts.verdict.reproduction import IdSources

ROLES = ("owner", "editor", "viewer", "outsider", "foreign")
"""Roles with which every operation is tried."""
KEY_ROLES = (*ROLES, "admin")
"""Roles that may have a key; an admin overrides the permissions of single spaces."""
GRACE, GRACE_EACH = 120.0, 2.0
"""Seconds that clean-up may take after the run, and in addition for each created resource."""
_ID_IN_PATH = re.compile(
    r"/(?:spaces|threads|vector-stores|messages|files)/(?!upload\b|upload-base64\b|usage\b)([^/?]+)"
)
_ID_IN_BODY = ("space_id", "thread_id", "vector_store_ids", "file_id")


class Run:
    """One execution of the suite against one target."""

    def __init__(
        self,
        transport: Transport,
        keys: Mapping[str, str],
        organization_id: str,
        *,
        ledger: Ledger,
        run_id: str,
        read_only: bool = False,
        space_ids: Sequence[str] = (),
        model_calls: int = 0,
        reserved_calls: int = 0,
        settings: RunSettings = DEFAULT,
        settle: float = 0.0,
    ) -> None:
        self.organization_id = organization_id
        self.ledger = ledger
        self.run_id = run_id
        self.read_only = read_only
        self.space_ids = tuple(space_ids)
        """Existing spaces that are read and never written to."""
        self.settings = settings
        self.chain: list[ClientResponse] = []
        """Exchanges of the current check, in order."""
        self.id_sources = IdSources()
        """Exchange that first returned each id."""
        self.on_exchange: Callable[[ClientResponse], object] = lambda _: None
        """Called with every exchange."""
        self.shared: dict[str, Any] = {}
        """What checks of this run share, such as the differences of lock step."""
        self.fresh_resources = False
        """Whether a failure is being retried, without resources of earlier checks."""
        self.requires_organization: Callable[[str, str], bool] = lambda *_: False
        """Whether a request, by method and path, has to name the organization in its query."""
        self.revision = revisions()[0]
        """Revision that the target speaks, as far as is known."""
        self._transport = transport
        self._keys = keys
        self._asked_for = self._model_calls = model_calls
        self._reserved_calls = reserved_calls
        """Model calls that generated requests leave to the behaviour checks."""
        self._unsent = 0
        """Questions that are used up and not yet sent."""
        self._counting = Lock()
        self._sending = Sending()
        self.settling = Settling(
            settle,
            organization_id,
            lambda request: transport.send(
                self._addressed(request), keys[request.role] if request.role is not None else None
            ),
        )
        self._user_ids: dict[str, str] = {}
        self._count = 0

    def client(self, role: str) -> RoleClient:
        """Client of a role; Untested without a key."""
        if role not in self._keys:
            raise Excluded(f"no key: set CONTRACTS_{role.upper()}_KEY")
        return RoleClient(self, role)

    @property
    def owner(self) -> RoleClient:
        """Client that creates the resources of the checks."""
        return self.client("owner")

    def name(self, what: str = "space") -> str:
        """Unique name that identifies the run."""
        self._count += 1
        return f"contracts {self.run_id} {what} {self._count}"

    def unknown_id(self, prefix: str) -> str:
        """Id that no resource of the target has."""
        self._count += 1
        return self.ledger.allow(f"{prefix}_contracts{self.run_id}x{self._count}")

    def user_id(self, role: str) -> str:
        """User id behind a role's key, read from a thread created with it."""
        if role not in self._user_ids:
            self._user_ids[role] = self.client(role).new_thread()["user_id"]
        return self._user_ids[role]

    @property
    def may_ask(self) -> bool:
        """Whether the run may ask a model at all."""
        return self._asked_for > 0

    def spend_model_question(self, *, generated: bool = False) -> None:
        """Use up one model call, which a real target pays for; Untested if none is left."""
        with self._counting:
            if self._model_calls <= (self._reserved_calls if generated else 0):
                if self._asked_for:
                    used_up = f"the {self._asked_for} questions of --with-model are used up: allow more"
                    raise OutOfQuestions(used_up)
                raise Excluded("it asks a model: allow some questions with --with-model N")
            self._model_calls -= 1
            self._unsent += 1

    def has_key(self, role: str, key: str) -> bool:
        """Whether a role's key is this one."""
        return self._keys.get(role) == key

    def contains_key(self, text: str) -> bool:
        """Whether `text` contains one of the keys."""
        return any(key in text for key in self._keys.values())

    def _addressed(self, request: ClientRequest) -> ClientRequest:
        """Request that names the organization, where the revision requires it and it does not yet."""
        path, _, query = request.path.partition("?")
        if "organization_id=" in query or not self.requires_organization(request.method, path):
            return request
        named = f"organization_id={quote(self.organization_id, safe='')}"
        return request._replace(path=f"{path}?{query}&{named}" if query else f"{path}?{named}")

    def send(self, request: ClientRequest, *, as_it_is: bool = False) -> ClientResponse:
        """Send a request after the write guard; record the exchange and created resources.

        `as_it_is`: generated or recorded, so that nothing is added to its query.
        """
        request = request if as_it_is else self._addressed(request)
        self._guard(request)
        key = self._keys[request.role] if request.role is not None else None
        self.settling.wait(request)
        with self._sending.request():
            return self._sent(request, key)

    def _sent(self, request: ClientRequest, key: str | None) -> ClientResponse:
        intent, at = self.ledger.intend(request), time.monotonic()
        try:
            answer = refuse_foreign(self._transport.send(request, key)._replace(at=at))
        except Untested:
            if intent is not None:
                self.ledger.not_created(intent)  # the request was not sent
            raise
        if request.asks_model:
            with self._counting:
                spent, self._unsent = self._unsent > 0, max(0, self._unsent - 1)
                # What was refused before it reached the model costs nothing.
                self._model_calls += spent and answer.status in (401, 403, 413, 422)
        self.chain.append(answer)
        try:
            self.ledger.answered(intent, answer, self.organization_id)
        finally:
            self.settling.note(answer)
            self.id_sources.note(answer)
            self.on_exchange(answer)
        return answer

    def send_aside(
        self, request: ClientRequest, key: str | None, headers: Mapping[str, str]
    ) -> ClientResponse:
        """Send a request to a sandbox of a mock; the request is neither guarded nor counted."""
        with self._always(headers):
            return self._transport.send(request, key)

    def send_aside_together(
        self, requests: Sequence[tuple[ClientRequest, str | None]], headers: Mapping[str, str]
    ) -> list[ClientResponse]:
        """Send requests with their keys likewise, at the same time."""
        with self._always(headers):
            return in_parallel(lambda each: self._transport.send(*each), requests)

    @contextmanager
    def _always(self, headers: Mapping[str, str]) -> Iterator[None]:
        """Headers of every request meanwhile."""
        always = self._transport.always
        self._transport.always = {**always, **headers}
        try:
            yield
        finally:
            self._transport.always = always

    def pause(self, seconds: float) -> None:
        """Let time pass: the clock of a mock that serves this run alone is advanced."""
        if self._transport.fresh:
            self.send_aside(ClientRequest("PUT", "/__admin/clock", None, {"advance": seconds}), None, {})
        else:
            time.sleep(seconds)

    def remove(self, made: CreatedResource) -> ClientResponse:
        """Delete a resource that the run created."""
        organization = f"/v1/organizations/{quote(made.organization_id)}"
        path = {
            "space": f"/v1/spaces/{made.id}",
            "thread": f"/v1/threads/{made.id}",
            "vector_store": f"{organization}/vector-stores/{made.id}",
            "file": f"{organization}/files/{made.id}",
        }[made.kind]
        answer = self.client(made.role).ask("DELETE", path)
        if answer.status == 404:
            self.ledger.removed(made.id)
        return answer

    def permits(self, request: ClientRequest) -> bool:
        """Whether a request passes the write guard."""
        try:
            self._guard(request)
        except (WriteGuardError, Excluded):
            return False
        return not deletes_collection(request.method, request.path)

    def _guard(self, request: ClientRequest) -> None:
        if request.method in SAFE:
            return
        if self.read_only:
            raise Excluded("it writes, and the run is read-only")
        path = request.path.partition("?")[0]
        named = _ID_IN_PATH.findall(path)
        if isinstance(request.body, Mapping):
            for field in _ID_IN_BODY:
                value = request.body.get(field)
                named += value if isinstance(value, list) else [value] if isinstance(value, str) else []
        foreign = [id_ for id_ in named if not self.ledger.owns(id_) and not id_.startswith("msg_")]
        if foreign:
            raise WriteGuardError(
                f"{request.method} {path} names {foreign[0]}, which this run did not create"
            )

    @property
    def roles(self) -> list[str]:
        """Roles that have a key."""
        return list(self._keys)

    @property
    def rate_limited(self) -> bool:
        """Whether a request rate or budget is set."""
        return self._transport.limit.bounded

    def require_budget(self) -> None:
        """Raise Spent if no request may be sent any more."""
        self._transport.limit.require()

    def responds(self) -> bool:
        """Whether the target still responds."""
        try:
            self._transport.send(ClientRequest("GET", "/v1/threads?limit=1", None), None)
        except Unanswered:
            return False
        return True

    def _removed(self, made: CreatedResource) -> ClientResponse:
        """Delete a resource; sent again after a gateway's error, since it can be deleted only once."""
        for _ in range(3):
            try:
                return self.remove(made)
            except Unanswered:
                time.sleep(0.2)
        return self.remove(made)

    def clean_up(self) -> list[str]:
        """Delete created resources, newest first; return a line for each that remains.

        What other threads of the run are sending is waited for, and then nothing of theirs is sent.
        """
        self._sending.end()
        created = list(self.ledger.left())
        self._transport.limit.lift(GRACE + GRACE_EACH * len(created))
        self.read_only = False
        left = []
        for made in created:
            try:
                answer = self._removed(made)
            except (Untested, Unanswered, WriteGuardError) as error:
                left.append(f"{made.kind} {made.id}: {error}")
                continue
            if answer.status not in (204, 404):
                left.append(f"{made.kind} {made.id}: {answer.status}")
        return left
