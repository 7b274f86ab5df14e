"""JSON form of a journal entry, without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode

from mockserver.http.redaction import CREDENTIALS, Mask
from mockserver.journal.entry import Entry
from mockserver.sandbox.clock import as_text
from mockserver.sandbox.sandbox import Record, Sandbox

_SOURCES = {
    "state": "computed from what is stored",
    "fault": "injected fault",
    "example": "an example of the spec",
    "generated": "generated to match the spec",
    "extension": "by a view of an extension",
}


def mask_of(sandbox: Sandbox) -> Mask:
    """Mask of all keys of the sandbox."""
    return Mask(sandbox.directory.credentials)


def header_name(wsgi: str) -> str:
    """Header name in lower case, from WSGI's form."""
    return wsgi.removeprefix("HTTP_").replace("_", "-").lower()


def url_of(entry: Entry) -> str:
    """Path and query as sent, as far as WSGI preserves them."""
    path = quote(entry.path, safe="/:@!$&'()*+,;=~-._")
    return f"{path}?{entry.query}" if entry.query else path


def at_of(entry: Entry) -> str:
    """Instant of the exchange, in whole seconds."""
    return as_text(entry.instant // 1_000_000 * 1_000_000)


def why(entry: Entry) -> list[str]:
    """Decisions on the request, in order; the last line is the reason of the answer."""
    exchange = entry.exchange
    lines = []
    if exchange.operation != "-":
        lines.append(f"route: {exchange.operation}")
    if exchange.caller != "-":
        lines.append(f"auth: {exchange.caller}")
    if exchange.fault and exchange.rule != "fault":  # otherwise the reason names it
        lines.append(f"fault: {exchange.fault}")
    if exchange.reason:
        lines.append(f"{exchange.rule or 'state'}: {exchange.reason}")
    elif not exchange.fault:
        lines.append(f"{exchange.source}: {_SOURCES.get(exchange.source, 'as requested')}")
    return lines


def exchange_body(entry: Entry, mask: Mask) -> Record:
    """Complete JSON form of an exchange."""
    exchange = entry.exchange
    names = [(header_name(name), value) for name, value in entry.headers]
    own = [value for name, value in names if name in {c.lower() for c in CREDENTIALS}]

    def hide(text: str) -> str:
        return mask.text(text, own)

    reply, reply_bytes = entry.replied()
    return {
        **exchange_head(entry, mask),
        "at": at_of(entry),
        "milliseconds": round(entry.milliseconds, 3),
        "complete": entry.complete,
        "sandbox": exchange.sandbox,
        "source": exchange.source,
        "fault": exchange.fault or None,
        "why": [hide(line) for line in why(entry)],
        "violations": [
            {"pointer": hide(found["pointer"]), "message": hide(found["message"])}
            for found in exchange.violations
        ],
        "request": {
            "method": exchange.method,
            "url": _url(entry, mask, own),
            "headers": _headers(names, mask, own),
            **_body(entry.body, entry.body_bytes, mask, own),
        },
        "response": {
            "status": exchange.status,
            "headers": _headers(entry.reply_headers, mask, own),
            **_body(reply, reply_bytes, mask, own),
        },
    }


def exchange_head(entry: Entry, mask: Mask) -> Record:
    """Short JSON form, which identifies an exchange."""
    exchange = entry.exchange
    own = [value for name, value in entry.headers if header_name(name) in ("x-api-key", "authorization")]
    return {
        "id": entry.id,
        "number": entry.number,
        "operation": None if exchange.operation == "-" else exchange.operation,
        "caller": None if exchange.caller == "-" else exchange.caller,
        "method": exchange.method,
        "url": _url(entry, mask, own),
        "status": exchange.status,
    }


def _url(entry: Entry, mask: Mask, own: Sequence[str]) -> str:
    url = mask.text(url_of(entry), own)
    plain = unquote_plus(entry.query)
    if mask.text(plain, own) == plain:
        return url
    # A key may be percent-encoded.
    pairs = [
        (mask.text(n, own), mask.text(v, own)) for n, v in parse_qsl(entry.query, keep_blank_values=True)
    ]
    return f"{url.partition('?')[0]}?{urlencode(pairs, safe='*')}"


def _headers(pairs: Iterable[tuple[str, str]], mask: Mask, own: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        hidden = mask.header(name, value)
        text = mask.text(value, own) if hidden is None else hidden
        key = name.lower()
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _body(kept: bytes, whole: int, mask: Mask, own: Sequence[str]) -> dict[str, Any]:
    text = kept.decode("utf-8", "replace")
    cut = len(kept) < whole
    return {
        "body": mask.text(mask.end(text) if cut else text, own),
        "body_bytes": whole,
        "body_cut": cut,
    }
