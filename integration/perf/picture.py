#!/usr/bin/python3
"""Draws results.json as a bar chart: the time of each operation as a ratio to crun's. `make picture` calls this.

A bar per operation and runtime; crun's is the line at 1. Bars that would leave the picture end in an arrow, and
every bar has its number beside it. White ground, so that it can be read on a dark page as well.
"""

import argparse
import json
import pathlib
from typing import Iterable
from xml.sax.saxutils import escape

REFERENCE = "crun"
LARGEST = 1.5  # the ratio at the right edge
# In the order of the bars.
COLOURS = {"floor": "#9aa5b1", "capsule": "#1f77b4", "crun-static": "#e39d3b", "runc": "#c0504d"}
OTHER_COLOUR = "#6b5b95"

LEFT, RIGHT, TOP, BOTTOM = 160, 60, 84, 52  # margins around the bars
PLOT = 560
BAR, BETWEEN_BARS, BETWEEN_OPERATIONS = 9, 2, 11
INK, FAINT = "#1b1f24", "#d9dee3"

# Drawn after the operations, from a part of the results of their own.
MEMORY = {"peak_rss_kib": "peak RSS of run", "created_anonymous_kib": "anonymous memory"}


def read_ratios(results: dict) -> dict[str, dict[str, float]]:
    """Rows by title: the ratio to the reference of each other runtime."""
    rows = {operation: {name: entry["ratio"].get(REFERENCE) for name, entry in runtimes.items() if entry["samples"]}
            for operation, runtimes in results["operations"].items()}
    for key, title in MEMORY.items():
        kib = results[key]
        rows[title] = {name: value / kib[REFERENCE] for name, value in kib.items()}
    drawn = {title: {name: ratios[name] for name in sort_runtimes(ratios) if is_drawn(title, name, ratios[name])}
             for title, ratios in rows.items()}
    return {title: ratios for title, ratios in drawn.items() if ratios}


def is_drawn(title: str, runtime: str, ratio: float | None) -> bool:
    # The floor has no filter, so beside those that load one it would show less work, not faster work.
    is_explained_elsewhere = title == "version" or runtime == "floor-sealed"
    return (ratio is not None and runtime != REFERENCE and not is_explained_elsewhere
            and not (runtime == "floor" and "seccomp" in title))


def sort_runtimes(names: Iterable[str]) -> list[str]:
    known = list(COLOURS)
    return sorted(names, key=lambda name: known.index(name) if name in known else len(known))


def colour(runtime: str) -> str:
    return COLOURS.get(runtime, OTHER_COLOUR)


def text(x: float, y: float, content: str, size: int = 12, anchor: str = "start", weight: str = "normal",
         fill: str = INK) -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}"'
            f' fill="{fill}">{escape(content)}</text>')


def rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def line(x: float, top: float, bottom: float, stroke: str, width: float) -> str:
    return (f'<line x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="{stroke}"'
            f' stroke-width="{width}"/>')


def place(ratio: float) -> float:
    return LEFT + PLOT * min(ratio, LARGEST) / LARGEST


def draw_bar(y: float, runtime: str, ratio: float) -> list[str]:
    end = place(ratio)
    parts = [rectangle(LEFT, y, end - LEFT, BAR, colour(runtime))]
    if ratio > LARGEST:
        tip, middle = end + 7, y + BAR / 2
        parts.append(f'<path d="M{end:.1f} {y:.1f} L{tip:.1f} {middle:.1f} L{end:.1f} {y + BAR:.1f} Z"'
                     f' fill="{colour(runtime)}"/>')
        end = tip
    number = f"{ratio:.1f}" if ratio >= 9.95 else f"{ratio:.2f}"
    weight = "bold" if runtime == "capsule" else "normal"
    return [*parts, text(end + 4, y + BAR - 1, number, 10, weight=weight)]


def operation_height(ratios: dict[str, float]) -> int:
    return len(ratios) * (BAR + BETWEEN_BARS) - BETWEEN_BARS


def draw_rows(rows: dict[str, dict[str, float]]) -> tuple[list[str], float]:
    """The bars, and where they end."""
    parts, y = [], float(TOP)
    for title, ratios in rows.items():
        middle = y + operation_height(ratios) / 2
        parts.append(text(LEFT - 10, middle + 4, title, 12, "end"))
        for runtime, ratio in ratios.items():
            parts += draw_bar(y, runtime, ratio)
            y += BAR + BETWEEN_BARS
        y += BETWEEN_OPERATIONS - BETWEEN_BARS
    return parts, y - BETWEEN_OPERATIONS


def draw_axis(bottom: float) -> list[str]:
    parts = []
    for quarter in range(int(LARGEST * 4) + 1):
        ratio = quarter / 4
        parts.append(line(place(ratio), TOP - 8, bottom + 8, FAINT, 1))
        parts.append(text(place(ratio), bottom + 24, f"{ratio:g}", 11, "middle"))
    return parts


def draw_reference(bottom: float) -> list[str]:
    return [line(place(1), TOP - 8, bottom + 8, INK, 1.5), text(place(1), TOP - 14, "crun = 1", 11, "middle", "bold")]


def draw_legend(runtimes: list[str]) -> list[str]:
    parts, x = [], float(LEFT)
    for runtime in runtimes:
        parts += [rectangle(x, 43, 11, 11, colour(runtime)), text(x + 16, 53, runtime)]
        x += 16 + 8 * len(runtime) + 22
    return parts


def describe(results: dict) -> str:
    version = results["runtimes"][REFERENCE]["version"]
    machine = results["machine"]
    return (f"{version}; Linux {machine['kernel'].split('-')[0]}, {machine['cores']} cores; "
            f"median of {results['settings']['rounds']} rounds")


def draw(results: dict) -> str:
    rows = read_ratios(results)
    runtimes = sort_runtimes({name for ratios in rows.values() for name in ratios})
    bars, bottom = draw_rows(rows)
    width, height = LEFT + PLOT + RIGHT, bottom + BOTTOM
    title = "Time and memory as a ratio to crun: shorter is better"
    parts = [rectangle(0, 0, width, height, "#ffffff"), text(LEFT, 26, title, 15, weight="bold"),
             *draw_legend(runtimes), *draw_axis(bottom), *bars, *draw_reference(bottom),
             text(LEFT, bottom + 43, describe(results), 10)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}"'
            f' height="{height:.0f}" font-family="system-ui, sans-serif" role="img" aria-label="{escape(title)}">\n'
            + "\n".join(parts) + "\n</svg>\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    results = json.loads(arguments.results.read_text())
    if REFERENCE not in results["runtimes"]:
        raise SystemExit(f"picture: {REFERENCE} did not take part in {arguments.results}")
    arguments.output.write_text(draw(results))


if __name__ == "__main__":
    main()
