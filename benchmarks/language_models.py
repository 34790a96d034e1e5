"""Perplexity of language models by size and by tokens seen.

python -m benchmarks.language_models

Draws `docs/pictures/language_models.png` and prints the table from the `metrics.json`
that recipes.pretrain_lm writes into a preset, kept in `results/language_models/`. Each
was trained on tweets, with one vocabulary, by the flag file of its name in
`recipes/flags/language_models/`. With the argument NAME=PRESET a copy of that preset's
metrics is kept there first.
"""

import json
import sys
from pathlib import Path

from benchmarks.report import PICTURES, RESULTS
from siatl_keras.atomic import write_text
from siatl_keras.evaluation.figure import new_figure, save_figure

KEPT = RESULTS / "language_models"


def curve(metrics):
    """Returns tokens seen and perplexity on 2 000 validation texts, by epoch."""
    perplexity = metrics["history"]["val_perplexity"]
    epochs = range(1, len(perplexity) + 1)
    per_epoch = metrics["steps"] * metrics["tokens_per_step"] / len(perplexity)
    return [per_epoch * epoch for epoch in epochs], perplexity


def table(models):
    """Renders the models as Markdown."""
    lines = [
        "| language model | weights | tokens seen | validation perplexity |",
        "|---|---|---|---|",
    ]
    for name, metrics in models.items():
        tokens = metrics["steps"] * metrics["tokens_per_step"]
        lines.append(
            f"| {name} | {metrics['parameters'] / 1e6:.1f} million "
            f"| {tokens / 1e6:.1f} million | {metrics['validation_perplexity']:.1f} |"
        )
    return "\n".join(lines)


def plot(models, path):
    """Draws perplexity over tokens seen, both logarithmic."""
    figure, axes = new_figure(1, 1, (7.0, 4.2))
    for metrics in models.values():
        tokens, perplexity = curve(metrics)
        label = f"{metrics['parameters'] / 1e6:.1f} million weights"
        axes.plot([n / 1e6 for n in tokens], perplexity, marker=".", label=label)
    axes.set(xscale="log", yscale="log")
    axes.set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
    axes.set_yticks([90, 100, 120, 150, 200, 300, 400])
    axes.yaxis.set_major_formatter("{x:.0f}")
    axes.minorticks_off()
    axes.set_xlabel("million tokens seen")
    axes.set_ylabel("validation perplexity")
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)


def main():
    """Keeps the metrics of presets named, then tabulates and draws all."""
    for argument in sys.argv[1:]:
        name, preset = argument.split("=", 1)
        metrics = (Path(preset) / "metrics.json").read_text("utf-8")
        write_text(KEPT / f"{name}.json", metrics)
    found = {p.stem: json.loads(p.read_text("utf-8")) for p in KEPT.glob("*.json")}
    models = dict(sorted(found.items(), key=lambda model: model[1]["parameters"]))
    print(table(models))
    plot(models, PICTURES / "language_models.png")


if __name__ == "__main__":
    main()
