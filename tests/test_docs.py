"""README.md and docs/ say what is so: their programs run, their answers come, their tables are whole."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import requests
import yaml
from pydantic import BaseModel

from contracts.checks.evidence import assumptions
from mockserver.commands.cli import serve
from mockserver.freddy.model_responses import NEAR, NOTHING_FOUND
from mockserver.freddy.shared_memory import MOST_RESULTS
from mockserver.http.event_stream import HEARTBEAT, MOST
from mockserver.scenarios import file_format
from mockserver.settings import Settings
from tests.fences import Block, blocks, outside, program, run
from tests.reference import DOCS, GENERATED, anchor, inputs, operations, places
from tests.running import FROZEN, ROOT, mock

README, RUNNING = ROOT / "README.md", ROOT / "docs/running.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
NOT_RUN = {
    "make": "sets up the environment these tests are running in",
    "pip install": "likewise; tests/test_package.py does it",
    "docker": "needs a container engine",
    "kubectl": "needs a cluster; tests/replicas/test_deployment.py reads the file",
    "mockserver serve": "runs until it is stopped; the tests start their own",
    "mockserver check --overlay": "tests/test_overlays.py does it",
    "mockserver persisted": "tests/test_killed.py does it",
    "mockserver check --profile": "tests/test_profile.py does it",
    "contracts calibrate": "tests/contracts/test_calibration.py does it",
    "export": "sets what every program here is given anyway",
    "contracts run --target mock": "takes a while; the suite's own tests do it",
    "contracts run --target https": "needs a deployment",
    "contracts replay": "needs a run that failed",
    "contracts cleanup": "needs a run that was killed",
}
"""What a ```console block may hold, and why no test runs it."""
FILES = {
    "pay.py": "tests/foreign/test_handlers.py",
    "vite.config.js": "tests/test_examples.py",
    "handlers.js": "tests/test_examples.py",
    "one-line.spec.js": "tests/test_examples.py",
    "proxy.js": "tests/test_dev_servers.py",
    "next.config.js": "tests/test_dev_servers.py",
    "webpack.config.js": "tests/test_dev_servers.py",
    "login.py": "tests/test_extension_files.py",
    "staging.yaml": "tests/test_overlays.py",
    "staging.profile.yaml": "tests/test_profile.py",
    "staging.drift.yaml": "tests/contracts/test_drift.py",
    "test_sharing.py": "tests/test_pytest_plugin.py",
}
"""What is shown as a file, and who runs it."""
KINDS = {"#", "sh", "python", "javascript", "json", "text", "yaml", "console"}
NODE = shutil.which("node")
ANY = "…"
"""In an answer that is shown: some text that is not told."""
OVER_TIME = "over time"
"""Behind `text`: lines of which some may be missed by who looks too seldom, but not the last."""
MARK = "end-of-log-"
QUICKLY = {"10": "0.5"}
"""Seconds of embedding on a page that waits for it, and how many they are here."""
_PARTS = [
    "Organization",
    "Role",
    "Department",
    "User",
    "Key",
    "Membership",
    "File",
    "VectorStore",
    "StoredFile",
    "Thread",
    "Message",
]
_PARTS += ["Space", "SpaceThread", "SpaceVectorStore"]
_PARTS += ["Model", "OutputMode", "ReasoningLevel", "Assistant", "ForeignRow"]
_PARTS += ["Reply", "Fault", "FaultError"]
ENTRIES = ["ScenarioFile", *(f"{part}Entry" for part in _PARTS)]
"""In the order of the tables of docs/scenario-fields.md."""

page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def entries(log: Path, url: str) -> list[dict[str, Any]]:
    """The log's entries. It is written in order, a moment after the answers: one more request tells when."""
    last = f"/__admin/{MARK}{log.stat().st_size}"
    requests.get(url + last, timeout=60)
    until = time.monotonic() + 5
    while not re.search(f'"{last}".*\n', text := log.read_text("utf-8")) and time.monotonic() < until:
        time.sleep(0.005)
    return [json.loads(line) for line in text.splitlines() if MARK not in line]


def resembles(shown: Any, got: Any) -> bool:
    """Whether an answer is the one that is shown, where `…` stands for any text or number."""
    if shown == ANY:
        return isinstance(got, str | int | float) and got != ""
    if isinstance(shown, dict):
        return (
            isinstance(got, dict)
            and list(shown) == list(got)
            and all(resembles(shown[key], got[key]) for key in shown)
        )
    if isinstance(shown, list):
        return (
            isinstance(got, list)
            and len(shown) == len(got)
            and all(resembles(one, other) for one, other in zip(shown, got, strict=True))
        )
    return type(shown) is type(got) and bool(shown == got)


class Outcome(NamedTuple):
    """A block that was run: its exit code, what it printed, and the status the mock answered last."""

    block: Block
    code: int
    stdout: str
    stderr: str
    status: int | None

    def check(self, shown: Block | None) -> None:
        """Fail unless it went as the block behind it shows, or well if there is none."""
        what = f"{self.block.where}: exit code {self.code}\n{self.stdout}\n{self.stderr}"
        if shown is None or shown.kind == "json":
            assert self.code == 0, what
        elif shown.label == OVER_TIME:
            lines = iter(shown.text.splitlines())
            assert all(line in lines for line in self.stdout.splitlines()), what  # in this order
            assert list(lines) == [], what
        elif shown.kind == "text":
            assert self.stdout + self.stderr == shown.text + "\n", what
            assert self.code == (2 if shown.text.startswith("mockserver: ") else 0), what
        if shown is not None and shown.kind == "json":
            answer = (ast.literal_eval if self.block.kind == "python" else json.loads)(self.stdout)
            assert resembles(json.loads(shown.text), answer), what
            assert self.status is not None, what
            assert shown.label.split()[0] == str(self.status), what


def chapters(path: Path) -> Iterator[tuple[list[str], list[Block]]]:
    """The page's blocks, with the flags of the mock to run them on; the page starts with a frozen one.

    Embedding is sped up, until the page stops the clock.
    """
    written: list[str] = []
    flags = ["--freeze", FROZEN, "--log-probes"]  # the log shows that an example asked
    chapter: list[Block] = []
    for block in blocks(path):
        if block.kind == "console" and (given := re.search("ARGS='(.*)'", block.text)):
            yield flags, chapter
            written, chapter = given[1].split(), []
            flags = [QUICKLY.get(word, word) for word in written]
        elif '"freeze"' in block.text and written not in ([], flags):
            yield flags, chapter
            flags, chapter = written, []
        chapter.append(block)
    yield flags, chapter


def outcomes(chapter: list[Block], url: str, folder: Path) -> Iterator[tuple[Outcome, Block | None]]:
    """Each program of a chapter, run in order, with the block that shows its answer.

    An answer belongs to every program since the heading or answer before it.
    """
    pending: list[Outcome] = []
    seen = 0
    for block in chapter:
        command = program(block, url)
        if block.kind == "yaml":
            (folder / block.label).write_text(block.text, encoding="utf-8")
        elif command is not None and (block.kind != "javascript" or NODE):
            done = run(command, folder)
            asks = url in command[-1]
            log = entries(folder / "log", url)
            assert len(log) > seen or not asks, f"{block.where}: asked nothing; {done.stderr}"
            status = log[-1]["status"] if asks else None
            seen = len(log)
            pending.append(Outcome(block, done.returncode, done.stdout, done.stderr, status))
        elif block.kind in ("json", "text", "#"):
            yield from ((outcome, None if block.kind == "#" else block) for outcome in pending)
            pending.clear()
    yield from ((outcome, None) for outcome in pending)


@page
def test_every_program_runs_and_gets_the_answer_that_is_shown(path: Path, tmp_path: Path) -> None:
    for flags, chapter in chapters(path):
        with mock(*flags, errors=tmp_path / "log") as url:
            for outcome, shown in outcomes(chapter, url, tmp_path):
                outcome.check(shown)


@pytest.mark.skipif(not NODE, reason="node is not installed: no JavaScript of the docs can be run")
def test_requests_are_shown_in_three_languages() -> None:
    assert {"sh", "python", "javascript"} <= {
        block.kind for block in blocks(ROOT / "docs/documented-requests.md")
    }


@page
def test_every_block_is_run_or_marked_as_not_to_be_run(path: Path) -> None:
    for block in blocks(path):
        assert block.kind in KINDS, f"{block.where}: {block.kind}"
        if block.kind in ("python", "javascript") and block.label:
            assert block.label in FILES, f"{block.where}: who runs {block.label}?"
        if block.kind == "console":
            for line in block.text.splitlines():
                assert line.startswith(tuple(NOT_RUN)), (
                    f"{block.where}: {line!r} could be run: fence it as sh"
                )


def test_the_line_of_a_request_is_as_shown(tmp_path: Path) -> None:
    (error,) = (b for b in blocks(RUNNING) if b.kind == "sh" and "ak_demo_viewer" in b.text)
    (shown,) = (b for b in blocks(RUNNING) if b.kind == "text" and b.text.startswith('{"time"'))
    with mock(errors=tmp_path / "log") as url:
        command = program(error, url)
        assert command is not None
        run(command, tmp_path)
        (entry,) = entries(tmp_path / "log", url)
    line = json.loads(shown.text)
    assert list(entry) == list(line)
    assert entry | {"ms": line["ms"], "time": line["time"]} == line
    assert f"`X-Mock-Reason` says more: `{entry['reason']}`" in RUNNING.read_text(encoding="utf-8")


def test_the_line_of_a_mock_that_is_ready_is_as_shown(tmp_path: Path) -> None:
    (shown,) = (b for b in blocks(RUNNING) if b.kind == "text" and b.text.startswith('{"url"'))
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env={}, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        ready, line = json.loads(child.stdout.readline()), json.loads(shown.text)
        try:
            assert requests.get(f"{ready['url']}/__admin/ready", timeout=60).status_code == 200
            child.terminate()
            assert child.wait(timeout=60) == 0
        finally:
            child.kill()
    assert list(ready) == list(line)
    assert ready["url"] == line["url"].replace("4010", str(ready["port"]))
    assert (ready["pid"], ready["scenario"]) == (child.pid, line["scenario"])


@pytest.mark.parametrize("path", sorted({*PAGES, *ROOT.glob("*.md")}), ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https://)([^)]+)\)", outside(path)):
        file, _, fragment = target.partition("#")
        place = path.parent / file if file else path
        assert place.exists(), f"{path.name}: {target}"
        if fragment:
            anchors = {anchor(block.text) for block in blocks(place) if block.kind == "#"}
            assert fragment in anchors, f"{path.name}: {target}"


def rows(path: Path) -> list[list[str]]:
    """The rows of all tables of a page, each a list of its cells."""
    lines = outside(path).splitlines()
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines if line[:1] == "|"]


def test_every_flag_is_in_the_docs_with_its_twin_and_its_default() -> None:
    table = {row[0]: row[1:3] for row in rows(RUNNING) if row[0].startswith("`--")}
    flags = {f"`{option.opts[0]}`": option for option in serve.params if isinstance(option, click.Option)}
    flags.pop("`--help`", None)
    assert list(table) == list(flags)
    for flag, option in flags.items():
        assert option.name is not None
        default = Settings.model_fields[option.name].default
        words = "off" if default is False else f"`{default}`"
        twin = f"MOCK_{option.name.rstrip('_').upper()}"
        assert f"`{twin}`" in table[flag][0], flag
        assert option.help is not None
        assert f"[{twin}" in option.help, flag
        assert table[flag][1] == ("none" if default in (None, ()) else words), flag


