"""The benchmarks run, and their stored results hold what chapters read from them, and no machine's name."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
ASSETS = BENCHMARKS.parent / "src" / "twice" / "assets"
STORED = json.loads((BENCHMARKS / "results.json").read_text(encoding="utf-8"))
CASES = [("SGD", "float32"), ("Adam", "float32"), ("SGD", "float64"), ("Adam", "float64")]


def test_mlp_step_runs_and_keeps_other_results(tmp_path):
    """A few steps: they prove that both makers take the same ones, and nothing about their times."""
    file = tmp_path / "results.json"
    file.write_text('{"another": 1}', encoding="utf-8")
    command = [sys.executable, BENCHMARKS / "mlp_step.py", "--steps", "3", "--results", file]
    subprocess.run(command, check=True, capture_output=True, text=True)
    results = json.loads(file.read_text(encoding="utf-8"))
    assert results.keys() == {"another", "mlp_step"}
    assert results["mlp_step"].keys() == STORED["mlp_step"].keys()
    assert [(case["optimizer"], case["dtype"]) for case in results["mlp_step"]["cases"]] == CASES


@pytest.mark.parametrize(
    "case", STORED["mlp_step"]["cases"], ids=lambda case: f"{case['optimizer']} {case['dtype']}"
)
def test_stored_ratios_are_those_of_the_stored_times(case):
    assert case["steps"] >= 1000
    assert case["ratio"] == pytest.approx(case["keras_ms"] / case["numpy_ms"], rel=0.01)
    ratio = case["keras_processor_ms"] / case["numpy_processor_ms"]
    assert case["processor_ratio"] == pytest.approx(ratio, rel=0.01)


def test_cnn_step_runs_and_keeps_other_results(tmp_path):
    file = tmp_path / "results.json"
    file.write_text('{"another": 1}', encoding="utf-8")
    command = [sys.executable, BENCHMARKS / "cnn_step.py", "--steps", "3", "--results", file]
    subprocess.run(command, check=True, capture_output=True, text=True)
    results = json.loads(file.read_text(encoding="utf-8"))
    assert results.keys() == {"another", "cnn_step"}
    result, stored = results["cnn_step"], STORED["cnn_step"]
    assert result.keys() == stored.keys()
    for name in ("network", "batch", "dtype", "gflop", "patches_megabytes"):
        assert result[name] == stored[name]
    for row, stored_row in zip(result["layers"], stored["layers"], strict=True):
        assert row.keys() == stored_row.keys()
        assert (row["layer"], row["output"]) == (stored_row["layer"], stored_row["output"])
    assert result["peak_megabytes"] == pytest.approx(stored["peak_megabytes"], rel=0.1)


def test_stored_layers_are_those_of_the_network_with_their_right_ratios():
    result = STORED["conv_layers"]
    convolutions = [row["output"] for row in STORED["cnn_step"]["layers"] if row["layer"] == "Conv2D"]
    assert [layer["filters"] for layer in result["layers"]] == [output[-1] for output in convolutions]
    for layer, (height, _, _) in zip(result["layers"], convolutions, strict=True):
        assert layer["input"][0] == height + 2
        ratio = layer["numpy_ml_ms"] / layer["numpy_ms"]
        assert layer["ratio"] == pytest.approx(ratio, rel=0.01)
    assert result["steps"] >= 20


def test_a_convolutional_step_is_stored_with_its_right_ratios_and_fits_in_60_megabytes():
    result = STORED["cnn_step"]
    assert result["steps"] >= 100
    assert result["times_keras"] == pytest.approx(result["numpy_ms"] / result["keras_ms"], rel=0.01)
    ratio = result["numpy_processor_ms"] / result["keras_processor_ms"]
    assert result["times_keras_processor"] == pytest.approx(ratio, rel=0.01)
    ratio = result["relu_after_pooling_processor_ms"] / result["keras_processor_ms"]
    assert result["relu_after_pooling_times_keras_processor"] == pytest.approx(ratio, rel=0.01)
    products = sum(row["products_ms"] for row in result["layers"])
    assert result["products_share"] == pytest.approx(products / result["numpy_processor_ms"], rel=0.02)
    assert result["peak_megabytes"] <= 60


def test_stored_results_describe_the_machine_in_general_words():
    text = json.dumps(STORED, ensure_ascii=False)
    assert not re.search(r"/|\\|@|\.(com|net|org|local)\b", text), "a path or the name of a machine"
    for result in STORED.values():
        assert re.fullmatch(r"\w+, \w+, \d+ cores, no GPU used", result["machine"])


def script(name):
    """Return a benchmark as a module."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("file", sorted((ASSETS / "digits_runs").glob("*.json")), ids=lambda file: file.stem)
