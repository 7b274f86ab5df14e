"""Reading of one sandbox from the directory of `--persist`, which stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_settings import PydanticBaseSettingsSource

from mockserver.persistence.directory_store import DirectoryStore
from mockserver.persistence.frames import DamagedError
from mockserver.persistence.identity import READING
from mockserver.persistence.keeper import NAMED
from mockserver.persistence.opening import names_of
from mockserver.persistence.recovery import Recovery
from mockserver.sandbox.gc_pause import gc_paused
from mockserver.sandbox.sandbox import SandboxState, Session
from mockserver.settings import Settings


class RecordedSettings(Settings):
    """Settings that a directory records; the environment adds none."""

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what is given."""
        return (sources["init_settings"],)


def recorded_settings(values: Mapping[str, Any]) -> Settings:
    """Settings of the mock that can read the directory's logs; DamagedError for others than were written.

    States are stored whole, so its scenario does not matter.
    """
    try:
        if unknown := sorted(values.keys() - READING):
            raise DamagedError(f"there is no setting {unknown[0]!r}")
        return RecordedSettings(**values, scenario="empty", quiet=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise DamagedError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


@gc_paused()
def read_session(
    store: DirectoryStore, name: str, recovery: Callable[[Callable[[str], bytes]], Recovery]
) -> tuple[Session, dict[str, SandboxState]]:
    """Session of a sandbox, and all snapshots by name; one of FAILURES if they can't be recovered."""
    recover = recovery(store.state)
    named: dict[str, tuple[str, str]] = {}
    if NAMED in store.names():
        snapshot, entries, *_ = store.load(NAMED)
        named, _ = names_of([*snapshot.splitlines(), *entries])
    snapshot, entries, *_ = store.load(name)
    sandbox = recover.sandbox(name, snapshot, entries)
    with sandbox.transaction():
        session = sandbox.session()
    return session, {each: recover.state(digest) for each, (digest, _) in named.items()}
