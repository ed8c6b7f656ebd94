"""The CIFAR-10 script goes on where it was stopped, and its stored runs are what chapter 11 says."""

import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "benchmarks" / "cifar10.py"
spec = importlib.util.spec_from_file_location("benchmarks_cifar10", SCRIPT)
script = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = script  # where dataclasses look for their module
spec.loader.exec_module(script)

FILES = sorted(script.RESULTS.glob("*.json"))
RUNS = [json.loads(file.read_text(encoding="utf-8")) for file in FILES]
NAMES = [file.stem for file in FILES]
RNG = np.random.default_rng(0)
PARAMETERS = dict.fromkeys(script.ROWS, 361_034)  # what gradients change: no moving averages
PARAMETERS |= dict.fromkeys(["normalization", "schedule"], 361_034 - 224 + 2 * 224)
PARAMETERS |= dict.fromkeys(
    ["stacked", "residual", "smoothing"], 361_258 + 2 * (36_864 + 128) + 2 * (147_456 + 256)
)
PARAMETERS["best"] = 709_306
IMAGES = RNG.integers(256, size=(96, 32, 32, 3), dtype=np.uint8)
LABELS = RNG.integers(10, size=96)


@pytest.fixture
def float32_policy():
    """Leave Keras as it was: a run sets the policy of its row."""
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


def tiny(name):
    """Return a row with two short epochs."""
    row = script.ROWS[name]
    return replace(row, epochs=2, batch_size=32, validation=min(row.validation, 32))


