"""From samples to medians, ratios and a table."""

import collections
import csv
import pathlib
import statistics

FLOOR = "floor"
SEALED = "floor-sealed"  # the same with capsule-init: what a launcher that costs nothing would take
PER_COMMAND = ("wall_us", "user_us", "system_us", "minor_faults")
Samples = dict[str, dict[str, list[dict]]]  # operation -> runtime -> rows


def read_samples(path: pathlib.Path) -> Samples:
    samples: Samples = collections.defaultdict(lambda: collections.defaultdict(list))
    with path.open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            rows = samples[row.pop("operation")][row.pop("runtime")]
            rows.append({key: float(value) for key, value in row.items()})
    return samples


def per_container(samples: Samples, counts: dict[str, int]) -> Samples:
    """Samples of a command that ran several containers, as if it had run one."""
    for operation, runtimes in samples.items():
        for row in (row for rows in runtimes.values() for row in rows):
            row.update({key: row[key] / counts[operation] for key in PER_COMMAND})
    return samples


def percentile(values: list[float], fraction: float) -> float:
    ordered = sorted(values)
    position = fraction * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def paired_ratio(rows: list[dict], reference: list[dict]) -> float | None:
    """The median over rounds of the ratio within the round: both were measured within moments of each other,
    so what slows the machine for a while slows both and cancels out."""
    by_round = {row["round"]: row["wall_us"] for row in reference}
    ratios = [row["wall_us"] / by_round[row["round"]] for row in rows if row["round"] in by_round]
    return round(statistics.median(ratios), 4) if ratios else None


def summarise_runtime(rows: list[dict], peers: dict[str, list[dict]], references: list[str]) -> dict:
    walls = [row["wall_us"] for row in rows]
    return {
        "samples": len(rows),
        "median_us": round(statistics.median(walls), 1),
        "p10_us": round(percentile(walls, 0.1), 1),
        "p90_us": round(percentile(walls, 0.9), 1),
        # Together: the kernel splits the exact sum by counting timer ticks, too coarse for short processes.
        "cpu_us": round(statistics.median(row["user_us"] + row["system_us"] for row in rows), 1),
        "minor_faults": statistics.median(row["minor_faults"] for row in rows),
        "ratio": {name: paired_ratio(rows, peers[name]) for name in references if name in peers},
    }


def summarise(samples: Samples, names: list[str], references: list[str]) -> dict:
    summary: dict = {}
    for operation, runtimes in samples.items():
        good = {name: [row for row in runtimes[name] if row["exit_status"] == 0] for name in names if name in runtimes}
        summary[operation] = {}
        for name, rows in good.items():
            entry = summarise_runtime(rows, good, references) if rows else {"samples": 0}
            summary[operation][name] = {**entry, "failed": len(runtimes[name]) - len(rows)}
    return summary


def format_ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if value < 10 else f"{value:.1f}"


def format_row(shown: str, runtime: str, entry: dict, references: list[str]) -> str:
    if entry["samples"] == 0:
        return f"{shown:<16} {runtime:<12} every round failed"
    numbers = "".join(f" {entry[key]:>8.0f}" for key in ("median_us", "p10_us", "p90_us", "cpu_us"))
    ratios = "".join(f" {format_ratio(entry['ratio'].get(name)):>{ratio_width(name)}}" for name in references)
    failures = f"   {entry['failed']} failed" if entry["failed"] else ""
    return f"{shown:<16} {runtime:<12}{numbers} {entry['minor_faults']:>7.0f}{ratios}{failures}"


def ratio_width(reference: str) -> int:
    return max(8, len(reference) + 2)


def format_table(summary: dict, references: list[str]) -> str:
    heading = (f"{'operation':<16} {'runtime':<12} {'median':>8} {'p10':>8} {'p90':>8} {'cpu':>8} {'faults':>7}"
               + "".join(f" {'/ ' + name:>{ratio_width(name)}}" for name in references))
    lines = [heading + "   (us)", "-" * len(heading)]
    for operation, runtimes in summary.items():
        shown = operation
        for runtime, entry in runtimes.items():
            lines.append(format_row(shown, runtime, entry, references))
            shown = ""
        lines.append("")
    return "\n".join(lines)


def format_memory(title: str, kib: dict[str, int], reference: str) -> str:
    lines = [f"{title}:"]
    for runtime, value in kib.items():
        ratio = format_ratio(value / kib[reference]) if kib.get(reference) else "-"
        lines.append(f"  {runtime:<12} {value:>8} KiB   / {reference} {ratio}")
    return "\n".join(lines)
