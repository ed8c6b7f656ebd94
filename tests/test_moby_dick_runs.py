"""The networks behind chapter 16: all runs are stored, go on where they were stopped, and are twice's own."""

import importlib.util
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from twice.data import moby_dick
from twice.losses import sparse_categorical_crossentropy
from twice.optimizers import Adam
from twice.pretrained import moby_dick_decoder

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "moby_dick.py"
SPEC = importlib.util.spec_from_file_location("moby_dick_runs", SCRIPT)
script = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = script  # where dataclasses look for their module
SPEC.loader.exec_module(script)

STORED = {path.stem: script.read(path) for path in sorted(script.RESULTS.glob("*.json"))}
NETWORKS = [name for name, result in STORED.items() if "curve" in result]
RNG = np.random.default_rng(0)
TEXTS = ["\nThe whale, the white whale, and the sea; " * 30, "\nThe sea; " * 20, "\nThe whale! " * 25]
TEXTS[0] += TEXTS[2]
TINY = {"steps": 6, "looks": 3, "sequence_length": 16, "embedding_dim": 8, "num_heads": 2, "units": 7}


def tiny(model):
    return replace(script.Settings(model, learning_rate=0.01), warmup=2, batch_size=4, **TINY)


@pytest.mark.parametrize("model", ["decoder", "lstm"])
def test_the_logits_are_those_of_twice(model):
    network = script.network(tiny(model), 20, 0)
    network.set_weights([w + RNG.normal(0, 0.3, w.shape) for w in network.params])
    tokens = RNG.integers(20, size=(3, 16)).astype(np.int32)
    ours, theirs = network.forward(tokens), script.logits(model, network.params, tf.constant(tokens))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_the_first_steps_are_those_of_adam_in_twice():
    settings, tokens = tiny("decoder"), RNG.integers(20, size=(4, 17)).astype(np.int32)
    network = script.network(settings, 20, 0)
    clip = script.CLIP * np.log(2)  # the script has the gradient of bits
    optimizer = Adam(0.01, script.BETA_1, script.BETA_2, epsilon=0.0, global_clipnorm=clip)
    network.compile(optimizer, "sparse_categorical_crossentropy", from_logits=True)
    trainer = script.Trainer("decoder", [w.shape for w in network.params])
    trainer.set_state([*network.params, *(np.zeros_like(w) for w in 2 * network.params)])
    for step in range(3):
        loss = network.train_on_batch(tokens[:, :-1], tokens[:, 1:])["loss"]
        bits = float(trainer.update(tf.constant(tokens), tf.constant(0.01), tf.constant(step + 1.0)))
        assert bits == pytest.approx(loss / np.log(2), rel=1e-4)


@pytest.mark.parametrize("model", ["decoder", "lstm"])
def test_an_interrupted_run_ends_like_one_that_was_not(model, tmp_path):
    whole = script.Run("whole", tiny(model), 3, tmp_path / "a", tmp_path / "b").finish(TEXTS)

    class Interrupted(script.Run):
        def keep(self, *state):
            super().keep(*state)
            raise KeyboardInterrupt

    folders = tmp_path / "c", tmp_path / "d"
    with pytest.raises(KeyboardInterrupt):
        Interrupted("part", tiny(model), 3, *folders).finish(TEXTS)
    assert not list(folders[0].glob("*")), "no result before the end"
    resumed = script.Run("part", tiny(model), 3, *folders).finish(TEXTS)
    assert resumed["curve"] == whole["curve"]
    assert resumed["test_bits"] == whole["test_bits"]
    assert whole["curve"]["step"] == [2, 4, 6]
    assert whole["characters"] == 6 * 4 * 16


def test_both_networks_read_the_same_batches_and_each_seed_its_own():
    text = np.arange(1000)
    a, b = (script.drawn(text, tiny(model), 1, 5) for model in script.RATES)
    np.testing.assert_array_equal(a, b)
    assert (np.diff(a, axis=1) == 1).all() and a.shape == (4, 17)
    assert (script.drawn(text, tiny("lstm"), 2, 5) != a).any()
    assert (script.drawn(text, tiny("lstm"), 1, 6) != a).any()


