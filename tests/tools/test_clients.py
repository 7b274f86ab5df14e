"""Clients that generators make from openapi.yaml call every operation of a running mock, and read the answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import ROOT
from tests.tools.calls import REFUSED, prepared, with_refusal
from tests.tools.installed import needed, npm, pypi, run

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SPEC = ROOT / "openapi.yaml"
CODE = "--global-property=apis,models,supportingFiles,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"
JAVA = (
    *("--library", "native", "--model-name-mappings", "Thread=FreddyThread"),
    *("--schema-mappings", "ResponseContent=java.lang.Object"),
    "--additional-properties=supportUrlQuery=false,openApiNullable=false,hideGenerationTimestamp=true",
)
TSCONFIG = {
    "compilerOptions": {
        "strict": True,
        "target": "es2022",
        "module": "commonjs",
        "lib": ["es2022", "dom", "dom.iterable"],
        "types": [],
        "skipLibCheck": True,
        "outDir": "out",
    },
    "include": ["src"],
}
Walk = list[str | Path]
"""Command that calls the operations; URL and file of the calls are appended."""


def openapi_generator(generator: str, folder: Path, *flags: str) -> None:
    """Generate a client; openapi-generator checks the document first."""
    needed("java")
    run(pypi("openapi-generator-cli"), "generate", "-g", generator, "-i", SPEC, "-o", folder, CODE, *flags)


def compiled(folder: Path, generator: str) -> Walk:
    """Walk with a client in TypeScript, which must pass the strict type check."""
    (folder / "tsconfig.json").write_text(json.dumps(TSCONFIG), "utf-8")
    run(npm("tsc"), "-p", folder)
    return ["node", HERE / "node" / "walk.mjs", generator, folder / "out"]


def generator_python(folder: Path) -> Walk:
    openapi_generator("python", folder, "--additional-properties=packageName=freddy")
    return [sys.executable, HERE / "walk_python.py", "openapi-generator", folder]


def generator_typescript(folder: Path) -> Walk:
    openapi_generator("typescript-fetch", folder / "src")
    return compiled(folder, "openapi-generator")


def generator_java(folder: Path) -> Walk:
    needed("javac")
    openapi_generator("java", folder, *JAVA)
    sources = [*folder.glob("src/main/**/*.java"), *HERE.glob("java/*.java")]
    jar = next(pypi("python").parent.parent.glob("lib/**/openapi-generator.jar"))
    options = ["-parameters", "-nowarn", "-proc:none", "-cp", jar, "-d", folder / "out"]
    run("javac", *options, *sources)
    return ["java", "-cp", f"{jar}:{folder / 'out'}", "Walk"]


def python_client(folder: Path) -> Walk:
    program = Path(sys.executable).with_name("openapi-python-client")
    made = ["--path", SPEC, "--output-path", folder / "freddy"]
    run(program, "generate", "--meta", "none", *made)
    return [sys.executable, HERE / "walk_python.py", "openapi-python-client", folder]


def orval(folder: Path) -> Walk:
    made = ["--input", SPEC, "--output", folder / "src" / "index.ts"]
    run(npm("orval"), *made, "--client", "fetch", folder=folder)
    return compiled(folder, "orval")


def hey_api(folder: Path) -> Walk:
    run(npm("openapi-ts"), "-i", SPEC, "-o", folder / "src", folder=folder)
    return compiled(folder, "hey-api")


@pytest.mark.parametrize(
    ("walk_of", "unread"),
    [
        (generator_python, []),
        (generator_typescript, []),
        (generator_java, ["reconnectStream"]),  # it reads a stream of events as JSON
        (python_client, []),
        (orval, []),
        (hey_api, []),
    ],
)
def test_a_generated_client_calls_every_operation(
    walk_of: Callable[[Path], Walk], unread: list[str], tmp_path: Path
) -> None:
    """One more call is refused, which the client has to say."""
    walk = walk_of(tmp_path)
    with prepared() as (url, calls):
        file = tmp_path / "calls.json"
        file.write_text(json.dumps(with_refusal(calls)), "utf-8")
        failed = json.loads(run(*walk, url, file))
    assert sorted(failed) == sorted([*unread, REFUSED]), failed
