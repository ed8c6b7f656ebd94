"""The networks that read names, behind chapter 14: all runs are stored, and one can be had again."""

import importlib.util
import json
import sys
from dataclasses import asdict, replace
from math import log
from pathlib import Path

import numpy as np
import pytest

from twice.data import first_names
from twice.losses import sparse_categorical_crossentropy

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "names.py"
SPEC = importlib.util.spec_from_file_location("names_runs", SCRIPT)
script = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = script  # where dataclasses look for their module
SPEC.loader.exec_module(script)

STORED = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in script.RESULTS.glob("*.json")}
CONTINUES = [f"{kind}-{seed}" for kind in script.KINDS for seed in script.SEEDS]
TELLS = [f"sex-lstm-{seed}" for seed in script.SEEDS]
PARTS = [part[:40] for part in first_names(0)]


def test_every_planned_run_is_stored_and_no_other():
    assert STORED.keys() == script.plan().keys()


@pytest.mark.parametrize("kind", script.KINDS)
def test_all_kinds_have_as_many_parameters(kind):
    sizes = [sum(w.size for w in built(script.Settings(k)).params) for k in (kind, "lstm")]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.02)


def built(settings):
    """Return an untrained network that has seen one batch."""
    model = script.network(settings, 0)
    model.forward(script.encoded(PARTS[0].name)[0])
    return model


def test_a_name_is_read_behind_the_mark_that_ends_it():
    x, y, mask = script.encoded(["anna", "bo"])
    assert [script.VOCABULARY.decode(row) for row in x] == ["\nanna", "\nbo"]
    assert [script.VOCABULARY.decode(row[kept] + 1) for row, kept in zip(y, mask, strict=True)] == [
        "anna\n",
        "bo\n",
    ]


def test_what_fills_up_changes_neither_bits_nor_gradient():
    model = built(script.Settings("gru", size=8, dropout=0.0))
    x, y, mask = script.encoded(["anna", "bo"])
    z = model.forward(x)
    bits = script.next_bits(z, y, mask)
    alone = model.forward(x[1:, :3])
    expected = sparse_categorical_crossentropy(y[1:, :3], alone, from_logits=True, reduction="sum") / log(2)
    assert bits[1].sum() == pytest.approx(expected, rel=1e-5)
    assert not script.next_gradient(z, y, mask)[1, 3:].any()
    np.testing.assert_allclose(script.next_gradient(z, y, mask).sum(axis=-1), 0, atol=1e-6)


def test_batches_of_like_length_hold_every_name_once():
    x, *_ = script.encoded(PARTS[0].name)
    parts = script.like_batches(x, 8, np.random.default_rng(0))
    assert sorted(np.concatenate(parts)) == list(range(40))
    lengths = [(x[part] > 0).sum(axis=1) for part in parts]
    assert sum(np.ptp(length) for length in lengths) <= np.ptp(np.concatenate(lengths))


@pytest.mark.parametrize("kind", script.KINDS)
def test_a_run_can_be_had_again(kind):
    settings = replace(script.Settings(kind), size=8, epochs=2, batch_size=8)
    (_, first), (_, again), (_, other) = (script.trained(settings, seed, PARTS) for seed in (1, 1, 2))
    assert first == again != other
    assert first[1] < first[0] < 4.9


def test_a_finished_run_is_not_repeated(capsys):
    script.main([])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(script.plan()) and all(line.endswith("done") for line in lines)


def test_a_mean_and_its_error_are_those_of_a_ratio():
    bits, lengths = np.array([3.0, 6.0, 12.0]), np.array([1, 2, 4])
    assert script.mean_and_error(bits, lengths) == [3, 0]
    bits, lengths = np.random.default_rng(0).normal(10, 2, 5000), np.full(5000, 5)
    mean, error = script.mean_and_error(bits, lengths)
    assert mean == pytest.approx(2, abs=0.03) and error == pytest.approx(0.4 / 5000**0.5, rel=0.1)


@pytest.mark.parametrize("name", CONTINUES + TELLS)
def test_a_stored_run_is_complete_and_made_with_the_settings_of_today(name):
    result = STORED[name]
    sex = name.startswith("sex")
    settings = script.SEX if sex else script.chosen(result["kind"])
    assert result["settings"] == asdict(settings) | {"units": script.units(settings)}
    assert len(result["curve"]) == settings.epochs
    assert result["curve"][result["chosen_epoch"] - 1] == min(result["curve"])


@pytest.mark.parametrize("name", CONTINUES)
def test_the_differences_from_the_counts_add_up(name):
    result, counts = STORED[name], STORED[f"counts-{name[-1]}"]
    for rival, (apart, error) in result["minus"].items():
        assert apart == pytest.approx(result["test_bits"] - counts["test_bits"][rival], abs=2e-4)
        assert 0 < error < 0.03


@pytest.mark.parametrize("name", TELLS)
def test_the_confusions_hold_every_name(name):
    result = STORED[name]
    tables = {name: rival["confusion"] for name, rival in result["rivals"].items()}
    truths = {tuple(np.sum(table, axis=1)) for table in [result["confusion"], *tables.values()]}
    assert len(truths) == 1
    n = sum(truths.pop())
    assert result["test_accuracy"] == pytest.approx(np.trace(result["confusion"]) / n, abs=1e-4)
    for rival, (apart, _) in result["minus"].items():
        assert apart == pytest.approx(result["test_accuracy"] - result["rivals"][rival]["accuracy"], abs=2e-4)


def test_the_package_brings_along_what_the_runs_left():
    path = script.ASSETS / "names-runs.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored == [STORED[name] for name in script.plan()], "python benchmarks/names.py --export"
    assert path.stat().st_size < 60_000


def test_the_network_in_the_package_needs_the_bits_that_its_run_says():
    path = script.ASSETS / "names-network.npz"
    with np.load(path) as file:
        E, *others = (file[name] for name in "EWUbVc")
    model = script.network(script.chosen("lstm"), 0)
    x, y, mask = script.encoded(first_names(0)[2].name)
    model.forward(x[:1])
    model.set_weights([np.vstack([np.zeros_like(E[:1]), E]), *others])
    bits = script.next_bits(model.forward(x), y, mask).sum() / mask.sum()
    assert bits == pytest.approx(STORED["lstm-0"]["test_bits"], abs=0.002)
    assert path.stat().st_size < 150_000
