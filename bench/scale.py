"""What must not grow with the state: pages, additions, the embedding queue, the search. In-process."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from bench.rows import Effort, Result, at, row
from bench.world import SPACE, WORDS, answered, apart, application, filled, link, milliseconds, sandbox_of

LARGE, SMALL, JOBS = 100_000, 100, 1_000_000
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
        kept.append(sandbox.pages_of_space_threads)
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


def _adding() -> dict[str, float]:
    """Milliseconds of one addition, over and over, by turns: without the request around it.

    The jobs are counted after it, for what nobody looks at need not be planned.
    """
    from mockserver.memory import add_thread, remove_thread

    def add(sandbox: Any) -> None:
        add_thread(SPACE, THREAD, sandbox)
        sandbox.embeddings.counts(sandbox.clock.now(), SPACE, THREAD)

    sandboxes = {size: filled(sandbox_of(application()), 1, size) for size in (10, LARGE)}
    taken: dict[int, list[float]] = {size: [] for size in sandboxes}
    for _ in range(100):
        for size, sandbox in sandboxes.items():
            taken[size].append(milliseconds(partial(add, sandbox)))
            remove_thread(SPACE, THREAD, sandbox)
    return {str(size): at(0.5, each) for size, each in taken.items()}


@row("adding-100000", "adding a thread of 100,000 messages, beside one of 10", "under 2 times")
def adding(_: Effort) -> Result:
    """The median of a hundred additions of each."""
    took = apart(_adding)
    ratio = took[str(LARGE)] / took["10"]
    words = f"{ratio:.2f} times ({took[str(LARGE)]:.3f} ms beside {took['10']:.3f} ms)"
    return Result(words, ratio < 2, {"milliseconds": took})


SLOWEST = 1.0
"""The first look, as a rule: what nobody has looked at is planned then."""


def _queue(batches: int, failures: float) -> dict[str, float]:
    from mockserver.sandbox.embedding import Embeddings
    from mockserver.sandbox.ordered import Ordered
    from mockserver.sandbox.policy import Policy

    queue, size = Embeddings(Policy(failure_rate=failures)), JOBS // batches
    for b in range(batches):
        keys = Ordered((b * size + i, f"m{i}") for i in range(size))
        queue.add_thread(SPACE, f"t{b}", keys, 0)
    return {
        "counts": milliseconds(lambda: queue.counts(10**9), 5, SLOWEST),
        "advance": milliseconds(lambda: queue.due(0, 10**15, 100), 3, SLOWEST),
    }


@row(
    "queue-of-1000000",
    "counts of a queue of 1,000,000 jobs; advancing the clock past all of them",
    "under 50 ms; under 500 ms",
)
def queue(_: Effort) -> Result:
    """In one batch and in 10,000, without failures and with a tenth of the attempts failing."""
    took = {
        f"{batches} batches, {failures:.0%} fail": apart(_queue, batches, failures)
        for batches in (1, 10_000)
        for failures in (0.0, 0.1)
    }
    counts = max(each["counts"] for each in took.values())
    advance = max(each["advance"] for each in took.values())
    words = f"{counts:.1f} ms; {advance:.0f} ms (the worst of four queues)"
    return Result(words, counts < 50 and advance < 500, {"milliseconds": took})


def _search() -> tuple[float, float]:
    from mockserver.memory import add_thread, search

    sandbox = filled(sandbox_of(application()), 1, LARGE)
    add_thread(SPACE, THREAD, sandbox)
    sandbox.embeddings.drain(0)
    question = "tell me about " + " ".join(WORDS[i] for i in (17, 1234, 4321))

    def ask() -> object:
        found = search(question, [SPACE], sandbox)
        assert found
        return found

    return milliseconds(ask), milliseconds(ask, 11)


@row(
    "search-100000",
    "warm shared-memory search over 100,000 embedded messages; building the vectors",
    "under 50 ms; under 20 µs a message",
)
def search_(_: Effort) -> Result:
    """The first search builds the vectors of all messages."""
    first, warm = apart(_search)
    building = (first - warm) * 1000 / LARGE
    numbers = {"milliseconds": {"first": first, "warm": warm}, "microseconds_a_message": building}
    return Result(f"{warm:.1f} ms; {building:.1f} µs a message", warm < 50 and building < 20, numbers)
