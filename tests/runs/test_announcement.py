"""What a run says before it begins: texts, weights by stage, device, precision."""

import re

import keras
import numpy as np

from rigs.tiny_classifier import tiny_classifier, tiny_texts
from siatl_keras import plans
from siatl_keras.inputs import LabelledTexts
from siatl_keras.runs.announcement import announce


def some(texts):
    return LabelledTexts(texts, np.zeros(len(texts), int), None)


def said(plan, epochs=9, held_out=3):
    model = tiny_classifier("sgd")
    texts = tiny_texts(1200)[0]
    validation = some(texts[:held_out]) if held_out else None
    return announce(model, "runs/lm/tiny", plan, some(texts), validation, epochs), model


def test_it_says_what_learns_from_what_and_when():
    text, model = said(plans.siatl())
    counts, lm, stages = text.splitlines()
    assert counts == "1,200 texts to learn from, 3 held out; 3 labels: 0, 1, 2"
    policy = keras.config.dtype_policy().name
    size = model.backbone.count_params()
    pattern = rf"language model tiny, {size:,} weights; on \d+ CPU cores? in {policy}"
    assert re.fullmatch(pattern, lm)
    task = sum(int(np.prod(v.shape)) for v in model.task_head.weights)
    embedding = model.backbone.token_embedding.count_params()
    assert stages == (
        f"9 epochs at most; learning: task ({task}) from epoch 1; "
        f"backbone ({size - embedding:,}) from epoch 2; embedding ({embedding}) from "
        "epoch 5"
    )


def test_stages_that_never_come_and_texts_that_nobody_holds_out_are_left_out():
    text, _ = said(plans.siatl(), epochs=4, held_out=0)
    assert "held out" not in text and "embedding" not in text


def test_one_layer_after_the_other_is_cut_short_and_no_weight_counts_twice():
    text, model = said(plans.p_lm())
    assert text.count("from epoch") == 1
    sizes = [int(size.replace(",", "")) for size in re.findall(r"\(([\d,]+)\)", text)]
    everything = [*model.task_head.weights, *model.backbone.weights]
    assert sum(sizes) == sum(int(np.prod(v.shape)) for v in everything)
