"""`experiment_grid`: the runs that the paper's tables and figures need.

Source: Chronopoulou et al. 2019, table 2 and figures 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from siatl_keras.runs.finetune_config import METHOD_NAMES

from .run_key import RunKey

# Those that the curve over the number of training texts compares.
TRAINING_SIZE_METHODS = ("siatl", "ulmfit", "p-lm", "bow")
# The γ of the other methods is none, or 0.
GAMMA_METHOD, NO_GAMMA_METHOD = "siatl", "p-lm+su"


def experiment_grid(
    datasets: Mapping[str, int],
    methods: Sequence[str],
    seeds: int,
    subset_sizes: Sequence[int] = (),
    gammas: Sequence[float] = (),
) -> list[RunKey]:
    """Lists the runs, seed by seed, so that a first picture is there early.

    Args:
        datasets: number of training texts, by data set.
        methods: of `METHOD_NAMES`, for the table. Those of `TRAINING_SIZE_METHODS`
            among them are also run on subsets.
        seeds: int, runs of each.
        subset_sizes: numbers of training texts; one that a data set does not exceed
            is the run on all of its texts.
        gammas: values of γ for SiATL; 0 is the same without the auxiliary loss.

    Returns:
        the runs, each once.

    Raises:
        ValueError: if a method is unknown, or a number out of range.
    """
    unknown = [method for method in methods if method not in METHOD_NAMES]
    if unknown or not methods:
        raise ValueError(
            f"`methods` must be some of {list(METHOD_NAMES)}. Received: "
            f"{list(methods)}."
        )
    if not datasets:
        raise ValueError("`datasets` is empty. Name at least one.")
    if seeds < 1:
        raise ValueError(f"`seeds` must be at least 1. Received: seeds={seeds}.")
    if any(size < 2 for size in subset_sizes):
        raise ValueError(
            "`subset_sizes` must be at least 2, a text of each of two classes. "
            f"Received: {list(subset_sizes)}."
        )
    if any(not 0 <= gamma < float("inf") for gamma in gammas):
        raise ValueError(
            f"`gammas` must be finite and not negative. Received: {list(gammas)}."
        )
    runs: dict[RunKey, None] = {}
    for seed in range(seeds):
        for dataset, texts in datasets.items():
            keys = [RunKey(dataset, method, seed) for method in methods]
            keys += [
                RunKey(dataset, method, seed, texts=size if size < texts else None)
                for size in subset_sizes
                for method in methods
                if method in TRAINING_SIZE_METHODS
            ]
            keys += [
                RunKey(dataset, GAMMA_METHOD, seed, gamma=float(gamma))
                if gamma
                else RunKey(dataset, NO_GAMMA_METHOD, seed)
                for gamma in gammas
            ]
            runs |= dict.fromkeys(keys)
    return list(runs)
