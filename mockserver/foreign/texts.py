"""Texts that look like people's data: by format, and by the name of a field."""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

Number = Callable[[], int]
"""Gives the next number of a hash, below 2**64."""
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_SECONDS = 3 * 365 * 86_400
_lock = threading.Lock()


@cache
def _faker() -> Any:
    from faker import Faker  # takes a third of a second, and only generated answers need it

    return Faker("en_US", use_weighting=False)


def _moment(number: Number) -> datetime:
    return _BEGIN + timedelta(seconds=number() % _SECONDS)


def _hex(number: Number, digits: int) -> str:
    return "".join(f"{number():016x}" for _ in range(digits // 16 + 1))[:digits]


FORMATS: Mapping[str, Callable[[Number], str]] = {
    "date-time": lambda number: _moment(number).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "date": lambda number: _moment(number).strftime("%Y-%m-%d"),
    "time": lambda number: _moment(number).strftime("%H:%M:%SZ"),
    "duration": lambda number: f"P{1 + number() % 30}DT{number() % 24}H",
    "email": lambda number: fake("email", number),
    "idn-email": lambda number: fake("email", number),
    "hostname": lambda number: fake("domain_name", number),
    "idn-hostname": lambda number: fake("domain_name", number),
    "ipv4": lambda number: f"192.0.2.{number() % 256}",
    "ipv6": lambda number: f"2001:db8::{number() % 65_536:x}",
    "uri": lambda number: f"https://example.com/{fake('word', number)}/{number() % 10_000}",
    "url": lambda number: f"https://example.com/{fake('word', number)}/{number() % 10_000}",
    "iri": lambda number: f"https://example.com/{fake('word', number)}",
    "uri-reference": lambda number: f"/{fake('word', number)}/{number() % 10_000}",
    "iri-reference": lambda number: f"/{fake('word', number)}",
    "uri-template": lambda number: f"https://example.com/{fake('word', number)}/{{id}}",
    "uuid": lambda number: str(UUID(int=number() << 64 | number(), version=4)),
    "regex": lambda number: f"^{fake('word', number)}$",
    "json-pointer": lambda number: f"/{fake('word', number)}/{number() % 10}",
    "relative-json-pointer": lambda number: f"{number() % 3}/{fake('word', number)}",
    "byte": lambda number: b64encode(fake("word", number).encode()).decode(),
    "int64": lambda number: str(number() % 10_000),
    "int32": lambda number: str(number() % 10_000),
}
"""Format -> a text of it."""
_NAMES: tuple[tuple[str, str], ...] = (
    (r"first_?name|given_?name", "first_name"),
    (r"last_?name|family_?name|surname", "last_name"),
    (r"user_?name|login|handle|nick", "user_name"),
    (r"e_?mail", "email"),
    (r"phone|mobile|fax", "phone_number"),
    (r"(file|path|folder|dir)", "file_name"),
    (r"company|organi[sz]ation|vendor|publisher", "company"),
    (r"host|domain", "domain_name"),
    (r"street|address", "street_address"),
    (r"post(al)?_?code|zip", "postcode"),
    (r"city|town", "city"),
    (r"country_?code", "country_code"),
    (r"country", "country"),
    (r"state|province|region", "state"),
    (r"currency", "currency_code"),
    (r"colou?r", "hex_color"),
    (r"lang|locale", "locale"),
    (r"mime|content_?type", "mime_type"),
    (r"ssn|iban", "iban"),
    (r"url|uri|link|href|avatar|image|website|homepage", "url"),
    (r"job|role|position", "job"),
    (r"(full|display|real|author|owner|customer|person)_?name|author|owner|assignee", "name"),
    (r"description|body|comment|message|text|content|summary|bio|notes?$|reason", "sentence"),
    (r"title|subject|headline|caption", "catch_phrase"),
    (r"version", "numerify"),
    (r"^name$", "name"),
)
_BY_NAME = tuple((re.compile(pattern), method) for pattern, method in _NAMES)
_HASHES = re.compile(r"(^|_)(sha|hash|digest|checksum|etag|commit|oid)|hash$")
_IDS = re.compile(r"(^|_)u?id$|key$|token$|code$|slug$|secret$")
_MOMENTS = re.compile(r"_at$|^(created|updated|modified)(_on)?$|time(stamp)?$|_date$|^date")


def fake(method: str, number: Number) -> str:
    """Text of one of Faker's methods, chosen by a number."""
    with _lock:
        faker = _faker()
        faker.seed_instance(number())
        return str(getattr(faker, method)())


def text_of(name: str, number: Number) -> str:
    """Text for a field of this name."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
    if _MOMENTS.search(plain):
        return FORMATS["date-time"](number)
    if _HASHES.search(plain):
        return _hex(number, 40)
    if _IDS.search(plain):
        return _hex(number, 12)
    for pattern, method in _BY_NAME:
        if pattern.search(plain):
            return fake(method, number)
    return fake("word", number)


def fitted(text: str, least: int, most: int | None, number: Number) -> str:
    """The text, made longer or shorter."""
    while len(text) < least:
        text += " " + fake("word", number) if least > 10 else "abcdefghij"[number() % 10]
    if most is None or len(text) <= most:
        return text
    cut = text[:most]
    return cut if cut == cut.strip() or most < 2 else cut.strip().ljust(max(least, 1), "x")
