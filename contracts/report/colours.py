"""Colours of the verdicts on a terminal."""

COLOURS = {
    "passed": "green",
    "broken": "bold red",
    "assumption does not hold here": "yellow",
    "known": "blue",
    "order-dependent": "yellow",
    "flaky": "yellow",
    "unconfirmed": "yellow",
    "untested": "cyan",
    "no answer": "magenta",
}
