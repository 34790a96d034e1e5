"""What a cluster would take, computed and simulated: `python -m benchmarks.scale`.

Prints the tables of `docs/scale.md` and writes `results/scale.json`. Needs no cluster,
and says nothing that was measured on one.
"""

import argparse
from dataclasses import asdict, fields, replace

from benchmarks.report import RESULTS
from benchmarks.scale import given, tables
from siatl_keras.atomic import write_json

SEEDS = 200
POOL_SEEDS = 3
FLAGS = {
    given.Cluster: ("hosts", "ethernet", "cores", "start_seconds", "gpu_price"),
    given.Machines: ("machines", "cores", "lost_hours", "core_price"),
}


def all_tables(cluster, machines, measured, texts, seeds=SEEDS):
    """Makes the tables, in the page's order."""
    return [
        tables.input_table(cluster, measured),
        tables.collective_table(cluster),
        tables.efficiency_table(cluster),
        tables.straggler_table(cluster),
        tables.failure_table(cluster, seeds),
        tables.total_table(cluster, measured, seeds),
        tables.vocabulary_table(measured),
        tables.break_table(cluster, measured),
        tables.format_table(machines, measured, texts),
        tables.shard_table(machines, measured, texts, POOL_SEEDS),
    ]


def positive(kind):
    """Makes the reader of a flag's value, a number above 0 of this kind."""

    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < float("inf"):
            number = "whole number" if kind is int else "number"
            raise argparse.ArgumentTypeError(
                f"expected a {number} above 0, received {text!r}"
            )
        return value

    return read


def main(arguments=None):
    """Prints the tables, and writes them with what they were made from.

    Args:
        arguments: list of flags; those of the command line if `None`.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    for kind, prefix in ((given.Cluster, ""), (given.Machines, "cpu_")):
        for field in fields(kind):
            if field.name in FLAGS[kind]:
                parser.add_argument(
                    f"--{prefix}{field.name}",
                    type=positive(type(field.default)),
                    default=field.default,
                    help=f"{kind.__name__}.{field.name}, {field.default} by default.",
                )
    parser.add_argument(
        "--texts", type=positive(int), default=10**9, help="Short texts to classify."
    )
    parser.add_argument(
        "--output", default=str(RESULTS / "scale.json"), help="File to write."
    )
    asked = vars(parser.parse_args(arguments))
    cluster, machines = (
        replace(kind(), **{name: asked[prefix + name] for name in FLAGS[kind]})
        for kind, prefix in ((given.Cluster, ""), (given.Machines, "cpu_"))
    )
    measured = given.measured()
    made = all_tables(cluster, machines, measured, asked["texts"])
    write_json(
        asked["output"],
        {
            "measured": asdict(measured),
            "cluster": asdict(cluster),
            "machines": asdict(machines),
            "workloads": [asdict(workload) for workload in given.WORKLOADS],
            "reliabilities": [asdict(each) for each in given.RELIABILITIES],
            "tables": {table.name: table.rows for table in made},
        },
    )
    for table in made:
        print(f"## {table.name}\n\n{table.markdown()}\n")


if __name__ == "__main__":
    main()