@pytest.mark.parametrize("length", [1, 16, 17, 40, 64])
@pytest.mark.parametrize("stride", [8, 16])
def test_windows_cover_a_text_and_each_token_counts_once(length, stride):
    text = np.arange(100, 101 + length)  # the first one is only read
    windows = script.cover(text, 16, stride)
    told = script.spread(windows[:, 1:], stride, length)
    np.testing.assert_array_equal(told, text[1:])


def test_a_carried_state_sees_the_stretch_from_its_beginning():
    settings, tokens = tiny("lstm"), RNG.integers(20, size=257).astype(np.int32)
    network = script.network(settings, 20, 0)
    trainer = script.Trainer("lstm", [w.shape for w in network.params])
    trainer.set_state([*network.params, *(np.zeros_like(w) for w in 2 * network.params)])
    x, y = tokens[:-1].reshape(4, 64), tokens[1:].reshape(4, 64)
    expected = sparse_categorical_crossentropy(y, network.forward(x), from_logits=True) / np.log(2)
    assert script.carried_bits(trainer, tokens, streams=4, T=24) == pytest.approx(expected, rel=1e-4)


def test_the_rate_climbs_and_falls_to_nothing():
    settings = replace(script.Settings("lstm", 0.5), steps=300)
    rates = [script.rate(settings, step) for step in range(300)]
    assert max(rates) == pytest.approx(0.5) == rates[100]
    assert rates[0] == pytest.approx(0.005)
    assert 0 < rates[-1] < 1e-4


def test_every_planned_run_is_stored_and_no_other_than_longer_ones():
    assert script.plan().keys() <= STORED.keys() <= script.plan((*script.STEPS, *script.LONGER)).keys()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_stored_run_is_complete_and_made_with_the_settings_of_today(name):
    result = STORED[name]
    settings = script.full(result["model"], result["settings"]["steps"], result["seed"]).settings
    assert result["settings"] == asdict(settings)
    assert name == result["run"] == f"{result['model']}-{settings.steps}-{result['seed']}"
    curve = result["curve"]
    assert curve["step"] == [settings.every * (i + 1) for i in range(settings.looks)]
    best = int(np.argmin(curve["validation_bits"]))
    assert result["chosen_step"] == curve["step"][best]
    assert result["validation_bits"] == pytest.approx(curve["validation_bits"][best], abs=0.1)
    assert len(result["blocks"]) == script.BLOCKS and len(result["positions"]) == 128
    assert np.mean(result["blocks"]) == pytest.approx(result["test_bits"], abs=1e-3)
    assert result["positions"][0] > result["positions"][-1]
    assert result["characters"] == settings.steps * 8 * 128


def test_the_networks_have_as_many_parameters_as_each_other():
    sizes = {STORED[name]["model"]: STORED[name]["parameters"] for name in NETWORKS}
    assert sizes["lstm"] == sizes["decoder"]


def test_the_counts_are_those_that_the_validation_text_chose():
    assert STORED["counts"]["order"] == 7 and 6 < STORED["counts"]["k"] < 10
    assert STORED["counts"]["test_bits"] == pytest.approx(2.117, abs=1e-3)


def test_the_package_brings_along_what_the_runs_left():
    path = script.ASSETS / "moby-dick-runs.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored == list(STORED.values()), "python benchmarks/moby_dick.py --export"
    assert path.stat().st_size < 60_000


def test_the_decoder_in_the_package_is_the_best_and_needs_the_bits_that_its_run_says():
    runs = [STORED[name] for name in NETWORKS if STORED[name]["model"] == "decoder"]
    best = min(runs, key=lambda result: result["validation_bits"])
    model, vocabulary = moby_dick_decoder()
    assert "".join(vocabulary.letters) == best["letters"] == "".join(sorted(set(moby_dick()[0])))
    assert model.count_params() == best["parameters"]
    test = np.append(vocabulary.index["\n"], vocabulary.encode(moby_dick()[2]))
    windows = script.cover(test, 128, 64)[: len(test) // script.BLOCKS // 64]  # of the first block
    z = model.predict(windows[:, :-1])
    bits = sparse_categorical_crossentropy(windows[:, 1:], z, from_logits=True, reduction=None) / np.log(2)
    told = script.spread(bits, 64, 64 * (len(windows) + 1))
    assert told.mean() == pytest.approx(best["blocks"][0], abs=0.02)  # the block ends within the last window
    assert (script.ASSETS / "moby-dick-decoder.npz").stat().st_size < 3e6
