"""Forms in which frameworks read numbers, booleans and times; a server that reads them breaks nothing."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from copy import deepcopy
from datetime import datetime
from typing import Any

import jsonschema_rs
from pydantic import TypeAdapter

from contracts.checks.claims import Node

_INTEGER = re.compile(r"[+-]?[0-9](?:_?[0-9])*(?:\.0*)?")
_TIME = TypeAdapter(datetime)
_BOOLEANS = {
    **dict.fromkeys(("true", "1", "1.0", "on", "t", "y", "yes"), True),
    **dict.fromkeys(("false", "0", "0.0", "off", "f", "n", "no"), False),
}


def read(value: Any, types: Collection[str]) -> Any:
    """`value` as one of the types of JSON Schema that a framework may read it as; unchanged if as none."""
    text = str(value).strip()
    if isinstance(value, (str, int, float)):
        with suppress(ValueError, OverflowError):
            if "boolean" in types:
                return _BOOLEANS.get(text.lower(), value)
            if "integer" in types and isinstance(value, bool):
                return int(value)
            if "integer" in types and _INTEGER.fullmatch(text.strip()):
                return int(text.partition(".")[0])
            if "number" in types:
                return float(value)
    return value


def read_all(value: Any, schema: Node, root: Node) -> Any:
    """Copy of a JSON value in which each part whose type is wrong is read as its type, if that has a form.

    A text that is to be a time is read as one.
    """
    if schema.get("format") == "date-time" and isinstance(value, str):
        with suppress(ValueError):
            found = _TIME.validate_python(value.strip())
            return found.isoformat() if found.tzinfo else f"{found.isoformat()}Z"
        return value
    whole = {**schema, "components": root["components"]}
    holder = {"": deepcopy(value)}
    for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(value):
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Type):
            *parents, last = ("", *error.instance_path)
            inside: Any = holder
            for step in parents:
                inside = inside[step]
            inside[last] = read(inside[last], error.kind.types)
    return holder[""]