@pytest.mark.parametrize("name", ["document", "best"])
def test_an_interrupted_run_ends_like_one_that_was_not(name, tmp_path, float32_policy):
    data = (IMAGES, LABELS), (IMAGES[:40], LABELS[:40])
    whole = script.Run(name, tiny(name), 3, tmp_path / "a", tmp_path / "b").train(data)

    class Interrupted(script.Run):
        def keep(self, model, log):
            super().keep(model, log)
            raise KeyboardInterrupt

    folders = tmp_path / "c", tmp_path / "d"
    with pytest.raises(KeyboardInterrupt):
        Interrupted(name, tiny(name), 3, *folders).train(data)
    assert not list(folders[0].glob("*")), "no result before the end"
    resumed = script.Run(name, tiny(name), 3, *folders).train(data)
    assert resumed["test_loss"] == pytest.approx(whole["test_loss"], rel=1e-3)
    losses = [[entry["loss"] for entry in run["log"]] for run in (whole, resumed)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert losses[0][0] != losses[0][1]


def test_a_finished_run_is_not_repeated():
    command = [sys.executable, SCRIPT, "--row", RUNS[0]["row"], "--seed", str(RUNS[0]["seed"])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "epoch" not in done.stdout


def test_the_list_names_every_run_and_says_what_is_done(capsys):
    script.main([])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 * len(script.ROWS) == len(set(lines))
    assert sum(line.endswith("done") for line in lines) == len(FILES)


def test_each_row_changes_one_thing():
    ladder = script.LADDER
    changed = [
        {key for key, value in asdict(script.ROWS[b]).items() if value != asdict(script.ROWS[a])[key]}
        for a, b in zip(ladder, ladder[1:], strict=False)
    ]
    one = [{"augmentation"}, {"dropout"}, {"normalization"}, {"schedule", "learning_rate"}]
    assert changed == [*one, {"blocks"}, {"around"}, {"label_smoothing"}]
    assert len({script.ROWS[name].epochs for name in ladder}) == 1
    for name in ("plain", "augmentation"):
        assert replace(script.ROWS[f"{name}-long"], epochs=10) == script.ROWS[name]


def test_a_way_around_adds_the_input_and_no_parameters(float32_policy):
    keras.config.set_dtype_policy("float32")
    x = RNG.normal(size=(4, 6, 6, 3)).astype("float32")
    inputs = keras.Input(x.shape[1:])
    models = []
    for around in (False, True):
        keras.utils.set_random_seed(1)
        models.append(keras.Model(inputs, script.block(inputs, around)))
    stacked, residual = models
    residual.set_weights(stacked.get_weights())
    last = keras.Model(inputs, stacked.layers[-2].output)  # before the ReLU
    np.testing.assert_allclose(residual(x), np.maximum(x + last(x), 0), atol=1e-5)
    assert script.trainable(stacked) == script.trainable(residual) == 2 * 9 * 9 + 2 * 6


def test_logit_distances_and_scores_of_known_probabilities():
    z = np.zeros((4, 10))
    z[:, 3] = [1, 2, 3, 9]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = np.array([3, 3, 3, 0])  # the last one is wrong and does not count
    np.testing.assert_allclose(script.logit_distances(p, y)[2], 2, atol=1e-3)
    seen = script.scores(p, y)
    assert seen["accuracy"] == 0.75
    assert seen["loss"] == pytest.approx(-np.log(p[np.arange(4), y]).mean())


def test_augmented_images_are_views_of_the_padded_ones():
    views = script.augment(IMAGES[:30], np.random.default_rng(1))
    assert views.shape == (30, 32, 32, 3) and views.dtype == np.uint8
    padded = np.pad(IMAGES, ((0, 0), (4, 4), (4, 4), (0, 0)), mode="reflect")
    sides = []
    for image, view in zip(padded, views, strict=False):
        found = [
            (view == (piece[:, ::-1] if side else piece)).all()
            for side in (0, 1)
            for r in range(9)
            for c in range(9)
            for piece in [image[r : r + 32, c : c + 32]]
        ]
        assert sum(found) == 1
        sides.append(np.argmax(found) >= 81)
    assert 5 < sum(sides) < 25


@pytest.mark.parametrize("training", [False, True])
def test_the_fused_normalization_is_keras_s(training):
    x = RNG.normal(2, 3, size=(8, 5, 5, 4)).astype("float32")
    fused = script.BatchNormalization(momentum=0.9, dtype="float32")
    usual = keras.layers.BatchNormalization(momentum=0.9, dtype="float32")
    for layer in (fused, usual):
        layer.build(x.shape)
        layer.set_weights([np.array([1, 2, 3, 4]) / k for k in (1, 2, 3, 4)])
    np.testing.assert_allclose(fused(x, training=training), usual(x, training=training), atol=1e-4)
    np.testing.assert_allclose(fused.moving_mean, usual.moving_mean, rtol=1e-4)
    n = x[..., 0].size / (x[..., 0].size - 1)
    kept = 0.9 * np.array([1, 2, 3, 4]) / 4 if training else 0
    factor = n if training else 1
    expected = kept + factor * (usual.moving_variance.numpy() - kept)
    np.testing.assert_allclose(fused.moving_variance, expected, rtol=1e-3)


@pytest.mark.parametrize("run", RUNS, ids=NAMES)
def test_a_stored_run_is_complete_and_made_with_the_settings_of_today(run):
    row = script.ROWS[run["row"]]
    assert run["settings"] == json.loads(json.dumps(asdict(row)))
    assert run["command"].endswith(f"cifar10.py --row {run['row']} --seed {run['seed']}")
    assert [entry["epoch"] for entry in run["log"]] == list(range(1, row.epochs + 1))
    assert run["parameters"] == PARAMETERS[run["row"]]
    best = max(entry["val_accuracy"] for entry in run["log"])
    if row.validation:
        assert run["log"][run["chosen_epoch"] - 1]["val_accuracy"] == best
        assert abs(run["test_accuracy"] - best) < 0.03
    else:
        assert run["test_accuracy"] == pytest.approx(run["log"][-1]["val_accuracy"])
    assert not re.search(r"/(home|root|tmp|work)|@|\.(com|net|org|local)\b", json.dumps(run))
    assert re.fullmatch(r"\w+, \w+, \d+ cores, no GPU used", run["conditions"]["machine"])


def test_the_package_brings_along_what_the_runs_left():
    stored = json.loads((script.ASSETS / "cifar-10-runs.json").read_text(encoding="utf-8"))
    assert stored == RUNS, "python benchmarks/cifar10.py --export"


def test_the_weights_in_the_package_fit_the_best_network_and_are_small(float32_policy):
    path = script.ASSETS / "cifar-10-network.npz"
    assert path.stat().st_size < 1.5e6
    keras.config.set_dtype_policy("float32")
    expected = [w.shape for w in script.network(script.ROWS["best"]).get_weights() if w.dtype == np.float32]
    assert [w.shape for w in script.load(path)] == expected
    assert max(run["test_accuracy"] for run in RUNS if run["row"] == "best") > 0.82
