"""Request bodies of the whole server, with the bounds that the vendor's pages and clients state."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _bounded(pairs: dict[str, Any]) -> dict[str, Any]:
    for key, value in pairs.items():
        if len(key) > 64 or (isinstance(value, str) and len(value) > 512):
            raise ValueError("a key has at most 64 characters, a value 512")
    return pairs


def _with_text(value: str) -> str:
    if not value.strip():
        raise ValueError("the text is empty")
    return value.strip()


Metadata = Annotated[dict[str, Any], Field(max_length=16), AfterValidator(_bounded)]
Name = Annotated[str, Field(min_length=1, max_length=255)]
Title = Annotated[str, Field(max_length=200)]
SpaceMode = Literal["private", "organization", "public"]
StoreMode = Literal["private", "department", "organization", "public"]
Mode = Literal["on", "off", "auto"]
People = list[str] | None


class Grants(BaseModel):
    """Who has access to a space."""

    access_users: People = None
    access_departments: People = None
    editable_by_users: People = None
    editable_by_roles: People = None
    visible_to_roles: People = None


class NewSpace(Grants):
    """Body of createSpace; the one that forbids further fields."""

    model_config = ConfigDict(extra="forbid")
    organization_id: str
    name: Name
    description: str | None = None
    access_mode: SpaceMode = "private"


class SpaceChange(Grants):
    """Body of updateSpace."""

    name: Name = ""
    description: str | None = None
    access_mode: SpaceMode = "private"


class ThreadChange(BaseModel):
    """Body of updateThread."""

    title: Title | None = None
    metadata: Metadata | None = None
    assistant_id: str | None = None
    visible_in_ui: bool | None = None


class NewThread(ThreadChange):
    """Body of createThread."""

    organization_id: str


class MessageChange(BaseModel):
    """Body of updateThreadMessage."""

    content: Annotated[str, AfterValidator(_with_text)] | None = None
    metadata: Metadata | None = None


class Block(BaseModel):
    """Piece of text."""

    type: Literal["text"]
    text: str


class Input(BaseModel):
    """Message to answer."""

    role: Literal["user", "assistant", "system", "tool"]
    content: str | list[Block]
    files: Annotated[list[dict[str, Any]], Field(max_length=10)] | None = None
    id: str | None = None
    tool_call_id: str | None = None

    @model_validator(mode="after")
    def _names_its_call(self) -> Input:
        if self.role == "tool" and self.tool_call_id is None:
            raise ValueError("a tool names its call")
        return self

    @property
    def text(self) -> str:
        """Its text as one."""
        return self.content if isinstance(self.content, str) else " ".join(b.text for b in self.content)


class Tool(BaseModel):
    """Tool that the model may call."""

    type: str | None = None
    name: Annotated[str, Field(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=64)] | None = None
    description: Annotated[str, Field(max_length=1024)] | None = None
    server_label: str | None = None
    server_url: str | None = None
    configuration_id: Annotated[str, Field(pattern="^mcp_[a-f0-9]{32}$")] | None = None

    @model_validator(mode="after")
    def _has_one_server(self) -> Tool:
        if self.type == "mcp" and (self.server_url is None) == (self.configuration_id is None):
            raise ValueError("either configuration_id or server_url")
        return self


class SystemTool(BaseModel):
    """Settings of one system tool."""

    mode: Mode = "auto"
    provider: Literal["openai", "clipdrop", "google"] = "openai"


class SystemTools(BaseModel):
    """Settings of all system tools."""

    model_config = ConfigDict(extra="forbid")
    web_search: SystemTool | None = None
    code_interpreter: SystemTool | None = None
    image_operations: SystemTool | None = None
    file_search: SystemTool | None = None
    computer_use: SystemTool | None = None
    personal_connectors: SystemTool | None = None


class Question(BaseModel):
    """Body of createResponse."""

    inputs: Annotated[list[Input], Field(min_length=1)]
    organization_id: str | None = None
    thread_id: str | None = None
    space_id: str | None = None
    vector_store_ids: list[str] | None = None
    edit_message_id: str | None = None
    previous_message_id: str | None = None
    previous_response_id: str | None = None
    model: str = "gpt-4o"
    stream: bool = False
    store: bool = True
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    instructions: Annotated[str, Field(max_length=5000)] | None = None
    max_output_synapses: Annotated[int, Field(gt=0)] | None = None
    output_mode: Literal["text", "plain", "structured", "json"] | None = "text"
    include: list[str] | None = None
    metadata: Metadata | None = None
    assistant_id: str | None = None
    workflow_id: str | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    system_tools: SystemTools | None = None
    reasoning: dict[str, Any] | None = None
    partial_context: dict[str, Any] | None = None
    max_completion_tokens: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    max_tool_calls: float | None = None
    parallel_tool_calls: bool | None = None
    disable_rules: bool | None = None
    service_tier: str | None = None
    thread_context_mode: str | None = None

    @model_validator(mode="after")
    def _starts_at_one_place(self) -> Question:
        places = [self.edit_message_id, self.previous_message_id, self.previous_response_id]
        if sum(map(bool, places)) > 1:
            raise ValueError(
                "edit_message_id, previous_message_id and previous_response_id exclude each other"
            )
        if any(places[:2]) and not self.thread_id:
            raise ValueError("edit_message_id and previous_message_id need thread_id")
        if self.reasoning and self.model == "gpt-4o":
            raise ValueError("Model 'gpt-4o' does not support reasoning")
        labels = [tool.server_label for tool in self.tools or () if tool.type == "mcp"]
        if len(labels) > len(set(labels)):
            raise ValueError("a server_label is used twice")
        return self


class StoreChange(BaseModel):
    """Body of updateVectorStore."""

    name: Name | None = None
    description: str | None = None
    access_mode: StoreMode | None = None
    access_departments: People = None
    access_users: People = None
    flowplate_project_id: str | None = None
    flow_id: str | None = None


class NewStore(StoreChange):
    """Body of createVectorStore."""

    name: Name
    access_mode: StoreMode = "organization"


class Turn(BaseModel):
    """Message for a name."""

    role: Literal["user", "assistant"]
    content: str


class ForName(BaseModel):
    """Body of generateThreadName."""

    messages: list[Turn] | None = None
