"""Generated worlds: the same for the same seed, in however many steps, and as good as what somebody wrote."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from mockserver.app import load
from mockserver.sandbox.directory import Directory
from mockserver.sandbox.sandbox import Data, Sandbox, SandboxState, empty_versions
from mockserver.scenarios.generated_size import WorldSize, parse_size
from mockserver.scenarios.generated_world import generate
from mockserver.settings import Settings
from tests.running import ROOT

Content = Callable[[Sandbox], dict[str, list[Any]]]


@pytest.fixture(scope="module")
def start() -> SandboxState:
    return SandboxState(load(Settings()).catalogue.data("empty"))


@pytest.fixture
def sandbox(start: SandboxState) -> Sandbox:
    return Sandbox("-", start)


def content(sandbox: Sandbox) -> dict[str, list[Any]]:
    return {name: list(collection) for name, collection in sandbox._collections.items()}


def test_one_step_or_many_make_the_same_threads_and_messages(start: SandboxState) -> None:
    whole, steps = Sandbox("-", start), Sandbox("-", start)
    generate(whole, WorldSize(threads=30, messages=4), 7)
    for count in (1, 20, 9):
        generate(steps, WorldSize(threads=count, messages=4), 7)
    assert content(whole) == content(steps)


def test_what_else_was_made_before_changes_nothing(start: SandboxState) -> None:
    first, later = Sandbox("-", start), Sandbox("-", start)
    generate(first, WorldSize(3, 2, 2), 7)
    later.ids.new("thrd")
    generate(later, WorldSize(5, 2, 1), 8)
    generate(later, WorldSize(3, 2, 2), 7)
    for name, records in content(first).items():
        known = content(later)[name]
        assert all(record in known for record in records)


def test_more_messages_in_a_thread_change_none_of_the_first_ones(start: SandboxState) -> None:
    few, many = Sandbox("-", start), Sandbox("-", start)
    generate(few, WorldSize(2, 3), 7)
    generate(many, WorldSize(2, 5), 7)
    assert all(message in list(many.messages) for message in few.messages)


@pytest.mark.slow
def test_the_bytes_are_the_same_in_another_process(sandbox: Sandbox) -> None:
    """Whatever hashes strings differently there."""
    generate(sandbox, WorldSize(20, 3, 4), 7)
    script = "from tests.sandbox import test_generated as t; print(t.text())"
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


def text() -> str:
    sandbox = Sandbox("-", SandboxState(load(Settings()).catalogue.data("empty")))
    generate(sandbox, WorldSize(20, 3, 4), 7)
    return str(content(sandbox))


def test_another_seed_makes_another_world(start: SandboxState) -> None:
    one, other = Sandbox("-", start), Sandbox("-", start)
    generate(one, WorldSize(3, 2, 2), 7)
    generate(other, WorldSize(3, 2, 2), 8)
    ids = [{record["id"] for record in each.threads} for each in (one, other)]
    assert not ids[0] & ids[1]


def test_it_fits_together_and_fits_the_spec(sandbox: Sandbox) -> None:
    """The same checks that an imported state goes through."""
    generate(sandbox, WorldSize(40, 5, 6), 7)
    states = load(Settings()).states
    again = Sandbox("-", states.state(states.document(sandbox.state("")), ""))
    assert content(again) == content(sandbox)
    assert len(sandbox.space_threads) == len(sandbox.threads) == 40
    assert len({message["content"] for message in sandbox.messages}) > 150


def test_everything_is_embedded_already(sandbox: Sandbox) -> None:
    generate(sandbox, WorldSize(10, 3, 2), 7)
    assert sandbox.embeddings.counts(sandbox.clock.now()).completed == 30
    assert sandbox.embeddings.counts(0).completed == 30


def test_without_spaces_the_threads_are_in_none(sandbox: Sandbox) -> None:
    made = generate(sandbox, WorldSize(threads=3, messages=0), 7)
    assert (made.spaces, len(made.threads), len(sandbox.space_threads)) == ([], 3, 0)
    assert all(thread["message_count"] == 0 for thread in sandbox.threads)


def test_nobody_there_is_told() -> None:
    with pytest.raises(ValueError, match="no user who belongs"):
        generate(
            Sandbox("-", SandboxState(Data("-", Directory({}, {}, {}), empty_versions()))),
            WorldSize(threads=1),
            7,
        )


def test_an_order_is_read() -> None:
    assert parse_size("threads=10,messages=5,spaces=2") == (10, 5, 2)
    assert parse_size("spaces=3, threads=1") == (1, 0, 3)
