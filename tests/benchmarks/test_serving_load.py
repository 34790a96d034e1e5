"""The load test of servers: what it draws, compares and counts, and a small run."""

import itertools
import json
import socket
import sys

import numpy as np
import pytest

from benchmarks.serving import mixes
from benchmarks.serving.answers import Judge
from benchmarks.serving.cells import (
    Cell,
    all_cells,
    highest_rate,
    is_finished,
    measure,
)
from benchmarks.serving.connection import Address
from benchmarks.serving.latency import arrivals, percentiles, slope
from benchmarks.serving.server import Server
from rigs import predict_stand_in

TEXTS = ["so glad", "my flight is late " * 20, "what a day", *["so late " * 30] * 2]
ADDRESS = Address("127.0.0.1", 8501, "classifier")


def asked():
    """What `benchmarks.serving.asked` writes, for the stand-in."""
    groups = {"short": TEXTS[::2], "review": TEXTS[1::2], **mixes.HOSTILE_TEXTS}
    texts, kinds = [], {}
    for kind, group in groups.items():
        kinds[kind] = [*range(len(texts), len(texts) + len(group))]
        texts += map(mixes.written, group)
    rows = [predict_stand_in.answer(text) for text in texts]
    return {
        "texts": texts,
        "kinds": kinds,
        "labels": [row["label"] for row in rows],
        "probabilities": [row["probabilities"] for row in rows],
        "tolerance": 1e-4,
    }


def drawn(mix, count, seed=0):
    given = asked()
    stream = mixes.requests(mix, given["texts"], given["kinds"], ADDRESS, seed)
    return [*itertools.islice(stream, count)]


def body_of(request):
    head, _, body = request.payload.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    return body


