"""What the chapters of the insurance project share: the model with which they do better."""

import subprocess
import sys
from pathlib import Path

import charges_model
import compare_models
import numpy as np
import pandas as pd
import pytest
from charges_model import ChargesModel, conformal_quantiles, encode_pieces
from insurance_project import cross_validate, errors_by_group, formula, groups_of, inputs, out_of_fold
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, cross_val_predict
from stored_results import stored

from nnlib import metrics, storage
from nnlib.course.datasets import insurance_twin

FOLDER = Path(charges_model.__file__).parent


@pytest.fixture(scope="module")
def twin():
    return insurance_twin()


@pytest.fixture(scope="module")
def fitted(twin):
    return ChargesModel(members=2).fit(twin[:1000], twin.charges[:1000])


@pytest.fixture(scope="module")
def calibrated(twin):
    return ChargesModel().fit(twin, twin.charges).calibrate(twin, twin.charges)


def test_the_recipe_comes_within_two_percent_of_the_smallest_possible_error(twin):
    """The chapter's promise, on a table made by another seed than the one that it was tuned on."""
    for table, seed in ((twin, 1), (insurance_twin(5), 2)):
        y = table.charges.to_numpy()
        floor = (y - formula(table)).std()
        folds = KFold(5, shuffle=True, random_state=seed)
        y_pred = cross_val_predict(ChargesModel(seed=seed), table, y, cv=folds)
        assert 0.98 * floor < metrics.rmse(y_pred, y) < 1.02 * floor


def test_without_the_shift_predictions_are_too_low_by_the_mean_extra(twin):
    """Whoever removes the shift promises an insurer some 9% too little money."""
    model = ChargesModel(members=1).fit(twin, twin.charges)
    assert np.mean(model.predict(twin) - twin.charges) == pytest.approx(0, abs=0.01)
    extra = np.mean(twin.charges - formula(twin))
    assert model.shift_ == pytest.approx(extra, rel=0.15)


def test_held_out_rows_and_their_charges_cannot_reach_the_model(twin):
    """A leak would make every cross-validated error of the project a lie."""
    train = twin[:800]
    model = ChargesModel(members=1, epochs=2).fit(train.drop(columns="charges"), train.charges)
    spoilt = train.assign(charges=0.0)
    again = ChargesModel(members=1, epochs=2).fit(spoilt, train.charges)
    np.testing.assert_array_equal(model.predict(twin[800:]), again.predict(twin[800:].assign(charges=1e9)))
    whole, alone = model.predict(twin[800:]), [model.predict(twin[i : i + 1])[0] for i in range(800, 820)]
    np.testing.assert_allclose(alone, whole[:20], rtol=1e-5)


def test_the_same_seed_gives_the_same_model_and_another_one_another(twin):
    """Without this no number of the chapter could be repeated."""
    train, new = twin[:400], twin[400:]
    first, second, third = (ChargesModel(members=1, epochs=2, seed=s).fit(train, train.charges) for s in (3, 3, 4))
    np.testing.assert_array_equal(first.predict(new), second.predict(new))
    assert np.abs(first.predict(new) - third.predict(new)).max() > 1


def test_pieces_by_hand():
    """A wrong encoding would bend the curve of age or BMI where no knot is."""
    x, knots = [10.0, 20.0, 25.0, 40.0, 70.0], [20.0, 30.0, 50.0]
    by_hand = [[-1.0, 0.0], [0.0, 0.0], [0.5, 0.0], [1.0, 0.5], [1.0, 2.0]]
    np.testing.assert_allclose(encode_pieces(x, knots), by_hand)
    np.testing.assert_allclose(encode_pieces(x, knots) @ [10, 20] + 20, x)


