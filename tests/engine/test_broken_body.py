"""A fault's kind is one of a table: what the table does not have is refused wherever it is named."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from mockserver.faults.broken_body import KINDS, damaged_answer
from mockserver.faults.profiles import PROFILES
from mockserver.faults.rule import DELAYS, Moment, Rule, delay_of
from mockserver.faults.rule_list import FaultDefaults, Faults
from mockserver.freddy.stream_events import FAULTS
from mockserver.http.problems import Invalid
from mockserver.http.request import Answer
from tests.engine.test_rules import DEFAULTS, ids
from tests.reference import ADMIN

SCHEMAS: Any = yaml.load(ADMIN.read_bytes(), yaml.CSafeLoader)["components"]["schemas"]
UNKNOWN = {"kind": "melt"}


def test_the_document_of_the_control_api_names_the_kinds_of_the_tables() -> None:
    assert SCHEMAS["Damage"]["properties"]["kind"]["enum"] == list(KINDS)
    assert SCHEMAS["StreamFault"]["properties"]["kind"]["enum"] == list(FAULTS)
    assert SCHEMAS["NewFault"]["properties"]["profile"]["enum"] == [*PROFILES, None]
    drawn = [form["properties"] for form in SCHEMAS["Delay"]["anyOf"] if "properties" in form]
    assert [properties["type"]["const"] for properties in drawn] == list(DELAYS)


def test_a_rule_of_an_unknown_kind_is_refused() -> None:
    faults = Faults(FaultDefaults(DEFAULTS))
    with pytest.raises(Invalid, match=r"damage\.kind: 'melt' is not one of truncate, malformed"):
        faults.add({**DEFAULTS, "damage": UNKNOWN}, ids(), 0)
    made = faults.add({**DEFAULTS, "damage": {"kind": "drip"}}, ids(), 0)
    with pytest.raises(Invalid, match="'melt' is not one of"):
        faults.change(made[0]["id"], {"damage": UNKNOWN}, 0)
    assert faults.get(made[0]["id"], 0) == made[0]


def test_a_profile_of_an_unknown_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROFILES, "melting", [{"name": "melting", "damage": UNKNOWN}])
    with pytest.raises(Invalid, match="'melt' is not one of"):
        Faults(FaultDefaults(DEFAULTS, profile="melting"))


def test_no_answer_is_broken_by_an_unknown_kind() -> None:
    with pytest.raises(KeyError, match="melt"):
        damaged_answer(Answer(200, [], b"{}"), "melt", UNKNOWN, None, lambda _: False, lambda: None)


def test_a_delay_of_an_unknown_type_is_an_error() -> None:
    with pytest.raises(KeyError, match="melting"):
        delay_of({"type": "melting", "median": 5, "sigma": 1}, 0.5, 0.5)
    with pytest.raises(Invalid, match=r"delay\.type: 'melting' is not one of uniform, lognormal"):
        Rule("fault_1", {**DEFAULTS, "delay": {"type": "melting"}}, Moment(0, 0))
