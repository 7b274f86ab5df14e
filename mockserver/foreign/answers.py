"""Answers of a foreign operation: a named example, an example, or a generated value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.generator import Unable, generate
from mockserver.foreign.operations import FORM, ForeignOperation
from mockserver.foreign.schemas import ANSWER, ForeignSchemas
from mockserver.http.calls import Reply
from mockserver.http.problems import BadControl, Problem
from mockserver.openapi.schemas import Schema

EMPTY = (204, 205, 304)
"""Statuses without content."""


class Ungenerated(
    Problem,
    status=500,
    code="NOT_GENERATED",
    message="The mock has no valid answer.",
    rule="foreign",
):
    """500: no valid value was found, and the document has no example."""


@dataclass(frozen=True, slots=True)
class ForeignReply(Reply):
    """Reply with its media type and its origin; `body` is a value, or bytes."""

    media_type: str = ""
    source: str = "generated"
    reason: str = ""
    """What X-Mock-Reason says."""


class Answers:
    """Answers of one document."""

    def __init__(self, document: ForeignDocument, schemas: ForeignSchemas) -> None:
        self._document, self._schemas = document, schemas
        self.fallbacks: dict[str, int] = {}
        """Operation -> answers for which no valid value was generated."""

    def answer(
        self,
        operation: ForeignOperation,
        status: int,
        key: str,
        *,
        seed: int,
        ids: Mapping[str, str],
        accept: str = "",
        example: str | None = None,
    ) -> ForeignReply:
        """Answer of a status, which the document describes under `key`."""
        node = self._document.resolved((operation.node.get("responses") or {}).get(key))
        place = "\0".join((str(seed), operation.id, str(status), *ids.values()))
        headers = self._headers(node, place)
        content = node.get("content") or {}
        if not content or status in EMPTY:
            return ForeignReply(status, None, headers, source="generated")
        media_type = _accepted(content, accept)
        media = self._document.resolved(content[media_type]) if content[media_type] else {}
        value, source, reason = self._value(operation, media, place, ids, example)
        if "*" in media_type:
            media_type = "application/json" if not isinstance(value, str) else "text/plain"
        return ForeignReply(status, value, headers, "", media_type, source, reason)

    def media(self, operation: ForeignOperation, _: int, key: str) -> Mapping[str, Any] | None:
        """JSON media type of an answer, with its name as `type`; None without content."""
        node = self._document.resolved((operation.node.get("responses") or {}).get(key))
        content = node.get("content") or {}
        if not content:
            return None
        media_type = _accepted(content, "")
        return {**(content[media_type] or {}), "type": media_type.replace("*/*", "application/json")}

    def _value(
        self,
        operation: ForeignOperation,
        media: Mapping[str, Any],
        place: str,
        ids: Mapping[str, str],
        named: str | None,
    ) -> tuple[Any, str, str]:
        """Value, its origin, and why it is not a valid one."""
        whole, compiled = self._schemas.schema(media.get("schema", {}), ANSWER)
        examples = dict(self.examples(media))
        if named is not None and named in examples:
            return examples[named], "example", ""
        for value in examples.values():
            if compiled.is_valid(value):
                return value, "example", ""
        try:
            return self._with_ids(generate(whole, compiled.is_valid, place), compiled, ids), "generated", ""
        except Unable as error:
            self.fallbacks[operation.id] = self.fallbacks.get(operation.id, 0) + 1
            reason = f"no valid answer could be generated: {error}"
            if not examples:
                raise Ungenerated("Not generated", reason=f"{operation.id}: {reason}") from error
        return next(iter(examples.values())), "example", f"{reason}; the example is not valid"

    @staticmethod
    def _with_ids(value: Any, compiled: Schema, ids: Mapping[str, str]) -> Any:
        """The value with the ids of the path, where it has fields for them and they fit."""
        if not isinstance(value, dict) or not ids:
            return value
        wanted = {**ids, "id": list(ids.values())[-1]}
        for name, text in wanted.items():
            for meant in (text, int(text) if text.isascii() and text.isdigit() and len(text) < 16 else text):
                if name in value and type(value[name]) is type(meant):
                    changed = {**value, name: meant}
                    value = changed if compiled.is_valid(changed) else value
        return value

    def examples(self, media: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Named examples of a media type, then the one without a name."""
        named = media.get("examples")
        for name, outer in (named if isinstance(named, dict) else {}).items():
            example = self._document.resolved(outer)
            if "value" in example:
                yield str(name), example["value"]
        if "example" in media:
            yield "", media["example"]

    def _headers(self, node: Mapping[str, Any], place: str) -> dict[str, str]:
        """Headers that are required, or have an example."""
        made: dict[str, str] = {}
        for name, outer in (node.get("headers") or {}).items():
            header = self._document.resolved(outer)
            if str(name).lower() in ("content-type", "content-length") or not header.get("required"):
                continue
            value = header.get("example")
            if value is None:
                whole, compiled = self._schemas.schema(header.get("schema", {}), ANSWER)
                try:
                    value = generate(whole, compiled.is_valid, f"{place}\0{name}")
                except Unable:
                    continue
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            made[str(name).lower()] = text if text.isprintable() and text.isascii() else "x"
        return made

    def named(self, operation: ForeignOperation, code: int | None, name: str | None) -> tuple[int, str]:
        """Status and key of an answer that was asked for; BadControl lists those that there are."""
        responses = operation.node.get("responses") or {}
        for key, outer in responses.items():
            key = str(key)
            status = (
                int(key) if key.isdigit() else code if code is not None else 200 if key[:1] != "4" else 400
            )
            fits = code is None or key in (str(code), f"{code // 100}XX", f"{code // 100}xx", "default")
            content = (self._document.resolved(outer).get("content") or {}).values()
            if fits and (name is None or any(name in dict(self.examples(each or {})) for each in content)):
                return status, key
        there = ", ".join(map(str, responses)) or "none"
        what = f"status {code}" if name is None else f"example {name[:40]!r}"
        raise BadControl(f"{operation.id} documents no {what}; its statuses are {there}")


def _accepted(content: Mapping[str, Any], accept: str) -> str:
    """Media type that the client prefers, else the first that is JSON, else the first."""
    listed = [str(each) for each in content]
    plain = {each: each.partition(";")[0].strip().lower() for each in listed}
    for wanted in (each.partition(";")[0].strip().lower() for each in accept.split(",")):
        for each in listed:
            is_range = wanted.endswith("/*") and plain[each].startswith(wanted[:-1])
            if wanted != "*/*" and (wanted == plain[each] or is_range):
                return each
    return next((each for each in listed if "json" in plain[each] or plain[each] == "*/*"), listed[0])


def encoded(value: Any, media_type: str) -> bytes:
    """Bytes of a value as its media type has them."""
    plain = media_type.partition(";")[0].strip().lower()
    if isinstance(value, bytes):
        return value
    if "json" in plain:
        return orjson.dumps(value)
    if isinstance(value, str):
        data = value.encode("utf-8", "replace")
        return b"data: " + data + b"\n\n" if plain == "text/event-stream" and ":" not in value else data
    if plain == FORM and isinstance(value, dict):
        return urlencode(value, doseq=True).encode()
    if plain == "text/event-stream":
        return b"data: " + orjson.dumps(value) + b"\n\n"
    return b"" if value is None else orjson.dumps(value)
