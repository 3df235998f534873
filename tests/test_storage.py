"""Saved models: whole or not at all, the same bits after loading, and never code that runs."""

import copy
import dataclasses
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from math import prod
from pathlib import Path

import numpy as np
import pytest
from cases import LAYER_CASES, OPTIMIZER_CASES, SCHEDULE_CASES, optimizer_label, samples

import nnlib as nn
from nnlib import storage

ROOT = Path(__file__).parent.parent
OPTIMIZERS = [make for makers in OPTIMIZER_CASES.values() for make in makers]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", LAYER_CASES, ids=str)
def test_every_layer_predicts_the_same_bits_after_loading(case, dtype, tmp_path):
    model = nn.Sequential([nn.Dense(case.input_shape[-1]), case.make()], dtype=dtype).build(case.input_shape)
    X = samples(5, *case.input_shape)
    model.fit(X, samples(5, *model.output_shape, seed=1), loss="mse", optimizer="Adam", epochs=2)
    model.save(tmp_path / "model.npz")
    again = nn.load(tmp_path / "model.npz")
    assert again.dtype == dtype
    assert (again.predict(X) == model.predict(X)).all()
    y = samples(5, *model.output_shape, seed=2)
    assert again.fit(X, y, epochs=2, batch_size=2) == model.fit(X, y, epochs=2, batch_size=2)
    assert state_of(again) == state_of(model)


def state_of(model):
    """Return all that a file holds of a model, as bits and text that can be compared."""
    optimizer = model.optimizer
    return (
        [repr(layer) for layer in model.layers],
        [weights.tobytes() for weights in model.get_weights()],
        (model.epoch, model.input_shape, model.dtype, model.loss and (model.loss.name, model.loss.options)),
        (model.metrics, model.rng.bit_generator.state),
        optimizer and (type(optimizer), {k: v.tobytes() for k, v in optimizer.state.items()}, optimizer.t),
        optimizer and {k: v for k, v in vars(optimizer).items() if k not in ("state", "scratch")},
    )


def resumable(optimizer, seed=3):
    layers = [nn.BatchNorm(), nn.Dense(6, "relu"), nn.Dropout(0.4), nn.Residual(nn.Dense(6, "tanh")), nn.Dense(1)]
    return nn.Sequential(layers, seed=seed), {
        "loss": "huber",
        "optimizer": optimizer,
        "batch_size": 5,
        "metrics": ["mae"],
    }


SCHEDULED = [lambda schedule=schedule: nn.SGD(schedule, momentum=0.9) for schedule in SCHEDULE_CASES.values()]
VARIANTS = [*OPTIMIZERS, *SCHEDULED, lambda: nn.Adam(0.01, weight_decay=0.1, clip_norm=0.5)]


@pytest.mark.parametrize("make", VARIANTS, ids=[f"{i}-{optimizer_label(make())}" for i, make in enumerate(VARIANTS)])
def test_stopped_and_resumed_is_never_stopped(make, tmp_path, record_check):
    """Dropout, shuffling, momentum, schedule and running statistics go on bit by bit."""
    X, y = samples(23, 3), samples(23, 1, seed=1)
    whole, options = resumable(make())
    history = whole.fit(X, y, epochs=6, **options)
    first, options = resumable(make())
    first.fit(X, y, epochs=2, **options)
    first.save(tmp_path / "model.npz")
    second = nn.load(tmp_path / "model.npz")
    rest = second.fit(X, y, epochs=4, batch_size=5)
    same = (second.params == whole.params).all() and rest["loss"] == history["loss"][2:] and second.epoch == 6
    same = same and all((a == b).all() for a, b in zip(second.get_weights(), whole.get_weights(), strict=True))
    schedule = getattr(make().learning_rate, "__class__", type).__name__
    label = optimizer_label(make()) + (f", {schedule}" if schedule in SCHEDULE_CASES else "")
    record_check("behaviour", f"stopped and resumed, {label}", "never stopped, bit by bit", float(not same), 0)


FRESH = """
import sys, numpy as np, nnlib as nn
model = nn.load(sys.argv[1])
rng = np.random.default_rng(0)
X, y = rng.normal(size=(23, 3)), rng.normal(size=(23, 1))
model.fit(X, y, epochs=3, batch_size=5)
sys.stdout.write(model.params.tobytes().hex())
"""


def test_resumed_in_a_fresh_process(tmp_path, record_check):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(23, 3)), rng.normal(size=(23, 1))
    model, options = resumable(nn.Adam(0.01))
    model.fit(X, y, epochs=2, **options)
    model.save(tmp_path / "model.npz")
    run = subprocess.run(
        [sys.executable, "-c", FRESH, str(tmp_path / "model.npz")], capture_output=True, text=True, check=True, cwd=ROOT
    )
    model.fit(X, y, epochs=3, batch_size=5)
    same = run.stdout == model.params.tobytes().hex()
    record_check(
        "behaviour", "stopped and resumed, in a fresh process", "never stopped, bit by bit", float(not same), 0
    )


SAVING = """
import sys, nnlib as nn
model = nn.Sequential([nn.Dense(300), nn.Dense(300)]).build(300)
n = 0
while True:
    model.params[...] = n
    model.epoch = n
    model.save(sys.argv[1])
    n += 1
    if n == 1:
        print("saving", flush=True)
"""


