"""The benchmarks run, and their stored results hold what chapters read from them, and no machine's name."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
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
