"""The tables are what they claim to be, and a table that is not is refused with file, line and column."""

import gzip
import hashlib
import socket

import numpy as np
import pytest
from insurance_project import formula
from local_server import serving

from nnlib.course import datasets
from nnlib.course.datasets import DataError, download, insurance_twin, load_insurance

HEADER = "age,sex,bmi,children,smoker,region,charges"
FIRST = "19,female,27.9,0,yes,southwest,16884.924"


@pytest.fixture(scope="module")
def twin_text():
    return insurance_twin().to_csv(index=False)


@pytest.fixture
def published(monkeypatch, tmp_path, twin_text):
    """Publish the twin instead of the real table: empty cache, no NNLIB_DATA_DIR, an address of our own."""
    content = twin_text.encode()
    entry = {
        "file": "insurance.csv",
        "address": "http://127.0.0.1:9/insurance.csv",  # nothing listens on port 9
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "rows": 1338,
    }
    cache = tmp_path / "cache"
    monkeypatch.delenv("NNLIB_DATA_DIR", raising=False)
    monkeypatch.setattr(download, "registry", lambda: {"insurance": entry})
    monkeypatch.setattr(download, "cache_dir", lambda: cache)
    monkeypatch.setattr(download, "_failed", {})
    return entry, cache, content


# ------------------------------------------------------------------------------------- where the table is


def test_data_dir_wins_over_cache_and_network(published, monkeypatch, tmp_path):
    """An instructor who hands out the file on a stick must not depend on the room's network."""
    _, _, content = published
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / "insurance.csv").write_bytes(content)
    monkeypatch.setenv("NNLIB_DATA_DIR", str(tmp_path / "stick"))
    table = load_insurance()
    assert table.attrs == {"source": "real", "file": str(tmp_path / "stick" / "insurance.csv")}
    assert table.equals(insurance_twin())


def test_relative_data_dir_is_found_from_a_notebooks_folder(published, monkeypatch, tmp_path):
    """Notebooks run in their own folder: NNLIB_DATA_DIR=../x given at the project's root must still hold."""
    _, _, content = published
    (tmp_path / "tables").mkdir()
    (tmp_path / "project" / "chapters" / "part").mkdir(parents=True)
    (tmp_path / "tables" / "insurance.csv").write_bytes(content)
    monkeypatch.setenv("NNLIB_DATA_DIR", "../tables")
    monkeypatch.chdir(tmp_path / "project" / "chapters" / "part")
    assert load_insurance().attrs["source"] == "real"


def test_data_dir_that_does_not_exist_is_said(published, monkeypatch):
    """A mistyped folder must not silently become the simulated twin."""
    monkeypatch.setenv("NNLIB_DATA_DIR", "/no/such/folder")
    with pytest.raises(FileNotFoundError, match="NNLIB_DATA_DIR must name an existing folder; got '/no/such"):
        load_insurance()


@pytest.mark.parametrize("source", ["auto", "real"])
def test_data_dir_without_the_table_is_said(source, published, monkeypatch, tmp_path):
    """Nor must a folder without the file, whatever the cache holds: the variable was set to say where it is."""
    _, cache, content = published
    cache.mkdir()
    (cache / "insurance.csv").write_bytes(content)
    (tmp_path / "stick").mkdir()
    monkeypatch.setenv("NNLIB_DATA_DIR", str(tmp_path / "stick"))
    with pytest.raises(FileNotFoundError, match=r"NNLIB_DATA_DIR must .* holds insurance\.csv; got '.*stick'"):
        load_insurance(source=source)
    assert load_insurance(source="twin").attrs["source"] == "twin"


def test_download_is_checked_cached_and_leaves_no_temporary_file(published, monkeypatch):
    entry, cache, content = published
    with serving(content, monkeypatch, entry) as came:
        first, second = load_insurance(), load_insurance()
    assert [path.name for path in cache.iterdir()] == ["insurance.csv"]
    assert len(came) == 1, "the second call must read the cache"
    assert first.attrs["source"] == "real"
    assert first.equals(second)


