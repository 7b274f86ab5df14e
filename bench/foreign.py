"""Other people's documents: what the mock answers to valid requests, judged by `jsonschema`.

Run by hand: `.venv/bin/python -m bench.foreign FILE…`, with documents of npm packages such as
@directus/specs, @blockfrost/openapi and @octokit/openapi. For each document: seconds to start, memory,
operations, and how many were answered as the document says. `--url URL` asks another server instead, such
as Prism, and `--every N` asks one operation in N. `--bundle FILE` has the requests and the judge read another
file: a bundle of the files of the only document, made by another tool. With generic state, a 404 for a row
that nobody created counts as valid; `--no-state` asks without it. Requests are Schemathesis' positive data,
the same in each run.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisException
from jsonschema.exceptions import UnknownType
from openapi_schema_validator import (
    OAS30ReadValidator,
    OAS31Validator,
    oas30_format_checker,
    oas31_format_checker,
)
from referencing import Registry
from referencing.jsonschema import DRAFT4, DRAFT202012
from schemathesis.generation import GenerationMode

from mockserver.client.child import Child

BASE = "urn:document"
CREDENTIALS = {"Authorization": "Bearer bench"}
TRIES = 2
"""Requests to each operation."""


class Judge:
    """Judge of answers: the document itself, read by `jsonschema`."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._is_old = str(document["openapi"]).startswith("3.0")
        kind = DRAFT4 if self._is_old else DRAFT202012
        resource: Any = kind.create_resource(document)
        self._registry: Any = Registry().with_resource(BASE, resource)

    def wrong(self, path: str, method: str, response: requests.Response) -> str:
        """What is wrong with an answer; empty if the document allows it."""
        node = self._document["paths"][path][method.lower()]
        responses, status = node.get("responses") or {}, response.status_code
        if not responses:
            return ""
        keys = (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
        key = next((key for key in keys if key in responses), None)
        if key is None:
            return f"status {status} is not documented: {response.text[:150]}"
        pointer = ["paths", path, method.lower(), "responses", key]
        found = responses[key]
        while "$ref" in found:
            pointer = [step.replace("~1", "/") for step in found["$ref"].removeprefix("#/").split("/")]
            found = self._at(pointer)
        content = found.get("content") or {}
        sent = response.headers.get("content-type", "").partition(";")[0]
        if not content:
            return "" if not response.content else "a body where none is documented"
        media = next((each for each in content if each.partition(";")[0] in (sent, "*/*")), None)
        if media is None:
            return f"content type {sent!r} is none of {', '.join(content)}"
        if "schema" not in content[media] or "json" not in sent:
            return ""
        return self._invalid([*pointer, "content", media, "schema"], response)

    def _at(self, pointer: list[str]) -> Any:
        node: Any = self._document
        for step in pointer:
            node = node[step]
        return node

    def _invalid(self, pointer: list[str], response: requests.Response) -> str:
        steps = "/".join(quote(step.replace("~", "~0").replace("/", "~1"), safe="~") for step in pointer)
        try:
            value = response.json()
        except requests.JSONDecodeError:
            return "no JSON"
        try:
            return self._judged(f"{BASE}#/{steps}", value, is_old=self._is_old)
        except UnknownType:  # a document of 3.0 that has types of 3.1
            return self._judged(f"{BASE}#/{steps}", value, is_old=False)
        except (re.error, RecursionError) as error:  # a pattern that Python does not know
            return f"not judged: {error}"

    def _judged(self, ref: str, value: Any, *, is_old: bool) -> str:
        kind = OAS30ReadValidator if is_old else OAS31Validator
        formats = oas30_format_checker if is_old else oas31_format_checker
        judge = kind({"$ref": ref}, registry=self._registry, format_checker=formats)
        error = next(iter(judge.iter_errors(value)), None)
        return "" if error is None else f"{error.json_path}: {error.message[:150]}"


def _cases(operation: Any) -> Iterator[Any]:
    """Valid requests to an operation, the same in each run."""
    found: list[Any] = []

    @seed(0)
    @settings(
        max_examples=TRIES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def collect(case: Any) -> None:
        found.append(case)

    collect()
    yield from found


def _secrets(document: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and query that have a credential of every scheme."""
    headers, query = dict(CREDENTIALS), dict[str, str]()
    for scheme in (document.get("components") or {}).get("securitySchemes", {}).values():
        if scheme.get("type") == "apiKey":
            into = headers if scheme.get("in") == "header" else query
            into[scheme["name"]] = "bench"
        if scheme.get("scheme") == "basic":
            headers["Authorization"] = "Basic YTpi"
    return headers, query


def _asked(document: Mapping[str, Any], url: str, every: int) -> tuple[Counter[str], list[str]]:
    """Counts of operations by outcome, and what is wrong."""
    schema, judge = schemathesis.openapi.from_dict(dict(document)), Judge(document)
    headers, query = _secrets(document)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    session = requests.Session()
    for number, result in enumerate(schema.get_all_operations()):
        if number % every:
            continue
        try:
            operation: Any = result.ok()  # type: ignore[union-attr]  # else it raises
            cases = list(_cases(operation))
        except Exception as error:  # what Schemathesis can't read or make
            counts["no request made"] += 1
            wrong.append(f"  no request: {type(error).__name__} {str(error)[:100]}")
            continue
        reasons = []
        for case in cases:
            try:
                sent = case.as_transport_kwargs(base_url=url, headers=headers)
                own = sent.get("params") or ""
                texts = (own if isinstance(own, str) else urlencode(own, doseq=True), urlencode(query))
                sent["params"] = "&".join(filter(None, texts))
                response = session.request(**{**sent, "timeout": 60, "allow_redirects": False})
            except (requests.RequestException, ValueError, HypothesisException) as error:
                counts["requests that could not be sent"] += 1
                reasons.append("" if isinstance(error, ValueError) else str(error)[:150])
                continue
            counts[f"source {response.headers.get('X-Mock-Source', '-')}"] += 1
            counts["fallbacks"] += "no valid answer" in response.headers.get("X-Mock-Reason", "")
            counts[f"answers {response.status_code // 100}xx"] += 1
            told = response.headers.get("X-Mock-Reason", "")
            if response.status_code == 404 and response.headers.get("X-Mock-Source") == "state":
                counts["answers 404: no such row"] += 1
                reasons.append("")
                continue
            reason = judge.wrong(operation.path, operation.method, response)
            reasons.append(reason + (f" [{told}]" if reason and told else ""))
        counts["operations"] += 1
        counts["answered validly"] += not any(reasons)
        if any(reasons):
            wrong.append(f"  {operation.method} {operation.path}: {next(filter(None, reasons))}"[:400])
    return counts, wrong


def _memory(pid: int) -> int:
    """Resident MiB of a process."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) // 1024 if found else 0


def _read(file: Path) -> Any:
    text = file.read_text("utf-8")
    return json.loads(text) if file.suffix == ".json" else yaml.load(text, yaml.CSafeLoader)


def main() -> None:
    """Ask about each document, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--url", help="another server, which serves the only document")
    parser.add_argument("--bundle", type=Path, help="the only document in one file, for requests and judge")
    parser.add_argument("--no-state", action="store_true", help="without generic state")
    parser.add_argument("--every", type=int, default=1, help="one operation in so many")
    given_ = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    for file in given_.files:
        document = json.loads(json.dumps(_read(given_.bundle or file), default=str))
        if given_.no_state:
            for item in document["paths"].values():
                item["x-mock-collection"] = False
            file = Path(tempfile.mkdtemp()) / f"{file.stem}.json"
            file.write_text(json.dumps(document), "utf-8")
        begin = time.perf_counter()
        child = None if given_.url else Child("--quiet", "--also", f"it={file}@/it")
        try:
            said: dict[str, Any] = (
                {"seconds to start": round(time.perf_counter() - begin, 2)} if child else {}
            )
            url = given_.url
            if child is not None:
                assert child.ready is not None, file
                url, pid = f"{child.ready['url']}/it", child.ready["pid"]
                said["MiB at start"] = _memory(pid)
            counts, wrong = _asked(document, url, given_.every)
            if child is not None:
                said["MiB at end"] = _memory(pid)
        finally:
            if child is not None:
                child.end()
        print(file.name, json.dumps(said | dict(sorted(counts.items()))))
        print("\n".join(wrong), flush=True)


if __name__ == "__main__":
    main()
