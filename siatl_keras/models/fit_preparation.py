"""`fit_prepared`: what a `fit` computes once, before and between its epochs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from siatl_keras.compat.optimizer_parts import optimized_variables
from siatl_keras.models.frozen_states import FrozenStates
from siatl_keras.models.head_start import start_head


@contextlib.contextmanager
def fit_prepared(
    model: Any, training: Any, validation: Any, verbose: Any
) -> Iterator[list[keras.callbacks.Callback]]:
    """Keeps what frozen layers make of the texts, and lets the head start with it.

    Only data whose texts have numbers is taken, see `FrozenStates`. Several replicas
    compute all states in every step, and so do texts read in windows.

    Args:
        model: a `SiATLClassifier`; its `frozen_states` are set meanwhile.
        training: data for training.
        validation: data for validation, or `None`.
        verbose: as for `keras.Model.fit`.

    Yields:
        callbacks that come after those that freeze, thaw and assign weights.
    """
    if not _has_rows(training):
        yield []
        return
    datasets = [data for data in (training, validation) if _has_rows(data)]
    replicas = model.distribute_strategy.num_replicas_in_sync
    keeps = replicas == 1 and model.reader.window is None

    def update(*_: Any) -> None:
        if keeps:
            _update_states(model, datasets, verbose)
        start_head(model, training)

    try:
        yield [keras.callbacks.LambdaCallback(update, on_test_begin=update)]
    finally:
        if model.frozen_states is not None:
            model.frozen_states = None
            # They know the states of this `fit`'s texts.
            model.train_function = model.test_function = None


def _update_states(model: Any, datasets: Sequence[Any], verbose: Any) -> None:
    if model.frozen_states is None:
        optimized = optimized_variables(model.optimizer)
        model.frozen_states = FrozenStates(model.backbone, datasets, optimized, verbose)
    if model.frozen_states.update():
        model.make_train_function(force=True)
        model.make_test_function(force=True)


def _has_rows(dataset: Any) -> bool:
    spec = getattr(dataset, "element_spec", None)
    return isinstance(spec, tuple) and "row" in spec[0]
