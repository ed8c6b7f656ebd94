"""The long trainings behind chapters 7 and 8 are all stored, as planned, and one can be had again."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "generalization.py"
SPEC = importlib.util.spec_from_file_location("generalization_runs", SCRIPT)
runs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(runs)
STORED = runs.stored()


def test_every_planned_run_is_stored_and_no_other():
    assert STORED.keys() == runs.plan().keys()


@pytest.mark.parametrize("name", [name for name, (group, _) in runs.plan().items() if group != "batch"])
def test_a_run_was_looked_at_as_planned(name):
    seen, (_, recipe) = STORED[name], runs.plan()[name]
    assert seen["steps"] == list(range(recipe["every"], recipe["steps"] + 1, recipe["every"]))
    for what in ("val_error", "judges_error", "train_error", "val_loss", "judges_loss", "train_loss"):
        assert len(seen[what]) == len(seen["steps"]) and min(seen[what]) >= 0
    assert max(seen["val_error"] + seen["judges_error"] + seen["train_error"]) <= 1


def test_a_run_can_be_had_again_and_shows_what_it_is_asked_to():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 196)).astype("float32"), rng.integers(10, size=40)
    data = {name: (x, y) for name in ("pool", "val", "judges")}
    data |= {"places": np.stack([x] * 9), "mirrored": -x}
    recipe = {"size": 20, "seed": 1, "steps": 60, "every": 30, "batch_size": 8}
    first = runs.looks(data, **recipe, shifts=True)
    assert first == runs.looks(data, **recipe, shifts=True)
    assert first["train_error"][-1] == 0 < first["val_error"][-1]  # twenty of the forty were never shown
    assert runs.looks(data, **recipe, mirrored=True)["train_loss"] > first["train_loss"]


def test_results_are_added_to_what_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "RESULTS", tmp_path / "results.json")
    runs.store("b", {"steps": [1]})
    runs.store("a", {"steps": [2]})
    assert runs.stored() == {"a": {"steps": [2]}, "b": {"steps": [1]}}
