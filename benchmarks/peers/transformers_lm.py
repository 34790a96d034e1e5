"""The peer in transformers: SmolLM2 with a linear head on its last token's state.

It reads the GGUF file that our SmolLM2 is made of.
"""

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.tweets import texts
from siatl_keras.importers.fetch_model import download_gguf
from siatl_keras.presets.named_models import MODELS

NAME = "smollm2_135m"
GAMMA = 0.2


def training_step(token_ids, labels, dtype="float32"):
    """Makes a step on the loss of the task and of all words; all weights learn."""
    model, _ = from_gguf(AutoModelForCausalLM)
    head = torch.nn.Linear(model.config.hidden_size, max(labels) + 1)
    weights = [*model.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(weights, lr=1e-5)
    ids, labels = torch.tensor(token_ids), torch.tensor(labels)
    inputs, targets = ids[:, :-1], ids[:, 1:]
    model.train()

    def step():
        with _precision(dtype):
            states = model.model(inputs).last_hidden_state
            logits = model.lm_head(states)
            lm = functional.cross_entropy(
                logits.flatten(0, 1).float(), targets.flatten()
            )
            task = functional.cross_entropy(head(states[:, -1]).float(), labels)
        (task + GAMMA * lm).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return task.item()

    return step


def predicting(count, batch, dtype="float32"):
    """Makes the answering of tweets, of each batch the last real token's state."""
    model, tokenizer = from_gguf(AutoModelForCausalLM)
    head = torch.nn.Linear(model.config.hidden_size, 2)
    lines = texts(count)
    model.eval()

    @torch.no_grad()
    def work():
        found = []
        for start in range(0, count, batch):
            rows = tokenizer(
                lines[start : start + batch],
                return_tensors="pt",
                padding=True,
                padding_side="right",
            )
            with _precision(dtype):
                states = model.model(**rows).last_hidden_state
                last = rows["attention_mask"].sum(1) - 1
                logits = head(states[torch.arange(len(last)), last])
            found.append(logits.float().softmax(-1).numpy())
        return np.concatenate(found)

    return work


def _precision(dtype):
    if dtype == "float32":
        return contextlib.nullcontext()
    return torch.autocast("cpu", torch.bfloat16)


def from_gguf(auto_class, **options):
    """Returns the model, float32, and its tokenizer."""
    with tempfile.TemporaryDirectory() as folder:
        download_gguf(MODELS[NAME].source, Path(folder) / "model.gguf")
        model = auto_class.from_pretrained(
            folder, gguf_file="model.gguf", dtype=torch.float32, **options
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file="model.gguf")
    tokenizer.pad_token = "<|endoftext|>"
    return model, tokenizer