def test_a_stored_run_of_the_digits_is_whole(file):
    run = json.loads(file.read_text(encoding="utf-8"))
    name, _, seed = file.stem.rpartition("-")
    assert run["command"] == f"python benchmarks/digits_runs.py --runs {name} --seeds {seed}"
    assert len(run["test_accuracy"]) == len(run["test_loss"]) == 5
    if "wrong" not in run:  # the first runs did not keep it
        assert name in ("numpy", "keras")
        return
    assert run["wrong"] == sorted(set(run["wrong"])) and 0 <= run["wrong"][0] <= run["wrong"][-1] < 10_000
    assert run["test_accuracy"][-1] == pytest.approx(1 - len(run["wrong"]) / 10_000)


def test_the_runs_of_the_digits_change_one_thing():
    runs = script("digits_runs")
    learnt, random, single = (runs.network(name, 3) for name in ("keras", "random", "single"))
    for w, same, other in zip(*(m.get_weights() for m in (learnt, random, single)), strict=True):
        assert (w == same).all() and (w.shape == other.shape)
    assert all(
        (w == v).all() for w, v in zip(learnt.get_weights()[1:], single.get_weights()[1:], strict=True)
    )
    assert [m.layers[0].trainable for m in (learnt, random, single)] == [True, False, False]
    kernels = single.get_weights()[0]
    assert (kernels.sum(axis=(0, 1, 2)) == 1).all() and (kernels.max(axis=(0, 1, 2)) == 1).all()
    assert (kernels.sum(axis=(2, 3)) >= 3).all(), "every pixel of the window is handed on"
    assert runs.network("small", 3).count_params() == 5258
    numpy = runs.network("numpy", 3)
    assert all((w == v).all() for w, v in zip(numpy.weights, learnt.get_weights(), strict=True))


def test_shifted_digits_are_the_same_digits_elsewhere():
    runs = script("digits_runs")
    pictures = np.zeros((500, 28, 28, 1), "float32")
    pictures[:, 13, 14] = 1
    moved = runs.shifted(pictures, np.random.default_rng(0))
    places = np.argwhere(moved[..., 0])
    assert len(places) == 500
    assert set(map(tuple, places[:, 1:] - [13, 14])) == {(r, c) for r in range(-2, 3) for c in range(-2, 3)}


def test_all_digits_are_shuffled_by_one_rule():
    runs = script("shifted_digits")
    pictures = np.arange(3 * 784.0).reshape(3, 28, 28, 1)
    moved = runs.shuffled(pictures, 80)
    assert (np.sort(moved.reshape(3, -1)) == pictures.reshape(3, -1)).all(), "no pixel is lost"
    assert (moved[1:] - moved[0] == pictures[1:] - pictures[0]).all(), "all go the same way"
    assert (moved == runs.shuffled(pictures, 80)).all() and (moved != runs.shuffled(pictures, 81)).any()
    assert np.mean(moved == pictures) < 0.05


def test_random_labels_are_learnt_on_from_where_a_run_was_stopped(tmp_path, monkeypatch):
    labels = script("random_labels")
    rng = np.random.default_rng(0)
    data = (rng.integers(256, size=(80, 32, 32, 3), dtype=np.uint8), None), (None, None)
    learnt = []
    for name, pieces in (("whole", [3]), ("pieces", [1, 2])):
        monkeypatch.setattr(labels, "RESULTS", tmp_path / name)
        monkeypatch.setattr(labels, "STATES", tmp_path / f"{name}-states")
        for epochs in pieces:
            labels.learn(80, data, epochs)
        result = json.loads((tmp_path / name / "80.json").read_text(encoding="utf-8"))
        assert result["pictures"] == 80 and result["least_squares"] == 1
        learnt.append(result["learnt"])
    assert len(learnt[0]) == 3 and learnt[0] == pytest.approx(learnt[1], abs=0.05)


@pytest.mark.parametrize(
    "file", sorted((ASSETS / "random_labels").glob("*.json")), ids=lambda file: file.stem
)
def test_stored_random_labels_say_how_far_they_were_learnt(file):
    labels = script("random_labels")
    result = json.loads(file.read_text(encoding="utf-8"))
    assert result["pictures"] == int(file.stem)
    assert len(result["learnt"]) <= labels.EPOCHS
    assert max(result["learnt"][:-1]) < labels.ENOUGH, "it would have stopped there"
    if result["pictures"] <= 3072:  # as many unknowns as equations, and one more
        assert result["least_squares"] == 1
