"""No check that can not fail: each behaviour check fails on a mock that breaks its claim."""

from __future__ import annotations

import pytest

from contracts.behaviour import memory
from contracts.behaviour.permission_table import ROWS
from contracts.verdict.runner import try_check
from mockserver.app import MockServer
from tests.contracts.mutants import MUTANTS, damaged
from tests.contracts.strength import BEHAVIOUR, fresh_app, known, run_on
from tests.contracts.test_derived import CHECKED

pytestmark = pytest.mark.slow

FAILS_ON = {
    "a-removal-leaves-the-others-in-their-order": "deep-the-order-is-unstable-after-a-removal",
    "a-walk-survives-removals-beside-its-anchor": "deep-the-order-is-unstable-after-a-removal",
    "has-more-goes-with-a-cursor": "deep-has-more-is-wrong-at-exact-multiples",
    "listing-an-unknown-space-is-404": "error-not-found-code",
    "adding-an-unknown-thread-is-404": "error-not-found-code",
    "stores-need-edit-access": "error-denied-code",
    "strangers-to-an-organization-are-refused": "error-denied-code",
    "the-trace-id-is-the-request-id": "error-constant-trace",
    "a-405-names-the-methods": "wrong-method-is-404",
    "head-and-options-are-405": "wrong-method-is-404",
    "any-text-is-an-id": "crash-on-a-long-id",
    "a-limit-out-of-range-is-refused": "crash-on-a-full-page",
    "a-space-that-is-there-lists-the-same-by-any-size": "crash-on-a-full-page",
    "a-space-that-is-there-lists-threads-as-documented": "crash-on-a-full-page",
    "odd-ids-in-a-write-are-404": "crash-on-a-full-page",
    "a-made-up-cursor-is-refused": "crash-on-an-odd-cursor",
    "a-seventeenth-pair-of-metadata-is-refused": "metadata-of-many-pairs-is-replaced",
    "a-page-before-a-thread-ends-just-before-it": "ignored-listThreads-limit",
    "a-walk-survives-inserts": "newest-first",
    "each-page-of-spaces-has-its-own-limit": "cursor-of-spaces-ignored",
    "a-thread-is-its-creators-alone": "open-getThread",
    "nobody-sees-the-threads-of-others": "open-listThreadMessages",
    "a-space-that-is-there-is-listed-as-it-reads": "wrong-status-addThreadToSpace",
    "creating-a-thread-answers-201": "wrong-status-createThread",
    "a-spaces-own-store-can-be-read": "space-without-its-own-store",
    "every-message-is-found-in-every-space": "later-messages-not-embedded",
    "a-deleted-message-is-not-found": "later-messages-not-embedded",
    "a-turn-adds-the-question-and-the-answer": "question-is-not-stored",
    "nobody-asks-in-the-threads-of-others": "threads-of-others-answer",
    "the-collection-without-its-slash-redirects": "redirects-are-permanent",
    "a-wrong-trailing-slash-redirects": "redirects-are-permanent",
    "what-is-not-json-is-422": "any-content-type-is-json",
}
"""Checks that are the first to catch no mutant -> mutant on which they fail; strength.json has the others."""
OPEN_TO_ALL = {name for name, row in ROWS.items() if 403 not in row.statuses}
FAILS_ON |= {
    check.id: "any-key-is-good" if {*check.operations} & OPEN_TO_ALL else "error-denied-code"
    for check in BEHAVIOUR
    if check.id.startswith("who-may-") and check.id not in known().values()
}


@pytest.fixture(scope="module")
def app() -> MockServer:
    return fresh_app()


def test_every_check_fails_on_a_mutant() -> None:
    assert {check.id for check in BEHAVIOUR} - {*known().values()} - FAILS_ON.keys() == {*CHECKED}


@pytest.mark.parametrize("name", FAILS_ON)
def test_a_check_fails_on_its_mutant(app: MockServer, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PATIENCE", 0.6)
    check = next(check for check in BEHAVIOUR if check.id == name)
    with damaged(app, next(mutant for mutant in MUTANTS if mutant.name == FAILS_ON[name])):
        assert try_check(check, run_on(app))
