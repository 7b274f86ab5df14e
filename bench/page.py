"""docs/benchmarks.md and its plots, from the results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import plots

VERDICTS = {True: "yes", False: "**no**", None: "–"}
HEAD = """# Benchmarks

`make bench` measures the mock beside what people use today, in one run on one machine, and writes this
page. The numbers that count are ratios, because machines differ: what is compared ran by turns, under the
same load.

```console
make bench
make bench ARGS="--only listing --rounds 3"
```

`make bench ARGS=--list` names the rows. It needs wrk (on Debian `apt-get install wrk`) and, for Prism and
Mockoon, npm, which puts them into `.venv/peers`. A partial run prints its table; with `--write` it also
writes this page.
"""
NOTES = """
## What is compared

- **mock**: everything on, as it starts: authentication, validation of request and answer, log, journal,
  sandbox.
- **mock, other pages**: the same mock, asked for more pages by turns than it keeps, so that each is put
  together anew.
- **bare Flask route**: one route that returns the same bytes, prepared, on the same server with as many
  threads. It checks nothing and knows nothing: our floor.
- **bare WSGI**: a function that returns them without Flask: what the server can do at most.
- **Prism**, **Mockoon**: as they come, serving the same openapi.yaml with the same page as its example.

Each server is warmed up; then rounds alternate between the servers, and the median of the rounds counts. The
whisker in a plot goes from the lowest round to the highest. The load comes from wrk with one thread, on the
machine of the servers. Times and rates suffer when other programs run there; the processor time for a request
hardly does. What is said to run in-process is measured without HTTP, in a process of its own.

[performance.md](performance.md) tells what was changed for these numbers, and what was tried and dropped.
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
        f"{effort['threads']} threads. When it began, the load average was {about['load']}: the higher, the "
        f"less times and rates can tell. The run took {results['seconds'] / 60:.0f} minutes.\n"
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