def test_every_key_of_the_demo_is_in_the_docs_with_its_user() -> None:
    demo = yaml.safe_load((ROOT / "mockserver/scenarios/demo.yaml").read_text(encoding="utf-8"))
    table = {(key, row[1]) for row in rows(RUNNING) for key in row[0].split(", ") if key.startswith("`ak_")}
    assert table == {(f"`{k['key']}`", f"`{user['id']}`") for user in demo["users"] for k in user["keys"]}


def test_every_path_of_the_control_api_is_in_the_docs() -> None:
    """Each on one page, under its own heading, with a generated table of its parameters and fields."""
    sections = {
        heading: text
        for path in DOCS.glob("*.md")
        for heading, text in re.findall(
            r"^## ([A-Z]+ /__admin\S*)\n(.*?)(?=^## |\Z)", path.read_text("utf-8"), re.M | re.S
        )
    }
    described = [b.text for path in PAGES for b in blocks(path) if "/__admin" in b.text and b.kind == "#"]
    assert sorted(described) == sorted(title for title, _ in operations().values())
    for name, (title, _) in operations().items():
        if list(inputs(name, places().get(name, ""))):
            assert f", {name} -->" in sections[title], title


def test_the_control_api_page_has_every_path_in_order() -> None:
    listed = re.findall(r"^\| \[`(.+?)`\]", (DOCS / "control-api.md").read_text("utf-8"), re.M)
    assert listed == [title for title, _ in operations().values()]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_page_has_the_marks_of_a_conflict(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith(("<<<<<<< ", ">>>>>>> "))] == []