def killed_while_saving(path, delay):
    saving = subprocess.Popen([sys.executable, "-c", SAVING, str(path)], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        saving.stdout.readline()
        time.sleep(delay)
    finally:
        saving.send_signal(signal.SIGKILL)
        saving.wait()
        saving.stdout.close()


def test_kill_in_the_middle_of_saving_leaves_a_whole_file(tmp_path, record_check):
    """SIGKILL at six different moments of an endless loop of saves: always one whole version, never half of two."""
    path, torn = tmp_path / "model.npz", 0
    for i in range(6):
        killed_while_saving(path, 0.005 * i)
        model = nn.load(path)
        torn += not (model.params == model.epoch).all()
        assert {p.name for p in tmp_path.iterdir()} <= {"model.npz", ".model.npz.saving"}
    record_check("behaviour", "kill -9 during save, 6 times", "files torn", torn, 0)
    (tmp_path / ".model.npz.saving").write_bytes(b"what a kill left" * 10**6)
    model.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]
    assert state_of(nn.load(path)) == state_of(model)


def test_two_programs_that_save_to_one_path_leave_a_whole_file(tmp_path):
    """Both write under the same temporary name, so one has to wait for the other."""
    path = tmp_path / "model.npz"
    both = [
        subprocess.Popen([sys.executable, "-c", SAVING, str(path)], stdout=subprocess.PIPE, cwd=ROOT) for _ in range(2)
    ]
    try:
        for saving in both:
            saving.stdout.readline()
        for _ in range(40):
            model = nn.load(path)
            assert (model.params == model.epoch).all()
            time.sleep(0.01)
        assert [saving.poll() for saving in both] == [None, None]
    finally:
        for saving in both:
            saving.send_signal(signal.SIGKILL)
            saving.wait()
            saving.stdout.close()


def test_the_file_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    """Else a power cut leaves the name with nothing behind it, and the old file is gone as well."""
    synced, renamed, rename = {}, [], os.replace

    def fsync(fd):
        synced[os.fstat(fd).st_ino] = os.fstat(fd).st_size

    def replace(source, target):
        assert synced[os.stat(source).st_ino] == os.stat(source).st_size > 1000
        renamed.append((source, target))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    nn.Sequential([nn.Dense(30)]).build(30).save(tmp_path / "model.npz")
    assert renamed == [(str(tmp_path / ".model.npz.saving"), str(tmp_path / "model.npz"))]


def test_a_failed_save_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    model = nn.Sequential([nn.Dense(1)]).build(1)
    model.save(tmp_path / "model.npz")
    before = (tmp_path / "model.npz").read_bytes()
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError("disk full")))
    model.params[...] = 7
    with pytest.raises(OSError, match="disk full"):
        model.save(tmp_path / "model.npz")
    assert (tmp_path / "model.npz").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


def test_files_have_the_rights_of_any_other_new_file(tmp_path):
    """A checkpoint that only its maker may read is useless on a shared disk."""
    (tmp_path / "other").touch()
    nn.Sequential([nn.Dense(1)]).build(1).save(tmp_path / "model.npz")
    assert (tmp_path / "model.npz").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_save_into_a_missing_directory_and_load_of_a_missing_file(tmp_path):
    model = nn.Sequential([nn.Dense(1)]).build(1)
    with pytest.raises(FileNotFoundError):
        model.save(tmp_path / "no" / "model.npz")
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "model.npz")
    with pytest.raises(IsADirectoryError):
        nn.load(tmp_path)


def test_a_path_is_a_string_bytes_or_a_path(tmp_path, monkeypatch):
    model = nn.Sequential([nn.Dense(1)]).build(1)
    monkeypatch.chdir(tmp_path)
    for path in ("model", b"bytes.npz", tmp_path / "path.npz", tmp_path / "ünï {epoch}"):
        model.save(path)
        assert state_of(nn.load(path)) == state_of(model)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bytes.npz", "model", "path.npz", "ünï {epoch}"]
    for path in (0, None, 1.5):  # 0 would be what is typed at the keyboard
        with pytest.raises(ValueError, match="path must be a path"):
            nn.load(path)
        with pytest.raises(ValueError, match="path must be a path"):
            model.save(path)


def test_a_model_that_is_not_built_has_nothing_to_save_or_sum_up(tmp_path):
    model = nn.Sequential([nn.Dense(1)])
    for call in (lambda: model.save(tmp_path / "model.npz"), model.summary):
        with pytest.raises(ValueError, match="the model has no parameters yet; call build"):
            call()
    assert list(tmp_path.iterdir()) == []


# --- damaged and hostile files


def broad():
    """A model in which every kind of field occurs, after a training."""
    layers = [
        nn.Dense(
            4,
            {"name": "elu", "alpha": 0.5},
            {"name": "variance_scaling", "scale": 2, "fan": "in", "distribution": "normal"},
        ),
        nn.BatchNorm(0.8),
        nn.LayerNorm(),
        nn.Residual(nn.Dense(4, "tanh", "orthogonal"), nn.Dropout(0.1)),
        nn.Maxout(3, pieces=2),
        nn.Activation("relu"),
        nn.Dense(1),
    ]
    model = nn.Sequential(layers, seed=1)
    rate = nn.schedules.Warmup(nn.schedules.CosineDecay(0.01, 50), 3)
    model.fit(
        *(samples(9, 2), samples(9, 1, seed=1)),
        loss=nn.losses.make_huber(0.5),
        optimizer=nn.Adam(rate, weight_decay=0.01, clip_norm=1.0),
        metrics=["mae", "rmse"],
    )
    return model


