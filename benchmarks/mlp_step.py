# ruff: noqa: E402
"""How long one step of training takes in NumPy and in Keras: 784–128–10, a batch of 64.

python benchmarks/mlp_step.py                 measure, and store the result in benchmarks/results.json
python benchmarks/mlp_step.py --steps 200     fewer steps, for a look

Both makers train the same network from the same weights on the same batches, on one thread, one step each in
turn, so that whatever else the machine does hits both alike. Before anything is timed, both must have made
the same first steps. Stored are medians and their ratio, of wall-clock time, and of processor time, which
leaves out the waiting for a busy machine. Where the two ratios are far apart the machine was busy, and the
second one, the smaller, is the fair one.

The inputs are normal numbers with mean 0, as after standardising. With inputs that are all positive noise
most units die, Adam's averages for them fade into denormal numbers (0.9⁸⁰⁰ is 1e-37), and NumPy, which adds
those slowly, takes more than twice as long; TensorFlow has told the processor to take them for 0.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # read once, when NumPy and TensorFlow are imported
for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[variable] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import json
import platform
import sys
from pathlib import Path
from time import perf_counter, process_time

import keras
import numpy as np
import tensorflow as tf

from twice import optimizers
from twice.layers import Dense
from twice.models import Sequential
from twice.progress import progress

RESULTS = Path(__file__).parent / "results.json"
INPUTS, HIDDEN, CLASSES, BATCH = 784, 128, 10, 64
BATCHES = 100
CASES = [("SGD", "float32"), ("Adam", "float32"), ("SGD", "float64"), ("Adam", "float64")]
LOSS = "sparse_categorical_crossentropy"


def numpy_network(optimizer, dtype):
    """Return the network of the book's package."""
    rng = np.random.default_rng(0)
    model = Sequential(
        [Dense(HIDDEN, "relu", dtype=dtype, rng=rng), Dense(CLASSES, "softmax", dtype=dtype, rng=rng)]
    )
    model.build((None, INPUTS))
    model.compile(getattr(optimizers, optimizer)(0.001), LOSS)
    return model


def keras_network(optimizer, dtype, weights):
    """Return the same network from Keras, with the same weights."""
    keras.config.set_floatx(dtype)
    layers = [
        keras.layers.Dense(HIDDEN, "relu", dtype=dtype),
        keras.layers.Dense(CLASSES, "softmax", dtype=dtype),
    ]
    model = keras.Sequential([keras.Input((INPUTS,), dtype=dtype), *layers])
    model.set_weights(weights)
    model.compile(getattr(keras.optimizers, optimizer)(0.001), LOSS)
    return model


def milliseconds(step, x, y):
    """Return how long one step takes: wall-clock time and processor time."""
    start = np.array([perf_counter(), process_time()])
    step(x, y)
    return 1e3 * (np.array([perf_counter(), process_time()]) - start)


def measure(optimizer, dtype, steps):
    """Return what `steps` steps of both makers took, in turn."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(BATCHES, BATCH, INPUTS)).astype(dtype)
    y = rng.integers(CLASSES, size=(BATCHES, BATCH))
    ours = numpy_network(optimizer, dtype)
    theirs = keras_network(optimizer, dtype, ours.weights)
    for step in range(20):  # the first one compiles, and all show that both do the same work
        losses = ours.train_on_batch(x[step], y[step])["loss"], theirs.train_on_batch(x[step], y[step])
        np.testing.assert_allclose(*losses, rtol=1e-4, err_msg=f"step {step}, {optimizer}, {dtype}")
    makers = (ours.train_on_batch, theirs.train_on_batch)
    turns = progress(range(steps), f"{optimizer}, {dtype}")
    times = [[milliseconds(f, x[i % BATCHES], y[i % BATCHES]) for f in makers] for i in turns]
    (ours_wall, ours_cpu), (theirs_wall, theirs_cpu) = np.median(times, axis=0)
    return {
        "optimizer": optimizer,
        "dtype": dtype,
        "steps": steps,
        "numpy_ms": round(ours_wall, 3),
        "keras_ms": round(theirs_wall, 3),
        "ratio": round(theirs_wall / ours_wall, 2),
        "numpy_processor_ms": round(ours_cpu, 3),
        "keras_processor_ms": round(theirs_cpu, 3),
        "processor_ratio": round(theirs_cpu / ours_cpu, 2),
    }


def conditions():
    """Return where the measuring was done, in general words."""
    return {
        "machine": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores, no GPU used",
        "threads": 1,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }


def store(name, result, path):
    """Put one benchmark's result beside the others in a file."""
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = json.dumps(results | {name: result}, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def main():
    """Measure every case, print the table, and store it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000, help="steps of each maker in each case")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file to store the result in")
    arguments = parser.parse_args()
    cases = [measure(optimizer, dtype, arguments.steps) for optimizer, dtype in CASES]
    result = {"network": [INPUTS, HIDDEN, CLASSES], "batch": BATCH, "cases": cases, **conditions()}
    store("mlp_step", result, arguments.results)
    for case in cases:
        print(
            "{optimizer:<6}{dtype:<9}NumPy {numpy_ms} ms, Keras {keras_ms} ms: {ratio} times".format(**case)
        )
    print(f"stored in {arguments.results}")


if __name__ == "__main__":
    sys.exit(main())
