"""OpenAPI document as a table of operations; unsupported documents are refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from mockserver.openapi import lint
from mockserver.openapi.completed import complete_examples
from mockserver.openapi.keywords import EVENT_STREAM, METHODS
from mockserver.openapi.marks import refuse_bad_marks
from mockserver.openapi.operation import FORM, JSON_TYPES, Body, Header, Operation, Parameter, Response
from mockserver.openapi.record_cache import lists_of
from mockserver.openapi.references import Pointer, examples_in, resolved
from mockserver.openapi.schemas import Schema, Schemas
from mockserver.openapi.yaml_document import Document, DocumentError

PASSED = Path(cache_from_source(__file__)).with_name("documents.passed")
"""Documents that passed the checks, stored beside the bytecode: the checks take a quarter of the start."""
MOST_PASSED = 16
"""Most documents remembered; the oldest is dropped first."""
FILE_TYPES = ("text/html", "text/css", "text/javascript", "image/png", "application/octet-stream")
"""Served as they are: their schema only says that there is content."""


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _named(document: Mapping[str, Any]) -> dict[str, str]:
    return {name: document["info"][name] for name in ("title", "version")}


class _PassedChecks:
    """Record that a document passed the checks, by its hash and the version of the checks."""

    def __init__(self, memory: Path, sha256: str) -> None:
        self._memory = memory
        rules = max(file.stat().st_mtime_ns for file in Path(__file__).parent.glob("*.py"))
        self._entry = f"{sha256}:{rules}"

    def is_known(self) -> bool:
        return self._entry in self._entries()

    def remember(self) -> None:
        """Best effort: where it can't be written, the next start checks again."""
        with suppress(OSError):
            self._memory.parent.mkdir(exist_ok=True)
            self._memory.write_text("\n".join([*self._entries(), self._entry][-MOST_PASSED:]), "ascii")

    def _entries(self) -> list[str]:
        with suppress(OSError, UnicodeDecodeError):
            return self._memory.read_text("ascii").split()
        return []


