"""Operations of a document, ready to be served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mockserver.openapi.record_cache import RecordCache
from mockserver.openapi.schemas import Schema

FORM = "multipart/form-data"
JSON_TYPES = ("application/json", "application/problem+json")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Path, query or header parameter."""

    name: str
    place: str
    kind: str
    """integer, boolean, date-time or string: how the text is decoded."""
    required: bool
    default: Any
    schema: Schema


@dataclass(frozen=True, slots=True)
class Body:
    """Request body: JSON, or a form of uploaded files."""

    required: bool
    schema: Schema
    defaults: Mapping[str, Any]
    """The schema's top-level defaults, filled in for omitted fields."""
    fields: frozenset[str] | None
    """Its top-level fields, if others are ignored; None if they are invalid, or values of a map."""
    is_form: bool = False
    """Whether it is multipart/form-data, in which each field is a list of files."""
    is_lax: bool = True
    """Whether wrong values are read as the vendor's framework reads them (A50)."""


class Header(NamedTuple):
    """Header of a response."""

    required: bool
    kind: str
    schema: Schema
    example: Any


@dataclass(frozen=True, slots=True)
class Response:
    """One documented response."""

    content: Mapping[str, Schema]
    """JSON media type -> schema; empty for a response without content."""
    events: Schema | None
    """Schema of each event, if the response can be a stream."""
    files: frozenset[str]
    """Media types of files that the response can be."""
    headers: Mapping[str, Header]
    """By lower-case name."""
    lists: Mapping[str, RecordCache]
    """Lists of cached records, by field."""
    examples: Mapping[str, Any]
    """Example name -> JSON value; an unnamed example has the empty name."""


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
    """Whether it needs no credential: its `security` is empty."""
    in_sandbox: bool = True
    """False for `x-sandbox: none`: the operation is independent of sandboxes, and creates none."""
    makes_sandbox: bool = True
    """False for `x-sandbox: existing`: the operation reads a sandbox, and creates none."""
    max_body_bytes: int = 0
    """`x-max-body-bytes`: its own lower bound for the limit of the body."""
    carries_files: bool = False
    """`x-carries-files`: the body has files, so that another limit holds and the journal leaves it out."""
    kept: str = "entry"
    """`x-kept`: what `--persist` writes of it: an entry, a snapshot, or nothing of a `read`."""
    indented: bool = False
    """`x-indented`: the JSON answer is indented, to be compared line by line."""
