"""Automatic mutants of the mock: one small change of one function, made by a program from its source."""

from __future__ import annotations

import ast
import importlib
import inspect
import random
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from mockserver.freddy import HANDLERS

PARTS = {
    "freddy": (
        "access anchor_paging auth file_search files lookup messages model_responses response_streams "
        "shared_memory space_threads space_vector_stores spaces stream_events thread_changes thread_names "
        "threads vector_store_files vector_stores"
    ),
    "store": "collection sorted_keys",
    "sandbox": "records",
    "embeddings": "queues search",
}
"""Parts of the mock that are mutated -> their files."""
SWAPS: dict[Any, Any] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}
FIELDS = {
    "created_at": "updated_at",
    "updated_at": "created_at",
    "user_id": "id",
    "space_id": "thread_id",
    "thread_id": "space_id",
    "access_users": "editable_by_users",
    "editable_by_users": "access_users",
    "last_message_at": "created_at",
    "is_pinned": "visible_in_ui",
    "name": "description",
    "title": "assistant_id",
}
"""Name of a field -> another that fits in its place."""


class AutoMutant(NamedTuple):
    """One change of one function."""

    module: str
    function: str
    place: int
    """Number of the change among those of the function."""
    what: str

    @property
    def name(self) -> str:
        """Name that tells where it is and what it does."""
        return f"{self.module.removeprefix('mockserver.')}.{self.function}#{self.place} {self.what}"


def mutants() -> Iterator[AutoMutant]:
    """All mutants, in the order of the source."""
    for module in modules():
        for name, tree in functions(module):
            for place, (_, what) in enumerate(changes(tree)):
                yield AutoMutant(module.__name__, name, place, what.partition(":")[0])


def sampled(count: int, seed: int) -> list[AutoMutant]:
    """Sample of all mutants."""
    found = list(mutants())
    return random.Random(seed).sample(found, min(count, len(found)))


def modules() -> Iterator[ModuleType]:
    """Modules that are mutated."""
    for part, names in PARTS.items():
        for name in names.split():
            yield importlib.import_module(f"mockserver.{part}.{name}")


def functions(module: ModuleType) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions and methods of a module, by qualified name."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.decorator_list:
                    yield f"{node.name}.{inner.name}", inner


def changes(function: ast.FunctionDef) -> list[tuple[int, str]]:
    """Changes of a function: number of a node in its tree, and what is done to it."""
    return [(number, what) for number, node in enumerate(ast.walk(function)) for what in _variants(node)]


def changed(function: ast.FunctionDef, change: tuple[int, str]) -> ast.FunctionDef:
    """Copy of a function with one change, without its decorators."""
    copy = deepcopy(function)
    number, what = change
    _apply(list(ast.walk(copy))[number], what)
    copy.decorator_list = []
    return ast.fix_missing_locations(copy)


def _variants(node: ast.AST) -> Iterator[str]:
    for field in ("body", "orelse"):
        block = getattr(node, field, None)
        for n, statement in enumerate(block if isinstance(block, list) else ()):
            droppable = isinstance(statement, ast.Expr | ast.Assign | ast.AugAssign | ast.If | ast.For)
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if droppable and not is_text:
                yield f"drop a statement:{field}:{n}"
    yield from _small_variants(node)


def _small_variants(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Compare | ast.BoolOp | ast.BinOp):
        operator = node.ops[0] if isinstance(node, ast.Compare) else node.op
        if type(operator) in SWAPS:
            yield "swap an operator:"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "drop a not:"
    if isinstance(node, ast.Constant) and node.value in FIELDS:
        yield "swap a field:"
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield "add one:"
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "swap a truth:"
    if isinstance(node, ast.IfExp):
        yield "take the other value:"
    if isinstance(node, ast.comprehension) and node.ifs:
        yield "drop a filter:"


def _apply(node: Any, what: str) -> None:
    kind, _, rest = what.partition(":")
    match kind:
        case "drop a statement":
            field, _, n = rest.partition(":")
            getattr(node, field)[int(n)] = ast.Pass()
        case "swap an operator" if isinstance(node, ast.Compare):
            node.ops[0] = SWAPS[type(node.ops[0])]()
        case "swap an operator":
            node.op = SWAPS[type(node.op)]()
        case "drop a not":
            node.op = ast.UAdd()
            node.operand = ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])
        case "swap a field":
            node.value = FIELDS[node.value]
        case "add one":
            node.value += 1
        case "swap a truth":
            node.value = not node.value
        case "take the other value":
            node.body, node.orelse = node.orelse, node.body
        case "drop a filter":
            node.ifs = node.ifs[1:]


@contextmanager
def damaged(mutant: AutoMutant) -> Iterator[bool]:
    """The mock with this change in this process; False if the changed function can't be made."""
    module = importlib.import_module(mutant.module)
    tree = dict(functions(module))[mutant.function]
    copy = changed(tree, changes(tree)[mutant.place])
    original = _function(module, mutant.function)
    text = ast.unparse(copy)
    names: dict[str, Any] = {}
    if original is None or original.__closure__:
        yield False
        return
    exec(compile(f"from __future__ import annotations\n{text}", mutant.name, "exec"), vars(module), names)
    before = original.__code__, original.__defaults__, original.__kwdefaults__
    new = names[copy.name]
    original.__code__, original.__defaults__ = new.__code__, new.__defaults__
    try:
        yield True
    finally:
        original.__code__, original.__defaults__, original.__kwdefaults__ = before


def _function(module: ModuleType, name: str) -> FunctionType | None:
    found: Any = module
    for part in name.split("."):
        found = vars(found).get(part)
    found = inspect.unwrap(found) if callable(found) else found
    if isinstance(found, FunctionType):
        return found
    handlers = [handler for handler in HANDLERS.values() if handler.__name__ == name]
    return handlers[0] if handlers and isinstance(handlers[0], FunctionType) else None
