"""From samples to medians, ratios, a table and a verdict."""

import collections
import csv
import pathlib
import statistics

FLOOR = "floor"
Samples = dict[str, dict[str, list[dict]]]  # operation -> runtime -> rows


def read_samples(path: pathlib.Path) -> Samples:
    samples: Samples = collections.defaultdict(lambda: collections.defaultdict(list))
    with path.open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            rows = samples[row.pop("operation")][row.pop("runtime")]
            rows.append({key: float(value) for key, value in row.items()})
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
        good = {name: [row for row in runtimes[name] if row["exit_status"] == 0] for name in names}
        summary[operation] = {}
        for name, rows in good.items():
            entry = summarise_runtime(rows, good, references) if rows else {"samples": 0}
            summary[operation][name] = {**entry, "failed": len(runtimes[name]) - len(rows)}
    return summary


def format_ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if value < 10 else f"{value:.1f}"


def format_table(summary: dict, operations: list[str], references: list[str]) -> str:
    heading = (f"{'operation':<13} {'runtime':<10} {'median':>8} {'p10':>8} {'p90':>8} {'cpu':>8}"
               f" {'faults':>7}" + "".join(f" {'/ ' + name:>8}" for name in references))
    lines = [heading + "   (us)", "-" * len(heading)]
    for operation in operations:
        shown = operation
        for runtime, entry in summary[operation].items():
            if entry["samples"] == 0:
                lines.append(f"{shown:<13} {runtime:<10} every round failed")
            else:
                lines.append(f"{shown:<13} {runtime:<10} {entry['median_us']:>8.0f} {entry['p10_us']:>8.0f}"
                             f" {entry['p90_us']:>8.0f} {entry['cpu_us']:>8.0f} {entry['minor_faults']:>7.0f}"
                             + "".join(f" {format_ratio(entry['ratio'].get(name)):>8}" for name in references)
                             + (f"   {entry['failed']} failed" if entry["failed"] else ""))
            shown = ""
        lines.append("")
    return "\n".join(lines)


def format_peak_rss(peak_rss: dict[str, int], reference: str) -> str:
    lines = ["Peak resident memory of the `run` process (VmHWM at exit):"]
    for runtime, kib in peak_rss.items():
        ratio = format_ratio(kib / peak_rss[reference]) if reference in peak_rss else "-"
        lines.append(f"  {runtime:<10} {kib:>8} KiB   / {reference} {ratio}")
    return "\n".join(lines)


def check_budget(budget: dict, summary: dict, peak_rss: dict[str, int]) -> list[dict]:
    """Compares ratios, never times: those belong to the machine. Leaves out what was not measured."""
    subject, reference = budget["subject"], budget["reference"]
    verdicts = []
    for operation, limit in budget["max_ratio"].items():
        if operation == "peak_rss":
            both = {subject, reference} <= peak_rss.keys()
            measured = peak_rss[subject] / peak_rss[reference] if both else None
        else:
            measured = summary.get(operation, {}).get(subject, {}).get("ratio", {}).get(reference)
        if measured is not None:
            verdicts.append({"operation": operation, "ratio": round(measured, 4), "limit": limit,
                             "met": measured <= limit})
    return verdicts


def format_budget(budget: dict, verdicts: list[dict]) -> str:
    lines = [f"Budget, {budget['subject']} / {budget['reference']}:"]
    for verdict in verdicts:
        lines.append(f"  {verdict['operation']:<13} {verdict['ratio']:.3f} of at most {verdict['limit']:.3f}"
                     f"   {'met' if verdict['met'] else 'EXCEEDED'}")
    return "\n".join(lines if verdicts else [lines[0] + " not measured"])
