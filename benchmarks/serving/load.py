"""Load on a server: `python -m benchmarks.serving.load NAME=FOLDER,PRESET,TEXTS …`.

Each export is served by Ray Serve and asked over REST: by clients who wait for their
answers, by texts in batches, by requests that come at any time, and while a new
version of the model comes. Each answer is compared with the model's own.
`NAME=transformers,TEXTS` is the peer. What `--results` has is not measured again.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import yaml
from absl import app, flags

from benchmarks import report
from benchmarks.serving.cells import all_cells, is_finished, measure
from benchmarks.serving.connection import Address
from benchmarks.serving.server import Server
from siatl_keras.atomic import write_json
from siatl_keras.importers.fetch_model import download_gguf
from siatl_keras.presets.named_models import MODELS

PEER = "transformers"
# Not 8501 and 8500, where a server may run that people use.
ADDRESS = Address("127.0.0.1", 8601, "classifier")
GRPC_PORT = 8600
SETTINGS = Path(__file__).parents[2] / "serving" / "ray.yaml"
RAY_SERVE = [sys.executable, "-m", "ray.serve.scripts", "run"]
RAY_VARIABLES = {
    "RAY_ADDRESS": "local",  # A cluster of its own.
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_LOG_TO_STDERR": "1",
    "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": "8602",
    "RAY_worker_niceness": "0",
}
PEER_SERVER = [sys.executable, "-m", "benchmarks.serving.transformers_peer"]
RATES = ("requests_per_second", "texts_per_second")
TIMES = ("p50_ms", "p99_ms", "p99.9_ms")
FLAGS = flags.FLAGS
flags.DEFINE_float("seconds", 300, "How long a cell takes.", 1)
flags.DEFINE_integer(
    "requests", 100_000, "Of the cell that watches the memory grow.", 10
)
flags.DEFINE_bool("overwrite", False, "Measure again what --results has.")
flags.DEFINE_string("results", str(report.RESULTS / "serving.json"), "File to write.")


class Target(NamedTuple):
    """What is served.

    Attributes:
        name: in the results.
        texts: file of labelled texts of its task.
        folder: of the export's versions; `None` for the peer.
        preset: of the classifier that was exported; `None` for the peer.
    """

    name: str
    texts: str
    folder: str | None = None
    preset: str | None = None


def target_of(argument):
    """Reads an argument of the command line."""
    name, _, rest = argument.partition("=")
    match rest.split(","):
        case [kind, texts] if kind == PEER:
            return Target(name, texts)
        case [folder, preset, texts]:
            return Target(name, texts, folder, preset)
    raise app.UsageError(
        f"{argument!r} must be NAME=FOLDER,PRESET,TEXTS or NAME={PEER},TEXTS."
    )


def measure_target(target, results):
    """Measures the cells that results do not have yet; writes each when it is done."""
    found = results["models"].setdefault(target.name, {"cells": {}})
    todo = [
        cell
        for cell in all_cells(FLAGS.seconds, FLAGS.requests, bool(target.folder))
        if FLAGS.overwrite or not is_finished(cell, found["cells"])
    ]
    if not todo:
        return
    with tempfile.TemporaryDirectory() as work:
        versions, asked = Path(work) / ADDRESS.model, Path(work) / "asked.json"
        if target.folder:
            numbers = (p.name for p in Path(target.folder).iterdir())
            newest = max((n for n in numbers if n.isdigit()), key=int)
            shutil.copytree(Path(target.folder) / newest, versions / "1")
        command = [sys.executable, "-m", "benchmarks.serving.asked", asked]
        command += [target.texts]
        command += [versions / "1", target.preset] if target.folder else []
        subprocess.run([*map(str, command)], check=True)
        found["judge"] = json.loads(asked.read_text("utf-8"))["judge"]
        with _server(target, versions, Path(work) / "server.log") as server:
            for cell in todo:
                print(f"{target.name}: {cell.name}", flush=True)
                figures = measure(cell, server, asked, found["cells"], versions)
                found["cells"][cell.name] = figures
                write_json(Path(FLAGS.results), results)


def _server(target, versions, log):
    """Makes what serves a target: by the settings that are shipped, or the peer."""
    if not target.folder:
        download_gguf(MODELS["smollm2_135m"].source, log.with_name("model.gguf"))
        command = [*PEER_SERVER, str(ADDRESS.port), str(log.parent)]
        return Server(command, ADDRESS, log, RAY_VARIABLES)
    settings = yaml.safe_load(SETTINGS.read_text("utf-8"))
    settings["http_options"] = {"host": ADDRESS.host, "port": ADDRESS.port}
    settings["grpc_options"]["port"] = GRPC_PORT
    arguments = settings["applications"][0]["args"]
    arguments |= {"folder": str(versions), "name": ADDRESS.model}
    file = log.with_name("ray.yaml")
    file.write_text(yaml.safe_dump(settings), "utf-8")
    return Server([*RAY_SERVE, str(file)], ADDRESS, log, RAY_VARIABLES)


def table(models):
    """Renders the results as Markdown."""
    heads = ["model", "cell", "requests per second", "texts per second", "p50", "p99"]
    heads += ["p99.9", "p99 / p50", "replica", "not in order", "wrong"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, model in models.items():
        for cell, found in model["cells"].items():
            times = [f"{found[key]:,.0f}" for key in RATES]
            times += [f"{found[key]:,.1f} ms" if key in found else "" for key in TIMES]
            times += [f"{found.get('p99_over_p50', '')}"]
            times += [f"{found['memory'][-1]['replica_mb']:,.0f} MB"]
            faults = sum(found["faults"].values())
            row = [name, cell, *times, str(faults), str(found["wrong"])]
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def main(arguments):
    """Measures all targets, and prints the table."""
    # As Ctrl-C does: else the server would go on.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    targets = [target_of(argument) for argument in arguments[1:]]
    file = Path(FLAGS.results)
    results = json.loads(file.read_text("utf-8")) if file.exists() else {"models": {}}
    results["machine"] = report.machine()
    for target in targets:
        measure_target(target, results)
    print(table(results["models"]))


if __name__ == "__main__":
    app.run(main)
