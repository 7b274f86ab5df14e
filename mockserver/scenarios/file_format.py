"""Format of scenario files; see docs/scenarios.md."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mockserver.sandbox.clock import instant

Id = Annotated[str, Field(min_length=1, max_length=255)]


def _real(text: str) -> str:
    instant(text)
    return text


Instant = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"), AfterValidator(_real)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RoleEntry(_Model):
    """Role of an organization."""

    id: Id
    name: str
    capabilities: list[str] = []


class DepartmentEntry(_Model):
    """Department of an organization."""

    id: Id
    name: str


class OrganizationEntry(_Model):
    """Organization, and the names that its access lists may use."""

    id: Id
    name: str
    roles: list[RoleEntry] = []
    departments: list[DepartmentEntry] = []


class KeyEntry(_Model):
    """API key of a user."""

    key: Annotated[str, Field(pattern=r"^[!-~]{4,255}$")]
    """Printable ASCII without blanks, so that a header can hold it."""
    state: Literal["active", "expired", "deactivated", "paused"] = "active"


class MembershipEntry(_Model):
    """Roles and departments of a user in one organization."""

    organization: Id
    roles: list[Id] = []
    departments: list[Id] = []


class UserEntry(_Model):
    """User with keys and memberships."""

    id: Id
    name: str
    keys: list[KeyEntry] = []
    member_of: list[MembershipEntry] = []


def _base64(text: str) -> str:
    b64decode(text, validate=True)
    return text


class FileEntry(_Model):
    """File of an organization; its content is `text` or `base64`."""

    id: Id
    organization_id: Id
    uploaded_by: Id
    filename: str
    mime_type: str = ""
    """By the extension of the name if it is empty."""
    text: str = ""
    base64: Annotated[str, AfterValidator(_base64)] | None = None
    uploaded_at: Instant


class StoredFileEntry(_Model):
    """File in a vector store."""

    id: Id
    link_id: Id | None = None
    """Id that it has in the store; one is derived from its place if it is missing."""
    added_by: Id
    added_at: Instant


class VectorStoreEntry(_Model):
    """Vector store that does not belong to a space, with its files."""

    id: Id
    organization_id: Id
    created_by: Id
    name: str
    description: str | None = None
    created_at: Instant
    files: list[StoredFileEntry] = []


class MessageEntry(_Model):
    """Message of a thread; a missing id is derived from its place."""

    id: Id | None = None
    role: Literal["user", "assistant", "system", "tool"]
    content: str
    metadata: dict[str, Any] = {}
    created_at: Instant


class ThreadEntry(_Model):
    """Thread with its messages."""

    id: Id
    organization_id: Id
    user_id: Id
    title: str | None = None
    assistant_id: Id | None = None
    metadata: dict[str, Any] | None = {}
    workflow_id: str | None = None
    last_model_used: str | None = None
    is_pinned: bool = False
    pinned_at: Instant | None = None
    visible_in_ui: bool = True
    created_at: Instant
    updated_at: Instant | None = None
    messages: list[MessageEntry] = []


class SpaceThreadEntry(_Model):
    """Thread in a space."""

    id: Id
    added_at: Instant


class SpaceVectorStoreEntry(_Model):
    """Store attached to a space."""

    id: Id
    link_id: Id | None = None
    """Id of the attachment; one is derived from its place if it is missing."""
    added_by: Id
    added_at: Instant


class ForeignRowEntry(_Model):
    """Row of a collection of a document of `--also`."""

    collection: Annotated[str, Field(pattern=r"^[A-Za-z][\w-]*:/.*$", max_length=1000)]
    """NAME:/path, without a prefix."""
    id: Id
    value: dict[str, Any]


class SpaceEntry(_Model):
    """Space with its threads and stores."""

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


class ModelEntry(_Model):
    """Language model."""

    id: Annotated[str, Field(pattern="^mdl_")]
    key: str
    name: str
    description: str | None = None
    provider: str | None = None
    is_visible_in_ui: bool = True
    is_deprecated: bool = False
    availability_status: Literal["general_availability", "coming_soon"] = "general_availability"
    capabilities: list[str] = []
    context_window: int | None = None
    pricing: str | None = None
    details: dict[str, Any] = {}
    """Further fields, which a list has only with include_details."""


class OutputModeEntry(_Model):
    """Output mode of createResponse."""

    mode: str
    description: str
    is_default: bool = False


class ReasoningLevelEntry(_Model):
    """Reasoning level of createResponse."""

    level: str
    description: str
    is_default: bool = False


class AssistantEntry(_Model):
    """Assistant of an organization."""

    id: Id
    organization_id: Id
    name: str
    description: str | None = None
    created_by: Id
    created_at: Instant
    is_active: bool = True


class ReplyEntry(_Model):
    """Reply of the model that is queued from the start."""

    text: Annotated[str, Field(min_length=1)]
    stop_reason: str = "end_turn"


class FaultErrorEntry(_Model):
    """Error that is answered instead."""

    status: Annotated[int, Field(ge=400, le=599)]
    retry_after: Annotated[int, Field(ge=0, le=86_400)] | None = None


class FaultEntry(_Model):
    """Fault from the start: requests to the operation that come after `skip` others, `times` of them."""

    operation: Id
    skip: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    error: FaultErrorEntry


class ScenarioFile(_Model):
    """Scenario file."""

    description: str = ""
    organizations: list[OrganizationEntry]
    users: list[UserEntry]
    models: list[ModelEntry] = []
    """Without this list there are the default models; modes and levels likewise."""
    output_modes: list[OutputModeEntry] = []
    reasoning_levels: list[ReasoningLevelEntry] = []
    assistants: list[AssistantEntry] = []
    files: list[FileEntry] = []
    vector_stores: list[VectorStoreEntry] = []
    threads: list[ThreadEntry] = []
    spaces: list[SpaceEntry] = []
    foreign_rows: list[ForeignRowEntry] = []
    replies: list[ReplyEntry] = []
    faults: list[FaultEntry] = []
