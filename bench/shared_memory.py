"""How the embedding queue and the search grow: milliseconds and bytes, printed as a table.

Run by hand: `make bench-memory`. Everything is in-process, without HTTP.
"""

from __future__ import annotations

import random
import statistics
import tracemalloc
from collections.abc import Callable
from time import perf_counter

from mockserver.memory import add_thread, search
from mockserver.sandbox.directory import Caller, Directory
from mockserver.sandbox.embedding import Embeddings
from mockserver.sandbox.policy import Policy
from mockserver.sandbox.sandbox import Moment, Record, Sandbox, World, empty_marks

START = "2026-02-26T10:00:00Z"
ME = Caller("usr_bench")
WORDS = ["".join(random.Random(i).choices("abcdefghijklmnopqrstuvwxyz", k=4 + i % 6)) for i in range(5000)]


def sandbox(threads: int, messages: int) -> Sandbox:
    """A sandbox with so many threads of so many messages each, and one space with none of them."""
    made = Sandbox("bench", Moment(World("bench", Directory({}, {}, {}), empty_marks())))
    made.clock.freeze(0)
    dice = random.Random(1)
    made.spaces.put("space_bench", _space("space_bench"))
    for t in range(threads):
        thread_id = f"thrd_{t:06}"
        made.threads.put(thread_id, _thread(thread_id, messages))
        for m in range(messages):
            message_id = f"msg_{t:06}{m:06}"
            made.messages.put(
                message_id, _message(message_id, thread_id, " ".join(dice.choices(WORDS, k=12)))
            )
    return made


def _space(space_id: str) -> Record:
    return {
        "id": space_id,
        "organization_id": "org_bench",
        "created_by": ME.user_id,
        "last_activity_at": None,
    }


def _thread(thread_id: str, messages: int) -> Record:
    return {
        "id": thread_id,
        "user_id": ME.user_id,
        "organization_id": "org_bench",
        "is_pinned": False,
        "last_message_at": START,
        "created_at": START,
        "title": thread_id,
        "message_count": messages,
    }


def _message(message_id: str, thread_id: str, text: str) -> Record:
    return {
        "id": message_id,
        "created_at": START,
        "thread_id": thread_id,
        "role": "user",
        "content": text,
        "attachments": None,
        "metadata": None,
        "tool_calls": None,
        "iterations": None,
        "response_blocks": None,
    }


def milliseconds(work: Callable[[], object], times: int = 1) -> float:
    """Median of so many runs."""
    taken = []
    for _ in range(times):
        start = perf_counter()
        work()
        taken.append((perf_counter() - start) * 1000)
    return statistics.median(taken)


def _adding() -> None:
    small, large = sandbox(200, 10), sandbox(1, 100_000)
    ids = iter(range(200))
    ten = milliseconds(lambda: add_thread("space_bench", f"thrd_{next(ids):06}", small), 200)
    many = milliseconds(lambda: add_thread("space_bench", "thrd_000000", large))
    print(f"adding a thread of 10 messages          {ten:9.3f} ms")
    print(f"adding a thread of 100,000 messages     {many:9.3f} ms")
    large.embeddings.drain(0)
    question = "tell me about " + " ".join(WORDS[i] for i in (17, 1234, 4321))
    first = milliseconds(lambda: search(question, ["space_bench"], large))
    warm = milliseconds(lambda: search(question, ["space_bench"], large), 11)
    print(f"search over 100,000, first (builds)     {first:9.1f} ms, {first / 100:.1f} us a message")
    print(f"search over 100,000, warm               {warm:9.1f} ms")


def _million(batches: int, rate: float, label: str) -> None:
    queue = Embeddings(Policy(failure_rate=rate))
    from mockserver.sandbox.ordered import Ordered

    size = 1_000_000 // batches
    for b in range(batches):
        keys = Ordered((b * size + i, f"m{i}") for i in range(size))
        queue.add_thread("space_bench", f"t{b}", keys, 0)
    counts = milliseconds(lambda: queue.counts(10**9), 5)
    advance = milliseconds(lambda: queue.due(0, 10**15, 100), 3)
    print(f"1,000,000 jobs, {label:<24}{counts:9.3f} ms for counts, {advance:9.3f} ms to advance past all")


def _bytes() -> None:
    tracemalloc.start()
    held = sandbox(2000, 10)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"memory, 2,000 threads of 10 messages    {size / len(held.messages):9.0f} bytes a message")


if __name__ == "__main__":
    _adding()
    _million(1, 0.0, "one batch")
    _million(1, 0.1, "one batch, 10% fail")
    _million(10_000, 0.0, "10,000 batches")
    _million(10_000, 0.1, "10,000 batches, 10% fail")
    _bytes()
