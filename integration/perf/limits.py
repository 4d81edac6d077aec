"""Is it fast and small enough? Two files of one shape are compared with what was measured.

    budget.json    what must hold: the run fails if it does not
    targets.json   what is aimed at

    {"subject": "capsule", "reference": "crun",
     "max_ratio": {operation: {reference: largest ratio to that runtime's time}},
     "max_kib": {"created_anonymous": 64}}

Ratios, never times: those belong to the machine. "peak_rss" and "created_anonymous" may stand in either part.
What was not measured, or has no such reference in this run, is left out.
"""

import json
import pathlib


def read(path: pathlib.Path) -> dict:
    return json.loads(path.read_text())


def check(limits: dict, summary: dict, memory: dict[str, dict[str, int]]) -> list[dict]:
    """`memory` is KiB by what was measured and runtime."""
    subject = limits["subject"]
    verdicts = []
    for operation, by_reference in limits["max_ratio"].items():
        for reference, limit in by_reference.items():
            ratio = find_ratio(operation, subject, reference, summary, memory)
            verdicts.append(verdict(operation, reference, "ratio", ratio, limit))
    for operation, limit in limits.get("max_kib", {}).items():
        verdicts.append(verdict(operation, None, "kib", memory.get(operation, {}).get(subject), limit))
    return [each for each in verdicts if each is not None]


def find_ratio(operation: str, subject: str, reference: str, summary: dict,
               memory: dict[str, dict[str, int]]) -> float | None:
    if operation in memory:
        kib = memory[operation]
        return round(kib[subject] / kib[reference], 4) if subject in kib and kib.get(reference) else None
    return summary.get(operation, {}).get(subject, {}).get("ratio", {}).get(reference)


def verdict(operation: str, reference: str | None, unit: str, measured: float | None,
            limit: float) -> dict | None:
    if measured is None:
        return None
    return {"operation": operation, "reference": reference, unit: measured, "limit": limit,
            "met": measured <= limit}


def format_verdict(each: dict) -> str:
    if each["reference"] is None:
        return f"{each['kib']} / {each['limit']} KiB {'met' if each['met'] else 'MISSED'}"
    return f"{each['ratio']:.3f} / {each['limit']:.2f} {'met' if each['met'] else 'MISSED'}"


def format_verdicts(title: str, subject: str, verdicts: list[dict]) -> str:
    """A line per operation, a column per reference: what was measured / what is allowed."""
    columns = list(dict.fromkeys(each["reference"] for each in verdicts))
    heading = "".join(f" {'to ' + column if column else 'memory':<21}" for column in columns)
    lines = [f"{title}, ratio of {subject}:", f"  {'':<16}{heading}".rstrip()]
    for operation in dict.fromkeys(each["operation"] for each in verdicts):
        texts = {each["reference"]: format_verdict(each) for each in verdicts if each["operation"] == operation}
        row = "".join(f" {texts.get(column, ''):<21}" for column in columns)
        lines.append(f"  {operation:<16}{row}".rstrip())
    met = sum(each["met"] for each in verdicts)
    return "\n".join([*lines, f"  {met} of {len(verdicts)} met"])
