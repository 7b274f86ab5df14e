"""Parameters and bodies of a request to a foreign document, read as it says and checked against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.merging import Merging, types_of
from mockserver.foreign.operations import FORM, MULTIPART, ForeignOperation
from mockserver.foreign.reading import branch, deep, in_turn, media_key, parts, typed
from mockserver.foreign.schemas import REQUEST, ForeignSchemas
from mockserver.foreign.security import cookies
from mockserver.foreign.shapes import mapping
from mockserver.http.json_depth import DEEPEST, depth
from mockserver.http.request import Request
from mockserver.http.upload import BodyLimits, digest
from mockserver.openapi.field_error import FieldError
from mockserver.openapi.schemas import Schema

_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}


class RequestReader:
    """Reads the requests of one document."""

    def __init__(self, document: ForeignDocument, schemas: ForeignSchemas) -> None:
        self._document, self._schemas = document, schemas

    def parameters(
        self,
        operation: ForeignOperation,
        ids: Mapping[str, str],
        request: Request,
        errors: list[FieldError],
    ) -> dict[str, dict[str, Any]]:
        """Values of the parameters that were sent, by place and name; errors are added."""
        pairs = parse_qsl(request.query, keep_blank_values=True, errors="replace")
        values: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        for node in operation.parameters:
            place, name = str(node.get("in")), str(node["name"])
            if place == "header" and name.lower() in ("accept", "content-type", "authorization"):
                continue
            sent: Any = None
            if place == "query":
                sent = self._query(node, name, pairs)
            elif place == "path":
                sent = self._simple(node, name, ids.get(name))
            elif place == "header":
                sent = self._simple(node, name, request.header(name))
            elif place == "cookie":
                sent = self._simple(node, name, cookies(request).get(name))
            if sent is None:
                if node.get("required") and place != "path":
                    errors.append(FieldError(place, name, "is required"))
                continue
            if place in values:
                values[place][name] = self._checked(node, place, name, sent, errors)
        return values

    def _kind(self, node: Mapping[str, Any]) -> tuple[Any, Schema, Merging, dict[str, Any]]:
        """JSON Schema of a parameter, compiled, and without references."""
        whole, compiled = self._schemas.schema(node.get("schema", {}), REQUEST)
        merging = Merging(whole.get("$defs", {}))
        return whole, compiled, merging, branch(merging, merging.flat(whole)[0])

    def _query(self, node: Mapping[str, Any], name: str, pairs: list[tuple[str, str]]) -> Any:
        """What was sent of a query parameter: text, texts, or texts by name; None if nothing was."""
        found = [value for key, value in pairs if key == name]
        if node.get("content"):
            return found[0] if found else None
        style = str(node.get("style", "form"))
        flat = self._kind(node)[3]
        kinds = types_of(flat)
        if style == "deepObject":
            return deep(name, pairs) or None
        if "object" in kinds:
            if node.get("explode", True):
                known = flat.get("properties", {})
                return {key: value for key, value in pairs if key in known} or None
            return in_turn(found[0].split(",")) if found else None
        if "array" in kinds:
            listed = found or [value for key, value in pairs if key == f"{name}[]"]
            if not listed:
                return None
            separator = _SEPARATORS.get(style, ",")
            if node.get("explode", style == "form"):
                return listed
            return listed[0].split(separator) if listed[0] else []
        return found[0] if found else None

    def _simple(self, node: Mapping[str, Any], name: str, text: str | None) -> Any:
        """What was sent in a path, a header or a cookie."""
        if text is None or node.get("content"):
            return text
        style, explode = str(node.get("style", "simple")), bool(node.get("explode", False))
        separator = {"label": "." if explode else ",", "matrix": ";" if explode else ","}.get(style, ",")
        if style == "label":
            text = text.removeprefix(".")
        elif style == "matrix":
            text = text.removeprefix(";")
            text = text.replace(f"{name}=", "") if not explode else text
        kinds = types_of(self._kind(node)[3])
        if "array" in kinds:
            listed = text.split(separator) if text else []
            return [each.removeprefix(f"{name}=") for each in listed] if style == "matrix" else listed
        if "object" in kinds:
            listed = text.split(separator)
            return dict(each.split("=", 1) for each in listed if "=" in each) if explode else in_turn(listed)
        return text.removeprefix(f"{name}=") if style == "matrix" else text

    def _checked(
        self, node: Mapping[str, Any], place: str, name: str, sent: Any, errors: list[FieldError]
    ) -> Any:
        """The value that was meant, after its check."""
        if node.get("content"):
            media_type, media = next(iter(node["content"].items()))
            if "json" in media_type:
                try:
                    sent = json_value(sent)
                except ValueError as error:
                    errors.append(FieldError(place, name, f"is not valid JSON: {error}"))
                    return None
            compiled = self._schemas.schema(media.get("schema", {}), REQUEST)[1]
            value = sent
        else:
            whole, compiled, merging, _ = self._kind(node)
            value = typed(merging, whole, sent, compiled.is_valid)
            if isinstance(sent, list) and len(sent) == 1 and not compiled.is_valid(value):
                value = typed(merging, whole, sent[0], compiled.is_valid)
        if compiled.is_valid(value):
            return value
        if isinstance(sent, str) and compiled.is_valid(sent):
            return sent
        errors += compiled.errors(value, place, name)
        return value

    def body(
        self, operation: ForeignOperation, request: Request, limits: BodyLimits, errors: list[FieldError]
    ) -> Any:
        """Decoded body; bytes of one that is no JSON, form or text."""
        node = self._document.resolved(operation.node.get("requestBody"))
        if not node:
            return None
        data = request.body(*limits.of(operation))
        content = mapping(node.get("content"))
        if not data:
            if node.get("required") and content:
                errors.append(FieldError("body", "", f"a body of {next(iter(content))} is required"))
            return None
        if operation.carries_files:
            request.journal_body = digest(data)
        sent = request.media_type or next(iter(content), "")
        key = media_key(content, sent)
        if key is None:
            offered = ", ".join(content)
            errors.append(FieldError("body", "", f"content type {sent[:80]!r} is none of {offered}"))
            return None
        media = mapping(content[key])
        schema = media.get("schema", {})
        value = self._decoded(sent, request, data, schema, errors)
        if isinstance(value, bytes):
            return value
        compiled = self._schemas.schema(schema, REQUEST)[1]
        if value is not None and not compiled.is_valid(value):
            errors += compiled.errors(value, "body")
        return value

    def _decoded(
        self, sent: str, request: Request, data: bytes, schema: Any, errors: list[FieldError]
    ) -> Any:
        """Value of JSON, a form or a text; of anything else the bytes."""
        if "json" in sent:
            try:
                return json_value(data)
            except ValueError as error:
                errors.append(FieldError("body", "", f"not valid JSON: {error}"))
                return None
        if sent in (FORM, MULTIPART):
            return self._form(sent, request, data, schema, errors)
        if sent.startswith("text/") and "xml" not in sent:
            return data.decode("utf-8", "replace")
        return data

    def _form(self, sent: str, request: Request, data: bytes, schema: Any, errors: list[FieldError]) -> Any:
        """Fields of a form; a file is a text to the schema."""
        if sent == FORM:
            pairs = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True)
        else:
            found = parts(request, data, errors)
            if found is None:
                return None
            pairs = found
        whole, compiled = self._schemas.schema(schema, REQUEST)
        merging = Merging(whole.get("$defs", {}))
        flat = branch(merging, merging.flat(whole)[0])
        fields: dict[str, Any] = {}
        for name, text in pairs:
            inner = merging.flat(flat.get("properties", {}).get(name, {}))[0]
            if "array" in types_of(inner):
                before = fields.get(name)
                fields[name] = [*(before if isinstance(before, list) else ()), text]
            elif "[" in name and name not in flat.get("properties", {}):
                outer, _, inside = name.partition("[")
                held = fields.get(outer)
                fields[outer] = {**(held if isinstance(held, dict) else {}), inside.rstrip("]"): text}
            else:
                fields[name] = text
        return typed(merging, whole, fields, compiled.is_valid)


def json_value(data: bytes | str) -> Any:
    """Decoded JSON; ValueError if it is none, or nested too deeply to be stored and written again."""
    value = orjson.loads(data)
    if depth(value) > DEEPEST:
        raise ValueError(f"more than {DEEPEST} levels")
    return value
