"""Who makes the requests of a check, what they may touch, and what they make."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from urllib.parse import quote

from contracts.checks.errors import Guarded, Unanswered, Untested
from contracts.http.exchange import SAFE, Answer, Request, Transport
from contracts.http.role_client import Caller
from contracts.safety.ledger import Ledger, Made
from contracts.settings import DEFAULT, Settings
from contracts.verdict.reproduction import Origins

ROLES = ("owner", "editor", "viewer", "outsider", "foreign")
"""Every operation is tried as each of them."""
CALLERS = (*ROLES, "admin")
"""Those for whom there may be a key; the admin's role overrides the permissions of single spaces."""
ASKS_A_MODEL = "/v1/model/response"
_ID_IN_PATH = re.compile(r"/(?:spaces|threads|vector-stores|messages)/([^/?]+)")
_ID_IN_BODY = ("space_id", "thread_id", "vector_store_ids")


def _was_refused_by_a_model(answer: Answer) -> bool:
    """Whether a question was refused before a model was asked, so that nobody pays for it."""
    asked = answer.request.method == "POST" and answer.request.path.partition("?")[0] == ASKS_A_MODEL
    return asked and answer.status in (401, 403, 413, 422)


class Team:
    """The callers of one run, on one target."""

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
        kept_calls: int = 0,
        settings: Settings = DEFAULT,
    ) -> None:
        self.organization_id = organization_id
        self.ledger = ledger
        self.run_id = run_id
        self.read_only = read_only
        self.space_ids = tuple(space_ids)
        """Spaces that were there before the run, to be looked at and never written to."""
        self.settings = settings
        self.chain: list[Answer] = []
        """The exchanges of the check that runs, in order."""
        self.origins = Origins()
        """Where each id of the run came from."""
        self.watch: Callable[[Answer], object] = lambda _: None
        """Is shown every exchange."""
        self.afresh = False
        """Whether a failure is tried again, so that nothing which earlier checks made may be used."""
        self._transport = transport
        self._keys = keys
        self._model_calls = model_calls
        self._kept_calls = kept_calls
        """Of these, how many requests that are made up must leave for the checks that ask on purpose."""
        self._counting = Lock()
        self._user_ids: dict[str, str] = {}
        self._count = 0

    def caller(self, role: str) -> Caller:
        """The caller of this role; Untested if there is no key."""
        if role not in self._keys:
            raise Untested(f"no key: set CONTRACTS_{role.upper()}_KEY")
        return Caller(self, role)

    @property
    def owner(self) -> Caller:
        """Makes the spaces and threads of the checks."""
        return self.caller("owner")

    def name(self, what: str = "space") -> str:
        """A name that tells whose leftovers something is."""
        self._count += 1
        return f"contracts {self.run_id} {what} {self._count}"

    def invented(self, prefix: str) -> str:
        """An id that nothing on the target has."""
        self._count += 1
        return self.ledger.invent(f"{prefix}_contracts{self.run_id}x{self._count}")

    def user_id(self, role: str) -> str:
        """The user behind a role's key, learned from a thread that the user makes."""
        if role not in self._user_ids:
            self._user_ids[role] = self.caller(role).new_thread()["user_id"]
        return self._user_ids[role]

    def may_ask_a_model(self, *, made_up: bool = False) -> None:
        """Count one question to the model, which a real target pays for; Untested if the run may not."""
        with self._counting:
            if self._model_calls <= (self._kept_calls if made_up else 0):
                raise Untested("it asks a model: allow some questions with --with-model N")
            self._model_calls -= 1

    def tells_a_key(self, text: str) -> bool:
        """Whether `text` holds one of the keys."""
        return any(key in text for key in self._keys.values())

    def send(self, request: Request) -> Answer:
        """Send a request, if it may be sent, and note the exchange, and in the ledger what it makes."""
        self._guard(request)
        key = self._keys[request.role] if request.role is not None else None
        intent, at = self.ledger.intend(request), time.monotonic()
        try:
            answer = self._transport.send(request, key)._replace(at=at)
        except Untested:
            if intent is not None:
                self.ledger.unmade(intent)  # it was not sent
            raise
        self.ledger.answered(intent, answer, self.organization_id)
        if _was_refused_by_a_model(answer):
            with self._counting:
                self._model_calls += 1
        self.chain.append(answer)
        self.origins.note(answer)
        self.watch(answer)
        return answer

    def remove(self, made: Made) -> Answer:
        """Delete something that the run made."""
        path = {
            "space": f"/v1/spaces/{made.id}",
            "thread": f"/v1/threads/{made.id}",
            "vector_store": f"/v1/organizations/{quote(made.organization_id)}/vector-stores/{made.id}",
        }[made.kind]
        answer = self.caller(made.role).ask("DELETE", path)
        if answer.status == 404:
            self.ledger.removed(made.id)
        return answer

    def _guard(self, request: Request) -> None:
        if request.method in SAFE:
            return
        if self.read_only:
            raise Untested("it writes, and the run is read-only")
        path = request.path.partition("?")[0]
        named = _ID_IN_PATH.findall(path)
        if isinstance(request.body, Mapping):
            for field in _ID_IN_BODY:
                value = request.body.get(field)
                named += value if isinstance(value, list) else [value] if isinstance(value, str) else []
        strange = [id_ for id_ in named if not self.ledger.owns(id_) and not id_.startswith("msg_")]
        if strange:
            raise Guarded(f"{request.method} {path} names {strange[0]}, which this run did not make")

    @property
    def roles(self) -> list[str]:
        """Those that have a key."""
        return list(self._keys)

    @property
    def sparing(self) -> bool:
        """Whether requests are few or slow."""
        return self._transport.limit.bounded

    def is_there(self) -> bool:
        """Whether the target still answers at all."""
        try:
            self._transport.send(Request("GET", "/v1/threads?limit=1", None), None)
        except Unanswered:
            return False
        return True

    def clean_up(self) -> list[str]:
        """Remove what the run made, in reverse; what could not be removed."""
        self._transport.limit.lift()
        self.read_only = False
        left = []
        for made in list(self.ledger.left()):
            try:
                answer = self.remove(made)
            except (Untested, Unanswered) as error:
                left.append(f"{made.kind} {made.id}: {error}")
                continue
            if answer.status not in (204, 404):
                left.append(f"{made.kind} {made.id}: {answer.status}")
        return left
