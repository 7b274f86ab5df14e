"""Sandboxes: created on first use, dropped when idle, remembered when dropped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from mockserver.app import load
from mockserver.http.problems import (
    BadSandbox,
    Conflict,
    NotFound,
    SandboxGone,
    SandboxRequired,
    TooManySandboxes,
)
from mockserver.sandbox import sandboxes as module
from mockserver.sandbox.sandbox import Sandbox, SandboxState
from mockserver.sandbox.sandboxes import SAFE_SECONDS, Sandboxes, SandboxLimits
from mockserver.settings import Settings


class Seconds:
    """Real time, as the test wants it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def entered(sandboxes: Sandboxes, name: str | None) -> Sandbox:
    """The sandbox of an accepted request."""
    return sandboxes.enter(sandboxes.find(name))


@pytest.fixture(scope="module")
def start() -> SandboxState:
    return SandboxState(load(Settings()).catalogue.data("demo"))


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def new(start: SandboxState, seconds: Seconds) -> Callable[..., Sandboxes]:
    return partial(Sandboxes, start, seconds=seconds)


def test_the_sandbox_of_a_name_is_always_the_same(new: Callable[..., Sandboxes]) -> None:
    sandboxes = new()
    assert entered(sandboxes, "a") is entered(sandboxes, "a") is sandboxes.get("a")
    assert entered(sandboxes, "a") is not entered(sandboxes, "b")
    assert entered(sandboxes, None) is entered(sandboxes, "default") is sandboxes.get()


def test_what_is_made_by_being_named_shares_the_content_of_the_start(
    new: Callable[..., Sandboxes], start: SandboxState
) -> None:
    """However much it is: not one map is copied."""
    marks = entered(new(), "a").state("").data.versions
    assert all(
        marks[name].rows is mark.rows for name, mark in start.data.versions.items() if name != "embeddings"
    )
    assert marks["embeddings"].queues is start.data.versions["embeddings"].queues


@pytest.mark.parametrize("job", [lambda all_: entered(all_, "a"), lambda all_: all_.create("a", all_.start)])
def test_a_sandbox_that_many_ask_for_at_once_is_made_once(
    new: Callable[..., Sandboxes], job: Callable[[Sandboxes], Sandbox]
) -> None:
    sandboxes, together, found = new(), threading.Barrier(50), list[Sandbox]()
    refused = list[Conflict]()

    def ask() -> None:
        together.wait()
        try:
            found.append(job(sandboxes))
        except Conflict as problem:
            refused.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(sandbox) for sandbox in found}) == 1
    assert len(found) + len(refused) == 50


def test_the_least_recently_used_goes_when_there_are_too_many(
    new: Callable[..., Sandboxes], seconds: Seconds
) -> None:
    sandboxes = new(limits=SandboxLimits(most=2))
    for name in ("a", "b", "a", "c"):
        entered(sandboxes, name)
        seconds.now += SAFE_SECONDS
    assert [sandbox.name for sandbox in sandboxes.listed()] == ["a", "c", "default"]
    with pytest.raises(SandboxGone, match="'b' was the least recently used of more than 2"):
        entered(sandboxes, "b")


def test_an_idle_one_goes_and_a_used_one_stays(new: Callable[..., Sandboxes], seconds: Seconds) -> None:
    sandboxes = new(limits=SandboxLimits(idle_seconds=60))
    for name in ("idle", "used"):
        entered(sandboxes, name)
    for seconds.now in (50.0, 100.0):
        entered(sandboxes, "used")
    assert [sandbox.name for sandbox in sandboxes.listed()] == ["default", "used"]
    with pytest.raises(SandboxGone, match=r"was not used for 60 seconds; POST /__admin/sandboxes"):
        entered(sandboxes, "idle")


def test_to_be_looked_at_is_no_use(new: Callable[..., Sandboxes], seconds: Seconds) -> None:
    sandboxes = new(limits=SandboxLimits(idle_seconds=60))
    sandbox = entered(sandboxes, "a")
    seconds.now = 50.0
    assert (sandboxes.get("a"), sandboxes.listed()[0], sandboxes.idle(sandbox)) == (sandbox, sandbox, 50.0)
    seconds.now = 61.0
    with pytest.raises(NotFound, match="was not used for 60 seconds"):
        sandboxes.get("a")


def test_who_is_in_a_dropped_sandbox_may_finish(new: Callable[..., Sandboxes]) -> None:
    sandboxes = new()
    sandbox = entered(sandboxes, "a")
    sandboxes.drop("a")
    with sandbox.transaction():
        sandbox.spaces.remove("space_abc123")
    assert "space_abc123" not in sandbox.spaces


