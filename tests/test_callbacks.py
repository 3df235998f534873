"""What happens between epochs, with a model whose scores are dictated."""

import csv
import inspect
import sys
from contextlib import nullcontext

import numpy as np
import pytest
from cases import samples

import nnlib as nn

X, Y = samples(8, 2), samples(8, 1, seed=1)


class Dictated:
    """A metric that returns the given numbers, one per call."""

    __name__ = "score"

    def __init__(self, *values):
        self.values = iter(values)

    def __call__(self, y_pred, y_true):
        return next(self.values)


class Recorder(nn.Callback):
    def __init__(self):
        self.calls = []

    def on_train_begin(self, model, epochs):
        self.calls.append(("begin", epochs))

    def on_epoch_end(self, model, epoch, logs):
        self.calls.append((epoch, model.params.copy(), dict(logs)))

    def on_train_end(self, model):
        self.calls.append(("end", model.params.copy()))


def fit(*callbacks, scores=(), epochs=None, **options):
    model = nn.Sequential([nn.Dense(1)])
    metrics = [Dictated(*scores)] if scores else ["rmse"]
    settings = {"loss": "mse", "optimizer": nn.SGD(0.1), "metrics": metrics, "callbacks": callbacks, **options}
    return model, model.fit(X, Y, epochs=epochs or len(scores) or 3, **settings)


@pytest.mark.parametrize("breaks_first", [True, False])
def test_every_callback_that_has_begun_is_ended_although_another_breaks(breaks_first):
    class Breaks(nn.Callback):
        def on_train_end(self, model):
            raise OSError("disk full")

    recorder = Recorder()
    with pytest.raises(OSError, match="disk full"):
        fit(*([Breaks(), recorder] if breaks_first else [recorder, Breaks()]), epochs=1)
    assert [call[0] for call in recorder.calls] == ["begin", 1, "end"]


def test_calls_come_in_order_and_epochs_count_from_one():
    recorder = Recorder()
    _, history = fit(recorder, epochs=3)
    assert [call[0] for call in recorder.calls] == ["begin", 1, 2, 3, "end"]
    assert recorder.calls[0] == ("begin", 3)
    assert recorder.calls[2][2] == {name: values[1] for name, values in history.items()}


def test_epochs_go_on_counting_in_a_second_fit():
    model, _ = fit(epochs=2)
    recorder = Recorder()
    model.fit(X, Y, epochs=2, callbacks=[recorder])
    assert [call[0] for call in recorder.calls[1:-1]] == [3, 4]


def test_a_callback_of_ones_own_can_stop_the_training():
    class Stop(nn.Callback):
        def on_epoch_end(self, model, epoch, logs):
            model.stop_training = epoch == 2

    assert len(fit(Stop(), epochs=5)[1]["loss"]) == 2


@pytest.mark.parametrize(("mode", "sign"), [("min", 1), ("max", -1)])
@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping_waits_stops_and_goes_back(mode, sign, restore):
    scores = [sign * s for s in (5, 3, 4, 3, 6, 1)]  # best in epoch 2; 3 again is not better; the 1 is never reached
    recorder, stopping = Recorder(), nn.EarlyStopping("score", patience=3, mode=mode, restore_best=restore)
    model, history = fit(recorder, stopping, scores=scores)
    assert len(history["score"]) == 5
    assert stopping.best_epoch == 2
    assert (model.params == recorder.calls[2 if restore else 5][1]).all()


def test_early_stopping_goes_back_also_where_all_epochs_were_run():
    recorder = Recorder()
    model, _ = fit(recorder, nn.EarlyStopping("score", patience=10), scores=[2, 1, 3])
    assert (model.params == recorder.calls[2][1]).all()


def test_early_stopping_min_delta_and_nan():
    """Getting better by less than min_delta is standing still, and NaN is never better."""
    assert len(fit(nn.EarlyStopping("score", patience=2, min_delta=0.5), scores=[5, 4.6, 4.7, 4, 3])[1]["score"]) == 3
    assert len(fit(nn.EarlyStopping("score", patience=2), scores=[5, np.nan, np.nan, 4])[1]["score"]) == 3


def test_early_stopping_waits_ten_epochs_unless_told_otherwise():
    assert len(fit(nn.EarlyStopping("score"), scores=[1, *[2] * 15])[1]["score"]) == 11


def test_early_stopping_before_the_first_epoch_has_no_best_one():
    """Where no epoch was any good, not even the first, there is nothing to go back to."""
    stopping = nn.EarlyStopping("score", patience=2)
    _, history = fit(stopping, scores=[np.nan] * 5)
    assert len(history["score"]) == 2
    assert stopping.best_epoch == 0


def test_early_stopping_begins_anew_in_each_fit():
    stopping = nn.EarlyStopping("loss", patience=1)
    for _ in range(2):
        _, history = fit(stopping, epochs=4)
        assert len(history["loss"]) > 1


