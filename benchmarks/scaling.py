"""Cost of a training token against the sizes: `python -m benchmarks.scaling`.

Draws `docs/pictures/scaling.png`: ours and PyTorch, and the time that the products
alone would take at the machine's own rate.
"""

import json

from matplotlib.ticker import LogLocator

from benchmarks import limit, report
from benchmarks.contest import Contestant, contest
from benchmarks.sizes import Sizes
from siatl_keras.evaluation.figure import new_figure, save_figure

VALUES = {
    "vocabulary": (5_000, 20_000, 70_004, 250_000),
    "time": (10, 20, 40, 80, 160),
    "batch": (8, 16, 32, 64),
    "hidden": (250, 500, 1000, 2000),
}
NAMES = {
    "vocabulary": "words in the vocabulary",
    "time": "tokens per text",
    "batch": "texts a batch",
    "hidden": "units of each LSTM",
}


def measure():
    """Trains a language model at the paper's size, one of its sizes changed."""
    rows = []
    for name, values in VALUES.items():
        for value in values:
            arguments = {name: value}
            targets = {
                "ours": "benchmarks.ours:pretraining_step",
                "PyTorch": "benchmarks.peers.pytorch:pretraining_step",
            }
            result = contest(
                {k: Contestant(target, arguments) for k, target in targets.items()},
                rounds=2,
            )
            row = {"work": f"{name} {value}", "changed": name, "value": value, **result}
            print(json.dumps(row))
            rows.append(row)
    return rows


def plot(rows, flops_per_second, path):
    """Draws cost per token over each size, logarithmic both ways."""
    figure, all_axes = new_figure(2, 2, (9.0, 6.5))
    for axes, name in zip(all_axes.flat, VALUES, strict=True):
        mine = [row for row in rows if row["changed"] == name]
        values = [row["value"] for row in mine]
        sizes = [Sizes(**{name: value}) for value in values]
        tokens = [s.batch * s.time for s in sizes]
        for side, style in (("ours", "C0.-"), ("PyTorch", "C1.-")):
            cost = [
                1e6 * row["seconds"][side] / n
                for row, n in zip(mine, tokens, strict=True)
            ]
            axes.plot(values, cost, style, label=side)
        bound = [
            1e6 * s.products(3, 3) / n / flops_per_second
            for s, n in zip(sizes, tokens, strict=True)
        ]
        axes.plot(values, bound, "k:", label="matrix products alone")
        axes.set(xscale="log", yscale="log", xlabel=NAMES[name])
        axes.set_xticks(values, [f"{value:,}" for value in values])
        axes.minorticks_off()
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylabel("µs a token")
        axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)


def main():
    """Measures, writes and draws."""
    rate = limit.measure()[0]
    flops = 1e9 * rate["units"]["count"] / rate["seconds"]["ours, float32"]
    rows = measure()
    report.show("scaling", rows)
    plot(rows, flops, report.PICTURES / "scaling.png")


if __name__ == "__main__":
    main()
