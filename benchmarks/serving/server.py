"""A server in processes of its own: started, watched, ended."""

import http.client
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

MARK = "SIATL_SERVING_BENCHMARK"
START_SECONDS = 600
END_SECONDS = 30
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
# What a process of Ray Serve is, by a word of its title.
ROLES = {
    "ServeReplica": "replica",
    "Proxy": "proxy",
    "haproxy": "proxy",
    "ServeController": "controller",
}


class Process(NamedTuple):
    """A process of a server, at one moment.

    Attributes:
        number: its pid.
        role: of `ROLES`, or "other".
        megabytes: resident memory.
        peak_megabytes: the most so far.
        cpu_seconds: of all its threads so far.
    """

    number: int
    role: str
    megabytes: float
    peak_megabytes: float
    cpu_seconds: float


class Server:
    """Runs a command, whose children are known by their environment.

    Args:
        command: list of str.
        address: `Address` that it answers at.
        log: path of the file that takes what it prints.
        env: further variables of its environment.
    """

    def __init__(self, command, address, log, env=None):
        self.address, self.log = address, Path(log)
        if self.answers():
            raise RuntimeError(
                f"Nothing may answer at {address.host}:{address.port} yet, since it "
                "would be measured in place of the server. End what runs there."
            )
        self._mark = f"{MARK}={os.getpid()}-{time.monotonic_ns()}"
        name, value = self._mark.split("=")
        with self.log.open("w") as file:
            self._process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {}), name: value},
            )

    def __enter__(self):
        try:
            self._wait_for_an_answer()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *error):
        self.end()

    def answers(self, path=""):
        """Says whether a text gets an answer, of `path` below the model's."""
        body = json.dumps({"instances": ["so glad"]})
        connection = http.client.HTTPConnection(
            self.address.host, self.address.port, timeout=30
        )
        try:
            connection.request("POST", f"{self.address.path}{path}:predict", body)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def processes(self):
        """Returns the `Process`es of the server."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                ours = self._mark.encode() in (folder / "environ").read_bytes()
                found[int(folder.name)] = (_parent(folder), ours)
            except OSError:  # It has ended, or is another user's.
                continue

        # Of a process that has changed its title, the environment may be overwritten.
        def is_ours(number):
            parent, ours = found.get(number, (0, False))
            return ours or (parent in found and is_ours(parent))

        return [p for number in found if is_ours(number) for p in _read(number)]

    def end(self):
        """Ends all its processes, gently first."""
        numbers = [process.number for process in self.processes()]
        self._process.terminate()
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline and self.processes():
            self._process.poll()
            time.sleep(0.2)
        for number in {*numbers} & {process.number for process in self.processes()}:
            os.kill(number, signal.SIGKILL)
        self._process.wait()

    def _wait_for_an_answer(self):
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            # A launcher that has done its work may end; one that fails has a status.
            if self._process.poll() or time.monotonic() > deadline:
                said = self.log.read_text("utf-8", "replace")[-2_000:]
                raise RuntimeError(
                    f"{self._process.args} must answer at {self.address.host}:"
                    f"{self.address.port}{self.address.path}:predict within "
                    f"{START_SECONDS} s. Its status: {self._process.poll()}. It said: "
                    f"{said}"
                )
            time.sleep(0.5)


def memory(processes):
    """Returns megabytes of the replicas and of all `Process`es."""
    # A server that is not Ray's has no replicas: then it is all of it.
    replicas = [p for p in processes if p.role == "replica"] or processes
    return {
        "replica_mb": round(sum(p.megabytes for p in replicas), 1),
        "all_mb": round(sum(p.megabytes for p in processes), 1),
        "replica_peak_mb": round(sum(p.peak_megabytes for p in replicas), 1),
    }


def cores(before, after, seconds):
    """Returns how many cores each role has used between two moments."""
    earlier = {process.number: process.cpu_seconds for process in before}
    used = {}
    for process in after:
        spent = process.cpu_seconds - earlier.get(process.number, 0)
        used[process.role] = used.get(process.role, 0) + spent / seconds
    return {role: round(share, 3) for role, share in sorted(used.items())}


def _parent(folder):
    return int((folder / "stat").read_text().rpartition(")")[2].split()[1])


def _read(number):
    """Yields the process, if it has not ended."""
    folder = Path("/proc") / str(number)
    try:
        title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        status = (folder / "status").read_text()
    except OSError:
        return
    if fields[0] == "Z":
        return
    peak = [line for line in status.splitlines() if line.startswith("VmHWM")]
    yield Process(
        number,
        next((role for word, role in ROLES.items() if word in title), "other"),
        int(fields[21]) * PAGE / 1e6,
        int(peak[0].split()[1]) * 1024 / 1e6 if peak else 0.0,
        (int(fields[11]) + int(fields[12])) / TICKS,
    )
