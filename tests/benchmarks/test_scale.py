"""The calculation of scale: formulas against simulations, and what must be true."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.report import RESULTS
from benchmarks.scale import classifying, collectives, failures, tables, training
from benchmarks.scale.__main__ import all_tables, main
from benchmarks.scale.breaks import breaks
from benchmarks.scale.given import (
    BFLOAT16,
    LSTM,
    SMOLLM2,
    WORKLOADS,
    Cluster,
    Machines,
    Measured,
    measured,
)

PAGE = RESULTS.parents[1] / "docs" / "scale.md"
GIGABITS = st.floats(1, 1000)
HOSTS = st.integers(2, 64)


def ring(values, is_gather):
    """Sends pieces round a ring, hop by hop; returns what each sent, and what it has.

    Args:
        values: `[rank][piece]`, of an all-reduce; of a gather `[rank][0]`.
        is_gather: whether nothing is summed.
    """
    ranks = len(values)
    sent = [0] * ranks
    if is_gather:
        held = [{rank: values[rank][0]} for rank in range(ranks)]
    else:
        sums = [list(row) for row in values]
        for hop in range(ranks - 1):
            moving = [
                (rank, (rank - hop) % ranks, sums[rank][(rank - hop) % ranks])
                for rank in range(ranks)
            ]
            for rank, piece, value in moving:
                sums[(rank + 1) % ranks][piece] += value
                sent[rank] += 1
        held = [
            {(rank + 1) % ranks: sums[rank][(rank + 1) % ranks]}
            for rank in range(ranks)
        ]
    last = [*held]
    for _ in range(ranks - 1):
        last = [dict(last[rank - 1]) for rank in range(ranks)]
        for rank in range(ranks):
            sent[rank - 1] += 1
            held[rank] = {**held[rank], **last[rank]}
    return sent, held


@pytest.mark.parametrize("ranks", [2, 3, 5, 8])
def test_a_ring_that_is_walked_through_sends_what_the_formula_says(ranks):
    values = [[10 * rank + piece for piece in range(ranks)] for rank in range(ranks)]
    sent, held = ring(values, is_gather=False)
    sums = {p: sum(10 * r + p for r in range(ranks)) for p in range(ranks)}
    assert held == [sums] * ranks
    # Pieces of 7 bytes.
    assert [7 * pieces for pieces in sent] == [
        pytest.approx(collectives.ring_bytes(7 * ranks, ranks))
    ] * ranks


@pytest.mark.parametrize("ranks", [2, 3, 8])
def test_a_gather_that_is_walked_through_sends_what_the_formula_says(ranks):
    sent, held = ring([[rank] for rank in range(ranks)], is_gather=True)
    assert held == [{rank: rank for rank in range(ranks)}] * ranks
    assert [5 * rows for rows in sent] == [collectives.gathered_bytes(5, ranks)] * ranks


def test_a_sum_of_known_size_takes_known_time():
    # 2 · 3 / 4 · 8 bytes at 4 bytes a second, and 6 hops of half a second.
    assert collectives.all_reduce_seconds(8, 4, 4, 0.5) == 3 + 3
    on = Cluster(ethernet=25)
    traffic = collectives.gradients(SMOLLM2, on)
    sent = 2 * 63 / 64 * 4 * SMOLLM2.weights
    assert traffic.bytes_per_link == pytest.approx(sent)
    assert traffic.seconds == pytest.approx(sent / 2.5e9 + 126 * 10e-6)


def test_rows_are_gathered_by_few_and_summed_by_many():
    on = Cluster(gpus_per_host=1, hop_seconds=0)
    limit = collectives.ranks_where_dense_wins(LSTM)
    for hosts in (2, math.floor(limit), math.ceil(limit), 64):
        gathered, summed = (
            collectives.gradients(LSTM, replace(on, hosts=hosts), gathers=gathers)
            for gathers in (True, False)
        )
        assert (gathered.seconds < summed.seconds) == (hosts < limit)


@given(GIGABITS, GIGABITS, HOSTS)
def test_a_faster_network_makes_no_step_slower(one, other, hosts):
    slow, fast = sorted((one, other))
    for workload in WORKLOADS:
        for options in ({}, {"overlap": True}, {"gathers": True}):
            seconds = [
                training.step(
                    workload, Cluster(hosts=hosts, ethernet=rate), **options
                ).seconds
                for rate in (fast, slow)
            ]
            assert seconds[0] <= seconds[1]


@given(GIGABITS, HOSTS)
def test_overlap_and_fewer_bytes_help_and_efficiency_is_a_share(rate, hosts):
    on = Cluster(hosts=hosts, ethernet=rate)
    plain = training.step(LSTM, on)
    best = training.step(LSTM, on, BFLOAT16, overlap=True)
    assert 0 < plain.efficiency <= best.efficiency <= 1
    # The last pack is never hidden.
    assert best.exposed >= best.traffic / training.PACKS - 1e-12


@given(HOSTS, HOSTS)
def test_more_hosts_never_compute_less_and_never_take_fewer_gpu_hours(one, other):
    few, many = sorted((one, other))
    for workload in WORKLOADS:
        gpu_seconds = []
        for hosts in (few, many):
            on = Cluster(hosts=hosts)
            count = training.steps(workload, on) * on.gpus
            products = count * training.compute_seconds(workload, on)
            gpu_seconds.append((products, count * training.step(workload, on).seconds))
        assert gpu_seconds[0][0] == pytest.approx(gpu_seconds[1][0])
        assert gpu_seconds[0][1] <= gpu_seconds[1][1] * (1 + 1e-12)


def test_one_gpu_sums_nothing():
    one = training.step(LSTM, Cluster(hosts=1, gpus_per_host=1))
    assert (one.exposed, one.efficiency) == (0, 1)


def test_the_slowest_of_two_is_that_of_the_normal_distribution():
    # E[max] of two is σ / √π; of 64 it is 2.34 σ.
    assert training.slowest(2, 0.1) == pytest.approx(1 + 0.1 / math.sqrt(math.pi), 1e-3)
    assert training.slowest(64, 0.1) == pytest.approx(1.234, abs=2e-3)
    assert training.slowest(64, 0) == training.slowest(1, 0.1) == 1


JOBS = st.builds(
    failures.Job,
    work=st.floats(1, 1e5),
    interval=st.floats(10, 1e4),
    backup=st.floats(0, 100),
    restart=st.floats(0, 1000),
)


@given(JOBS, st.integers(0, 9))
def test_a_job_without_failures_takes_its_work_and_its_backups(job, seed):
    count = math.ceil(job.work / job.interval - 1e-9)
    expected = pytest.approx(job.work + count * job.backup)
    assert failures.simulate(job, seed) == (expected, 0)
    assert job.expected() == expected


@pytest.mark.parametrize("mean_time", [500, 3_000, 1e6])
def test_simulated_jobs_take_what_daly_expects(mean_time):
    job = failures.Job(20_000, 700, 30, 200, mean_time)
    mean, spread, _ = failures.simulate_often(job, 1500)
    # Five standard errors.
    assert abs(mean - job.expected()) <= 5 * spread / math.sqrt(1500) + 1e-9


def test_rare_failures_cost_what_young_says():
    # The share √(2 · backup / mean time), at √(2 · backup · mean time).
    backup, mean_time = 10, 1e7
    best = failures.best_interval(backup, mean_time)
    assert best == pytest.approx(math.sqrt(2 * backup * mean_time), rel=1e-3)
    job = failures.Job(1000 * best, best, backup, 0, mean_time)
    share = job.expected() / job.work - 1
    assert share == pytest.approx(math.sqrt(2 * backup / mean_time), rel=2e-2)


@given(st.floats(1, 100), st.floats(1e3, 1e6), st.floats(0.3, 3))
def test_no_other_interval_costs_less_than_the_best(backup, mean_time, factor):
    best = failures.best_interval(backup, mean_time)

    def share(interval):
        piece = failures.Job(interval, interval, backup, 60, mean_time)
        return piece.expected() / interval

    assert share(best) <= share(factor * best) * 1.002  # Daly's is an estimate.


@settings(deadline=None)
@given(st.integers(1, 2000), st.integers(1, 100), st.integers(1, 9))
def test_a_pool_without_trouble_takes_its_rounds_of_shards(texts, shard, cores):
    pool = classifying.Pool(cores, rate=2.0, start_seconds=3.0)
    texts *= shard  # Whole shards.
    rounds = math.ceil(texts / shard / cores)
    found = classifying.simulate(pool, texts, shard, seed=0)
    assert found.seconds == pytest.approx(rounds * (3 + shard / 2))
    assert (found.retries, found.efficiency <= 1) == (0, True)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000))
def test_a_pool_that_loses_cores_still_does_every_shard(seed):
    calm = classifying.Pool(8, rate=10.0, start_seconds=1.0)
    shaky = replace(calm, lost_seconds=60.0, replace_seconds=5.0)
    found = classifying.simulate(shaky, 10_050, 100, seed)
    assert found.seconds >= classifying.simulate(calm, 10_050, 100, seed).seconds
    # A shard of eleven seconds is lost about every fifth time.
    assert 5 <= found.retries <= 60
    assert found == classifying.simulate(shaky, 10_050, 100, seed)


def test_words_grow_by_heaps_law():
    found = replace(measured(), new_words=((1, 100, 10), (4, 400, 20)))
    assert training.distinct_words(found, 10_000) == (pytest.approx(100), 0.5)


def test_a_host_that_reads_all_needs_a_core_for_each_that_its_share_needs():
    on, found = Cluster(), measured()
    share, all_of_it = (
        training.cores_to_feed(SMOLLM2, on, found, 0.1, shares=shares)
        for shares in (True, False)
    )
    assert all_of_it == pytest.approx(8 * share)
    rate = found.tokens_per_second["byte_pairs"]
    assert share == pytest.approx(8_192 * 8 / 0.1 / rate)


def test_the_ranking_is_by_what_is_added():
    for workload in WORKLOADS:
        found = breaks(workload, Cluster(), measured())
        assert found == sorted(found, key=lambda each: -each.seconds)
        assert all(each.seconds >= 0 for each in found)
        by_what = {each.what: each.seconds for each in found}
        slow, fast = (
            by_what[f"gradients summed in float32 after all products, {rate} Gbit/s"]
            for rate in (25, 400)
        )
        assert slow > fast > 0


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ([80, "s"], "80 s"),
        ([0.0123, "s"], "12 ms"),
        ([5000, "s"], "83 min"),
        ([2e10, "B"], "20 GB"),
        ([0.105, "%"], "10 %"),
        ([1234.5, ""], "1 230"),
        ([7.25, "$"], "$7.2"),
        ([0, "s"], "0 s"),
        ("text", "text"),
    ],
)
def test_numbers_are_shown_with_two_or_three_digits(cell, text):
    assert tables.shown(cell) == text


@pytest.fixture(scope="module")
def stored():
    return json.loads((RESULTS / "scale.json").read_text("utf-8"))


def test_the_page_shows_the_tables_that_are_stored(stored):
    page = PAGE.read_text("utf-8")
    for name, rows in stored["tables"].items():
        assert tables.Table(name, rows).markdown() in page, name


def test_the_script_makes_the_tables_that_are_stored(stored):
    # From the measurements of then: others may have been made since.
    made = all_tables(
        Cluster(**stored["cluster"]),
        Machines(**stored["machines"]),
        Measured(**stored["measured"]),
        10**9,
    )
    assert json.loads(json.dumps({t.name: t.rows for t in made})) == stored["tables"]


def test_flags_change_what_is_computed(tmp_path, capsys, stored):
    path = tmp_path / "scale.json"
    main([f"--output={path}", "--hosts=2", "--texts=10000000", "--cpu_cores=4"])
    found = json.loads(path.read_text("utf-8"))
    assert found["cluster"] == {**stored["cluster"], "hosts": 2}
    assert found["machines"]["cores"] == 4
    assert "16 GPUs, 25 Gbit/s" in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["--hosts=0", "--gpu_price=nan", "--texts=many"])
def test_a_flag_that_is_no_amount_is_named(flag, capsys):
    with pytest.raises(SystemExit):
        main([flag])
    name, value = flag.split("=")
    assert f"argument {name}: expected a" in (error := capsys.readouterr().err)
    assert f"above 0, received '{value}'" in error
