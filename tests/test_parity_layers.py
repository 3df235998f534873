"""Layers, activations and losses against Keras, JAX and Optax: outputs, gradients and ten steps of training."""

import numpy as np
import pytest
import reference
from cases import LAYER_CASES, LOSS_CASES, samples
from reference import constant, distance, distances, jax, optax

import nnlib as nn

EXACT = 1e-10
STEPS = 10


def test_no_block_can_be_added_without_an_independent_reference():
    assert set(reference.LAYERS) == set(nn.layers.LAYERS)
    assert set(reference.ACTIVATIONS) == set(nn.activations.ACTIVATIONS)
    assert set(reference.LOSSES) == set(nn.losses.LOSSES)
    assert set(reference.FUSED) == set(nn.losses.FUSED)


MODES = [(case, True) for case in LAYER_CASES]
MODES += [(case, False) for case in LAYER_CASES if case.name in ("BatchNorm", "Dropout")]  # the others have one mode


@pytest.mark.parametrize(("case", "training"), MODES, ids=str)
def test_layer_and_its_gradients(case, training, record_check):
    layer = case.make()
    output_shape = layer.build(case.input_shape, np.random.default_rng(3), np.dtype("float64"))
    for part in layer.walk():
        for parameter in part.params.values():
            parameter += 0.3 * samples(*parameter.shape, seed=parameter.size)
        for buffer in part.buffers.values():
            buffer += 0.3 * samples(*buffer.shape, seed=buffer.size) ** 2
    x, dy = samples(5, *case.input_shape, seed=1), samples(5, *output_shape, seed=2)
    state = reference.state_of([layer])
    y, dx = layer.forward(x, training), layer.backward(dy)

    apply = reference.layer_apply(layer, case.input_shape)

    @jax.jit
    def both_ways(state, x, dy):
        y, back, moved = jax.vjp(lambda state, x: apply(state, x, training), state, x, has_aux=True)
        return y, moved, back(dy)

    expected, moved, (grads, expected_dx) = both_ways(state, constant(x), constant(dy))

    mode = "" if training else ", in prediction"
    record_check("framework", f"{case.label}, output{mode}", "Keras on JAX", distance(y, expected), EXACT)
    error = max(
        distance(dx, expected_dx),
        distances([(part.grads, {}) for part in layer.walk()], [(params, {}) for params, _ in grads]),
    )
    record_check("framework", f"{case.label}, gradients{mode}", "jax.vjp of it", error, EXACT)
    error = distances([({}, part.buffers) for part in layer.walk()], [({}, buffers) for _, buffers in moved])
    if any(part.buffers for part in layer.walk()):
        record_check("framework", f"{case.label}, running statistics{mode}", "Keras on JAX", error, EXACT)


def _train_reference(model, optimizer, objective, batches, replay):
    """Train the reference of `model` on the batches; `replay(i)` makes nnlib take its step i first (for dropout)."""
    apply, state = reference.model_apply(model), reference.state_of(model.layers)
    rule = reference.optimizer(optimizer)
    params = [params for params, _ in state]
    memory = rule.init(params)
    buffers = [buffers for _, buffers in state]

    def value(params, buffers, x, y):
        output, moved = apply(list(zip(params, buffers, strict=True)), x, True)
        return objective(output, y), [buffers for _, buffers in moved]

    slope = jax.value_and_grad(value, has_aux=True)
    if not any(isinstance(layer, nn.Dropout) for layer in model.layers):  # its reference reads each step's new mask
        slope = jax.jit(slope)
    errors = []
    for i, (x, y) in enumerate(batches):
        loss = replay(i)
        (expected, buffers), grads = slope(params, buffers, constant(x), constant(y))
        updates, memory = rule.update(grads, memory, params)
        params = optax.apply_updates(params, updates)
        errors.append(distance(loss, expected))
    state = list(zip(params, buffers, strict=True))
    ours = [(part.params, part.buffers) for layer in model.layers for part in layer.walk()]
    return max(*errors, distances(ours, state))


