"""The comparer: what two servers may answer differently, by the kind of the value, and what not."""

from __future__ import annotations

from typing import Any

import pytest

from comparison.answers import Comparer
from contracts.http.exchange import ClientRequest, ClientResponse

DAY = 86400.0
T = "2026-02-26T10:30:0{}Z"
LATER = "2026-02-27T10:30:0{}Z"


def comparer() -> Comparer:
    """Comparer of two servers whose runs began a day apart."""
    return Comparer(starts=(0.0, DAY))


def kinds(*pairs: tuple[Any, Any]) -> list[str]:
    """Kinds of the differences of several pairs of answers in one run."""
    one = comparer()
    numbered = enumerate(pairs)
    return [
        each.kind for n, (left, right) in numbered for each in one.bodies(left, right, "getSpace", f"s{n}")
    ]


def listed(*ids: str, **more: Any) -> dict[str, Any]:
    return {"data": [{"id": id_, **more} for id_ in ids]}


SAME: dict[str, list[tuple[Any, Any]]] = {
    "ids are one to one": [({"id": "space_a"}, {"id": "x1"}), ({"space_id": "space_a"}, {"space_id": "x1"})],
    "ids inside texts": [
        ({"id": "space_aaaa"}, {"id": "sp_111111"}),
        ({"path": "files/space_aaaa/b"}, {"path": "files/sp_111111/b"}),
    ],
    "times at the same distance from the start": [
        ({"created_at": T.format(1)}, {"created_at": LATER.format(1)})
    ],
    "cursors and trace ids that are there": [
        ({"next_cursor": "abc", "trace_id": "1"}, {"next_cursor": "5", "trace_id": "2"}),
        ({"next_cursor": "def"}, {"next_cursor": "5"}),
    ],
    "words of a model": [
        ({"response": [{"text": "Yes."}]}, {"response": [{"text": "No."}]}),
        ({"role": "assistant", "content": "Yes."}, {"role": "assistant", "content": "No."}),
    ],
    "items that tie in what orders them": [
        (listed("a", "b"), listed("x", "y")),
        (listed("a", "b", added_at=T.format(1)), listed("y", "x", added_at=LATER.format(1))),
    ],
    "what a search found, in another order": [
        (
            {
                "file_search": {
                    "results": [{"message_id": "m1", "text": "a"}, {"message_id": "m2", "text": "b"}]
                }
            },
            {
                "file_search": {
                    "results": [{"message_id": "n2", "text": "b"}, {"message_id": "n1", "text": "a"}]
                }
            },
        )
    ],
    "links by path and names of parameters": [
        ({"url": "http://a/f/1?token=1"}, {"url": "https://b/f/1?token=2"}),
    ],
}
DIFFERENT: dict[str, list[tuple[Any, Any]]] = {
    "id": [({"id": "a"}, {"id": "x"}), ({"id": "b"}, {"id": "x"})],
    "time": [({"updated_at": T.format(1)}, {"updated_at": LATER.format(2)})],
    "precision": [({"at": T.format(1)}, {"at": "2026-02-27T10:30:01.000Z"})],
    "type": [({"count": 1}, {"count": True})],
    "fields": [({"a": 1}, {"b": 1})],
    "length": [(listed("a"), listed("x", "y"))],
    "items": [(listed("a", "b", "c"), listed("x", "y", "z")), (listed("a", "b"), listed("x", "z"))],
    "order": [(listed("a", "b"), listed("x", "y")), (listed("a", "b"), listed("y", "x"))],
    "text": [
        ({"response": [{"text": "Yes."}]}, {"response": [{"text": "No."}]}),
        ({"role": "assistant", "content": "Yes."}, {"role": "assistant", "content": "Yes."}),
    ],
    "value": [({"name": "a"}, {"name": "A"})],
}


@pytest.mark.parametrize("pairs", SAME.values(), ids=SAME)
def test_answers_that_mean_the_same_do_not_differ(pairs: list[tuple[Any, Any]]) -> None:
    assert kinds(*pairs) == []


@pytest.mark.parametrize("kind", DIFFERENT)
def test_answers_differ_by_the_kind_of_the_value(kind: str) -> None:
    assert kinds(*DIFFERENT[kind]) == [kind]


def answer(status: int, text: str, **headers: str) -> ClientResponse:
    return ClientResponse(ClientRequest("GET", "/", None), status, headers, text, 0.0)


def test_a_status_is_compared_before_anything_else() -> None:
    found = comparer().answers(answer(200, "{}"), answer(201, '{"a": 1}'))
    assert [(each.kind, each.left, each.right) for each in found] == [("status", 200, 201)]


def test_headers_are_compared_by_what_they_mean() -> None:
    one = answer(405, "", allow="GET, PATCH", **{"content-type": "application/json; charset=utf-8"})
    other = answer(405, "", allow="patch,get", **{"content-type": "application/json"})
    assert comparer().answers(one, other) == []
    fewer = answer(405, "", allow="GET", **{"content-type": "application/json"})
    assert [each.pointer for each in comparer().answers(one, fewer)] == ["allow"]


def test_a_stream_is_its_events_wherever_its_deltas_are_cut() -> None:
    kind = {"content-type": "text/event-stream"}
    delta = 'data: {"event": "response.content_delta", "delta": "%s"}\n\n'
    one = answer(200, delta % "Yes, " + 'data: {"event": "response.heartbeat"}\n\n' + delta % "now.", **kind)
    other = answer(200, delta % "No." + "data: [DONE]\n\n", **kind)
    assert comparer().answers(one, answer(200, delta % "Yes, now.", **kind)) == []
    assert [each.kind for each in comparer().answers(one, other)] == ["length"]