def of_images():
    layers = [nn.Conv2D(2, 3, "same", activation="relu"), nn.MaxPool2D(2), nn.Flatten(), nn.BatchNorm(), nn.Dense(1)]
    model = nn.Sequential(layers, dtype="float32")
    model.fit(samples(3, 6, 6, 1), samples(3, 1), loss="mse", optimizer=nn.SGD(0.01, momentum=0.9, nesterov=True))
    return model


def of_sequences():
    model = nn.Sequential([nn.LSTM(3, return_sequences=True), nn.RNN(2), nn.Dense(1, "sigmoid")])
    y = np.array([[0], [1], [1]])
    model.fit(samples(3, 4, 2), y, loss="binary_crossentropy", optimizer=nn.RMSprop(nn.schedules.OneCycle(0.1, 9)))
    return model


MODELS = {make.__name__: make for make in (broad, of_images, of_sequences)}


@pytest.fixture(scope="module", params=MODELS)
def saved(request, tmp_path_factory):
    """Return (path, its bytes, the model) of each of them."""
    path, model = tmp_path_factory.mktemp("saved") / "model.npz", MODELS[request.param]()
    model.save(path)
    return path, path.read_bytes(), model


def refused_or(path, check):
    """Load a file: either a ValueError that names it, or a model that `check` accepts. Anything else fails."""
    try:
        model = nn.load(path)
    except ValueError as error:
        assert repr(str(path)) in str(error)  # noqa: PT017
    else:
        check(model)


