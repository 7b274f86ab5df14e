"""Sandboxes share nothing, go back to the start, and take calls whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from mockserver.app import create_app, load
from mockserver.embeddings.policy import Policy
from mockserver.faults.rule_list import FaultDefaults, Faults
from mockserver.journal.journal import Journal, Journals
from mockserver.sandbox.clock import ClockStart, instant
from mockserver.sandbox.sandbox import Data, Sandbox, SandboxState
from mockserver.settings import Settings
from tests.running import FROZEN


@pytest.fixture(scope="module")
def world() -> Data:
    return load(Settings()).catalogue.data("demo")


@pytest.fixture
def new(world: Data) -> Callable[..., Sandbox]:
    """A sandbox of the demo scenario by name, with a seed."""

    def make(name: str = "default", seed: int = 0) -> Sandbox:
        return Sandbox(
            name, SandboxState(world, Policy(seed=seed), clock_start=ClockStart(instant(FROZEN), frozen=True))
        )

    return make


def content(sandbox: Sandbox) -> dict[str, Any]:
    return {name: list(collection) for name, collection in sandbox._collections.items()}


def change(sandbox: Sandbox) -> None:
    """Something of everything."""
    with sandbox.transaction():
        sandbox.clock.advance(60_000_000)
        space = dict(sandbox.spaces.get("space_abc123") or {})
        sandbox.spaces.put("space_abc123", {**space, "name": sandbox.now()})
        sandbox.space_threads.remove(("space_abc123", "thrd_abc123"))
        sandbox.threads.move("thrd_abc123", sandbox.deleted_threads)
        thread = sandbox.deleted_threads.get("thrd_abc123") or {}
        sandbox.threads.put(sandbox.ids.new("thrd"), thread)


def test_two_sandboxes_share_nothing(new: Callable[..., Sandbox]) -> None:
    one, other = new("one"), new("other")
    before = content(other), other.now(), other.ids.checkpoint()
    change(one)
    assert (content(other), other.now(), other.ids.checkpoint()) == before
    assert content(one) != content(other)


def test_a_reset_goes_back_to_the_start(new: Callable[..., Sandbox]) -> None:
    sandbox = new()
    before = content(sandbox), sandbox.now(), sandbox.trace_id(), sandbox.ids.new("space")
    change(sandbox)
    sandbox.reset()
    assert (content(sandbox), sandbox.now(), sandbox.trace_id(), sandbox.ids.new("space")) == before


def test_a_failure_undoes_all_that_its_call_changed(new: Callable[..., Sandbox]) -> None:
    sandbox = new()
    before = content(sandbox), sandbox.ids.checkpoint()

    def fail() -> None:
        with sandbox.transaction():
            sandbox.spaces.remove("space_abc123")
            sandbox.threads.move("thrd_abc123", sandbox.deleted_threads)
            sandbox.ids.new("space")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (content(sandbox), sandbox.ids.checkpoint()) == before
    change(sandbox)  # and the next one may enter
    assert content(sandbox) != before[0]


def test_a_seed_changes_new_ids_and_no_id_of_the_scenario(new: Callable[..., Sandbox]) -> None:
    one, other = new(seed=1), new(seed=2)
    assert content(one) == content(other)
    assert one.ids.new("space") != other.ids.new("space")


def test_two_apps_share_nothing() -> None:
    one, other = create_app(Settings(quiet=True)), create_app(Settings(quiet=True))
    change(one.sandboxes.get())
    space = other.sandboxes.get().spaces.get("space_abc123")
    assert space is not None
    assert space["name"] == "Project Alpha"


def test_a_failure_undoes_the_clock_too(new: Callable[..., Sandbox]) -> None:
    """Moved, or replaced by a reset."""
    sandbox = new()

    def fail_after(change: Callable[..., None], *given: int) -> None:
        with sandbox.transaction():
            change(*given)
            raise RuntimeError

    for change in ((sandbox.clock.advance, 10**6), (sandbox.reset,)):
        sandbox.clock.freeze(7)
        with pytest.raises(RuntimeError):
            fail_after(*change)
        assert (sandbox.clock.now(), sandbox.clock.is_frozen) == (7, True)


def test_it_goes_on_from_a_moment_as_it_would_have_gone_on_then(new: Callable[..., Sandbox]) -> None:
    sandbox, other = new(), new("other", seed=5)
    change(sandbox)
    state = sandbox.state("here")
    before = content(sandbox), sandbox.now(), sandbox.trace_id(), sandbox.ids.new("thrd")
    sandbox.spaces.remove("space_team")
    for each in (sandbox, other):
        each.restore(state)
        assert (content(each), each.now(), each.trace_id(), each.ids.new("thrd")) == before


def test_a_clock_that_ticked_goes_on_from_the_moment(new: Callable[..., Sandbox]) -> None:
    sandbox = new()
    sandbox.clock.resume()
    state = sandbox.state("here")
    sandbox.clock.advance(10**12)
    sandbox.restore(state)
    assert not sandbox.clock.is_frozen
    assert 0 <= sandbox.clock.now() - instant(FROZEN) < 10**9


def test_a_reset_keeps_what_it_is_told_to_keep(new: Callable[..., Sandbox]) -> None:
    sandbox, emptied = new(), list[str]()

    class Kept(Journal):
        def reset(self) -> None:
            emptied.append("journal")

    class SortedKeys(Faults):
        def reset(self, now: int) -> None:
            super().reset(now)
            emptied.append("faults")

    sandbox.journal, sandbox.faults = Kept(Journals(), "kept"), SortedKeys(FaultDefaults())
    emptied.clear()
    sandbox.clock.freeze(7)
    sandbox.reset(keep=["clock", "faults"])
    assert (sandbox.clock.now(), emptied) == (7, ["journal"])
    sandbox.reset()
    assert (sandbox.now(), emptied) == (FROZEN, ["journal", "journal", "faults"])


def test_the_requests_of_the_control_api_shift_no_other_id(new: Callable[..., Sandbox]) -> None:
    one, other = new("one"), new("other")
    looked = one.trace_id("/__admin")
    assert one.trace_id() == other.trace_id() != looked


def test_a_failure_undoes_that_it_went_elsewhere(new: Callable[..., Sandbox]) -> None:
    sandbox = new()
    before = sandbox.data, sandbox.embeddings, content(sandbox)
    elsewhere = SandboxState(sandbox.data.emptied(), Policy(slots=1))

    def fail() -> None:
        with sandbox.transaction():
            sandbox.restore(elsewhere)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (sandbox.data, sandbox.embeddings, content(sandbox)) == before


def test_within_a_transaction_it_is_one_instant_until_the_clock_is_set(new: Callable[..., Sandbox]) -> None:
    sandbox = new()
    sandbox.source.real = count(1).__next__
    with sandbox.transaction():
        sandbox.clock.resume()
        assert sandbox.instant() == sandbox.instant() == instant(FROZEN)
        sandbox.clock.advance(5)
        assert sandbox.instant() == instant(FROZEN) + 5
        sandbox.restore(SandboxState(sandbox.data, clock_start=ClockStart(7)))
        assert sandbox.instant() == sandbox.instant() == 7
    assert 7 < sandbox.instant() < sandbox.instant()
