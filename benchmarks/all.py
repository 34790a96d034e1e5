"""All benchmarks, one after the other: `python -m benchmarks.all` (three hours).

Writes `benchmarks/results/`: a JSON file each, the table and the scaling plot. PyTorch,
fastai and ekphrasis come with `pip install -e ".[bench]"`.
"""

from benchmarks import (
    finetuning,
    input_share,
    large_model,
    limit,
    lstm,
    pretraining,
    report,
    scaling,
    text_pipeline,
    whole_run,
)
from benchmarks.serving import in_process

MODULES = (
    limit,
    lstm,
    finetuning,
    whole_run,
    pretraining,
    text_pipeline,
    input_share,
    in_process,
    large_model,
)


def main():
    """Measures everything and writes the table."""
    for module in MODULES:
        report.show(module.__name__.rpartition(".")[2], module.measure())
    scaling.main()
    print(report.write_table())


if __name__ == "__main__":
    main()
