"""The stored networks, maps and scores of the page "Ask where it looks": complete, made by this code, true today."""

import numpy as np
import pytest
import stored_look as look
import tissue_network
from stored_results import code_hash

from nnlib.course import datasets

TABLES = ("look_settings", "look_maps", "look_hard", "look_cued", "look_right", "look_other", "look_checks")


@pytest.mark.parametrize("name", TABLES)
def test_the_stored_tables_were_made_by_this_code(name):
    code = {"look_other": look.OTHER_CODE, "look_checks": look.CHECKS_CODE}.get(name, look.CODE)
    assert look.made(name)["code"] == code_hash(*code)


def test_the_stored_weights_were_made_by_this_code_and_are_few():
    assert look.made("look_weights")["code"] == code_hash(*look.TRAINS)
    kept = look.weights()
    assert set(kept) == {f"{kind}_{seed}" for kind in look.SIZES for seed in look.SEEDS}
    for name, values in kept.items():
        assert values.shape == (5585,), name
        assert np.isfinite(values).all(), name
    assert (look.RESULTS / "look_weights.npz").stat().st_size < 220_000
    assert len({values.tobytes() for values in kept.values()}) == len(kept)


def test_the_stored_tables_are_complete():
    seeds, methods, trivial = len(look.SEEDS), len(look.METHODS), len(look.TRIVIAL)
    settings = sum(len(some or [0]) for _, some in look.METHODS.values())
    rows = {
        "look_settings": seeds * settings + trivial,
        "look_maps": seeds * methods * len(look.NETWORKS) + trivial,
        "look_hard": seeds * methods + trivial,
        "look_cued": seeds * methods * 4,
        "look_right": seeds * len(look.SIZES),
        "look_other": seeds * methods,
        "look_checks": seeds,
    }
    keys = {
        "look_settings": ["seed", "method", "setting"],
        "look_maps": ["seed", "network", "method"],
        "look_hard": ["seed", "method"],
        "look_cued": ["seed", "kind", "cue", "method"],
        "look_right": ["seed", "kind"],
        "look_other": ["seed", "method"],
        "look_checks": ["seed"],
    }
    for name in TABLES:
        table = look.stored(name)
        assert len(table) == rows[name], name
        assert not table.duplicated(keys[name]).any(), name
        assert np.isfinite(table.select_dtypes("number")).all(axis=None), name


@pytest.mark.parametrize(
    ("seed", "network", "method"),
    [(1, "trained", "gradient"), (1, "untrained", "gradient × input"), (1, "shuffled", "gradient × input")],
)
def test_the_maps_are_what_the_library_computes_today(seed, network, method):
    """The page would speak of maps that nobody gets any more."""
    table = look.stored("look_maps").query("seed == @seed and network == @network and method == @method").iloc[0]
    for part, value in look.run_maps(seed, network, method).items():
        # rounding differs from one processor to another, and may move the largest value of a map
        assert value == pytest.approx(table[part], abs=0.03), part


@pytest.mark.parametrize(("kind", "cue"), [("marked", "marked"), ("striped", "striped"), ("honest", "marked")])
def test_where_maps_of_false_cues_point_is_true_today(kind, cue):
    table = (
        look.stored("look_cued").query("seed == 1 and kind == @kind and cue == @cue and method == 'gradient'").iloc[0]
    )
    for part, value in look.run_cued(1, kind, cue, "gradient").items():
        assert value == pytest.approx(table[part], abs=0.03), part


@pytest.mark.parametrize("method", ["gradient", "gradient × input"])
def test_maps_of_two_pictures_are_as_alike_as_the_table_says(method):
    model, learned_from = look.network("honest", 1)
    maps = look.made_by(method, model, tissue_network.standardized(look.lesions("judge").X[: look.CUED], learned_from))
    table = look.stored("look_other").set_index(["seed", "method"])["alike"]
    assert look.alike(maps[1:], maps[:-1]) == pytest.approx(table[1, method], abs=0.02)


def test_the_single_numbers_of_the_text_are_true_today():
    """All but the darkest pixel, which takes 5,000 lesions."""
    table = look.stored("look_checks").set_index("seed")
    new = {
        "crossed": look.crossed(1),
        "turns_striped": look.turns(1, "striped"),
        "turns_honest": look.turns(1, "honest"),
        "minus_x": look.minus_x(1),
    }
    assert {*new, "hard_pixel"} == {*table}
    for part, value in new.items():
        assert value == pytest.approx(table[part][1], abs=0.02), part
    assert table["hard_pixel"].nunique() == 1  # no network has a say in it


@pytest.mark.parametrize("kind", ["honest", "striped"])
def test_the_stored_networks_are_as_good_as_the_table_says(kind):
    table = look.stored("look_right").query("seed == 1 and kind == @kind").iloc[0]
    for part, value in look.run_right(1, kind).items():
        assert value == pytest.approx(table[part], abs=0.005), part


def test_a_network_trained_anew_is_like_the_stored_one():
    """A few thousand steps make much of the last digit; so its answers are compared, not its weights."""
    model, X = look.network("striped", 1)
    again = tissue_network.network(1).build((28, 28, 3))
    again.params[...] = look.trained("striped", 1)
    new = datasets.tissue(200, seed=1003)
    for part in (new.X, look.with_lines(new.X)):
        x = tissue_network.standardized(part, X)
        says = [look.logit(one, x) > 0 for one in (model, again)]
        assert np.mean(says[0] == says[1]) > 0.95


# --- the maps against independent computations ----------------------------------------------------------------------


