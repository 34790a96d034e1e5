"""Runs ours and its peers in turn: A B A B …, each in a process of its own.

A process each, because two libraries' thread pools in one disturb each other, and so
that peak memory is a contestant's own. One process tree, a round in turn, and ratios
round by round, because a shared machine's speed drifts.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
ROUNDS = 5


@dataclasses.dataclass(frozen=True)
class Contestant:
    """One side of a comparison.

    Args:
        target: `module:function`; called with `arguments` in a process of its own, it
            returns a function without arguments that does the work once, to its end.
        arguments: JSON-like keyword arguments of the function.
        environment: variables set for the process.
    """

    target: str
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


def contest(
    contestants: Mapping[str, Contestant],
    *,
    rounds: int = ROUNDS,
    repeats: int = 1,
    warm_up: bool = True,
) -> dict[str, Any]:
    """Measures all contestants in turn.

    Args:
        contestants: by name; the names of our own begin with "ours".
        rounds: int, rounds after one of warm-up.
        repeats: int, how often a contestant does its work in a round.
        warm_up: bool; `False` counts the first piece of work, for what people do once.

    Returns:
        dict of `seconds` (median of one piece of work), `spread` (lowest and highest),
        `first_seconds` (the first piece of work, tracing and compiling included; with
        warm-up only),
        `memory_mb` (peak beyond what stood in memory when the work began), each by
        name; and `ratio`, by our name and the peer's, of the peer's seconds to ours
        (median over rounds).
    """
    workers = {name: _Worker(each) for name, each in contestants.items()}
    try:
        # One after the other: what is being imported would disturb what is measured.
        first = {}
        if warm_up:
            first = {name: worker.ask(1) for name, worker in workers.items()}
            for worker in workers.values():
                worker.ask(repeats)
        times: dict[str, list[float]] = {name: [] for name in workers}
        for _ in range(rounds):
            for name, worker in workers.items():
                times[name].append(worker.ask(repeats)["seconds"] / repeats)
        memory = {name: worker.ask(0)["memory_mb"] for name, worker in workers.items()}
    finally:
        for worker in workers.values():
            worker.close()
    return {
        "seconds": {name: statistics.median(t) for name, t in times.items()},
        "spread": {name: [min(t), max(t)] for name, t in times.items()},
        "first_seconds": {name: answer["seconds"] for name, answer in first.items()},
        "memory_mb": memory,
        "ratio": {
            ours: {
                peer: statistics.median(
                    theirs / own
                    for theirs, own in zip(times[peer], times[ours], strict=True)
                )
                for peer in times
                if not peer.startswith("ours")
            }
            for ours in times
            if ours.startswith("ours")
        },
    }


class _Worker:
    """A contestant's process: asked for a number of pieces of work, it does them."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.contest",
                contestant.target,
                json.dumps(dict(contestant.arguments)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **contestant.environment},
        )

    def ask(self, repeats: int) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{repeats}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.contestant.target} ended; its error is above.")
        return json.loads(answer)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def _work(target: str, arguments: dict[str, Any]) -> None:
    """Answers the parent until it closes the pipe."""
    # What libraries print must not reach the pipe that the answers go through.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, name = target.split(":")
    work: Callable[[], object] = getattr(import_module(module), name)(**arguments)
    before = reset_peak_memory()
    for line in sys.stdin:
        started = time.perf_counter()
        for _ in range(int(line)):
            work()
        seconds = time.perf_counter() - started
        memory = (memory_status("VmHWM") - before) / 1024
        answers.write(json.dumps({"seconds": seconds, "memory_mb": memory}) + "\n")
        answers.flush()


def reset_peak_memory() -> int:
    """Forgets the peak so far, and returns what is in memory now, in KiB."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return memory_status("VmHWM")  # The peak of the imports stands.
    return memory_status("VmRSS")


def memory_status(field: str) -> int:
    """Reads a figure of this process's memory, in KiB (Linux)."""
    text = Path("/proc/self/status").read_text("ascii")
    found = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found[1])


if __name__ == "__main__":
    _work(sys.argv[1], json.loads(sys.argv[2]))
