import keras
import numpy as np
import pytest
import tensorflow as tf

from rigs.small_model import SmallModel, grouped_optimizer, small_data, small_model
from siatl_keras.optimizers import GroupedOptimizer


def variables():
    return {
        "task": [keras.Variable(np.ones(2, "float32"), name="head")],
        "backbone": [keras.Variable(np.ones((3, 2), "float32"), name="lstm")],
        "embedding": [keras.Variable(np.ones((4, 2), "float32"), name="embedding")],
    }


def built(optimizers=None, groups=None):
    groups = groups or variables()
    sgd = keras.optimizers.SGD(0.1)
    optimizer = GroupedOptimizer(
        optimizers
        or {"task": keras.optimizers.Adam(0.1), "backbone": sgd, "embedding": sgd}
    )
    optimizer.bind(groups)
    optimizer.build([v for group in groups.values() for v in group])
    return optimizer, groups


def step(optimizer, groups, *names, scale=1.0):
    chosen = [v for name in names for v in groups[name]]
    optimizer.apply([tf.ones(v.shape) * scale for v in chosen], chosen)


def test_each_group_takes_the_step_of_its_own_optimizer():
    optimizer, groups = built()
    step(optimizer, groups, "task", "backbone", "embedding", scale=2.0)
    np.testing.assert_allclose(groups["task"][0], np.full(2, 0.9), 1e-5)
    np.testing.assert_allclose(groups["backbone"][0], np.full((3, 2), 0.8), 1e-6)


def test_a_step_of_some_groups_leaves_the_others_and_their_state():
    momentum = keras.optimizers.SGD(0.1, momentum=0.9)
    adam = keras.optimizers.Adam(0.1)
    optimizer, groups = built(
        {"task": adam, "backbone": momentum, "embedding": keras.optimizers.SGD(0.1)}
    )
    step(optimizer, groups, "task", "backbone", "embedding")
    state = [v.numpy() for v in momentum.variables]
    weights = groups["backbone"][0].numpy()
    step(optimizer, groups, "task")
    np.testing.assert_array_equal(weights, groups["backbone"][0])
    for before, after in zip(state, momentum.variables, strict=True):
        np.testing.assert_array_equal(before, after)
    assert [int(o.iterations) for o in optimizer.optimizers] == [2, 1, 1]
    assert int(optimizer.iterations) == 2


def test_a_schedule_counts_the_steps_of_its_group():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.125])
    optimizer, groups = built(
        {
            "task": keras.optimizers.SGD(0.1),
            "backbone": keras.optimizers.SGD(schedule),
            "embedding": keras.optimizers.SGD(0.1),
        }
    )
    for _ in range(3):
        step(optimizer, groups, "task")
    step(optimizer, groups, "task", "backbone")
    np.testing.assert_allclose(groups["backbone"][0], np.full((3, 2), 0.5))


def test_weight_decay_belongs_to_the_group():
    optimizer, groups = built(
        {
            "task": keras.optimizers.SGD(0.1),
            "backbone": keras.optimizers.SGD(0.1, weight_decay=0.5),
            "embedding": keras.optimizers.SGD(0.1),
        }
    )
    step(optimizer, groups, "task", "backbone", "embedding", scale=0.0)
    np.testing.assert_allclose(groups["task"][0], np.ones(2))
    np.testing.assert_allclose(groups["backbone"][0], np.full((3, 2), 0.95), 1e-6)


@pytest.mark.parametrize("shared", [True, False])
def test_an_optimizer_clips_the_norm_over_all_its_groups(shared):
    def sgd():
        return keras.optimizers.SGD(1.0, global_clipnorm=1.0)

    first = sgd()
    optimizer, groups = built(
        {
            "task": keras.optimizers.SGD(1.0),
            "backbone": first,
            "embedding": first if shared else sgd(),
        }
    )
    step(optimizer, groups, "task", "backbone", "embedding")
    norm = np.sqrt(6 + 8 if shared else 6)
    np.testing.assert_allclose(groups["task"][0], np.zeros(2))
    np.testing.assert_allclose(
        groups["backbone"][0], np.full((3, 2), 1 - 1 / norm), 1e-5
    )


def test_a_sparse_gradient_equals_the_dense_one():
    rows = tf.constant([2, 0, 2])
    slices = tf.IndexedSlices(tf.ones((3, 2)), rows, tf.constant([4, 2]))
    results = []
    for gradient in (slices, tf.convert_to_tensor(slices)):
        optimizer, groups = built(
            {
                "task": keras.optimizers.SGD(0.1),
                "backbone": keras.optimizers.SGD(0.1),
                "embedding": keras.optimizers.Adam(0.1, global_clipnorm=0.5),
            }
        )
        optimizer.apply([gradient], groups["embedding"])
        results.append(optimizer.variables[-3:] + groups["embedding"])
    for sparse, dense in zip(*results, strict=True):
        np.testing.assert_allclose(sparse.numpy(), dense.numpy(), 1e-5)


