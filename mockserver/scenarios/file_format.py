"""What a scenario file may say; see docs/scenarios.md."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mockserver.sandbox.clock import instant

Id = Annotated[str, Field(min_length=1, max_length=255)]


def _real(text: str) -> str:
    instant(text)
    return text


Instant = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"), AfterValidator(_real)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RoleEntry(_Entry):
    """A role of an organization."""

    id: Id
    name: str
    capabilities: list[str] = []


class DepartmentEntry(_Entry):
    """A department of an organization."""

    id: Id
    name: str


class OrganizationEntry(_Entry):
    """An organization and what its access lists may name."""

    id: Id
    name: str
    roles: list[RoleEntry] = []
    departments: list[DepartmentEntry] = []


class KeyEntry(_Entry):
    """An API key of a user."""

    key: Annotated[str, Field(pattern=r"^[!-~]{4,255}$")]
    """As a header can hold it: printable ASCII, no blanks."""
    state: Literal["active", "expired", "deactivated", "paused"] = "active"


class MembershipEntry(_Entry):
    """What a user is in one organization."""

    organization: Id
    roles: list[Id] = []
    departments: list[Id] = []


class UserEntry(_Entry):
    """A user, their keys and organizations."""

    id: Id
    name: str
    keys: list[KeyEntry] = []
    member_of: list[MembershipEntry] = []


class VectorStoreEntry(_Entry):
    """A vector store that is no space's own."""

    id: Id
    organization_id: Id
    created_by: Id
    name: str
    description: str | None = None
    created_at: Instant


class MessageEntry(_Entry):
    """One message of a thread; without an id it gets one that depends on its place alone."""

    id: Id | None = None
    role: Literal["user", "assistant", "system", "tool"]
    content: str
    created_at: Instant


class ThreadEntry(_Entry):
    """A thread with its messages."""

    id: Id
    organization_id: Id
    user_id: Id
    title: str | None = None
    assistant_id: Id | None = None
    metadata: dict[str, str] | None = {}
    last_model_used: str | None = None
    is_pinned: bool = False
    pinned_at: Instant | None = None
    visible_in_ui: bool = True
    created_at: Instant
    updated_at: Instant | None = None
    messages: list[MessageEntry] = []


class SpaceThreadEntry(_Entry):
    """A thread's place in a space."""

    id: Id
    added_at: Instant


class SpaceVectorStoreEntry(_Entry):
    """A store attached to a space."""

    id: Id
    added_by: Id
    added_at: Instant


class SpaceEntry(_Entry):
    """A space with what is in it."""

    id: Id
    organization_id: Id
    created_by: Id
    name: str
    description: str | None = None
    vector_store_id: Id
    access_mode: str = "private"
    access_users: list[str] | None = None
    access_departments: list[str] | None = None
    editable_by_users: list[str] | None = None
    editable_by_roles: list[str] | None = None
    visible_to_roles: list[str] | None = None
    last_activity_at: Instant | None = None
    created_at: Instant
    updated_at: Instant | None = None
    threads: list[SpaceThreadEntry] = []
    vector_stores: list[SpaceVectorStoreEntry] = []


class ScenarioFile(_Entry):
    """The whole file."""

    description: str = ""
    organizations: list[OrganizationEntry]
    users: list[UserEntry]
    vector_stores: list[VectorStoreEntry] = []
    threads: list[ThreadEntry] = []
    spaces: list[SpaceEntry] = []
