"""Patches for two private parts of Hypothesis, which take a fifth of a run's time.

It looks up the source of lambdas for messages that nobody sees. It also scans imported modules for constants
to try, so that generated data would depend on where the suite is installed and whether the mock runs in the
same process. Neither has a public setting.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

import hypothesis

from contracts.checks.errors import Usage


@cache
def patch_hypothesis() -> None:
    """Disable both; Usage if this version of Hypothesis lacks the patched names."""
    try:
        constants = import_module("hypothesis.internal.constants_ast").Constants()
        for module, name, instead in (
            ("lambda_sources", "lambda_description", lambda _: "lambda ...: <unknown>"),
            ("filtering", "lambda_description", lambda _: "lambda ...: <unknown>"),
            ("conjecture.providers", "_get_local_constants", lambda: constants),
        ):
            inside = import_module(f"hypothesis.internal.{module}")
            getattr(inside, name)
            setattr(inside, name, instead)
    except (ImportError, AttributeError) as error:
        version = hypothesis.__version__
        raise Usage(
            f"hypothesis {version} is not supported ({error}); install the wheel with its extra [contracts]"
        ) from error
