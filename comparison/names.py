"""Names that two servers give to the same things: ids and texts of a model, one to one within a run."""

from __future__ import annotations

import re

NOTHING = "~"
"""Mark in a label of an id that nothing has."""
_WORD = re.compile(r"[A-Za-z0-9_\-]{6,}")


class Names:
    """Pairs of values under a label that both sides share; a value has one partner only."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[str, str]] = {}
        """Label -> value on the left, value on the right."""
        self.fresh: list[str] = []
        """Labels added since the caller last emptied this list."""
        self._labels: tuple[dict[str, str], dict[str, str]] = {}, {}

    def add(self, label: str, left: str, right: str) -> None:
        """Pair two values that nobody has paired before."""
        self.values[label] = left, right
        self._labels[0][left] = label
        self._labels[1][right] = label
        self.fresh.append(label)

    def keep(self, label: str, left: str, right: str) -> None:
        """Keep two values that may have other partners too, such as cursors."""
        self.values[label] = left, right
        self.fresh.append(label)

    def mark(self) -> tuple[int, int]:
        """Position to go back to."""
        return len(self.values), len(self.fresh)

    def back(self, mark: tuple[int, int]) -> None:
        """Forget what was paired since `mark`; values kept under a label of before stay as they are."""
        for label in [*self.values][mark[0] :]:
            for side, value in enumerate(self.values.pop(label)):
                if self._labels[side].get(value) == label:
                    del self._labels[side][value]
        del self.fresh[mark[1] :]

    def label(self, side: int, value: object) -> str | None:
        """Label of a value on a side: 0 left, 1 right."""
        return self._labels[side].get(value) if isinstance(value, str) else None

    def abstract(self, side: int, text: str) -> str:
        """Text with each known id in it replaced by its label."""
        labels = self._labels[side]
        return labels.get(text) or _WORD.sub(lambda word: labels.get(word[0], word[0]), text)