def test_plateau_lowers_the_rate_after_patience_epochs_and_not_below_its_minimum():
    plateau = nn.ReduceLROnPlateau("score", factor=0.5, patience=2, min_learning_rate=0.03)
    _, history = fit(plateau, scores=[5, 5, 5, 5, 5, 5, 5, 5, 1, 1])
    # 5 at epoch 1 is the best; after epochs 2-3, 4-5 and 6-7 without progress the next epoch is slower
    assert history["learning_rate"] == [0.1, 0.1, 0.1, 0.05, 0.05, 0.03, 0.03, 0.03, 0.03, 0.03]


def test_plateau_by_default_divides_by_ten_after_five_epochs_that_gain_less_than_a_ten_thousandth():
    """The factor and the threshold of Keras; its patience is 10."""
    _, history = fit(nn.ReduceLROnPlateau("score"), scores=[1, *[1 - 0.9e-4] * 5, *[1 - 1.1e-4] * 6])
    assert history["learning_rate"] == pytest.approx([0.1] * 6 + [0.01] * 6, rel=1e-15)
    _, history = fit(nn.ReduceLROnPlateau("score", patience=1), scores=[1] * 40)
    assert 0 < history["learning_rate"][-1] < 1e-30, "no minimum unless one is set"


def test_plateau_takes_its_factor_after_what_it_watches():
    """min_delta, which comes before it in the base class, is asked for by name."""
    plateau = nn.ReduceLROnPlateau("score", 0.5, 2, 0.01)
    assert (plateau.factor, plateau.patience, plateau.min_learning_rate, plateau.min_delta) == (0.5, 2, 0.01, 1e-4)


def test_plateau_and_early_stopping_begin_to_count_in_each_fit():
    """Three bad epochs of an earlier training must not shorten the patience of the next."""
    plateau = nn.ReduceLROnPlateau("score", patience=4)
    for _ in range(2):
        _, history = fit(plateau, scores=[1, 2, 2, 2])
        assert history["learning_rate"] == [0.1] * 4
    assert fit(plateau, scores=[1, 2, 2, 2, 2, 2])[1]["learning_rate"][-1] == pytest.approx(0.01)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_min_delta_is_in_the_unit_of_what_is_watched(mode):
    """In both directions 0.6 is better by more than 0.5, and 0.4 is not."""
    sign = 1 if mode == "min" else -1
    stopping = nn.EarlyStopping("score", patience=1, min_delta=0.5, mode=mode)
    _, history = fit(stopping, scores=[sign * score for score in (5, 4.4, 4.0, 0)])
    assert len(history["score"]) == 3
    assert stopping.best_epoch == 2


def test_plateau_refuses_a_schedule_and_says_so_also_beside_other_callbacks(tmp_path):
    """Its error must not be hidden by a callback that had not begun."""
    log = nn.CSVLogger(tmp_path / "log.csv")
    optimizer = nn.SGD(nn.schedules.StepDecay(0.1, 0.5, 2))
    with pytest.raises(ValueError, match="ReduceLROnPlateau needs a learning_rate that is a number; got a schedule"):
        fit(log, nn.ReduceLROnPlateau("loss"), nn.EarlyStopping("loss"), optimizer=optimizer, verbose=1)
    assert not (tmp_path / "log.csv").exists()


@pytest.mark.parametrize(("mode", "best"), [("min", 2), ("max", 3)])
def test_checkpoint_keeps_the_best(tmp_path, mode, best):
    recorder = Recorder()
    fit(recorder, nn.ModelCheckpoint(tmp_path / "best.npz", "score", mode), scores=[2, 1, 3, 2])
    assert (nn.load(tmp_path / "best.npz").params == recorder.calls[best][1]).all()
    assert [p.name for p in tmp_path.iterdir()] == ["best.npz"]


@pytest.mark.parametrize("make", [nn.EarlyStopping, nn.ReduceLROnPlateau, lambda m: nn.ModelCheckpoint("x.npz", m)])
def test_unknown_monitor_lists_the_known_ones(make):
    with pytest.raises(ValueError, match="monitor must be one of learning_rate, loss, rmse; got 'val_rmse'"):
        fit(make("val_rmse"))


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_holds_every_number_exactly(tmp_path):
    _, history = fit(nn.CSVLogger(tmp_path / "log.csv"), epochs=3)
    read = rows(tmp_path / "log.csv")
    assert [row["epoch"] for row in read] == ["1", "2", "3"]
    assert [float(row["loss"]) for row in read] == history["loss"]


def test_csv_is_there_before_the_next_epoch_and_after_an_error(tmp_path):
    """After a crash in epoch 3 the log of epochs 1 and 2 is what a reader still has."""

    class Crash(nn.Callback):
        def on_epoch_end(self, model, epoch, logs):
            assert len(rows(tmp_path / "log.csv")) == epoch
            if epoch == 2:
                raise KeyboardInterrupt

    log = nn.CSVLogger(tmp_path / "log.csv")
    with pytest.raises(KeyboardInterrupt):
        fit(log, Crash(), epochs=5)
    assert len(rows(tmp_path / "log.csv")) == 2


