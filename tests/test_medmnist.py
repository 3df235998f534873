"""PathMNIST is read whole or refused by name: tested with a small file of the same form."""

import contextlib
import hashlib
import io
import pickle
import zipfile

import numpy as np
import pytest
from local_server import serving
from numpy.lib import format as npy

from nnlib.course import datasets
from nnlib.course.datasets import DataError, download, load_pathmnist, medmnist

ROWS = {"train": 40, "val": 12, "test": 9}


def arrays(label=np.uint8):
    rng = np.random.default_rng(0)
    made = {}
    for split, rows in ROWS.items():
        made[f"{split}_images"] = rng.integers(0, 256, (rows, 28, 28, 3), np.uint8)
        made[f"{split}_labels"] = np.resize(np.arange(9), (rows, 1)).astype(label)
    return made


def packed(members, compression=zipfile.ZIP_DEFLATED):
    """Return the bytes of an archive with these members: arrays, or bytes as they are."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            if isinstance(content, np.ndarray):
                of_one = io.BytesIO()
                np.save(of_one, content)
                content = of_one.getvalue()
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


MADE = arrays()
CONTENT = packed(MADE)


@pytest.fixture
def entry(monkeypatch, tmp_path):
    """Publish the small file; the cache is empty and NNLIB_DATA_DIR not set."""
    entry = download.registry()["pathmnist"] | {
        "address": "http://127.0.0.1:9/pathmnist.npz",  # nothing listens on port 9
        "md5": hashlib.md5(CONTENT).hexdigest(),
        "bytes": len(CONTENT),
        "rows": ROWS,
    }
    monkeypatch.delenv("NNLIB_DATA_DIR", raising=False)
    monkeypatch.setattr(download, "registry", lambda: {"pathmnist": entry})
    monkeypatch.setattr(download, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(download, "_failed", {})
    return entry


@pytest.fixture
def saved(entry, tmp_path):
    """Write bytes to a file; `published` gives it the checksum that the registry names."""

    def save(content, published=False):
        path = tmp_path / "copy.npz"
        path.write_bytes(content)
        if published:
            entry.update(md5=hashlib.md5(content).hexdigest(), bytes=len(content))
        return path

    return save


# --- what comes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ROWS)
def test_each_set_comes_whole_in_the_form_that_a_network_takes(split, saved):
    path = saved(CONTENT)
    found = load_pathmnist(split, path=path)
    assert (found.X.shape, found.X.dtype) == ((ROWS[split], 28, 28, 3), np.float32)
    assert np.array_equal(np.rint(found.X * 255), MADE[f"{split}_images"])
    assert found.X.min() >= 0
    assert found.X.max() == 1
    assert (found.y.shape, found.y.dtype) == ((ROWS[split], 9), np.float64)
    assert np.array_equal(found.y.argmax(axis=1), MADE[f"{split}_labels"][:, 0])
    assert (found.y.sum(axis=1) == 1).all()
    labels = load_pathmnist(split, one_hot=False, path=str(path)).y
    assert labels.dtype == np.int64
    assert np.array_equal(labels, MADE[f"{split}_labels"])
    assert found.file == str(path)


def test_the_names_are_those_of_the_publisher():
    """In the order of the numbers, as `INFO` of the package medmnist 3.0.2 lists them."""
    assert len(medmnist.NAMES) == 9
    assert medmnist.NAMES[:2] == ("adipose", "background")
    assert medmnist.NAMES[6:] == (
        "normal colon mucosa",
        "cancer-associated stroma",
        "colorectal adenocarcinoma epithelium",
    )


@pytest.mark.parametrize("label", [np.int64, np.int32, np.uint16])
def test_class_numbers_may_be_of_any_whole_kind(label, saved):
    path = saved(packed(arrays(label)), published=True)
    assert np.array_equal(load_pathmnist("val", one_hot=False, path=path).y, MADE["val_labels"])


def test_stored_or_compressed_and_column_by_column_is_the_same(saved):
    members = MADE | {"test_images": np.asfortranarray(MADE["test_images"])}
    path = saved(packed(members, zipfile.ZIP_STORED), published=True)
    assert np.array_equal(np.rint(load_pathmnist("test", path=path).X * 255), MADE["test_images"])


def test_the_registry_names_what_medmnist_publishes():
    """Address and MD5 as in `INFO` of the package medmnist 3.0.2; the size is that of the download."""
    entry = download.registry()["pathmnist"]
    assert set(entry) == {"file", "address", "md5", "bytes", "rows", "licence", "citation"}
    assert entry["md5"] == "a8b06965200029087d5bd730944a56c1"
    assert entry["bytes"] == 205_615_438
    assert entry["address"] == "https://zenodo.org/records/10519652/files/pathmnist.npz?download=1"
    assert entry["rows"] == {"train": 89_996, "val": 10_004, "test": 7_180}
    assert sum(entry["rows"].values()) == 107_180
    assert entry["licence"] == "CC BY 4.0"
    doc = " ".join(load_pathmnist.__doc__.split())
    assert "107,180 pictures" in doc
    assert "89,996, 10,004 or 7,180" in doc
    assert "Not for clinical use" in doc
    assert "206 MB" in doc
    assert pytest.approx(0.85e9, rel=0.01) == 89_996 * 28 * 28 * 3 * 4  # bytes of its numbers


# --- where it is looked for -----------------------------------------------------------------------------------------


def test_nothing_is_fetched_unless_it_is_asked_for(entry, monkeypatch, tmp_path):
    message = r"pathmnist\.npz is not in .*cache: it has not been downloaded; "
    message += r"load_pathmnist\('val', fetch=True\) fetches 0 MB, once"
    with serving(CONTENT, monkeypatch, entry) as came, pytest.raises(FileNotFoundError, match=message):
        load_pathmnist("val")
    assert came == []
    assert not (tmp_path / "cache").exists()


def test_it_is_fetched_once_checked_and_kept(entry, monkeypatch, tmp_path, capsys):
    published = "/" + entry["address"].split("/", 3)[3]
    with serving(CONTENT, monkeypatch, entry) as came:
        first = load_pathmnist("val", fetch=True)
        second, third = load_pathmnist("test", fetch=True), load_pathmnist("val")
    assert came == [published]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["pathmnist.npz"]
    assert np.array_equal(first.X, third.X)
    assert len(second.X) == ROWS["test"]
    assert capsys.readouterr().out == "pathmnist.npz: 0 MB are fetched from 127.0.0.1, once.\n"


def test_another_file_at_its_address_is_refused_and_not_kept(entry, monkeypatch, tmp_path):
    message = rf"no longer holds the published file: .*{entry['md5']}"
    with serving(CONTENT[:-9], monkeypatch, entry), pytest.raises(DataError, match=message):
        load_pathmnist("val", fetch=True)
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_network_it_is_said(entry):
    with pytest.raises(FileNotFoundError, match=r"not in .*cache: it could not be downloaded from 127\.0\.0\.1 \(Conn"):
        load_pathmnist("val", fetch=True)


@pytest.mark.parametrize("slowest", [1, 10**9])
def test_what_is_large_may_take_longer_as_long_as_something_comes(slowest, entry, monkeypatch):
    """Ten parts, 0.3 s apart: longer than anybody waits for a table, and never long without a byte."""
    monkeypatch.setattr(download, "SECONDS", 2)  # of which a busy machine may lose one
    monkeypatch.setattr(download, "SLOWEST", slowest)
    with serving(CONTENT, monkeypatch, entry, parts=10, pause=0.3):
        if slowest == 1:
            assert len(load_pathmnist("val", fetch=True).X) == ROWS["val"]
        else:
            with pytest.raises(FileNotFoundError, match=r"could not be downloaded from .* \(TimeoutError\)"):
                load_pathmnist("val", fetch=True)


def test_a_download_that_stalls_is_given_up_soon(entry, monkeypatch):
    monkeypatch.setattr(download, "SECONDS", 0.4)
    monkeypatch.setattr(download, "SLOWEST", 1)
    stalling = serving(CONTENT, monkeypatch, entry, parts=2, pause=1.5)
    with stalling, pytest.raises(FileNotFoundError, match="could not be downloaded"):
        load_pathmnist("val", fetch=True)


def test_the_folder_of_ones_own_wins_and_need_not_hold_it(entry, monkeypatch, tmp_path):
    """It is optional: a class that has the insurance table on a stick is not asked for 206 MB more."""
    for name in ("stick", "cache"):
        (tmp_path / name).mkdir()
    (tmp_path / "cache" / "pathmnist.npz").write_bytes(CONTENT)
    monkeypatch.setenv("NNLIB_DATA_DIR", str(tmp_path / "stick"))
    assert load_pathmnist("test").file == str(tmp_path / "cache" / "pathmnist.npz")
    (tmp_path / "stick" / "pathmnist.npz").write_bytes(CONTENT)
    assert load_pathmnist("test").file == str(tmp_path / "stick" / "pathmnist.npz")
    monkeypatch.setenv("NNLIB_DATA_DIR", "/no/such/folder")
    with pytest.raises(FileNotFoundError, match="NNLIB_DATA_DIR must name an existing folder; got '/no/such"):
        load_pathmnist("test")


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"split": "valid"}, ValueError, "split must be one of test, train, val; got 'valid'"),
        ({"split": None}, ValueError, "split must be one of test, train, val; got None"),
        ({"path": 5}, ValueError, "path must be the name of a file; got 5"),
        ({"path": "none.npz"}, FileNotFoundError, "path must name an existing file; got 'none.npz'"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message, entry):
    with pytest.raises(error, match=message):
        load_pathmnist(**{"split": "val"} | arguments)


@pytest.mark.parametrize("count", [0, 1, 100, len(CONTENT) // 2, len(CONTENT) - 1])
def test_a_file_that_is_cut_off_is_refused(count, saved):
    path = saved(CONTENT[:count])
    with pytest.raises(DataError, match=rf"must have {len(CONTENT):,} bytes; got {count:,}; is it cut off\?") as caught:
        load_pathmnist("test", path=path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_longer_is_refused(saved):
    with pytest.raises(DataError, match=rf"it must have .* bytes; got {len(CONTENT) + 1:,}$"):
        load_pathmnist("test", path=saved(CONTENT + b"\0"))


@pytest.mark.parametrize("place", [0, 70, len(CONTENT) // 2, len(CONTENT) - 1])
def test_a_file_in_which_one_bit_changes_is_refused(place, saved, entry):
    content = bytearray(CONTENT)
    content[place] ^= 1
    path = saved(bytes(content))
    with pytest.raises(DataError, match=rf"md5 must be {entry['md5']}; got [0-9a-f]{{32}}\. Delete") as caught:
        load_pathmnist("test", path=path)
    assert str(path) in str(caught.value)


def lying(shape, descr="|u1", content=b"\1" * 50):
    """Return an array whose header claims a shape and a kind that its content does not have."""
    file = io.BytesIO()
    npy.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue() + content


def of_version_2(array):
    file = io.BytesIO()
    npy.write_array(file, array, version=(2, 0))
    return file.getvalue()


IMAGES = MADE["test_images"]
BAD = {
    "no images": ({"test_images": None}, r"must hold test_images; it holds train_images, .*test_labels"),
    "no labels": ({"test_labels": None}, "must hold test_labels; it holds"),
    "a picture less": ({"test_images": IMAGES[1:]}, r"of shape \(9, 28, 28, 3\); got uint8 of shape \(8, 28, 28, 3\)"),
    "grey": ({"test_images": IMAGES[..., 0]}, r"test_images must be .*; got uint8 of shape \(9, 28, 28\)"),
    "larger": ({"test_images": np.zeros((9, 64, 64, 3), np.uint8)}, r"got uint8 of shape \(9, 64, 64, 3\)"),
    "floats": ({"test_images": IMAGES / 255}, r"test_images must be whole numbers from 0 to 255 .* got float64"),
    "signed": ({"test_images": IMAGES.view(np.int8)}, "test_images must be .* got int8"),
    "labels flat": (
        {"test_labels": np.zeros(9, np.uint8)},
        r"test_labels must be .* of shape \(9, 1\); got",
    ),
    "labels float": ({"test_labels": np.zeros((9, 1))}, "test_labels must be whole numbers .* got float64"),
    "labels true": ({"test_labels": np.zeros((9, 1), bool)}, "test_labels must be whole numbers .* got bool"),
    "class 9": ({"test_labels": np.full((9, 1), 9, np.uint8)}, "test_labels must be class .* 0 to 8; got 9 to 9"),
    "class -1": ({"test_labels": np.full((9, 1), -1)}, "test_labels must be class numbers .*; got -1 to -1"),
    "gigabytes": ({"test_images": lying((10**12, 28, 28, 3))}, r"got uint8 of shape \(1000000000000, 28, 28, 3\)"),
    "gigabytes of labels": ({"test_labels": lying((9, 10**12))}, r"got uint8 of shape \(9, 1000000000000\)"),
    "wide numbers": ({"test_labels": lying((9, 1), "<u8")}, "test_labels must hold 72 bytes; got 50"),
    "too few bytes": ({"test_images": lying((9, 28, 28, 3))}, "test_images must hold 21,168 bytes; got 50"),
    "too many bytes": ({"test_labels": lying((9, 1))}, "test_labels must hold 9 bytes; got 50"),
    "objects": ({"test_labels": lying((9, 1), "|O")}, "test_labels must be whole numbers .* got object"),
    "a program": ({"test_images": pickle.dumps(print)}, "cannot be read: "),
    "no header": ({"test_images": b"\x93NUMPY\1\0"}, "cannot be read: "),
    "header of nonsense": ({"test_images": b"\x93NUMPY\1\0\4\0((((" + bytes(40)}, "cannot be read: "),
    "another version": ({"test_images": of_version_2(IMAGES)}, r"must be stored in version 1\.0 .* got \(2, 0\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_archive_of_another_form_is_refused_by_name(case, saved):
    """Even if it had the published checksum."""
    changes, message = BAD[case]
    members = {name: array for name, array in (MADE | changes).items() if array is not None}
    path = saved(packed(members), published=True)
    with pytest.raises(DataError, match=message) as caught:
        load_pathmnist("test", path=path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("split", ["train", "val"])
def test_damage_to_one_set_leaves_the_others(split, saved):
    path = saved(packed(MADE | {"test_images": b""}), published=True)
    assert len(load_pathmnist(split, path=path).X) == ROWS[split]


def array_alone():
    file = io.BytesIO()
    np.save(file, MADE["test_images"])
    return file.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"<html>", pickle.dumps(MADE["test_labels"]), array_alone(), lying((10**13,))]
)
def test_what_is_no_archive_is_refused_before_numpy_reads_it(content, saved, monkeypatch):
    path = saved(content, published=True)
    monkeypatch.setattr(np, "load", None)
    with pytest.raises(DataError, match=r"copy\.npz must be an archive of arrays"):
        load_pathmnist("test", path=path)


def test_pickles_are_never_opened(saved, monkeypatch):
    asked = []
    load = np.load
    monkeypatch.setattr(np, "load", lambda *a, **k: asked.append(k) or load(*a, **k))
    load_pathmnist("test", path=saved(CONTENT))
    assert asked == [{"allow_pickle": False}]


@pytest.mark.parametrize("seed", range(40))
def test_damage_anywhere_is_a_data_error_or_changes_nothing(seed, saved):
    """With the checksum of the damaged file: nothing else may get out of zipfile, zlib and NumPy."""
    rng = np.random.default_rng(seed)
    content = bytearray(CONTENT)
    start = (
        CONTENT.rindex(b"test_images.npy", 0, CONTENT.index(b"PK\1\2")) - 30 if seed % 2 else CONTENT.index(b"PK\1\2")
    )
    for place in rng.integers(start, min(start + 400, len(content)), 3):
        content[place] ^= 1 << rng.integers(8)
    path = saved(bytes(content), published=True)
    with contextlib.suppress(DataError):
        assert np.array_equal(np.rint(load_pathmnist("test", path=path).X * 255), MADE["test_images"])


def test_the_kit_has_it():
    assert {"load_pathmnist", "PathMNIST"} <= set(datasets.__all__)
