"""Settings: flags, then MOCK_… in the environment, then these defaults; frozen once read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mockserver.faults.profiles import PROFILES
from mockserver.faults.rate_limit import plan
from mockserver.sandbox.clock import instant
from mockserver.scenarios.generated_size import parse

_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/\s?#@]+/?", re.ASCII | re.IGNORECASE)
"""What a browser can send as Origin, and the slash behind it that people copy along."""


class SettingsError(Exception):
    """A setting that can't be used; the text is one line that names it and says what it takes."""


def _profile(text: str) -> None:
    if text not in PROFILES:
        raise ValueError(f"is one of {', '.join(PROFILES)}")


def _read_by(read: Callable[[str], object]) -> AfterValidator:
    """A text stays as it is, if `read` understands it: it raises ValueError else."""
    return AfterValidator(lambda text: (read(text), text)[1])


class Settings(BaseSettings):
    """Everything that can be set; a field with a description is a flag of `mockserver serve` too.

    Its title is what the flag takes in --help.
    """

    model_config = SettingsConfigDict(
        env_prefix="MOCK_", env_ignore_empty=True, frozen=True, extra="forbid", populate_by_name=True
    )

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on")
    port: int = Field(4010, ge=0, le=65535, title="N", description="Port to listen on, 0 picks a free one")
    port_file: Path | None = Field(None, description="Write the port there once the mock answers")
    scenario: str = Field(
        "demo", title="NAME|FILE", description="The starting state: demo, empty, or a YAML file of yours"
    )
    generate: Annotated[str, _read_by(parse)] | None = Field(
        None,
        title="threads=N,messages=N,spaces=N",
        description="Add so many spaces, threads and messages in each thread, generated from the seed",
    )
    scenarios: Path | None = Field(
        None,
        title="FOLDER",
        description="Its YAML files are scenarios that a request may name; else none but ours",
    )
    import_: Path | None = Field(
        None,
        validation_alias="MOCK_IMPORT",
        description="Begin with this state, as GET /__admin/state gives it, instead of a scenario",
    )
    export_on_exit: Path | None = Field(
        None, description="Write the state of the default sandbox there when the mock ends"
    )
    spec: Path | None = Field(None, description="Another openapi.yaml than the one inside")
    seed: int = Field(0, title="N", description="Ids are a hash of this number and their ordinal")
    freeze: Annotated[str, _read_by(instant)] | None = Field(
        None,
        title="INSTANT",
        description="Let the clock stand still, e.g. at 2026-02-26T10:30:00Z: answers never vary",
    )
    embedding_seconds: float = Field(
        0.2, ge=0, le=86_400, title="S", description="How long embedding one message takes"
    )
    embedding_slots: int = Field(
        4, ge=1, le=1000, title="N", description="Messages embedded at the same time in a space"
    )
    embedding_failure_rate: float = Field(
        0.0, ge=0, le=1, title="SHARE", description="The share of attempts that fail, 0 to 1"
    )
    embedding_retries: int = Field(
        3, ge=0, le=100, title="N", description="Further attempts after a failed one"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        title="ORIGIN,…",
        description="Pages that may read answers, besides those on loopback; * is every page",
    )
    max_sandboxes: int = Field(
        1000,
        ge=1,
        title="N",
        description="Sandboxes besides the default one; with one more the least recently used is dropped",
    )
    sandbox_idle_seconds: float = Field(
        3600.0, gt=0, title="S", description="A sandbox that no request names for so long is dropped"
    )
    require_sandbox: bool = Field(False, description="Refuse requests that name no sandbox")
    max_body_bytes: int = Field(
        1_048_576, ge=1, title="N", description="A request body with more is refused with 413"
    )
    threads: int = Field(
        512, ge=1, le=4096, title="N", description="How many requests may wait or stream at the same time"
    )
    watch: bool = Field(
        False, description="Start over when the file of --spec or --scenario, or one in --scenarios, changes"
    )
    admin_token: Annotated[str, Field(pattern=r"^[!-~]{8,200}$")] | None = Field(
        None,
        title="TOKEN",
        description="What /__admin asks for; none on loopback, generated and shown elsewhere",
    )
    journal_entries: int = Field(
        1000,
        ge=0,
        le=1_000_000,
        title="N",
        description="Exchanges that are kept for each sandbox, 0 keeps none",
    )
    journal_mb: int = Field(
        64, ge=1, le=65_536, title="N", description="MiB that the journals of all sandboxes may take"
    )
    journal_body_bytes: int = Field(
        16_384, ge=0, le=16_777_216, title="N", description="How much of each body is kept"
    )
    faults: Annotated[str, _read_by(_profile)] | None = Field(
        None, title="PROFILE", description=f"Go wrong from the start: one of {', '.join(PROFILES)}"
    )
    rate_limit: Annotated[str, _read_by(plan)] | None = Field(
        None,
        title="PLAN",
        description="Requests of a caller: standard, premium, or like 30/min or 30/min,burst 5",
    )
    fault_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        title="N",
        description="A second port, where faults can reset connections; 0 picks a free one",
    )
    no_request_controls: bool = Field(
        False, description="Ignore X-Mock-Fault, X-Mock-Delay and Prefer in requests"
    )
    quiet: bool = Field(False, description="No line on stderr for each request")
    api_key: str | None = Field(None, validation_alias="FREDDY_API_KEY")
    """One more key of usr_abc123; no flag, for others could read it."""

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin[:80]!r} is not an origin like https://app.example:8080, nor *")
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
        flag = f"--{name.removeprefix('MOCK_').lower().replace('_', '-').rstrip('-')} (or {variable(name)})"
        reason = str(first["msg"]).removeprefix("Value error, ")
        got = "" if name in _SECRET else f"; got {str(first['input'])[:80]!r}"
        raise SettingsError(f"{flag}: {reason}{got}") from error


_SECRET = ("admin_token", "FREDDY_API_KEY")


def variable(name: str) -> str:
    """The environment's name of a setting."""
    return name if name.isupper() else f"MOCK_{name.upper().rstrip('_')}"
