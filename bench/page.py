"""docs/benchmarks.md and its plots, from the results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import plots

VERDICTS = {True: "yes", False: "**no**", None: "–"}
HEAD = """# Benchmarks

`make bench` measures the mock and similar tools in one run on one machine, and writes this page. Compare the
ratios, because machines differ: the servers of a row ran in turn under the same load.

```console
make bench
make bench ARGS="--only listing --rounds 3"
```

`make bench ARGS=--list` lists the rows. It needs wrk (on Debian `apt-get install wrk`) and, for Prism and
Mockoon, npm, which installs them into `.venv/peers`. A partial run prints its table; with `--write` it also
writes this page.
"""
NOTES = """
## What is compared

- **mock**: with its default settings: authentication, validation of request and answer, log, journal,
  sandbox.
- **mock, other pages**: the same mock with requests for more pages than it caches, so that each page is
  built.
- **bare Flask route**: one route that returns the same prepared bytes, on the same server with as many
  threads, without any checks.
- **bare WSGI**: a function that returns these bytes without Flask: the maximum of the server.
- **Prism**, **Mockoon**: with their default settings, serving the same openapi.yaml with the same page as
  its example.

Each server is warmed up; then rounds alternate between the servers, and the median of the rounds counts.
The whisker in a plot goes from the lowest round to the highest. The load comes from wrk with one thread, on
the same machine. Other programs on the machine affect times and rates, but hardly the processor time for a
request. Rows marked in-process are measured without HTTP, in a process of its own.

[performance.md](performance.md) lists the changes behind these numbers, and the changes that were rejected.
"""


def write(results: Mapping[str, Any], page: Path) -> None:
    """The page, and its plots in a folder of its name beside it."""
    folder = page.with_suffix("")
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.svg"):
        stale.unlink()
    pictures = ""
    for name, (title, picture) in _plots(results).items():
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
        pictures += f"\n![{title}]({folder.name}/{name}.svg)\n"
    page.write_text(
        "\n".join([HEAD, _circumstances(results), table(results), pictures + NOTES]), encoding="utf-8"
    )


def table(results: Mapping[str, Any]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | must reach | measured | met |", "|---|---|---|---|"]
    for row in results["rows"].values():
        cells = (row["what"], row["target"], row["measured"], VERDICTS[row["met"]])
        lines.append("| " + " | ".join(" ".join(cell.replace("|", "/").split()) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _circumstances(results: Mapping[str, Any]) -> str:
    about, effort = results["about"], results["effort"]
    peers = ", ".join(about["peers"].values())
    return (
        f"Measured on {about['date']} at commit {about['commit']}, on {about['cores']} cores of "
        f"{about['cpu']}, with Python {about['python']}, wrk {about['wrk']}, node {about['node']}, {peers}: "
        f"{effort['rounds']} rounds of {effort['seconds']} s, {effort['connections']} connections, "
        f"{effort['threads']} threads. The load average at the start was {about['load']}; a high one "
        f"makes times and rates less reliable. The run took {results['seconds'] / 60:.0f} minutes.\n"
    )


def _plots(results: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """What can be drawn from what was measured: name -> title and picture."""
    rows, found = results["rows"], {}
    listing = rows.get("listing-rate", {}).get("numbers", {}).get("servers")
    if listing:
        for field, unit, title in (
            ("per_second", "", "Requests per second, listSpaceThreads, 50 threads a page"),
            ("p99_ms", "ms", "p99 of the same, in milliseconds: shorter is better"),
            ("cpu_us", "µs", "The server's processor time for a request: shorter is better"),
        ):
            spreads = {name: one[field] for name, one in listing.items()}
            if not any(one["high"] for one in spreads.values()):
                continue
            found[f"listing-{field}"] = title, plots.bars(title, spreads, unit)
    sweep = rows.get("threads", {}).get("numbers", {}).get("servers")
    if sweep:
        for field, unit, title in (
            ("per_second", "", "Requests per second by the number of blocking threads"),
            ("p99_ms", "ms", "p99 by the number of blocking threads"),
        ):
            series: dict[str, dict[int, float]] = {}
            for name, one in sweep.items():
                server, _, number = name.rpartition(" ")
                series.setdefault(server, {})[int(number)] = one[field]["median"]
            found[f"threads-{field}"] = title, plots.lines(title, series, unit)
    return found
