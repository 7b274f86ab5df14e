"""Answers of a wrong shape: status, fields, types, formats, literals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, add, mutant


def _status(operation: str, status: int) -> Callable[[Bench], None]:
    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        return Reply(status, handler(call, sandbox).body)

    return lambda bench: bench.around(operation, wrap)


for _operation, _code, _assumed in (
    ("addThreadToSpace", 200, False),
    ("listSpaceThreads", 206, False),
    ("removeThreadFromSpace", 200, False),
    ("createSpace", 200, True),
    ("createThread", 200, False),
    ("updateSpace", 202, False),
    ("deleteSpace", 202, False),
    ("addVectorStoreToSpace", 200, False),
):
    add(
        f"wrong-status-{_operation}",
        f"{_operation} answers {_code}.",
        _status(_operation, _code),
        assumed=_assumed,
    )


def _listed(field: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Bench], None]:
    def edit(body: Any) -> None:
        for thread in body["data"]:
            change(thread)

    return lambda bench: bench.body("listSpaceThreads", edit)


_THREAD: tuple[tuple[str, str, bool, Callable[[dict[str, Any]], Any]], ...] = (
    ("dropped", "A listed thread has no last_model_used.", False, lambda t: t.pop("last_model_used")),
    ("extra", "A listed thread has a seventeenth field.", True, lambda t: t.update(embedded=True)),
    ("null", "A listed thread's message_count is null.", False, lambda t: t.update(message_count=None)),
    ("type", "A listed thread's message_count is a text.", False, lambda t: t.update(message_count="0")),
    ("boolean", "A listed thread's is_pinned is a number.", False, lambda t: t.update(is_pinned=0)),
    ("enum", "A listed thread's status is a new word.", False, lambda t: t.update(status="idle")),
    ("format", "A listed thread's updated_at is a number.", False, lambda t: t.update(updated_at=1772100000)),
)
for _name, _sentence, _assumed, _change in _THREAD:
    add(f"thread-{_name}", _sentence, _listed(_name, _change), assumed=_assumed)


@mutant()
def add_answer_without_added_at(bench: Bench) -> None:
    """The answer to an add has no added_at."""
    bench.body("addThreadToSpace", lambda body: body.pop("added_at"))


@mutant()
def add_answer_with_a_number_for_added_at(bench: Bench) -> None:
    """The answer to an add says added_at in seconds since 1970, as text."""
    bench.body("addThreadToSpace", lambda body: body.update(added_at="1772100000"))


@mutant()
def add_answer_with_a_note(bench: Bench) -> None:
    """The answer to an add has a field of its own."""
    bench.body("addThreadToSpace", lambda body: body.update(note="queued"))


@mutant()
def add_answer_with_another_message(bench: Bench) -> None:
    """The answer to an add has another message."""
    bench.body("addThreadToSpace", lambda body: body.update(message="Thread was added to space"))


@mutant()
def list_of_another_object(bench: Bench) -> None:
    """The list of threads calls itself a page."""
    bench.body("listSpaceThreads", lambda body: body.update(object="page"))


@mutant()
def empty_list_is_null(bench: Bench) -> None:
    """An empty list of threads is null."""
    bench.body("listSpaceThreads", lambda body: body.update(data=body["data"] or None))


@mutant()
def has_more_is_a_number(bench: Bench) -> None:
    """has_more is 0 or 1."""
    bench.body("listSpaceThreads", lambda body: body.update(has_more=int(body["has_more"])))


@mutant()
def has_more_is_missing_at_the_end(bench: Bench) -> None:
    """The last page has no has_more."""
    bench.body("listSpaceThreads", lambda body: None if body["has_more"] else body.pop("has_more"))


@mutant()
def space_without_description(bench: Bench) -> None:
    """A space without a description has no such field."""
    bench.shown_space(lambda space: space["description"] or space.pop("description"))


@mutant()
def space_with_access_list_as_text(bench: Bench) -> None:
    """A space's access_users is one text."""
    bench.shown_space(lambda space: space.update(access_users=",".join(space["access_users"] or ())))


@mutant()
def space_with_another_access_mode(bench: Bench) -> None:
    """A private space says restricted."""
    bench.shown_space(
        lambda space: space.update(access_mode=space["access_mode"].replace("private", "restricted"))
    )


@mutant()
def space_without_its_own_store(bench: Bench) -> None:
    """A space has no vector_store_id."""
    bench.shown_space(lambda space: space.update(vector_store_id=None))


@mutant()
def space_created_by_somebody_else(bench: Bench) -> None:
    """A space says that another user created it."""
    bench.shown_space(lambda space: space.update(created_by="usr_nobody"))


@mutant(assumed=True)
def timestamps_with_an_offset(bench: Bench) -> None:
    """Timestamps end in +00:00 where a Z is due."""
    text = Sandbox.now
    bench.replace([Sandbox], "now", lambda self: text(self).replace("Z", "+00:00"))


@mutant()
def timestamps_without_a_zone(bench: Bench) -> None:
    """Timestamps are a date, a blank and a time, without a zone."""
    text = Sandbox.now
    bench.replace([Sandbox], "now", lambda self: text(self).replace("T", " ").removesuffix("Z"))


@mutant()
def answers_as_plain_text(bench: Bench) -> None:
    """Every answer calls its JSON text/plain."""

    def wrap(corridor: Any, environ: Any, start: Any) -> Any:
        def labelled(status: str, headers: list[tuple[str, str]]) -> Any:
            return start(status, [(n, "text/plain" if n == "Content-Type" else v) for n, v in headers])

        return corridor(environ, labelled)

    bench.wsgi(wrap)
