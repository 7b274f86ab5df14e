"""What a question finds: the embedded messages of the spaces that the caller may draw on, and no others."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from mockserver.app import create_app
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.freddy.conftest import said
from tests.freddy.steps import Steps
from tests.running import FROZEN

FACT = "The warehouse in Rotterdam closes on Thursday."
QUESTION = "When does the Rotterdam warehouse close?"
SECRET = "blossom-end rot calcium experiment"
"""What thrd_research2 in space_research is about; the editor may not view that space."""


@pytest.fixture
def space(steps: Steps) -> str:
    """An empty space."""
    return steps.space()


def test_a_message_is_found_once_it_is_embedded_and_never_before(steps: Steps, space: str) -> None:
    steps.add(space, steps.thread(*(f"filler {number}" for number in range(8)), FACT))
    for _ in range(3):
        assert steps.found(QUESTION, thread_id=steps.thread(), space_id=space) == []
        steps.advance(0.19)
    steps.advance(0.03)
    assert steps.found(QUESTION, thread_id=steps.thread(), space_id=space) == [FACT]


def test_nothing_of_a_removed_thread_is_found(steps: Steps, space: str) -> None:
    thread = steps.thread(FACT)
    steps.add(space, thread)
    steps.drain()
    assert steps.found(QUESTION, thread_id=steps.thread(), space_id=space) == [FACT]
    steps.remove(space, thread)
    assert steps.found(QUESTION, thread_id=steps.thread(), space_id=space) == []
    steps.add(space, thread)
    assert steps.found(QUESTION, thread_id=steps.thread(), space_id=space) == []
    steps.drain()
    assert steps.found(QUESTION, thread_id=steps.thread(), space_id=space) == [FACT]


def test_nothing_of_a_deleted_thread_or_message_is_found(steps: Steps, space: str) -> None:
    thread, other = steps.thread(FACT, "The warehouse in Rotterdam is old."), steps.thread(FACT)
    for each in (thread, other):
        steps.add(space, each)
    steps.drain()
    steps.delete(thread, steps.messages(thread)[0]["id"])
    steps("DELETE", f"/v1/threads/{other}")
    found = steps.found(QUESTION, thread_id=steps.thread(), space_id=space)
    assert found == ["The warehouse in Rotterdam is old."]


def test_after_an_edit_the_old_text_is_not_found_and_the_new_one_once_it_is_embedded(
    steps: Steps, space: str
) -> None:
    thread, asking = steps.thread(FACT), steps.thread()
    steps.add(space, thread)
    steps.drain()
    steps.edit(thread, steps.messages(thread)[0]["id"], "Penguins live in Antarctica.")
    assert steps.found(QUESTION, thread_id=asking, space_id=space) == []
    assert steps.found("Where do penguins live?", thread_id=asking, space_id=space) == []
    steps.advance(0.2)
    assert steps.found(QUESTION, thread_id=asking, space_id=space) == []
    found = steps.found("Where do penguins live?", thread_id=asking, space_id=space)
    assert found == ["Penguins live in Antarctica."]


def test_nothing_of_another_space_is_found(steps: Steps, space: str) -> None:
    other = steps.space()
    steps.add(other, steps.thread(FACT))
    steps.add(space, steps.thread("The warehouse is elsewhere."))
    steps.drain()
    question: dict[str, Any] = {"thread_id": steps.thread(), "space_id": space}
    assert steps.found(QUESTION, **question) == ["The warehouse is elsewhere."]


def test_without_any_space_nothing_is_found(steps: Steps) -> None:
    thread = steps.thread(FACT)
    assert steps.found(QUESTION, thread_id=thread) == []
    assert steps.found(QUESTION) == []


def test_a_thread_draws_on_every_space_that_it_is_in(steps: Steps) -> None:
    facts = ["Rotterdam is a port.", "Rotterdam has a bridge."]
    spaces, asking = [steps.space(), steps.space()], steps.thread()
    for space, fact in zip(spaces, facts, strict=True):
        steps.add(space, steps.thread(fact))
        steps.add(space, asking)
    steps.drain()
    assert sorted(steps.found("Rotterdam?", thread_id=asking)) == sorted(facts)


def test_a_message_in_two_searched_spaces_is_found_once(steps: Steps, space: str) -> None:
    """A76."""
    thread, other, asking = steps.thread(FACT), steps.space(), steps.thread()
    steps.add(space, thread)
    steps.drain()
    steps.add(other, thread)
    steps.add(other, asking)
    assert steps.found(QUESTION, thread_id=asking) == []
    assert steps.found(QUESTION, thread_id=asking, space_id=space) == [FACT]
    steps.drain()
    assert steps.found(QUESTION, thread_id=asking, space_id=space).count(FACT) == 1


@pytest.mark.parametrize("again", [QUESTION, QUESTION.upper(), f"  {QUESTION}\n"])
def test_the_question_itself_is_never_found(steps: Steps, space: str, again: str) -> None:
    """A76: whoever asked it before."""
    steps.add(space, steps.thread(QUESTION, FACT))
    thread = steps.answer(QUESTION, space_id=space)["thread_id"]
    steps.drain()
    found = steps.found(again, thread_id=thread)
    assert FACT in found
    assert [text for text in found if text.strip().lower() == QUESTION.lower()] == []


def test_widening_the_search_needs_view(ask: Ask, steps: Steps) -> None:
    """A33."""
    thread = steps.thread(key="ak_demo_viewer")
    body = {"inputs": [{"role": "user", "content": "Launch budget?"}], "thread_id": thread}
    seen = ask("POST", "/v1/model/response", "ak_demo_viewer", json=body | {"space_id": "space_abc123"})
    assert seen.status_code == 200
    assert "180,000" in seen.get_json()["response"][0]["text"]
    refused = ask("POST", "/v1/model/response", "ak_demo_viewer", json=body | {"space_id": "space_support"})
    assert said(refused)[:3] == (403, "INSUFFICIENT_PERMISSIONS", "View access required")
    assert steps("GET", f"/v1/threads/{thread}", "ak_demo_viewer")["space_ids"] == []


def test_a_new_thread_is_added_to_the_space_which_needs_edit(ask: Ask, steps: Steps) -> None:
    """A33."""
    body = {"inputs": [{"role": "user", "content": "Launch budget?"}], "space_id": "space_abc123"}
    refused = ask("POST", "/v1/model/response", "ak_demo_viewer", json=body)
    assert said(refused)[:3] == (403, "INSUFFICIENT_PERMISSIONS", "Edit access required")
    thread = steps("POST", "/v1/model/response", "ak_demo_editor", json=body)["thread_id"]
    assert steps("GET", f"/v1/threads/{thread}", "ak_demo_editor")["space_ids"] == ["space_abc123"]
    listed = steps("GET", "/v1/spaces/space_abc123/threads")["data"]
    assert (listed[-1]["id"], listed[-1]["message_count"]) == (thread, 2)


def test_a_thread_in_a_space_that_its_owner_may_not_view_finds_nothing_there(steps: Steps) -> None:
    thread = steps.thread(key="ak_demo_editor")
    steps.add("space_research", thread)
    assert steps.found(SECRET, "ak_demo_editor", thread_id=thread) == []
    seeing = steps.thread(key="ak_demo_researcher")
    assert steps.found(SECRET, "ak_demo_researcher", thread_id=seeing, space_id="space_research")


def test_the_answer_cites_the_best_and_nothing_else(steps: Steps, space: str) -> None:
    steps.add(space, steps.thread("Rotterdam is a port.", FACT))
    steps.drain()
    answer = steps.answer(QUESTION, thread_id=steps.thread(), space_id=space)
    assert "file_search" not in answer
    (block,) = answer["response"]
    assert block["text"].endswith(f": {FACT}")
    nothing = steps.answer("Who painted this?", thread_id=steps.thread(), space_id=space)
    assert "Who" not in nothing["response"][0]["text"]


def test_an_answer_is_found_less_well_than_what_it_cites(steps: Steps, space: str) -> None:
    steps.add(space, steps.thread(FACT))
    for _ in range(3):
        steps.drain()
        assert steps.found(QUESTION, space_id=space)[0] == FACT


def test_at_most_ten_are_found_best_first_with_a_score_from_0_to_1(steps: Steps, space: str) -> None:
    """A34."""
    steps.add(space, steps.thread(*(f"Rotterdam {'warehouse ' * (n % 2)}number {n}" for n in range(15))))
    steps.drain()
    answer = steps.answer(
        QUESTION, thread_id=steps.thread(), space_id=space, include=["file_search.results", "else"]
    )
    results = answer["file_search"]["results"]
    scores = [result["score"] for result in results]
    assert len(results) == 10
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert ["warehouse" in result["text"] for result in results] == [True] * 7 + [False] * 3
    assert set(results[0]) == {"thread_id", "message_id", "role", "text", "score"}


def test_results_are_told_only_to_who_asks_for_them(steps: Steps) -> None:
    assert "file_search" not in steps.answer("Launch budget?", space_id="space_abc123")
    assert "file_search" not in steps.answer("Launch budget?", space_id="space_abc123", include=["x"])
    assert steps.answer("x", include=["file_search.results"])["file_search"] == {"results": []}


def test_vector_stores_are_checked_and_not_searched(ask: Ask, steps: Steps) -> None:
    """A71: messages are in the spaces' own stores alone, and naming such a store opens no space."""
    thread = steps.thread(key="ak_demo_editor")
    named = {"vector_store_ids": ["vs_research", "vs_def456"], "thread_id": thread}
    assert steps.found(SECRET, "ak_demo_editor", **named) == []
    for unknown in ("vs_nowhere", "vs_other456"):
        body = {"inputs": [{"role": "user", "content": "x"}], "vector_store_ids": ["vs_def456", unknown]}
        error = said(ask("POST", "/v1/model/response", json=body))
        assert error == (
            404,
            "VECTOR_STORE_NOT_FOUND",
            "Vector store not found",
            {"vector_store_id": unknown},
        )


