"""Documents of `--also`: read, and refused if one has a path of another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from mockserver.foreign.api import ForeignApi
from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.operations import collision
from mockserver.foreign.place import place_of
from mockserver.http.calls import Handler
from mockserver.http.context import Api
from mockserver.http.cors import Cors
from mockserver.http.problems import problem_json
from mockserver.openapi.operation import Operation
from mockserver.openapi.yaml_document import Document, DocumentError

OWN = ("/__admin/", "/__sandbox/")
"""Beginnings of paths that are the mock's own."""


def load_foreign(
    places: Iterable[str], vendors: Iterable[Operation], overlays: Sequence[Path] = ()
) -> list[ForeignApi]:
    """APIs of these documents; DocumentError for a name that is used twice, or a path that collides.

    `overlays`: those that extend one of the documents are applied to it.
    """
    loaded: list[ForeignApi] = []
    taken = {"openapi": [], "admin": [], "the vendor's document": [each.template for each in vendors]}
    for text in places:
        place = place_of(text)
        if place.name in taken:
            raise DocumentError(f"--also {text}: the name {place.name} is used twice; choose another")
        own_overlays = [Document(each) for each in overlays if extends(each, [text])]
        foreign = ForeignApi(ForeignDocument(place, own_overlays))
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


def extends(overlay: Path, places: Iterable[str]) -> bool:
    """Whether the `extends` of an overlay names the file of one of these documents."""
    content = Document(overlay).content
    named = content.get("extends") if isinstance(content, dict) else None
    if not isinstance(named, str) or "\0" in named:
        return False
    file = (overlay.parent / unquote(named)).resolve()
    return any(file == place_of(each).file.resolve() for each in places)


def api_of(foreign: ForeignApi, *, cors: Collection[str], strict: bool) -> Api:
    """The document as the corridor serves it; `strict`: whether no request creates a sandbox."""
    api = Api(
        foreign,
        foreign.handlers(),
        prefix=foreign.prefix,
        authenticate=foreign.authenticate,
        name_of=str,
        render=problem_json,
        cors=Cors(cors),
        head=True,
        makes_sandboxes=not strict,
        redirects=lambda _: False,
        name=foreign.name,
        foreign=foreign,
    )
    foreign.find = api.routes.at
    return api


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
