"""Description of an error of the suite itself."""

from __future__ import annotations

import traceback
from pathlib import Path


def crash(error: BaseException) -> str:
    """One line with the exception and its place in the suite's code."""
    files = traceback.extract_tb(error.__traceback__)
    last = next((each for each in reversed(files) if "contracts" in Path(each.filename).parts), None)
    where = f" ({Path(last.filename).name}:{last.lineno})" if last is not None else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}{where}"
