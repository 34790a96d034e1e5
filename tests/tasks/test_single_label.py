"""SingleLabel: classes from numbers and names, and one reading of the logits."""

import numpy as np
import pytest

from siatl_keras.tasks import SingleLabel


def test_the_class_is_the_highest_logit_s_where_probabilities_are_equal():
    logits = np.array([[20.0, 19.0, 120.0], [0.0, 1e-9, 0.0]])
    task = SingleLabel(["a", "b", "c"])
    answers = task.served(logits)
    assert answers["label_id"].numpy().tolist() == [2, 1]
    assert answers["label"].numpy().tolist() == [b"c", b"b"]
    assert task.answers(logits) == ["c", "b"]
    assert np.ptp(answers["probabilities"].numpy()[1]) == 0
    assert np.ptp(task.probabilities(logits, "float64")[1]) > 0


@pytest.mark.parametrize(
    ("num_classes", "label_names", "message"),
    [
        (None, None, "Pass `num_classes`, or `label_names`"),
        (3, ["a", "b"], "must be the number of `label_names`.*num_classes=3"),
        (1, None, "`num_classes` must be a whole number from 2"),
        (0, None, "from 2"),
        (-2, None, "from 2"),
        (2.0, None, "from 2"),
        ("2", None, "from 2"),
        (True, None, "from 2"),
    ],
)
def test_num_classes_and_names_agree_or_are_refused(num_classes, label_names, message):
    with pytest.raises(ValueError, match=message):
        SingleLabel.of_size(num_classes, label_names)


def test_classes_without_names_are_called_by_their_numbers():
    assert SingleLabel.of_size(3, None).label_names == ["0", "1", "2"]
    assert SingleLabel.of_size(np.int64(2), ["a", "b"]).label_names == ["a", "b"]
