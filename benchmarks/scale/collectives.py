"""How long GPUs take to sum their gradients: rings, as NCCL's.

A ring reduces in n - 1 hops, each of the n-th part, and gathers in as many (Patarasuk
and Yuan 2009); its slowest link sets the pace.
"""

from dataclasses import dataclass

from benchmarks.scale.given import FLOAT32


@dataclass(frozen=True)
class Traffic:
    """What a step sends.

    Attributes:
        collectives: of gradients; one, as TensorFlow packs them by default, and three
            for each sparse one (lengths, rows, indices).
        bytes_per_link: through each link of the ring.
        seconds: on the ring.
    """

    collectives: int
    bytes_per_link: float
    seconds: float


def ring_bytes(size, ranks):
    """Returns the bytes that each rank sends in an all-reduce of `size` bytes."""
    return 2 * (ranks - 1) / ranks * size


def gathered_bytes(size, ranks):
    """Returns the bytes that each rank sends on if each rank's `size` goes to all."""
    return (ranks - 1) * size


def all_reduce_seconds(size, ranks, rate, hop_seconds):
    """Returns how long an all-reduce of `size` bytes takes.

    Args:
        size: bytes that each rank has.
        ranks: int, in the ring.
        rate: bytes a second of the slowest link.
        hop_seconds: latency of one hop.
    """
    return ring_bytes(size, ranks) / rate + 2 * (ranks - 1) * hop_seconds


def gather_seconds(size, ranks, rate, hop_seconds):
    """Returns how long an all-gather of `size` bytes from each rank takes."""
    return gathered_bytes(size, ranks) / rate + (ranks - 1) * hop_seconds


def sparse_bytes(workload):
    """Returns the bytes of a GPU's sparse gradient: rows, and an index for each."""
    row = workload.embedding_dim * FLOAT32
    return workload.sparse_rows * (row + FLOAT32)


def ranks_where_dense_wins(workload, number_bytes=FLOAT32):
    """Returns from how many ranks on a dense sum sends less than gathered rows.

    (n - 1) · rows is more than 2 (n - 1) / n · table from n = 2 · table / rows on.
    """
    return 2 * workload.embedding * number_bytes / sparse_bytes(workload)


def gradients(workload, cluster, number_bytes=FLOAT32, gathers=False):
    """Returns the `Traffic` of one step.

    Args:
        workload: whose gradients.
        cluster: that sums them.
        number_bytes: of a number that is sent.
        gathers: whether a sparse gradient is gathered, as TensorFlow does, instead of
            being summed as a dense one.
    """
    ring = (cluster.gpus, cluster.link, cluster.hop_seconds)
    is_sparse = gathers and workload.embedding
    size = (workload.dense if is_sparse else workload.weights) * number_bytes
    sent, seconds = ring_bytes(size, cluster.gpus), all_reduce_seconds(size, *ring)
    if not is_sparse:
        return Traffic(1, sent, seconds)
    rows = sparse_bytes(workload)
    hops = 2 * (cluster.gpus - 1) * cluster.hop_seconds  # Those of two small gathers.
    return Traffic(
        4,
        sent + gathered_bytes(rows, cluster.gpus),
        seconds + gather_seconds(rows, *ring) + hops,
    )
