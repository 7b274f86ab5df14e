"""Plots as SVG: bars with whiskers, and lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

Spread = Mapping[str, float]
"""median, low, high"""
WIDTH, LEFT, RIGHT, BAR = 720, 150, 90, 34
COLOURS = {"mock": "#1f6feb", "bare Flask route": "#57606a"}
OTHER = "#afb8c1"


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="13" fill="#1f2328">'
    )
    title = escape(title)
    frame = f'<title>{title}</title><rect width="100%" height="100%" fill="#ffffff"/>'
    return "\n".join(
        [head, frame, f'<text x="12" y="22" font-weight="600">{title}</text>', *parts, "</svg>\n"]
    )


def bars(title: str, spreads: Mapping[str, Spread], unit: str) -> str:
    """One bar for each, as long as the median; the whisker goes from the lowest round to the highest."""
    scale = (WIDTH - LEFT - RIGHT) / max(one["high"] for one in spreads.values())
    parts = []
    for number, (name, one) in enumerate(spreads.items()):
        y = 40 + number * BAR
        median, low, high = (LEFT + one[part] * scale for part in ("median", "low", "high"))
        colour = COLOURS.get(name, OTHER)
        parts += [
            f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{median - LEFT:.1f}" height="20" rx="2" fill="{colour}"/>',
            f'<path d="M{low:.1f} {y + 10}H{high:.1f}" stroke="#1f2328" stroke-width="1.5"/>',
            f'<text x="{high + 8:.1f}" y="{y + 15}">{_short(one["median"])} {escape(unit)}</text>',
        ]
    return _svg(52 + len(spreads) * BAR, title, parts)


def lines(title: str, series: Mapping[str, Mapping[int, float]], unit: str) -> str:
    """A line for each, over numbers that double; both axes begin at the left and at zero."""
    height, bottom, top = 280, 240, 50
    numbers = sorted({number for each in series.values() for number in each})
    most = max(value for each in series.values() for value in each.values())
    low, span = math.log2(numbers[0]), math.log2(numbers[-1]) - math.log2(numbers[0]) or 1

    def place(number: int, value: float) -> tuple[float, float]:
        x = 70 + (math.log2(number) - low) / span * (WIDTH - 240)
        return x, bottom - value / most * (bottom - top)

    parts = [f'<path d="M70 {top}V{bottom}H{WIDTH - 150}" fill="none" stroke="#8c959f"/>']
    parts.append(f'<text x="64" y="{top + 5}" text-anchor="end">{_short(most)}</text>')
    parts.append(f'<text x="64" y="{bottom + 4}" text-anchor="end">0 {escape(unit)}</text>')
    for number in numbers:
        x, _ = place(number, 0)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{number}</text>')
    for name, each in series.items():
        places = [place(number, value) for number, value in sorted(each.items())]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        colour = COLOURS.get(name, OTHER)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        x, y = places[-1]
        parts.append(f'<text x="{x + 10:.1f}" y="{y + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    return _svg(height, title, parts)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
