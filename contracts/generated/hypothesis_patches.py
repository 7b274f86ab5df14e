"""What Hypothesis does for a programmer's own tests, and need not do here: a fifth of a run's time.

It looks up the source of lambdas for messages that nobody sees. And it reads all modules around it for
numbers and words to try, so that what is tried would depend on where the suite is installed, and on whether
the mock runs in the same process. There is no public way to say so.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

import hypothesis

from contracts.checks.errors import Usage


@cache
def hasten() -> None:
    """Leave both out; Usage if this version of Hypothesis has other insides."""
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
            f"hypothesis {version} is not supported ({error}): pip install --upgrade 'freddy-mock[contracts]'"
        ) from error
