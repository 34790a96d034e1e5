"""What the calculation starts from: a cluster, workloads, and what was measured.

Each value says where it comes from; what is assumed is a field of a dataclass here, or
a flag of `python -m benchmarks.scale`.
"""

import json
import re
from dataclasses import dataclass

from benchmarks.report import RESULTS

GIGABIT = 1e9 / 8
FLOAT32, BFLOAT16 = 4, 2


@dataclass(frozen=True)
class Cluster:
    """Hosts with GPUs. All of it is assumed.

    Attributes:
        hosts: how many.
        gpus_per_host: NVIDIA A100 SXM, joined by NVLink.
        peak_flops: of a GPU in bfloat16, dense: NVIDIA's data sheet of the A100.
        nvlink: bytes a second in one direction: the same data sheet, 600 GB both ways.
        ethernet: gigabits a second of a host's network, in one direction.
        link_efficiency: the share of these rates that collectives reach.
        hop_seconds: latency of one step of a ring.
        cores: of a host's processors that may tokenize.
        disk: bytes a second of shared storage, read or written by one host.
        start_seconds: from a failure to the first step: a new host, imports, tracing
            (`benchmarks/results/large_model.json`: 32 s on two cores), the backup.
        gpu_price: dollars for an hour of a GPU, an example.
    """

    hosts: int = 8
    gpus_per_host: int = 8
    peak_flops: float = 312e12
    nvlink: float = 300e9
    ethernet: int = 100
    link_efficiency: float = 0.8
    hop_seconds: float = 10e-6
    cores: int = 48
    disk: float = 1e9
    start_seconds: int = 300
    gpu_price: float = 2.0

    @property
    def gpus(self):
        """GPUs of all hosts."""
        return self.hosts * self.gpus_per_host

    @property
    def link(self):
        """Bytes a second of the slowest link of a ring through all GPUs."""
        rate = self.nvlink if self.hosts == 1 else self.ethernet * GIGABIT
        return rate * self.link_efficiency


@dataclass(frozen=True)
class Workload:
    """A language model that is pretrained.

    Attributes:
        name: in the tables.
        weights: all of them; each has a gradient, and two moments of Adam.
        multiplied: weights that a token is multiplied with.
        attention: products of attention for a token, forward, both factors counted.
        tokens_per_gpu: of a GPU's batch.
        utilisation: lowest, assumed and highest share of a GPU's peak.
        embedding: weights of the embedding, whose gradient is sparse where the softmax
            is estimated; 0 where it is dense.
        sparse_rows: of the embedding that have a gradient in a GPU's batch.
        embedding_dim: width of such a row.
        id_bytes: of a token in a shard.
        unit: of its tokens, "words" or "byte_pairs".
        steps_per_epoch: after an epoch, evaluation and backup.
        tokens: that it reads.
    """

    name: str
    weights: int
    multiplied: int
    attention: float
    tokens_per_gpu: int
    utilisation: tuple[float, float, float]
    embedding: int
    sparse_rows: int
    embedding_dim: int
    id_bytes: int
    unit: str
    steps_per_epoch: int = 250
    tokens: float = 1e10

    @property
    def flops_per_token(self):
        """Of forward, and twice as much backward."""
        return 3 * (2 * self.multiplied + self.attention)

    @property
    def dense(self):
        """Weights whose gradient is dense."""
        return self.weights - self.embedding


def _lstm_products(embedding, hidden, sampled):
    """Weights that a token meets in two layers, the projection and the softmax."""
    layers = 4 * hidden * (embedding + hidden) + 4 * hidden * (hidden + hidden)
    return layers + hidden * embedding + sampled * embedding


# recipes/flags/language_models/12m.flags: 300 × 640, 20 000 words, of which the softmax
# is estimated on 4 096; weights and the tokens of a batch of 128 texts: its results.
LSTM = Workload(
    name="LSTM, 12 M",
    weights=11_900_620,
    multiplied=_lstm_products(300, 640, 4096),
    attention=0,
    tokens_per_gpu=2_727,
    # Step follows step, each a small product: far below what a GPU can do. No source.
    utilisation=(0.05, 0.10, 0.20),
    embedding=20_000 * 300,
    # About as many as the softmax is estimated on, most words of the texts among them.
    sparse_rows=4_096,
    embedding_dim=300,
    id_bytes=2,
    unit="words",
)
# docs/models.md, and the model's configuration: 30 blocks of width 576, texts of 512.
SMOLLM2 = Workload(
    name="SmolLM2-135M",
    weights=134_515_008,
    multiplied=134_515_008,
    attention=30 * 2 * 576 * 512,  # Half of 4 × width × time: it looks back alone.
    tokens_per_gpu=8_192,
    # Large products, but of a narrow model. No source: a range that we would expect.
    utilisation=(0.20, 0.30, 0.40),
    embedding=0,
    sparse_rows=0,
    embedding_dim=576,
    id_bytes=2,
    unit="byte_pairs",
)
WORKLOADS = (LSTM, SMOLLM2)


