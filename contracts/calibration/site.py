"""Site of a calibration: the resources that its probes share on one target."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any

from contracts.checks.errors import Untested
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.role_client import RoleClient
from contracts.http.run import Run

PAUSE = 1.2
"""Seconds after which a time of whole seconds is another one."""
_NAMES = {
    "spaces": "space_id",
    "threads": "thread_id",
    "messages": "message_id",
    "vector-stores": "vector_store_id",
    "files": "file_id",
    "organizations": "organization_id",
    "response": "thread_id",
}
"""Segment of a path -> name of the id that follows it."""


class Site:
    """Target with lazily created resources of the owner, all in the run's ledger."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._created_at = 0.0
        self.idle: list[dict[str, Any]] = []
        """Spaces as old as `early`, each for one use."""

    @property
    def owner(self) -> RoleClient:
        """Client of the owner."""
        return self.run.owner

    @property
    def anonymous(self) -> RoleClient:
        """Client without a credential."""
        return RoleClient(self.run, None)

    @property
    def organization(self) -> dict[str, str]:
        """Query or field that names the organization."""
        return {"organization_id": self.run.organization_id}

    @cached_property
    def thread(self) -> str:
        """Thread in no space."""
        return str(self.owner.new_thread()["id"])

    @cached_property
    def space(self) -> str:
        """Space without threads."""
        return str(self.owner.new_space()["id"])

    @cached_property
    def editable(self) -> str:
        """Space that the editor may edit."""
        return str(self.owner.new_space(editable_by_users=[self.run.user_id("editor")])["id"])

    @cached_property
    def store(self) -> str:
        """Vector store that its creator alone may view."""
        return str(self.owner.new_vector_store(access_mode="private")["id"])

    @cached_property
    def early(self) -> dict[str, Any]:
        """Space as it was created, before the pause of `later`."""
        space, thread = self.owner.new_space(), self.owner.new_thread()
        added = self.owner.add(space["id"], thread["id"])
        self.idle = [self.owner.new_space() for _ in range(2)]
        self._created_at = time.monotonic()
        return {**space, "thread": thread["id"], "added_at": added.fields.get("added_at")}

    @cached_property
    def later(self) -> dict[str, Any]:
        """Space that was created a second later than `early`; Untested if no time passes at the target."""
        early = self.early
        self.pause(max(0.0, PAUSE - (time.monotonic() - self._created_at)))
        space = self.owner.new_space()
        if space["created_at"] == early["created_at"]:
            raise Untested("the target's clock stands still")
        return space

    @property
    def has_waited(self) -> bool:
        """Whether a second had to pass."""
        return "later" in vars(self)

    def pause(self, seconds: float) -> None:
        """Let time pass at the target."""
        time.sleep(seconds)

    def unknown(self, prefix: str) -> str:
        """Id that no resource has."""
        return self.run.unknown_id(prefix)


class MockSite(Site):
    """Mock, whose clock is advanced instead."""

    def pause(self, seconds: float) -> None:
        """Advance the clock; wait where the control API needs a token."""
        request = ClientRequest("PUT", "/__admin/clock", None, {"advance": seconds})
        if self.run.send_aside(request, None, {}).status != 200:
            super().pause(seconds)


def parts_of(answer: ClientResponse) -> dict[str, Any]:
    """Status, code and texts of an answer, without ids."""
    error = answer.error or answer.fields
    texts = {name: error.get(name) for name in ("code", "message", "system_message")}
    found = {name: _without_ids(text, answer) for name, text in texts.items() if isinstance(text, str)}
    return {"status": answer.status, **found}


def _without_ids(text: str, answer: ClientResponse) -> str:
    """Text with names in place of ids, such as {thread_id}."""
    steps = answer.request.path.partition("?")[0].split("/")
    ids: Mapping[str, str] = {id_: _NAMES[name] for name, id_ in pairwise(steps) if name in _NAMES and id_}
    for id_, name in ids.items():
        text = text.replace(id_, f"{{{name}}}")
    return re.sub(r"\b[a-z]+_(?:contracts[0-9a-z]+|[0-9a-f]{16,})\b", "{id}", text)
