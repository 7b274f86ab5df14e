"""Settings: flags, then MOCK_… in the environment, then these defaults; frozen once read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mockserver.faults.profiles import PROFILES
from mockserver.faults.rate_limit import plan
from mockserver.foreign.place import place_of
from mockserver.sandbox.clock import instant
from mockserver.scenarios.generated_size import parse_size

_ORIGIN = re.compile(r"\A(?:\*|null|[a-z][a-z0-9+.-]{0,30}://[^/\s?#@*]+/?)", re.ASCII | re.IGNORECASE)
"""Valid Origin header, with the trailing slash that people copy along."""


REVISIONS = ("2026-02", "2026-05")
"""Published revisions of the vendor's API; the first is openapi.yaml, the others are overlays of it."""


class SettingsError(Exception):
    """Invalid setting; the text is one line that names it and the values it takes."""


def _profile(text: str) -> None:
    if text not in PROFILES:
        raise ValueError(f"is one of {', '.join(PROFILES)}")


def _revision(text: str) -> None:
    if text not in REVISIONS:
        raise ValueError(f"is one of {', '.join(REVISIONS)}")


def _on_mismatch(text: str) -> None:
    if text not in ("snapshot", "discard"):
        raise ValueError("is one of snapshot, discard")


def _base_url(text: str) -> None:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is a URL like http://mock-1:4010")


def _read_by(read: Callable[[str], object]) -> AfterValidator:
    """Validator that keeps the text if `read` accepts it (it raises ValueError otherwise)."""
    return AfterValidator(lambda text: (read(text), text)[1])


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is not an origin like https://app.example:8080, nor * alone")
    return text


