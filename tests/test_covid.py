"""The table of a real epidemic is the one that comes with the library; another is refused with line and column."""

import csv
import gzip
import io

import numpy as np
import pytest

from nnlib.course.datasets import DataError, covid, download, load_covid
from tools import covid as tool

FILE = download.Path(covid.__file__).with_name("covid.csv")
CONTENT = FILE.read_bytes().replace(b"\r\n", b"\n")
ENTRY = download.registry()["covid"]


@pytest.fixture(scope="module")
def table():
    return load_covid()


@pytest.fixture
def saved(tmp_path):
    """Write bytes to a file and return its name."""

    def save(content):
        path = tmp_path / "copy.csv"
        path.write_bytes(content)
        return path

    return save


# ------------------------------------------------------------------------------------------ what is in it


def test_columns_types_and_what_is_missing(table):
    """Facts of data/README.md and of the docstring."""
    assert list(table.columns) == list(covid.COLUMNS)
    assert len(table) == ENTRY["rows"] == 189
    assert table.attrs == {"source": "real", "file": str(FILE)}
    assert table.code.is_unique
    assert table.country.is_unique
    missing = table.isna().sum()
    assert missing[missing > 0].to_dict() == {
        "density": 4,
        "age": 9,
        "over_65": 11,
        "beds": 23,
        "gdp": 8,
        "deaths": 14,
        "deaths_per_million": 14,
    }
    assert [str(table[name].dtype) for name in ("population", "cases")] == ["int64", "int64"]
    assert {str(table[name].dtype) for name in covid.NUMBERS} == {"int64", "float64"}
    assert table.continent.value_counts().to_dict() == {
        "Africa": 54,
        "Asia": 46,
        "Europe": 46,
        "North America": 23,
        "South America": 12,
        "Oceania": 8,
    }
    assert table.continent[table.beds.isna()].value_counts()["Africa"] == 14
    assert table.population[table.age.isna()].max() < 2_000_000


def test_counts_add_up_to_those_that_the_source_gives_for_the_world(table):
    """A count copied wrongly would show: the source adds the people on ships, 721 cases and 15 deaths."""
    assert table.cases.sum() == 88_048_288 - 721
    assert table.deaths.sum() == 1_898_639 - 15


@pytest.mark.parametrize("name", ["cases", "deaths"])
def test_each_count_agrees_with_its_value_per_million(name, table):
    """The source gives both; so a wrong digit in a population is found as well."""
    given = table[table[name].notna()]
    rate = 1e6 * given[name] / given.population
    np.testing.assert_allclose(given[f"{name}_per_million"], rate, rtol=0, atol=0.000_51)


def test_the_ranges_of_the_readme(table):
    for name, low, high in (
        ("population", 809, 1_439_323_774),
        ("density", 1.98, 19_347.5),
        ("age", 15.1, 48.2),
        ("over_65", 1.144, 27.049),
        ("beds", 0.1, 13.8),
        ("gdp", 661.24, 116_935.6),
        ("cases", 1, 21_579_569),
        ("deaths", 2, 365_317),
    ):
        assert (table[name].min(), table[name].max()) == (low, high), name
    assert table.density.median() == 82.6


def test_age_and_beds_are_what_is_known_of_some_countries(table):
    """Anchors that a reader can look up: the oldest and the youngest country, the most beds, the densest."""
    by_code = table.set_index("code")
    assert by_code.age.idxmax() == "JPN"
    assert by_code.age.idxmin() == "NER"
    assert by_code[by_code.population > 1e6].beds.idxmax() == "JPN"
    assert by_code[by_code.population > 1e6].density.idxmax() == "SGP"


def test_registry_says_what_the_table_is():
    assert set(ENTRY) == {"file", "original", "sha256", "bytes", "rows", "date", "licence", "citation"}
    assert download.sha256(CONTENT) == ENTRY["sha256"]
    assert len(CONTENT) == ENTRY["bytes"]
    assert CONTENT.isascii()


# ---------------------------------------------------------------------------------------- where it is read


