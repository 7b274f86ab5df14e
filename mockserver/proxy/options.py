"""What a proxy is told: the target, how to reach it, and what to do with what goes by."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from comparison import ledger

MODES = ("observe", "fill", "compare")
FAILURES = ("violation", "answer", "difference")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True)
class ProxyOptions:
    """Flags of `mockserver proxy` that `serve` does not have."""

    target: str
    """URL without a slash at the end."""
    mode: str = "observe"
    record: Path | None = None
    mask: tuple[str, ...] = ()
    """JSON pointers of texts that a recording does not show; `*` stands for any one step."""
    fail_on: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that every forwarded request has."""
    ca: str | None = None
    cert: str | None = None
    cert_key: str | None = None
    compare_budget: int = 1000
    """Most fetches for the copy of `compare`."""
    drift: Path | None = None
    """Drift ledger to which differences are added."""
    read_only: bool = False
    forward_sandbox: bool = False
    connect_timeout: float = 5.0
    first_byte_timeout: float = 120.0
    silence_timeout: float = 300.0

    @classmethod
    def of(cls, flags: Mapping[str, Any]) -> ProxyOptions:
        """Options of the flags that were given; ValueError says which one can't be used."""
        values = {name: value for name, value in flags.items() if value is not None}
        headers = tuple(map(_header, values.pop("header", ())))
        drift = values.pop("drift", None)
        record, masked = values.pop("record", None), tuple(values.pop("mask", ()))
        values["target"] = _target(values["target"])
        if values.get("mode") != "compare":
            for flag, value in (("--drift", drift), ("--compare-budget", values.get("compare_budget"))):
                if value is not None:
                    raise ValueError(f"{flag}: only --mode compare has it")
            if values.get("fail_on") == "difference":
                raise ValueError("--fail-on difference: only --mode compare finds any")
        elif values.get("forward_sandbox"):
            raise ValueError("--forward-sandbox: --mode compare has one copy of data; leave one of them out")
        if drift is not None:
            ledger.known(Path(drift))
        if record is None and masked:
            raise ValueError("--mask: only a recording is masked by it; add --record FILE")
        if wrong := [pointer for pointer in masked if not pointer.startswith("/")]:
            raise ValueError(f"--mask: {wrong[0][:80]!r} is not a JSON pointer like /messages/*/content")
        options = cls(
            **values,
            headers=headers,
            mask=masked,
            record=record and Path(record),
            drift=drift and Path(drift),
        )
        options.context()
        return options

    def context(self) -> ssl.SSLContext | None:
        """How the target's certificate is verified; ValueError for a file that can't be used."""
        if not self.target.startswith("https:"):
            for flag, value in (("--ca", self.ca), ("--cert", self.cert), ("--cert-key", self.cert_key)):
                if value:
                    raise ValueError(f"{flag}: the target is not an https URL")
            return None
        if self.cert_key and not self.cert:
            raise ValueError("--cert-key: needs --cert FILE")
        flag, file = "--ca", self.ca
        try:
            context = ssl.create_default_context(cafile=self.ca)
            flag, file = "--cert", self.cert
            if self.cert:
                context.load_cert_chain(self.cert, self.cert_key, password=lambda: "")
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise ValueError(f"{flag} {file}: it can't be used: {error}") from None
        return context


def _target(text: str) -> str:
    why = ""
    try:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname or (parts.port or 1) < 1:
            why = "is not a URL like https://api.example.com"
        elif parts.username is not None:
            why = "has a user; give it by --header 'Authorization:Basic …'"
        elif parts.query or parts.fragment or not text.isascii() or not text.isprintable() or " " in text:
            why = "is more than scheme, host, port and path"
    except ValueError as error:
        why = f"is not a URL: {error}"
    if why:
        raise ValueError(f"--target: {text.rpartition('@')[2][:80]!r} {why}")
    return text.rstrip("/")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in text.partition(":"))
    if not colon or not _NAME.fullmatch(name) or not value.isascii() or not value.isprintable():
        raise ValueError("--header: is not like NAME:VALUE in ASCII")
    return name, value