def test_checkpoint_names_files_by_epoch_and_score(tmp_path):
    checkpoint = nn.ModelCheckpoint(tmp_path / "m-{epoch:03d}-{score:.2f}.npz", monitor="score", save_best_only=False)
    model, _ = fit(checkpoint, scores=[2, 1, 3])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m-001-2.00.npz", "m-002-1.00.npz", "m-003-3.00.npz"]
    assert (nn.load(tmp_path / "m-003-3.00.npz").params == model.params).all()


@pytest.mark.parametrize("name", ["{val_loss}.npz", "{}.npz", "{0}.npz"])
def test_checkpoint_with_an_unknown_field(tmp_path, name):
    with pytest.raises(ValueError, match="path may name epoch, loss, rmse, learning_rate; got"):
        fit(nn.ModelCheckpoint(tmp_path / name, "loss"))


@pytest.mark.parametrize(("folder", "there"), [("1", True), ("0", False), ("2", False)])
def test_checkpoint_in_a_folder_of_its_epoch_needs_that_of_the_first(tmp_path, folder, there):
    (tmp_path / folder).mkdir()
    checkpoint = nn.ModelCheckpoint(tmp_path / "{epoch}" / "model.npz", "loss")
    with nullcontext() if there else pytest.raises(FileNotFoundError, match="in a folder that exists"):
        fit(checkpoint, epochs=1)
    assert (tmp_path / folder / "model.npz").exists() == there


def test_csv_begins_anew_in_each_fit(tmp_path):
    path = tmp_path / "log.csv"
    model, _ = fit(log := nn.CSVLogger(path), epochs=2)
    model.fit(X, Y, epochs=1, callbacks=[log])
    assert [list(row) for row in rows(path)] == [["epoch", "loss", "learning_rate"]]


def test_csv_keeps_names_with_commas_apart(tmp_path):
    score = Dictated(1.0, 2.0)
    score.__name__ = 'a "score", of ours'
    fit(nn.CSVLogger(tmp_path / "log.csv"), metrics=[score], epochs=2)
    assert [row['a "score", of ours'] for row in rows(tmp_path / "log.csv")] == ["1.0", "2.0"]


def test_csv_is_utf_8_with_one_kind_of_line_end_on_every_system(tmp_path, monkeypatch):
    """Where the system's own encoding is another and lines end in two characters, the file is still the same."""
    opened = []
    real = open
    monkeypatch.setattr("builtins.open", lambda *a, **k: opened.append(k) or real(*a, **k))
    fit(nn.CSVLogger(tmp_path / "log.csv"), epochs=2)
    assert [options for options in opened if options] == [{"newline": "", "encoding": "utf-8"}] * 2


def test_progress_is_shown_on_request(capsys):
    pytest.importorskip("tqdm")
    fit(epochs=2, verbose=1)
    shown = capsys.readouterr()
    assert "2/2" in shown.err + shown.out
    assert "epoch" in shown.err + shown.out
    assert "loss=" in shown.err + shown.out
    assert not any("0/2" in state and "loss=" in state for state in (shown.err + shown.out).split("\r")), "out of step"
    fit(epochs=2)
    assert capsys.readouterr() == ("", "")


def test_progress_ends_its_line_with_the_training(capsys):
    """Else what the reader prints next stands beside the bar."""
    pytest.importorskip("tqdm")
    progress = nn.callbacks.Progress()
    fit(progress, epochs=2)
    assert capsys.readouterr().err.endswith("\n")


def test_progress_without_tqdm_is_a_line_for_each_epoch(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    _, history = fit(epochs=2, verbose=1)
    lines = [
        f"epoch {epoch}: " + ", ".join(f"{name}={values[epoch - 1]:.4g}" for name, values in history.items())
        for epoch in (1, 2)
    ]
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.EarlyStopping(patience=0), "patience must be a positive integer; got 0"),
        (lambda: nn.EarlyStopping(mode="auto"), "mode must be one of max, min; got 'auto'"),
        (lambda: nn.EarlyStopping(min_delta=-1), "min_delta must be"),
        (lambda: nn.ReduceLROnPlateau(factor=1), r"factor must be a finite number in \(0, 1\); got 1"),
        (lambda: nn.ReduceLROnPlateau(min_learning_rate=-1), "min_learning_rate must be"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_plateau_never_raises_the_rate():
    """A rate that begins below the minimum stays where it is."""
    plateau = nn.ReduceLROnPlateau("score", patience=1, min_learning_rate=1.0)
    _, history = fit(plateau, scores=[5, 5, 5, 5])
    assert history["learning_rate"] == [0.1] * 4


@pytest.mark.parametrize("make", [nn.EarlyStopping, nn.ReduceLROnPlateau])
def test_what_is_better_and_by_how_much_is_said_by_name(make):
    """By place, a number after the monitor is patience, a factor or a path, never `min_delta`."""
    kinds = {name: part.kind for name, part in inspect.signature(make).parameters.items()}
    assert {kinds[name] for name in ("mode", "min_delta")} == {inspect.Parameter.KEYWORD_ONLY}
