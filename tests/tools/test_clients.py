"""Clients generated from openapi.yaml call every operation of a running mock, and read the answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import ROOT
from tests.tools.calls import REFUSED, prepared, served, with_refusal
from tests.tools.installed import needed, npm, pypi, run

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
CODE = "--global-property=" + ",".join(
    ["apis", "models", "supportingFiles"]
    + [f"{what}=false" for what in ("apiTests", "modelTests", "apiDocs", "modelDocs")]
)
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


def openapi_generator(generator: str, spec: Path, folder: Path, *flags: str) -> None:
    """Generate a client; openapi-generator checks the document first."""
    needed("java")
    run(pypi("openapi-generator-cli"), "generate", "-g", generator, "-i", spec, "-o", folder, CODE, *flags)


def compiled(folder: Path, generator: str) -> Walk:
    """Walk with a client in TypeScript, which must pass the strict type check."""
    (folder / "tsconfig.json").write_text(json.dumps(TSCONFIG), "utf-8")
    run(npm("tsc"), "-p", folder)
    return ["node", HERE / "node" / "walk.mjs", generator, folder / "out"]


def generator_python(spec: Path, folder: Path) -> Walk:
    openapi_generator("python", spec, folder, "--additional-properties=packageName=freddy")
    return [sys.executable, HERE / "walk_python.py", "openapi-generator", folder]


def generator_typescript(spec: Path, folder: Path) -> Walk:
    openapi_generator("typescript-fetch", spec, folder / "src")
    return compiled(folder, "openapi-generator")


def generator_java(spec: Path, folder: Path) -> Walk:
    needed("javac")
    openapi_generator("java", spec, folder, *JAVA)
    sources: list[Path] = [*folder.glob("src/main/**/*.java"), *HERE.glob("java/*.java")]
    jar = next(pypi("python").parent.parent.glob("lib/**/openapi-generator.jar"))
    options = ["-parameters", "-nowarn", "-proc:none"]
    run("javac", *options, "-cp", jar, "-d", folder / "out", *sources)
    return ["java", "-cp", f"{jar}:{folder / 'out'}", "Walk"]


def python_client(spec: Path, folder: Path) -> Walk:
    program = Path(sys.executable).with_name("openapi-python-client")
    run(program, "generate", "--meta", "none", "--path", spec, "--output-path", folder / "freddy")
    return [sys.executable, HERE / "walk_python.py", "openapi-python-client", folder]


def orval(spec: Path, folder: Path) -> Walk:
    file = folder / "src" / "index.ts"
    run(npm("orval"), "--input", spec, "--output", file, "--client", "fetch", folder=folder)
    return compiled(folder, "orval")


def hey_api(spec: Path, folder: Path) -> Walk:
    run(npm("openapi-ts"), "-i", spec, "-o", folder / "src", folder=folder)
    return compiled(folder, "hey-api")


@pytest.mark.parametrize(
    ("walk_of", "revision", "flags"),
    [
        (generator_python, "2026-02", ()),
        (generator_python, "2026-05", ()),
        (generator_typescript, "2026-02", ()),
        (generator_java, "2026-02", ("--overlay", f"{ROOT}/examples/java/overlay.yaml")),
        (python_client, "2026-02", ()),
        (orval, "2026-02", ()),
        (orval, "2026-05", ()),
        (hey_api, "2026-02", ()),
    ],
)
def test_a_generated_client_calls_every_operation(
    walk_of: Callable[[Path, Path], Walk], revision: str, flags: tuple[str, ...], tmp_path: Path
) -> None:
    """One more call is refused, which the client has to say."""
    file, folder = tmp_path / "calls.json", tmp_path / "client"
    folder.mkdir()
    with served(revision, tmp_path, *flags) as (url, spec):
        walk = walk_of(spec, folder)
        with prepared(url) as calls:  # its stream lasts for a minute
            file.write_text(json.dumps(with_refusal(calls)), "utf-8")
            failed = json.loads(run(*walk, url, file))
    assert list(failed) == [REFUSED], failed
