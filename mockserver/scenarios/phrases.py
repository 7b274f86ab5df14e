"""Sentences of generated messages: fixed templates filled with words that Faker generates from a seed."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

_WORDS = 500
"""Generated words of each kind. Sentences use several, so that few are alike."""

TITLES = (
    "{plan} for {company}",
    "Visit to {city}",
    "Offer to {company}",
    "Notes for {name}",
    "{plan}: open points",
    "Call with {name} of {company}",
    "{city} office",
    "Handover to {name}",
)
SPACES = ("{company}", "{plan}", "Project {city}", "{city} team", "{company} account", "Work with {company}")
QUESTIONS = (
    "When does {name} meet {company} about the {plan}?",
    "Who in {city} can tell us more about the {plan}?",
    "What did {company} say about delivery number {number}?",
    "Could you sum up what {name} and {other} agreed on in {city}?",
    "How much is left of the budget for {company}?",
    "Is the offer to {company} ready, and has {name} seen it?",
    "What are the next three steps for the {plan}?",
    "Why was the date in {city} moved again?",
    "Please draft a short answer to {name} at {company}.",
    "Which of the {number} open tickets belong to {company}?",
)
ANSWERS = (
    "{name} meets {company} in {city} on the {day}th at {hour}:30. First point: the {plan}.",
    "{other} knows most about it; {name} in {city} is the second best to ask.",
    "{company} confirmed delivery {number} for the {day}th, with {hour} pallets and one pallet to follow.",
    "They agreed that {name} takes over the {plan} from {other}, and that {company} is told by the {day}th.",
    "Of {number},000 francs {hour} percent are left. {company} has sent no invoice since the {day}th.",
    "The offer is ready. {name} has read it, and asks for a shorter payment term of {day} days.",
    "First the contract with {company}, then the room in {city}, then {other} tests the {plan}.",
    "The room in {city} was taken. The new date is the {day}th, {hour} o'clock, and {name} has accepted it.",
    "Dear {name}, we will deliver number {number} on the {day}th. Kind regards, {other}",
    "{hour} of them do. The oldest, number {number}, has waited for {other} since the {day}th.",
)


class Phrases:
    """Sentences by kind and number, each built once and then shared."""

    def __init__(self, seed: int) -> None:
        from faker import Faker  # slow to import: paid by the first generated data, not by every start

        fake = Faker("en_US")
        fake.seed_instance(seed)
        self._seed = seed
        sources = {"name": fake.name, "company": fake.company, "city": fake.city, "plan": fake.catch_phrase}
        self._words = {kind: [word() for _ in range(_WORDS)] for kind, word in sources.items()}
        self._said: dict[tuple[Sequence[str], int], str] = {}

    def say(self, templates: Sequence[str], number: int) -> str:
        """Sentence of this number."""
        found = self._said.get((templates, number))
        if found is None:
            found = self._said[templates, number] = self._sentence(templates, number)
        return found

    def _sentence(self, templates: Sequence[str], number: int) -> str:
        picked = blake2b(f"{self._seed}/{templates[0]}/{number}".encode(), digest_size=16).digest()
        template, name, other, company, city, plan, count, small = struct.unpack("<8H", picked)
        chosen: str = templates[template % len(templates)]
        places = {"name": name, "company": company, "city": city, "plan": plan}
        return chosen.format(
            **{kind: self._words[kind][place % _WORDS] for kind, place in places.items()},
            other=self._words["name"][other % _WORDS],
            number=100 + count % 900,
            hour=8 + small % 10,
            day=4 + small // 10 % 17,
        )


phrases = lru_cache(maxsize=2)(Phrases)
"""Sentences of a seed."""
