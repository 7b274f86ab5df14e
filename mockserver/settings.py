"""Settings: flags, then MOCK_… in the environment, then these defaults; frozen once read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mockserver.engine.limits import plan
from mockserver.engine.profiles import PROFILES
from mockserver.sandbox.clock import instant
from mockserver.sandbox.orders import parse

_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/\s?#@]+/?", re.ASCII | re.IGNORECASE)
"""What a browser can send as Origin, and the slash behind it that people copy along."""


class SettingsError(Exception):
    """A setting that can't be used; the text is one line that names it and says what it takes."""


class Settings(BaseSettings):
    """Everything that can be set; every field is a flag of `mockserver serve` too."""

    model_config = SettingsConfigDict(
        env_prefix="MOCK_", env_ignore_empty=True, frozen=True, extra="forbid", populate_by_name=True
    )

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 4010
    """0 picks a free one."""
    port_file: Path | None = None
    """Where to write the port once the mock answers."""
    scenario: str = "demo"
    """A scenario's name, or the path of a YAML file."""
    generate: str | None = None
    """What to add to the scenario: threads=N,messages=N,spaces=N."""
    scenarios: Path | None = None
    """A folder of YAML files that requests may name as scenarios."""
    import_: Path | None = Field(default=None, validation_alias="MOCK_IMPORT")
    """A state document that every sandbox begins with, instead of a scenario."""
    export_on_exit: Path | None = None
    """Where to write the state of the default sandbox when the mock ends."""
    spec: Path | None = None
    """Another openapi.yaml than the one inside."""
    seed: int = 0
    """Ids are a hash of this and of their ordinal."""
    freeze: str | None = None
    """An instant (RFC 3339) at which the clock stands still from the start."""
    embedding_seconds: Annotated[float, Field(ge=0, le=86_400)] = 0.2
    """How long embedding one message takes."""
    embedding_slots: Annotated[int, Field(ge=1, le=1000)] = 4
    """Messages embedded at the same time, per space."""
    embedding_failure_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of attempts that fail."""
    embedding_retries: Annotated[int, Field(ge=0, le=100)] = 3
    """Further attempts after a failed one."""
    max_sandboxes: Annotated[int, Field(ge=1)] = 1000
    """Sandboxes besides the default one; one more, and the least recently used is dropped."""
    sandbox_idle_seconds: Annotated[float, Field(gt=0)] = 3600.0
    """A sandbox that no request names for so long is dropped."""
    require_sandbox: bool = False
    """Refuse requests that name no sandbox."""
    max_body_bytes: Annotated[int, Field(ge=1)] = 1_048_576
    """A request body with more is a 413."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins that may read answers besides loopback ones; `*` is everybody."""
    threads: Annotated[int, Field(ge=1, le=4096)] = 512
    """Requests that may wait or stream at the same time."""
    watch: bool = False
    """Begin anew when a file of the user's changes: spec, scenario, or one in the folder of scenarios."""
    admin_token: Annotated[str, Field(pattern=r"^[!-~]{8,200}$")] | None = None
    """What the control API asks for, as a bearer token."""
    journal_entries: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    """Exchanges that are kept for each sandbox; 0 keeps none."""
    journal_mb: Annotated[int, Field(ge=1, le=65_536)] = 64
    """What the journals of all sandboxes may take together, in MiB."""
    journal_body_bytes: Annotated[int, Field(ge=0, le=16_777_216)] = 16_384
    """How much of a body is kept."""
    faults: str | None = None
    """The profile of faults that every sandbox starts with."""
    rate_limit: str | None = None
    """How many requests a caller may send."""
    fault_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """A second port, where connections can be reset; 0 picks a free one."""
    no_request_controls: bool = False
    """X-Mock-Fault, X-Mock-Delay and Prefer are ignored."""
    quiet: bool = False
    """No line for each request."""
    api_key: str | None = Field(default=None, validation_alias="FREDDY_API_KEY")
    """One more key of usr_abc123."""

    @field_validator("freeze")
    @classmethod
    def _is_instant(cls, value: str | None) -> str | None:
        if value is not None:
            instant(value)
        return value

    @field_validator("generate")
    @classmethod
    def _is_order(cls, value: str | None) -> str | None:
        if value is not None:
            parse(value)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin[:80]!r} is not an origin like https://app.example:8080, nor *")
        return value

    @field_validator("faults")
    @classmethod
    def _is_profile(cls, value: str | None) -> str | None:
        if value is not None and value not in PROFILES:
            raise ValueError(f"is one of {', '.join(PROFILES)}")
        return value

    @field_validator("rate_limit")
    @classmethod
    def _is_plan(cls, value: str | None) -> str | None:
        if value is not None:
            plan(value)
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )


def read_settings(given: dict[str, Any]) -> Settings:
    """Settings from what was given on the command line and from the environment."""
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        flag = f"--{name.removeprefix('MOCK_').lower().replace('_', '-').rstrip('-')} (or {_variable(name)})"
        reason = str(first["msg"]).removeprefix("Value error, ")
        got = "" if name in _SECRET else f"; got {str(first['input'])[:80]!r}"
        raise SettingsError(f"{flag}: {reason}{got}") from error


_SECRET = ("admin_token", "FREDDY_API_KEY")


def _variable(name: str) -> str:
    return name if name.isupper() else f"MOCK_{name.upper().rstrip('_')}"
