"""What the pages on groups share is what the first of them writes, and k-means is that of scikit-learn."""

import ast

import grouping
import numpy as np
import pytest
from sklearn.cluster import KMeans

from nnlib.course import datasets
from tools import notebooks

PAGE = notebooks.load(notebooks.ROOT / "chapters" / "5-outbreak" / "07-group-the-regions.ipynb")


def functions_of(source):
    """Return {name: syntax without docstring} of the functions that a program defines."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            found[node.name] = ast.dump(node.args), [ast.dump(part) for part in body]
    return found


def test_the_page_writes_the_functions_of_the_module():
    cells = [notebooks.text_of(cell["source"]) for cell in PAGE["cells"] if cell["cell_type"] == "code"]
    with open(grouping.__file__, encoding="utf-8") as file:
        shared = functions_of(file.read())
    shared.pop("group")  # which is quicker, and is held equal below
    assert set(shared) == {"standardized", "logs_first", "k_means", "best_of"}
    on_the_page = functions_of("\n".join(cells))
    for name, function in shared.items():
        assert on_the_page[name] == function, name


@pytest.mark.parametrize("seed", range(3))
def test_k_means_is_that_of_scikit_learn_and_never_climbs(seed):
    X = grouping.logs_first(datasets.outbreak(seed=seed).table)
    start = X[seed : seed + 4]
    before = start.copy()
    groups, centres, losses = grouping.k_means(X, start)
    other = KMeans(4, init=start, n_init=1, tol=0, max_iter=1000).fit(X)
    np.testing.assert_array_equal(groups, other.labels_)
    np.testing.assert_allclose(centres, other.cluster_centers_, rtol=1e-10)
    assert losses[-1] == pytest.approx(other.inertia_, rel=1e-10)
    assert (np.diff(losses) < 1e-9).all()
    np.testing.assert_array_equal(start, before)


def test_a_centre_without_rows_stays():
    X = np.array([[0.0], [1.0]])
    groups, centres, _ = grouping.k_means(X, [[0.0], [1.0], [9.0]])
    assert groups.tolist() == [0, 1]
    assert centres.ravel().tolist() == [0, 1, 9]


def test_the_best_of_several_starts_has_the_smallest_sum():
    X = grouping.logs_first(datasets.outbreak(seed=0).table)
    assert X.shape == (400, 5)
    np.testing.assert_allclose([X.mean(axis=0), X.std(axis=0)], [[0] * 5, [1] * 5], atol=1e-12)

    def J(groups):
        return sum(((X[groups == j] - X[groups == j].mean(axis=0)) ** 2).sum() for j in range(6))

    one = [J(grouping.best_of(X, k=6, starts=n, seed=1)) for n in (1, 3, 10)]
    assert one == sorted(one, reverse=True)
    assert one[-1] < one[0]
    np.testing.assert_array_equal(grouping.best_of(X), grouping.best_of(X))


@pytest.mark.parametrize("seed", range(3))
def test_the_quick_form_finds_the_same_groups(seed):
    X = grouping.logs_first(datasets.outbreak(seed=seed).table)
    groups, centres = grouping.group(X, 3, np.random.default_rng(seed), starts=10)
    np.testing.assert_array_equal(groups, grouping.best_of(X, 3, starts=10, seed=seed))
    np.testing.assert_allclose(centres, [X[groups == j].mean(axis=0) for j in range(3)], atol=1e-6)


def test_a_row_that_counts_twice_is_two_rows_and_one_that_counts_nothing_is_none():
    X = grouping.logs_first(datasets.outbreak(seed=1).table)
    counts = np.bincount(np.random.default_rng(0).integers(len(X), size=len(X)), minlength=len(X))
    groups, centres = grouping.group(X, 3, np.random.default_rng(2), starts=10, counts=counts)
    drawn = np.repeat(X, counts, axis=0)
    other = KMeans(3, init=centres, n_init=1, tol=0).fit(drawn)
    np.testing.assert_array_equal(np.repeat(groups, counts), other.labels_)
    np.testing.assert_allclose(centres, other.cluster_centers_, atol=1e-6)


def test_the_start_that_is_best_by_the_counts_wins():
    """Two rows that count 99 times are worth a centre each, and one that counts nothing is worth none."""
    X = np.array([[0.0], [1.0], [10.0], [11.5]])
    for seed in range(20):
        even, _ = grouping.group(X, 2, np.random.default_rng(seed), starts=8)
        assert np.array_equal(even == even[0], [True, True, False, False])
    far = np.array([[0.0], [1.0], [1.0], [30.0]])
    for seed in range(20):
        groups, centres = grouping.group(far, 2, np.random.default_rng(seed), starts=8, counts=np.array([99, 99, 1, 0]))
        assert groups[0] != groups[1]
        assert sorted(np.round(centres.ravel(), 6)) == [0, 1]


def test_a_centre_that_loses_its_rows_stays_in_the_quick_form_too():
    X = np.array([[1.0], [1.0], [5.0]])
    for seed in range(10):
        groups, centres = grouping.group(X, 3, np.random.default_rng(seed), starts=3)
        assert np.isfinite(centres).all()
        assert sorted(centres.ravel()) == [1, 1, 5]
        assert groups[0] == groups[1] != groups[2]
