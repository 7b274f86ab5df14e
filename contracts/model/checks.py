"""The walk as checks: one for the contract, one for every assumption that it leans on."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from contracts.check import promise
from contracts.evidence import Evidence
from contracts.model.explore import Walk, walk
from contracts.team import Team

OPERATIONS = (
    "createSpace",
    "listSpaces",
    "getSpace",
    "updateSpace",
    "deleteSpace",
    "createThread",
    "getThread",
    "deleteThread",
    "listSpaceThreads",
    "addThreadToSpace",
    "removeThreadFromSpace",
)
ASSUMED = {
    "A01": ("addThreadToSpace", "adding a thread again is 201 with the first added_at"),
    "A02": ("addThreadToSpace", "adding a thread that was deleted is 404"),
    "A03": ("removeThreadFromSpace", "removing a thread that is not in the space is 404"),
    "A04": ("listSpaceThreads", "threads come in the order of adding, whatever was removed in between"),
    "A06": ("listSpaceThreads", "a walk goes on where it was after the removal of its anchor"),
    "A14": ("deleteThread", "a deleted thread is in no space"),
    "A18": ("updateSpace", "PATCH with nothing is 200, and null clears the description"),
    "A19": ("createSpace", "a name has 1 to 255 characters"),
    "A24": ("createSpace", "what makes something answers 201"),
    "A36": ("getThread", "a thread of somebody else is 403"),
}
"""What the walk can find to be otherwise -> an operation, and the sentence."""
_walks: WeakKeyDictionary[Team, Walk] = WeakKeyDictionary()


def walked(team: Team) -> Walk:
    """The run's one walk, which all the checks share."""
    if team not in _walks:
        _walks[team] = walk(team)
    return _walks[team]


@promise(*OPERATIONS, evidence=Evidence.PUBLISHED, layer="model")
def the_target_behaves_like_the_model(team: Team) -> None:
    """In scenarios of many steps every answer and every list is what a small model of spaces says."""
    if broken := walked(team).broken:
        broken.tell(team)


def _assume(assumption: str, operation: str, sentence: str) -> None:
    def run(team: Team) -> None:
        if doubt := walked(team).doubts.get(assumption):
            doubt.tell(team)

    run.__name__ = f"the_model_may_assume_{assumption.lower()}"
    run.__doc__ = f"In every scenario {sentence}."
    promise(operation, evidence=Evidence.ASSUMED, assumption=assumption, layer="model")(run)


for _assumption, (_operation, _sentence) in ASSUMED.items():
    _assume(_assumption, _operation, _sentence)
