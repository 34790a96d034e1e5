"""How long a step and a run take, what feeds them, and what waits for whom."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from benchmarks.scale.collectives import gradients
from benchmarks.scale.given import FLOAT32

PACKS = 8  # Of gradients that overlap with backpropagation, were they packed so.
BACKWARD = 2 / 3  # Of a step's products.
MOMENTS = 2  # Of Adam, for each weight.


@dataclass(frozen=True)
class Step:
    """A step's parts in seconds.

    Attributes:
        compute: products.
        traffic: the gradients' sum.
        exposed: of it, what products do not hide.
    """

    compute: float
    traffic: float
    exposed: float

    @property
    def seconds(self):
        """Of the whole step."""
        return self.compute + self.exposed

    @property
    def efficiency(self):
        """Relative to a step of one GPU, which sums nothing."""
        return self.compute / self.seconds


def compute_seconds(workload, cluster, utilisation=None):
    """Returns the seconds of a step's products on each GPU."""
    share = workload.utilisation[1] if utilisation is None else utilisation
    flops = workload.tokens_per_gpu * workload.flops_per_token
    return flops / (cluster.peak_flops * share)


def step(workload, cluster, number_bytes=FLOAT32, overlap=False, gathers=False):
    """Returns the `Step`.

    Args:
        workload: what is trained.
        cluster: on what.
        number_bytes: of a number of a gradient that is sent.
        overlap: whether packs of gradients are summed while others are computed; the
            last pack comes after all products.
        gathers: see `collectives.gradients`.
    """
    compute = compute_seconds(workload, cluster)
    traffic = gradients(workload, cluster, number_bytes, gathers).seconds
    if cluster.gpus == 1:
        traffic = 0.0
    last = traffic / PACKS
    hidden = min(traffic - last, BACKWARD * compute) if overlap else 0.0
    return Step(compute, traffic, traffic - hidden)


def steps(workload, cluster):
    """Returns how many steps read all tokens."""
    return workload.tokens / (workload.tokens_per_gpu * cluster.gpus)


def epochs(workload, cluster):
    """Returns how many epochs these are, the last one perhaps short."""
    return math.ceil(steps(workload, cluster) / workload.steps_per_epoch)


def slowest(count, spread):
    """Returns the expected time of the slowest of `count`, whose mean is 1.

    Args:
        count: int, of times that are normal and independent.
        spread: their standard deviation.
    """
    if count == 1 or not spread:
        return 1.0
    normal = NormalDist()
    # E[max] is the mean of the quantiles of U^(1/n).
    points = 20_000
    quantiles = (
        normal.inv_cdf(((i + 0.5) / points) ** (1 / count)) for i in range(points)
    )
    return 1 + spread * sum(quantiles) / points


def corpus_bytes(workload, measured, id_bytes=None):
    """Returns the bytes of the corpus: as text, or as ids of so many bytes."""
    if id_bytes:
        return workload.tokens * id_bytes
    texts = workload.tokens / measured.tokens_per_text[workload.unit]
    return texts * measured.bytes_per_text


def cores_to_feed(workload, cluster, measured, seconds, shares=True):
    """Returns how many cores of a host must tokenize so that no GPU waits.

    Args:
        workload: what is trained.
        cluster: on what.
        measured: tokens a second of a core.
        seconds: of a step.
        shares: whether a host reads its share; otherwise each reads all and drops what
            is not its own, as `AutoShardPolicy.DATA` does.
    """
    tokens = workload.tokens_per_gpu * cluster.gpus / seconds
    if shares:
        tokens /= cluster.hosts
    return tokens / measured.tokens_per_second[workload.unit]


def backup_bytes(workload):
    """Returns the bytes of a backup: weights and moments."""
    return workload.weights * FLOAT32 * (1 + MOMENTS)


def backup_seconds(workload, cluster):
    """Returns how long the chief writes it, while all wait."""
    return backup_bytes(workload) / cluster.disk


def evaluation_seconds(workload, cluster, tokens):
    """Returns how long the chief's one GPU evaluates, while all wait.

    With the softmax of training; an exact one of 20 000 words takes 1.7 times as long.
    """
    forward = workload.flops_per_token / 3
    return tokens * forward / (cluster.peak_flops * workload.utilisation[1])


def distinct_words(measured, tokens):
    """Extrapolates how many distinct words so many tokens have: Heaps' law.

    Returns:
        words, and the exponent.
    """
    (_, few, words_of_few), (_, many, words_of_many) = measured.new_words
    exponent = math.log(words_of_many / words_of_few) / math.log(many / few)
    return words_of_many * (tokens / many) ** exponent, exponent
