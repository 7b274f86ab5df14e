"""How a deployment is reached: headers, TLS, proxies, timeouts; from the flags and the environment."""

from __future__ import annotations

import os
import re
import shlex
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from requests.utils import get_environ_proxies

from contracts.checks.errors import Usage

FRESH = ("mock", "mock-http")
"""Targets that the suite starts itself: in this process, or on a free port."""
_HEADER = re.compile(r"\A([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_RESERVED = ("content-length", "content-type", "host", "transfer-encoding", "x-api-key")
_CREDENTIAL = re.compile("auth|cookie|credential|key|passw|secret|session|signature|token", re.IGNORECASE)
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Connection(NamedTuple):
    """Flags about the connection to a target."""

    headers: tuple[tuple[str, str], ...] = ()
    """Sent with every request."""
    ca: str | None = None
    """File of certificates that are trusted instead of the usual ones."""
    cert: str | None = None
    cert_key: str | None = None
    insecure: bool = False
    timeout: float = 20.0
    """Seconds of an ordinary request: to connect, without a byte, and in all."""
    model_timeout: float = 120.0
    """Seconds of a question to the model."""
    settle: float = 0.0
    """Seconds that a list may lag behind a write."""
    concurrency: int | None = None
    """Most requests at once; None for as many as the checks send."""
    words: str = ""
    """The same flags for a command line."""

    @classmethod
    def from_flags(cls, flags: Mapping[str, Any]) -> Connection:
        """Connection of the flags of a command; Usage for invalid values."""
        limits: dict[str, Any] = {
            name: seconds(flags[name], f"--{name.replace('_', '-')}")
            for name in ("timeout", "model_timeout", "settle")
            if flags.get(name) is not None
        }
        names = ("ca", "cert", "cert_key", "concurrency")
        found = cls(
            headers=tuple(_header(text) for text in flags.get("header", ())),
            insecure=bool(flags.get("insecure")),
        )
        found = found._replace(**limits, **{name: flags[name] for name in names if flags.get(name)})
        found._check_files()
        return found._replace(words=_words(flags))

    def _check_files(self) -> None:
        context = ssl.create_default_context()
        if self.cert_key and not self.cert:
            raise Usage("--cert-key needs --cert FILE")
        try:
            flag, file = "--ca", self.ca
            if self.ca:
                context.load_verify_locations(self.ca)
            flag, file = "--cert", self.cert
            if self.cert:
                context.load_cert_chain(self.cert, self.cert_key, password=lambda: "")
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise Usage(f"{flag} {file}: it can't be used: {error}") from None

    def verify(self, environ: Mapping[str, str] = os.environ) -> str | bool:
        """Value of `verify` for requests: a file of certificates, or whether to check them."""
        if self.insecure:
            return False
        variables = (environ.get(name) for name in _CA_VARIABLES)
        return self.ca or next((file for file in variables if file and Path(file).exists()), True)

    def timeout_of(self, *, asks_model: bool) -> float:
        """Seconds that a request may take."""
        return self.model_timeout if asks_model else self.timeout

    def secrets(self) -> Iterator[tuple[str, str]]:
        """Name and value of each header that looks like a credential."""
        for name, value in self.headers:
            if _CREDENTIAL.search(name):
                yield from ((f"${_variable(name)}", part) for part in (value, *value.split()[1:]))


class TargetUrl(NamedTuple):
    """URL of a deployment."""

    url: str
    """Without user, password and slash at the end."""
    authorization: str | None
    """Value of the Authorization header; None without a user."""
    secrets: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> TargetUrl:
        """Parts of --target; Usage if it is not the URL of a deployment."""
        try:
            parts = urlsplit(text)
            user, password, host, _ = parts.username, parts.password, parts.hostname, parts.port
        except ValueError:
            host = None
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", text):
            raise Usage("--target: not the URL of a deployment; pass http://HOST or https://HOST/PREFIX")
        if parts.query or parts.fragment:
            raise Usage("--target: a URL without a query and a fragment is needed")
        url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        if user is None:
            return cls(url, None, ())
        user, password = unquote(user), unquote(password or "")
        login = b64encode(f"{user}:{password}".encode()).decode()
        names = ("$TARGET_USER", user), ("$TARGET_PASSWORD", password), ("$TARGET_LOGIN", login)
        secret = tuple(pair for pair in names if pair[1].lower() not in url.lower())
        return cls(url, f"Basic {login}", secret)

    @property
    def words(self) -> str:
        """URL for a shell, with variables for user and password."""
        scheme, _, rest = self.url.partition("://")
        return self.url if self.authorization is None else f"{scheme}://$TARGET_USER:$TARGET_PASSWORD@{rest}"


def proxies(url: str) -> dict[str, str]:
    """Proxies of the environment for a URL; none for this machine."""
    host = urlsplit(url).hostname or ""
    return {} if is_loopback(host) else dict(get_environ_proxies(url))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def seconds(text: str, flag: str) -> float:
    """Seconds of a duration like 500ms, 2s, 1.5m or 1h."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)", text)
    if match is None:
        raise Usage(f"{flag} {text}: expected a form like 90s, 10m or 1h")
    return float(match[1]) * _UNITS[match[2]]


def _words(flags: Mapping[str, Any]) -> str:
    named = [("--header", text) for text in flags.get("header", ())]
    for name in ("ca", "cert", "cert_key", "timeout", "model_timeout", "settle", "concurrency"):
        named += [(f"--{name.replace('_', '-')}", str(flags[name]))] if flags.get(name) else []
    return " ".join(
        [*(f"{flag} {shlex.quote(value)}" for flag, value in named)]
        + ["--insecure"] * bool(flags.get("insecure"))
    )


def _header(text: str) -> tuple[str, str]:
    match = _HEADER.fullmatch(text)
    if match is None:
        raise Usage(f"--header {text.partition(':')[0]!r}: expected a form like 'X-Environment: staging'")
    if match[1].lower() in _RESERVED:
        raise Usage(f"--header {match[1]}: the suite sets this header itself")
    return match[1], match[2].strip()


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name).upper()