def test_a_missing_gradient_is_left_out_with_a_warning():
    optimizer, groups = built()
    both = groups["task"] + groups["backbone"]
    with pytest.warns(UserWarning, match="lstm"):
        optimizer.apply([tf.ones(2), None], both)
    np.testing.assert_allclose(groups["backbone"][0], np.ones((3, 2)))


def test_no_gradient_at_all_is_an_error():
    optimizer, groups = built()
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None], groups["task"])


def test_loss_scaling_of_its_own_changes_nothing():
    weights = []
    for factor in (None, 64.0):
        groups = variables()
        optimizer = GroupedOptimizer(
            {name: keras.optimizers.Adam(0.1, clipnorm=0.5) for name in groups},
            loss_scale_factor=factor,
        )
        optimizer.bind(groups)
        loss = float(optimizer.scale_loss(1.0))
        step(optimizer, groups, *groups, scale=loss)
        weights.append([v.numpy() for group in groups.values() for v in group])
    for plain, scaled in zip(*weights, strict=True):
        np.testing.assert_allclose(plain, scaled, 1e-5)


def test_averaged_weights_are_written_at_the_end():
    optimizer, groups = built(
        {
            "task": keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5),
            "backbone": keras.optimizers.SGD(0.5, use_ema=True),
            "embedding": keras.optimizers.SGD(0.5),
        }
    )
    step(optimizer, groups, "task")
    step(optimizer, groups, "task")
    optimizer.finalize_variable_values(groups["task"])
    np.testing.assert_allclose(groups["task"][0], np.full(2, 0.25))
    np.testing.assert_allclose(groups["backbone"][0], np.ones((3, 2)))


def test_a_variable_in_no_group_is_an_error():
    groups = variables()
    optimizer = GroupedOptimizer({n: keras.optimizers.SGD(0.1) for n in groups})
    optimizer.bind(groups)
    stray = keras.Variable(np.ones(1), name="stray")
    with pytest.raises(ValueError, match="`stray` is in none of the groups"):
        optimizer.build([*groups["task"], stray])


def test_an_unknown_variable_is_an_error():
    optimizer, _ = built()
    stray = keras.Variable(np.ones(1), name="stray")
    with pytest.raises(ValueError, match="`stray`"):
        optimizer.apply([tf.ones(1)], [stray])


@pytest.mark.parametrize("names", [("task", "backbone"), ("task", "lstm", "embedding")])
def test_groups_that_the_model_has_not_are_an_error(names):
    optimizer = GroupedOptimizer({n: keras.optimizers.SGD(0.1) for n in names})
    with pytest.raises(ValueError, match="one optimizer for each"):
        optimizer.bind(variables())


def test_an_optimizer_that_knows_no_groups_is_an_error():
    optimizer = GroupedOptimizer({"task": keras.optimizers.SGD(0.1)})
    with pytest.raises(ValueError, match="bind"):
        optimizer.build([keras.Variable(np.ones(1))])


@pytest.mark.parametrize(
    "optimizers",
    [
        {},
        None,
        {"task": "sgd"},
        {"task": GroupedOptimizer({"a": keras.optimizers.SGD()})},
    ],
)
def test_what_is_no_optimizer_is_an_error(optimizers):
    with pytest.raises(ValueError, match="optimizers"):
        GroupedOptimizer(optimizers)


def test_the_config_keeps_which_groups_share_an_optimizer():
    config = keras.optimizers.serialize(grouped_optimizer())
    copy = keras.optimizers.deserialize(config)
    assert isinstance(copy, GroupedOptimizer)
    assert len(copy.optimizers) == 2
    assert copy.groups["backbone"] is copy.groups["embedding"]
    assert copy.groups["task"].global_clipnorm == 1.0
    assert keras.optimizers.serialize(copy) == config


def trained():
    model = small_model()
    x, y, sample_weight = small_data(8)
    model.fit(x, y, sample_weight=sample_weight, epochs=2, verbose=0)
    return model, (x, y, sample_weight)


def test_weights_move_to_another_optimizer():
    model, _ = trained()
    other = small_model()
    other.optimizer.set_weights([v.numpy() for v in model.optimizer.variables])
    for mine, theirs in zip(
        model.optimizer.variables, other.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_saved_weights_bring_the_optimizer_s_state(tmp_path):
    model, data = trained()
    model.save_weights(tmp_path / "model.weights.h5")
    other = small_model()
    other.load_weights(tmp_path / "model.weights.h5")
    assert_trains_alike(model, other, data)


def test_a_keras_file_brings_the_optimizer(tmp_path):
    model, data = trained()
    model.save(tmp_path / "model.keras")
    other = keras.models.load_model(
        tmp_path / "model.keras", custom_objects={"SmallModel": SmallModel}
    )
    assert isinstance(other.optimizer, GroupedOptimizer)
    assert_trains_alike(model, other, data)


def assert_trains_alike(model, other, data):
    for mine, theirs in zip(
        model.optimizer.variables, other.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)
    for one in (model, other):
        one.train_on_batch(*data)
    for mine, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