def test_no_page_has_more_than_300_lines() -> None:
    """Except pages of measurements and of all claims, which are generated."""
    for path in {*PAGES, *ROOT.glob("*.md")}:
        lines = path.read_text("utf-8").count("\n")
        assert lines <= 300 or path.name in ("benchmarks.md", "contract-strength.md", "evidence.md"), (
            f"{path.name}: {lines}"
        )


@pytest.mark.parametrize(("path", "text"), GENERATED, ids=lambda value: getattr(value, "name", ""))
def test_a_generated_page_is_up_to_date(path: Path, text: Callable[[], str]) -> None:
    assert path.read_text("utf-8") == text(), "run python -m tests.reference"


def test_the_fields_that_the_docs_call_ignored_are_fields_of_a_response_request() -> None:
    spec = yaml.load((ROOT / "openapi.yaml").read_bytes(), yaml.CSafeLoader)
    known = spec["components"]["schemas"]["ResponseCreate"]["properties"].keys()
    limits = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
    said = re.search(r"- \*\*Most fields.*?(?=\n- )", limits, re.DOTALL)
    assert said is not None
    ignored = set(re.findall(r"`(\w+)`", said[0]))
    assert ignored
    assert ignored <= known


def test_the_numbers_of_the_shared_memory_are_the_ones_of_the_code() -> None:
    said = " ".join((DOCS / name).read_text("utf-8") for name in ("shared-memory.md", "streams.md"))
    said = " ".join(said.split())
    assert HEARTBEAT == 2, "said in words"
    assert MOST_RESULTS == 10, "said in words"
    assert f"At most {MOST} streams" in said
    assert f"if it scores {NEAR} or more" in said
    assert f"`{NOTHING_FOUND}`" in said