def test_the_model_is_a_scikit_learn_estimator(twin, fitted):
    """The chapters use cross-validation and permutation importance on it directly."""
    assert clone(fitted).get_params() == fitted.get_params()
    found = permutation_importance(fitted, twin[1000:], twin.charges[1000:], n_repeats=2, random_state=0)
    importance = dict(zip(twin.columns, found.importances_mean, strict=True))
    assert max(importance, key=importance.get) == "smoker"
    assert importance["charges"] == 0


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("smoker", "Yes", "smoker must be one of no, yes; got 'Yes'"),
        ("region", "south", "region must be one of northeast, northwest, southeast, southwest; got 'south'"),
        ("bmi", np.nan, "bmi must be a finite number in every row; got nan"),
        ("age", "forty", "age must be a finite number in every row; got 'forty'"),
        ("children", None, "children must be a finite number in every row; got None"),
        ("sex", np.nan, "sex must be one of female, male; got nan"),
    ],
)
def test_a_client_that_cannot_be_read_is_refused(fitted, twin, column, value, message):
    """Otherwise a "Yes" would quietly be priced as a non-smoker."""
    client = twin[:1].assign(**{column: value})
    with pytest.raises(ValueError, match=message):
        fitted.predict(client)


def test_a_missing_column_and_wrong_targets_are_named(fitted, twin):
    """Clear messages, not a KeyError from inside."""
    with pytest.raises(ValueError, match=r"table must have the columns age, .*; children is missing"):
        fitted.predict(twin.drop(columns="children"))
    with pytest.raises(ValueError, match=r"y must have the shape \(1338,\), one number per row of table; got \(5,\)"):
        ChargesModel().fit(twin, twin.charges[:5])
    with pytest.raises(ValueError, match="y must be finite; got nan"):
        ChargesModel().fit(twin, twin.charges.where(twin.age > 20))
    with pytest.raises(ValueError, match=r"y must have the shape \(1338,\).*; got \(5,\)"):
        fitted.calibrate(twin, twin.charges[:5])
    with pytest.raises(ValueError, match="members must be a positive integer; got 0"):
        ChargesModel(members=0).fit(twin, twin.charges)
    with pytest.raises(ValueError, match="features must be 'engineered' or 'plain'; got 'raw'"):
        ChargesModel(features="raw").fit(twin, twin.charges)


# --- delivery ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def delivered(twin, tmp_path_factory):
    """Return a model with intervals, and the file that it was saved to."""
    model = ChargesModel(members=2, epochs=10).fit(twin, twin.charges).calibrate(twin, twin.charges)
    path = tmp_path_factory.mktemp("delivered") / "charges.npz"
    model.save(path)
    return model, path


CLIENT = {"age": 59, "sex": "male", "bmi": 31.0, "children": 1, "smoker": "no", "region": "northwest"}


def run_elsewhere(code, *arguments):
    """Run code in a fresh process that knows the folder of the chapters and the course, nothing else."""
    paths = [str(FOLDER), str(FOLDER.parent.parent)]
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths}\n{code}", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


def test_a_fresh_process_predicts_the_same_bits(delivered, twin):
    """What was tested and what is delivered would be two different models."""
    model, path = delivered
    code = f"""
from charges_model import ChargesModel
from nnlib.course.datasets import insurance_twin
model, twin = ChargesModel.load(sys.argv[1]), insurance_twin()
for values in (model.predict(twin), *model.predict_interval(twin, 0.9)):
    print(values.tobytes().hex())
print(model.quote({CLIENT}).to_numpy().tobytes().hex(), model)
"""
    done = run_elsewhere(code, path)
    assert done.returncode == 0, done.stderr
    here = [model.predict(twin), *model.predict_interval(twin, 0.9), model.quote(CLIENT).to_numpy()]
    expected = [values.tobytes().hex() for values in here]
    expected[-1] += f" {model}"
    assert done.stdout.split("\n")[:-1] == expected


def test_a_loaded_model_can_be_saved_and_trained_again(delivered, twin, tmp_path):
    """A delivered file must not be a dead end."""
    model, path = delivered
    again = ChargesModel.load(path)
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()
    assert clone(again).get_params() == model.get_params()
    np.testing.assert_array_equal(again.fit(twin, twin.charges).predict(twin), model.predict(twin))
    with pytest.raises(ValueError, match=r"no residuals .* call calibrate"):
        again.quote(CLIENT)


