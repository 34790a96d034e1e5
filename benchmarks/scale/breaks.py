"""Where it breaks first: what each part adds to the time that the GPUs compute."""

from dataclasses import dataclass, replace

from benchmarks.scale import training
from benchmarks.scale.failures import Job
from benchmarks.scale.given import BFLOAT16, GIGABIT, RELIABILITIES

SPREAD = 0.05  # Of the times of a step, for the ranking.


@dataclass(frozen=True)
class Break:
    """One way to lose time.

    Attributes:
        what: it is.
        mends: what takes it away.
        seconds: that it adds to a run.
        share: of the products' seconds.
    """

    what: str
    mends: str
    seconds: float
    share: float


def breaks(workload, cluster, measured):
    """Lists what adds time to a run, the most first.

    What runs beside the products adds what it takes longer than they; what all wait for
    adds all of it. Each is alone: the others are taken for mended.

    Args:
        workload: what is trained.
        cluster: on what.
        measured: of one worker.

    Returns:
        list of `Break`.
    """
    count = training.steps(workload, cluster)
    compute = count * training.compute_seconds(workload, cluster)
    found = [
        *_sums(workload, cluster, count),
        *_inputs(workload, cluster, measured, compute),
        *_waits(workload, cluster, measured, compute),
    ]
    found = [Break(*each, each[-1] / compute) for each in found]
    return sorted(found, key=lambda each: -each.seconds)


def _sums(workload, cluster, count):
    """What gradients add, on three networks."""
    for gigabits in (25, 100, 400):
        on = replace(cluster, ethernet=gigabits)
        each = training.step(workload, on)
        where = f"{gigabits} Gbit/s"
        yield (
            f"gradients summed in float32 after all products, {where}",
            "bfloat16, packs that overlap, a larger batch",
            count * each.exposed,
        )
        small = replace(workload, tokens_per_gpu=workload.tokens_per_gpu / 8)
        yield (
            f"the same with an eighth of the batch, {where}",
            "a larger batch",
            8 * count * training.step(small, on).exposed,
        )
        if workload.embedding:
            gathered = training.step(workload, on, gathers=True)
            yield (
                f"rows of the sparse embedding gathered, not summed, {where}",
                "make them dense before the sum",
                count * gathered.exposed,
            )
        best = training.step(workload, on, BFLOAT16, overlap=True)
        yield (
            f"gradients in bfloat16, in packs that overlap, {where}",
            "",
            count * best.exposed,
        )


def _inputs(workload, cluster, measured, compute):
    """What reading adds to products that it runs beside."""
    rate = measured.tokens_per_second[workload.unit]
    text = training.corpus_bytes(workload, measured)
    ids = training.corpus_bytes(workload, measured, workload.id_bytes)
    network = cluster.ethernet * GIGABIT
    tokenizing = workload.tokens / (rate * cluster.cores)
    by_need = (
        ("each host tokenizes all texts (AUTO sharding)", "token shards", tokenizing),
        (
            "each host tokenizes its share",
            "token shards",
            tokenizing / cluster.hosts,
        ),
        (
            "tokenizing on one core of each host, its share",
            "more cores, token shards",
            tokenizing * cluster.cores / cluster.hosts,
        ),
        (
            "each host reads all of one .gz file",
            "token shards, or many files",
            text / measured.gunzip,
        ),
        (
            "each host reads its share of token shards",
            "",
            ids / cluster.hosts / min(cluster.disk, network),
        ),
    )
    for what, mends, seconds in by_need:
        yield what, mends, max(0.0, seconds - compute)


def _waits(workload, cluster, measured, compute):
    """What all GPUs wait for, and what comes before them."""
    epochs = training.epochs(workload, cluster)
    one = training.evaluation_seconds(workload, cluster, measured.validation_tokens)
    writing = training.backup_seconds(workload, cluster)
    yield (
        f"evaluation on the chief, after each of {epochs} epochs",
        "larger epochs, or evaluate on all",
        epochs * one,
    )
    yield "backup after each epoch", "larger epochs", epochs * writing
    slowest = training.slowest(cluster.gpus, SPREAD)
    yield (
        f"the slowest of {cluster.gpus}, steps spread by {SPREAD:.0%}",
        "like hardware, nothing beside it",
        (slowest - 1) * compute,
    )
    yield "one start of the job", "", cluster.start_seconds
    for reliability in RELIABILITIES:
        job = Job(
            compute,
            compute / epochs,
            writing,
            cluster.start_seconds,
            reliability.mean_seconds(cluster),
        )
        yield (
            f"failures, {reliability.name}",
            "workers that are replaced while others wait",
            job.expected() - job.undisturbed,
        )
    if workload.unit == "words":
        texts = workload.tokens / measured.tokens_per_text[workload.unit]
        yield (
            "the vocabulary counted on all texts, in one process, beforehand",
            "count a sample",
            texts / measured.counting,
        )
