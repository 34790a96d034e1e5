import pytest

from siatl_keras.optimizers import SCHEDULES, scheduled_adam, scheduled_sgd


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_highest_rate_is_the_one_asked_for(schedule):
    for make in (scheduled_adam, scheduled_sgd):
        optimizer = make(schedule, 0.5, 40)
        rates = []
        for step in range(40):
            optimizer.iterations.assign(step)
            rates.append(float(optimizer.learning_rate))
        assert max(rates) == pytest.approx(0.5)


def test_momentum_goes_its_cycle_in_one_cycle_alone():
    for schedule in SCHEDULES:
        adam = scheduled_adam(schedule, 0.5, 40, beta_1=0.7)
        sgd = scheduled_sgd(schedule, 0.5, 40)
        cycles = schedule == "one_cycle"
        assert float(adam.beta_1) == pytest.approx(0.95 if cycles else 0.7)
        assert float(sgd.momentum) == pytest.approx(0.95 if cycles else 0.0)
        for optimizer in (adam, sgd):
            optimizer.iterations.assign(10)
        assert float(adam.beta_1) == pytest.approx(0.85 if cycles else 0.7)
        assert float(sgd.momentum) == pytest.approx(0.85 if cycles else 0.0)


def test_warm_up_takes_a_fiftieth_and_a_cosine_leads_to_zero():
    optimizer = scheduled_adam("warmup_cosine", 0.5, 100)
    rates = []
    for step in (0, 1, 2, 51, 100):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx([0.0, 0.25, 0.5, 0.25, 0.0], abs=1e-6)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_of_one_step_is_one(schedule):
    assert float(scheduled_adam(schedule, 0.5, 1).learning_rate) <= 0.5


def test_an_unknown_schedule_is_refused():
    with pytest.raises(ValueError, match="`schedule` must be one of .*'cosine'"):
        scheduled_adam("cosine", 0.5, 40)
