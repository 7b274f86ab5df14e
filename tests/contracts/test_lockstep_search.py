"""Search of lock step: every write in every state, streams that are cancelled, and what a seed may change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy

import pytest

from contracts.checks.evidence import Evidence
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.lockstep.api import Step
from contracts.lockstep.attribution import failures
from contracts.lockstep.interruptions import interruptions
from contracts.lockstep.layer import DifferenceSearch
from contracts.lockstep.play import Lockstep
from contracts.lockstep.writes import states, writes
from contracts.safety.ledger import Ledger
from contracts.settings import PROFILES, RunSettings
from mockserver.app import MockServer
from tests.contracts.mutants import MUTANTS, damaged
from tests.contracts.strength import TABLE, fresh_app, table

SEVERAL = PROFILES["ci"]._replace(sequences=2)
"""Few random sequences: enough for differences that another seed does not show."""


def search_on(app: MockServer, seed: int = 1) -> DifferenceSearch:
    settings = RunSettings(seed, SEVERAL)
    about = {"ledger": Ledger(), "run_id": "test", "settings": settings}
    return DifferenceSearch(Run(InProcess(app), DEMO, DEMO_ORGANIZATION, **about), failures, shrinking=0.0)  # type: ignore[arg-type]


@pytest.fixture
def pair() -> Lockstep:
    return search_on(fresh_app()).lockstep()


@pytest.mark.slow
def test_the_mock_answers_like_the_model_after_every_write_in_every_state(pair: Lockstep) -> None:
    for state in states(pair):
        before = pair.steps_taken
        pair.play(writes(pair, state))
        assert pair.steps_taken - before > 400, state


def test_streams_are_cancelled_early_and_late(pair: Lockstep) -> None:
    pair.play(interruptions(pair))
    modes = Counter(answer.fields.get("cancel_mode") for answer in pair.chain)
    assert (modes["quick_edit"], modes["keep_partial"]) == (4, 4)
    assert any('"status":"streaming"' in answer.text for answer in pair.chain)


def made(name: str, operation: str = "createSpace") -> Step:
    body: Step = {"organization_id": {"$": "org:own"}}
    body |= {"name": "n"} if operation == "createSpace" else {}
    return {"op": operation, "uid": name, "role": "owner", "path": {}, "query": {}, "body": body}


def test_a_systematic_sequence_goes_on_after_a_difference() -> None:
    app, [wrong] = fresh_app(), [each for each in MUTANTS if each.name == "wrong-status-createSpace"]
    steps = [made("a"), made("b"), made("c", "createThread")]
    with damaged(app, wrong):
        search = search_on(app)
        pair = search.lockstep()
        taken: list[str] = []

        def told() -> Iterator[Step]:
            for step in deepcopy(steps):
                yield step
                taken.append(step["op"])

        search.play_whole(pair, told)
    assert [found.step["op"] for found in search.found] == ["createSpace"]
    assert taken[-1] == "createThread"


def test_a_message_that_is_not_found_breaks_the_effect_and_no_assumption() -> None:
    app, [deaf] = fresh_app(), [each for each in MUTANTS if each.name == "later-messages-not-embedded"]
    with damaged(app, deaf):
        search = search_on(app)
        pair = search.lockstep()
        for state in states(pair)[:2]:
            search.play_whole(pair, lambda state=state: writes(pair, state))  # type: ignore[misc]
    broken = [each for found in search.found for each in failures(found)]
    [lost] = [each for each in broken if each.evidence is Evidence.DOCUMENTED and "results" in each.what]
    assert lost.assumption is None


def test_the_page_of_mutants_is_made_of_what_was_measured() -> None:
    assert TABLE.read_text("utf-8") == "\n".join([*table(), ""])