@dataclass(frozen=True)
class Reliability:
    """How often something ends a job. Assumed.

    Attributes:
        name: in the tables.
        gpu_hours: mean time between failures, in hours of one GPU.
    """

    name: str
    gpu_hours: float

    def mean_seconds(self, cluster):
        """Mean time between failures of the cluster, any of which ends the job."""
        return 3600 * self.gpu_hours / cluster.gpus


RELIABILITIES = (
    # 419 unexpected interruptions of 16 384 GPUs in 54 days: Grattafiori et al. 2024,
    # "The Llama 3 Herd of Models", section 3.3.4.
    Reliability("as Llama 3's", 16_384 * 54 * 24 / 419),
    # A host of eight is taken back once a day.
    Reliability("spot, each host once a day", 8 * 24),
)


@dataclass(frozen=True)
class Machines:
    """CPU machines that classify. All of it is assumed.

    Attributes:
        machines: how many.
        cores: of each, with a process on each.
        core_efficiency: rate of a core beside busy ones, relative to one alone.
        spread: standard deviation of the logarithm of a core's speed.
        lost_hours: after which a machine is taken back, on average.
        replace_seconds: until another one stands in.
        core_price: dollars for an hour of a core, an example.
    """

    machines: int = 100
    cores: int = 16
    core_efficiency: float = 0.8
    spread: float = 0.1
    lost_hours: int = 24
    replace_seconds: int = 120
    core_price: float = 0.04


@dataclass(frozen=True)
class Measured:
    """What was measured, of one worker.

    Attributes:
        bytes_per_text: of tweets; `results/tokenizing.json`, as all up to `new_words`.
        gunzip: bytes a second of one core.
        tokens_per_text: by unit.
        tokens_per_second: of one core, by unit.
        new_words: texts, words and distinct words of two corpora.
        reading: texts a second that one thread of Python reads from a file.
        counting: texts a second of `recipes.build_vocabulary`, in docs/speed.md.
        validation_tokens: of an evaluation; `results/language_models/12m.json`.
        cpu_tokens: tokens a second of training on two cores, by workload;
            `results/input_share.json`, `results/large_model.json`, in bfloat16.
        formats: texts a second of an export on one thread, and seconds to load it and
            to answer first; `results/formats.json`, short texts (snips).
    """

    bytes_per_text: float
    gunzip: float
    tokens_per_text: dict[str, float]
    tokens_per_second: dict[str, float]
    new_words: tuple[tuple[int, int, int], ...]
    reading: float
    counting: float
    validation_tokens: int
    cpu_tokens: dict[str, float]
    formats: dict[str, tuple[float, float]]


def measured():
    """Reads what the benchmarks have written, and `docs/speed.md`."""
    tokenizing = _read("tokenizing")
    units = {unit: tokenizing[unit] for unit in ("words", "byte_pairs")}
    shipped = _read("input_share")["rows"][1]
    step = next(r for r in _read("large_model")["rows"] if "bfloat16" in r["work"])
    texts = shipped["units"]["count"] / shipped["seconds"]["ours"]
    speed = (RESULTS.parents[1] / "docs" / "speed.md").read_text("utf-8")
    formats = {
        f"{model}, {kind}": (
            found["texts_per_second"],
            found["load_seconds"] + found["first_answer_seconds"],
        )
        for model, kinds in _read("formats")["models"].items()
        for kind, found in kinds.items()
        if kind in ("SavedModel", "LiteRT, int8")
    }
    return Measured(
        bytes_per_text=tokenizing["bytes_per_text"],
        gunzip=tokenizing["gunzip_bytes_per_second"],
        tokens_per_text={u: each["tokens_per_text"] for u, each in units.items()},
        tokens_per_second={u: each["tokens_per_second"] for u, each in units.items()},
        new_words=tuple(
            (each["texts"], each["tokens"], each["distinct"])
            for each in tokenizing["vocabulary"]
        ),
        reading=tokenizing["texts_read_per_second"],
        counting=_number(r"([\d ]+) lines per second", speed),
        validation_tokens=_read("language_models/12m")["validation_tokens"],
        cpu_tokens={
            LSTM.name: texts * units["words"]["tokens_per_text"],
            SMOLLM2.name: 32 * 64 / step["seconds"]["ours"],
        },
        formats=formats,
    )


def _number(pattern, text):
    return float(re.search(pattern, text)[1].replace(" ", ""))


def _read(name):
    return json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
