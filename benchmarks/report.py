"""Results of benchmarks as JSON and as a Markdown table."""

import json
import os
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.sizes import LIMIT_PRODUCTS, Sizes
from siatl_keras.atomic import write_json, write_text

RESULTS = Path(__file__).parent / "results"
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PEERS = ("Keras", "PyTorch", "transformers", "fastai", "ekphrasis")
ORDER = (
    "limit",
    "lstm",
    "finetuning",
    "whole_run",
    "pretraining",
    "text_pipeline",
    "input_share",
    "in_process",
    "large_model",
)
PACKAGES = (
    "tensorflow",
    "keras",
    "torch",
    "transformers",
    "fastai",
    "ekphrasis",
    "ray",
)


def show(name, rows):
    """Writes `results/<name>.json` with the machine's data; prints the table.

    Args:
        name: of the benchmark.
        rows: list of `{"work": str, **contest(…)}`.
    """
    write_json(
        RESULTS / f"{name}.json",
        {"machine": machine(), "sizes": vars(Sizes()), "rows": rows},
    )
    print(table(rows))


def write_table():
    """Writes `results/README.md` from all JSON files there; returns the table."""
    files = [RESULTS / f"{name}.json" for name in ORDER]
    results = [json.loads(f.read_text("utf-8")) for f in files if f.exists()]
    lines = table([row for result in results for row in result["rows"]])
    write_text(
        RESULTS / "README.md",
        "# Results\n\nMade by `python -m benchmarks.all`.\n\n"
        f"{lines}\n\nMachine: {json.dumps(results[0]['machine'])}\n",
    )
    return lines


def table(rows):
    """Renders rows as Markdown: our time and memory, and how many times a peer's."""
    peers = [peer for peer in PEERS if any(peer in row["seconds"] for row in rows)]
    heads = ["work", "ours", *(f"against {peer}" for peer in peers)]
    heads += ["of the limit", "first step", "peak memory"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        for ours in [name for name in row["seconds"] if name.startswith("ours")]:
            ratios = row.get("ratio", {}).get(ours, {})
            kind = ours.removeprefix("ours").strip(", ")
            cells = [row["work"] + (f", {kind}" if kind else "")]
            cells.append(_time(row["seconds"][ours], row.get("units")))
            cells += [f"{ratios[p]:.2f} ×" if p in ratios else "" for p in peers]
            cells.append(_share_of_limit(row, ours))
            cells.append(_first(row.get("first_seconds", {}), ours))
            cells.append(_memory(row.get("memory_mb"), ours))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def machine():
    """Describes the machine and the versions measured."""
    text = Path("/proc/cpuinfo").read_text("utf-8")
    model = re.search(r"model name\s*: (.*)", text)
    return {
        "processor": model[1] if model else "unknown",
        "cores": os.cpu_count(),
        **{name: _version(name) for name in PACKAGES},
    }


def _time(seconds, units):
    if units:
        return f"{units['count'] / seconds:,.0f} {units['name']} per second"
    return f"{1e3 * seconds:,.{0 if seconds > 0.02 else 1}f} ms"


def _share_of_limit(row, ours):
    """Compares with matrix products alone, at the rate that ran in turn."""
    dtype = "bfloat16" if "bfloat16" in ours else "float32"
    times = row.get("ratio", {}).get(ours, {}).get(f"limit, {dtype}")
    if times is None or "sampled" in ours:  # A sample makes fewer products.
        return ""
    return f"{times * row['products'] / LIMIT_PRODUCTS:.0%}"


def _first(seconds, ours):
    return f"{seconds[ours]:.1f} s" if ours in seconds else ""


def _memory(megabytes, ours):
    if megabytes is None:
        return ""
    others = {name: mb for name, mb in megabytes.items() if name in PEERS}
    parts = [f"{megabytes[ours]:,.0f} MB"]
    parts += [f"{name} {mb:,.0f}" for name, mb in others.items()]
    return ", ".join(parts)


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None