def test_a_cut_or_flipped_file_is_refused_or_was_not_hurt(saved):
    """A missing or another byte anywhere: a clear error or the very same model, never another one."""
    path, content, model = saved
    before, rng = state_of(model), np.random.default_rng(0)

    def same(again):
        assert state_of(again) == before

    places = {
        *range(0, len(content), max(1, len(content) // 150)),
        *range(60),
        *range(len(content) - 200, len(content)),
    }
    for place in sorted(places):
        path.write_bytes(content[:place])
        refused_or(path, same)
        hurt = bytearray(content)
        hurt[place] ^= int(rng.choice([1 << bit for bit in range(8)] + [255]))
        path.write_bytes(hurt)
        refused_or(path, same)
        hurt = bytearray(content)
        del hurt[place : place + int(rng.integers(1, 300))]
        path.write_bytes(hurt)
        refused_or(path, same)


VALUES = [None, True, False, -1, 0, 3, 10**9, 10**30, 10**400, 0.5, -0.5, float("nan"), float("inf"), "", "no", "Dense"]
VALUES += ["1e9", [], [1], [[]], [None], [10**9] * 3, {}, {"name": []}, {"name": "elu", "x": 1}, {"class": "Dense"}]


def fields(value, path=()):
    """Yield the place of every value in nested lists and dicts."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from fields(inner, (*path, key))


def changed(config, place, value):
    """Return a copy of config with another value there, or (for `del`) with none."""
    config = json.loads(json.dumps(config))
    inner = config
    for key in place[:-1]:
        inner = inner[key]
    if value is del_:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return config


del_ = object()


def usable(model):
    """Whatever was loaded predicts, goes on training, and can be saved and loaded again."""
    if prod(model.input_shape) > 10**6:
        return  # a recurrent layer takes a billion steps with the same few weights
    X = samples(3, *model.input_shape)
    y = np.clip(samples(3, *model.output_shape, seed=1), 0, 1)
    assert model.predict(X).shape == y.shape
    # not model.loss: a generator's is that of its judge, and need not fit to its own last layer
    model.fit(X, y, loss="mse", optimizer=model.optimizer or "SGD", epochs=2, batch_size=2)
    assert json.loads(json.dumps(storage.plain(model.layers))) == storage.plain(model.layers)


@pytest.mark.filterwarnings("ignore")  # a learning rate of 10⁹ diverges
def test_every_field_with_every_wrong_value_is_refused_or_harmless(saved, monkeypatch):
    """Some 4,000 files: each field of the configuration replaced by each of the values, or taken away."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    path, content, _ = saved
    path.write_bytes(content)
    with open(path, "rb") as file:
        config, arrays = storage.read(file)
    for place in fields(config):
        for value in [*VALUES, del_]:
            text = json.dumps(changed(config, place, value))
            storage.write_whole({str(path): lambda file, text=text: np.savez(file, config=np.array(text), **arrays)})
            refused_or(path, usable)


def archive(members, **options):
    """Return the bytes of a zip file of (name, content) pairs."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", **options) as archive:
        warnings.simplefilter("ignore")  # two of one name
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def npy(array, **header):
    """Return the bytes of a .npy file whose header may say something else than is there."""
    file = io.BytesIO()
    said = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape} | header
    np.lib.format.write_array_header_1_0(file, said)
    return file.getvalue() + array.tobytes()


class Evil:
    """What a pickle would run."""

    def __reduce__(self):
        return (os._exit, (3,))


def hostile():
    """Return {what is wrong: the file}; each differs in that from a file that loads."""
    model = nn.Sequential([nn.Dense(3, "tanh"), nn.BatchNorm(), nn.Dense(1)])
    model.fit(samples(8, 2), samples(8, 1, seed=1), loss="mse", optimizer="Adam")
    file = io.BytesIO()
    storage_whole, storage.write_whole = (
        storage.write_whole,
        lambda contents: [write(file) for write in contents.values()],
    )
    try:
        model.save("nowhere")
    finally:
        storage.write_whole = storage_whole
    content = file.getvalue()
    with zipfile.ZipFile(file) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    config = json.loads(str(np.load(io.BytesIO(content))["config"]))
    n = model.params.size
    floats = np.zeros(n)
    BatchNorm = {"class": "BatchNorm"}

    def with_(**changes):
        return archive((members | {name.replace("_npy", ".npy"): c for name, c in changes.items()}).items())

    def of(layers, shape=(2,), params=None, **changes):
        """Return a file of these layers without optimizer."""
        text = json.dumps(config | {"layers": layers, "input_shape": shape, "optimizer": None} | changes)
        return archive(
            [("config.npy", npy(np.array(text))), ("params.npy", npy(np.zeros(9) if params is None else params))]
        )

    def dense(units, **options):
        return {"class": "Dense", "units": units, **options}

    deep = np.array("[" * 200_000)
    nested = {"class": "Flatten"}
    for _ in range(400):
        nested = {"class": "Residual", "layers": [nested]}
    rate = 0.1
    for _ in range(300):
        rate = {"name": "Warmup", "then": rate, "steps": 1}
    adam = config["optimizer"]
    end = content.rindex(b"PK\x05\x06")
    first = content.index(b"PK\x01\x02")

    def patched(place, value):
        return content[:place] + value + content[place + len(value) :]

    small_bombs = {}
    for name in ("DEFLATED", "BZIP2"):
        bomb = archive([("config.npy", bytes(150_000_000))], compression=getattr(zipfile, f"ZIP_{name}"))
        size = bomb.rindex(b"PK\x01\x02") + 24
        small_bombs[name] = bomb[:size] + bomb[size - 4 : size] + bomb[size + 4 :]  # as if stored
    billion, count, size = (
        [10**9],
        (50 * len(members)).to_bytes(2, "little"),
        (50 * (end - first)).to_bytes(4, "little"),
    )
    overlapping = content[end : end + 8] + count + count + size + content[end + 16 : end + 20]
    return {
        "as saved": content,
        "as made here": of([dense(3)]),
        "empty": b"",
        "text": b"a,b\n1,2\n" * 100,
        "a pickle": pickle.dumps(Evil()),
        "npy alone": members["params.npy"],
        "npy with a pickle": npy(floats) + pickle.dumps(Evil()),
        "an empty archive": archive([]),
        "PK only": b"PK\x03\x04",
        "end record only": content[end:],
        "directory that begins nowhere": patched(end + 16, b"\xff\xff\xff\x7f"),
        "directory longer than the file": patched(end + 12, b"\xff\xff\xff\x7f"),
        "encrypted": patched(first + 8, b"\x01"),
        "unknown compression": patched(first + 10, b"\x63"),
        "compressed": archive(members.items(), compression=zipfile.ZIP_DEFLATED),
        "compressed with bzip2": archive(members.items(), compression=zipfile.ZIP_BZIP2),
        "compressed with lzma": archive(members.items(), compression=zipfile.ZIP_LZMA),
        "bomb": archive([("config.npy", bytes(150_000_000))], compression=zipfile.ZIP_DEFLATED),
        "bomb that says it is stored": archive(
            [("config.npy", bytes(150_000_000))], compression=zipfile.ZIP_DEFLATED
        ).replace(b"\x14\x00\x00\x00\x08\x00", b"\x14\x00\x00\x00\x00\x00"),
        **{f"bomb in {name} that says it is small": small for name, small in small_bombs.items()},
        "compressed size longer than the file": patched(first + 20, b"\xff\xff\xff\x7f"),
        "member longer than the file": patched(first + 20, b"\xff\xff\xff\x7f\xff\xff\xff\x7f"),
        "member shorter than its array": patched(first + 20, b"\x10\x00\x00\x00\x10\x00\x00\x00"),
        "overlapping members": content[:first] + content[first:end] * 50 + overlapping + content[end + 20 :],
        "two of one name": archive([*members.items(), ("params.npy", npy(floats))]),
        "two of one name, but for .npy": archive([*members.items(), ("params", npy(floats))]),
        "one member more": with_(more_npy=npy(floats)),
        "no config": archive([item for item in members.items() if item[0] != "config.npy"]),
        "no params": archive([item for item in members.items() if item[0] != "params.npy"]),
        "no running mean": archive([item for item in members.items() if "mean" not in item[0]]),
        "no optimizer state": archive([item for item in members.items() if "optimizer" not in item[0]]),
        "a parent path": archive([(f"../{name}", content) for name, content in members.items()]),
        "an absolute path": archive([(f"/tmp/{name}", content) for name, content in members.items()]),
        "a member that is a folder": with_(**{"x/": b""}),
        "member empty": with_(params_npy=b""),
        "member no npy": with_(params_npy=b"0" * 1000),
        "header cut": with_(params_npy=members["params.npy"][:20]),
        "npy version 2": with_(params_npy=members["params.npy"].replace(b"\x93NUMPY\x01", b"\x93NUMPY\x02")),
        "npy version 9": with_(params_npy=members["params.npy"].replace(b"\x93NUMPY\x01", b"\x93NUMPY\x09")),
        "header of code": with_(
            params_npy=b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os')._exit(3)".ljust(31) + b"\n"
        ),
        "header deep": with_(params_npy=b"\x93NUMPY\x01\x00\x00\x20" + b"[" * 8191 + b"\n"),
        "huge shape": with_(params_npy=npy(floats, shape=(10**15,))),
        "huge shape of nothing": with_(params_npy=npy(floats[:0], shape=(10**15, 0))),
        "negative shape": with_(params_npy=npy(floats, shape=(-n,))),
        "shape of -1": with_(params_npy=npy(floats, shape=(-1, 1))),
        "two axes": with_(params_npy=npy(floats, shape=(n, 1))),
        "shape with a bool": with_(params_npy=npy(floats, shape=(True,))),
        "Fortran order": with_(params_npy=npy(floats, fortran_order=True)),
        "other byte order": with_(params_npy=npy(floats.astype(">f8"))),
        "float32": with_(params_npy=npy(floats.astype("f4"))),
        "float128": with_(params_npy=npy(floats.astype("g"))),
        "integers": with_(params_npy=npy(floats.astype(int))),
        "complex": with_(params_npy=npy(floats.astype(complex))),
        "objects": with_(params_npy=npy(np.zeros(n), descr="|O")),
        "objects, pickled": with_(params_npy=npy(np.zeros(0), descr="|O", shape=()) + pickle.dumps(Evil())),
        "records": with_(params_npy=npy(np.zeros(n), descr=[("x", "<f8")])),
        "strings of no length": with_(params_npy=npy(np.zeros(n), descr="<U0")),
        "characters": with_(params_npy=npy(np.array("x" * n))),
        "one parameter": with_(params_npy=npy(floats[:1])),
        "one parameter more": with_(params_npy=npy(np.zeros(n + 1))),
        "one parameter less": with_(params_npy=npy(np.zeros(n - 1))),
        "optimizer state of one number": with_(optimizer_m_npy=npy(floats[:1])),
        "optimizer state of another optimizer": with_(optimizer_G_npy=npy(floats)),
        "running mean of one number": with_(layer1_mean_npy=npy(floats[:1])),
        "config of floats": with_(config_npy=npy(floats)),
        "config of two": with_(config_npy=npy(np.array(["{}", "{}"]))),
        "config no JSON": with_(config_npy=npy(np.array("{'format': 1}"))),
        "config no dict": with_(config_npy=npy(np.array("[1]"))),
        "config a pair": with_(config_npy=npy(np.array('[["format", 1]]'))),
        "config deep": with_(config_npy=npy(deep)),
        "config of surrogates": with_(config_npy=npy(np.array('"x"')).replace(b"x", b"\xff")),
        "config with a number of 5,000 digits": with_(config_npy=npy(np.array("1" * 5000))),
        "format missing": with_(config_npy=npy(np.array("{}"))),
        "format 1": of([dense(3)], format=1),
        "layers deep": of([nested], (2,)),
        "schedules deep": of([dense(3)], optimizer=adam | {"learning_rate": rate}),
        "unknown layer": of([{"class": "Sequential"}]),
        "layer that is none": of([{"class": "__class__"}]),
        "billion units": of([dense(10**9)]),
        "10**30 units": of([dense(10**30)]),
        "billion inputs": of([dense(1)], billion),
        "square of the file's size": of([dense(10_000), dense(100)], [10_000], np.zeros(20_000)),
        "orthogonal billion": of([dense(10**9, initializer="orthogonal")]),
        "billion pieces": of([{"class": "Maxout", "units": 1, "pieces": 10**9}]),
        "billion filters": of([{"class": "Conv2D", "filters": 10**9, "kernel_size": 1}], [2, 2, 1]),
        "billion in a kernel": of(
            [{"class": "Conv2D", "filters": 1, "kernel_size": 30_000, "padding": "same"}], [2, 2, 1]
        ),
        "billion in an LSTM": of([{"class": "LSTM", "units": 30_000}], [2, 1]),
        "billion in an RNN": of([{"class": "RNN", "units": 30_000}], [2, 1]),
        "billion normalized": of([BatchNorm], billion),
        "billion normalized by rows": of([{"class": "LayerNorm"}], billion),
        "billion flattened and normalized": of([{"class": "Flatten"}, BatchNorm], [30_000, 30_000]),
        "billion by a detour": of(
            [dense(1), {"class": "Flatten"}, {"class": "Residual", "layers": [BatchNorm]}], [10**9, 2]
        ),
        "input shape without end": of([{"class": "LSTM", "units": 1}], [10**30, 10**30]),
        "generator of another kind": of([dense(3)], rng=np.random.MT19937(0).state["bit_generator"]),
        "generator that stands still": of([dense(3)], rng=config["rng"] | {"state": {"state": 0, "inc": 0}}),
        "generator of a negative state": of([dense(3)], rng=config["rng"] | {"state": {"state": -1, "inc": 1}}),
        "step counter beyond floats": with_(config_npy=npy(np.array(json.dumps(config | {"t": 10**400})))),
        "epoch half": of([dense(3)], epoch=0.5),
        "no epoch": of([dense(3)], epoch=None),
    }


LOAD_ALL = """
import pathlib, resource, sys, numpy as np, nnlib as nn
import zipfile, json  # what load imports, before the limit
pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 100 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        nn.load(path)
    except ValueError as error:
        good = repr(str(path)) in str(error) and len(str(error)) < 1000 and "MemoryError" not in str(error)
        print(f"{path.name}\t{'refused' if good else error}")
    except BaseException as error:
        print(f"{path.name}\t{type(error).__name__}: {error}")
    else:
        print(f"{path.name}\tloaded")
"""


def test_hostile_files_are_refused_within_bounded_memory(tmp_path):
    """A hundred of them, in a process that may take 100 MB; its exit code would tell that something was executed."""
    files = hostile()
    for name, content in files.items():
        (tmp_path / name.replace("*", "^").replace("/", "-")).write_bytes(content)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOAD_ALL, str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert (run.returncode, run.stderr) == (0, "")
    outcomes = dict(line.split("\t") for line in run.stdout.splitlines())
    assert (outcomes.pop("as saved"), outcomes.pop("as made here")) == ("loaded", "loaded")
    assert len(outcomes) == len(files) - 2
    assert {name: outcome for name, outcome in outcomes.items() if outcome != "refused"} == {}


def test_own_functions_are_saved_by_name_or_refused_with_a_way_out(tmp_path):
    model = nn.Sequential([nn.Dense(1)])
    X, y = samples(4, 1), samples(4, 1, seed=1)
    model.fit(X, y, loss="mse", optimizer=nn.SGD(lambda step: 0.1 / (step + 1)))
    with pytest.raises(
        ValueError, match=r"a learning_rate that is a function cannot be saved: .* set model.optimizer = None"
    ):
        model.save(tmp_path / "model.npz")
    model.optimizer = None
    model.save(tmp_path / "model.npz")
    assert nn.load(tmp_path / "model.npz").optimizer is None


def test_options_of_losses_activations_and_initializers_survive(tmp_path):
    layers = [
        nn.Dense(3, {"name": "elu", "alpha": 0.5}, initializer={"name": "normal", "std": np.float32(0.5)}),
        nn.Dense(1, nn.activations.make_leaky_relu(0.3)),
    ]
    model = nn.Sequential(layers, seed=np.random.default_rng(5))
    model.fit(samples(4, 2), samples(4, 1), loss=nn.losses.make_huber(0.2), optimizer=nn.SGD(np.float32(0.1)))
    model.save(tmp_path / "model.npz")
    again = nn.load(tmp_path / "model.npz")
    assert [repr(layer) for layer in again.layers] == [repr(layer) for layer in model.layers]
    assert again.loss.options == {"delta": 0.2}


def own_relu():
    return nn.activations.Activation("relu", lambda z: z * (z > 1), lambda da, z, a: da * (z > 1))


def own_mse():
    return nn.losses.Loss("mse", lambda p, y: 9 * nn.losses.mse.rows(p, y), nn.losses.mse.slope)


def own_loss(name="cubic"):
    return nn.losses.Loss(name, lambda p, y: (abs(p - y) ** 3).mean(axis=1), lambda p, y: 3 * (p - y) * abs(p - y))


class OwnDense(nn.Dense):
    """A layer of the reader's own."""


OwnAdam = type("Adam", (nn.Adam,), {})
OwnDropout = type("Dropout", (nn.Dropout,), {})
make_huber, make_elu = nn.losses.make_huber, nn.activations.make_elu
OWN = {
    "activation under the name of another": ([nn.Dense(1, own_relu())], {}, "relu"),
    "activation with the formula of other options": (
        [nn.Dense(1, dataclasses.replace(make_elu(0.5), options={"alpha": 0.7}))],
        {},
        "elu",
    ),
    "initializer under the name of another": (
        [nn.Dense(1, initializer=nn.initializers.Initializer("zeros", lambda shape, rng: np.ones(shape)))],
        {},
        "zeros",
    ),
    "loss under the name of another": ([nn.Dense(1)], {"loss": own_mse()}, "mse"),
    "loss with the name of a fused one": (
        [nn.Dense(1, "sigmoid")],
        {"loss": own_loss("binary_crossentropy")},
        "binary_crossentropy",
    ),
    "loss in no table": ([nn.Dense(1)], {"loss": own_loss()}, "cubic"),
    "loss of another class": (
        [nn.Dense(1)],
        {"loss": nn.losses.Loss("rmse", nn.losses.rmse.rows, nn.losses.rmse.slope)},
        "rmse",
    ),
    "loss with the formula of other options": (
        [nn.Dense(1)],
        {"loss": dataclasses.replace(make_huber(0.5), options={"delta": 0.7})},
        "huber",
    ),
    "layer in no table": ([OwnDense(1)], {}, "OwnDense"),
    "layer under the name of another": ([OwnDropout(0.5), nn.Dense(1)], {}, "Dropout"),
    "layer inside": ([nn.Residual(OwnDense(2)), nn.Dense(1)], {}, "OwnDense"),
    "optimizer under the name of another": ([nn.Dense(1)], {"optimizer": OwnAdam()}, "Adam"),
}


@pytest.mark.parametrize("own", OWN.values(), ids=OWN)
def test_what_could_not_be_loaded_as_it_is_is_refused_before_anything_is_written(tmp_path, own):
    layers, options, name = own
    nn.Sequential([nn.Dense(1)]).build(1).save(tmp_path / "model.npz")
    before = (tmp_path / "model.npz").read_bytes()
    model = nn.Sequential(layers)
    model.fit(samples(4, 2), 1.0 * (samples(4, 1) > 0), **{"loss": "mse", "optimizer": "SGD"} | options)
    with pytest.raises(ValueError, match=rf"nnlib knows no '{name}', or another one than yours: put it"):
        model.save(tmp_path / "model.npz")
    assert (tmp_path / "model.npz").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


def test_what_is_in_its_table_is_saved_and_loaded_as_itself(tmp_path, monkeypatch):
    step = nn.activations.Activation("step", lambda z: 1.0 * (z > 0), lambda da, z, a: 0 * da)
    threes = nn.initializers.Initializer("threes", lambda shape, rng: np.full(shape, 3.0))
    worst = type("worst", (), {"__call__": lambda self, p, y: float(abs(p - y).max()), "__name__": "worst"})()
    monkeypatch.setitem(nn.activations.ACTIVATIONS, "step", step)
    monkeypatch.setitem(nn.initializers.INITIALIZERS, "threes", threes)
    monkeypatch.setitem(nn.losses.LOSSES, "cubic", cubic := own_loss())
    monkeypatch.setitem(nn.layers.LAYERS, "OwnDense", OwnDense)
    monkeypatch.setitem(nn.metrics.METRICS, "worst", worst)
    model = nn.Sequential([OwnDense(2, step, threes), nn.Dense(1)])
    model.fit(samples(4, 2), samples(4, 1), loss=cubic, optimizer="SGD", metrics=["worst"])
    model.save(tmp_path / "model.npz")
    again = nn.load(tmp_path / "model.npz")
    assert (again.layers[0].activation, again.layers[0].initializer, again.loss) == (step, threes, cubic)
    assert again.metrics == [worst]
    assert state_of(again) == state_of(model)
    monkeypatch.delitem(nn.losses.LOSSES, "cubic")
    with pytest.raises(
        ValueError, match=r"model\.npz' .* does not have: ValueError: loss must be one of .*; got 'cubic'"
    ):
        nn.load(tmp_path / "model.npz")


def test_a_layer_may_have_an_argument_of_any_name(tmp_path, monkeypatch):
    class Named(nn.Dropout):
        def __init__(self, rate, name, layer):
            super().__init__(rate)
            self.name, self.layer = name, layer

    monkeypatch.setitem(nn.layers.LAYERS, "Named", Named)
    nn.Sequential([nn.Dense(1), Named(0.5, "last", 3)]).build(1).save(tmp_path / "model.npz")
    again = nn.load(tmp_path / "model.npz").layers[1]
    assert (type(again), again.rate, again.name, again.layer) == (Named, 0.5, "last", 3)


def test_an_optimizer_may_have_an_argument_called_name(tmp_path, monkeypatch):
    class Called(nn.SGD):
        def __init__(self, name):
            super().__init__(0.1)
            self.name = name

    monkeypatch.setitem(nn.optimizers.OPTIMIZERS, "Called", Called)
    model = nn.Sequential([nn.Dense(1)])
    model.fit(samples(4, 2), samples(4, 1), loss="mse", optimizer=Called("mine"))
    model.save(tmp_path / "model.npz")
    again = nn.load(tmp_path / "model.npz").optimizer
    assert (type(again), again.name, again.t) == (Called, "mine", 1)


def test_a_copy_of_a_model_is_saved_like_the_model(tmp_path):
    """The functions in a copy are other objects, and the same functions."""
    for make in MODELS.values():
        model = make()
        copy.deepcopy(model).save(tmp_path / "copy.npz")
        model.save(tmp_path / "model.npz")
        assert state_of(nn.load(tmp_path / "copy.npz")) == state_of(nn.load(tmp_path / "model.npz"))


def test_metrics_come_back_in_their_order(tmp_path):
    X, y = samples(4, 2), samples(4, 1)
    model = nn.Sequential([nn.Dense(1)])
    model.fit(X, y, loss="mse", optimizer="SGD", metrics=["r2", "mae", lambda p, y: 0.0, "rmse"])
    model.save(tmp_path / "model.npz")
    model.metrics.pop(2)  # one that is in no table
    again = nn.load(tmp_path / "model.npz")
    assert list(again.evaluate(X, y)) == ["loss", "r2", "mae", "rmse"]
    assert again.evaluate(X, y) == model.evaluate(X, y)


def test_weights_that_are_no_numbers_are_kept_as_they_are(tmp_path):
    """Whoever looks for the cause of a NaN wants the very same one after loading."""
    model = nn.Sequential([nn.Dense(2), nn.BatchNorm()]).build(2)
    model.params[:3] = np.nan, np.inf, -0.0
    model.save(tmp_path / "model.npz")
    assert state_of(nn.load(tmp_path / "model.npz")) == state_of(model)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"extra": np.ones(3)}, "'extra'"),
        ({"params": np.ones(3, "float32")}, "float32"),
        ({"optimizer_v": np.ones(1)}, r"\(1,\)"),  # would be broadcast
    ],
    ids=["one more", "of another dtype", "of another shape"],
)
def test_arrays_that_are_not_those_of_the_model_are_refused(tmp_path, change, found):
    path, model = tmp_path / "model.npz", nn.Sequential([nn.Dense(1)])
    model.fit(samples(4, 2), samples(4, 1), loss="mse", optimizer=nn.SGD(0.1, momentum=0.9))
    model.save(path)
    with open(path, "rb") as file:
        config, arrays = storage.read(file)
    storage.write(path, config, arrays)
    assert state_of(nn.load(path)) == state_of(model)
    storage.write(path, config, {**arrays, **change})
    with pytest.raises(ValueError, match=f"its arrays must be .*; got .*{found}"):
        nn.load(path)


