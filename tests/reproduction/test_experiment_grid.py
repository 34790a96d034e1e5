import pytest

from recipes.reproduction.experiment_grid import experiment_grid
from recipes.reproduction.run_key import RunKey
from siatl_keras.runs import METHOD_NAMES


def test_the_table_needs_each_method_on_each_data_set_with_each_seed():
    keys = experiment_grid({"scv2": 800, "imdb": 2000}, list(METHOD_NAMES), 3)
    assert len(keys) == len(set(keys)) == 2 * len(METHOD_NAMES) * 3
    assert all(key.variant == "all-texts" for key in keys)


def test_a_whole_picture_comes_with_the_first_seed():
    keys = experiment_grid({"a": 9, "b": 9}, ["siatl", "p-lm"], 2, [5], [0.5])
    seeds = [key.seed for key in keys]
    assert seeds == sorted(seeds) and seeds.count(0) == seeds.count(1)


def test_subsets_are_run_with_the_methods_of_the_curve():
    keys = experiment_grid({"scv2": 800}, ["siatl", "p-lm+aux"], 1, [100, 400])
    subsets = [key for key in keys if key.texts]
    assert subsets == [
        RunKey("scv2", "siatl", 0, texts=100),
        RunKey("scv2", "siatl", 0, texts=400),
    ]


def test_a_subset_of_all_texts_is_the_run_of_the_table():
    keys = experiment_grid({"scv2": 800}, ["siatl"], 1, [800, 1600])
    assert keys == [RunKey("scv2", "siatl", 0)]


def test_no_gamma_is_the_method_without_the_auxiliary_loss():
    keys = experiment_grid({"scv2": 800}, ["p-lm+su"], 1, gammas=[0, 0.05])
    assert keys == [
        RunKey("scv2", "p-lm+su", 0),
        RunKey("scv2", "siatl", 0, gamma=0.05),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["sialt"]}, "some of .*siatl.*Received: .*sialt"),
        ({"methods": []}, "some of"),
        ({"datasets": {}}, "`datasets` is empty"),
        ({"seeds": 0}, "seeds=0"),
        ({"subset_sizes": [1]}, "at least 2"),
        ({"gammas": [-0.1]}, "not negative"),
        ({"gammas": [float("nan")]}, "finite"),
    ],
)
def test_what_makes_no_sense_is_refused(change, message):
    grid = {"datasets": {"scv2": 800}, "methods": ["siatl"], "seeds": 1, **change}
    with pytest.raises(ValueError, match=message):
        experiment_grid(**grid)
