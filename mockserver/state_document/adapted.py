"""Records adapted to the schemas of the served document, which may be another than they were written for."""

from __future__ import annotations

from collections import Counter

from mockserver.openapi.record_shapes import RecordShapes
from mockserver.openapi.references import Pointer
from mockserver.sandbox.records import Record


class AdaptedRecords:
    """Records that were completed, or have fewer fields than in their document."""

    def __init__(self, shapes: RecordShapes, *, completes: bool, drops: bool) -> None:
        """`completes`: whether required fields that a record lacks are filled in.

        `drops`: whether fields that the schemas do not have are left out.
        """
        self.records: dict[Pointer, Record] = {}
        """By address."""
        self._shapes = shapes
        self._completes, self._drops = completes, drops
        self._done: Counter[tuple[str, str, str]] = Counter()

    @property
    def notes(self) -> list[str]:
        """One line for each field of a collection: what was done, in how many records."""
        return [
            f"collections.{name}: {field} {done} {count} record{'s' * (count > 1)}"
            for (name, field, done), count in sorted(self._done.items())
        ]

    def wrong(self, schema: str, record: Record, answered: Record, at: Pointer) -> str:
        """Error of a record that does not fit; empty if it does, also if it was adapted.

        `answered`: the record as answers show it.
        """
        if not self._completes:
            return self._shapes.wrong(schema, answered)
        new, completed, dropped, wrong = self._shapes.fitted(schema, answered, drops=self._drops)
        if not wrong and new is not answered:
            kept = {name: record[name] for name in record if name not in dropped}
            if not self._shapes.completes_replies:
                kept |= {name: new[name] for name in new if new[name] is not answered.get(name)}
            self.records[at] = kept
            for fields, done in ((completed, "completed in"), (dropped, "left out of")):
                self._done.update((str(at[1]), field, done) for field in fields)
        return wrong
