"""Documents of `--also`: read, and refused if one has a path of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mockserver.foreign.api import ForeignApi
from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.operations import collision
from mockserver.foreign.place import place_of
from mockserver.http.calls import Handler
from mockserver.openapi.operation import Operation
from mockserver.openapi.yaml_document import DocumentError

OWN = ("/__admin/", "/__sandbox/")
"""Beginnings of paths that are the mock's own."""


def load_foreign(places: Iterable[str], vendors: Iterable[Operation]) -> list[ForeignApi]:
    """APIs of these documents; DocumentError for a name that is used twice, or a path that collides."""
    loaded: list[ForeignApi] = []
    taken = {"openapi": [], "admin": [], "the vendor's document": [each.template for each in vendors]}
    for text in places:
        place = place_of(text)
        if place.name in taken:
            raise DocumentError(f"--also {text}: the name {place.name} is used twice; choose another")
        foreign = ForeignApi(ForeignDocument(place))
        templates = [each.template for each in foreign.operations.values()]
        if own := next((each for each in templates if each.startswith(OWN)), None):
            raise DocumentError(
                f"--also {text}: {own} is the mock's own; give it a prefix: {text}@/{place.name}"
            )
        for other, theirs in taken.items():
            found = collision(templates, theirs)
            if found is not None:
                raise DocumentError(
                    f"--also {text}: {found[0]} collides with {found[1]} of {other}; give it a prefix of its "
                    f"own: --also {place.name}={place.file}@/{place.name}"
                )
        taken[place.name] = templates
        loaded.append(foreign)
    return loaded


def extend(loaded: Iterable[ForeignApi], handlers: Mapping[str, Handler]) -> None:
    """Answer operations by functions of extensions; DocumentError for one that no document has."""
    names = []
    for foreign in loaded:
        foreign.extend(handlers)
        names.append(foreign.name)
    for id_ in handlers:
        if id_.partition(":")[0] not in names:
            there = ", ".join(names) or "none"
            raise DocumentError(f"--extend: @handles({id_!r}) names no document of --also; there is {there}")


def operation_ids(loaded: Iterable[ForeignApi]) -> list[str]:
    """Ids of all operations, as rules of faults name them."""
    return [id_ for each in loaded for id_ in each.operations]
