"""What a document says about one operation, ready to be served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.openapi.record_cache import Stored
from mockserver.openapi.schemas import Schema

JSON_TYPES = ("application/json", "application/problem+json")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One path, query or header parameter."""

    name: str
    place: str
    kind: str
    """integer, boolean or string: how its text is decoded."""
    required: bool
    default: Any
    schema: Schema


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON request body."""

    required: bool
    schema: Schema
    defaults: Mapping[str, Any]
    """The schema's top-level defaults, filled in for what the client left out."""


@dataclass(frozen=True, slots=True)
class Response:
    """One documented answer."""

    content: Mapping[str, Schema]
    """JSON media type -> schema; empty where the answer has no content."""
    events: Schema | None
    """The schema of each event, where the answer can be a stream."""
    files: frozenset[str]
    """Media types of files that the answer can be."""
    headers: Mapping[str, tuple[bool, str, Schema]]
    """lower-case name -> required, type, schema."""
    lists: Mapping[str, Stored]
    """By field: the lists that may hold stored records."""
    examples: Mapping[str, Any]
    """name -> JSON value; a single one has the empty name."""
    sample_headers: Mapping[str, str]
    """lower-case name -> the example of a header that is required."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, ready to be served."""

    id: str
    method: str
    template: str
    path: tuple[Parameter, ...]
    query: Mapping[str, Parameter]
    body: Body | None
    responses: Mapping[int, Response]
    headers: Mapping[str, Parameter] = field(default_factory=dict)
    is_open: bool = False
    """Nobody needs a credential for it: its `security` is empty."""
    in_sandbox: bool = True
    """False where `x-sandbox: none` says that it is about none, so that none is made for it."""
    max_body_bytes: int = 0
    """`x-max-body-bytes`: how much its body may have at least, whatever the limit of all others is."""
    indented: bool = False
    """`x-indented`: its answer is JSON to be read and compared line by line."""