def test_a_dropped_one_is_revived_by_being_made_with_nothing_of_its_old_life(
    new: Callable[..., Sandboxes],
) -> None:
    sandboxes = new()
    entered(sandboxes, "a").spaces.remove("space_abc123")
    sandboxes.drop("a")
    revived = sandboxes.create("a", sandboxes.start)
    assert "space_abc123" in revived.spaces
    assert entered(sandboxes, "a") is revived


def test_only_so_many_dropped_names_are_remembered(
    new: Callable[..., Sandboxes], seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    sandboxes = new(limits=SandboxLimits(most=1))
    for name in ("a", "b", "c", "d"):
        entered(sandboxes, name)
        seconds.now += SAFE_SECONDS
    assert entered(sandboxes, "a").name == "a"
    for name in ("c", "d"):
        with pytest.raises(SandboxGone):
            entered(sandboxes, name)


def test_the_default_one_is_never_dropped(new: Callable[..., Sandboxes], seconds: Seconds) -> None:
    sandboxes = new(limits=SandboxLimits(most=1, idle_seconds=1))
    default = entered(sandboxes, None)
    for seconds.now, name in ((100.0, "a"), (200.0, "b")):
        entered(sandboxes, name)
    assert entered(sandboxes, None) is default
    assert sandboxes.idle(default) is None
    with pytest.raises(Conflict, match="never dropped"):
        sandboxes.drop("default")


def test_one_that_is_there_cannot_be_made_again(new: Callable[..., Sandboxes]) -> None:
    sandboxes = new()
    entered(sandboxes, "a")
    for name in ("a", "default"):
        with pytest.raises(Conflict, match=f"'{name}' exists already"):
            sandboxes.create(name, sandboxes.start)


def test_a_name_that_is_made_up_is_always_a_new_one(new: Callable[..., Sandboxes]) -> None:
    ahead, sandboxes = new(), new()
    next_one = ahead.create(None, ahead.start).name
    entered(sandboxes, next_one)
    made = {sandboxes.create(None, sandboxes.start).name for _ in range(3)}
    assert len({next_one, *made}) == 4


def test_where_a_sandbox_is_required_it_must_be_named(new: Callable[..., Sandboxes]) -> None:
    sandboxes = new(limits=SandboxLimits(required=True))
    with pytest.raises(SandboxRequired, match="X-Mock-Sandbox, or put /__sandbox/NAME"):
        entered(sandboxes, None)
    assert entered(sandboxes, "default").name == "default"


def test_an_impossible_name_is_refused_wherever_it_comes_from(new: Callable[..., Sandboxes]) -> None:
    sandboxes = new()
    for ask in (sandboxes.find, lambda name: sandboxes.create(name, sandboxes.start)):
        with pytest.raises(BadSandbox, match="1 to 64"):
            ask("a b")


def test_to_be_found_changes_nothing(new: Callable[..., Sandboxes], seconds: Seconds) -> None:
    sandboxes = new(limits=SandboxLimits(idle_seconds=60))
    entered(sandboxes, "a")
    seconds.now = 50.0
    assert sandboxes.find("a").last_used == 0.0
    assert sandboxes.find("b").name == "b"
    assert [sandbox.name for sandbox in sandboxes.listed()] == ["a", "default"]


def test_of_two_first_requests_at_once_both_get_the_sandbox_that_was_added(
    new: Callable[..., Sandboxes],
) -> None:
    sandboxes = new()
    one, other = sandboxes.find("a"), sandboxes.find("a")
    assert sandboxes.enter(one) is sandboxes.enter(other) is one
    sandboxes.drop("a")
    with pytest.raises(SandboxGone, match="was deleted"):
        sandboxes.enter(other)


@pytest.mark.parametrize("by", [entered, lambda all_, name: all_.create(name, all_.start)])
def test_none_makes_room_within_a_minute_of_its_last_accepted_request(
    by: Callable[[Sandboxes, str], Sandbox], new: Callable[..., Sandboxes], seconds: Seconds
) -> None:
    sandboxes = new(limits=SandboxLimits(most=2))
    for name in ("a", "b"):
        entered(sandboxes, name)
    for seconds.now in (1.0, 59.5):
        sandboxes.find("a")
        with pytest.raises(TooManySandboxes, match="all 2 sandboxes of --max-sandboxes") as refused:
            by(sandboxes, "c")
        assert refused.value.headers == {"retry-after": str(60 - int(seconds.now))}
    seconds.now = 60.0
    by(sandboxes, "c")
    assert [sandbox.name for sandbox in sandboxes.listed()] == ["b", "c", "default"]
