"""Optimizers and schedules against Optax and Keras, step by step."""

import numpy as np
import pytest
import reference
from cases import OPTIMIZER_CASES, SCHEDULE_CASES, optimizer_label, samples
from reference import constant, distance, jnp, keras, optax

import nnlib as nn

EXACT = 1e-10
STEPS = 10
EXTRAS = [{}, {"weight_decay": 0.1}, {"clip_norm": 0.5}, {"weight_decay": 0.01, "clip_norm": 1.0}]
CASES = [make(**extra) for makers in OPTIMIZER_CASES.values() for make in makers for extra in EXTRAS]


def test_no_optimizer_can_be_added_without_an_independent_reference():
    assert set(OPTIMIZER_CASES) == set(nn.optimizers.OPTIMIZERS)


@pytest.mark.parametrize("given", CASES, ids=optimizer_label)
def test_ten_steps(given, record_check):
    """One weight matrix, which decays, and one bias, which does not; gradients from tiny to large."""
    W, b = samples(3, 2), samples(2, seed=1)
    params = np.concatenate([W.ravel(), b])
    given.init(8, "float64", decayed=6)
    rule = reference.optimizer(given)
    theirs = [constant(W), constant(b)]
    memory, error = rule.init(theirs), 0.0
    for i in range(STEPS):
        grads = samples(8, seed=10 + i) * 10.0 ** (i % 5 - 3)
        updates, memory = rule.update([constant(grads[:6].reshape(3, 2)), constant(grads[6:])], memory, theirs)
        theirs = optax.apply_updates(theirs, updates)
        given.step(params, grads)
        error = max(error, distance(params, jnp.concatenate([theirs[0].ravel(), theirs[1]])))
    against = "the paper's formula in JAX" if isinstance(given, nn.Adagrad) else "Optax"
    record_check("framework", f"{optimizer_label(given)}, ten steps", against, error, EXACT)


KERAS = {
    "SGD": lambda o: keras.optimizers.SGD(o.learning_rate, momentum=o.momentum, nesterov=o.nesterov),
    "Adagrad": lambda o: keras.optimizers.Adagrad(o.learning_rate, initial_accumulator_value=0.0, epsilon=0.0),
    "RMSprop": lambda o: keras.optimizers.RMSprop(o.learning_rate, rho=o.rho, epsilon=0.0),
    "Adam": lambda o: keras.optimizers.Adam(o.learning_rate, beta_1=o.beta1, beta_2=o.beta2, epsilon=0.0),
}


@pytest.mark.parametrize("name", nn.optimizers.OPTIMIZERS)
def test_ten_steps_beside_keras(name, record_check):
    """With ε = 0, because Keras puts it elsewhere."""
    for make in OPTIMIZER_CASES[name]:
        given = make()
        if hasattr(given, "epsilon"):
            given.epsilon = 0.0
        params = samples(7)
        variable, other = keras.Variable(params.copy()), KERAS[name](given)
        other.build([variable])
        given.init(7)
        for i in range(STEPS):
            grads = samples(7, seed=20 + i)
            other.apply([constant(grads)])
            given.step(params, grads)
        error = distance(params, variable.value)
        record_check("framework", f"{optimizer_label(given)}, ten steps", "Keras", error, EXACT)


def _warm_cosine(step):
    rest = optax.cosine_decay_schedule(0.1, 10)
    return 0.1 * (step + 1) / 4 if step < 4 else rest(step - 4)


SCHEDULES = {
    "ExponentialDecay": optax.exponential_decay(0.1, transition_steps=4, decay_rate=0.5),
    "StepDecay": optax.exponential_decay(0.1, transition_steps=4, decay_rate=0.5, staircase=True),
    "CosineDecay": optax.cosine_decay_schedule(0.1, 10, alpha=0.1),
    "Warmup": _warm_cosine,
    "OneCycle": optax.cosine_onecycle_schedule(20, 0.1, pct_start=0.3, div_factor=25, final_div_factor=1e4),
}


@pytest.mark.parametrize("name", nn.schedules.SCHEDULES)
def test_schedule(name, record_check):
    ours, theirs = SCHEDULE_CASES[name], SCHEDULES[name]
    error = max(distance(ours(step), float(theirs(step))) for step in range(30))
    record_check("framework", f"schedule {name}", "Optax", error, EXACT)
