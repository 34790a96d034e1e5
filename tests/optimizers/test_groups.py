import keras
import numpy as np
import pytest

from rigs.small_model import small_data, small_model
from siatl_keras.callbacks import SequentialUnfreezing
from siatl_keras.optimizers import GroupedOptimizer
from siatl_keras.optimizers.groups import PAPER_GROUPS, Group, LayerPart, groups_of
from siatl_keras.plans import Phase

BIASES = (Group("biases", r"bias$"), Group("others"))


def names(parts):
    return [part.name for part in parts]


def test_the_paper_s_groups_are_told_by_path():
    found = groups_of(small_model())
    assert {group: names(parts) for group, parts in found.layers.items()} == {
        "task": ["task_head"],
        "backbone": ["lower", "upper", "lm_head"],
        "embedding": ["embedding"],
    }
    assert found.others == []


def test_the_first_group_that_holds_a_variable_has_it():
    groups = (Group("biases", r"bias$"), Group("lower", r"^lower/"), *PAPER_GROUPS)
    variables = groups_of(small_model(), groups).variables
    assert [v.path.rpartition("/")[2] for v in variables["lower"]] == ["kernel"]
    assert {v.path.rpartition("/")[2] for v in variables["biases"]} == {"bias"}
    everything = [id(v) for group in variables.values() for v in group]
    assert len(everything) == len(set(everything)) == 9


def test_what_no_group_holds_is_told_apart():
    found = groups_of(small_model(), (Group("task", "task_head"),))
    assert names(found.others) == ["embedding", "lower", "upper", "lm_head"]
    assert list(found.variables) == ["task"]


def test_layers_are_named_where_a_group_has_several():
    assert list(groups_of(small_model()).variables_by_layer) == [
        "task",
        "backbone/lm_head",
        "backbone/upper",
        "backbone/lower",
        "embedding",
    ]


def test_a_part_of_a_layer_is_thawed_without_the_rest():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    bias, kernel = LayerPart(layer, [layer.bias]), LayerPart(layer, [layer.kernel])
    bias.trainable = kernel.trainable = False
    assert layer.trainable_variables == []
    bias.trainable = True
    assert layer.trainable_variables == [layer.bias]
    assert (bias.trainable, kernel.trainable) == (True, False)
    kernel.trainable = True
    bias.trainable = False
    assert layer.trainable_variables == [layer.kernel]


def test_a_group_of_the_top_layers_leaves_those_below_to_no_group():
    groups = (Group("task", "^task_head/"), Group("top", layers=1))
    model = small_model()
    everything = groups_of(model)
    found = groups_of(model, groups)
    names = [part.name for part in found.layers["top"]]
    assert names == [everything.layers["backbone"][-1].name]
    below = {part.name for part in everything.layers["backbone"][:-1]}
    assert below < {part.name for part in found.others}
    with pytest.raises(ValueError, match="`layers`"):
        Group("top", layers=0)


def test_biases_alone_learn_where_they_alone_are_named():
    """BitFit (Ben Zaken et al. 2022), after a stage in which the others learn."""
    phases = (Phase(1, ("others",)), Phase(2, ("biases",)))
    model = small_model()
    model.compile(
        **model.compile_arguments(
            GroupedOptimizer(
                {name: keras.optimizers.SGD(0.1) for name in ("biases", "others")},
                BIASES,
            )
        )
    )
    changed = []

    class Record(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.before = {v.path: v.numpy() for v in model.weights}

        def on_epoch_end(self, epoch, logs=None):
            changed.append(
                {
                    v.path.rpartition("/")[2]
                    for v in model.weights
                    if not np.array_equal(self.before[v.path], v.numpy())
                }
            )

    x, y, sample_weight = small_data(8)
    unfreezing = SequentialUnfreezing(phases, BIASES)
    model.fit(
        x,
        y,
        sample_weight=sample_weight,
        epochs=2,
        verbose=0,
        callbacks=[unfreezing, Record()],
    )
    assert "bias" not in changed[0] and {"kernel", "embeddings"} <= changed[0]
    assert "bias" in changed[1] and not {"kernel", "embeddings"} & changed[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "name=''"),
        ({"name": "backbone/lower"}, "name='backbone/lower'"),
        ({"name": "a", "paths": "("}, r"paths='\('"),
        ({"name": "a", "paths": None}, "paths=None"),
    ],
)
def test_a_wrong_group_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Group(**arguments)