class Settings(BaseSettings):
    """All settings; a field with a description is also a flag of `mockserver serve`.

    The field's title is the placeholder in --help.
    """

    model_config = SettingsConfigDict(
        env_prefix="MOCK_", env_ignore_empty=True, frozen=True, extra="forbid", populate_by_name=True
    )

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on")
    port: int = Field(4010, ge=0, le=65535, title="N", description="Port to listen on, 0 picks a free one")
    port_file: Path | None = Field(None, description="Write the port to this file once the mock answers")
    scenario: str = Field(
        "demo", title="NAME|FILE", description="Starting state: demo, empty, or the path of a YAML file"
    )
    generate: Annotated[str, _read_by(parse_size)] | None = Field(
        None,
        title="threads=N,messages=N,spaces=N",
        description="Generate spaces, threads and messages per thread from the seed",
    )
    scenarios: Path | None = Field(
        None,
        title="FOLDER",
        description="Folder of YAML scenarios that requests may name, in addition to the bundled ones",
    )
    import_: Path | None = Field(
        None,
        validation_alias="MOCK_IMPORT",
        description="Start from this state document (see GET /__admin/state) instead of a scenario",
    )
    export_on_exit: Path | None = Field(
        None, description="Write the state of the default sandbox to this file on exit"
    )
    persist: Path | None = Field(
        None,
        title="FOLDER",
        description="Keep sandboxes and snapshots in this folder, and continue from them",
    )
    persist_mb: int = Field(
        1024, ge=1, le=1_048_576, title="N", description="Size limit of the folder of --persist in MiB"
    )
    persist_sync: bool = Field(
        False, description="Flush each change to the disk before it is answered, instead of once a second"
    )
    persist_on_mismatch: Annotated[str, _read_by(_on_mismatch)] | None = Field(
        None,
        title="snapshot|discard",
        description="For a folder of another mock: continue from its last snapshots, or start over",
    )
    store: str | None = Field(
        None,
        title="redis://HOST",
        description="Keep sandboxes in this Redis, which other replicas of the mock use, too",
    )
    advertise: Annotated[str, _read_by(_base_url)] | None = Field(
        None, title="URL", description="With --store: URL at which other replicas reach this one"
    )
    replica_token: Annotated[str, Field(pattern=r"^[!-~]{8,200}$")] | None = Field(
        None,
        title="TOKEN",
        description="With --store: token that all replicas have, better set by MOCK_REPLICA_TOKEN",
    )
    strict_reads: bool = Field(False, description="With --store: ask Redis before each read is answered")
    store_sync: bool = Field(
        False,
        description="With --store: answer a change once it is on the disk of Redis (7.2 or later)",
    )
    spec: Path | None = Field(None, description="Serve this openapi.yaml instead of the bundled one")
    revision: Annotated[str, _read_by(_revision)] = Field(
        REVISIONS[0], title="|".join(REVISIONS), description="Revision of the vendor's API to serve"
    )
    overlay: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split)] = Field(
        (),
        title="FILE",
        description="Apply this OpenAPI Overlay to the document before it is served; may be repeated",
    )
    profile: str | None = Field(
        None,
        title="FILE|fastapi",
        description="Follow the alternatives of this profile, which `contracts calibrate` writes",
    )
    extend: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        (),
        title="FILE.py:NAME",
        description="Add the routes of this flask.Blueprint, or the handlers of FILE.py; may be repeated",
    )
    also: Annotated[tuple[Annotated[str, _read_by(place_of)], ...], NoDecode, BeforeValidator(_split)] = (
        Field(
            (),
            title="NAME=FILE[@/prefix]",
            description="Serve this OpenAPI document of somebody else, too; may be repeated",
        )
    )
    seed: int = Field(0, title="N", description="Seed of all generated ids")
    freeze: Annotated[str, _read_by(instant)] | None = Field(
        None,
        title="INSTANT",
        description="Freeze the clock, e.g. at 2026-02-26T10:30:00Z, for reproducible answers",
    )
    embedding_seconds: float = Field(
        0.2, ge=0, le=86_400, title="S", description="Seconds that embedding one message takes"
    )
    embedding_slots: int = Field(
        4, ge=1, le=1000, title="N", description="Messages embedded at the same time per space"
    )
    embedding_failure_rate: float = Field(
        0.0, ge=0, le=1, title="SHARE", description="Share of embedding attempts that fail, 0 to 1"
    )
    embedding_retries: int = Field(
        3, ge=0, le=100, title="N", description="Retries after a failed embedding attempt"
    )
    cors_origins: Annotated[
        tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_split)
    ] = Field(
        (),
        title="ORIGIN,…",
        description="CORS origins allowed in addition to loopback; * allows every origin",
    )
    max_sandboxes: int = Field(
        1000,
        ge=1,
        title="N",
        description="Most sandboxes besides the default one; beyond it the least recently used is dropped",
    )
    sandbox_idle_seconds: float = Field(
        3600.0, gt=0, title="S", description="Drop a sandbox after this many seconds without a request"
    )
    require_sandbox: bool = Field(False, description="Refuse requests that do not name a sandbox")
    strict_sandboxes: bool = Field(
        False, description="Refuse requests to the vendor's API in a sandbox that was not created before"
    )
    max_body_bytes: int = Field(
        1_048_576, ge=1, title="N", description="Largest request body; more is refused with 413"
    )
    max_file_bytes: int = Field(
        33_554_432,
        ge=1,
        title="N",
        description="Most bytes of the files of one upload; more is refused with 413",
    )
    body_timeout: float = Field(
        30.0,
        gt=0,
        le=3600,
        title="S",
        description="Seconds in which the body of a request must arrive; else it is refused with 408",
    )
    keep_alive: float = Field(
        75.0, ge=0.1, le=86_400, title="S", description="Seconds after which an idle connection is closed"
    )
    threads: int = Field(
        512, ge=1, le=4096, title="N", description="Most requests that wait or stream at the same time"
    )
    watch: bool = Field(
        False,
        description="Reload when a file of the mock changes: document, overlay, profile, scenario, extension",
    )
    admin_token: Annotated[str, Field(pattern=r"^[!-~]{8,200}$")] | None = Field(
        None,
        title="TOKEN",
        description="Token for /__admin; by default none on loopback, and a generated one elsewhere",
    )
    journal_entries: int = Field(
        1000,
        ge=0,
        le=1_000_000,
        title="N",
        description="Exchanges kept in the journal of each sandbox, 0 for none",
    )
    journal_mb: int = Field(
        64, ge=1, le=65_536, title="N", description="MiB that the journals of all sandboxes may use together"
    )
    journal_body_bytes: int = Field(
        16_384, ge=0, le=16_777_216, title="N", description="Bytes of each body kept in the journal"
    )
    faults: Annotated[str, _read_by(_profile)] | None = Field(
        None,
        title="PROFILE",
        description=f"Fault profile from the start: one of {', '.join(PROFILES)}",
    )
    rate_limit: Annotated[str, _read_by(plan)] | None = Field(
        None,
        title="PLAN",
        description="Rate limit per caller: standard, premium, or like 30/min or 30/min,burst 5",
    )
    fault_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        title="N",
        description="Second port, on which faults can reset connections; 0 picks a free one",
    )
    no_request_controls: bool = Field(
        False, description="Ignore X-Mock-Fault, X-Mock-Delay and Prefer in requests"
    )
    end_with_stdin: bool = Field(
        False, description="End when standard input is closed, as it is when the parent process ends"
    )
    quiet: bool = Field(False, description="Do not log requests to stderr")
    log_probes: bool = Field(False, description="Log health probes that succeed, too")
    api_key: str | None = Field(None, validation_alias="FREDDY_API_KEY")
    """Additional key of usr_abc123; not a flag, because other users could read it."""

    def shown(self) -> dict[str, Any]:
        """Settings as JSON values, without secrets."""
        values = self.model_dump(mode="json", exclude={"admin_token", "api_key", "store", "replica_token"})
        return {name.rstrip("_"): value for name, value in values.items()}


def read_settings(flags: dict[str, Any]) -> Settings:
    """Read settings from the command line and the environment."""
    try:
        return Settings(**flags)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        flag = f"--{name.removeprefix('MOCK_').lower().replace('_', '-').rstrip('-')} (or {variable(name)})"
        reason = str(first["msg"]).removeprefix("Value error, ")
        got = "" if name in _SECRET else f"; got {str(first['input'])[:80]!r}"
        raise SettingsError(f"{flag}: {reason}{got}") from error


_SECRET = ("admin_token", "FREDDY_API_KEY", "store", "replica_token")


def variable(name: str) -> str:
    """Environment variable of a setting."""
    return name if name.isupper() else f"MOCK_{name.upper().rstrip('_')}"