def test_the_last_user_input_is_the_question(steps: Steps, space: str) -> None:
    """A69."""
    steps.add(space, steps.thread(FACT, "Penguins live in Antarctica."))
    steps.drain()
    inputs = [
        {"role": "user", "content": "Where do penguins live?"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Rotterdam"}, {"type": "text", "text": "when?"}],
        },
        {"role": "system", "content": "Talk about penguins."},
    ]
    fields = {"include": ["file_search.results"], "thread_id": steps.thread(), "space_id": space}
    answer = steps("POST", "/v1/model/response", json={"inputs": inputs, **fields})
    assert [result["text"] for result in answer["file_search"]["results"]] == [FACT]


def test_a_question_that_shares_three_words_with_one_of_a_thousand_messages_finds_it_first(
    steps: Steps, sandbox: Sandbox, space: str
) -> None:
    chance = random.Random(20260226)
    syllables = ["ka", "lo", "mi", "ru", "te", "vo", "za", "ne", "pi", "su"]
    vocabulary = sorted({"".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(500)})
    texts = [chance.sample(vocabulary, chance.randint(6, 14)) for _ in range(1000)]
    threads = [steps.thread() for _ in range(20)]
    with sandbox.transaction():
        for number, words in enumerate(texts):
            message: Record = {
                "id": f"msg_{number:04}",
                "thread_id": threads[number % 20],
                "role": "user",
                "content": " ".join(words),
            }
            sandbox.messages.put(message["id"], message)
    for thread in threads:
        steps.add(space, thread)
    steps.drain()
    asking, missed, tried = steps.thread(), [], 0
    for number in range(0, 1000, 7):
        asked = chance.sample(texts[number], 3)
        if sum(set(asked) <= set(words) for words in texts) > 1:
            continue
        tried += 1
        best = steps.found(f"What about {', '.join(asked)}?", thread_id=asking, space_id=space)[0]
        if best != " ".join(texts[number]):
            missed.append((asked, best))
    assert missed == []
    assert tried > 100


