"""All benchmarks, one after the other: `python -m benchmarks.all` (about an hour).

Writes `benchmarks/results/`: a JSON file each, the table and the scaling plot. PyTorch,
fastai and ekphrasis come with `pip install -e ".[bench]"`.
"""

from benchmarks import (
    finetuning,
    limit,
    lstm,
    pretraining,
    report,
    scaling,
    serving,
    text_pipeline,
)


def main():
    """Measures everything and writes the table."""
    for module in (limit, lstm, finetuning, pretraining, text_pipeline, serving):
        report.show(module.__name__.rpartition(".")[2], module.measure())
    scaling.main()
    print(report.write_table())


if __name__ == "__main__":
    main()
