"""YAML files that are small and would be huge or deep: refused in one line, in little memory and time."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from mockserver.openapi.yaml_document import Document, DocumentError
from tests.running import ROOT, eventually, mock

MEGABYTE = 1 << 20


def layers(first: str, line: str, repeated: str) -> str:
    """Ten layers, each with ten references to the one before."""
    rest = (line.format(n=n, refs=",".join([repeated.format(n=n - 1)] * 10)) for n in range(1, 11))
    return "\n".join([first, *rest])


def wide(value: str, reference: str) -> str:
    """One wide value, and many references to it."""
    return f"a: &a {value}\n" + "".join(f"b{n}: {reference}\n" for n in range(20_000))


NUMBERS = range(20_000)
BOMBS = {
    "flow lists": "[" * 100_000,
    "flow objects": "{a: " * 100_000,
    "flow keys": "{? " * 100_000,
    "block lists": "- " * 100_000,
    "block keys": "? " * 100_000,
    "indented": "".join(" " * n + f"a{n}:\n" for n in range(1000)),
    "balanced": "[" * 100_000 + "]" * 100_000,
    "anchored": "&a [" * 100_000,
    "alias layers": layers("a0: &a0 [x]", "a{n}: &a{n} [{refs}]", "*a{n}"),
    "alias of alias": layers("a0: &a0 {k: x}", "a{n}: &a{n} [{refs}]", "*a{n}"),
    "wide alias": wide("[" + ",".join(f"k{n}" for n in NUMBERS) + "]", "*a"),
    "long alias": wide('"' + "x" * MEGABYTE + '"', "*a"),
    "wide merge": wide("{" + ",".join(f"k{n}: 1" for n in NUMBERS) + "}", "{<<: *a}"),
    "cyclic alias": "a: &a [*a]",
    "cyclic merge": "a: &a {<<: *a}",
    "wide": "- a\n" * 1_000_000,
    "large": "# " + "x" * (20 * MEGABYTE),
    "long number": "a: " + "1:" * MEGABYTE + "1",
    "pairs": "a: &a [x]\nb: !!pairs [c: *a]",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bomb.yaml"
    file.write_text(text)
    with pytest.raises(DocumentError, match=r"^[^\n]{1,400}$"):
        Document(file)


def test_layers_of_merges_are_no_larger_than_the_keys_they_have(tmp_path: Path) -> None:
    file = tmp_path / "merges.yaml"
    file.write_text(layers("m0: &m0 {k: 1, l: 2}", "m{n}: &m{n} {{<<: [{refs}], l: 3}}", "*m{n}"))
    assert Document(file).content["m10"] == {"k": 1, "l": 3}


@pytest.mark.slow
@pytest.mark.parametrize("flag", ["--scenario", "--spec"])
@pytest.mark.parametrize("name", ["flow lists", "block lists", "alias layers", "wide merge", "wide"])
def test_a_start_with_a_bomb_takes_less_than_300_mb(tmp_path: Path, flag: str, name: str) -> None:
    """2 s on an idle machine; here the limit is far above, and of the processor's time."""
    file = tmp_path / "bomb.yaml"
    file.write_text(BOMBS[name])

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))

    command = [sys.executable, "-m", "mockserver", "check", flag, str(file)]
    measured = (
        "import resource, subprocess, sys; run = subprocess.run(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(run.returncode)"
    )
    run = subprocess.run(
        [sys.executable, "-c", measured, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=limited,
    )
    assert (run.returncode, run.stderr.count("\n")) == (2, 1), run.stderr
    assert int(run.stdout) < 300_000


@pytest.mark.slow
def test_a_watched_file_that_becomes_a_bomb_leaves_the_mock_as_it_was(tmp_path: Path) -> None:
    world, errors = tmp_path / "world.yaml", tmp_path / "stderr"
    world.write_bytes((ROOT / "mockserver/scenarios/demo.yaml").read_bytes())
    with mock("--scenario", str(world), "--watch", "--quiet", errors=errors) as url:
        for number, name in enumerate(["flow lists", "alias layers", "wide merge"], 1):
            world.write_text(BOMBS[name])
            assert eventually(lambda: errors.read_text().count("the old one stays") == number)  # noqa: B023
            assert requests.get(f"{url}/__admin/ready", timeout=60).status_code == 200
        world.unlink()
        world.symlink_to("/dev/zero")
        assert eventually(lambda: errors.read_text().count("the old one stays") == 4)
        assert requests.get(f"{url}/__admin/ready", timeout=60).status_code == 200