def test_damaged_and_foreign_files_are_refused(delivered, twin, tmp_path):
    """A half file that loads would quote wrong prices."""
    model, path = delivered
    whole, file = path.read_bytes(), tmp_path / "other.npz"
    spoilt = bytearray(whole)
    spoilt[whole.index(model.networks_[0].params.tobytes()) + 40] ^= 1
    for content in (b"", whole[:100], whole[: len(whole) // 2], whole[:-1], bytes(spoilt), b"age,charges\n40,7000\n"):
        file.write_bytes(content)
        with pytest.raises(ValueError, match="is not a model saved by nnlib, or is damaged"):
            ChargesModel.load(file)
    model.networks_[0].save(file)
    with pytest.raises(ValueError, match=r"other.npz' holds no ChargesModel"):
        ChargesModel.load(file)
    with open(path, "rb") as opened:
        config, arrays = storage.read(opened)
    storage.write(file, {**config, "charges_model": 99}, arrays)
    with pytest.raises(ValueError, match="has version 99 of ChargesModel; this code reads 1"):
        ChargesModel.load(file)
    for change in ({"members": 3}, {"hidden": [8, 8]}, {"depth": 4}):
        storage.write(file, {**config, "settings": {**config["settings"], **change}}, arrays)
        with pytest.raises(ValueError, match=r"other.npz' is damaged: "):
            ChargesModel.load(file)
    with pytest.raises(FileNotFoundError):
        ChargesModel.load(tmp_path / "absent.npz")


def test_a_process_killed_while_saving_leaves_the_old_file(delivered, tmp_path):
    """The service would find half a model in the morning."""
    _, path = delivered
    file = tmp_path / "model.npz"
    file.write_bytes(path.read_bytes())
    code = """
import os, signal, numpy
from charges_model import ChargesModel
model = ChargesModel.load(sys.argv[1])
write = numpy.savez
def stop_halfway(file, **arrays):
    write(file, **arrays)
    file.truncate(1000)
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
numpy.savez = stop_halfway
model.shift_ += 1
model.save(sys.argv[1])
"""
    assert run_elsewhere(code, file).returncode == -9
    assert file.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": 80}, "age must be from 18 to 64, as in the training rows; got 80"),
        ({"bmi": 310.0}, r"bmi must be from 15.96 to 50.38, as in the training rows; got 310"),
        ({"children": 2.5}, "children must be a whole number; got 2.5"),
        ({"age": "59"}, "age must be a finite number in every row; got '59'"),
        ({"smoker": True}, "smoker must be one of no, yes; got True"),
        ({"region": "Hawaii"}, "region must be one of northeast, .*; got 'Hawaii'"),
    ],
)
def test_no_price_for_a_client_unlike_all_known_ones(delivered, change, message):
    """Nothing is known of the error out there; a height typed as BMI must not be priced."""
    with pytest.raises(ValueError, match=message):
        delivered[0].quote({**CLIENT, **change})
    without = {name: value for name, value in CLIENT.items() if name not in change}
    with pytest.raises(ValueError, match=f"{next(iter(change))} is missing"):
        delivered[0].quote(without)


def test_one_client_or_many_cost_the_same(delivered, twin):
    """A quote at the counter and one in the nightly batch must agree."""
    model, _ = delivered
    many = model.quote(twin[:3], 0.9)
    assert list(many.index) == list(twin.index[:3])
    alone = model.quote(dict(twin.drop(columns="charges").iloc[1]), 0.9)
    np.testing.assert_allclose(alone.to_numpy()[0], many.to_numpy()[1], rtol=1e-5)
    assert (many.low < many.expected).all()
    assert (many.expected < many.high).all()


def test_an_interval_that_leaves_out_the_few_ends_below_the_mean(twin, calibrated):
    """What the docstring of `quote` warns of; whoever takes the interval for one around ŷ would misread the quote."""
    most, nearly_all = (calibrated.quote(twin, coverage) for coverage in (0.8, 0.95))
    assert (most.high < most.expected).all()
    assert (nearly_all.low < nearly_all.expected).all()
    assert (nearly_all.expected < nearly_all.high).all()


def test_conformal_quantiles_by_hand():
    """One place off, and the promised coverage is not kept."""
    residuals = [5, -3, 0, 1, -1, 2, 9, -2, 3]  # -3 -2 -1 0 1 2 3 5 9
    assert conformal_quantiles(residuals, 0.8) == (-3, 9)
    assert conformal_quantiles(residuals, 0.6) == (-2, 5)
    assert conformal_quantiles(range(19), 0.9) == (0, 18)
    with pytest.raises(ValueError, match=r"coverage must be at most 0\.8 with 9 residuals; got 0\.9"):
        conformal_quantiles(residuals, 0.9)
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1, both excluded; got 95"):
        conformal_quantiles(residuals, 95)