def test_no_network_and_no_data_dir_is_asked(monkeypatch, tmp_path):
    """The insurance table's folder need not hold it: it comes with the library."""
    monkeypatch.setenv("NNLIB_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(download, "_fetch", None)
    assert len(load_covid()) == 189


@pytest.mark.parametrize("spoil", [lambda c: c.replace(b"\n", b"\r\n"), lambda c: b"\xef\xbb\xbf" + c])
def test_line_ends_and_byte_order_mark_change_no_number(spoil, saved, table):
    """Git writes CRLF on some systems; the same table must load there."""
    path = saved(spoil(CONTENT))
    assert load_covid(str(path)).equals(table)
    assert load_covid(path).attrs["file"] == str(path)


def test_a_library_without_its_table_says_what_to_do(monkeypatch):
    monkeypatch.setattr(download, "registry", lambda: {"covid": ENTRY | {"file": "gone.csv"}})
    with pytest.raises(FileNotFoundError, match=r"gone\.csv is a part of nnlib and is not there: install nnlib again"):
        load_covid()


@pytest.mark.parametrize("path", [3, True, b"covid.csv", ["covid.csv"]])
def test_path_must_be_a_name(path):
    with pytest.raises(ValueError, match="path must be the name of a file; got "):
        load_covid(path)


def test_path_must_exist(tmp_path):
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(FileNotFoundError, match="path must name an existing file; got "):
            load_covid(path)


# ------------------------------------------------------------------------------------------ planted damage


def swap(old, new):
    return lambda content: content.replace(old, new, 1)


DAMAGE = {
    "cut off": (lambda c: c[:-30], r"line 190: must hold 13 values; got 9 \(is the file cut off\?\)"),
    "cut between two lines": (
        lambda c: c[: c.rindex(b"ZWE,")],
        r"not the published extract: sha256 must be \w+; got \w+ \(188 rows in 16,390 bytes; published 189 in 16,476\)",
    ),
    "cases changed": (
        swap(b",53207,", b",53208,"),
        r"line 2, column 'cases': 53208 among 38928341 persons are 1366\.819 per million; .* says 1366\.793",
    ),
    "population changed": (swap(b"38928341", b"38828341"), r"line 2, column 'cases': 53207 among 38828341 persons"),
    "density changed": (swap(b"54.422", b"54.423"), r"not the published extract: sha256 must be "),
    "age of a tree": (
        swap(b",18.6,", b",186,"),
        r"line 2, column 'age': must be a number from 10 to 60 \(years\); got '186'",
    ),
    "half a case": (
        swap(b",53207,", b",53207.5,"),
        r"line 2, column 'cases': must be a whole number from 0 to .* got '5",
    ),
    "half a death": (
        swap(b",2253,", b",2253.5,"),
        r"line 2, column 'deaths': must be a whole number from 0 to .*; got '2",
    ),
    "no cases": (swap(b",53207,", b",,"), r"line 2, column 'cases': must be a whole number .*; got ''"),
    "deaths, but no rate": (
        swap(b",57.876\n", b",\n"),
        r"line 2, column 'deaths': must be given together with deaths_per_million; got '2253', ''",
    ),
    "not a number": (swap(b",54.422,", b",nan,"), r"line 2, column 'density': must be a number .*; got 'nan'"),
    "a word": (swap(b",54.422,", b",dense,"), r"line 2, column 'density': must be a number .*; got 'dense'"),
    "Python's digits": (swap(b",38928341,", b",38_928_341,"), r"line 2, column 'population': must be a whole number"),
    "continent": (swap(b",Asia,", b",Asien,"), r"line 2, column 'continent': must be one of Africa, .*; got 'Asien'"),
    "no country": (swap(b"Afghanistan", b""), r"line 2, column 'country': must not be empty"),
    "twice": (
        lambda c: c + c[c.index(b"ALB,") : c.index(b"DZA,")],
        r"line 191, column 'code': 'ALB' is also in line 3",
    ),
    "blank line": (swap(b"\nALB", b"\n\nALB"), r"line 3: must hold 13 values; got 0"),
    "decimal comma": (swap(b"54.422", b"54,422"), r"line 2: must hold 13 values; got 14"),
    "old line ends inside": (swap(b",54.422,", b",54.\r422,"), r"line 2: must hold 13 values; got 5"),
    "order": (
        swap(b"code,country", b"country,code"),
        r"line 1: must hold the header .*, in this order; got country,code,continent",
    ),
    "renamed": (swap(b",beds,", b",hospital,"), r"line 1: must hold the header .*; beds missing in 'code,country,"),
    "semicolons": (
        lambda c: c.replace(b",", b";"),
        r"line 1: must hold the header .*; code, .* missing in 'code;country",
    ),
    "empty": (lambda c: b"", r"line 1: must hold the header .* missing in ''"),
    "header only": (lambda c: c[: c.index(b"\n") + 1], r"line 2: must hold the first country"),
    "latin-1": (swap(b"Cote", b"C\xf4te"), r"line 42: the file must be UTF-8 text; got byte 0xf4"),
    "compressed": (gzip.compress, r"line 1: .*; the file is a file compressed by gzip"),
    "web page": (lambda c: b"<!DOCTYPE html>" + c, r"line 1: .*; the file is a web page"),
    "many": (lambda c: c.replace(b",Africa,", b",Afrika,"), r"(?s)line 4, column 'continent'.*and 44 more"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_refused_where_it_is(damage, saved):
    spoil, message = DAMAGE[damage]
    path = saved(spoil(CONTENT))
    assert path.read_bytes() != CONTENT
    with pytest.raises(DataError, match=message) as caught:
        load_covid(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("seed", range(30))
def test_any_digit_that_changes_is_refused(seed, saved):
    rng = np.random.default_rng(seed)
    content = bytearray(CONTENT)
    place = rng.choice(np.flatnonzero(np.isin(content, list(b"0123456789"))))
    content[place] = ord("0") + (content[place] - ord("0") + rng.integers(1, 10)) % 10
    with pytest.raises(DataError):
        load_covid(saved(bytes(content)))


# -------------------------------------------------------------------------------- from the original to it


@pytest.fixture(scope="module")
def original():
    """A file in the form of the original: its names, columns that are left out, rows that are no countries, "1.0"."""
    names = [*tool.KEPT.values(), "new_cases", "life_expectancy", "cardiovasc_death_rate"]
    rows = []
    for row in csv.DictReader(io.StringIO(CONTENT.decode())):
        kept = {column: row[name] for name, column in tool.KEPT.items()}
        for name in tool.PERSONS:
            if row[name]:
                kept[tool.KEPT[name]] += ".0"
        rows.append(kept | {"new_cases": "1.0", "life_expectancy": "70.1"})
    rows.insert(70, {"iso_code": "HKG", "continent": "Asia", "location": "Hong Kong", "population": "7496988.0"})
    rows.insert(80, {"location": "International", "total_cases": "721.0", "total_deaths": "15.0"})
    rows.append({"iso_code": "OWID_WRL", "location": "World", "total_cases": "88048288.0"})
    made = io.StringIO()
    writer = csv.DictWriter(made, sorted(names), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return made.getvalue().encode()


def test_the_tool_makes_the_table_from_the_original(original, tmp_path, capsys):
    assert tool.extract(original) == CONTENT
    (tmp_path / "original.csv").write_bytes(original)
    assert tool.main([tmp_path / "original.csv"], tmp_path / "covid.csv") == 0
    assert (tmp_path / "covid.csv").read_bytes() == CONTENT
    assert "it is the table of the library, byte for byte" in capsys.readouterr().out


def test_the_tool_says_which_line_differs_and_leaves_the_table(original, tmp_path, capsys):
    (tmp_path / "original.csv").write_bytes(original.replace(b"54.422", b"54.423"))
    assert tool.main([tmp_path / "original.csv"], tmp_path / "covid.csv") == 1
    assert not (tmp_path / "covid.csv").exists()
    assert tool.main([tmp_path / "original.csv"]) == 1
    said = capsys.readouterr().out
    assert "it is NOT the table of the library" in said
    assert said.splitlines()[-1].strip().startswith("AFG,Afghanistan,Asia,38928341,54.423,")
    assert FILE.read_bytes().replace(b"\r\n", b"\n") == CONTENT


def test_columns_of_the_tool_and_of_the_loader_are_the_same():
    assert tuple(tool.KEPT) == covid.COLUMNS
