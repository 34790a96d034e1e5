"""`validation_split`: which of the training texts are held out."""

from __future__ import annotations

import math

import numpy as np


def validation_split(
    labels: np.ndarray, share: float, stratified: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Splits texts into those to train on and those to validate on.

    Args:
        labels: int `[texts]`, class numbers.
        share: float between 0 and 1, how much to hold out.
        stratified: `True` holds out the last texts of each class, in the classes'
            proportions, at least one of each class staying, for which fewer may be held
            out where classes are small; `False` the last of all, as Keras does.

    Returns:
        `(training, validation)`, int arrays of positions, each in order.

    Raises:
        ValueError: if `share` is out of range, or one part would be empty.

    Example:
    >>> labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> validation_split(labels, 0.25, stratified=True)[1].tolist()
    [3, 7]
    >>> validation_split(labels, 0.25, stratified=False)[1].tolist()
    [6, 7]
    """
    if isinstance(share, bool) or not 0 < share < 1:
        raise ValueError(
            "`validation_split` must be between 0 and 1, the share of the texts to "
            f"hold out. Received: validation_split={share}."
        )
    total = len(labels)
    held_out = total - math.floor(total * (1 - share))
    if not 0 < held_out < total:
        raise ValueError(
            f"`validation_split` leaves one part empty. Received: validation_split="
            f"{share} of {total} texts."
        )
    if stratified:
        validation = _last_of_each_class(labels, held_out)
        if not len(validation):
            raise ValueError(
                f"`validation_split` would leave a class without a text to train on: "
                f"{total} texts are of {len(np.unique(labels))} classes. Pass "
                "`validation_data`."
            )
    else:
        validation = np.arange(total - held_out, total)
    return np.setdiff1d(np.arange(total), validation), validation


def _last_of_each_class(labels: np.ndarray, held_out: int) -> np.ndarray:
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * held_out / len(labels)
    quota = np.minimum(np.floor(exact), counts - 1).astype(int)
    # What rounding down leaves goes to the classes that it took most from.
    for index in np.argsort(quota - exact, kind="stable"):
        if quota.sum() < held_out and quota[index] < counts[index] - 1:
            quota[index] += 1
    return np.sort(
        np.concatenate(
            [
                np.flatnonzero(labels == label)[count - kept :]
                for label, count, kept in zip(classes, counts, quota, strict=True)
            ]
        )
    )