@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.95])
def test_conformal_quantiles_cover_new_residuals_as_promised(coverage):
    """The promise itself: on average over samples, whatever the distribution, between c and c + 2/(n + 1)."""
    rng, n = np.random.default_rng(0), 49
    inside = []
    for _ in range(4000):
        residuals = rng.exponential(size=n + 1) ** 3
        low, high = conformal_quantiles(residuals[1:], coverage)
        inside.append(low <= residuals[0] <= high)
    noise = 4 * np.sqrt(coverage * (1 - coverage) / len(inside))
    assert coverage - noise < np.mean(inside) < coverage + 2 / (n + 1) + noise


def test_intervals_hold_the_charges_of_new_persons(twin, calibrated):
    """The promise to the client, on a table made by another seed, for smokers and for the others."""
    new = insurance_twin(5)
    for coverage in (0.8, 0.95):
        low, high = calibrated.predict_interval(new, coverage)
        inside = (low <= new.charges) & (new.charges <= high)
        for smokes in ("yes", "no"):
            group = inside[new.smoker == smokes]
            assert group.mean() > coverage - 3 * np.sqrt(coverage * (1 - coverage) / len(group))
    shares = [np.mean(r > 4_000) for r in calibrated.residuals_.values()]
    assert sum(map(len, calibrated.residuals_.values())) == len(twin)
    assert max(shares) < 0.12  # those with an extra, and nobody else


def test_groups_hold_every_person_once_for_each_column(twin):
    """A person in no group would be left out of the question whether the model is fair."""
    groups = groups_of(twin)
    assert len(groups) == 15
    for name, count in {"sex": 2, "smoker": 2, "region": 4, "age": 3, "BMI": 4}.items():
        masks = [mask for group, mask in groups.items() if group.split()[0] == name]
        assert len(masks) == count
        np.testing.assert_array_equal(np.sum(masks, axis=0), 1)
    edges = pd.DataFrame({"age": [34, 35], "bmi": [30.0, 30.1], "sex": "male", "smoker": "no", "region": "southeast"})
    found = {name: mask.tolist() for name, mask in groups_of(edges).items()}
    assert found["age 18-34"] == found["BMI to 30"] == [True, False]
    assert found["age 35-49"] == found["BMI to 35"] == [False, True]
    assert found["BMI over 35"] == [False, False]


def test_errors_of_a_group_by_hand():
    """The card would tell a client's group another error than it has."""
    r = np.array([1.0, -3, 5, 5000])
    masks = {"three": np.array([True, True, True, False]), "one": np.array([False, False, False, True])}
    found = errors_by_group(r, masks)
    three, one = found.loc["three"], found.loc["one"]
    assert (three.persons, three.bias, three.extra) == (3, 1, 0)
    assert three.rmse == pytest.approx(np.sqrt(35 / 3))
    assert -3 <= three.bias_low < 1 < three.bias_high <= 5
    assert 1 <= three.rmse_low < three.rmse < three.rmse_high <= 5
    assert set(one[["bias", "bias_low", "bias_high", "rmse", "rmse_low", "rmse_high"]]) == {5000}
    assert one.extra == 1
    many = np.random.default_rng(1).normal(size=2000)
    low, high = errors_by_group(many, {"all": many < np.inf}).loc["all", ["bias_low", "bias_high"]]
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(2000), rel=0.15)
    low, high = errors_by_group(many, {"all": many < np.inf}, coverage=0.5).loc["all", ["rmse_low", "rmse_high"]]
    assert high - low == pytest.approx(2 * 0.674 / np.sqrt(2 * 2000), rel=0.15)


def test_the_shared_module_loads_neither_scikit_learn_nor_pandas():
    """The sweep's worker processes import it, and would each wait a second longer."""
    code = "import insurance_project, sys; print({'sklearn', 'pandas'} & set(sys.modules))"
    path = [str(FOLDER), str(FOLDER.parent.parent)]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path}; {code}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", compare_models.models(0))
