"""Learning rates over the steps, at points that can be read off the formula."""

from math import sqrt

import pytest
from cases import SCHEDULE_CASES
from hypothesis import given
from hypothesis import strategies as st

from nnlib.schedules import SCHEDULES, CosineDecay, ExponentialDecay, OneCycle, StepDecay, Warmup, get

POINTS = {
    "ExponentialDecay": (ExponentialDecay(0.8, 0.25, every=2), {0: 0.8, 1: 0.4, 2: 0.2, 4: 0.05}),
    "StepDecay": (StepDecay(0.8, 0.5, every=3), {0: 0.8, 2: 0.8, 3: 0.4, 5: 0.4, 6: 0.2}),
    "CosineDecay": (
        CosineDecay(1.0, steps=8, final=0.2),
        {0: 1.0, 2: 0.2 + 0.4 * (1 + sqrt(0.5)), 4: 0.6, 8: 0.2, 99: 0.2},
    ),
    "Warmup": (Warmup(0.4, steps=4), {0: 0.1, 1: 0.2, 3: 0.4, 4: 0.4, 99: 0.4}),
    "OneCycle": (
        OneCycle(1.0, steps=10, up=0.4, start=10, end=100),
        {0: 0.1, 2: 0.55, 4: 1.0, 7: 0.505, 10: 0.01, 99: 0.01},
    ),
}


def test_no_schedule_can_be_added_without_points_on_paper():
    assert set(POINTS) == set(SCHEDULES) == set(SCHEDULE_CASES)


@pytest.mark.parametrize("name", SCHEDULES)
def test_points_on_paper(name, record_check):
    schedule, points = POINTS[name]
    error = max(abs(schedule(step) - rate) for step, rate in points.items())
    record_check("formulas", f"schedule {name}", "by hand", error, 1e-15)


@pytest.mark.parametrize("schedule", SCHEDULE_CASES.values(), ids=SCHEDULE_CASES)
@given(step=st.integers(0, 10**7))
def test_rate_is_never_negative_nor_above_its_peak(schedule, step):
    assert 0 <= schedule(step) <= 0.1 * (1 + 1e-12)


def test_defaults_are_those_of_the_papers_and_of_fastai():
    """Every step; annealed to 0; 30 % of the way up, from 1/25 of the peak, down to a ten-thousandth (fastai)."""
    assert ExponentialDecay(0.8, 0.5)(1) == 0.4
    assert CosineDecay(0.8, steps=2)(2) == 0
    schedule = OneCycle(1.0, steps=10)
    assert [schedule(step) for step in (0, 3, 10)] == pytest.approx([1 / 25, 1, 1e-4], rel=1e-12)


def test_one_cycle_may_begin_and_end_at_its_peak():
    assert [OneCycle(0.1, steps=10, start=1, end=1)(step) for step in (0, 5, 10)] == pytest.approx([0.1] * 3)


@pytest.mark.parametrize("name", SCHEDULES)
def test_more_steps_than_a_float_can_hold_are_a_rate_that_stands_still(name):
    """Python refuses to turn 10**400 into a float, and to divide by it where the other number is one."""
    option = "every" if "Decay" in name and name != "CosineDecay" else "steps"
    first = {"initial": 0.8, "rate": 0.5} if option == "every" else {"initial": 0.8}
    given = first if "Decay" in name else {"Warmup": {"then": 0.8}, "OneCycle": {"peak": 0.8}}[name]
    schedule = SCHEDULES[name](**given, **{option: 10**400})
    assert schedule(10**6) == pytest.approx({"Warmup": 0, "OneCycle": 0.8 / 25}.get(name, 0.8), abs=1e-15)


def test_schedules_are_equal_and_shown_by_their_arguments():
    schedule = Warmup({"name": "StepDecay", "initial": 1, "rate": 0.5}, steps=3)
    assert repr(schedule) == "Warmup(then=StepDecay(initial=1.0, rate=0.5, every=1), steps=3)"
    assert schedule == eval(repr(schedule)) != Warmup(1.0, 3)
    assert StepDecay(1, 0.5) != ExponentialDecay(1, 0.5)


def test_warmup_hands_over_where_the_other_begins():
    schedule = Warmup(CosineDecay(1.0, steps=4), steps=2)
    assert [schedule(step) for step in (1, 2, 4, 6)] == pytest.approx([1, 1, 0.5, 0], abs=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExponentialDecay(0.1, 0), r"rate must be a finite number in \(0, 1\]; got 0"),
        (lambda: ExponentialDecay(-0.1, 0.5), "initial must be"),
        (lambda: StepDecay(0.1, 0.5, every=0), "every must be a positive integer; got 0"),
        (lambda: CosineDecay(0.1, steps=1.5), "steps must be a positive integer; got 1.5"),
        (lambda: CosineDecay(0.1, steps=5, final=-1), "final must be"),
        (lambda: CosineDecay(-0.1, steps=5), "initial must be"),
        (lambda: Warmup(-0.1, steps=5), "learning_rate must be"),
        (lambda: Warmup(0.1, steps=0), "steps must be a positive integer; got 0"),
        (lambda: OneCycle(-0.1, steps=10), "peak must be"),
        (lambda: OneCycle(0.1, steps=0), "steps must be a positive integer; got 0"),
        (lambda: OneCycle(0.1, steps=10, start=0.9), r"start must be a finite number in \[1, inf\]; got 0.9"),
        (lambda: OneCycle(0.1, steps=10, end=0.9), r"end must be a finite number in \[1, inf\]; got 0.9"),
        (lambda: OneCycle(0.1, steps=10, up=1), r"up must be a finite number in \(0, 1\); got 1"),
        (lambda: get(StepDecay), "learning_rate must be a finite number"),  # the class, not a schedule
        (lambda: get({"name": "Linear"}), "learning_rate must be one of CosineDecay, .*; got 'Linear'"),
        (lambda: get({"name": "StepDecay"}), "learning_rate 'StepDecay' must have other options; got {}: .* 'initial'"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
