# ruff: noqa: E402
"""How far the seed alone moves the accuracy of chapter 9's network: both makers, all of MNIST.

python benchmarks/digits_runs.py                          every run that has no result yet
python benchmarks/digits_runs.py --makers keras --seeds 0 1

The network is that of the first document: 32 kernels of 3 × 3, max pooling, 128 units, 10 units; Adam, five
epochs, batches of 32, float32. A seed draws the weights of the start and the order of the pictures, the same
for both makers, so that two runs of one seed differ by nothing but rounding. Each run is one file in
src/twice/assets/digits_runs/, which the chapter reads; a run whose file exists is not repeated.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(variable, "1")  # read once, when NumPy and TensorFlow are imported
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import json
import sys
from pathlib import Path

import keras
import numpy as np

from twice.convolution import Conv2D, MaxPooling2D
from twice.data import mnist
from twice.layers import Dense, Flatten
from twice.models import Sequential
from twice.optimizers import Adam

RESULTS = Path(__file__).parents[1] / "src" / "twice" / "assets" / "digits_runs"
EPOCHS, BATCH = 5, 32
SHAPE, LOSS = (28, 28, 1), "sparse_categorical_crossentropy"


def numpy_network(seed):
    """Return the network of the book's package, its weights drawn from ``seed``."""
    options = {"dtype": "float32", "rng": np.random.default_rng(seed)}
    convolution = [Conv2D(32, (3, 3), activation="relu", **options), MaxPooling2D((2, 2)), Flatten()]
    model = Sequential([*convolution, Dense(128, "relu", **options), Dense(10, "softmax", **options)])
    model.build((None, *SHAPE))
    model.compile(Adam(0.001), LOSS, ["accuracy"])
    return model


def keras_network(seed):
    """Return the same network from Keras, with the same weights."""
    layers = [
        keras.layers.Conv2D(32, (3, 3), activation="relu"),
        keras.layers.MaxPooling2D((2, 2)),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential([keras.Input(SHAPE), *layers])
    model.set_weights(numpy_network(seed).weights)
    model.compile("adam", LOSS, metrics=["accuracy"])
    return model


def scores(model, x, y):
    """Return the loss and the accuracy of either maker's model."""
    if isinstance(model, Sequential):
        return list(model.evaluate(x, y, batch_size=500).values())
    return model.evaluate(x, y, batch_size=500, verbose=0)


def run(maker, seed, train, test):
    """Train one network and return its loss and accuracy on the test set after each epoch."""
    model = {"numpy": numpy_network, "keras": keras_network}[maker](seed)
    rng, history = np.random.default_rng([seed, 1]), []
    quiet = {"shuffle": False, "verbose": 0}
    for epoch in range(EPOCHS):
        order = rng.permutation(len(train[0]))
        model.fit(train[0][order], train[1][order], batch_size=BATCH, **quiet)
        history.append([round(float(score), 5) for score in scores(model, *test)])
        print(f"{maker}, seed {seed}, epoch {epoch + 1}: loss {history[-1][0]}, accuracy {history[-1][1]}")
    return dict(zip(("test_loss", "test_accuracy"), zip(*history, strict=True), strict=True))


def store(result, path):
    """Write a result so that a program which is stopped leaves no half of one."""
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def main():
    """Do every run asked for that has no result yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--makers", nargs="+", choices=("keras", "numpy"), default=["keras", "numpy"])
    parser.add_argument("--seeds", nargs="+", type=int, default=range(5))
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of the results")
    arguments = parser.parse_args()
    train, test = [(x[..., None].astype("float32") / 255, y.astype(int)) for x, y in mnist()]
    if len(train[0]) < 60_000:
        sys.exit("these runs are about all of MNIST, which is not to be had here")
    versions = {"numpy": np.__version__, "keras": keras.__version__}
    for seed in arguments.seeds:
        for maker in arguments.makers:
            path = arguments.results / f"{maker}-{seed}.json"
            if not path.exists():
                about = {"command": f"python benchmarks/digits_runs.py --makers {maker} --seeds {seed}"}
                store(about | {"versions": versions} | run(maker, seed, train, test), path)


if __name__ == "__main__":
    sys.exit(main())
