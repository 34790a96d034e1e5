"""What is measured of a server, cell by cell."""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.serving.clients import Job
from benchmarks.serving.latency import slope
from benchmarks.serving.server import cores, memory

CLOSED_MIXES = ("short", "mixed", "hostile")
CLIENTS = (1, 8, 64)
LOAD = 0.8
NEW_VERSION_SECONDS = 90
# The tenth of the work after which the new version comes.
NEW_VERSION_TENTH = 2
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Cell:
    """One measurement.

    Attributes:
        name: in the results.
        mix: of requests.
        clients: who ask in a closed loop; 0 in an open one, at `LOAD` of the highest
            rate that closed loops found with this mix.
        seconds: that it takes.
        requests: that it takes, in place of `seconds`.
        new_version: whether one comes meanwhile.
    """

    name: str
    mix: str
    clients: int = 0
    seconds: float = 0
    requests: int = 0
    new_version: bool = False

    def job(self, asked, address, found):
        """Makes the `Job` of the clients.

        Args:
            asked: path of the texts.
            address: `Address` of the server.
            found: results of the cells so far, by name.
        """
        rate = 0.0 if self.clients else LOAD * highest_rate(self.mix, found)
        return Job(
            asked=str(asked),
            address=address,
            mix=self.mix,
            clients=self.clients,
            rate=rate,
            seconds=self.seconds,
            requests=self.requests,
        )


def all_cells(seconds, requests, versions=True):
    """Lists the cells of a model, in their order.

    Args:
        seconds: of each.
        requests: of the one that watches the memory.
        versions: whether the server takes new versions of the model.
    """
    cells = [
        Cell(f"closed, {mix}, {clients}", mix, clients, seconds)
        for mix in CLOSED_MIXES
        for clients in CLIENTS
    ]
    cells.append(Cell("batches of 32, 8", "batches", 8, seconds))
    cells += [Cell(f"open, {mix}", mix, 0, seconds) for mix in ("short", "mixed")]
    # Without long texts: as many requests would take hours.
    cells.append(Cell("memory, 8", "short, hostile", 8, requests=requests))
    if versions:
        cells.append(Cell("new version, 8", "mixed", 8, NEW_VERSION_SECONDS, 0, True))
    return cells


def highest_rate(mix, found):
    """Returns the most answers a second that closed loops of a mix had."""
    return max(found[f"closed, {mix}, {n}"]["requests_per_second"] for n in CLIENTS)


def is_finished(cell, found):
    """Says whether results have this cell, measured by these settings."""
    return found.get(cell.name, {}).get("cell") == asdict(cell)


def measure(cell, server, asked, found, versions=None):
    """Measures a cell.

    Args:
        cell: `Cell`.
        server: a `Server` that runs.
        asked: path of the texts.
        found: results of the cells so far, by name.
        versions: folder of the model's versions, for a cell with a new one.
    """
    job = cell.job(asked, server.address, found)
    before, started = server.processes(), time.monotonic()
    samples, coming = [{"requests": 0, "seconds": 0, **memory(before)}], None
    for told in run(job):
        if "found" in told:
            break
        samples.append({**told, **memory(server.processes())})
        if cell.new_version and told["tenth"] == NEW_VERSION_TENTH:
            coming = NewVersion(server, versions)
    figures = {"cell": asdict(cell), "rate": job.rate or None, **told["found"]}
    if "p50_ms" in figures:
        figures["p99_over_p50"] = round(figures["p99_ms"] / figures["p50_ms"], 2)
    if coming:
        figures["new_version_seconds"] = coming.seconds()
    seconds = time.monotonic() - started
    return {
        **figures,
        "server_cores": cores(before, server.processes(), seconds),
        "memory": samples,
        "replica_mb_per_1000_requests": _growth(samples[1:]),
        "replica_mb_per_1000_requests_last_half": _growth(samples[-6:]),
    }


def run(job):
    """Lets a process of its own do a `Job`; yields what it tells."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({**asdict(job), "address": [*job.address]}, file)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.serving.clients", file.name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                for line in process.stdout:
                    yield json.loads(line)
            except BaseException:
                process.kill()  # Or it would go on asking until its time is over.
                raise
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")


class NewVersion:
    """Puts a copy of a model beside it, and waits in a thread until it answers.

    Args:
        server: a `Server`.
        folder: of the model's versions.
    """

    def __init__(self, server, folder):
        self._server, self._seconds = server, None
        newest = max(int(p.name) for p in Path(folder).iterdir() if p.name.isdigit())
        part = Path(folder) / ".partial-version"
        shutil.copytree(Path(folder) / str(newest), part)
        part.rename(Path(folder) / str(newest + 1))
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._wait, args=(newest + 1,))
        self._thread.start()

    def seconds(self):
        """Returns seconds until it answered; `None` if it did not."""
        self._thread.join()
        return self._seconds

    def _wait(self, number):
        while time.monotonic() < self._began + NEW_VERSION_SECONDS:
            if self._server.answers(f"/versions/{number}"):
                self._seconds = round(time.monotonic() - self._began, 4)
                return
            time.sleep(POLL_SECONDS)


def _growth(samples):
    megabytes = [sample["replica_mb"] for sample in samples]
    return round(slope([sample["requests"] for sample in samples], megabytes), 3)
