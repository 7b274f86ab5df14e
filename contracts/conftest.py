"""`pytest contracts --target URL`: the checks and flags of `contracts run` as pytest tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import click
import pytest

from contracts.checks.check import Check
from contracts.checks.errors import TargetUnreachable, Usage
from contracts.cli import run as command
from contracts.exits import UNTESTABLE, printable
from contracts.session import Options, Session, opened
from contracts.suite import selected
from contracts.verdict.failure import Outcome
from contracts.verdict.result import Result, judgement
from contracts.verdict.runner import judge

COMMAND_ONLY = ("report_dir", "baseline", "update_baseline")
"""Flags of the command that pytest's own reports replace."""
OUTCOMES = pytest.StashKey[list[Outcome]]()


def _flags() -> list[click.Option]:
    return [p for p in command.params if isinstance(p, click.Option) and p.name not in COMMAND_ONLY]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags of `contracts run`."""
    group = parser.getgroup("contracts", "target and options of the contract checks")
    for flag in _flags():
        settings: dict[str, Any] = {"dest": f"contracts_{flag.name}", "help": flag.help}
        if flag.is_flag:
            settings |= {"action": "store_true"}
        elif flag.multiple:
            settings |= {"action": "append", "default": []}
        else:
            number = isinstance(flag.type, click.types.IntParamType)
            choices = flag.type.choices if isinstance(flag.type, click.Choice) else None
            default = flag.default if isinstance(flag.default, (int, str)) else None
            settings |= {"type": int if number else str, "choices": choices, "default": default}
        group.addoption(flag.opts[0], **settings)


def flag_values(config: pytest.Config) -> dict[str, Any]:
    """Flags as passed to pytest."""
    names = [flag.name for flag in _flags()]
    values = {name: config.getoption(f"contracts_{name}") for name in names}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


CHECKS = pytest.StashKey[list[Check]]()


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to start without a target, or with an unknown check."""
    flags = flag_values(config)
    if not flags["target"]:
        raise pytest.UsageError("pass a target: pytest contracts --target mock, mock-http, or a URL")
    try:
        config.stash[CHECKS] = selected(flags["only"], flags["skip"], flags["profile"])
    except Usage as error:
        raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize the test with the selected checks."""
    if "check" in metafunc.fixturenames:
        checks = metafunc.config.stash[CHECKS]
        metafunc.parametrize("check", checks, ids=[f"{check.layer}:{check.id}" for check in checks])


@pytest.fixture(scope="session")
def safe_text(pytestconfig: pytest.Config) -> Callable[[str], str]:
    """Function that masks credentials and escapes control characters."""
    return lambda text: printable(text, flag_values(pytestconfig))


@pytest.fixture(scope="session")
def session(pytestconfig: pytest.Config, safe_text: Callable[[str], str]) -> Iterator[Session]:
    """Run shared by all tests; its resources are deleted at the end."""
    left: list[str] = []
    with ExitStack() as stack:
        try:
            options = Options.from_flags(flag_values(pytestconfig))
            yield stack.enter_context(opened(options, pytestconfig.stash[CHECKS], os.environ, left.append))
        except Usage as error:
            pytest.exit(safe_text(f"contracts: {error}"), returncode=pytest.ExitCode.USAGE_ERROR)
        except TargetUnreachable as error:
            pytest.exit(safe_text(f"contracts: {error}"), returncode=UNTESTABLE)
    if left:
        pytest.fail(safe_text("\n".join(left)), pytrace=False)


@pytest.fixture
def strict(pytestconfig: pytest.Config) -> bool:
    """Whether assumptions count as failures."""
    return bool(flag_values(pytestconfig)["strict_assumptions"])


@pytest.fixture
def outcome(check: Any, session: Session, pytestconfig: pytest.Config) -> Outcome:
    """Outcome of one check."""
    result = judge(check, session.run)
    pytestconfig.stash.setdefault(OUTCOMES, []).append(result)
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Exit with UNTESTABLE if the tests passed and are no result about the contract."""
    found = session.config.stash.get(OUTCOMES, [])
    flags = flag_values(session.config)
    judged = judgement(found, strict=flags["strict_assumptions"], min_coverage=flags["min_coverage"])
    if found and judged.result is Result.UNJUDGED:
        session.exitstatus = UNTESTABLE
