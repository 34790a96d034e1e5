"""Where it breaks first: what each part adds to the time that the GPUs compute."""

from dataclasses import dataclass, replace

from benchmarks.scale import training
from benchmarks.scale.failures import Job
from benchmarks.scale.given import BFLOAT16, GIGABIT, RELIABILITIES

SPREAD = 0.05  # Of the times of a step, for the ranking.
NETWORKS = (25, 100, 400)  # Gigabits a second.


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
    """What gradients add: as they are summed now on three networks, and otherwise."""
    mends = "bfloat16, packs that overlap, larger batches, fewer hosts"
    for gigabits in NETWORKS:
        on = replace(cluster, ethernet=gigabits)
        yield (
            f"gradients summed in float32 after all products, {gigabits} Gbit/s",
            mends,
            count * training.step(workload, on).exposed,
        )
    where = f"{cluster.ethernet} Gbit/s"
    small = replace(workload, tokens_per_gpu=workload.tokens_per_gpu / 8)
    yield (
        f"gradients summed in float32, an eighth of the batch, {where}",
        "larger batches",
        8 * count * training.step(small, cluster).exposed,
    )
    yield (
        f"gradients in bfloat16, in packs that overlap, {where}",
        "larger batches, fewer hosts",
        count * training.step(workload, cluster, BFLOAT16, overlap=True).exposed,
    )
    if workload.embedding:
        yield (
            f"rows of the sparse embedding gathered, not summed, {where}",
            "made dense before the sum",
            count * training.step(workload, cluster, gathers=True).exposed,
        )


def _inputs(workload, cluster, measured, compute):
    """What reading adds to products that it runs beside."""
    core = measured.tokens_per_second[workload.unit]
    reader = measured.reading * measured.tokens_per_text[workload.unit]
    text = training.corpus_bytes(workload, measured)
    ids = training.corpus_bytes(workload, measured, workload.id_bytes)
    shards = ids / min(cluster.disk, cluster.ethernet * GIGABIT)
    shared = "each host its share"
    every = "each host all texts (AUTO sharding)"
    tokenizing = [
        (f"tokenizing on {cores} cores", "token shards", workload.tokens / core / cores)
        for cores in (2, cluster.cores)
    ]
    for what, mends, seconds in (
        *tokenizing,
        (
            "texts read by one thread of Python",
            "token shards",
            workload.tokens / reader,
        ),
        ("one .gz file unpacked", "many files, token shards", text / measured.gunzip),
        ("token shards read", "", shards),
    ):
        yield f"{what}, {every}", mends, max(0.0, seconds - compute)
        share = seconds / cluster.hosts
        yield f"{what}, {shared}", mends, max(0.0, share - compute)


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
        f"the slowest of {cluster.gpus}, steps spread by {100 * SPREAD:.0f} %",
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
