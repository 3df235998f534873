"""Training one model through another that is held fixed: all that a generative adversarial network needs."""

import numpy as np
import pytest

import nnlib as nn

MEAN, SD = 3.0, 0.7


def test_a_generator_learns_a_distribution_from_its_judge(record_check):
    """Goodfellow et al. 2014 on one number: noise becomes samples of N(3, 0.7²); no noise on labels, no penalties.

    At the end the discriminator cannot tell: its loss is that of guessing, ln 2.
    """
    rng, rows = np.random.default_rng(0), 128
    generator = nn.Sequential([nn.Dense(16, "tanh"), nn.Dense(1)], seed=1)
    discriminator = nn.Sequential(
        [nn.Dense(16, "leaky_relu"), nn.Dense(16, "leaky_relu"), nn.Dense(1, "sigmoid")], seed=2
    )
    create, judge = nn.Adam(0.001, beta1=0.5), nn.Adam(0.005, beta1=0.5)
    loss, true, false = "binary_crossentropy", np.ones((rows, 1)), np.zeros((rows, 1))
    judged = []
    for _ in range(2000):
        real, made = MEAN + SD * rng.standard_normal((rows, 1)), generator.predict(rng.standard_normal((rows, 1)))
        shown, labels = np.concatenate([real, made]), np.concatenate([true, false])
        judged.append(discriminator.train_on_batch(shown, labels, loss=loss, optimizer=judge))
        noise = rng.standard_normal((rows, 1))
        generator.train_on_batch(noise, true, loss=loss, optimizer=create, through=discriminator)
    samples = generator.predict(rng.standard_normal((5000, 1)))
    for what, is_, should_be, tolerance in (
        ("mean of the samples", samples.mean(), MEAN, 0.15),
        ("standard deviation of the samples", samples.std(), SD, 0.15),
        ("loss of the discriminator (guessing: ln 2)", np.mean(judged[-200:]), np.log(2), 0.03),
    ):
        record_check("behaviour", f"GAN, {what}", f"{should_be:.2f}", abs(is_ - should_be), tolerance)


def test_the_judge_stays_as_it_is_and_the_gradient_is_that_of_the_whole():
    """The step equals that of one model made of both, with the judge's parameters left out."""
    x, y = np.random.default_rng(0).standard_normal((8, 3)), np.ones((8, 1))
    first = nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(2)], seed=1).build(3)
    judge = nn.Sequential([nn.BatchNorm(), nn.Dense(5, "tanh"), nn.Dense(1, "sigmoid")], seed=2).build(2)
    whole = nn.Sequential(
        [*(nn.Dense(4, "tanh"), nn.Dense(2)), *(nn.BatchNorm(), nn.Dense(5, "tanh"), nn.Dense(1, "sigmoid"))]
    ).build(3)
    for layer, twin in zip(whole.layers, [*first.layers, *judge.layers], strict=True):
        for name, values in layer.params.items():
            values[...] = twin.params[name]
    before, start = judge.get_weights(), first.params.copy()
    loss = first.train_on_batch(x, y, loss="binary_crossentropy", optimizer=nn.SGD(1.0), through=judge)
    assert loss == pytest.approx(whole.train_on_batch(x, y, loss="binary_crossentropy", optimizer=nn.SGD(1.0)))
    for mine, twin in zip(first.layers, whole.layers[:2], strict=True):
        for name in mine.params:
            np.testing.assert_allclose(mine.params[name], twin.params[name], rtol=1e-12, atol=1e-15)
    assert not np.allclose(first.params, start)
    for kept, now in zip(before, judge.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, now)


def test_train_on_batch_refuses_what_would_silently_forget():
    """A name would start a new Adam at each call; and scoring after it must still know the metrics of `fit`."""
    model = nn.Sequential([nn.Dense(1)])
    x, y = np.ones((4, 2)), np.ones((4, 1))
    with pytest.raises(ValueError, match=r"optimizer must be an optimizer object.*got 'Adam'"):
        model.train_on_batch(x, y, loss="mse", optimizer="Adam")
    model.fit(x, y, loss="mse", optimizer="Adam", metrics=["rmse"])
    model.train_on_batch(x, y)
    assert set(model.evaluate(x, y)) == {"loss", "rmse"}
    assert model.optimizer.t == 2
