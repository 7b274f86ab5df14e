"""Records the sequences of contracts/lockstep/corpus.json: each notices a mutant that none before it does.

python -m tests.contracts.corpus [MUTANTS] [SECONDS OF EACH] [SEED]: takes MUTANTS * SECONDS / 2 at most.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from copy import deepcopy
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from contracts.checks.spec import document
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.lockstep.api import Step
from contracts.lockstep.found import Found
from contracts.lockstep.layer import LENGTH, SHRINKING_SECONDS, shrunk
from contracts.lockstep.maker import Maker
from contracts.lockstep.model import ModelClient
from contracts.lockstep.play import Lockstep
from contracts.lockstep.sides import target_of
from contracts.safety.ledger import Ledger
from tests.contracts import auto_mutants
from tests.contracts.auto_mutants import AutoMutant
from tests.contracts.mutants import damaged
from tests.contracts.strength import fresh_app

CORPUS = Path(__file__).parents[2] / "contracts" / "lockstep" / "corpus.json"
MUTANTS, SECONDS, SEED, WORKERS = 240, 8, 1, 2


class Noticed(NamedTuple):
    """Result for one mutant."""

    mutant: str
    known: int | None = None
    """Recorded sequence that notices it."""
    steps: list[Step] | None = None
    """New sequence that notices it."""
    error: str = ""


class OutOfTime(BaseException):
    """The time of a mutant is over; a BaseException, so that nothing takes it for a failure."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise OutOfTime after so many seconds, also in an endless loop."""

    def stop(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def lockstep_of(transport: InProcess, model: ModelClient) -> Lockstep:
    """Lock step of a mock in this process, which may ask its model."""
    run = Run(transport, DEMO, DEMO_ORGANIZATION, ledger=Ledger(), run_id="corpus", model_calls=10**6)
    operations = {each.id: each for each in document().operations.values()}
    return Lockstep(model, target_of(run), document(), operations)


def plain(steps: Sequence[Step]) -> list[Step]:
    """Steps without what a play notes in them."""
    kept = [{name: value for name, value in step.items() if name != "_statuses"} for step in steps]
    found: list[Step] = json.loads(json.dumps(kept))
    return found


def try_mutant(mutant: AutoMutant, corpus: list[list[Step]], seconds: int, seed: int) -> Noticed:
    """Play the recorded sequences on a mutant, and random ones if none notices it."""
    app, model = fresh_app(), ModelClient("2026-02")
    try:
        with damaged(app, None), auto_mutants.damaged(mutant) as is_made, limited(seconds):
            if not is_made:
                return Noticed(mutant.name, error="not made")
            lockstep = lockstep_of(InProcess(app), model)
            for number, steps in enumerate(corpus):
                if _found(lockstep, deepcopy(steps)):
                    return Noticed(mutant.name, known=number)
            maker = Maker(seed, lockstep)
            while True:
                found = _found(lockstep, maker.sequence(LENGTH))
                if found:
                    return Noticed(mutant.name, steps=plain(_short(lockstep, found)))
    except OutOfTime:
        return Noticed(mutant.name)
    except Exception as error:  # a mutant may break anything
        return Noticed(mutant.name, error=repr(error)[:200])
    finally:
        model.close()


def _found(lockstep: Lockstep, steps: Any) -> Found | None:
    try:
        lockstep.play(steps)
    except Found as found:
        return found
    return None


def _short(lockstep: Lockstep, found: Found) -> list[Step]:
    """Fewest steps found in time."""
    best = [found]
    try:
        signal.alarm(20)
        best.append(shrunk(lockstep, found, SHRINKING_SECONDS))
    except OutOfTime:
        pass
    return best[-1].steps


def main() -> int:
    """Record sequences until every sampled mutant was tried."""
    numbers = [int(word) for word in sys.argv[1:]]
    count, seconds, seed = (*numbers, *(MUTANTS, SECONDS, SEED)[len(numbers) :])
    waiting = auto_mutants.sampled(count, seed)
    corpus: list[list[Step]] = []
    notices: list[list[str]] = []
    missed = 0
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), max_tasks_per_child=40) as pool:
        running: set[Future[Noticed]] = set()
        while waiting or running:
            while waiting and len(running) < WORKERS:
                running.add(pool.submit(try_mutant, waiting.pop(), corpus, seconds, seed))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                if result.steps is not None:
                    corpus.append(result.steps)
                    notices.append([result.mutant])
                elif result.known is not None:
                    notices[result.known].append(result.mutant)
                missed += result.steps is None and result.known is None
                how = "new" if result.steps else "known" if result.known is not None else "missed"
                print(f"{how:7}{result.mutant} {result.error}", flush=True)
                keep(corpus, notices)
    print(f"{count - missed} of {count} noticed by {len(corpus)} sequences")
    return 0


def keep(corpus: list[list[Step]], notices: list[list[str]]) -> None:
    """Write the sequences, one per line, shortest first."""
    pairs = sorted(zip(notices, corpus, strict=True), key=lambda pair: len(pair[1]))
    lines = [json.dumps({"notices": n, "steps": steps}, sort_keys=True) for n, steps in pairs]
    CORPUS.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