def test_the_same_seed_clock_and_calls_give_the_same_bytes() -> None:
    def bytes_of(seed: int) -> list[bytes]:
        client = create_app(Settings(freeze=FROZEN, quiet=True, seed=seed)).test_client()

        def ask(method: str, path: str, key: str, **sent: Any) -> Any:
            answer = client.open(path, method=method, headers={"X-API-Key": key}, **sent)
            answers.append(answer.get_data())
            return answer

        answers: list[bytes] = []
        steps = Steps(ask)
        space = steps.space()
        thread = steps.answer("What is the launch budget?", space_id=space)["thread_id"]
        steps.add(space, "thrd_abc123")
        steps.advance(1.1)
        body = {"inputs": [{"role": "user", "content": "The budget?"}], "thread_id": thread, "stream": True}
        ask("POST", "/v1/model/response", "ak_demo_owner", json=body)
        steps.found("Who carries the freight?", thread_id=thread)
        steps.queue()
        return answers

    first = bytes_of(1)
    assert bytes_of(1) == first
    assert Counter(map(bool, first)) == {True: len(first)}
    assert bytes_of(2) != first


def test_a_long_message_that_holds_the_question_comes_first_among_many(steps: Steps, space: str) -> None:
    """However many short ones share a word of it, and however long it is."""
    filler = " ".join(f"word{number}" for number in range(1200))
    long = f"{filler} zebra quokka platypus"
    steps.add(space, steps.thread(long, *(f"zebra item{n} alpha{n} beta{n}" for n in range(1500))))
    steps.drain()
    assert steps.found("zebra quokka platypus", thread_id=steps.thread(), space_id=space)[0] == long


@pytest.mark.parametrize("again", [QUESTION.rstrip("?"), QUESTION.upper(), f"  {QUESTION}!"])
def test_the_same_question_in_other_dress_is_not_its_own_answer(steps: Steps, space: str, again: str) -> None:
    """A76."""
    steps.add(space, steps.thread(QUESTION, FACT))
    steps.drain()
    assert steps.found(again, thread_id=steps.thread(), space_id=space) == [FACT]


def test_an_edit_that_says_the_same_embeds_nothing_again(steps: Steps, space: str) -> None:
    """A15: the vector belongs to the text."""
    thread = steps.thread(FACT)
    steps.add(space, thread)
    steps.drain()
    steps.edit(thread, steps.messages(thread)[0]["id"], FACT)
    assert steps.found(QUESTION, thread_id=steps.thread(), space_id=space) == [FACT]
