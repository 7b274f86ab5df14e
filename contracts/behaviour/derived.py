"""Checks of every collection of openapi.yaml: what is sent is kept, and a list is what its items say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from contracts.behaviour.collection import (
    DocumentedCollection,
    collections,
    create,
    forms,
    items_of,
    pointer,
    thing_of,
    values,
)
from contracts.checks.check import Check, check, equal
from contracts.checks.errors import Broken, Untested
from contracts.checks.spec import document
from contracts.http.run import Run

ITEMS = 5
"""Items that a check creates."""
MOST_PAGES = 60
"""Pages of a walk; a list that is longer is left alone."""


def kept(run: Run, of: DocumentedCollection, only: Callable[[Any], bool]) -> None:
    """Broken unless each value that is accepted is answered and read back."""
    base = {name: run.name() for name in of.required}
    for place, sent in (("create", of.sent(of.create)), ("update", of.sent(of.update))):
        for name, schema in sent.items():
            may_be_null = any(form.get("type") == "null" for form in forms(of.shown[name]))
            others = [*values(schema, name, run)]
            for value in filter(only, others):
                if value is None and not may_be_null:
                    continue
                before = next((other for other in others if other != value), None)
                made = create(run, of, {**base, name: value if place == "create" else before})
                if made is not None and place == "update":
                    made = run.owner.ask("PATCH", of.path(run, thing_of(made)["id"]), {name: value})
                if made is not None and made.status < 300:
                    read = run.owner.get(of.path(run, thing_of(made)["id"]))
                    for answer in (made, read):
                        what = f"{name} after {place} with {value!r}, by {answer.request.method}"
                        equal(thing_of(answer).get(name), value, what, pointer(answer, name))


@check("createSpace", "updateSpace", "createThread", "updateThread", "createVectorStore", "updateVectorStore")
def every_field_that_is_sent_is_answered_and_read_back(run: Run) -> None:
    """A create or update that is accepted answers each field as it was sent, and so does the next read."""
    for each in collections():
        kept(run, each, lambda value: value is not None)


@check("createSpace", "updateSpace", "createThread", "updateThread", "createVectorStore", "updateVectorStore")
def null_that_is_sent_is_answered_and_read_back(run: Run) -> None:
    """A field that may be null is null after a create or update that sets it to null."""
    for each in collections():
        kept(run, each, lambda value: value is None)


def created(run: Run, of: DocumentedCollection, *, alike: bool = False) -> list[Mapping[str, Any]]:
    """New items that differ in what the list filters by, unless `alike`, as they are read back."""
    sent = of.sent(of.create)
    texts = {name for name in sent if any(form.get("type") == "string" for form in forms(sent[name]))}
    enums = {name: document().resolved(schema).get("enum") for name, schema in sent.items()}
    filters = {
        name: enums[name] or [f"{run.name(name)}{letter}" for letter in ("a" if alike else "ab")]
        for name in texts & of.parameters
    }
    base: dict[str, str] = {name: f"{run.name()} " for name in ("name", "title") if name in sent}
    found = []
    for number in range(ITEMS):
        fields: dict[str, Any] = {n: f"{text}{'Äpfel ' * (number % 2)}{number}" for n, text in base.items()}
        fields |= {name: options[number % len(options)] for name, options in filters.items()}
        made = create(run, of, fields)
        found += [] if made is None else [thing_of(made)]
    if len(found) < 2:
        raise Untested(f"{of.create.id} refuses what the check needs")
    return [thing_of(run.owner.get(of.path(run, each["id"]))) for each in found]


@check("listSpaces", "listThreads", "listVectorStores")
def a_list_is_what_its_items_say(run: Run) -> None:
    """Each filter, every two of them, and a search list the items that have those values, in one order."""
    for each in collections():
        _compare_list(run, each, created(run, each))


def _compare_list(run: Run, of: DocumentedCollection, items: Sequence[Mapping[str, Any]]) -> None:
    own = {item["id"] for item in items}
    filters = [name for name in of.parameters & {*items[0]} if name != "organization_id"]
    queries: list[dict[str, Any]] = [{}]
    for count in (1, 2):
        for names in combinations(sorted(filters), count):
            queries += [{name: item[name] for name in names} for item in items]
    title = next((name for name in ("name", "title") if name in items[0]), "")
    if "search" in of.parameters:
        texts = [text for item in items for text in _parts(item[title])]
        queries += [{"search": text} for text in texts]
    whole = [item["id"] for item in of.listed(run) if item["id"] in own]
    for query in [
        query for n, query in enumerate(queries) if None not in query.values() and query not in queries[:n]
    ]:
        search = query.get("search", "").casefold()
        wanted = {
            item["id"]
            for item in items
            if search in str(item[title]).casefold()
            and all(item[name] == value for name, value in query.items() if name != "search")
        }
        found = [item["id"] for item in of.listed(run, **query) if item["id"] in own]
        equal(found, [id_ for id_ in whole if id_ in wanted], f"{of.read_list.id} with {query}")
        narrow = query and not any(isinstance(value, bool) for value in query.values())
        if narrow and "include_total" in of.parameters and "search" not in query:
            total = run.owner.get(of.path(run), **query, limit=1, include_total="true").fields.get("total")
            if "organization_id" not in query and any(str(run.run_id) in str(v) for v in query.values()):
                equal(total, len(wanted), f"the total of {of.read_list.id} with {query}", "/total")


def _parts(text: str) -> Iterator[str]:
    """Parts of a name that a search has to find, in several cases."""
    yield from (text, text.upper(), text.swapcase(), text[4:-1], text[-3:].lower())


@check("listSpaces", "listThreads")
def a_walk_of_a_list_survives_what_happens_between_its_pages(run: Run) -> None:
    """Items created and deleted between two pages cause no skipped and no repeated item."""
    for each in collections():
        if {"cursor", "after"} & each.parameters:
            _walk(run, each)


def _walk(run: Run, of: DocumentedCollection) -> None:
    made = created(run, of, alike=True)
    items, gone, seen = [item["id"] for item in made], set[str](), list[str]()
    query: dict[str, Any] = {"limit": max(2, len(of.listed(run)) // MOST_PAGES)}
    if "organization_id" in of.parameters:
        query["organization_id"] = run.organization_id
    marks = {name: made[0][name] for name in of.parameters & {*of.sent(of.create)} if made[0][name]}
    marks = {name: value for name, value in marks.items() if isinstance(value, str)}
    for number in range(2 * MOST_PAGES):
        answer = run.owner.get(of.path(run), **query, **marks)
        equal(answer.status, 200, "the status of a page")
        page = [item["id"] for item in items_of(answer)]
        seen += page
        if not answer.fields.get("has_more"):
            break
        following = {"cursor": answer.fields.get("next_cursor")} if "cursor" in of.parameters else None
        query |= following or {"after": answer.fields.get("last_id")}
        if page and page[-1] in items and not gone:  # the anchor of the next page
            run.owner.ask("DELETE", of.path(run, page[-1]))
            gone.add(page[-1])
        if number < ITEMS:
            create(run, of, {**marks, **({"name": run.name()} if "name" in of.sent(of.create) else {})})
    else:
        raise Untested(f"{of.read_list.id} has too many pages")
    twice = sorted(id_ for id_ in {*seen} if seen.count(id_) > 1)
    equal(twice, [], f"items that a walk of {of.read_list.id} repeats")
    skipped = sorted({*items} - gone - {*seen})
    if skipped:
        raise Broken(f"a walk of {of.read_list.id} skips items", expected=[], got=skipped)


CHECKS: list[Check] = [
    every_field_that_is_sent_is_answered_and_read_back,
    null_that_is_sent_is_answered_and_read_back,
    a_list_is_what_its_items_say,
    a_walk_of_a_list_survives_what_happens_between_its_pages,
]