def test_download_with_another_checksum_is_refused_and_not_kept(published, monkeypatch):
    """A table that changed at its address would silently change every number in the chapters."""
    entry, cache, content = published
    with serving(content[:-9], monkeypatch, entry), pytest.raises(DataError, match=entry["sha256"]) as caught:
        load_insurance()
    assert hashlib.sha256(content[:-9]).hexdigest() in str(caught.value)
    assert list(cache.iterdir()) == []


def test_without_network_one_line_is_printed_and_the_twin_comes(published, capsys):
    _, cache, _ = published
    table = load_insurance()
    out = capsys.readouterr()
    assert table.attrs == {"source": "twin", "file": None}
    assert table.equals(insurance_twin())
    assert out.out.count("\n") == 1
    assert "could not be downloaded from 127.0.0.1 (ConnectionError); using the simulated twin" in out.out
    assert out.err == ""
    assert not (cache / "insurance.csv").exists()


def test_a_network_that_swallows_everything_costs_seconds_once(published, monkeypatch):
    """Behind a firewall that drops packets a notebook must not hang, nor pay for every call."""
    entry, _, _ = published
    monkeypatch.setattr(download, "SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # accepts, never answers
        monkeypatch.setitem(entry, "address", f"http://127.0.0.1:{deaf.getsockname()[1]}/insurance.csv")
        deaf.settimeout(0)
        assert load_insurance().attrs["source"] == "twin"
        deaf.accept()[0].close()  # it was asked once,
        assert load_insurance().attrs["source"] == "twin"
        with pytest.raises(BlockingIOError):
            deaf.accept()  # and not again


def test_source_real_refuses_the_twin_and_source_twin_reads_nothing(published, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"insurance.csv is not in .*cache, NNLIB_DATA_DIR is not set"):
        load_insurance(source="real")
    monkeypatch.setenv("NNLIB_DATA_DIR", "/no/such/folder")
    assert load_insurance(source="twin").attrs["source"] == "twin"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"source": "internet"}, ValueError, "source must be 'auto', 'real' or 'twin'; got 'internet'"),
        ({"path": "x.csv", "source": "twin"}, ValueError, "exclude each other"),
        ({"own_table": True}, ValueError, "own_table=True needs path"),
        ({"path": 5}, ValueError, "path must be the name of a file; got 5"),
        ({"path": "no-such.csv"}, FileNotFoundError, "path must name an existing file; got 'no-such.csv'"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        load_insurance(**arguments)


# ------------------------------------------------------------------------------------------- bad tables


def test_wrong_checksum_names_file_and_both_checksums(published, monkeypatch, tmp_path):
    """One changed digit is a valid table and still not the published one: wherever the file lies."""
    entry, cache, content = published
    changed = content.replace(b"18,", b"19,", 1)
    cache.mkdir()
    for folder, arguments in ((cache, {}), (tmp_path, {}), (tmp_path, {"path": tmp_path / "insurance.csv"})):
        (folder / "insurance.csv").write_bytes(changed)
        if folder is tmp_path:
            monkeypatch.setenv("NNLIB_DATA_DIR", str(tmp_path))
        with pytest.raises(DataError) as caught:
            load_insurance(**arguments)
        for part in (str(folder / "insurance.csv"), entry["sha256"], hashlib.sha256(changed).hexdigest()):
            assert part in str(caught.value)


def test_every_truncation_of_the_published_table_is_noticed(published, tmp_path):
    """A download or copy cut anywhere, also inside the last number, must never train a model."""
    _, _, content = published
    path = tmp_path / "insurance.csv"
    rng = np.random.default_rng(0)
    for size in [0, 1, len(HEADER), len(HEADER) + 1, len(content) - 1, *rng.integers(0, len(content), 40)]:
        path.write_bytes(content[:size])
        with pytest.raises(DataError, match=r"insurance\.csv"):
            load_insurance(path)


def edit(old, new, count=1):
    return lambda text: text.replace(old, new, count)


def line_3(**values):
    """The good table with its third line (second person) changed in the named columns."""

    def change(text):
        lines = text.splitlines()
        row = dict(zip(HEADER.split(","), lines[2].split(","), strict=True)) | values
        lines[2] = ",".join(row.values())
        return "\n".join(lines) + "\n"

    return change


def drop_column(name):
    at = HEADER.split(",").index(name)
    return lambda text: "".join(
        ",".join(v for i, v in enumerate(line.split(",")) if i != at) + "\n" for line in text.splitlines()
    )


BAD_TABLES = {
    "missing column": (drop_column("region"), ["line 1, column 'region': missing", "age,sex,bmi"]),
    "renamed column": (
        edit("smoker", "smokes"),
        [
            "line 1, column 'smoker': missing (is it 'smokes'?)",
            "line 1, column 'smokes': unknown; allowed are",
        ],
    ),
    "renamed beyond recognition": (edit("bmi", "x7"), ["line 1, column 'bmi': missing (is it 'x7'?)"]),
    "capital letters": (edit("age", "Age"), ["line 1, column 'age': missing (is it 'Age'?)"]),
    "extra column": (
        lambda t: "\n".join(line + ",1" for line in t.replace("charges", "charges,id", 1).splitlines()),
        ["line 1, column 'id'"],
    ),
    "duplicated column": (
        lambda t: "\n".join("age," * (i == 0) + "1," * (i > 0) + x for i, x in enumerate(t.splitlines())),
        ["line 1, column 'age': must appear once; appears 2 times"],
    ),
    "header again": (lambda t: t + t, ["line 1340: the header must appear once, in line 1"]),
    "no header": (
        lambda t: t.partition("\n")[2],
        ["line 1, column 'age': missing", "line 1, column 'charges'"],
    ),
    "semicolons": (
        lambda t: t.replace(",", ";"),
        ["line 1: columns must be separated by commas; got 'age;sex"],
    ),
    "cut in the middle of a line": (
        lambda t: "\n".join(t.splitlines()[:700]) + "\n44,female,3",
        ["line 701, column 'children': missing; the line holds 3 of 7 values (is the file cut off here?)"],
    ),
    "cut after a comma": (
        lambda t: t.rstrip("\n").rpartition(",")[0] + ",",
        ["line 1339, column 'charges': must be a number", "got ''"],
    ),
    "cut after the header": (lambda t: HEADER + "\n", ["line 2: must hold the first person"]),
    "empty file": (lambda t: "", ["line 1: must hold the header age,sex", "the file is empty"]),
    "only blank lines": (lambda t: "\n\n\n", ["the file is empty"]),
    "too many values": (line_3(charges="1,725.55"), ["line 3: must hold 7 values; got 8"]),
    "blank line inside": (edit("\n", "\n\n"), ["line 2: must hold 7 values; got a blank line"]),
    "text in a number": (
        line_3(bmi="heavy"),
        ["line 3, column 'bmi': must be a number from 5 to 150 (kg/m²)", "got 'heavy'"],
    ),
    "decimal comma": (line_3(bmi='"33,77"'), ["line 3, column 'bmi'", "got '33,77'"]),
    "currency": (
        line_3(charges="$1725.55"),
        ["line 3, column 'charges'", "(US dollars a year); got '$1725.55'"],
    ),
    "underscore, which Python would accept": (
        line_3(charges="1_725"),
        ["line 3, column 'charges'", "got '1_725'"],
    ),
    "foreign digits, which Python would accept": (line_3(age="१८"), ["line 3, column 'age'", "got '१८'"]),
    "empty cell": (
        line_3(age=""),
        ["line 3, column 'age': must be a whole number from 0 to 120 (years); got ''"],
    ),
    "NaN": (line_3(charges="NaN"), ["line 3, column 'charges'", "got 'NaN'"]),
    "infinite": (line_3(charges="inf"), ["line 3, column 'charges'", "got 'inf'"]),
    "overflow": (line_3(bmi="1e999"), ["line 3, column 'bmi'", "got '1e999'"]),
    "negative age": (line_3(age="-18"), ["line 3, column 'age'", "got '-18'"]),
    "age in months": (line_3(age="216"), ["line 3, column 'age'", "from 0 to 120", "got '216'"]),
    "half a child": (
        line_3(children="1.5"),
        ["line 3, column 'children': must be a whole number", "got '1.5'"],
    ),
    "bmi of zero": (line_3(bmi="0"), ["line 3, column 'bmi'", "got '0'"]),
    "unknown category": (
        line_3(region="north"),
        ["line 3, column 'region': must be one of northeast,", "got 'north'"],
    ),
    "category with a blank": (
        line_3(smoker="yes "),
        ["line 3, column 'smoker': must be one of no, yes; got 'yes '"],
    ),
    "category in capitals": (
        line_3(sex="Male"),
        ["line 3, column 'sex': must be one of female, male; got 'Male'"],
    ),
    "category missing": (line_3(sex="NA"), ["line 3, column 'sex'", "got 'NA'"]),
    "open quote": (
        line_3(region='"southeast'),
        ["line 3: must be comma-separated values; a quotation mark opens a value and none closes it"],
    ),
    "quote that another one closes far below": (
        lambda t: t.replace("southeast", '"southeast', 1).replace("northeast", 'northeast"', 1),
        ["line 2: must be comma-separated values; a quotation mark opens"],
    ),
    "text after a quote": (line_3(sex='"ma"le'), ["line 3: must be comma-separated values; ',' expected after '\"'"]),
    "quote in the header": (edit("bmi", '"bmi'), ["line 1: must be comma-separated values; a quotation mark"]),
    "web page": (lambda t: f"\n<!DOCTYPE html>\n<html><table>{t}</table>", ["the file is a web page (HTML)"]),
    "a value without end": (line_3(sex="male" * 99), ["line 3, column 'sex': must be one of", "got 'malemale"]),
}


@pytest.mark.parametrize("name", BAD_TABLES)
@pytest.mark.parametrize("how", ["path", "NNLIB_DATA_DIR", "own_table"])
def test_bad_table_is_refused_naming_file_line_and_column(name, how, monkeypatch, tmp_path, twin_text):
    """Whoever is handed a spoilt table is told where to look in it."""
    change, expected = BAD_TABLES[name]
    path = tmp_path / "insurance.csv"
    path.write_text(change(twin_text), encoding="utf-8")
    monkeypatch.setenv("NNLIB_DATA_DIR", str(tmp_path))
    arguments = {"path": {"path": path}, "NNLIB_DATA_DIR": {}, "own_table": {"path": path, "own_table": True}}
    with pytest.raises(DataError) as caught:
        load_insurance(**arguments[how])
    message = str(caught.value)
    for part in [str(path), *expected]:
        assert part in message, message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"{HEADER}\n{FIRST}\n".encode("utf-16"), "the file is text in UTF-16; save it as UTF-8"),
        (
            f"{HEADER}\n{FIRST}\n18,m\xe2le".encode("latin-1"),
            "line 3: the file must be UTF-8 text; got byte 0xe2",
        ),
        (b"PK\x03\x04\x9c a spreadsheet", "the file is a zip archive or a spreadsheet; unpack it, or"),
        (
            gzip.compress(f"{HEADER}\n{FIRST}\n".encode(), mtime=0),
            "the file is a file compressed by gzip; unpack it first",
        ),
    ],
)
def test_what_is_no_plain_text_is_named(content, expected, tmp_path):
    (tmp_path / "insurance.csv").write_bytes(content)
    with pytest.raises(DataError, match=expected):
        load_insurance(tmp_path / "insurance.csv", own_table=True)