def test_a_running_variance_below_zero_is_refused(tmp_path):
    """No training makes one, and its root is no number."""
    model = nn.Sequential([nn.Dense(2), nn.BatchNorm()]).build(2)
    model.layers[1].buffers["variance"][1] = -1e-9
    model.save(tmp_path / "model.npz")
    with pytest.raises(ValueError, match="layer1_variance must be 0 or more; got -1e-09"):
        nn.load(tmp_path / "model.npz")
    model.layers[1].buffers["variance"][1] = np.nan
    model.save(tmp_path / "model.npz")
    assert np.isnan(nn.load(tmp_path / "model.npz").layers[1].buffers["variance"][1])


def test_loading_draws_no_random_numbers_and_leaves_no_trace_in_the_layers(tmp_path):
    """An orthogonal matrix of 4,000 units takes half a minute to draw, and would be overwritten."""
    model = nn.Sequential([nn.Dense(2, initializer="orthogonal"), nn.BatchNorm(), nn.LayerNorm()]).build(2)
    model.save(tmp_path / "model.npz")
    again = nn.load(tmp_path / "model.npz")
    assert [set(vars(layer)) for layer in again.layers] == [set(vars(layer)) for layer in model.layers]
    assert again.layers[0].initializer is nn.initializers.INITIALIZERS["orthogonal"]
    pickled = [layer.__class__.__name__ for layer in copy.deepcopy(again).layers]
    assert pickled == ["Dense", "BatchNorm", "LayerNorm"]


