"""Tissue: its truth is what its pictures show, its laws hold as written down, and clinics change the look only."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tissue_network
from scipy import ndimage, stats

from nnlib.course import datasets
from nnlib.course.datasets import raters, stain

laws = importlib.import_module("nnlib.course.datasets.tissue")  # the package has its function by this name
tissue = datasets.tissue
BIOLOGY = ["lesion", "area", "row", "column", "contrast", "visibility", "nuclei", "crowd", "fold", "debris"]


@pytest.fixture(scope="module")
def world():
    return tissue(2000, seed=0)


@pytest.fixture(scope="module")
def ill():
    """A lesion in each."""
    return tissue(2000, seed=1, prevalence=1)


@pytest.fixture(scope="module")
def healthy():
    """Of those the doctors; they do not look at the pixels."""
    return tissue(2000, seed=1, prevalence=0, size=20)


@pytest.fixture
def unpainted(monkeypatch):
    """Leave out what only draws, for tests of the truth, the labels and the table: half of the time."""
    monkeypatch.setattr(laws, "ellipses", lambda size, present, *shapes: np.zeros((len(present), size, size)))
    monkeypatch.setattr(laws, "smooth", lambda noise, width: noise)
    monkeypatch.setattr(laws, "blur", lambda X, width: X)


def test_truth_labels_and_table_are_the_same_without_the_painting(request):
    painted = [tissue(60, seed=4, label_noise=0.3, prevalence=p) for p in (0.5, 1)]
    request.getfixturevalue("unpainted")
    for one in painted:
        other = tissue(60, seed=4, label_noise=0.3, prevalence=0.5 if one is painted[0] else 1)
        assert not np.isclose(one.X, other.X).all()
        for name in ("y", "truth", "masks"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
        assert one.table.equals(other.table)


# --- the picture and its truth --------------------------------------------------------------------------------------


def test_pictures_labels_and_masks_are_what_a_network_takes(world):
    assert world.X.shape == (2000, 28, 28, 3)
    assert (world.X.dtype, world.y.dtype, world.masks.dtype) == (np.float64, np.float64, bool)
    assert world.X.flags.c_contiguous
    assert world.X.min() >= 0
    assert world.X.max() <= 1
    assert world.y.shape == world.truth.shape == (2000, 1)
    assert set(world.truth.ravel()) == {0.0, 1.0}
    assert np.array_equal(world.y, world.truth)
    assert len(world.table) == 2000
    assert (world.table["clinic"] == "A").all()
    assert tissue(1).X.shape == (1, 28, 28, 3)
    assert tissue(3, size=32).X.shape == (3, 32, 32, 3)


@pytest.mark.parametrize("size", [20, 28, 45])
def test_the_mask_is_the_lesion_and_has_its_area_and_centre(size):
    made = tissue(300, seed=2, size=size)
    table, lesion = made.table, made.truth[:, 0] == 1
    assert np.array_equal(table["lesion"], lesion)
    assert np.array_equal(made.masks.any(axis=(1, 2)), lesion)
    assert np.array_equal(made.masks.sum(axis=(1, 2)), table["area"])
    assert table["area"][lesion].between(*laws.AREA_LIMITS).all()
    assert table.loc[~lesion, ["row", "column", "contrast", "visibility"]].isna().all(axis=None)
    for k in np.flatnonzero(lesion):
        assert ndimage.label(made.masks[k])[1] == 1  # in one piece
        assert np.argwhere(made.masks[k]).mean(axis=0) == pytest.approx(table.loc[k, ["row", "column"]].tolist())


def test_lesions_are_darker_than_what_surrounds_them_and_bluer(ill):
    inside = np.array([x[m].mean(axis=0) for x, m in zip(ill.X, ill.masks, strict=True)])
    outside = np.array([x[~m].mean(axis=0) for x, m in zip(ill.X, ill.masks, strict=True)])
    darker = (outside - inside).mean(axis=1)
    assert (darker > 0).mean() > 0.97
    assert darker.mean() > 0.15
    assert np.corrcoef(darker, ill.table["contrast"])[0, 1] > 0.6
    assert ((outside - inside)[:, 0] > (outside - inside)[:, 2]).mean() > 0.9  # haematoxylin takes red more than blue


def test_a_lesion_without_contrast_is_as_its_surroundings():
    made = tissue(2000, prevalence=1, contrast=0, decoys=0)
    inside, outside = made.X[made.masks].mean(axis=0), made.X[~made.masks].mean(axis=0)
    assert np.abs(inside - outside).max() < 0.02
    assert (made.table["contrast"] == 0).all()


def test_the_same_seed_without_and_with_a_lesion_is_a_pair():
    healthy, ill = tissue(200, prevalence=0), tissue(200, prevalence=1)
    assert not healthy.masks.any()
    assert healthy.table[["crowd", "fold", "debris"]].equals(ill.table[["crowd", "fold", "debris"]])
    quiet = {"decoys": 0, "clinic": {"noise": 0, "blur": 0}}
    healthy, ill = (tissue(200, prevalence=p, **quiet) for p in (0, 1))
    near = ndimage.binary_dilation(ill.masks, np.ones((1, 3, 3)), iterations=12)
    assert np.allclose(healthy.X[~near], ill.X[~near], rtol=0, atol=1e-5)
    assert (healthy.X != ill.X).any(axis=-1)[ill.masks].mean() > 0.99


# --- its laws -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prevalence", [0.0, 0.02, 0.3, 1.0])
def test_prevalence_is_the_probability_of_a_lesion(unpainted, prevalence):
    shares = [tissue(1000, seed=seed, prevalence=prevalence, size=20).truth.mean() for seed in range(3)]
    assert np.mean(shares) == pytest.approx(prevalence, abs=4 * np.sqrt(prevalence * (1 - prevalence) / 3000) + 1e-12)


def test_areas_contrasts_and_visibility_are_distributed_as_stated(ill, unpainted):
    table = ill.table
    assert table["area"].median() == pytest.approx(laws.AREA, rel=0.03)
    assert table["contrast"].median() == pytest.approx(laws.CONTRAST, rel=0.03)
    assert np.log(table["area"]).std() == pytest.approx(laws.AREA_SPREAD, rel=0.06)
    assert table["contrast"].between(*laws.CONTRAST_LIMITS).all()
    assert stats.kstest(table["visibility"], "norm").pvalue > 0.01
    free = table["contrast"].between(0.11, 1.59) & table["area"].between(25, 199)
    score = np.log(table["contrast"]) + np.log(table["area"] / laws.AREA) / 2
    spread = np.hypot(laws.CONTRAST_SPREAD, laws.AREA_SPREAD / 2)
    assert (score / spread)[free].to_numpy() == pytest.approx(table["visibility"][free].to_numpy(), abs=0.03)
    half = tissue(2000, seed=1, prevalence=1, contrast=0.5).table
    assert np.allclose(half["contrast"], table["contrast"] / 2)
    assert half["visibility"].equals(table["visibility"])


def test_nuclei_and_decoys_are_as_many_as_stated(world, unpainted):
    table = world.table
    for name, probability in {"crowd": laws.CROWD, "fold": laws.FOLD, "debris": laws.DEBRIS}.items():
        assert table[name].mean() == pytest.approx(probability, abs=0.035)
        assert table[name][table["lesion"]].mean() == pytest.approx(table[name][~table["lesion"]].mean(), abs=0.06)
    bare = tissue(1000, prevalence=0, decoys=0).table
    assert not bare[["crowd", "fold", "debris"]].any(axis=None)
    assert bare["nuclei"].mean() == pytest.approx(laws.CELLS * 28**2 * np.exp(laws.CELLS_SPREAD**2 / 2), rel=0.03)
    large = tissue(300, prevalence=0, decoys=0, size=56).table
    assert large["nuclei"].mean() == pytest.approx(4 * bare["nuclei"].mean(), rel=0.06)
    grown = tissue(1000, prevalence=1, decoys=0).table
    own = grown["area"] * laws.CELLS * (1 + laws.DENSER * grown["contrast"])
    displaced = laws.CELLS * grown["area"]
    assert (grown["nuclei"] - bare["nuclei"]).mean() == pytest.approx((own - displaced).mean(), rel=0.05)
    assert tissue(1000, prevalence=0, decoys=2).table["fold"].mean() == pytest.approx(2 * laws.FOLD, abs=0.05)


def test_neither_the_colour_nor_the_dark_pixels_decide_but_a_small_network_nearly_does(world):
    train, test = tissue(1000, seed=100), tissue(1000, seed=101)
    found = {}
    for name, feature in {
        "brightness": lambda X: X.mean(axis=(1, 2, 3)),
        "dark": lambda X: -(X.mean(axis=-1) < 0.45).mean(axis=(1, 2)),
        "darkest": lambda X: X.mean(axis=-1).min(axis=(1, 2)),
    }.items():
        known, new = feature(train.X), feature(test.X)
        cut = max(known, key=lambda c: ((known < c) == train.y[:, 0]).mean())
        found[name] = ((new < cut) == test.y[:, 0]).mean()
    assert max(found.values()) < 0.8, found
    assert max(found.values()) > 0.6, "they are worth something, as in real tissue"
    model = tissue_network.network(0)
    tissue_network.train(model, tissue_network.standardized(train.X, train.X), train.y)
    right = (model.predict(tissue_network.standardized(test.X, train.X)) > 0.5) == test.truth
    assert 0.88 < right.mean() < 0.97
    visible = test.table["visibility"]
    assert right[visible > 0.5].mean() > 0.96
    assert right[visible < -1.5].mean() < 0.85  # a bound that no network passes


def test_the_laws_are_those_of_the_readme():
    readme = " ".join((Path(__file__).parents[1] / "data" / "README.md").read_text(encoding="utf-8").split())
    L = laws
    for said in (
        f"Healthy tissue has {L.CELLS:.3f} nuclei for each pixel, of radius {L.RADIUS} pixels",
        f"A lesion of contrast c has (1 + {L.DENSER} c) times as many, (1 + {L.LARGER} c) times as large, "
        f"(1 + {L.DARKER} c) times as dark, with an outline of up to {L.MORE_IRREGULAR:.2f} c bumps",
        f"Area: lognormal, median {L.AREA:.0f} pixels, {L.AREA_SPREAD}, "
        f"cut to {L.AREA_LIMITS[0]} .. {L.AREA_LIMITS[1]}",
        f"contrast: lognormal, median {L.CONTRAST:.0f}, {L.CONTRAST_SPREAD}, "
        f"cut to {L.CONTRAST_LIMITS[0]} .. {L.CONTRAST_LIMITS[1]}",
        f"a healthy picture holds {L.SCATTERED:.0%} of the nuclei of the lesion that it has not",
        f"of all pictures {L.CROWD:.0%} have a crowd of small round nuclei, {L.FOLD:.0%} a fold, "
        f"{L.DEBRIS:.0%} dark debris, and each took more or less of both dyes ({L.STAIN_SPREAD:.0%})",
        f"Φ(√{1 + L.SLOPE**2:.0f} Φ⁻¹(sensitivity) + visibility)",
    ):
        assert said in readme, said


def test_a_lesions_nuclei_are_larger_darker_and_less_regular_by_the_law():
    def nuclei(contrast):
        chance = laws._Chance(0)
        chance.begin(200)
        long, short, _, wobble, _, dark = laws._nuclei(chance, 100, contrast)
        return np.sqrt(long * short), long / short, wobble, dark

    (size, ratio, wobble, dark), (large, same, bumpy, darker) = nuclei(0.0), nuclei(1.5)
    assert np.median(size) == pytest.approx(laws.RADIUS, rel=0.01)
    assert np.log(size).std() == pytest.approx(laws.RADIUS_SPREAD, rel=0.03)
    assert np.median(large / size) == pytest.approx(1 + 1.5 * laws.LARGER, rel=0.01)
    assert (ratio >= 1).all()
    assert (ratio <= 1.8).all()
    assert ratio.mean() == pytest.approx(laws.LONGER, rel=0.01)
    assert np.allclose(ratio, same)
    assert np.median(dark) == pytest.approx(laws.DARK, rel=0.01)
    assert np.log(dark).std() == pytest.approx(laws.DARK_SPREAD, rel=0.03)
    assert np.allclose(darker / dark, 1 + 1.5 * laws.DARKER)
    assert np.allclose(wobble, laws.IRREGULAR)
    assert bumpy.min() == pytest.approx(laws.IRREGULAR, abs=0.001)
    assert bumpy.max() == pytest.approx(laws.IRREGULAR + 1.5 * laws.MORE_IRREGULAR, abs=0.001)


def test_a_healthy_picture_holds_its_share_of_the_lesions_nuclei(unpainted):
    bare, full = (tissue(600, seed=9, prevalence=0, decoys=decoys).table for decoys in (0, 1))
    ill = tissue(600, seed=9, prevalence=1, decoys=0).table
    plain = ~full["crowd"]
    extra = (full["nuclei"] - bare["nuclei"])[plain].mean()
    own = (ill["area"] * laws.CELLS * (1 + laws.DENSER * ill["contrast"]))[plain].mean()
    assert extra == pytest.approx(laws.SCATTERED * own, rel=0.08)


def test_what_is_no_lesion_darkens_its_place_and_changes_nothing_else():
    quiet = {"prevalence": 1, "seed": 8, "clinic": {"noise": 0, "blur": 0}}
    bare, full = tissue(300, decoys=0, **quiet), tissue(300, decoys=1, **quiet)
    more = bare.X.mean(axis=-1) - full.X.mean(axis=-1)
    kinds = full.table[["crowd", "fold", "debris"]]
    assert np.abs(more[~kinds.any(axis=1)]).max() == 0
    assert more.min() > -1e-9
    dark = (more > 0.05).mean(axis=(1, 2))
    for name, least, most in (("crowd", 0.01, 0.15), ("fold", 0.03, 0.25), ("debris", 0.002, 0.08)):
        alone = kinds[name] & (kinds.sum(axis=1) == 1)
        assert alone.sum() > 20
        assert least < np.median(dark[alone]) < most, name


# --- labels and doctors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise_on", ["any", "faint"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_the_share_of_flipped_labels_is_that_asked_for_in_both_classes(unpainted, noise_on, share):
    made = tissue(2000, seed=3, label_noise=share, noise_on=noise_on, size=20)
    flipped = made.table["flipped"].to_numpy()
    assert np.array_equal(made.y != made.truth, flipped[:, None])
    assert np.array_equal(made.truth[:, 0], made.table["lesion"])
    for lesion in (False, True):
        assert flipped[made.table["lesion"] == lesion].mean() == pytest.approx(share, abs=0.03 if share else 0)
    if share == 0.1:
        visible = made.table["visibility"]
        faint, plain = flipped[visible < -0.7].mean(), flipped[visible > 0.7].mean()
        assert (faint > 0.2) == (plain < 0.03) == (noise_on == "faint")


def test_label_noise_changes_labels_only():
    clean, noisy = tissue(50), tissue(50, label_noise=0.3, noise_on="faint")
    assert np.array_equal(clean.X, noisy.X)
    assert np.array_equal(clean.truth, noisy.truth)
    assert clean.table.drop(columns="flipped").equals(noisy.table.drop(columns="flipped"))


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.8, 0.9), (0.6, 0.99), (0.95, 0.7)])
def test_doctors_have_the_rates_asked_for_and_miss_the_faint(ill, healthy, sensitivity, specificity):
    found = raters(ill, sensitivity, specificity, readers=8)
    assert found.shape == (2000, 8)
    assert set(found.ravel()) <= {0.0, 1.0}
    assert found.mean() == pytest.approx(sensitivity, abs=0.025)
    visible = ill.table["visibility"].to_numpy()
    for v in (-1.5, 0.0, 1.5):
        expected = stats.norm.cdf(
            np.sqrt(1 + laws.SLOPE**2) * stats.norm.ppf(sensitivity) + laws.SLOPE * visible[abs(visible - v) < 0.2]
        )
        assert found[abs(visible - v) < 0.2].mean() == pytest.approx(expected.mean(), abs=0.06)
    assert raters(healthy, sensitivity, specificity, readers=8).mean() == pytest.approx(1 - specificity, abs=0.012)


def test_the_mean_of_the_doctors_law_is_exact():
    v, weight = np.polynomial.hermite_e.hermegauss(80)
    for share in (0.02, 0.2, 0.5, 0.9):
        assert laws._missed(share, v) @ weight / weight.sum() == pytest.approx(share, abs=1e-6)


def test_doctors_err_together_on_lesions_and_not_on_healthy_tissue(world):
    one, two = raters(world, 0.8, 0.8, readers=2, seed=5).T
    lesion = world.truth[:, 0] == 1
    assert np.corrcoef(one[lesion], two[lesion])[0, 1] > 0.2
    assert abs(np.corrcoef(one[~lesion], two[~lesion])[0, 1]) < 0.1


def test_a_doctor_is_one_of_a_seed_and_may_have_rates_of_their_own(world):
    three = raters(world, [0.6, 0.8, 0.95], [0.9, 0.8, 0.7], readers=3, seed=2)
    lesion = world.truth[:, 0] == 1
    assert three[lesion].mean(axis=0) == pytest.approx([0.6, 0.8, 0.95], abs=0.05)
    assert three[~lesion].mean(axis=0) == pytest.approx([0.1, 0.2, 0.3], abs=0.05)
    assert np.array_equal(three[:, :1], raters(world, 0.6, 0.9, seed=2))
    assert not np.array_equal(three[:, :1], raters(world, 0.6, 0.9, seed=3))
    assert np.array_equal(three[:, :1], raters(replace(world, X=world.X[:, ::-1], y=1 - world.y), 0.6, 0.9, seed=2))


# --- clinics --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clinic", ["B", {"blur": 2, "noise": 0.2}])
def test_another_clinic_shows_the_same_tissue(world, clinic):
    other = tissue(500, seed=0, clinic=clinic)
    X = world.X[:500]
    assert np.array_equal(other.masks, world.masks[:500])
    assert np.array_equal(other.truth, world.truth[:500])
    assert other.table[BIOLOGY].equals(world.table[BIOLOGY][:500])
    assert (other.table["clinic"] == ("B" if clinic == "B" else "own")).all()
    assert not np.isclose(other.X, X).all(axis=(1, 2, 3)).any()
    light, there = X.mean(axis=(1, 2, 3)), other.X.mean(axis=(1, 2, 3))
    assert np.corrcoef(light, there)[0, 1] > 0.9
    assert np.array_equal(raters(world)[:500], raters(other))


def test_the_second_clinic_is_brighter_blurred_and_of_another_stain_and_noise(world):
    other = tissue(500, seed=0, clinic="B")
    here, there = world.X[:500].mean(axis=(0, 1, 2)), other.X.mean(axis=(0, 1, 2))
    assert (there > here).all()
    assert there[2] / there[0] > 1.03 * here[2] / here[0]  # more magenta
    quiet = [tissue(300, clinic=laws.CLINICS[c] | {"noise": 0}).X for c in "AB"]
    edges = [np.abs(np.diff(X, axis=2)).mean() / X.std() for X in quiet]
    assert edges[1] < 0.9 * edges[0]
    noise = [tissue(300, clinic=laws.CLINICS[c]).X - X for c, X in zip("AB", quiet, strict=True)]
    unclipped = [(X > 0.15) & (X < 0.8) for X in quiet]
    for c, part, free in zip("AB", noise, unclipped, strict=True):
        assert part[free].std() == pytest.approx(laws.CLINICS[c]["noise"], rel=0.05)
        neighbours = np.corrcoef(part[:, :, 1:].ravel(), part[:, :, :-1].ravel())[0, 1]
        assert (neighbours > 0.3) == (c == "B")


def test_a_clinic_of_ones_own_replaces_single_parameters():
    given = {"light": 1.2, "stain": [[1, 0, 0], [0, 1, 0]], "noise": 0, "blur": 0}
    made = tissue(20, clinic=given)
    assert made.clinic == laws.CLINICS["A"] | given | {"stain": ((1, 0, 0), (0, 1, 0))}
    blue = made.X[..., 2]  # neither dye takes it: what is left is the lamp, and that differs from picture to picture
    assert np.allclose(blue, blue[:, :1, :1])
    assert np.array_equal(tissue(5, clinic={}).X, tissue(5).X)
    assert laws.CLINICS["A"]["light"] == 0.96
    assert tissue(5, clinic="B").clinic == laws.CLINICS["B"]


def test_each_dye_has_its_strength_and_each_picture_its_lamp(request):
    dyes = {"stain": [[1, 0, 0], [0, 1, 0]], "noise": 0, "blur": 0}
    plain = tissue(50, clinic=dyes)
    for strength, faded in (((0, 1), 0), ((1, 0), 1)):
        X = tissue(50, clinic=dyes | {"strength": strength}).X
        assert np.allclose(X[..., faded], X[..., 2])  # the lamp alone
        assert np.array_equal(X[..., 1 - faded], plain.X[..., 1 - faded])
    assert plain.X[..., 0].std() > 1.5 * plain.X[..., 1].std()  # haematoxylin lies in the nuclei, eosin everywhere
    request.getfixturevalue("unpainted")  # what dyes that take nothing would let through, all the same
    lamps = tissue(2000, size=20, clinic={"stain": np.zeros((2, 3)), "noise": 0, "light": 0.8}).X[:, 0, 0, 0]
    assert lamps.mean() == pytest.approx(0.8, rel=0.005)
    assert lamps.std() / lamps.mean() == pytest.approx(laws.LIGHT_SPREAD, rel=0.06)


# --- seeds ----------------------------------------------------------------------------------------------------------


def test_a_seed_is_a_set_of_pictures():
    one, again, other = tissue(30, seed=4), tissue(30, seed=4), tissue(30, seed=5)
    assert np.array_equal(one.X, again.X)
    assert one.table.equals(again.table)
    assert not np.array_equal(one.X, other.X)
    assert np.array_equal(tissue(30).X, tissue(30, seed=0).X)


@pytest.mark.parametrize(
    ("clinic", "colours", "dark"),
    [("A", (0.777336, 0.601062, 0.697993), 0.08651), ("B", (0.841228, 0.643017, 0.785413), 0.05057)],
)
def test_the_pictures_of_a_seed_stay_those_of_which_the_pages_speak(clinic, colours, dark):
    """Whoever changes a law or the order of the chances changes all stored results, and should know it."""
    X = tissue(40, seed=0, clinic=clinic).X
    assert X.mean(axis=(0, 1, 2)) == pytest.approx(colours, abs=1e-5)
    assert (X.mean(axis=-1) < 0.45).mean() == pytest.approx(dark, abs=1e-4)


@pytest.mark.parametrize("clinic", ["A", "B"])
def test_the_first_pictures_are_the_same_however_many_there_are(monkeypatch, clinic):
    monkeypatch.setattr(laws, "AT_ONCE", 50)
    many = tissue(107, seed=6, clinic=clinic, label_noise=0.2)
    for n in (1, 7, 50, 51):
        few = tissue(n, seed=6, clinic=clinic, label_noise=0.2)
        for name in ("X", "y", "truth", "masks"):
            assert np.array_equal(getattr(few, name), getattr(many, name)[:n])
        assert few.table.equals(many.table[:n])


def test_prevalence_redraws_only_those_that_fall_ill():
    rare, common = tissue(300, prevalence=0.2), tissue(300, prevalence=0.6)
    same = rare.truth[:, 0] == common.truth[:, 0]
    assert (rare.truth <= common.truth).all()
    assert np.array_equal((rare.X == common.X).all(axis=(1, 2, 3)), same)


# --- the drawing, by hand -------------------------------------------------------------------------------------------


def test_two_dyes_let_through_what_beer_and_lambert_say():
    ones = np.ones((1, 1, 1))
    light = stain.transmit(2 * ones, 0.5 * ones, stain.RUIFROK)
    assert light.ravel() == pytest.approx(np.exp([-1.335, -1.895, -0.635]))
    assert (stain.transmit(0 * ones, 0 * ones, stain.MACENKO) == 1).all()


def test_the_dyes_are_those_of_the_papers():
    """Macenko's reference vectors have length 1; clinic B lies between them and Ruifrok's."""
    for dye in stain.MACENKO:
        assert np.linalg.norm(dye) == pytest.approx(1, abs=2e-4)
    between = 0.8 * np.array(stain.MACENKO) + 0.2 * np.array(stain.RUIFROK)
    assert np.array(stain.BETWEEN) == pytest.approx(between, abs=0.01)
    for blue, pink in (stain.RUIFROK, stain.MACENKO, stain.BETWEEN):
        assert blue[0] > blue[2]  # what takes more red than blue looks blue,
        assert pink[1] > pink[0] + 0.5  # and what takes green pink


def test_ellipses_cover_their_area_and_the_darkest_wins():
    def one(long, short, angle=0.0, wobble=0.0, row=20.0, column=20.0):
        made = (np.array([[part]]) for part in (long, short, angle, wobble, 0.4, 2.0))
        return stain.ellipses(41, np.array([[True]]), np.array([[[row, column]]]), *made)[0]

    for long, short, angle in ((5, 5, 0), (8, 4, 0.0), (8, 4, 0.7), (3, 2, 2.0)):
        assert one(long, short, angle).sum() == pytest.approx(2 * np.pi * long * short, rel=0.03)
    assert one(6, 6, wobble=0.3).sum() == pytest.approx(2 * np.pi * 36 * (1 + 0.3**2 / 2), rel=0.02)
    wide = one(8, 3) > 1
    assert (wide.any(axis=0).sum(), wide.any(axis=1).sum()) == (15, 5)
    assert (one(8, 3, np.pi / 2) > 1).any(axis=1).sum() == 15
    assert one(5, 5, row=-0.5, column=20.3).sum() == pytest.approx(np.pi * 25, rel=0.05)  # half of it, amount 2
    assert np.argwhere(one(2, 2, row=7, column=30) == 2).mean(axis=0).tolist() == [7, 30]
    two = [np.array([pair]) for pair in ((4, 4), (4, 4), (0, 0), (0, 0), (0, 0), (1.0, 3.0))]
    both = stain.ellipses(41, np.array([[True, True]]), np.array([[[20.0, 18], [20, 22]]]), *two)[0]
    assert (both[20, 20], both[20, 15], both.max()) == (3, 1, 3)
    assert not stain.ellipses(41, np.array([[False, False]]), np.zeros((1, 2, 2)), *two).any()


def test_blur_keeps_the_light_and_smooth_noise_its_spread():
    rng = np.random.default_rng(0)
    X = rng.random((3, 20, 20))
    assert stain.blur(X, 0) is X
    assert np.allclose(stain.blur(np.ones((1, 9, 9)), 1.3), 1)
    assert stain.blur(X, 1.5).mean(axis=(1, 2)) == pytest.approx(X.mean(axis=(1, 2)), abs=0.03)
    middle = np.zeros((1, 31, 31))
    middle[0, 15, 15] = 1
    spread = stain.blur(middle, 2.0)[0]
    assert spread == pytest.approx(ndimage.gaussian_filter(middle[0], 2.0, mode="reflect", truncate=8), abs=1e-6)
    edge = ndimage.gaussian_filter(X[0], 1.0, mode="reflect", truncate=8)
    assert stain.blur(X, 1.0)[0] == pytest.approx(edge, abs=1e-9)
    field = stain.smooth(rng.standard_normal((4000, 12, 12)), 2.0)
    assert field.std(axis=0) == pytest.approx(np.ones((12, 12)), abs=0.06)
    assert np.corrcoef(field[:, 5, 5], field[:, 5, 6])[0, 1] > 0.9


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tissue(0), "n must be a positive integer; got 0"),
        (lambda: tissue(10.0), "n must be a positive integer; got 10.0"),
        (lambda: tissue(5, seed=-1), "seed must be .*; got -1"),
        (lambda: tissue(5, prevalence=1.1), r"prevalence must be a finite number in \[0, 1\]; got 1.1"),
        (lambda: tissue(5, label_noise=0.6), r"label_noise must be a finite number in \[0, 0.5\]; got 0.6"),
        (lambda: tissue(5, noise_on="all"), "noise_on must be one of any, faint; got 'all'"),
        (lambda: tissue(5, size=19), "size must be from 20 to 256 pixels; got 19"),
        (lambda: tissue(5, size=(28, 28)), r"size must be a positive integer; got \(28, 28\)"),
        (lambda: tissue(5, contrast=2.1), r"contrast must be a finite number in \[0, 2\]; got 2.1"),
        (lambda: tissue(5, decoys=-1), r"decoys must be a finite number in \[0, 2\]; got -1"),
        (lambda: tissue(5, clinic="C"), "clinic must be one of A, B; got 'C'"),
        (lambda: tissue(5, clinic=None), "clinic must be one of A, B; got None"),
        (lambda: tissue(5, clinic={"lamp": 1}), "clinic must have keys of stain, .*, grain; got 'lamp'"),
        (lambda: tissue(5, clinic={"blur": -1}), r"clinic's blur must be a finite number in \[0, 5\]; got -1"),
        (lambda: tissue(5, clinic={"noise": "much"}), "clinic's noise must be a finite number"),
        (
            lambda: tissue(5, clinic={"stain": [1, 2, 3]}),
            r"clinic's stain must be numbers .* \(2, 3\); got \[1, 2, 3\]",
        ),
        (lambda: tissue(5, clinic={"strength": (1, -1)}), r"clinic's strength must be numbers of at least 0"),
        (lambda: tissue(5, clinic={"strength": (1, np.nan)}), "clinic's strength must be finite"),
        (lambda: raters(np.ones((5, 1))), r"tissue must be what tissue\(\) returned; got ndarray"),
        (lambda: raters(tissue(2), 1.0), "sensitivity must be a share inside 0 and 1, or 1, .*; got 1.0"),
        (lambda: raters(tissue(2), 0.8, 0), "specificity must be a share inside 0 and 1"),
        (lambda: raters(tissue(2), [0.8, 0.9], readers=3), "sensitivity must be .* or 3, one of each reader"),
        (lambda: raters(tissue(2), "good"), "sensitivity must hold numbers"),
        (lambda: raters(tissue(2), readers=0), "readers must be a positive integer; got 0"),
        (lambda: raters(tissue(2), seed=0.5), "seed must be .*; got 0.5"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_doctor_of_the_same_seed_as_the_pictures_knows_no_more_than_another(unpainted):
    """The random numbers that decide who has a lesion must not decide what a doctor says."""
    for seed in range(5):
        world = tissue(2000, seed=seed, size=20)
        lesion = world.truth[:, 0] == 1
        says = raters(world, 0.8, 0.9, seed=seed)[:, 0]
        assert says[lesion].mean() == pytest.approx(0.8, abs=0.05)
        assert says[~lesion].mean() == pytest.approx(0.1, abs=0.035)
