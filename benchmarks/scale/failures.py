"""What failures cost a job that any of them ends, and that resumes from a backup.

Sources: Young 1974, "A first order approximation to the optimum checkpoint interval";
Daly 2006, "A higher order estimate of the optimum checkpoint interval for restart
dumps", whose expected time is exact for failures that come independently.
"""

import math
import random
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """Work with backups, all in seconds.

    Attributes:
        work: that is to be done.
        interval: of work after which a backup is written; also after the last one.
        backup: that writing takes.
        restart: from a failure until work goes on.
        mean_time: between failures; infinite if there are none.
    """

    work: float
    interval: float
    backup: float
    restart: float
    mean_time: float = math.inf

    @property
    def backups(self):
        """How many are written."""
        return math.ceil(self.work / self.interval - 1e-9)

    @property
    def undisturbed(self):
        """How long it takes if nothing fails."""
        return self.work + self.backups * self.backup

    def expected(self):
        """Returns how long it takes on average, by Daly's equation."""
        if math.isinf(self.mean_time):
            return self.undisturbed
        rate = 1 / self.mean_time
        last = self.work - (self.backups - 1) * self.interval
        pieces = (self.backups - 1) * math.expm1(rate * (self.interval + self.backup))
        pieces += math.expm1(rate * (last + self.backup))
        return self.mean_time * math.exp(rate * self.restart) * pieces


def best_interval(backup, mean_time):
    """Returns the seconds of work between backups that cost least: Daly's estimate.

    The first term is Young's, √(2 · backup · mean time).
    """
    if backup >= 2 * mean_time:
        return mean_time
    ratio = backup / (2 * mean_time)
    young = math.sqrt(2 * backup * mean_time)
    return young * (1 + math.sqrt(ratio) / 3 + ratio / 9) - backup


def simulate(job, seed):
    """Runs a job from failure to failure.

    Args:
        job: the `Job`.
        seed: of the failures' times.

    Returns:
        seconds that it took, and how many failures ended it.
    """
    random_numbers = random.Random(seed)
    now, done, failures, restarting = 0.0, 0, 0, 0.0
    piece = job.interval + job.backup
    while True:
        left = job.undisturbed - done * piece
        quiet = math.inf
        if not math.isinf(job.mean_time):
            quiet = random_numbers.expovariate(1 / job.mean_time)
        if quiet >= restarting + left:
            return now + restarting + left, failures
        # What was begun since the last backup is lost, and so is a restart.
        now += quiet
        done += int(max(0.0, quiet - restarting) // piece)
        failures += 1
        restarting = job.restart


def simulate_often(job, seeds):
    """Runs a job with each seed.

    Returns:
        mean and standard deviation of the seconds, and the mean number of failures.
    """
    times, failures = zip(*(simulate(job, seed) for seed in range(seeds)), strict=True)
    spread = statistics.stdev(times) if seeds > 1 else 0.0
    return statistics.mean(times), spread, statistics.mean(failures)