class Spec:
    """One OpenAPI 3.1 document; DocumentError if anything in it can't be served."""

    def __init__(
        self,
        path: Path,
        memory: Path = PASSED,
        overlays: Sequence[Path | Document] = (),
        *,
        is_lax: bool = True,
        plain_integers: bool = False,
    ) -> None:
        """`memory`: file that lists the documents that passed the checks; `overlays`: applied in order.

        `is_lax`: whether bodies are read as the vendor's framework reads them.
        `plain_integers`: whether integers in a query are digits alone.
        """
        self._is_lax, self._integer = is_lax, "plain-integer" if plain_integers else "integer"
        self._file = Document(path)
        self.sha256 = _sha256(self._file.text)
        self.overlays = [each if isinstance(each, Document) else Document(each) for each in overlays]
        self.changes: Sequence[object] = ()
        """What the overlays changed; each is one line as text."""
        if overlays:
            from mockserver.openapi.overlay import OverlaidDocument  # most mocks have none

            self._file = overlaid = OverlaidDocument(self._file, self.overlays)
            self.changes = overlaid.changes
        self.document: Mapping[str, Any] = self._file.content
        whole = b"".join(_sha256(each.text).encode() for each in self.overlays)
        passed = _PassedChecks(memory, _sha256(self.sha256.encode() + whole) if overlays else self.sha256)
        is_known = passed.is_known()
        if not is_known:
            lint.refuse_unsupported(self._file)
            refuse_bad_marks(self._file)
        if overlays:
            complete_examples(self.document)
        self._components: Mapping[str, Any] = self.document.get("components", {})
        self._schemas = Schemas(self._components, completes=bool(overlays))
        self.operations: Mapping[str, Operation] = self._table()
        if not is_known:
            lint.refuse_bad_links(self._file, self.operations)
            # Schemas of their own, which are released then: most are compiled only for the checks.
            lint.refuse_bad_values(self._file, Schemas(self._components))
            passed.remember()

    @property
    def served(self) -> dict[str, Any]:
        """Title, version and SHA-256 of the document, and those of its overlays, if it has any."""
        overlays = [{**_named(each.content), "sha256": _sha256(each.text)} for each in self.overlays]
        served = {**_named(self.document), "sha256": self.sha256}
        return {**served, "overlays": overlays} if overlays else served

    def error(self, operation: Operation | None, reason: str) -> DocumentError:
        """Error of an operation, or of all paths, addressed by file and line."""
        at = () if operation is None else (operation.template, operation.method.lower())
        return self._file.error(("paths", *at), reason)

    def component(self, name: str) -> Schema:
        """The compiled schema `components.schemas[name]`."""
        if name not in self._components.get("schemas", {}):
            raise self._file.error(
                ("components", "schemas"), f"schema {name!r} is missing; the mock needs it"
            )
        return self._schemas.schema({"$ref": f"#/components/schemas/{name}"})

    def body_defaults(self, operation: str) -> Mapping[str, Any]:
        """Defaults of the operation's request body, by field."""
        body = self.operations[operation].body
        return {} if body is None else body.defaults

    def _table(self) -> dict[str, Operation]:
        table: dict[str, Operation] = {}
        for template, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    at = ("paths", template, method)
                    operation = self._operation(template, method, item, at)
                    if operation.id in table:
                        raise self._file.error(at, f"operationId {operation.id!r} is used twice")
                    table[operation.id] = operation
        return table

    def _operation(self, template: str, method: str, item: Mapping[str, Any], at: Pointer) -> Operation:
        node = item[method]
        nodes = [
            resolved(self.document, p) for p in (*item.get("parameters", ()), *node.get("parameters", ()))
        ]
        parameters = [self._parameter(p, (*at, "parameters")) for p in nodes]
        path = {p.name: p for p in parameters if p.place == "path"}
        names = re.findall(r"{([^{}]+)}", template)
        if sorted(path) != sorted(names):
            raise self._file.error(at, f"the path has {names}, its parameters are {sorted(path)}")
        return Operation(
            id=node["operationId"],
            method=method.upper(),
            template=template,
            path=tuple(path[name] for name in names),
            query={p.name: p for p in parameters if p.place == "query"},
            headers={p.name: p for p in parameters if p.place == "header"},
            body=self._body(resolved(self.document, node.get("requestBody")), (*at, "requestBody")),
            responses=dict(self._responses(node["responses"], (*at, "responses"))),
            is_open=node.get("security") == [],
            in_sandbox=node.get("x-sandbox") != "none",
            makes_sandbox=node.get("x-sandbox") != "existing",
            max_body_bytes=node.get("x-max-body-bytes", 0),
            carries_files=node.get("x-carries-files", False),
            kept=node.get("x-kept", "entry"),
            indented=node.get("x-indented", False),
        )

    def _parameter(self, node: Mapping[str, Any], at: Pointer) -> Parameter:
        schema = resolved(self.document, node["schema"])
        if node["in"] not in ("path", "query", "header"):
            raise self._file.error(
                at, f"parameter in {node['in']!r} is not understood; use path, query or header"
            )
        if schema.get("type") not in ("integer", "boolean", "string"):
            raise self._file.error(at, f"parameter {node['name']!r} must be an integer, boolean or string")
        if node["in"] == "path" and not node.get("required"):
            raise self._file.error(at, f"parameter {node['name']!r} is in the path: make it required")
        return Parameter(
            name=node["name"],
            place=node["in"],
            kind=self._kind(schema),
            required=node.get("required", False),
            default=schema.get("default"),
            schema=self._schemas.schema(node["schema"]),
        )

    def _kind(self, schema: Mapping[str, Any]) -> str:
        if schema["type"] == "integer":
            return self._integer
        return "date-time" if self._is_lax and schema.get("format") == "date-time" else str(schema["type"])

    def _body(self, node: Mapping[str, Any] | None, at: Pointer) -> Body | None:
        if node is None:
            return None
        if list(node["content"]) not in (["application/json"], [FORM]):
            raise self._file.error(at, f"only a body of application/json or {FORM} is understood")
        ((media_type, media),) = node["content"].items()
        schema = media["schema"]
        whole = resolved(self.document, schema)
        inner = {name: resolved(self.document, p) for name, p in whole.get("properties", {}).items()}
        defaults = {n: p["default"] for n, p in inner.items() if isinstance(p, dict) and "default" in p}
        if defaults and whole.get("type") != "object":
            raise self._file.error(at, "a body with defaults must be of type object")
        fields = frozenset(inner) if inner and "additionalProperties" not in whole else None
        required, compiled = node.get("required", False), self._schemas.schema(schema)
        return Body(required, compiled, defaults, fields, media_type == FORM, self._is_lax)

    def _responses(self, nodes: Mapping[str, Any], at: Pointer) -> Iterator[tuple[int, Response]]:
        for status, outer in nodes.items():
            node = resolved(self.document, outer)
            if not re.fullmatch("[2-5][0-9][0-9]", status):
                raise self._file.error((*at, status), "only a status of three digits, 200-599, is understood")
            media_types = dict(node.get("content", {}))
            stream = media_types.pop(EVENT_STREAM, None)
            files = frozenset(media_types).intersection(FILE_TYPES)
            for file in files:
                del media_types[file]
            if strange := sorted(set(media_types) - set(JSON_TYPES)):
                raise self._file.error((*at, status), f"content type {strange[0]!r} is not understood")
            content = {m: self._schemas.schema(i["schema"]) for m, i in media_types.items()}
            lists = [
                lists_of(schema, resolved(self.document, media_types[name]["schema"]))
                for name, schema in content.items()
            ]
            yield (
                int(status),
                Response(
                    content=content,
                    events=None if stream is None else self._schemas.schema(stream["x-event-schema"]),
                    files=files,
                    headers=dict(self._headers(node.get("headers", {}))),
                    lists=lists[0] if lists else {},
                    examples={n: v for m in media_types.values() for n, v in examples_in(self.document, m)},
                ),
            )

    def _headers(self, nodes: Mapping[str, Any]) -> Iterator[tuple[str, Header]]:
        for name, outer in nodes.items():
            node = resolved(self.document, outer)
            kind = resolved(self.document, node["schema"]).get("type", "string")
            required, example = node.get("required", False), node.get("example")
            yield name.lower(), Header(required, kind, self._schemas.schema(node["schema"]), example)
