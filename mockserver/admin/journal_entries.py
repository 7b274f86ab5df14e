"""JSON form of a journal entry, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from mockserver.admin.decision import SOURCES, decision
from mockserver.http.redaction import CREDENTIALS, Mask, safe_query
from mockserver.http.wall_time import wall_time
from mockserver.journal.entry import Entry
from mockserver.sandbox.clock import as_text
from mockserver.sandbox.sandbox import Record, Sandbox

_CREDENTIALS = {name.lower() for name in CREDENTIALS}


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
    return as_text(entry.exchange.instant // 1_000_000 * 1_000_000)


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
        lines.append(f"{exchange.source}: {SOURCES.get(exchange.source, 'as requested')}")
    return lines


def decided_body(entry: Entry, mask: Mask, document: Mapping[str, Any]) -> Record:
    """Complete JSON form of an exchange with the decision behind its answer."""
    hide = _masked(entry, mask)
    return {**exchange_body(entry, mask), "decision": decision(entry.exchange, document, hide)}


def exchange_body(entry: Entry, mask: Mask) -> Record:
    """Complete JSON form of an exchange."""
    exchange, hide = entry.exchange, _masked(entry, mask)
    reply, reply_bytes = entry.replied()
    return {
        **exchange_head(entry, mask),
        "at": at_of(entry),
        "wall": wall_time(exchange.started),
        "milliseconds": round(entry.milliseconds, 3),
        "complete": entry.complete,
        "ended": exchange.ended or None,
        "sandbox": exchange.sandbox,
        "source": exchange.source,
        "fault": exchange.fault or None,
        "why": [hide(line) for line in why(entry)],
        "violations": [
            {
                "in": found.get("in", "answer"),
                "pointer": hide(found["pointer"]),
                "message": hide(found["message"]),
            }
            for found in exchange.violations
        ],
        "request": {
            "method": exchange.method,
            "url": _url(entry, hide),
            "headers": _headers(((header_name(n), value) for n, value in entry.headers), mask, hide),
            **_body(entry.body, entry.body_bytes, mask, hide),
        },
        "response": {
            "status": exchange.status,
            "headers": _headers(entry.reply_headers, mask, hide),
            **_body(reply, reply_bytes, mask, hide),
        },
    }


def exchange_head(entry: Entry, mask: Mask) -> Record:
    """Short JSON form, which identifies an exchange."""
    exchange = entry.exchange
    return {
        "id": entry.id,
        "number": entry.number,
        "operation": None if exchange.operation == "-" else exchange.operation,
        "caller": None if exchange.caller == "-" else exchange.caller,
        "method": exchange.method,
        "url": _url(entry, _masked(entry, mask)),
        "status": exchange.status,
    }


def _masked(entry: Entry, mask: Mask) -> Callable[[str], str]:
    """Function that masks known keys and the request's own credentials."""
    own = [value for name, value in entry.headers if header_name(name) in _CREDENTIALS]
    own += entry.exchange.secrets
    return lambda text: mask.text(text, own)


def _url(entry: Entry, hide: Callable[[str], str]) -> str:
    path, _, query = url_of(entry).partition("?")
    return f"{hide(path)}?{safe_query(query, hide)}" if query else hide(path)


def _headers(pairs: Iterable[tuple[str, str]], mask: Mask, hide: Callable[[str], str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        hidden = mask.header(name, value)
        text = hide(value) if hidden is None else hidden
        key = name.lower()
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _body(kept: bytes, whole: int, mask: Mask, hide: Callable[[str], str]) -> dict[str, Any]:
    text = kept.decode("utf-8", "replace")
    cut = len(kept) < whole
    return {"body": hide(mask.end(text) if cut else text), "body_bytes": whole, "body_cut": cut}
