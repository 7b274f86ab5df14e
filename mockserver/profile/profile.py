"""Profile: which alternative a deployment follows, assumption by assumption."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from mockserver.openapi.yaml_document import Document
from mockserver.profile.switches import AS_ASSUMED, PARTS, Alternative, switches, text_of

BUNDLED = ("fastapi",)
"""Profiles that come with the mock."""
UNANSWERED = ("something else", "unsteady", "not probed")
"""Keys of an assumption whose alternative is not known."""
SHAPE = {"profile": int, "document": str, "revision": str, "date": str, "assumptions": dict}
_FORM = "is `as assumed`, the name of an alternative, or parts such as {status: 409}"


@cache
def assumptions() -> frozenset[str]:
    """Ids of all assumptions, from assumptions.txt."""
    return frozenset((resources.files("mockserver.profile") / "assumptions.txt").read_text("utf-8").split())


def file_of(name_or_file: str) -> Path:
    """Path of a profile: a bundled one by its name, or a file."""
    if name_or_file in BUNDLED:
        return Path(str(resources.files("mockserver.profile") / f"{name_or_file}.yaml"))
    return Path(name_or_file)


class DeploymentProfile:
    """Alternatives that the mock follows; none without a file."""

    def __init__(self, name_or_file: str | None = None) -> None:
        """DocumentError for a file that is no profile; it names the line."""
        self.name = name_or_file
        self.sha256 = ""
        self.followed: Mapping[str, Alternative] = {}
        """By assumption."""
        self.unserved: list[str] = []
        """Assumptions with an alternative that the mock can't follow."""
        self.assumed: list[str] = []
        """Assumptions that hold."""
        self.overlay: Document | None = None
        self._file = None if name_or_file is None else Document(file_of(name_or_file))
        if self._file is not None:
            self._read(self._file)

    def _read(self, file: Document) -> None:
        self.sha256 = hashlib.sha256(file.text).hexdigest()
        own = stated(file)
        self.followed = {id_: each for id_, each in own.items() if _is_served(id_, each)}
        self.assumed = [id_ for id_, each in file.content["assumptions"].items() if each == AS_ASSUMED]
        self.unserved = [id_ for id_ in own if id_ not in self.followed]
        actions = [(id_, a) for id_, each in self.followed.items() for a in switches()[id_].actions(each)]
        if actions:
            self.overlay = ProfileOverlay(file, actions)

    def require_revision(self, revision: str) -> None:
        """DocumentError if the profile is of another revision than the one that is served."""
        if self._file is not None and self._file.content["revision"] != revision and self.name not in BUNDLED:
            own = self._file.content["revision"]
            raise self._file.error(("revision",), f"is {own}, and {revision} is served; use --revision {own}")

    @property
    def served(self) -> dict[str, Any]:
        """Name, hash and count, as health shows them."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "alternatives": len(self.followed),
            "not_followed": self.unserved,
        }

    @property
    def words(self) -> str | None:
        """What the mock follows, in one line; None without a profile."""
        if self.name is None:
            return None
        count = len(self.followed)
        line = f"{self.name}: {count} alternative{'s' * (count != 1)}"
        return f"{line}; not followed: {', '.join(self.unserved)}" if self.unserved else line

    @property
    def behaviours(self) -> dict[str, Alternative]:
        """Alternatives that handlers follow."""
        chosen = self.followed.items()
        return {id_: each for id_, each in chosen if text_of(each) in switches()[id_].behaviour}

    def builds(self, assumption: str) -> Alternative | None:
        """Alternative that routes and parsing follow; None for what is assumed."""
        each = self.followed.get(assumption)
        return each if each is not None and text_of(each) in switches()[assumption].building else None

    def follower(self) -> Callable[[str], Alternative | None]:
        """Function that says which alternative a handler follows, for one sandbox."""
        if self.behaviours:
            return Follower(self.behaviours)
        nothing: dict[str, Alternative] = {}
        return nothing.get


class Follower:
    """Alternatives of one sandbox, and those that decided the current call."""

    def __init__(self, behaviours: Mapping[str, Alternative]) -> None:
        self._behaviours = behaviours
        self.decided: list[str] = []

    def __call__(self, assumption: str) -> Alternative | None:
        """Alternative that is followed; None for what is assumed."""
        found = self._behaviours.get(assumption)
        if found is not None:
            self.decided.append(f"{assumption} {text_of(found)}")
        return found


class ProfileOverlay(Document):
    """Overlay that the alternatives of a profile are; its lines are those of the profile."""

    def __init__(self, file: Document, actions: list[tuple[str, Any]]) -> None:
        self.path, self._file = file.path, file
        self._ids = [id_ for id_, _ in actions]
        distinct = [{**action, "x-assumption": id_} for id_, action in actions]
        info = {"title": f"Profile of {file.content['date']}", "version": file.content["revision"]}
        self.content = {"overlay": "1.1.0", "info": info, "actions": distinct}
        self.text = file.text

    def line(self, pointer: Any) -> int:
        """Line of the assumption that an action is of."""
        at = [step for step in pointer if isinstance(step, int)]
        return self._file.line(("assumptions", self._ids[at[0]]) if at else ())


def _is_served(id_: str, alternative: Alternative) -> bool:
    return id_ in switches() and switches()[id_].serves(alternative)


def stated(file: Document) -> dict[str, Alternative]:
    """Alternatives that a file states; DocumentError if it is no profile, or has an invalid entry."""
    content = file.content
    if not isinstance(content, dict):
        raise file.error((), "not a profile; `contracts calibrate` writes one")
    for name, kind in SHAPE.items():
        if type(content.get(name)) is not kind:
            said = "is missing" if name not in content else f"is {content[name]!r}"
            raise file.error((name,), f"{said}; a profile has {', '.join(SHAPE)}")
    if content["profile"] != 1:
        raise file.error(("profile",), "is 1 in the profiles that this version reads")
    if strange := sorted(content.keys() - SHAPE.keys()):
        raise file.error((strange[0],), f"is unknown; a profile has {', '.join(SHAPE)}")
    found = {}
    for id_, value in content["assumptions"].items():
        if why := fault(id_, value):
            raise file.error(("assumptions", id_), why)
        if value != AS_ASSUMED and not (isinstance(value, dict) and value.keys() & {*UNANSWERED}):
            found[id_] = value
    return found


def fault(id_: str, value: Any) -> str:
    """What is wrong with an entry; empty if nothing is."""
    if id_ not in assumptions():
        return "is no assumption; docs/assumptions.md lists their ids"
    if value == AS_ASSUMED:
        return ""
    if isinstance(value, dict):
        key, why = next(iter(value.items()), ("", None))
        if len(value) == 1 and key in UNANSWERED:
            return "" if isinstance(why, str) else f"{key}: say why, as text"
        wrong = [part for part, each in value.items() if type(each) is not PARTS.get(part)]
        status = value.get("status", 200)
        if not wrong and value and 200 <= status <= 599:
            return ""
        return f"{_FORM}; a part is one of {', '.join(PARTS)}, a status is from 200 to 599"
    known = switches()[id_].names if id_ in switches() else []
    if known and isinstance(value, str) and switches()[id_].key(value) in known:
        return ""
    names = f"; it has {', '.join(map(repr, known))}" if known else ""
    return f"{value!r} is no alternative of {id_}{names}; an entry {_FORM}"