def test_every_competitor_takes_the_settings_of_its_grid_and_the_shared_table(name, twin):
    """A misspelt setting would stop `make compare` after half an hour."""
    estimator, grid, then = compare_models.models(0)[name]
    for settings in ({key: values[0] for key, values in grid.items()}, then):
        clone(estimator).set_params(**settings)
    if isinstance(estimator, ChargesModel):
        estimator.set_params(epochs=1)
    assert np.isfinite(estimator.fit(twin[:200], twin.charges[:200]).predict(twin[200:300])).all()


def test_settings_are_chosen_by_the_rows_that_the_search_is_given(twin):
    """A search that saw test rows would make the chapter's comparison too good."""
    seen = []

    class Watched(LinearRegression):
        def fit(self, X, y):
            seen.append(len(y))
            return super().fit(X, y)

    y = twin.charges[:300].to_numpy()
    inputs = twin[["age", "bmi"]]
    _, chosen = compare_models.tune(Watched(), {"fit_intercept": [True, False]}, y, inputs[:300], 0, {})
    assert chosen == {"fit_intercept": True}
    assert set(seen) == {200}


def test_the_error_of_a_fold_by_hand():
    """Least squares on scaled columns must come out as least squares on the raw ones."""
    table = insurance_twin()
    train, test = next(KFold(5, shuffle=True, random_state=3).split(table))
    X = np.column_stack(
        [np.ones(len(table)), table.age, table.bmi, table.children, table.sex == "male", table.smoker == "yes"]
        + [table.region == name for name in ("northwest", "southeast", "southwest")]
    ).astype(float)
    y = table.charges.to_numpy()
    w = np.linalg.lstsq(X[train], y[train], rcond=None)[0]
    by_hand = np.sqrt(np.mean((X[test] @ w - y[test]) ** 2))
    judged = compare_models.judge("twin", 3, 0, "linear")
    assert judged["rmse"] == pytest.approx(by_hand)
    assert judged["rows"] == len(test)


def test_predictions_out_of_fold_are_those_of_a_regression_fitted_without_the_fold(twin):
    X, y = inputs(twin), twin.charges.to_numpy()
    predictions, folds = out_of_fold(X, y, seed=0)
    assert sorted(np.concatenate(folds)) == list(range(len(y)))
    for fold, score in zip(folds, cross_validate(X, y, seed=0), strict=True):
        rest = np.setdiff1d(np.arange(len(y)), fold)
        alone = LinearRegression().fit(X[rest], y[rest]).predict(X[fold])
        np.testing.assert_allclose(predictions[fold], alone)
        assert score == pytest.approx(np.sqrt(np.mean((alone - y[fold]) ** 2)))


def test_inputs_leave_out_what_is_asked(twin):
    assert inputs(twin).shape == (1338, 9)
    assert inputs(twin, ["sex"]).shape == (1338, 8)
    assert inputs(twin, ["sex", "region"]).shape == (1338, 5)
    first = twin[:1].assign(age=40, sex="male", bmi=22.5, children=2, smoker="yes", region="southeast")
    assert inputs(first)[0].tolist() == [1, 40, 22.5, 2, 1, 1, 0, 1, 0]


def test_shifted_predictions_have_the_mean_of_the_targets():
    """The competitors would be compared with a handicap."""
    X, y = np.zeros((5, 1)), np.array([10.0, 10, 10, 10, 60])
    model = compare_models.Shifted(DummyRegressor(strategy="median")).fit(X, y)
    np.testing.assert_allclose(model.predict(X), 20)


@pytest.mark.parametrize("source", ["real", "twin"])
def test_stored_comparison_is_complete(source):
    """The chapter would show the results of other models than the ones in the script, or of fewer folds."""
    table = stored(f"comparison_{source}")
    names = list(compare_models.models(0))
    wanted = pd.MultiIndex.from_product([range(10), range(5), names])
    there = pd.MultiIndex.from_frame(table[["partition", "fold", "model"]])
    assert there.is_unique
    assert set(there) == set(wanted)
    assert table["rows"].sum() == 1338 * 10 * len(names)


@pytest.mark.parametrize("model", ["recipe", "linear"])
def test_stored_comparison_is_that_of_this_code(model):
    """After a change of the recipe that leaves the stored results the chapter would judge another model."""
    again = compare_models.judge(source="twin", partition=3, fold=1, model=model)
    table = stored("comparison_twin").set_index(["partition", "fold", "model"])
    assert again["rmse"] == pytest.approx(table.loc[(3, 1, model), "rmse"], rel=5e-3)
