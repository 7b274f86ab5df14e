"""The embedding queue's arithmetic, against a simulation that goes attempt by attempt."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.embeddings.policy import Policy, failing_ranks
from mockserver.embeddings.queues import Embeddings
from mockserver.store.sorted_keys import SortedKeys
from tests.embeddings.simulation import Simulation

SPACE = "space_a"
POLICIES = st.builds(
    Policy,
    seed=st.integers(0, 5),
    duration=st.sampled_from([1, 10, 25]),
    slots=st.integers(1, 5),
    failure_rate=st.sampled_from([0.0, 0.3, 1.0]),
    retries=st.integers(0, 2),
    manual=st.just(False),
    failing_every=st.sampled_from([0, 0, 3]),
    failing_keys=st.just(()),
    failing_attempts=st.integers(1, 2),
    first_job=st.just(1),
)
ORDERS = ["add", "live", "remove thread", "remove", "edit", "wait"]
ORDERS += ["change policy", "manual", "step", "drain", "complete", "fail", "retry"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ORDERS),
        st.integers(0, 2),
        st.integers(0, 9),
        st.integers(0, 30),
    ),
    max_size=14,
)


def listed(threads: dict[str, list[str]], numbers: dict[str, int]) -> list[tuple[str, str, int]]:
    """(thread, message, its number) of every message there is."""
    return [(thread, message, numbers[message]) for thread, known in threads.items() for message in known]


def agree(
    queue: Embeddings, slow: Simulation, now: int, instant: int, messages: list[tuple[str, str, int]]
) -> None:
    """What the queue says of an instant is what the simulation comes to."""
    later = deepcopy(slow)
    later.run(instant)
    assert queue.counts(instant, SPACE) == later.counts(instant)
    totals, first = queue.ended(now, instant, 10_000)
    ended = later.ended(now, instant)
    assert {k: v for k, v in totals.items() if v} == Counter(kind for _, kind, _ in ended)
    assert sorted((d.at, d.kind, d.message_id) for d in first) == ended
    assert first == sorted(first, key=lambda due: due.at)
    for thread, message, number in messages:
        expected = later.state(thread, message, instant)
        assert queue.state(SPACE, thread, (number, message), instant) == expected


def order(queue: Embeddings, slow: Simulation, step: str, which: int, size: int, now: int) -> None:
    """What a tester orders, on both sides."""
    slow.run(now)
    if step == "drain":
        queue.drain(now)
        slow.drain(now)
    elif step == "step":
        assert queue.step(1 + size, now) == slow.step(1 + size, now)
    elif step in ("change policy", "manual"):
        policy = queue.policy._replace(slots=1 + which, duration=3 * size, retries=which, manual=False)
        if step == "manual":
            policy = policy._replace(duration=0, manual=True)
        queue.change_policy(policy, now)
        slow.change_policy(queue.policy, now)
    else:
        jobs = [job for _, job in queue.jobs(now)]
        if jobs:
            found = queue.find_job(jobs[size % len(jobs)].number, now)
            assert found is not None
            if step == "retry" and found.state == "failed":
                queue.retry_job(found, now)
                slow.retry(found.key[-1], now)
            elif step != "retry":
                state = {"complete": "completed", "fail": "failed"}[step]
                queue.end_job(found, state, now)
                slow.decide(found.key[-1], state, now)


@pytest.mark.slow
@given(POLICIES, STEPS)
@settings(max_examples=600, deadline=None)
def test_the_arithmetic_agrees_with_a_simulation_at_every_step(
    policy: Policy, steps: list[tuple[str, int, int, int]]
) -> None:
    queue, slow = Embeddings(policy), Simulation(policy)
    now, made = 0, 0
    threads: dict[str, list[str]] = {}
    numbers: dict[str, int] = {}
    for step, which, size, wait in steps:
        now += wait
        thread = f"t{which}"
        known = threads.get(thread)
        if step == "add" and known is None:
            messages = [f"m{made + i:04}" for i in range(size)]
            numbers |= {m: made + i for i, m in enumerate(messages)}
            made += size
            threads[thread] = messages
            queue.add_thread(SPACE, thread, SortedKeys((numbers[m], m) for m in messages), now)
            slow.add(thread, messages, now)
        elif step == "live" and known is not None:
            message = f"m{made:04}"
            numbers[message] = made
            made += 1
            known.append(message)
            queue.add_messages(SPACE, thread, [(numbers[message], message)], now)
            slow.add(thread, [message], now)
        elif step == "remove thread" and known is not None:
            queue.remove_thread(SPACE, thread, now)
            slow.remove_thread(thread, now)
            del threads[thread]
        elif step == "remove" and known:
            message = known.pop(size % len(known))
            queue.remove_message(SPACE, thread, (numbers[message], message), now)
            assert slow.remove(thread, message, now)
        elif step == "edit" and known:
            message = known[size % len(known)]
            slow.run(now)
            if slow.state(thread, message, now) != "pending":
                slow.remove(thread, message, now)
                slow.add(thread, [message], now)
            queue.edit_message(SPACE, thread, (numbers[message], message), now)
        elif step in ORDERS[6:]:
            order(queue, slow, step, which, size, now)
        for instant in (now, now + 7, now + 60):
            agree(queue, slow, now, instant, listed(threads, numbers))


@pytest.mark.slow
@given(POLICIES, st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 60)), max_size=20))
@settings(max_examples=600, deadline=None)
def test_threads_that_come_and_go_while_nobody_looks_leave_the_line_that_the_simulation_has(
    policy: Policy, steps: list[tuple[bool, int, int]]
) -> None:
    """What waits behind a removed thread is only planned when somebody looks."""
    queue, slow, now, made = Embeddings(policy), Simulation(policy), 0, 0
    there: dict[str, list[str]] = {}
    for leaves, size, wait in steps:
        now += wait
        if leaves and there:
            thread = sorted(there)[size % len(there)]
            queue.remove_thread(SPACE, thread, now)
            slow.remove_thread(thread, now)
            del there[thread]
        else:
            thread, messages = f"t{made:04}", [f"{made + i:04}" for i in range(size)]
            there[thread] = messages
            queue.add_thread(SPACE, thread, SortedKeys((int(m), m) for m in messages), now)
            slow.add(thread, messages, now)
            made += 10
    for instant in (now, now + 7, now + 60):
        agree(queue, slow, now, instant, listed(there, {f"{i:04}": i for i in range(made)}))


def test_what_ends_together_is_told_in_the_order_of_the_line() -> None:
    queue = Embeddings(Policy(slots=2, duration=10))
    for space in ("space_b", "space_a"):
        queue.add_thread(space, "t", SortedKeys([(1, "z"), (2, "a"), (3, "m")]), 0)
    _, first = queue.ended(0, 100, 5)
    assert [(d.at, d.space_id[-1] + d.message_id) for d in first] == [
        (10, "az"),
        (10, "aa"),
        (10, "bz"),
        (10, "ba"),
        (20, "am"),
    ]


def test_many_attempts_fail_just_as_each_of_them_alone_does() -> None:
    policy = Policy(seed=3, failure_rate=0.3)
    together = failing_ranks(range(2000), 7, 2, (), policy)
    assert together == [job for job in range(2000) if failing_ranks([job], 7, 2, (), policy)]
    assert 500 < len(together) < 700


def test_a_retry_that_a_removed_job_holds_up_is_given_up_by_a_policy_without_retries() -> None:
    """What runs begins again, but for a removed job: with that the round is over, and so is the batch."""
    policy = Policy(slots=1, duration=10, failing_turns=(1,), retries=2)
    queue = Embeddings(policy)
    queue.add_thread(SPACE, "t", SortedKeys([(1, "a"), (2, "b")]), 0)
    queue.remove_message(SPACE, "t", (2, "b"), 15)
    queue.change_policy(policy._replace(retries=0), 15)
    assert queue.counts(15) == (0, 0, 0, 1)
    assert queue.ended(15, 100, 10)[1] == []


def test_a_step_passes_over_a_removed_job_that_still_runs() -> None:
    queue = Embeddings(Policy(slots=1, duration=10))
    queue.add_thread(SPACE, "t", SortedKeys([(1, "a")]), 0)
    queue.edit_message(SPACE, "t", (1, "a"), 5)
    assert queue.step(1, 5) == 1
    assert queue.counts(5).completed == 1


def test_a_step_takes_the_oldest_jobs_of_all_spaces_and_retries_ahead_of_later_batches() -> None:
    queue = Embeddings(Policy(manual=True, duration=0, failing_turns=(1,), failing_attempts=1))
    for start, space in enumerate(("space_b", "space_a", "space_b")):
        keys = [(2 * start + i, f"m{2 * start + i}") for i in range(2)]
        queue.add_thread(space, f"t{start}", SortedKeys(keys), 0)
    done = []
    for now in range(1, 8):
        assert queue.step(1, now) == 1
        done += [(each.message_id, each.kind) for each in queue.ended(now - 1, now, 10)[1]]
    kinds = ["retried"] + ["completed"] * 6
    assert done == [*zip(["m0", "m1", "m0", "m2", "m3", "m4", "m5"], kinds, strict=True)]
    again = Embeddings(queue.own_policy)
    again.add_thread("space_b", "t", SortedKeys([(1, "a"), (2, "b")]), 0)
    assert (again.step(3, 1), again.counts(1).completed) == (3, 2)
