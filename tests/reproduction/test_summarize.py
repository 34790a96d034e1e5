from recipes.reproduction.experiment_grid import experiment_grid
from recipes.reproduction.run_key import RunKey
from recipes.reproduction.summarize import reproducing_commands

PROGRAM = "python -m recipes.reproduce --output=runs/paper"


def test_data_sets_with_the_same_runs_share_a_command():
    keys = experiment_grid({"a": 9, "b": 9}, ["p-lm", "siatl"], 2)
    assert reproducing_commands(keys, PROGRAM) == [
        f"{PROGRAM} --datasets=a,b --methods=siatl,p-lm --seeds=2"
    ]


def test_data_sets_with_different_runs_have_commands_of_their_own():
    keys = [
        *experiment_grid({"a": 900}, ["siatl"], 5, [200, 100]),
        *experiment_grid({"b": 9}, ["siatl"], 1),
    ]
    assert reproducing_commands(keys, PROGRAM) == [
        f"{PROGRAM} --datasets=a --methods=siatl --seeds=5 --subset_sizes=100,200",
        f"{PROGRAM} --datasets=b --methods=siatl --seeds=1",
    ]


def test_a_command_does_what_it_is_shown_under():
    grid = experiment_grid({"a": 900}, ["p-lm+su"], 2, gammas=[0.05, 1.0])
    assert reproducing_commands(grid, PROGRAM) == [
        f"{PROGRAM} --datasets=a --methods=p-lm+su --seeds=2 --gammas=0.05,1"
    ]
    alone = [RunKey("a", "siatl", 0, gamma=0.5)]
    assert "--methods=siatl " in reproducing_commands(alone, PROGRAM)[0]
