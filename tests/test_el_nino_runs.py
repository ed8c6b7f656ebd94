"""The forecasts behind chapter 14: all runs are stored, one can be had again, and nobody sees the future."""

import importlib.util
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from twice.data import el_nino

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "el_nino.py"
SPEC = importlib.util.spec_from_file_location("el_nino_runs", SCRIPT)
script = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = script  # where dataclasses look for their module
SPEC.loader.exec_module(script)

STORED = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in script.RESULTS.glob("*.json")}
RUNS = [f"{months}-{seed}" for months in script.HORIZONS for seed in script.SEEDS]
SERIES = script.Series(el_nino())


def test_every_planned_run_is_stored_and_no_other():
    assert STORED.keys() == script.plan().keys()


@pytest.mark.parametrize("kind", script.KINDS)
def test_a_run_can_be_had_again(kind):
    settings, kept = replace(script.Settings(1, kind), epochs=2), {}
    results = [script.run(1, seed, SERIES, settings, kept.__setitem__) for seed in (1, 1, 2)]
    assert results[0] == results[1] != results[2] and set(kept) == {"1-1", "1-2"}


@pytest.mark.parametrize("months", script.HORIZONS)
def test_nobody_sees_what_comes_later_than_is_allowed(months):
    """Spoil all months from one on: what is said of those up to ``months`` - 1 later stays."""
    spoilt, first = script.Series(el_nino()), 650
    spoilt.celsius[first:] = spoilt.features[first:, 0] = 99
    targets = np.arange(600, first + months)
    settings = script.Settings(months)
    model = script.network(settings, 0)
    forecasts = [script.forecast(model, settings, series, targets) for series in (SERIES, spoilt)]
    np.testing.assert_array_equal(*forecasts)
    for name, rival in script.rivals(SERIES, months).items():
        np.testing.assert_array_equal(rival(targets), script.rivals(spoilt, months)[name](targets), name)


def test_the_training_part_alone_sets_scale_means_and_lines():
    train = el_nino()[0]
    np.testing.assert_allclose(SERIES.usual[:12], train.celsius.reshape(-1, 12).mean(axis=0))
    assert SERIES.features[: len(train), 0].std() == pytest.approx(1, rel=1e-5)
    targets = SERIES.targets(0, first=24)
    assert targets[0] == 24 and targets[-1] == len(train) - 1
    assert [len(SERIES.targets(part)) for part in range(3)] == [480, 120, 132]


def test_the_interval_holds_a_difference_that_is_there():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 1200) ** 2, rng.normal(0, 2, 1200) ** 2
    apart, low, high = script.interval(a, b, rng)
    assert low < apart < high < 0 and low < -1 < high
    assert script.interval(a, a, rng) == [0, 0, 0]


@pytest.mark.parametrize("name", RUNS)
def test_a_stored_run_is_complete_and_made_with_the_settings_of_today(name):
    result = STORED[name]
    settings = script.chosen(result["months"])
    assert result["settings"] == asdict(settings)
    assert len(result["curve"]) == settings.epochs and len(result["forecasts"]) == 132
    assert result["curve"][result["chosen_epoch"] - 1] == min(result["curve"]) == result["validation_rmse"]
    errors = np.array(result["forecasts"]) - SERIES.celsius[SERIES.targets(2)]
    assert result["test_rmse"] == pytest.approx(script.rmse(errors), abs=1e-3)


@pytest.mark.parametrize("months", script.HORIZONS)
def test_the_comparison_is_that_of_the_runs(months):
    result = STORED[f"{months}-months"]
    each = [STORED[f"{months}-{seed}"]["test_rmse"] for seed in script.SEEDS]
    assert result["rmse"]["network"]["test"] == pytest.approx(script.rmse(each), abs=1e-3)
    for name, (apart, low, high) in result["minus"].items():
        assert low <= apart <= high
        expected = result["rmse"]["network"]["test"] - result["rmse"][name]["test"]
        assert apart == pytest.approx(expected, abs=2e-4)
    rival = script.rivals(SERIES, months)["climatology"]
    test = SERIES.targets(2)
    assert result["rmse"]["climatology"]["test"] == pytest.approx(
        script.rmse(rival(test) - SERIES.celsius[test]), abs=1e-3
    )


def test_the_package_brings_along_what_the_runs_left():
    path = script.ASSETS / "el-nino-runs.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored == [STORED[name] for name in script.plan()], "python benchmarks/el_nino.py --export"
    assert path.stat().st_size < 60_000
