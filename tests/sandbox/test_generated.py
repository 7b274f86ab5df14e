"""Generated worlds: the same for the same seed, in however many steps, and as good as what somebody wrote."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from mockserver.app import load
from mockserver.sandbox.directory import Directory
from mockserver.sandbox.sandbox import Moment, Sandbox, World, empty_marks
from mockserver.scenarios.generated_size import Order, parse
from mockserver.scenarios.generated_world import grow
from mockserver.settings import Settings
from tests.running import ROOT

Content = Callable[[Sandbox], dict[str, list[Any]]]


@pytest.fixture(scope="module")
def start() -> Moment:
    return Moment(load(Settings()).catalogue.world("empty"))


@pytest.fixture
def sandbox(start: Moment) -> Sandbox:
    return Sandbox("-", start)


def content(sandbox: Sandbox) -> dict[str, list[Any]]:
    return {name: list(collection) for name, collection in sandbox._collections.items()}


def test_one_step_or_many_make_the_same_threads_and_messages(start: Moment) -> None:
    whole, steps = Sandbox("-", start), Sandbox("-", start)
    grow(whole, Order(threads=30, messages=4), 7)
    for count in (1, 20, 9):
        grow(steps, Order(threads=count, messages=4), 7)
    assert content(whole) == content(steps)


def test_what_else_was_made_before_changes_nothing(start: Moment) -> None:
    first, later = Sandbox("-", start), Sandbox("-", start)
    grow(first, Order(3, 2, 2), 7)
    later.ids.new("thrd")
    grow(later, Order(5, 2, 1), 8)
    grow(later, Order(3, 2, 2), 7)
    for name, records in content(first).items():
        known = content(later)[name]
        assert all(record in known for record in records)


def test_more_messages_in_a_thread_change_none_of_the_first_ones(start: Moment) -> None:
    few, many = Sandbox("-", start), Sandbox("-", start)
    grow(few, Order(2, 3), 7)
    grow(many, Order(2, 5), 7)
    assert all(message in list(many.messages) for message in few.messages)


def test_the_bytes_are_the_same_in_another_process(sandbox: Sandbox) -> None:
    """Whatever hashes strings differently there."""
    grow(sandbox, Order(20, 3, 4), 7)
    script = "from tests.sandbox import test_generated as t; print(t.told())"
    told_there = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout.decode()
        for seed in ("1", "2")
    ]
    assert told_there == [f"{content(sandbox)}\n"] * 2


def told() -> str:
    sandbox = Sandbox("-", Moment(load(Settings()).catalogue.world("empty")))
    grow(sandbox, Order(20, 3, 4), 7)
    return str(content(sandbox))


def test_another_seed_makes_another_world(start: Moment) -> None:
    one, other = Sandbox("-", start), Sandbox("-", start)
    grow(one, Order(3, 2, 2), 7)
    grow(other, Order(3, 2, 2), 8)
    ids = [{record["id"] for record in each.threads} for each in (one, other)]
    assert not ids[0] & ids[1]


def test_it_fits_together_and_fits_the_spec(sandbox: Sandbox) -> None:
    """The same checks that an imported state goes through."""
    grow(sandbox, Order(40, 5, 6), 7)
    states = load(Settings()).states
    again = Sandbox("-", states.moment(states.document(sandbox.moment("")), ""))
    assert content(again) == content(sandbox)
    assert len(sandbox.space_threads) == len(sandbox.threads) == 40
    assert len({message["content"] for message in sandbox.messages}) > 150


def test_everything_is_embedded_already(sandbox: Sandbox) -> None:
    grow(sandbox, Order(10, 3, 2), 7)
    assert sandbox.embeddings.counts(sandbox.clock.now()).completed == 30
    assert sandbox.embeddings.counts(0).completed == 30


def test_without_spaces_the_threads_are_in_none(sandbox: Sandbox) -> None:
    made = grow(sandbox, Order(threads=3, messages=0), 7)
    assert (made.spaces, len(made.threads), len(sandbox.space_threads)) == ([], 3, 0)
    assert all(thread["message_count"] == 0 for thread in sandbox.threads)


def test_nobody_there_is_told() -> None:
    with pytest.raises(ValueError, match="no user who belongs"):
        grow(Sandbox("-", Moment(World("-", Directory({}, {}, {}), empty_marks()))), Order(threads=1), 7)


def test_an_order_is_read() -> None:
    assert parse("threads=10,messages=5,spaces=2") == (10, 5, 2)
    assert parse("spaces=3, threads=1") == (1, 0, 3)
