"""Clients who ask a server at once: `python -m benchmarks.serving.clients JOB.json`.

A process of its own, of numpy and the standard library, since it shares the cores with
the server. Prints a JSON line at each tenth of the work, and at the end what it found.
"""

import asyncio
import collections
import json
import sys
import time
from array import array
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.serving.answers import Judge
from benchmarks.serving.connection import Address, Connection
from benchmarks.serving.latency import arrivals, percentiles
from benchmarks.serving.mixes import requests

WARM_UP_SECONDS = 3
TIMEOUT_SECONDS = 60
PAUSE_SECONDS = 0.1
MOST_CONNECTIONS = 512
MOST_EXAMPLES = 5
NO_ANSWER = {0: "closed", 1: "timeout"}  # In place of HTTP's status.


@dataclass
class Job:
    """What clients do.

    Attributes:
        asked: path of the file of `benchmarks.serving.asked`.
        address: `Address` of the server.
        mix: of `benchmarks.serving.mixes.MIXES`.
        clients: how many ask, each when it has its answer; 0 for an open loop.
        rate: requests a second of an open loop.
        seconds: how long they ask, after `WARM_UP_SECONDS` that do not count.
        requests: how many they ask in place of it; 0 for no limit.
        seed: of the requests, and of when they come.
    """

    asked: str
    address: Address
    mix: str
    clients: int = 0
    rate: float = 0.0
    seconds: float = 0.0
    requests: int = 0
    seed: int = 0


@dataclass
class Log:
    """What came of each request.

    Attributes:
        due: seconds from the beginning at which it was sent or, in an open loop, due.
        sent: at which it was sent.
        seconds: from when it was due to its answer.
        statuses: HTTP's, or of `NO_ANSWER`.
        kinds: of texts.
        texts: how many were answered.
        faults: what was wrong of answers, and how often.
        wrong: answers that are not the model's; a few of them.
        wrong_count: all of them.
    """

    due: array = field(default_factory=lambda: array("d"))
    sent: array = field(default_factory=lambda: array("d"))
    seconds: array = field(default_factory=lambda: array("d"))
    statuses: array = field(default_factory=lambda: array("H"))
    kinds: list = field(default_factory=list)
    texts: array = field(default_factory=lambda: array("H"))
    faults: collections.Counter = field(default_factory=collections.Counter)
    wrong: list = field(default_factory=list)
    wrong_count: int = 0

    def __len__(self):
        return len(self.seconds)

    def summary(self, since):
        """Returns the figures of the requests that were due after `since` seconds."""
        due, seconds = np.array(self.due), np.array(self.seconds)
        statuses, kinds = np.array(self.statuses), np.array(self.kinds)
        counted = due >= since
        good = counted & (statuses == 200)
        wall = (due + seconds)[counted].max(initial=since) - since
        late = (np.array(self.sent) - due)[counted]
        codes = collections.Counter(statuses[counted].tolist())
        return {
            "requests": int(counted.sum()),
            "seconds": round(float(wall), 3),
            "requests_per_second": round(float(good.sum() / max(wall, 1e-9)), 2),
            "texts_per_second": round(
                float(np.array(self.texts)[good].sum() / max(wall, 1e-9)), 2
            ),
            **percentiles(seconds[good]),
            "by_kind": {
                kind: percentiles(seconds[counted & (kinds == kind)])
                for kind in sorted({*self.kinds})
            },
            "statuses": {NO_ANSWER.get(k, str(k)): n for k, n in sorted(codes.items())},
            "faults": dict(self.faults),
            "wrong": self.wrong_count,
            "wrong_examples": self.wrong,
            "sent_late_p99_ms": percentiles(late).get("p99_ms"),
        }


class Clients:
    """Asks what a `Job` says, and keeps a `Log`."""

    def __init__(self, job):
        asked = json.loads(Path(job.asked).read_text("utf-8"))
        self.job, self.log = job, Log()
        self.judge = Judge(asked["labels"], asked["probabilities"], asked["tolerance"])
        self.stream = requests(
            job.mix, asked["texts"], asked["kinds"], job.address, job.seed
        )
        self.began = time.perf_counter()
        self.end = WARM_UP_SECONDS + job.seconds

    async def run(self):
        """Asks; returns the summary, and what the asking itself took."""
        # The first requests are made before the clock starts.
        next(self.stream)
        self.began, cpu = time.perf_counter(), time.process_time()
        ticker = asyncio.create_task(self._tell_progress())
        await (self._closed_loop() if self.job.clients else self._open_loop())
        await ticker
        used = (time.process_time() - cpu) / (time.perf_counter() - self.began)
        since = 0 if self.job.requests else WARM_UP_SECONDS
        return {**self.log.summary(since), "generator_cores": round(used, 3)}

    def _now(self):
        return time.perf_counter() - self.began

    def _goes_on(self, started):
        if self.job.requests:
            return started < self.job.requests
        return self._now() < self.end

    async def _closed_loop(self):
        started = 0

        async def client():
            nonlocal started
            connection = Connection(self.job.address)
            while self._goes_on(started):
                started += 1
                await self._ask(connection, next(self.stream), self._now())
            connection.close()

        await asyncio.gather(*(client() for _ in range(self.job.clients)))

    async def _open_loop(self):
        free = [Connection(self.job.address) for _ in range(MOST_CONNECTIONS)]
        allowed = asyncio.Semaphore(MOST_CONNECTIONS)

        async def ask(request, due):
            async with allowed:
                connection = free.pop()
                await self._ask(connection, request, due)
                free.append(connection)

        async with asyncio.TaskGroup() as group:
            for due in arrivals(self.job.rate, self.end, self.job.seed).tolist():
                await asyncio.sleep(max(0, due - self._now()))
                group.create_task(ask(next(self.stream), due))
        for connection in free:
            connection.close()

    async def _ask(self, connection, request, due):
        sent, body = self._now(), b""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status, body = await connection.ask(request.payload)
        except OSError as error:  # A timeout, too, is one.
            connection.close()
            status = 1 if isinstance(error, TimeoutError) else 0
        self._keep(request, status, body, due, sent)
        if status in NO_ANSWER:
            # A server that is gone would be asked thousands of times a second.
            await asyncio.sleep(PAUSE_SECONDS)

    def _keep(self, request, status, body, due, sent):
        log = self.log
        log.seconds.append(self._now() - due)
        log.due.append(due)
        log.sent.append(sent)
        log.statuses.append(status)
        log.kinds.append(request.kind)
        log.texts.append(len(request.rows))
        if status not in request.statuses:
            log.faults[f"{request.kind}: {NO_ANSWER.get(status, status)}"] += 1
        elif status == 200 and (fault := self.judge.fault(request, body)):
            log.wrong_count += 1
            if len(log.wrong) < MOST_EXAMPLES:
                log.wrong.append(f"{request.kind}, {fault}")

    async def _tell_progress(self):
        for tenth in range(1, 11):
            while self._share() < tenth / 10:
                await asyncio.sleep(0.1)
            told = {"tenth": tenth, "requests": len(self.log), "seconds": self._now()}
            print(json.dumps(told), flush=True)

    def _share(self):
        if self.job.requests:
            return len(self.log) / self.job.requests
        return self._now() / self.end


def main(path):
    """Does the job of a file."""
    given = json.loads(Path(path).read_text("utf-8"))
    job = Job(**{**given, "address": Address(*given["address"])})
    print(json.dumps({"found": asyncio.run(Clients(job).run())}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
