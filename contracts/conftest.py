"""`pytest contracts --target URL`: the same checks, the same runner, the same flags as `contracts run`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import click
import pytest

from contracts.checks.check import Check
from contracts.checks.errors import Unreachable, Usage
from contracts.cli import run as command
from contracts.exits import UNTESTABLE
from contracts.session import Options, Session, opened
from contracts.suite import selected
from contracts.verdict.failure import Outcome, Verdict
from contracts.verdict.runner import judge

OF_THE_COMMAND = ("report_dir", "baseline", "update_baseline")
"""pytest has reports of its own."""
OPENED = pytest.StashKey[Session]()
OUTCOMES = pytest.StashKey[list[Outcome]]()


def _flags() -> list[click.Option]:
    return [p for p in command.params if isinstance(p, click.Option) and p.name not in OF_THE_COMMAND]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flags of `contracts run`."""
    group = parser.getgroup("contracts", "what to hold to the contract, and how")
    for flag in _flags():
        given: dict[str, Any] = {"dest": f"contracts_{flag.name}", "help": flag.help}
        if flag.is_flag:
            given |= {"action": "store_true"}
        elif flag.multiple:
            given |= {"action": "append", "default": []}
        else:
            number = isinstance(flag.type, click.types.IntParamType)
            choices = flag.type.choices if isinstance(flag.type, click.Choice) else None
            default = flag.default if isinstance(flag.default, (int, str)) else None
            given |= {"type": int if number else str, "choices": choices, "default": default}
        group.addoption(flag.opts[0], **given)


def asked(config: pytest.Config) -> dict[str, Any]:
    """The flags as they were given."""
    names = [flag.name for flag in _flags()]
    given = {name: config.getoption(f"contracts_{name}") for name in names}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


CHECKS = pytest.StashKey[list[Check]]()


def pytest_configure(config: pytest.Config) -> None:
    """Say at once what is missing, or asked for in vain."""
    given = asked(config)
    if not given["target"]:
        raise pytest.UsageError("say what to test: pytest contracts --target mock, mock-http, or a URL")
    try:
        config.stash[CHECKS] = selected(given["only"])
    except Usage as error:
        raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each check that was asked for."""
    if "check" in metafunc.fixturenames:
        checks = metafunc.config.stash[CHECKS]
        metafunc.parametrize("check", checks, ids=[f"{check.layer}:{check.id}" for check in checks])


@pytest.fixture(scope="session")
def session(pytestconfig: pytest.Config) -> Iterator[Session]:
    """The one run that all tests are part of; what it made is removed at the end."""
    left: list[str] = []
    with ExitStack() as stack:
        try:
            options = Options.among(asked(pytestconfig))
            yield stack.enter_context(opened(options, pytestconfig.stash[CHECKS], os.environ, left.append))
        except Usage as error:
            pytest.exit(f"contracts: {error}", returncode=pytest.ExitCode.USAGE_ERROR)
        except Unreachable as error:
            pytest.exit(f"contracts: {error}", returncode=UNTESTABLE)
    if left:
        pytest.fail("\n".join(left), pytrace=False)


@pytest.fixture
def strict(pytestconfig: pytest.Config) -> bool:
    """Whether an assumption that does not hold fails the run."""
    return bool(asked(pytestconfig)["strict_assumptions"])


@pytest.fixture
def outcome(check: Any, session: Session, pytestconfig: pytest.Config) -> Outcome:
    """What came of one check."""
    found = judge(check, session.team)
    pytestconfig.stash.setdefault(OUTCOMES, []).append(found)
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing executed is no success."""
    found = session.config.stash.get(OUTCOMES, [])
    if found and all(outcome.verdict is Verdict.UNTESTED for outcome in found):
        session.exitstatus = UNTESTABLE
