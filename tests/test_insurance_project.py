"""What the chapters of the insurance project share: the model with which they do better."""

import subprocess
import sys
from pathlib import Path

import charges_model
import numpy as np
import pytest
from charges_model import ChargesModel, encode_pieces
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.model_selection import KFold, cross_val_predict

from nnlib import metrics
from nnlib.datasets import insurance_twin

FOLDER = Path(charges_model.__file__).parent


@pytest.fixture(scope="module")
def twin():
    return insurance_twin()


@pytest.fixture(scope="module")
def fitted(twin):
    return ChargesModel(members=2).fit(twin[:1000], twin.charges[:1000])


def rule(table):
    """Return what the twin's charges are without the extras that no column foretells (data/README.md)."""
    smoker, south = table.smoker == "yes", table.region.str.startswith("south")
    return (
        1072
        + 3.363 * table.age**2
        + 589 * table.children
        - 489 * (table.sex == "male")
        + 1.39 * table.bmi
        - 200 * (table.region == "northwest")
        - 583 * south
        + smoker * (1500 + 489 * table.bmi + 15_000 * (table.bmi > 30))
    )


def test_the_recipe_comes_within_two_percent_of_the_smallest_possible_error(twin):
    """The chapter's promise, on a table made by another seed than the one that it was tuned on."""
    for table, seed in ((twin, 1), (insurance_twin(5), 2)):
        y = table.charges.to_numpy()
        floor = (y - rule(table)).std()
        folds = KFold(5, shuffle=True, random_state=seed)
        y_pred = cross_val_predict(ChargesModel(seed=seed), table, y, cv=folds)
        assert 0.98 * floor < metrics.rmse(y_pred, y) < 1.02 * floor


def test_without_the_shift_predictions_are_too_low_by_the_mean_extra(twin):
    """Whoever removes the shift promises an insurer some 9% too little money."""
    model = ChargesModel(members=1).fit(twin, twin.charges)
    assert np.mean(model.predict(twin) - twin.charges) == pytest.approx(0, abs=0.01)
    extra = np.mean(twin.charges - rule(twin))
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
        ("bmi", np.nan, "bmi must be a finite number in every row"),
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
    with pytest.raises(ValueError, match=r"y must be finite and of shape \(1338,\).* got \(5,\)"):
        ChargesModel().fit(twin, twin.charges[:5])
    with pytest.raises(ValueError, match="features must be 'engineered' or 'plain'; got 'raw'"):
        ChargesModel(features="raw").fit(twin, twin.charges)


def test_the_shared_module_loads_neither_scikit_learn_nor_pandas():
    """The sweep's worker processes import it, and would each wait a second longer."""
    code = "import insurance_project, sys; print({'sklearn', 'pandas'} & set(sys.modules))"
    path = [str(FOLDER), str(FOLDER.parent.parent)]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path}; {code}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
