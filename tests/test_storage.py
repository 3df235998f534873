"""Saved models: whole or not at all, the same bits after loading, and never code that runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cases import LAYER_CASES, OPTIMIZER_CASES, SCHEDULE_CASES, optimizer_label, samples
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_kill_in_the_middle_of_saving_leaves_a_whole_file(tmp_path, record_check):
    """SIGKILL at six different moments of an endless loop of saves: always one whole version, never half of two."""
    path, torn = tmp_path / "model.npz", 0
    for i in range(6):
        saving = subprocess.Popen([sys.executable, "-c", SAVING, str(path)], stdout=subprocess.PIPE, cwd=ROOT)
        try:
            saving.stdout.readline()
            time.sleep(0.005 * i)
        finally:
            saving.send_signal(signal.SIGKILL)
            saving.wait()
            saving.stdout.close()
        model = nn.load(path)
        torn += not (model.params == model.epoch).all()
    record_check("behaviour", "kill -9 during save, 6 times", "files torn", torn, 0)


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


def test_nothing_in_a_file_is_executed(tmp_path):
    np.savez(tmp_path / "evil.npz", config=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="is not a model saved by nnlib, or is damaged"):
        nn.load(tmp_path / "evil.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"a,b\n1,2\n", b"\x93NUMPY", b"\x80\x04K\x01."], ids=repr)
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match="is not a model saved by nnlib, or is damaged"):
        nn.load(tmp_path / "file")


def test_other_archives_of_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", params=np.zeros(3))
    np.savez(tmp_path / "b.npz", config=np.array("[1]"))
    np.savez(tmp_path / "c.npz", config=np.array(json.dumps({"format": 99})))
    np.save(tmp_path / "d.npz.npy", np.zeros(3))
    for name in ("a.npz", "b.npz", "c.npz", "d.npz.npy"):
        with pytest.raises(ValueError, match=r"is not a model saved by nnlib|has format 99; this version reads 1"):
            nn.load(tmp_path / name)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.npz"
    model = nn.Sequential([nn.Dense(3, "tanh"), nn.BatchNorm(), nn.Dense(1)])
    model.fit(samples(8, 2), samples(8, 1, seed=1), loss="mse", optimizer="Adam")
    model.save(path)
    return path, path.read_bytes(), model


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_files_are_refused_or_were_not_hurt(saved, data):
    """A flipped or a missing byte anywhere: a clear error or the very same model, never another one."""
    path, content, model = saved
    place = data.draw(st.integers(0, len(content) - 1))
    damaged = bytearray(content)
    if data.draw(st.booleans()):
        damaged[place] ^= data.draw(st.integers(1, 255))
    else:
        del damaged[place:]
    (path.parent / "damaged.npz").write_bytes(damaged)
    try:
        again = nn.load(path.parent / "damaged.npz")
    except ValueError as error:
        assert "nnlib" in str(error)  # noqa: PT017
    else:
        assert (again.params == model.params).all()


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


def test_numbers_of_numpy_become_plain(tmp_path):
    storage.write(tmp_path / "x.npz", {"rate": np.float32(0.5), "n": np.int64(3)}, {})
    with open(tmp_path / "x.npz", "rb") as file:
        assert storage.read(file)[0] == {"format": 1, "rate": 0.5, "n": 3}
