"""Reading of one sandbox from the directory of `--persist`, which stays as it is."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.persistence.keeper import NAMED
from mockserver.persistence.opening import names_of
from mockserver.persistence.recovery import Recovery
from mockserver.persistence.state_store import StateStore
from mockserver.sandbox.gc_pause import gc_paused
from mockserver.sandbox.sandbox import SandboxSession, SandboxState


@gc_paused()
def read_session(
    store: StateStore, name: str, recovery: Callable[[Callable[[str], bytes]], Recovery]
) -> tuple[SandboxSession, dict[str, SandboxState]]:
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
