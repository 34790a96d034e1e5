"""What `serving/ray_requests.py` reads, and how `serving/ray_models.py` joins it.

Requests of one text each are in `test_ray_server.py`.
"""

import asyncio
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

INPUTS = ["text", "text_pair"]


@pytest.fixture(scope="module")
def requests():
    return imported("serving.ray_requests")


@pytest.fixture(scope="module")
def models():
    return imported("serving.ray_models")


def imported(name):
    root = str(Path(__file__).parents[2])
    sys.path.insert(0, root)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(root)


def test_pairs_in_rows_and_in_columns(requests):
    columns = {"text": [b"a", b"b"], "text_pair": [b"c", b"d"]}
    rows = [{"text": "a", "text_pair": "c"}, {"text_pair": "d", "text": "b"}]
    read = requests.columns_of_json
    assert read({"instances": rows}, INPUTS) == columns
    inputs = {"text": ["a", "b"], "text_pair": ["c", {"b64": "ZA=="}]}
    assert read({"inputs": inputs}, INPUTS) == columns


@pytest.mark.parametrize(
    "body, words",
    [
        ({"instances": [["a", "b"]]}, "Row 1 must be an object of"),
        ({"instances": [{"text": "a"}]}, "Row 1 must be an object of"),
        ({"inputs": ["a", "b"]}, "`inputs` must be an object of"),
        ({"inputs": {"text": ["a"], "text_pair": []}}, "as many texts"),
        ({"inputs": {"text": ["a"]}}, r"Received: \['text'\]"),
    ],
)
def test_what_is_no_pair_is_refused(requests, models, body, words):
    settings = models.Settings("folder", "m")
    with pytest.raises(requests.Refusal, match=words):
        columns = requests.columns_of_json(body, INPUTS)
        requests.check_columns(columns, INPUTS, settings)


def test_texts_of_many_requests_share_calls_and_each_gets_its_own(models):
    calls = []

    def lengths(_, columns):
        texts = columns["text"]
        calls.append([len(text) for text in texts])
        if b"bad" in texts:
            raise RuntimeError("the model cannot read this")
        return {"label": np.array(texts, object), "length": np.array(calls[-1])}

    rng = np.random.default_rng(0)
    batches = [
        [b"x" * int(n) for n in rng.integers(4, 90, rng.integers(1, 30))]
        for _ in range(40)
    ]

    async def ask_all():
        settings = models.Settings("folder", "m", batch_size=16)
        batcher = models.Batcher(lengths, settings)
        asked = [batcher.answer({"text": texts}) for texts in batches]
        answers = await asyncio.gather(*asked)
        failed = await asyncio.gather(
            batcher.answer({"text": [b"bad"]}), return_exceptions=True
        )
        return answers, failed, await batcher.answer({"text": [b"after"]})

    answers, failed, after = asyncio.run(ask_all())
    for texts, answer in zip(batches, answers, strict=True):
        assert answer["label"].tolist() == texts
        assert answer["length"].tolist() == [len(text) for text in texts]
    assert isinstance(failed[0], RuntimeError)
    assert after["label"].tolist() == [b"after"]
    whole = calls[:-2]
    assert max(map(len, whole)) == 16
    assert len(whole) < 1.2 * sum(map(len, batches)) / 16
    # Of like length: those of a call differ less than those of a request.
    spread = [max(call) - min(call) for call in whole]
    assert np.mean(spread) < 0.5 * np.mean([np.ptp([*map(len, b)]) for b in batches])


def test_a_folder_without_versions_is_refused(models, tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(ValueError, match="no version that can be loaded"):
        models.Versions(models.Settings(str(tmp_path), "m"))
