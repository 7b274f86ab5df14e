"""Blueprints from files (--extend), and routes that can't be added."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Blueprint, Flask

from mockserver.files import read_whole
from mockserver.http.calls import Handler, handlers_in
from mockserver.http.request import SANDBOX_PREFIX
from mockserver.http.routes import Routes
from mockserver.openapi.yaml_document import DocumentError

_VARIABLE = re.compile(r"<(?P<path>path:)?[^<>]*>")
MOST_BYTES = 16 << 20
"""Size of a file of extensions; more is not read."""
_DEEP = "x" + "/x" * 50
"""What a `<path:…>` can be: deeper than any path of a document."""


def file_of(extension: str) -> Path:
    """File of `FILE.py:NAME`, or of `FILE.py`."""
    return Path(extension.partition(":")[0])


Modules = Mapping[Path, ModuleType]
"""Files of extensions, executed."""


def executed(extensions: Iterable[str]) -> Modules:
    """The files of these extensions, each executed once; DocumentError says in one line what is wrong."""
    modules: dict[Path, ModuleType] = {}
    for extension in extensions:
        file, name = file_of(extension), extension.partition(":")[2]
        if file.suffix != ".py" or not (name.isidentifier() or extension == str(file)):
            raise DocumentError(f"--extend {extension}: give FILE.py:NAME, where NAME is a flask.Blueprint")
        if file not in modules:
            modules[file] = _executed(file)
        if not name and not handlers_in(modules[file]):
            raise DocumentError(
                f"--extend {extension}: no function with @handles; give FILE.py:NAME for a view"
            )
    return modules


def handlers(modules: Modules) -> dict[str, Handler]:
    """Functions of these files that answer operations, by operation; DocumentError for two of the same."""
    try:
        return dict(handlers_in(*modules.values()))
    except ValueError as error:
        raise DocumentError(f"--extend: {error}") from error


def register(app: Flask, extensions: Iterable[str], modules: Modules) -> None:
    """Register the blueprints, each `FILE.py:NAME`; DocumentError says in one line what is wrong."""
    for extension in extensions:
        file, name = file_of(extension), extension.partition(":")[2]
        if not name:
            continue
        try:
            app.register_blueprint(_blueprint(vars(modules[file]), name))
        except Exception as error:  # Flask's too, and those of the file's own functions
            raise DocumentError(f"--extend {extension}: {error}") from error


def _blueprint(values: Mapping[str, Any], name: str) -> Blueprint:
    """Blueprint of this name; TypeError says what there is instead."""
    found = values.get(name)
    if isinstance(found, Blueprint):
        return found
    what = f"{name} is of type {type(found).__name__}" if name in values else f"no {name}"
    there = ", ".join(each for each, value in values.items() if isinstance(value, Blueprint))
    hint = f"it has {there}" if there else f"write {name} = Blueprint({name!r}, __name__)"
    raise TypeError(f"{what} in this file, a flask.Blueprint is needed; {hint}")


def _executed(file: Path) -> ModuleType:
    """Module of the file's current text: Python's own cache can be a second late."""
    try:
        source = read_whole(file, MOST_BYTES)
    except OSError as error:
        raise DocumentError(f"--extend {file}: {error.strerror}; give FILE.py:NAME") from error
    module = ModuleType(f"mockserver_extension_{file.stem}")
    module.__file__ = str(file.resolve())
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module  # dataclasses and Flask look it up
    try:
        exec(compile(source, str(file), "exec", dont_inherit=True), vars(module))  # noqa: S102 - the user's own
    except (Exception, SystemExit) as error:
        if before is not None:
            sys.modules[module.__name__] = before
        raise DocumentError(f"{_place(error, file)}: {type(error).__name__}: {error}") from error
    return module


def _place(error: BaseException, file: Path) -> str:
    """file:line at which the file failed."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
    ]
    if isinstance(error, SyntaxError) and error.filename == str(file):
        lines.append(error.lineno)
    return f"{file}:{lines[-1]}" if lines else str(file)


def refuse_unreachable(rule: str, documents: Routes, reserved: Iterable[str]) -> None:
    """ValueError for a Flask rule that no request could reach, because documents take precedence."""
    for prefix in (*reserved, SANDBOX_PREFIX.rstrip("/")):
        if rule.startswith(prefix):
            raise ValueError(f"route {rule}: {prefix} is the mock's own; choose another path")
    path = _VARIABLE.sub(lambda variable: _DEEP if variable["path"] else "x", rule)
    template = documents.template(path)
    if template is not None:
        raise ValueError(f"route {rule}: the document has {template}, and documents win; choose another path")
