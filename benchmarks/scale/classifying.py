"""Classifying many texts on machines that come and go: a simulation, shard by shard."""

import heapq
import math
import random
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Pool:
    """Cores that take one shard after the other.

    Attributes:
        cores: how many, each with a process of its own.
        rate: texts a second of one.
        start_seconds: that a process takes for a shard before its first text: a model
            is loaded for each.
        spread: standard deviation of the logarithm of a core's speed.
        lost_seconds: after which a core is taken away, on average; with a shard that
            it has, which another one reads from its beginning.
        replace_seconds: until another core stands in.
    """

    cores: int
    rate: float
    start_seconds: float
    spread: float = 0.0
    lost_seconds: float = math.inf
    replace_seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        seconds: until the last shard was done.
        retries: shards that were begun again.
        ideal: seconds without starts, spread, losses and a ragged end.
    """

    seconds: float
    retries: int
    ideal: float

    @property
    def efficiency(self):
        """Share of the time that an ideal pool would take."""
        return self.ideal / self.seconds


def simulate(pool, texts, shard, seed):
    """Runs a pool until all shards are done.

    Args:
        pool: the `Pool`.
        texts: how many.
        shard: texts of a shard, the last one perhaps less.
        seed: of speeds and losses.

    Returns:
        `Outcome`.
    """
    random_numbers = random.Random(seed)
    speeds = [
        pool.rate * math.exp(random_numbers.gauss(0, pool.spread))
        for _ in range(pool.cores)
    ]
    count = math.ceil(texts / shard)
    waiting = [shard] * (count - 1) + [texts - (count - 1) * shard]
    waiting.reverse()
    idle = list(range(pool.cores))
    events = []  # Of a time, a core, its shard, and whether it is lost with it.
    now, done, retries = 0.0, 0, 0
    while done < count:
        while idle and waiting:
            core, size = idle.pop(), waiting.pop()
            seconds = pool.start_seconds + size / speeds[core]
            lost = math.inf
            if not math.isinf(pool.lost_seconds):
                lost = random_numbers.expovariate(1 / pool.lost_seconds)
            when = now + min(seconds, lost)
            heapq.heappush(events, (when, core, size, lost < seconds))
        now, core, size, is_lost = heapq.heappop(events)
        if is_lost:
            waiting.append(size)
            retries += 1
            back = now + pool.replace_seconds
            heapq.heappush(events, (back, core, 0, False))
            continue
        idle.append(core)
        done += size > 0  # A core that stands in has finished none.
    return Outcome(now, retries, texts / (pool.cores * pool.rate))


def simulate_often(pool, texts, shard, seeds):
    """Runs a pool with each seed.

    Returns:
        mean and standard deviation of the seconds, mean retries, mean efficiency.
    """
    runs = [simulate(pool, texts, shard, seed) for seed in range(seeds)]
    times = [run.seconds for run in runs]
    return (
        statistics.mean(times),
        statistics.stdev(times) if seeds > 1 else 0.0,
        statistics.mean(run.retries for run in runs),
        statistics.mean(run.efficiency for run in runs),
    )