def test_all_problems_come_at_once_but_not_a_screenful(tmp_path, twin_text):
    """Someone cleaning a table wants the list, not one error per run."""
    path = tmp_path / "insurance.csv"
    path.write_text(twin_text.replace(",yes,", ",true,"), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_insurance(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "  ... and 264 more"


@pytest.mark.parametrize("spoil", [lambda b: b"\xef\xbb\xbf" + b, lambda b: b.replace(b"\n", b"\r\n")])
def test_published_table_saved_again_by_a_spreadsheet_is_recognized(spoil, published, tmp_path):
    """A byte-order mark or other line ends cannot be seen in an editor, and two checksums explain nothing."""
    (tmp_path / "insurance.csv").write_bytes(spoil(published[2]))
    with pytest.raises(DataError, match=r"its numbers are the same, but a program .* has saved it in its own way"):
        load_insurance(tmp_path / "insurance.csv")
    assert load_insurance(tmp_path / "insurance.csv", own_table=True).equals(insurance_twin())


def test_own_table_may_have_any_rows_and_column_order(tmp_path):
    """A reader who brings ten clients of their own is served; Excel's byte-order mark and CRLF are fine."""
    path = tmp_path / "mine.csv"
    path.write_bytes(
        b"\xef\xbb\xbfcharges,age,sex,bmi,children,smoker,region\r\n16884.924,19,female,27.9,0,yes,southwest\r\n\r\n"
    )
    table = load_insurance(path, own_table=True)
    assert table.attrs == {"source": "own", "file": str(path)}
    assert list(table.columns) == HEADER.split(",")
    assert table.iloc[0].tolist() == [19, "female", 27.9, 0, "yes", "southwest", 16884.924]


# ------------------------------------------------------------------- the twin, and what holds on both tables


@pytest.fixture(scope="module", params=["twin", "best available"])
def table(request):
    """The twin, and the published table where it can be reached (else the twin again)."""
    return insurance_twin() if request.param == "twin" else load_insurance()


def test_counts_and_the_equal_rows(table):
    """Facts of data/README.md, which chapters state without looking."""
    assert list(table.columns) == HEADER.split(",")
    assert len(table) == 1338
    assert table.smoker.value_counts().to_dict() == {"no": 1064, "yes": 274}
    assert table.sex.value_counts().to_dict() == {"male": 676, "female": 662}
    assert table.region.value_counts().to_dict() == {
        "southeast": 364,
        "southwest": 325,
        "northwest": 325,
        "northeast": 324,
    }
    assert table.children.value_counts().sort_index().tolist() == [574, 324, 240, 157, 25, 18]
    assert np.flatnonzero(table.duplicated()).tolist() == [581]
    assert table.iloc[581].equals(table.iloc[195].rename(581))
    assert (table.age.min(), table.age.max()) == (18, 64)
    assert [str(table[name].dtype) for name in ("age", "children", "bmi", "charges")] == [
        "int64",
        "int64",
        "float64",
        "float64",
    ]


# Facts of the published table, computed once from the file that the registry names.
FACTS = {
    ("charges", "mean"): 13270.42,
    ("charges", "std"): 12110.01,
    ("charges", "min"): 1121.87,
    ("charges", "25%"): 4740.29,
    ("charges", "50%"): 9382.03,
    ("charges", "75%"): 16639.91,
    ("charges", "max"): 63770.43,
    ("bmi", "mean"): 30.663,
    ("bmi", "std"): 6.098,
    ("bmi", "min"): 15.96,
    ("bmi", "max"): 53.13,
    ("age", "mean"): 39.207,
    ("age", "std"): 14.050,
}
GROUP_MEANS = {("no", False): 7966.9, ("no", True): 8853.3, ("yes", False): 21369.2, ("yes", True): 41692.8}


def test_marginals_and_group_means_match_the_published_facts(table):
    """A chapter's figures drawn offline from the twin must look like the prose beside them."""
    summary = table.describe()
    for (column, row), value in FACTS.items():
        assert summary.loc[row, column] == pytest.approx(value, rel=0.07), (column, row)
    means = table.groupby([table.smoker, table.bmi > 30]).charges.mean()
    for group, value in GROUP_MEANS.items():
        assert means[group] == pytest.approx(value, rel=0.065), group
    correlations = table[["age", "bmi", "children", "charges"]].corr().charges
    np.testing.assert_allclose(correlations[:3], [0.299, 0.198, 0.068], atol=0.04)
    south = table.groupby("region").bmi.mean()
    assert south.idxmax() == "southeast"
    assert south["southeast"] - south["northeast"] == pytest.approx(4.2, abs=1.0)


def features(table):
    import pandas as pd

    return pd.get_dummies(table.drop(columns="charges"), dtype=float)


def test_linear_model_and_boosting_score_alike_on_both(table):
    """Baselines that chapters quote: linear R² ≈ 0.75 and RMSE ≈ 6,000; boosting clearly below 5,000."""
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import KFold, cross_val_predict

    boosting = GradientBoostingRegressor(
        n_estimators=100, learning_rate=0.05, subsample=0.7, min_samples_leaf=10, random_state=0
    )
    folds = KFold(5, shuffle=True, random_state=0)
    rmse, r2 = {}, {}
    for name, model in {"linear": LinearRegression(), "boosting": boosting}.items():
        error = cross_val_predict(model, features(table), table.charges, cv=folds) - table.charges
        rmse[name], r2[name] = np.sqrt(np.mean(error**2)), 1 - np.mean(error**2) / np.var(table.charges)
    assert rmse["linear"] == pytest.approx(6090, rel=0.05)
    assert r2["linear"] == pytest.approx(0.747, abs=0.03)
    assert rmse["boosting"] == pytest.approx(4480, rel=0.05)
    assert r2["boosting"] == pytest.approx(0.863, abs=0.02)


def test_smoking_times_bmi_is_the_strongest_interaction(table):
    """The cliff at BMI 30 for smokers, the lesson of the insurance chapters, is there on both."""
    from itertools import combinations

    from sklearn.linear_model import LinearRegression

    X = features(table)[["age", "bmi", "children", "sex_male", "smoker_yes", "region_southeast"]]
    X = (X - X.mean()) / X.std()
    gain = {}
    base = LinearRegression().fit(X, table.charges).score(X, table.charges)
    for a, b in combinations(X.columns, 2):
        more = X.assign(product=X[a] * X[b])
        gain[a, b] = LinearRegression().fit(more, table.charges).score(more, table.charges) - base
    ranked = sorted(gain, key=gain.get, reverse=True)
    assert ranked[0] == ("bmi", "smoker_yes")
    assert gain[ranked[0]] > 0.07 > 5 * gain[ranked[1]]
    smokers = table[table.smoker == "yes"]
    near = smokers[(smokers.bmi > 28) & (smokers.bmi < 32)]
    assert near[near.bmi > 30].charges.mean() - near[near.bmi <= 30].charges.mean() > 12_000


def test_the_chapters_split_is_as_hard_on_both(table):
    """The chapter on the first model compares its error with the part that no model can remove."""
    from sklearn.model_selection import train_test_split

    extra = table.charges - formula(table)
    train, test = train_test_split(table.index[:-200], test_size=0.15, random_state=42)
    floor = [np.sqrt(np.mean((extra[rows] - extra[train].mean()) ** 2)) for rows in (train, table.index[-200:], test)]
    np.testing.assert_allclose(floor, [4169, 4455, 5189], rtol=0.07)


def test_nine_charges_in_ten_follow_the_stated_rule(table):
    """The docstring of the twin says so of the published table; an exact fit is checkable to the cent."""
    exact = (table.charges - formula(table)).abs() < 0.01
    assert exact.mean() == pytest.approx(0.912, abs=0.015)
    extra = (table.charges - formula(table))[~exact]
    assert extra.min() > 2000
    assert extra.mean() == pytest.approx(14_482, rel=0.05)
    assert extra.std() == pytest.approx(4_890, rel=0.1)


def test_numbers_are_written_like_the_published_ones(table):
    """Three decimals at most in bmi, five in charges: the twin prints as the published table does."""
    for name, digits in (("bmi", 3), ("charges", 5)):
        decimals = table[name].map(lambda v: len(repr(v).partition(".")[2]))
        assert decimals.max() <= digits + (name == "charges")
        assert decimals.value_counts().idxmax() == {"bmi": 2, "charges": 4}[name]
    steps = table.bmi / table.region.map({"southeast": 0.11, "southwest": 0.1}).fillna(0.095)
    np.testing.assert_allclose(steps, steps.round(), atol=1e-9)


def test_twin_of_a_seed_is_the_same_on_every_call_and_others_differ():
    assert insurance_twin(5).equals(insurance_twin(5))
    assert not insurance_twin(5).equals(insurance_twin(6))
    for seed in range(30):  # no seed may break the counts
        other = insurance_twin(seed)
        assert np.flatnonzero(other.duplicated()).tolist() == [581]
        assert (other.smoker == "yes").sum() == 274


def test_registry_holds_what_the_loader_and_the_reader_need():
    entry = download.registry()["insurance"]
    assert set(entry) == {"file", "address", "sha256", "bytes", "rows", "licence", "citation"}
    assert len(bytes.fromhex(entry["sha256"])) == 32
    assert entry["address"].startswith("https://")


# ------------------------------------------------------------------------------------- digits and clouds


def test_digits_shapes_and_scale():
    X, y = datasets.load_digits()
    assert (X.shape, y.shape) == ((1797, 8, 8, 1), (1797, 10))
    assert (X.min(), X.max()) == (0.0, 1.0)
    assert (y.sum(axis=1) == 1).all()
    flat, labels = datasets.load_digits(flat=True, one_hot=False)
    np.testing.assert_array_equal(flat, X.reshape(1797, 64))
    np.testing.assert_array_equal(labels, y.argmax(axis=1)[:, None])


def missing_from(form, labels):
    """How many digits of the form are missing in these labels; None if they are not the form with gaps."""
    rest = iter(form)
    return len(form) - len(labels) if all(label in rest for label in labels) else None


def test_labels_of_each_writer_follow_the_same_form():
    """That is how the bounds are known: shift one of them, and two forms are no longer the form with gaps."""
    writers = datasets.digit_writers()
    assert (writers.shape, writers.dtype) == ((1797,), np.int64)
    assert set(np.diff(writers)) == {0, 1}
    labels = datasets.load_digits(one_hot=False)[1][:, 0].copy()
    assert labels[385] == 3
    labels[385] = 8  # the one digit that is not what the form asks for
    form = labels[writers == 0].tolist()
    assert form[:40] == [*range(10)] * 3 + [0, 9, 5, 5, 6, 5, 0, 9, 8, 9]
    gaps = [missing_from(form, labels[writers == writer].tolist()) for writer in range(14)]
    assert gaps == [0, 4, 0, 0, 0, 0, 0, 7, 2, 0, 2, 0, 8, 0]
    bounds = np.flatnonzero(np.diff(writers)) + 1
    assert writers[-1] == len(bounds) == 13
    for bound in bounds:
        for shift in (-3, -2, -1, 1, 2, 3):
            low, high = (max([0, *bounds[bounds < bound]]), min([1797, *bounds[bounds > bound]]))
            parts = labels[low : bound + shift], labels[bound + shift : high]
            assert None in [missing_from(form, part.tolist()) for part in parts], (bound, shift)


def test_nearest_pictures_are_mostly_by_the_same_hand_and_no_two_forms_are_one():
    """14 forms, 13 writers by the description: two forms by one hand would hold each other's nearest pictures."""
    from sklearn.metrics import pairwise_distances

    X, labels = datasets.load_digits(flat=True, one_hot=False)
    writers = datasets.digit_writers()
    distance = pairwise_distances(X)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.argmin(axis=1)
    shares = np.zeros((14, 14))
    np.add.at(shares, (writers, writers[nearest]), 1)
    shares /= shares.sum(axis=1, keepdims=True)
    assert np.diag(shares).min() > 0.35
    assert shares[~np.eye(14, dtype=bool)].max() < 0.2
    # rows 906 to 914, which INRIA's course gives to the seventh form: each is nearer to its like in the eighth
    for row in range(906, 915):
        alike = labels[:, 0] == labels[row, 0]
        distance_to = [distance[row, alike & (writers == writer)].min() for writer in (6, 7)]
        assert distance_to[1] < distance_to[0]


def line_accuracy(X, y):
    """The best that a straight line reaches: logistic regression with hardly any penalty."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1e6, max_iter=10_000).fit(X, y[:, 0]).score(X, y[:, 0])


def test_a_line_divides_separable_points_with_the_stated_gap():
    for seed in range(5):
        X, y = datasets.separable(150, gap=0.4, seed=seed)
        assert (X.shape, y.shape, set(y[:, 0])) == ((150, 2), (150, 1), {0.0, 1.0})
        assert line_accuracy(X, y) == 1.0
        distance = np.linalg.norm(X[y[:, 0] == 1][:, None] - X[y[:, 0] == 0][None], axis=2)
        assert distance.min() >= 0.4


def test_no_line_divides_the_moons_but_neighbours_do():
    """A linear model fails on them, and a hidden layer need not."""
    from sklearn.neighbors import KNeighborsClassifier

    X, y = datasets.two_moons(600, seed=3)
    assert X.shape == (600, 2)
    assert y.mean() == 0.5
    assert line_accuracy(X, y) < 0.93
    assert KNeighborsClassifier(5).fit(X[:300], y[:300, 0]).score(X[300:], y[300:, 0]) > 0.93


def test_moons_obey_their_formula():
    X, y = datasets.two_moons(101, noise=0, seed=1)
    centre = np.where(y == 1, [1.0, 0.5], [0.0, 0.0])
    np.testing.assert_allclose(np.linalg.norm(X - centre, axis=1), 1)
    assert y.sum() == 51


def test_a_ring_has_its_clouds_where_they_are_said_to_be():
    X, cloud = datasets.ring(8003, clouds=8, radius=2.0, spread=0.1, seed=2)
    assert (X.shape, cloud.shape, cloud.dtype.kind) == ((8003, 2), (8003,), "i")
    np.testing.assert_array_equal(np.bincount(cloud), [1001] * 3 + [1000] * 5)
    for k in range(8):
        step = X[cloud == k] - 2 * np.array([np.cos(k * np.pi / 4), np.sin(k * np.pi / 4)])
        np.testing.assert_allclose(step.mean(axis=0), 0, atol=0.016)  # five standard errors
        np.testing.assert_allclose(step.std(axis=0), 0.1, rtol=0.12)
        assert abs(np.corrcoef(step.T)[0, 1]) < 0.16
    assert not np.array_equal(cloud, np.sort(cloud))
    bare, cloud = datasets.ring(7, clouds=3, radius=5, spread=0, seed=0)
    corners = 5 * np.array([[1, 0], [-1 / 2, np.sqrt(3) / 2], [-1 / 2, -np.sqrt(3) / 2]])
    np.testing.assert_allclose(bare, corners[cloud], atol=1e-12)
    assert sorted(cloud) == [0, 0, 0, 1, 1, 2, 2]
    X, cloud = datasets.ring()
    np.testing.assert_array_equal(np.bincount(cloud), [250] * 8)
    assert np.linalg.norm(X, axis=1).mean() == pytest.approx(2, abs=0.02)


def test_a_ring_refuses_nonsense():
    for name, value in (("clouds", 0), ("clouds", 2.5), ("radius", 0), ("radius", -1), ("radius", np.inf)):
        with pytest.raises(ValueError, match=f"{name} must be .*; got {value!r}"):
            datasets.ring(50, **{name: value})


@pytest.mark.parametrize(("cloud", "spread"), [("separable", "gap"), ("two_moons", "noise"), ("ring", "spread")])
def test_clouds_repeat_with_their_seed_and_refuse_nonsense(cloud, spread):
    make = getattr(datasets, cloud)
    for one, two in zip(make(50, seed=4), make(50, seed=4), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(make(50, seed=4)[0], make(50, seed=5)[0])
    for samples in (0, 2.5, "9", True):
        with pytest.raises(ValueError, match=f"samples must be a positive integer.*; got {samples!r}"):
            make(samples)
    for value in (-1, np.nan, "wide"):
        with pytest.raises(ValueError, match=f"{spread} must be .*; got {value!r}"):
            make(50, **{spread: value})
    for seed in (None, 1.5, -1):
        with pytest.raises(ValueError, match=f"seed must be a non-negative integer or .*; got {seed!r}"):
            make(50, seed=seed)


def test_people_are_ill_as_often_as_their_measurements_say():
    X, y = datasets.people(60_000, seed=1)
    assert (X.shape, y.shape, set(y[:, 0])) == ((60_000, 6), (60_000, 1), {0.0, 1.0})
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(X.std(axis=0), 1, atol=0.02)
    q = 1 / (1 + np.exp(2.5 - 1.8 * X[:, 0] - 1.2 * X[:, 1] - 2.5 * X[:, 0] * X[:, 1]))
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1)):
        member = (q > low) & (q <= high)
        error = np.sqrt(q[member].mean() * (1 - q[member].mean()) / member.sum())
        assert abs(y[member, 0].mean() - q[member].mean()) < 4 * error
    assert abs(y.mean() - 0.2) < 0.01


def test_people_repeat_with_their_seed_and_go_on_with_a_generator():
    rng = np.random.default_rng(4)
    for made in (datasets.people(seed=4), datasets.people(400, seed=rng)):
        for one, two in zip(made, datasets.people(400, seed=4), strict=True):
            np.testing.assert_array_equal(one, two)
    assert not np.array_equal(datasets.people(400, seed=rng)[0], datasets.people(400, seed=4)[0])
    with pytest.raises(ValueError, match=r"samples must be a positive integer.*; got 0"):
        datasets.people(0)
    with pytest.raises(ValueError, match=r"seed must be a non-negative integer or .*; got None"):
        datasets.people(seed=None)