def test_an_optimizer_that_fit_has_not_seen_is_refused(tmp_path):
    model = nn.Sequential([nn.Dense(1)]).build(1)
    model.optimizer = nn.Adam()
    with pytest.raises(ValueError, match="must be one that fit was given, or None"):
        model.save(tmp_path / "model.npz")


def test_numbers_of_numpy_become_plain(tmp_path):
    storage.write(tmp_path / "x.npz", {"rate": np.float32(0.5), "n": np.int64(3)}, {})
    with open(tmp_path / "x.npz", "rb") as file:
        assert storage.read(file)[0] == {"format": 2, "rate": 0.5, "n": 3}


def test_functions_that_differ_in_defaults_alone_are_two(tmp_path, monkeypatch):
    """`lambda p, y, q=q: ...` is how readers make a family of losses."""

    def pinball(q):
        return nn.losses.Loss(
            "pinball",
            lambda p, y, q=q: np.maximum(q * (y - p), (q - 1) * (y - p)).mean(axis=1),
            lambda p, y, q=q: np.where(y > p, -q, 1 - q) / p.shape[1],
        )

    monkeypatch.setitem(nn.losses.LOSSES, "pinball", pinball(0.5))
    model = nn.Sequential([nn.Dense(1)])
    model.fit(samples(4, 2), samples(4, 1), loss=pinball(0.9), optimizer="SGD")
    with pytest.raises(ValueError, match="'pinball', or another one than yours"):
        model.save(tmp_path / "model.npz")
    model.fit(samples(4, 2), samples(4, 1), loss="pinball")
    model.save(tmp_path / "model.npz")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
@pytest.mark.parametrize("path", ["model.npz", "some/model.npz"])
def test_who_saves_holds_the_folder_of_the_file(tmp_path, monkeypatch, path):
    import fcntl

    held = []
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some").mkdir()
    monkeypatch.setattr(fcntl, "flock", lambda folder, how: held.append((os.fstat(folder).st_ino, how)))
    nn.Sequential([nn.Dense(1)]).build(1).save(path)
    assert held == [((tmp_path / path).parent.stat().st_ino, fcntl.LOCK_EX)]


def test_a_feature_that_never_changed_has_no_variance(tmp_path):
    model = nn.Sequential([nn.BatchNorm(), nn.Dense(1)]).build(2)
    model.layers[0].buffers["variance"][:] = 0, 1
    model.save(tmp_path / "model.npz")
    assert nn.load(tmp_path / "model.npz").layers[0].buffers["variance"].tolist() == [0, 1]
