"""What must not grow with the state: pages, additions, the embedding queue, the search. In-process."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from bench.rows import Effort, Result, at, row
from bench.world import SPACE, WORDS, answered, apart, application, filled, link, milliseconds, sandbox_of

LARGE, SMALL = 100_000, 100
THREAD = "thrd_000000"
PATH = f"/v1/spaces/{SPACE}/threads"


def _pages() -> dict[str, float]:
    """Milliseconds of the first and the last page in both worlds, by turns, each put together anew."""
    asks: dict[str, Callable[[], object]] = {}
    kept: list[Any] = []
    for size in (SMALL, LARGE):
        app = application()
        sandbox = filled(sandbox_of(app), size, 0)
        for number in range(size):
            link(sandbox, f"thrd_{number:06}")
        cursor, left = "", size
        while left > 50:
            step = min(100, left - 50)
            found = answered(app, "GET", PATH, f"limit={step}" + (f"&cursor={cursor}" if cursor else ""))
            cursor, left = found["next_cursor"], left - step
        asks[f"first of {size}"] = partial(answered, app, "GET", PATH, "limit=50")
        asks[f"last of {size}"] = partial(answered, app, "GET", PATH, f"limit=50&cursor={cursor}")
        kept.append(sandbox.space_thread_pages)
    taken: dict[str, list[float]] = {name: [] for name in asks}
    for _ in range(300):
        for name, ask in asks.items():
            for pages in kept:
                pages.forget()
            taken[name].append(milliseconds(ask))
    return {name: at(0.5, each) for name, each in taken.items()}


@row(
    "page-of-100000",
    "a page of 50 from a space of 100,000 threads, beside one of 100 threads",
    "under 1.3 times the time, at the first page and at the last",
)
def pages(_: Effort) -> Result:
    """Through the whole corridor."""
    took = apart(_pages)
    first = took[f"first of {LARGE}"] / took[f"first of {SMALL}"]
    last = took[f"last of {LARGE}"] / took[f"last of {SMALL}"]
    words = f"{first:.2f} times at the first page, {last:.2f} at the last"
    return Result(words, max(first, last) < 1.3, {"milliseconds": took})


def _adding(size: int) -> float:
    """Milliseconds of one addition and a look at its jobs, over and over: without the request around it."""
    from mockserver.freddy.shared_memory import add_thread, remove_thread

    sandbox = filled(sandbox_of(application()), 1, size)

    def add() -> None:
        add_thread(SPACE, THREAD, sandbox)
        sandbox.embeddings.counts(sandbox.clock.now(), SPACE, THREAD)

    taken = []
    for _ in range(20):
        taken.append(milliseconds(add))
        remove_thread(SPACE, THREAD, sandbox)
    return at(0.5, taken)


@row("adding-100000", "adding a thread of 10,000 messages; one of 100,000", "under 10 ms; under 150 ms")
def adding(_: Effort) -> Result:
    """The median of twenty additions of each. Each message's end is planned when it is queued."""
    took = {size: apart(_adding, size) for size in (LARGE // 10, LARGE)}
    smaller, larger = took.values()
    numbers = {"milliseconds": {str(size): each for size, each in took.items()}}
    return Result(f"{smaller:.1f} ms; {larger:.0f} ms", smaller < 10 and larger < 150, numbers)


SLOWEST = 1.0
"""The first look, as a rule: what nobody has looked at is planned then."""


def _queue(batches: int, failures: float) -> dict[str, float]:
    from mockserver.embeddings.policy import Policy
    from mockserver.embeddings.queues import Embeddings
    from mockserver.store.sorted_keys import SortedKeys

    queue, size = Embeddings(Policy(failure_rate=failures)), LARGE // batches
    whole = [SortedKeys((b * size + i, f"m{i}") for i in range(size)) for b in range(batches)]

    def add() -> None:
        for b, keys in enumerate(whole):
            queue.add_thread(SPACE, f"t{b}", keys, 0)

    added = milliseconds(add)
    counts = milliseconds(lambda: queue.counts(10**9), 5, SLOWEST)
    advance = milliseconds(lambda: queue.ended(0, 10**15, 100), 3, SLOWEST)
    one = milliseconds(lambda: queue.add_messages(SPACE, "t0", [(10**9, "new")], 0), 101)
    return {"adding": added, "counts": counts, "advance": advance, "one message": one}


@row(
    "queue-of-100000",
    "counting a queue of 100,000 jobs and advancing the clock past them; where a tenth of the attempts fail; "
    "one message more",
    "under 500 ms; under 1 s; under 0.1 ms",
)
def queue(_: Effort) -> Result:
    """In one batch and in 10,000. Queues of a million jobs were measured here once: nobody has one."""
    took = {
        failures: [apart(_queue, batches, failures) for batches in (1, 10_000)] for failures in (0.0, 0.1)
    }
    plain, failing = (max(each["counts"] + each["advance"] for each in found) for found in took.values())
    one = max(each["one message"] for found in took.values() for each in found)
    numbers = {f"{failures:.0%} fail": found for failures, found in took.items()}
    words = f"{plain:.0f} ms; {failing:.0f} ms; {one:.3f} ms (the worse of two queues each)"
    return Result(words, plain < 500 and failing < 1000 and one < 0.1, {"milliseconds": numbers})


def _leaving() -> float:
    from mockserver.embeddings.policy import Policy
    from mockserver.embeddings.queues import Embeddings
    from mockserver.store.sorted_keys import SortedKeys

    queue = Embeddings(Policy())
    for t in range(1000):
        queue.add_thread(SPACE, f"t{t}", SortedKeys((t * 10 + i, f"m{i}") for i in range(10)), 0)

    def leave() -> None:
        for t in range(1000):
            queue.remove_thread(SPACE, f"t{t}", t)
        queue.counts(1000)

    return milliseconds(leave)


@row("leaving-1000", "taking 1,000 waiting threads of 10 messages out of a space, one by one", "under 2 s")
def leaving(_: Effort) -> Result:
    """The oldest first, so that all that wait behind it move up each time."""
    took = apart(_leaving)
    return Result(f"{took:.0f} ms", took < 2000, {"milliseconds": took})


def _search() -> tuple[float, float]:
    from mockserver.freddy.shared_memory import add_thread, search

    sandbox = filled(sandbox_of(application()), 1, LARGE)
    add_thread(SPACE, THREAD, sandbox)
    sandbox.embeddings.drain(0)
    question = "tell me about " + " ".join(WORDS[i] for i in (17, 1234, 4321))

    def ask() -> object:
        found = search(question, [SPACE], sandbox)
        assert found
        return found

    return milliseconds(ask), milliseconds(ask, 101)


@row(
    "search-100000",
    "warm shared-memory search over 100,000 embedded messages; building its index",
    "under 1 ms; under 20 µs a message",
)
def search_(_: Effort) -> Result:
    """The first search indexes the words of all messages."""
    first, warm = apart(_search)
    building = (first - warm) * 1000 / LARGE
    numbers = {"milliseconds": {"first": first, "warm": warm}, "microseconds_a_message": building}
    return Result(f"{warm:.2f} ms; {building:.1f} µs a message", warm < 1 and building < 20, numbers)
