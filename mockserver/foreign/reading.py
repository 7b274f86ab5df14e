"""Texts of parameters and forms as the values that a schema means."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import orjson
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from mockserver.foreign.merging import Merging, types_of
from mockserver.http.json_depth import DEEPEST
from mockserver.http.request import Request
from mockserver.openapi.field_error import FieldError


def parts(request: Request, data: bytes, errors: list[FieldError]) -> list[tuple[str, str]] | None:
    """Fields of a multipart form; a file is the text of its bytes. None if it is no form."""
    _, options = parse_options_header(request.content_type)
    parser = MultiPartParser(stream_factory=lambda *_, **__: io.BytesIO(), max_form_memory_size=None)
    try:
        boundary = options.get("boundary", "").encode("latin-1", "replace")
        texts, files = parser.parse(io.BytesIO(data), boundary, len(data))
    except (ValueError, HTTPException) as error:
        why = error.description if isinstance(error, HTTPException) else error
        errors.append(FieldError("body", "", f"not a valid form: {why}"))
        return None
    pairs = [(str(name), text) for name, text in texts.items(multi=True)]
    return pairs + [
        (str(name), part.stream.read().decode("latin-1")) for name, part in files.items(multi=True)
    ]


def media_key(content: Mapping[str, Any], sent: str) -> str | None:
    """Key of a media type, or of the range that has it; None if there is none."""
    keys = {str(key).partition(";")[0].strip().lower(): str(key) for key in content}
    for wanted in (sent, f"{sent.partition('/')[0]}/*", "*/*"):
        if wanted in keys:
            return keys[wanted]
    return None


def in_turn(listed: list[str]) -> dict[str, str]:
    """Object of names and values in turn."""
    return dict(zip(listed[::2], listed[1::2], strict=False))


def deep(name: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Object of `name[a][b]=…`; `name[]` and repeated names are lists."""
    found: dict[str, Any] = {}
    for key, text in pairs:
        if not key.startswith(f"{name}[") or not key.endswith("]"):
            continue
        steps = [unquote(step) for step in key[len(name) + 1 : -1].split("][", DEEPEST)]
        node = found
        for step in steps[:-1]:
            inner = node.setdefault(step, {})
            node = inner if isinstance(inner, dict) else node
        last = steps[-1]
        if last in node:
            before = node[last]
            node[last] = [*before, text] if isinstance(before, list) else [before, text]
        else:
            node[last] = text
    return found


def branch(merging: Merging, flat: dict[str, Any]) -> dict[str, Any]:
    """The schema with what all branches may have: enough to know how a text is meant."""
    made = flat
    for each in (*flat.get("anyOf", ()), *flat.get("oneOf", ())):
        inner = branch(merging, merging.flat(each)[0])
        kinds = [*dict.fromkeys([*(types_of(made) if "type" in made else ()), *types_of(inner)])]
        properties = {**inner.get("properties", {}), **made.get("properties", {})}
        made = {**inner, **made, "type": kinds, **({"properties": properties} if properties else {})}
    return made


def typed(merging: Merging, schema: Any, sent: Any, is_valid: Callable[[Any], bool] | None = None) -> Any:
    """Texts as the values that the schema means."""
    flat = branch(merging, merging.flat(schema)[0])
    kinds = types_of(flat)
    if isinstance(sent, str):
        if is_valid is not None and "type" not in flat and is_valid(sent):
            return sent
        return _scalar(sent, kinds, flat, merging)
    if isinstance(sent, list):
        return [typed(merging, flat.get("items", {}), each) for each in sent]
    if isinstance(sent, dict):
        if "array" in kinds and "object" not in kinds:
            return [typed(merging, flat.get("items", {}), each) for each in sent.values()]
        others = flat.get("additionalProperties", {})
        inner = flat.get("properties", {})
        return {name: typed(merging, inner.get(name, others), each) for name, each in sent.items()}
    return sent


def _scalar(text: str, kinds: list[str], flat: Mapping[str, Any], merging: Merging) -> Any:
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    if "integer" in kinds or "number" in kinds:
        try:
            number = orjson.loads(text)
            if isinstance(number, int | float) and not isinstance(number, bool):
                return number
        except orjson.JSONDecodeError:
            pass
    if "null" in kinds and text in ("", "null") and not ("string" in kinds and text == ""):
        return None
    if text[:1] in "{[" and ("object" in kinds or "array" in kinds):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    if "array" in kinds and "string" not in kinds:
        return [typed(merging, flat.get("items", {}), each) for each in text.split(",")]
    return text
