"""Values as FastAPI and pydantic read them, the framework of the vendor: more forms than JSON has (A50)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mockserver.openapi.schemas import Schema

_DIGITS = "[0-9](?:_?[0-9])*"
_INTEGER = re.compile(rf"[+-]?{_DIGITS}(?:\.0+)?", re.ASCII)
_NUMBER = re.compile(
    rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?[0-9]{{1,3}})?", re.ASCII
)
_LARGEST = 10**18
"""No bound in a document is larger, and what is smaller fits into 64 bits."""
_LONGEST = 400
_BOOLEANS = {
    **dict.fromkeys(("true", "1", "on", "t", "y", "yes"), True),
    **dict.fromkeys(("false", "0", "off", "f", "n", "no"), False),
}
_TIME = TypeAdapter(datetime)


def integer(text: str) -> int:
    """Integer in digits, maybe with a sign, blanks around, `_` between digits, or `.0`; ValueError."""
    if text.isdecimal() and text.isascii() and len(text) <= 18:
        return int(text)
    trimmed = text.strip()
    if len(trimmed) <= _LONGEST and _INTEGER.fullmatch(trimmed):
        value = int(trimmed.partition(".")[0])
        if abs(value) < _LARGEST:
            return value
    raise ValueError(f"{text!r:.80} is not an integer of at most 18 digits")


def plain_integer(text: str) -> int:
    """Integer in digits alone, maybe with a minus sign; ValueError."""
    if text.removeprefix("-").isdecimal() and text.isascii() and len(text) <= 18:
        return int(text)
    raise ValueError(f"{text!r:.80} is not an integer in plain digits")


def boolean(text: str) -> bool:
    """Boolean: true, 1, on, t, y or yes, and their opposites, in any case; ValueError for other text."""
    value = _BOOLEANS.get(text)
    if value is None and (value := _BOOLEANS.get(text.lower())) is None:
        raise ValueError(f"{text!r:.80} is not true or false")
    return value


def number(text: str) -> float:
    """Finite number in decimal digits, maybe with an exponent; ValueError."""
    trimmed = text.strip()
    if len(trimmed) <= _LONGEST and _NUMBER.fullmatch(trimmed):
        value = float(trimmed)
        if math.isfinite(value):
            return value
    raise ValueError(f"{text!r:.80} is not a number")


def time(text: str) -> str:
    """Time of RFC 3339 in UTC, from such a text, one without zone, a date or a number; ValueError."""
    try:
        found = _TIME.validate_python(text.strip())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValidationError, OverflowError) as error:
        raise ValueError(f"{text!r:.80} is not an instant like 2026-02-26T10:30:00Z") from error
    return found.isoformat().replace("+00:00", "Z")


def read_body(schema: Schema, body: Any) -> bool:
    """Replace values in `body` whose type is wrong by what they are read as; whether there were any."""
    replaced = False
    for path, types in schema.wrong_types(body):
        if not path:
            continue
        *parents, last = path
        holder = body
        for step in parents:
            holder = holder[step]
        try:
            holder[last] = _read(holder[last], types)
        except ValueError:
            continue
        replaced = True
    return replaced


def _read(value: Any, types: frozenset[str]) -> Any:
    """Value of one of these types; ValueError if it has no such form."""
    if "boolean" in types and not isinstance(value, bool):
        if isinstance(value, str):
            return boolean(value)
        if isinstance(value, (int, float)) and value in (0, 1):
            return bool(value)
    elif "integer" in types and isinstance(value, (str, bool)):
        return integer(value) if isinstance(value, str) else int(value)
    elif "number" in types and isinstance(value, (str, bool)):
        return number(value) if isinstance(value, str) else float(value)
    raise ValueError
