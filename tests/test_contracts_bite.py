"""The suite bites: a correct mock passes every check, and each mock with one fault fails one."""

from __future__ import annotations

import pytest

from contracts.failure import Verdict
from contracts.runner import judge
from mockserver.app import MockServer
from tests.contracts.mutants import MUTANTS, Mutant, damaged
from tests.contracts.mutants.source import parts
from tests.contracts.strength import BEHAVIOUR, CHEAPEST_FIRST, ROOT, bite, fresh_app, known, team_for

SPREAD = [mutant for number, mutant in enumerate(MUTANTS) if mutant.concurrent or number % 3 == 0]
"""Every third, and all that need calls at the same time; `make mutants` tries them all."""


@pytest.fixture(scope="module")
def app() -> MockServer:
    return fresh_app()


@pytest.fixture(scope="module")
def hints() -> dict[str, str]:
    """What caught each mutant before: tried first, so that it takes a moment."""
    return known()


def test_a_correct_mock_passes_every_check(app: MockServer) -> None:
    with damaged(app, None):
        team = team_for(app)
        outcomes = [judge(check, team) for check in BEHAVIOUR]
        left = team.clean_up()
    assert [(o.check.id, o.verdict, o.message) for o in outcomes if o.verdict is not Verdict.PASSED] == []
    assert left == []


@pytest.mark.parametrize("mutant", SPREAD, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught(app: MockServer, hints: dict[str, str], mutant: Mutant) -> None:
    assert bite(app, mutant, hints.get(mutant.name)).caught is not None, mutant.sentence


def test_the_table_has_every_mutant(hints: dict[str, str]) -> None:
    assert sorted(hints) == sorted(mutant.name for mutant in MUTANTS)
    assert set(hints.values()) <= {check.id for check in CHEAPEST_FIRST}


def test_a_mutant_is_the_same_wherever_the_project_lies() -> None:
    told = [part for mutant in MUTANTS for part in parts(mutant)]
    assert [part for part in told if str(ROOT) in part or " at 0x" in part] == []
