# ruff: noqa: E402
"""What changes the accuracy of chapter 10's network: the seed, the implementation, and one thing at a time.

python benchmarks/digits_runs.py                            every run that has no result yet
python benchmarks/digits_runs.py --runs keras random --seeds 0 1

Each run takes the training of the first document on all of MNIST: Adam, five epochs, batches of 32, float32.
A seed draws the weights of the start and the order of the pictures, the same for all runs of that seed.

numpy, keras    the document's network: 32 kernels of 3 × 3, max pooling, 128 units, 10 units
random          the same in Keras, with the kernels frozen as they were drawn
single          the same, each kernel frozen at a single 1 among zeros: it hands on one pixel of its window
pixels          no convolution and no pooling: 784 pixels, 128 units, 10 units
shifts          the document's network; in each epoch each picture is shifted anew, by up to two pixels
small           the small network of chapter 10, with its 5,258 parameters
small-shifts    the small network and the shifts

Each run is one file in src/twice/assets/digits_runs/, which the chapter reads; a run whose file exists is not
repeated. It holds loss and accuracy on the test set after each epoch, and which test pictures were read
wrongly at the end.
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
EPOCHS, BATCH, REACH = 5, 32, 2
SHAPE, LOSS = (28, 28, 1), "sparse_categorical_crossentropy"
RUNS = ("keras", "numpy", "random", "single", "pixels", "shifts", "small", "small-shifts")


def document_layers(made):
    """Return the document's layers of an implementation, given as Conv2D, MaxPooling2D, Flatten and Dense."""
    conv, pool, flatten, dense = made
    convolution = [conv(32, (3, 3), activation="relu"), pool((2, 2))]
    return [*convolution, flatten(), dense(128, activation="relu"), dense(10, activation="softmax")]


def small_layers(made):
    """Return the layers of chapter 10's small network."""
    conv, pool, flatten, dense = made
    first = [conv(8, (3, 3), activation="relu"), pool((2, 2))]
    second = [conv(16, (3, 3), activation="relu"), pool((2, 2))]
    return [*first, *second, flatten(), dense(10, activation="softmax")]


def dense_layers(made):
    """Return the layers of a network without convolution."""
    _, _, flatten, dense = made
    return [flatten(), dense(128, activation="relu"), dense(10, activation="softmax")]


def numpy_network(layers, seed):
    """Return a network of the book's package, its weights drawn from ``seed``."""
    options = {"dtype": "float32", "rng": np.random.default_rng(seed)}

    def convolution(*args, **more):
        return Conv2D(*args, **more, **options)

    def dense(*args, **more):
        return Dense(*args, **more, **options)

    model = Sequential(layers((convolution, MaxPooling2D, Flatten, dense)))
    model.build((None, *SHAPE))
    model.compile(Adam(0.001), LOSS, ["accuracy"])
    return model


def keras_network(layers, seed, kernels=None, frozen=False):
    """Return the same network from Keras, with the same weights but for ``kernels``, perhaps frozen."""
    made = (keras.layers.Conv2D, keras.layers.MaxPooling2D, keras.layers.Flatten, keras.layers.Dense)
    model = keras.Sequential([keras.Input(SHAPE), *layers(made)])
    weights = numpy_network(layers, seed).weights
    model.set_weights(weights if kernels is None else [kernels, *weights[1:]])
    model.layers[0].trainable = not frozen
    model.compile("adam", LOSS, metrics=["accuracy"])
    return model


def single_pixels():
    """Return 32 kernels, (3, 3, 1, 32), each with a 1 at one of the nine places and zeros elsewhere."""
    return np.eye(9, dtype="float32")[:, np.arange(32) % 9].reshape(3, 3, 1, 32)


def network(run, seed):
    """Return the network of a run at its start."""
    if run == "numpy":
        return numpy_network(document_layers, seed)
    if run in ("random", "single"):
        kernels = single_pixels() if run == "single" else None
        return keras_network(document_layers, seed, kernels, frozen=True)
    if run == "pixels":
        return keras_network(dense_layers, seed)
    return keras_network(small_layers if run.startswith("small") else document_layers, seed)


def shifted(pictures, rng):
    """Return the pictures, each moved by up to two pixels down or up, and right or left."""
    padded = np.pad(pictures, ((0, 0), (REACH, REACH), (REACH, REACH), (0, 0)))
    rows, columns = rng.integers(2 * REACH + 1, size=(2, len(pictures), 1)) + np.arange(28)
    return padded[np.arange(len(pictures))[:, None, None], rows[:, :, None], columns[:, None, :]]


def read(model, x):
    """Return the digits that either implementation's model reads."""
    quiet = {} if isinstance(model, Sequential) else {"verbose": 0}
    return model.predict(x, batch_size=500, **quiet).argmax(axis=1)


def scores(model, x, y):
    """Return the loss and the accuracy of either implementation's model."""
    if isinstance(model, Sequential):
        return list(model.evaluate(x, y, batch_size=500).values())
    return model.evaluate(x, y, batch_size=500, verbose=0)


def run(name, seed, train, test):
    """Train one network; return its scores after each epoch and what it reads wrongly at the end."""
    model = network(name, seed)
    rng, history = np.random.default_rng([seed, 1]), []
    shifts = np.random.default_rng([seed, 2])
    quiet = {"shuffle": False, "verbose": 0}
    for epoch in range(EPOCHS):
        order = rng.permutation(len(train[0]))
        x = shifted(train[0][order], shifts) if name.endswith("shifts") else train[0][order]
        model.fit(x, train[1][order], batch_size=BATCH, **quiet)
        history.append([round(float(score), 5) for score in scores(model, *test)])
        print(
            f"{name}, seed {seed}, epoch {epoch + 1}: loss {history[-1][0]}, accuracy {history[-1][1]}",
            flush=True,
        )
    result = dict(zip(("test_loss", "test_accuracy"), zip(*history, strict=True), strict=True))
    return result | {"wrong": np.flatnonzero(read(model, test[0]) != test[1]).tolist()}


def store(result, path):
    """Write a result so that a program which is stopped leaves no half of one."""
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(result) + "\n", encoding="utf-8")
    draft.replace(path)


def main():
    """Do every run asked for that has no result yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=RUNS)
    parser.add_argument("--seeds", nargs="+", type=int, default=range(5))
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of the results")
    arguments = parser.parse_args()
    train, test = [(x[..., None].astype("float32") / 255, y.astype(int)) for x, y in mnist()]
    if len(train[0]) < 60_000:
        sys.exit("these runs are about all of MNIST, which is not to be had here")
    versions = {"numpy": np.__version__, "keras": keras.__version__}
    for seed in arguments.seeds:
        for name in arguments.runs:
            path = arguments.results / f"{name}-{seed}.json"
            if not path.exists():
                about = {"command": f"python benchmarks/digits_runs.py --runs {name} --seeds {seed}"}
                store(about | {"versions": versions} | run(name, seed, train, test), path)


if __name__ == "__main__":
    sys.exit(main())
