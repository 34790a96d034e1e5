"""Presets from Hugging Face and Kaggle: real clients, a hub on this machine."""

import errno
import json
import re
from pathlib import Path

import numpy as np
import pytest

from rigs import small_backbones as small
from rigs.hub_server import hub
from siatl_keras.models import SiATLClassifier, SiATLPreprocessor

PAGE = Path(__file__).parents[2] / "docs" / "keras_hub.md"
KAGGLE_TEST_PORT = 7777  # Where Kaggle's client looks for a test server.
HERE = {"NO_PROXY": "localhost", "no_proxy": "localhost"}

LOGITS = """
import sys
import siatl_keras
model = siatl_keras.models.SiATLClassifier.from_preset(sys.argv[1], num_classes=2)
print(model(model.preprocessor(sys.argv[2:]))["lm"].numpy().tolist())
"""


@pytest.fixture
def gpt2():
    # Their GPT-2 is four times as wide inside its blocks, always.
    return small.small_causal_lm("GPT2", intermediate_dim=32)


@pytest.mark.slow
@pytest.mark.parametrize("save", ["export_to_transformers", "save_to_preset"])
def test_a_model_of_hugging_face_s_hub_gets_a_new_classifier(
    save, gpt2, run_python, tmp_path
):
    (tmp_path / "hub" / "someone").mkdir(parents=True)
    getattr(gpt2, save)(str(tmp_path / "hub" / "someone" / "gpt2"))
    with hub(tmp_path / "hub") as (address, asked):
        env = {
            **HERE,
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path / "cache"),
            "HF_HUB_OFFLINE": "0",
        }
        printed = run_python(
            "hf://someone/gpt2", *small.TEXTS[:2], code=LOGITS, env=env
        )
    assert "someone/gpt2/config.json" in asked
    preprocessor = SiATLPreprocessor(gpt2.preprocessor.tokenizer)
    x = preprocessor(small.TEXTS[:2])
    expected = SiATLClassifier(gpt2.backbone, 2, preprocessor)(x)["lm"]
    received = json.loads(printed.splitlines()[-1])
    np.testing.assert_allclose(received, expected, atol=1e-5)


@pytest.mark.slow
def test_the_lines_of_docs_run_on_a_model_of_kaggle_s(gpt2, run_python, tmp_path):
    page = PAGE.read_text("utf-8")
    lines = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)
    texts = f"texts, labels = {small.TEXTS}, {[0, 1] * 4}\n"
    gpt2.save_to_preset(str(tmp_path / "hub" / "keras" / "gpt2" / "gpt2_base_en"))
    env = {
        **HERE,
        "KAGGLE_API_ENVIRONMENT": "TEST",
        "KAGGLEHUB_CACHE": str(tmp_path / "cache"),
    }
    try:
        with hub(tmp_path / "hub", KAGGLE_TEST_PORT) as (_, asked):
            code = f"import os; os.chdir({str(tmp_path)!r})\n{texts}{lines}"
            printed = run_python(code=code, env=env)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        pytest.skip(f"port {KAGGLE_TEST_PORT}, Kaggle's for tests, is taken")
    assert "keras/gpt2/gpt2_base_en/config.json" in asked
    assert "so glad" in printed
    assert (tmp_path / "saved_models" / "mine" / "1" / "saved_model.pb").exists()