@pytest.mark.parametrize("case", LAYER_CASES, ids=lambda case: case.label)
def test_ten_steps_of_training_with_layer(case, record_check):
    """A dense layer before it learns through it; every parameter and running statistic is compared at the end."""
    model = nn.Sequential([nn.Dense(case.input_shape[-1]), case.make()], seed=5).build(case.input_shape)
    inputs, targets = samples(STEPS, 6, *case.input_shape), samples(STEPS, 6, *model.output_shape, seed=1)
    batches = list(zip(inputs, targets, strict=True))
    optimizer = nn.SGD(0.05, momentum=0.9)
    error = _train_reference(
        model,
        optimizer,
        reference.LOSSES["mse"],
        batches,
        lambda i: model.train_on_batch(*batches[i], loss="mse", optimizer=optimizer),
    )
    record_check("framework", f"{case.label}, ten steps", "Keras, jax.grad and Optax", error, EXACT)


@pytest.mark.parametrize("name", nn.activations.ACTIVATIONS)
def test_activation(name, record_check):
    activation, z, da = nn.activations.get(name), 3 * samples(6, 5), samples(6, 5, seed=1)
    z[0, :2] = 40, -40  # far out as well
    expected, back = jax.vjp(reference.ACTIVATIONS[name], constant(z))
    a = activation.f(z)
    error = max(distance(a, expected), distance(activation.vjp(da, z, a), back(constant(da))[0]))
    record_check("framework", f"activation {name}", "jax.nn and jax.vjp", error, EXACT)


@pytest.mark.parametrize("case", LOSS_CASES, ids=lambda case: case.label)
def test_loss(case, record_check):
    rng = np.random.default_rng(8)
    p, y = case.predictions(rng), case.targets(rng)
    expected, slope = jax.value_and_grad(reference.loss(case.loss))(constant(p), constant(y))
    error = max(distance(case.loss.value(p, y), expected), distance(case.loss.grad(p, y), slope))
    record_check("framework", f"loss {case.label}", "Optax and jax.grad", error, EXACT)


@pytest.mark.parametrize("pair", nn.losses.FUSED, ids="+".join)
@pytest.mark.parametrize("scale", [1, 1000])
def test_fused_pair(pair, scale, record_check):
    """Also for scores of ±1000, where probabilities are 0 and 1 and their logarithms infinite."""
    z, y = scale * samples(5, 3), np.eye(3)[[0, 2, 1, 1, 0]]
    expected, slope = jax.value_and_grad(reference.FUSED[pair])(constant(z), constant(y))
    fused, a = nn.losses.FUSED[pair], nn.activations.get(pair[0]).f(z)
    error = max(distance(fused.value(z, y), expected), distance(fused.grad(a, y), slope))
    record_check("framework", f"fused {fused.name}, scores of {scale}", "Optax and jax.grad", error, EXACT)


@pytest.mark.parametrize("loss", nn.losses.LOSSES)
def test_ten_steps_of_training_with_loss(loss, record_check):
    last = {"binary_crossentropy": "sigmoid", "categorical_crossentropy": "softmax"}.get(loss)
    model = nn.Sequential([nn.Dense(5, "tanh"), nn.Dense(3, last)], seed=5).build(4)
    y = np.eye(3)[np.random.default_rng(1).integers(0, 3, (STEPS, 6))] if last else samples(STEPS, 6, 3, seed=9)
    batches = list(zip(samples(STEPS, 6, 4), y, strict=True))
    optimizer = nn.Adam(0.01)
    error = _train_reference(
        model,
        optimizer,
        reference.LOSSES[loss],
        batches,
        lambda i: model.train_on_batch(*batches[i], loss=loss, optimizer=optimizer),
    )
    record_check("framework", f"loss {loss}, ten steps", "Optax and jax.grad", error, EXACT)
