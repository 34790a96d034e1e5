"""The tables of `docs/scale.md`: rows of numbers, and how they are shown."""

from dataclasses import dataclass, replace

from benchmarks.scale import classifying, training
from benchmarks.scale.breaks import NETWORKS, SPREAD, breaks
from benchmarks.scale.collectives import gradients
from benchmarks.scale.failures import Job, best_interval, simulate_often
from benchmarks.scale.given import (
    BFLOAT16,
    FLOAT32,
    RELIABILITIES,
    SMOLLM2,
    WORKLOADS,
)

# Of a number of seconds or bytes, the largest unit of which there are 1.5 is shown.
LARGER = {
    "s": ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"), (1e-3, "ms")),
    "B": ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")),
}
DTYPES = {"float32": FLOAT32, "bfloat16": BFLOAT16}
SPREADS = (0.02, 0.05, 0.1)
SHARDS = {
    "shipped LSTM, LiteRT, int8": (10_000, 100_000, 1_000_000),
    "SmolLM2-135M, LiteRT, int8": (10_000, 1_000_000),
}
TOKENS = (1e10, 1e12)
HOSTS = (1, 2, 8)
BYTES_PER_WORD = 100  # `WORDS_HELD` of `text/build_vocabulary.py`: 200 MB.


@dataclass(frozen=True)
class Table:
    """Rows, each of a cell for a heading.

    Attributes:
        name: of the table.
        rows: list of dicts, by heading: texts, or numbers with their unit,
            `[number, unit]`.
    """

    name: str
    rows: list[dict]

    def markdown(self):
        """Shows it."""
        heads = list(self.rows[0])
        lines = [heads, ["---"] * len(heads)]
        lines += [[shown(row[head]) for head in heads] for row in self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(cell):
    """Shows a cell: two or three digits of a number, and its unit."""
    if isinstance(cell, str):
        return cell
    value, unit = cell
    if unit == "$":
        return f"${digits(value)}"
    if unit == "%":
        value *= 100
    elif unit in LARGER and value:
        sizes = LARGER[unit]
        size, unit = next((s for s in sizes if value >= 1.5 * s[0]), sizes[-1])
        value /= size
    return f"{digits(value)} {unit}".rstrip()


def digits(value):
    """Shows two or three digits of a number."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{float(f'{value:.3g}'):,.0f}".replace(",", " ")
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"


def input_table(cluster, measured):
    """What a host reads, and what tokenizing takes."""
    rows = []
    for workload in WORKLOADS:
        step = training.step(workload, cluster).compute
        text = training.corpus_bytes(workload, measured)
        ids = training.corpus_bytes(workload, measured, 1)
        rate = workload.tokens_per_gpu * cluster.gpus_per_host / step
        fed = [
            training.cores_to_feed(workload, cluster, measured, step, shares)
            for shares in (True, False)
        ]
        rows.append(
            {
                "": workload.name,
                "text": [text, "B"],
                "2 bytes an id": [2 * ids, "B"],
                "4 bytes": [4 * ids, "B"],
                "a host's share, 2 bytes": [2 * ids / cluster.hosts, "B"],
                "a host needs, a second": [rate, "tokens"],
                "a core makes": [measured.tokens_per_second[workload.unit], "tokens"],
                "cores, a share each": [fed[0], ""],
                "cores, all on each": [fed[1], ""],
            }
        )
    return Table("input", rows)


def collective_table(cluster):
    """The sum of the gradients, on four links."""
    rows = []
    for workload in WORKLOADS:
        for dtype, size in DTYPES.items():
            rows.append(_sums(workload, cluster, dtype, size, False))
        if workload.embedding:
            rows.append(_sums(workload, cluster, "rows gathered", FLOAT32, True))
    return Table("collectives", rows)


def _sums(workload, cluster, kind, size, gathers):
    one_host = replace(cluster, hosts=1)
    on = [replace(cluster, ethernet=gigabits) for gigabits in NETWORKS]
    traffic = [gradients(workload, each, size, gathers) for each in (one_host, *on)]
    return {
        "": f"{workload.name}, {kind}",
        "collectives": [traffic[0].collectives, ""],
        "through each link": [traffic[-1].bytes_per_link, "B"],
        f"{cluster.gpus_per_host} GPUs, NVLink": [traffic[0].seconds, "s"],
        **{
            f"{cluster.gpus} GPUs, {gigabits} Gbit/s": [each.seconds, "s"]
            for gigabits, each in zip(NETWORKS, traffic[1:], strict=True)
        },
    }


def efficiency_table(cluster):
    """Share of a step that computes, by network, with overlap and without."""
    rows = []
    for workload in WORKLOADS:
        for factor in (1, 8):
            sized = replace(workload, tokens_per_gpu=workload.tokens_per_gpu * factor)
            row = {
                "": workload.name,
                "tokens a GPU": [sized.tokens_per_gpu, ""],
                "products": [training.compute_seconds(sized, cluster), "s"],
            }
            for gigabits in NETWORKS:
                on = replace(cluster, ethernet=gigabits)
                plain = training.step(sized, on)
                best = training.step(sized, on, BFLOAT16, overlap=True)
                row[f"{gigabits} Gbit/s"] = [plain.efficiency, "%"]
                row[f"{gigabits}, bfloat16, overlap"] = [best.efficiency, "%"]
            rows.append(row)
    return Table("efficiency", rows)


def straggler_table(cluster):
    """The slowest of so many."""
    rows = []
    for count in (cluster.gpus_per_host, cluster.gpus):
        row = {"standard deviation of a step": f"slowest of {count}"}
        for spread in SPREADS:
            later = training.slowest(count, spread) - 1
            row[shown([spread, "%"])] = [later, "%"]
        rows.append(row)
    return Table("stragglers", rows)


def failure_table(cluster, seeds):
    """A run that any failure ends, with backups after epochs and as they cost least."""
    rows = []
    for tokens in TOKENS:
        workload = replace(SMOLLM2, tokens=tokens)
        each = training.step(workload, cluster).seconds
        work = each * training.steps(workload, cluster)
        backup = training.backup_seconds(workload, cluster)
        for reliability in RELIABILITIES:
            mean_time = reliability.mean_seconds(cluster)
            best = best_interval(backup, mean_time)
            epoch = each * workload.steps_per_epoch
            row = {
                "SmolLM2-135M": f"10^{len(str(int(tokens))) - 1} tokens",
                "failures": reliability.name,
                "a day": [86_400 / mean_time, ""],
                "without": [work, "s"],
            }
            for name, interval in (("epochs", epoch), ("Young/Daly", best)):
                whole = min(interval, work)
                job = Job(work, whole, backup, cluster.start_seconds, mean_time)
                mean, spread, failures = simulate_often(job, seeds)
                row[f"backup, {name}"] = [whole, "s"]
                row[f"total, {name}"] = f"{shown([mean, 's'])} ± {shown([spread, 's'])}"
                row[f"lost, {name}"] = [job.expected() / work - 1, "%"]
            row["failures, run"] = [failures, ""]
            rows.append(row)
    return Table("failures", rows)


def total_table(cluster, measured, seeds):
    """What a run takes on one host and more, with all that comes to the products."""
    rows = []
    for workload in WORKLOADS:
        for hosts in HOSTS:
            on = replace(cluster, hosts=hosts)
            # An epoch is as many tokens on all.
            epoch = workload.steps_per_epoch * max(HOSTS) // hosts
            low, middle, high = (
                _total(each, on, measured, seeds)
                for each in (
                    replace(workload, utilisation=(share,) * 3, steps_per_epoch=epoch)
                    for share in workload.utilisation
                )
            )
            products = training.steps(workload, on) * training.compute_seconds(
                workload, on
            )
            hours = middle / 3600 * on.gpus
            cpu = workload.tokens / measured.cpu_tokens[workload.name]
            rows.append(
                {
                    "": workload.name,
                    "hosts": [hosts, ""],
                    "steps": [training.steps(workload, on), ""],
                    "products": [products, "s"],
                    "with all else": [middle, "s"],
                    "at the lowest, highest share of the peak": (
                        f"{shown([low, 's'])}, {shown([high, 's'])}"
                    ),
                    "GPU hours": [hours, ""],
                    "example price": [hours * cluster.gpu_price, "$"],
                    "two CPU cores, as measured": [cpu, "s"],
                }
            )
    return Table("total", rows)


def _total(workload, cluster, measured, seeds):
    """Returns a run's seconds: start, steps, evaluation and backups, failures."""
    work = training.steps(workload, cluster)
    work *= training.step(workload, cluster).seconds
    work *= training.slowest(cluster.gpus, SPREAD)
    chief = training.backup_seconds(workload, cluster)
    chief += training.evaluation_seconds(workload, cluster, measured.validation_tokens)
    interval = work / training.epochs(workload, cluster)
    mean_time = RELIABILITIES[0].mean_seconds(cluster)
    job = Job(work, interval, chief, cluster.start_seconds, mean_time)
    return cluster.start_seconds + simulate_often(job, seeds)[0]


def vocabulary_table(measured):
    """Distinct words of two corpora, and of one that nobody has counted."""
    rows = []
    tokens = WORKLOADS[0].tokens
    words, exponent = training.distinct_words(measured, tokens)
    counted = [
        (total, distinct, "counted") for _, total, distinct in measured.new_words
    ]
    law = f"grown as words^{exponent:.2f}"
    for total, distinct, how in (*counted, (tokens, words, law)):
        rows.append(
            {
                "words": [total, ""],
                "distinct": [distinct, ""],
                "how": how,
                "memory, were all held": [distinct * BYTES_PER_WORD, "B"],
            }
        )
    return Table("vocabulary", rows)


def break_table(cluster, measured):
    """What each part adds to the products, for each language model, the most first."""
    found = {w.name: breaks(w, cluster, measured) for w in WORKLOADS}
    by_what = {}
    for name, each in found.items():
        for one in each:
            # Epochs differ in number alone.
            what = one.what.split(", after each")[0]
            by_what.setdefault(what, {"mends": one.mends})[name] = one
    ranked = sorted(
        by_what.items(),
        key=lambda item: -max(item[1][n].share for n in found if n in item[1]),
    )
    rows, free = [], []
    for what, one in ranked:
        if not any(one[n].seconds for n in found if n in one):
            free.append(what)
            continue
        row = {"what": what}
        for name in found:
            row[name] = "" if name not in one else [one[name].seconds, "s"]
            row[f"{name}, of the products"] = (
                "" if name not in one else [one[name].share, "×"]
            )
        rows.append({**row, "what mends it": one["mends"]})
    nothing = dict.fromkeys(rows[0], "")
    rows.append({**nothing, "what": f"nothing: {'; '.join(free)}"})
    return Table("breaks", rows)


def format_table(machines, measured, texts):
    """What each format takes for all texts."""
    rows = []
    cores = machines.machines * machines.cores
    for name, (rate, start) in measured.formats.items():
        hours = texts / (rate * machines.core_efficiency) / 3600
        rows.append(
            {
                "": name,
                "texts a second, one thread": [rate, ""],
                "load, first answer": [start, "s"],
                "core hours": [hours, ""],
                f"hours on {cores} cores": [hours / cores, ""],
                "at the example price": [hours * machines.core_price, "$"],
            }
        )
    return Table("formats", rows)


def shard_table(machines, measured, texts, seeds):
    """Shards of three sizes, and what stragglers and lost machines cost."""
    rows = []
    for name, shards in SHARDS.items():
        rate, start = measured.formats[name]
        for shard in shards:
            pool = classifying.Pool(
                machines.machines * machines.cores,
                rate * machines.core_efficiency,
                start,
                machines.spread,
                machines.lost_hours * 3600,
                machines.replace_seconds,
            )
            mean, spread, retries, share = classifying.simulate_often(
                pool, texts, shard, seeds
            )
            rows.append(
                {
                    "": name,
                    "texts a shard": [shard, ""],
                    "shards": [-(-texts // shard), ""],
                    "a shard takes": [start + shard / pool.rate, "s"],
                    "retries": [retries, ""],
                    "all": f"{shown([mean, 's'])} ± {shown([spread, 's'])}",
                    "of an ideal pool": [share, "%"],
                }
            )
    return Table("shards", rows)