@pytest.fixture
def server(tmp_path):
    """A stand-in that runs, and its folder of versions."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = ADDRESS._replace(port=probe.getsockname()[1])
    (tmp_path / "versions" / "1").mkdir(parents=True)
    command = [sys.executable, predict_stand_in.__file__]
    command += [str(address.port), str(tmp_path / "versions")]
    with Server(command, address, tmp_path / "log") as running:
        yield running


@pytest.fixture
def asked_file(tmp_path):
    path = tmp_path / "asked.json"
    path.write_text(json.dumps(asked()), "utf-8")
    return path


def test_percentiles_are_latencies_that_were_measured():
    seconds = np.arange(1, 1001) / 1e3
    found = percentiles(np.random.default_rng(0).permutation(seconds))
    assert found == {"p50_ms": 500, "p99_ms": 990, "p99.9_ms": 999, "max_ms": 1000}
    assert percentiles([0.25])["p99.9_ms"] == 250
    assert percentiles([]) == {}


def test_requests_arrive_at_random_and_the_same_each_time():
    times = arrivals(200, 50)
    np.testing.assert_array_equal(times, arrivals(200, 50))
    assert len(times) != len(arrivals(200, 50, seed=1))
    gaps = np.diff(times)
    assert len(times) == pytest.approx(10_000, rel=0.05) and times[-1] < 50
    # Of an exponential distribution, mean and deviation are one.
    assert gaps.min() > 0 and gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert len(arrivals(0.001, 1)) == 0


def test_memory_grows_by_so_many_megabytes():
    requests = [1_000, 2_000, 3_000, 4_000]
    assert slope(requests, [500, 502, 504, 506]) == pytest.approx(2)
    assert slope([0, 0, 0], [500, 501, 502]) == 0


@pytest.mark.parametrize("mix", mixes.MIXES)
def test_a_mix_is_the_same_each_time(mix):
    first, again = (
        [request.payload for request in drawn(mix, 5_000)] for _ in range(2)
    )
    assert first == again != [request.payload for request in drawn(mix, 5_000, 1)]


def test_five_in_a_hundred_are_hostile_and_say_what_may_be_answered():
    found = drawn("hostile", 20_000)
    hostile = [r for r in found if r.kind not in mixes.ORDINARY["mixed"]]
    assert len(hostile) == pytest.approx(1_000, rel=0.1)
    assert {r.kind for r in hostile} == {*mixes.HOSTILE_TEXTS, *mixes.BROKEN}
    for request in {id(r): r for r in hostile}.values():
        if request.kind in mixes.BROKEN:
            assert request.statuses == {400} and not request.rows
            assert {request.kind: body_of(request)} != {request.kind: b"{}"}
        else:
            assert 200 in request.statuses and len(request.rows) == 1
    bodies = {r.kind: json.loads(body_of(r)) for r in hostile if r.rows}
    assert bodies["1 MB"] == {"instances": ["#a" * 500_000]}
    assert list(bodies["invalid UTF-8"]["instances"][0]) == ["b64"]


def test_batches_have_32_texts():
    texts = asked()["texts"]
    for request in drawn("batches", 10):
        body = json.loads(body_of(request))["instances"]
        assert body == [texts[row] for row in request.rows] and len(body) == 32


def test_an_answer_is_right_by_its_label_and_probabilities():
    judge = Judge(["a", "b"], [[0.9, 0.1], [0.2, 0.8]], 1e-4)
    request = mixes.Request("short", b"", (1,), frozenset({200}), set())

    def fault(label="b", shares=(0.2, 0.8), rows=1):
        answer = {"label": label, "probabilities": shares}
        return judge.fault(request, json.dumps({"predictions": [answer] * rows}))

    assert fault() == fault(shares=[0.20005, 0.79995]) == ""
    assert fault(shares={"a": 0.2, "b": 0.8}) == ""
    assert fault(label="a") == "text 1: a, expected b"
    assert "away" in fault(shares=[0.2002, 0.7998])
    assert "nan away" in fault(shares=[float("nan"), 0.8])
    assert "not an answer" in fault(shares=[0.2]) and "not 1 answers" in fault(rows=2)
    assert "no predictions" in judge.fault(request, b'{"error": "busy"}')
    assert len(request.right) == 3


def test_without_known_answers_probabilities_must_sum_to_one():
    judge = Judge(None, None, 1e-4)
    request = mixes.Request("short", b"", (0,), frozenset({200}), set())
    answer = '{"predictions": [{"label": "a", "probabilities": [0.4, %s]}]}'
    assert judge.fault(request, answer % 0.6) == ""
    assert "away" in judge.fault(request, answer % 0.7)


def test_a_cell_is_measured_again_when_its_settings_are_others():
    cells = all_cells(300, 100_000)
    assert len({cell.name for cell in cells}) == len(cells) == 14
    assert cells[:-1] == all_cells(300, 100_000, versions=False)
    found = {"closed, short, 8": {"cell": vars(cells[1]), "requests_per_second": 9}}
    assert [cell.name for cell in cells if is_finished(cell, found)] == [*found]
    assert not any(is_finished(cell, found) for cell in all_cells(20, 100_000))


def test_an_open_loop_asks_at_a_share_of_the_highest_rate(asked_file):
    found = {f"closed, short, {n}": {"requests_per_second": n * 5} for n in (1, 8, 64)}
    assert highest_rate("short", found) == 320
    job = Cell("open, short", "short", 0, 10).job(asked_file, ADDRESS, found)
    assert job.rate == 256


def test_a_server_is_asked_by_clients_at_once(server, asked_file):
    cell = Cell("memory", "hostile", 4, requests=1_500)
    found = measure(cell, server, asked_file, {})
    assert found["wrong"] == 0 and not found["wrong_examples"] and not found["faults"]
    assert found["requests"] == sum(found["statuses"].values()) >= 1_500
    assert found["statuses"].keys() == {"200", "400", "413"}
    assert found["by_kind"].keys() == mixes.shares("hostile").keys()
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["p99.9_ms"]
    assert len(found["memory"]) == 11 and found["memory"][-1]["replica_mb"] > 5
    assert found["server_cores"]["other"] > 0 < found["generator_cores"]


def test_what_is_wrong_or_fails_is_counted(server, tmp_path):
    given = asked()
    given["texts"][given["kinds"]["short"][0]] = "wrong"
    given["texts"][given["kinds"]["review"][0]] = "too long " * 10_000
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(given), "utf-8")
    found = measure(Cell("memory", "mixed", 2, requests=200), server, path, {})
    assert found["wrong"] > 10 and found["faults"]["review: 413"] > 10
    assert found["wrong_examples"][0] == "short, text 0: other, expected short"
    assert len(found["wrong_examples"]) == 5


def test_an_open_loop_and_a_new_version(server, asked_file, tmp_path):
    known = {f"closed, mixed, {n}": {"requests_per_second": 50} for n in (1, 8, 64)}
    cell = Cell("new version", "mixed", 0, 2, new_version=True)
    found = measure(cell, server, asked_file, known, tmp_path / "versions")
    assert (tmp_path / "versions" / "2").is_dir()
    assert found["new_version_seconds"] > 0
    assert found["statuses"].keys() == {"200"} and found["wrong"] == 0
    assert 40 < found["requests"] < 130 and found["rate"] == 40


def test_a_server_that_does_not_start_says_why(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no model in the folder')"]
    with (
        pytest.raises(RuntimeError, match="status: 1.*no model in the folder"),
        Server(command, ADDRESS._replace(port=1), tmp_path / "log"),
    ):
        pass


def test_another_server_is_not_measured_in_its_place(tmp_path, server):
    with pytest.raises(RuntimeError, match="Nothing may answer at 127.0.0.1"):
        Server([sys.executable, "-c", ""], server.address, tmp_path / "log")


def test_no_process_of_a_server_outlives_it(tmp_path, server):
    numbers = [process.number for process in server.processes()]
    assert len(numbers) == 1
    server.end()
    assert server.processes() == [] and not server.answers()
