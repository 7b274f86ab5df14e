"""junit.xml: one test case per check."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from contracts.report.data import Data

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(data: Data) -> str:
    """JUnit XML of a run; outcomes that don't count are skipped, with their reason."""
    outcomes, failures = data["outcomes"], {failure["id"]: failure for failure in data["failures"]}
    strict = data["run"]["strict_assumptions"]
    crash = data["run"]["crash"]
    counts = [_counts(outcome, strict) for outcome in outcomes]
    suites = Xml.Element("testsuites", name="contracts")
    suite = Xml.SubElement(
        suites,
        "testsuite",
        name=f"contracts on {data['run']['target']}",
        tests=str(len(outcomes) + (crash is not None)),
        failures=str(sum(counts)),
        errors=str(int(crash is not None)),
        skipped=str(
            sum(
                o["verdict"] not in ("passed", "broken") and not c
                for o, c in zip(outcomes, counts, strict=True)
            )
        ),
        time=str(data["run"]["seconds"]),
        timestamp=data["run"]["started"].partition("+")[0],
    )
    for outcome, fails in zip(outcomes, counts, strict=True):
        case = Xml.SubElement(
            suite,
            "testcase",
            classname=f"contracts.{outcome['layer']}",
            name=outcome["id"],
            time=f"{outcome['seconds']:.3f}",
        )
        if fails:
            texts = [_text(failures[number]) for number in outcome["failures"]]
            failure = Xml.SubElement(case, "failure", type="broken", message=_clean(outcome["message"]))
            failure.text = _clean("\n\n".join(texts))
        elif outcome["verdict"] != "passed":
            message = _clean(f"{outcome['verdict']}: {outcome['message']}")
            Xml.SubElement(case, "skipped", message=message)
    if crash is not None:
        case = Xml.SubElement(suite, "testcase", classname="contracts", name="the-run")
        Xml.SubElement(case, "error", type="crash", message=_clean(crash))
    return Xml.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _counts(outcome: Data, strict: bool) -> bool:
    verdict = outcome["verdict"]
    return verdict == "broken" or (strict and verdict == "assumption does not hold here")


def _text(failure: Data) -> str:
    chain = "\n".join(f"{each['command']}  # {each['status']}" for each in failure["chain"])
    return f"#{failure['id']} {failure['verdict']}: {failure['message']}\n{failure['sentence']}\n{chain}"


def _clean(text: str) -> str:
    """Text without characters that XML forbids."""
    return _NO_XML.sub("�", text)
