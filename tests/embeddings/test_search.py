"""The search over messages: an index that all sandboxes share."""

from __future__ import annotations

from typing import Any

from mockserver.embeddings.search import Hit, WordIndex, nearest
from mockserver.store.collection import Collection, Index

Record = dict[str, Any]


def record(number: int, content: str, thread_id: str = "t") -> Record:
    return {"id": f"m{number}", "thread_id": thread_id, "content": content}


def messages_of(*records: Record) -> Collection[str, Any]:
    """A sandbox's messages, by thread in the order of their ids."""
    messages: Collection[str, Any] = Collection(thread=Index(lambda record: record["thread_id"]))
    for each in records:
        messages.put(each["id"], each, int(each["id"][1:]))
    return messages


def found(question: str, *records: Record, most: int = 10) -> list[Hit]:
    threads = [*dict.fromkeys(each["thread_id"] for each in records)]
    return nearest(question, threads, messages_of(*records), lambda _: True, most)


def test_what_has_more_of_the_question_is_nearer_and_then_what_says_less_besides() -> None:
    texts = ("harbour", "harbour bridge lanterns", "harbour bridge", "the bridge", "lanterns")
    hits = found("Bridge at the harbour?", *(record(n, text) for n, text in enumerate(texts)))
    assert [hit.key[-1] for hit in hits] == ["m2", "m1", "m0", "m3"]
    assert hits[0].score == 1.0


def test_equal_scores_come_in_the_order_of_threads_and_places() -> None:
    records = [record(5, "lantern", "b"), record(3, "lantern", "a"), record(1, "lantern", "b")]
    assert [hit.key[-1] for hit in found("lantern", *records)] == ["m1", "m5", "m3"]
    assert [hit.key[-1] for hit in found("lantern", *records, most=2)] == ["m1", "m5"]


def test_an_edit_and_a_removal_are_seen_and_another_sandbox_keeps_what_it_has() -> None:
    old, other = record(1, "quokka"), record(2, "quokka")
    edited = {**old, "content": "platypus"}
    assert len(found("quokka", old, other)) == 2
    assert [hit.key[-1] for hit in found("quokka", edited, other)] == ["m2"]
    assert [hit.key[-1] for hit in found("platypus", edited)] == ["m1"]
    assert [hit.key[-1] for hit in found("quokka", old)] == ["m1"]


def test_words_that_say_nothing_find_nothing() -> None:
    assert found("What is it about?", record(1, "What is it about?")) == []


def test_a_full_index_starts_empty_again_and_finds_the_same() -> None:
    index = WordIndex(most=2)
    for number in range(0, 12, 3):
        messages = messages_of(*(record(number + i, "zebra") for i in range(3)))
        ((_, records),) = index.best(["zebra"], ["t"], messages)
        assert {each["id"] for each in records} >= {f"m{number + i}" for i in range(3)}
        assert len(records) <= 2 * 3 + 3
