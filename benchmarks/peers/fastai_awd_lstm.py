"""The peer in fastai: its AWD-LSTM and its `Learner`, as ULMFiT trains them.

Its last LSTM has the embedding's size, where ours has a projection: two LSTMs of 400 →
1000 → 400 are two thirds of our recurrent work, the softmax is the same.
"""

import torch
from fastai.basics import (
    Callback,
    CancelValidException,
    DataLoader,
    DataLoaders,
    Learner,
)
from fastai.callback.all import GradientClip
from fastai.callback.rnn import rnn_cbs
from fastai.losses import CrossEntropyLossFlat
from fastai.text.models.awdlstm import AWD_LSTM, awd_lstm_lm_config
from fastai.text.models.core import get_language_model

from benchmarks.sizes import Sizes


class _NoValidation(Callback):
    order = -100  # Before those that prepare a validation.

    def before_validate(self):
        raise CancelValidException


def pretraining_step(**sizes):
    """Makes a training step of the language model."""
    sizes = Sizes(**sizes)
    config = {
        **awd_lstm_lm_config,
        "emb_sz": sizes.embedding,
        "n_hid": sizes.hidden,
        "n_layers": sizes.layers,
    }
    # Dropout next to off, as for all others; with 0 fastai 2.8 fails on PyTorch 2.13.
    model = get_language_model(AWD_LSTM, sizes.vocabulary, config, drop_mult=1e-3)
    token_ids = torch.from_numpy(sizes.token_ids()).long()
    batch = (token_ids[:, :-1].contiguous(), token_ids[:, 1:].contiguous())
    loader = DataLoader([batch], bs=None)
    learner = Learner(
        DataLoaders(loader, loader),
        model,
        loss_func=CrossEntropyLossFlat(),
        cbs=[
            *rnn_cbs(alpha=2.0, beta=1.0),
            GradientClip(1.0),
            _NoValidation(),
        ],
    )

    def step():
        with learner.no_bar(), learner.no_logging():
            learner.fit(1, 1e-3)

    return step