def test_every_assumption_that_is_named_is_in_the_table_once() -> None:
    known = [row[0] for row in rows(ROOT / "docs/assumptions.md") if re.fullmatch(r"A\d{2,}", row[0])]
    assert known == sorted(set(known), key=lambda id_: int(id_[1:])) == [*assumptions()]
    documents = [ROOT / "openapi.yaml", *(ROOT / "overlays").glob("*.yaml")]
    for path in [*documents, *(ROOT / "mockserver").rglob("*.py")]:
        named = set(re.findall(r"\bA\d{2,3}\b", path.read_text(encoding="utf-8")))
        assert named <= set(known), path


def test_the_evidence_words_are_those_of_the_table() -> None:
    table = {row[0].strip("`") for row in rows(ROOT / "docs/assumptions.md")}
    used = set(re.findall(r"x-evidence: (\w+)", (ROOT / "openapi.yaml").read_text(encoding="utf-8")))
    assert used <= table


def test_every_field_of_a_scenario_is_in_the_docs_with_its_default() -> None:
    tables: list[dict[str, str]] = []
    for row in rows(ROOT / "docs/scenario-fields.md"):
        if row[0] == "field":
            tables.append({})
        elif row[0].startswith("`"):
            tables[-1][row[0].strip("`")] = row[2].strip("`")
    for name, table in zip(ENTRIES, tables, strict=True):
        model: type[BaseModel] = getattr(file_format, name if name in vars(file_format) else name + "Entry")
        defaults = {
            field: "" if info.is_required() else in_yaml(info.default)
            for field, info in model.model_fields.items()
        }
        assert table == defaults, name


def in_yaml(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)
