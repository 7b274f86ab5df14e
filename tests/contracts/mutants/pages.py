"""Pages that skip, repeat, never end, or are of the wrong size or order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from mockserver.freddy import lookup, space_threads, spaces
from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.http.problems import Invalid
from mockserver.sandbox.sandbox import Sandbox
from mockserver.store import collection
from tests.contracts.mutants.bench import Bench, Handler, add, mutant

LIST = "listSpaceThreads"


def limited(call: Call, limit: int) -> Call:
    """The call with another limit."""
    return replace(call, query={**call.query, "limit": limit})


def _with_limit(change: Callable[[int], int]) -> Callable[[Bench], None]:
    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        return handler(limited(call, change(call.query["limit"])), sandbox)

    return lambda bench: bench.around(LIST, wrap)


add("limit-plus-one", "A page has one item more than its limit.", _with_limit(lambda limit: limit + 1))
add(
    "limit-minus-one",
    "A page of several has one item less than its limit.",
    _with_limit(lambda n: max(1, n - 1)),
)
add("limit-ignored", "Every page has up to fifty items.", _with_limit(lambda _: 50))
add(
    "default-page-of-twenty",
    "Without a limit a page has twenty items.",
    _with_limit(lambda n: 20 if n == 50 else n),
)
add("limit-capped", "No page has more than fifty items.", _with_limit(lambda limit: min(limit, 50)))


def _by_number(order: Callable[[list[str]], Sequence[str]]) -> Callable[[Bench], None]:
    """The list in another order, with the number of the next item for a cursor."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        handler(replace(call, query={**call.query, "cursor": None}), sandbox)  # refuses what it has to
        found = order([thread for _, thread in sandbox.space_threads.ids("space", call.path["space_id"])])
        text = call.query["cursor"] or "n0"
        start = int(text[1:]) if text[1:].isdecimal() else 0
        end = start + call.query["limit"]
        more = end < len(found)
        data = sandbox.threads.records(found[start:end])
        cursor = f"n{end}" if more else None
        return Reply(200, {"object": "list", "data": data, "has_more": more, "next_cursor": cursor})

    return lambda bench: bench.around(LIST, wrap)


_dice = Random(1)
add("offset-cursors", "A cursor counts items.", _by_number(lambda ids: ids), assumed=True)
add(
    "newest-first",
    "The list begins with what was added last.",
    _by_number(lambda ids: ids[::-1]),
    assumed=True,
)
add("ordered-by-id", "The list is in the order of the ids.", _by_number(sorted), assumed=True)
add("order-unstable", "Each page shuffles anew.", _by_number(lambda ids: _dice.sample(ids, len(ids))))
add(
    "last-item-lost",
    "A list of more than three never shows its last item.",
    _by_number(lambda ids: ids[:-1] if len(ids) > 3 else ids),
)


@mutant()
def pages_are_reversed(bench: Bench) -> None:
    """Within each page the order is reversed."""
    bench.body(LIST, lambda body: body["data"].reverse())


@mutant()
def cursor_ignored(bench: Bench) -> None:
    """Every cursor leads to the first page."""
    bench.replace([space_threads], "start_of_page", lambda *_: None)


@mutant()
def cursor_of_spaces_ignored(bench: Bench) -> None:
    """Every cursor of the list of spaces leads to the first page."""
    bench.replace([spaces], "start_of_page", lambda *_: None)


@mutant()
def last_page_leads_to_itself(bench: Bench) -> None:
    """The last page of a walk gives its own cursor again."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        if reply.body["has_more"] or call.query["cursor"] is None:
            return reply
        return Reply(200, {**reply.body, "has_more": True, "next_cursor": call.query["cursor"]})

    bench.around(LIST, wrap)


def _cursor_off_by(step: int, *modules: object) -> Callable[[Bench], None]:
    real = collection.cursor

    def moved(position: tuple[int, ...], *scope: str) -> str:
        return real((*position[:-1], position[-1] + step), *scope)

    return lambda bench: bench.replace(modules, "cursor", moved)


add("cursor-skips", "The item behind each page is skipped.", _cursor_off_by(1, space_threads))
add(
    "cursor-repeats",
    "Each page begins with the last item of the one before.",
    _cursor_off_by(-1, space_threads),
)
add("cursor-of-spaces-skips", "The space behind each page is skipped.", _cursor_off_by(1, spaces))
add("cursor-of-spaces-repeats", "Each page of spaces repeats one.", _cursor_off_by(-1, spaces))


@mutant()
def has_more_always_false(bench: Bench) -> None:
    """has_more is false on every page."""
    bench.body(LIST, lambda body: body.update(has_more=False))


@mutant()
def has_more_at_the_exact_end(bench: Bench) -> None:
    """A full last page says that there is more, and leads to an empty page."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        data = reply.body["data"]
        if reply.body["has_more"] or len(data) < call.query["limit"]:
            return reply
        place = sandbox.space_threads.position("space", (call.path["space_id"], data[-1]["id"]))
        assert place is not None
        cursor = collection.cursor(place, LIST, call.path["space_id"])
        return Reply(200, {**reply.body, "has_more": True, "next_cursor": cursor})

    bench.around(LIST, wrap)


@mutant()
def next_cursor_always_null(bench: Bench) -> None:
    """next_cursor is null on every page."""
    bench.body(LIST, lambda body: body.update(next_cursor=None))


@mutant(assumed=True)
def next_cursor_after_the_end(bench: Bench) -> None:
    """The last page has a cursor although there is no more."""
    bench.body(LIST, lambda body: body.update(next_cursor=body["next_cursor"] or "end"))


@mutant(assumed=True)
def cursor_of_any_space(bench: Bench) -> None:
    """A cursor is good for every space."""
    start, cursor = lookup.start_of_page, collection.cursor
    bench.replace([space_threads], "start_of_page", lambda call, name, _: start(call, name))
    bench.replace([space_threads], "cursor", lambda place, name, _: cursor(place, name))


@mutant(assumed=True)
def bad_cursor_is_the_first_page(bench: Bench) -> None:
    """A cursor that the list did not give leads to the first page."""
    start = lookup.start_of_page

    def forgiving(call: Call, *scope: str) -> object:
        try:
            return start(call, *scope)
        except Invalid:
            return None

    bench.replace([space_threads], "start_of_page", forgiving)


@mutant(assumed=True)
def cursor_dies_with_its_anchor(bench: Bench) -> None:
    """A cursor is 422 once the item that it stands behind was removed."""
    start = lookup.start_of_page

    def strict(call: Call, *scope: str) -> object:
        found = start(call, *scope)
        room = bench.app.sandboxes.get()
        keys = room.space_threads.keys("space", call.path["space_id"])
        if found is not None and all(key[0] + 1 != found[0] for key in keys.after(None)):
            raise Invalid([])
        return found

    bench.replace([space_threads], "start_of_page", strict)


@mutant(assumed=True)
def limit_out_of_range_is_cut(bench: Bench) -> None:
    """A limit out of range is brought into it."""

    def cut(application: Any, environ: Any, start: Any) -> Any:
        text = environ.get("QUERY_STRING", "")
        for wrong, right in (("limit=0", "limit=1"), ("limit=-1", "limit=1"), ("limit=101", "limit=100")):
            text = text.replace(wrong, right) if text.endswith(wrong) else text
        return application({**environ, "QUERY_STRING": text}, start)

    bench.wsgi(cut)