def jax_score(params, x):
    """The score of the network for one picture (28, 28, 3), in JAX alone; params: place of a layer -> (W, b)."""
    import jax
    import jax.numpy as jnp

    h = x[None]
    for at, pool in ((0, 2), (2, 2), (4, 3)):
        W, b = params[at]
        h = jax.lax.conv_general_dilated(h, W, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        h = jnp.maximum(h + b, 0)
        h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, pool, pool, 1), (1, pool, pool, 1), "VALID")
    W, b = params[7]
    return (h.ravel() @ W + b)[0]


def test_score_and_slope_are_those_of_jax():
    jax = pytest.importorskip("jax")
    model, learned_from = look.network("honest", 1)
    x = tissue_network.standardized(look.lesions("judge").X[:2], learned_from)
    params = {at: (model.layers[at].params["W"], model.layers[at].params["b"]) for at in (0, 2, 4, 7)}
    score = jax.value_and_grad(jax_score, argnums=1)
    z, slopes = zip(*(score(params, one) for one in x), strict=True)
    assert np.allclose(z, look.logit(model, x), atol=1e-4)
    slopes = np.array(slopes)
    ours = look.slope(model, x)
    assert np.abs(ours - slopes).max() < 2e-3 * np.abs(slopes).max()
    assert np.allclose(look.gradient(model, x), np.abs(ours).max(axis=3))
    assert np.allclose(look.times_input(model, x), np.einsum("nijc,nijc->nij", ours, x), atol=1e-5)


def test_the_activation_map_is_grad_cam():
    """The mean slope of each of the 24 maps is its weight, by 9: the pooling hands it to one of nine places."""
    model, learned_from = look.network("honest", 1)
    x = tissue_network.standardized(look.lesions("judge").X[:5], learned_from)
    p = model.predict(x)
    dy = (1 / (p * (1 - p))).astype(np.float32)
    model.layers[0].skip_dx = False
    for layer in reversed(model.layers[5:]):
        dy = layer.backward(dy)
    h = x
    for layer in model.layers[:5]:
        h = layer.forward(h, False)
    awake = h.max(axis=(1, 2)) > 0  # of a map that is empty everywhere any place is the largest
    weight = dy.mean(axis=(1, 2))
    assert np.allclose(
        9 * weight[awake], np.broadcast_to(model.layers[-1].params["W"][:, 0], (5, 24))[awake], rtol=1e-3
    )
    grad_cam = np.maximum(np.einsum("nijk,nk->nij", h, weight), 0)
    assert np.allclose(9 * grad_cam, look.votes(model, x), atol=1e-3)


class Linear:
    """A score that is a weighted sum of the pixels, in the shape that `logit` asks for."""

    class Last:
        def __init__(self, w):
            self.params = {"W": w.reshape(-1, 1), "b": np.zeros(1)}

    class Flat:
        def forward(self, x, training):
            return x.reshape(len(x), -1)

    def __init__(self, w):
        self.layers = [self.Flat(), self.Last(w)]


@pytest.mark.parametrize("patch", [4, 7])
def test_occlusion_of_a_weighted_sum_is_what_was_covered(patch):
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal((28, 28, 3)), rng.standard_normal((2, 28, 28, 3))
    share = (w * x).sum(axis=3)
    total, times = np.zeros((2, *share.shape))
    for row in range(0, 28 - patch + 1, look.STEP):
        for column in range(0, 28 - patch + 1, look.STEP):
            part = np.s_[:, row : row + patch, column : column + patch]
            total[part] += share[part].sum(axis=(1, 2))[:, None, None]
            times[part] += 1
    assert times.min() > 0
    assert np.allclose(look.occlusion(Linear(w), x, patch), total / times)


def test_every_patch_covers_the_whole_picture():
    for patch in look.METHODS["occlusion"][1]:
        assert (28 - patch) % look.STEP == 0
        assert patch >= look.STEP


def test_scores_by_hand():
    maps = np.zeros((2, 28, 28))
    maps[0, 3, 4], maps[1, 5, 6] = 1, -1
    masks = np.zeros((2, 28, 28), bool)
    masks[0, 3, 4] = masks[1, 5, 6] = True
    assert look.points(maps, masks).tolist() == [True, False]
    assert np.allclose(look.top_tenth(maps, masks), [1 / 78, 0])


def test_alike_is_the_rank_correlation():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 3, 28, 28))
    other += one
    right = np.mean([spearmanr(a.ravel(), b.ravel())[0] for a, b in zip(one, other, strict=True)])
    assert look.alike(one, other) == pytest.approx(right)


def test_marks_and_lines_are_where_they_should_be():
    X = np.full((50, 28, 28, 3), 0.5)
    marked, where = look.with_mark(X, np.random.default_rng(0))
    assert (where.sum(axis=(1, 2)) == 9).all()
    assert (marked[~where] == 0.5).all()
    assert np.allclose(marked[where], look.INK)
    assert len({tuple(np.argwhere(one)[0]) for one in where}) == 4
    lines = look.with_lines(X) - X
    assert np.allclose(np.abs(lines), look.LINES)
    assert np.allclose(lines.mean(axis=1), 0)
    assert (X == 0.5).all()


def test_what_is_judged_is_not_what_settings_are_chosen_by_or_learned_from():
    parts = [look.lesions("choose").X, look.lesions("judge").X, look.network("honest", 1)[1]]
    rows = [set(map(bytes, part)) for part in parts]
    assert not any(one & other for one in rows for other in rows if one is not other)
    assert look.lesions("judge").truth.all()


def test_drawn_anew_is_from_the_top():
    model, _ = look.network("honest", 1)
    kept = model.params.copy()
    for name, count in zip(look.DRAWN_ANEW, range(5), strict=True):
        other, _ = look.variant(name, 1)
        same = [np.array_equal(model.layers[at].params["W"], other.layers[at].params["W"]) for at in (0, 2, 4, 7)]
        assert same == [True] * (4 - count) + [False] * count
    assert np.array_equal(model.params, kept)
