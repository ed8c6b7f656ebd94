# ruff: noqa: E402
"""Whether chapter 11's network can learn labels that mean nothing: how many, and beside least squares.

python benchmarks/random_labels.py --sizes 300 3000      these numbers of pictures
python benchmarks/random_labels.py --epochs 30           at most thirty more epochs of each

The first n training pictures of CIFAR-10 get labels drawn at random, all equally likely. The network of
the fourth document learns them as that program would, with Adam in batches of 64, until 99 % are right or it
has seen them a hundred times. Beside it stands the least that can learn anything: a linear map of the 3,072
pixels and a constant, fitted to the one-hot labels by least squares.

A size has one file, src/twice/assets/random_labels/N.json, written after each epoch; with the state in
_build/random_labels an interrupted run goes on after its last epoch.
"""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import json
import sys
from pathlib import Path

import keras
import numpy as np
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D

from twice.data import cifar10

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "src" / "twice" / "assets" / "random_labels"
STATES = ROOT / "_build" / "random_labels"
EPOCHS, ENOUGH, SEED = 100, 0.99, 106


def network():
    """Return the network of the fourth document, compiled."""
    keras.utils.set_random_seed(SEED)
    layers = [keras.Input((32, 32, 3))]
    for filters in (32, 64, 128):
        layers += [Conv2D(filters, 3, activation="relu"), MaxPooling2D()]
    layers += [Flatten(), Dense(512, activation="relu"), Dense(10, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)
    return model


def by_least_squares(x, y):
    """Return which fraction of the labels a linear map of the pixels learns."""
    table = np.column_stack([x.reshape(len(x), -1), np.ones(len(x))]).astype(np.float64)
    fitted = table @ np.linalg.lstsq(table, np.eye(10)[y], rcond=None)[0]
    return float((fitted.argmax(axis=1) == y).mean())


def save(path, model):
    """Keep weights and optimizer in a file that is there in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, *(variable.numpy() for variable in [*model.variables, *model.optimizer.variables]))
    part.replace(path)


def restore(path, model):
    """Set weights and optimizer to what was kept."""
    with np.load(path) as file:
        for variable, name in zip([*model.variables, *model.optimizer.variables], file.files, strict=True):
            variable.assign(file[name])


def write(path, result):
    """Write a result as JSON, in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result) + "\n", encoding="utf-8")
    part.replace(path)


def learn(n, data, epochs):
    """Train on n random labels for at most so many more epochs, and keep how far it came after each."""
    path, state, model = RESULTS / f"{n}.json", STATES / f"{n}.npz", network()
    x = data[0][0][:n].astype(np.float32) / 255
    y = np.random.default_rng(SEED).integers(10, size=n)
    if path.exists():
        result = json.loads(path.read_text(encoding="utf-8"))
        restore(state, model)
    else:
        result = {"pictures": n, "learnt": [], "least_squares": by_least_squares(x, y)}
    while epochs and len(result["learnt"]) < EPOCHS and max(result["learnt"], default=0) < ENOUGH:
        order = np.random.default_rng([SEED, len(result["learnt"])]).permutation(n)
        model.fit(x[order], y[order], batch_size=64, shuffle=False, verbose=0)
        right = model.predict(x, batch_size=500, verbose=0).argmax(axis=1) == y
        result["learnt"].append(round(float(right.mean()), 5))
        epochs -= 1
        save(state, model)
        write(path, result)
        print(f"{n} pictures, epoch {len(result['learnt'])}: {right.mean():.1%}", flush=True)


def main():
    """Learn each number of random labels that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=[300, 3000, 10_000])
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="at most so many more epochs of each")
    arguments = parser.parse_args()
    data = cifar10()
    for n in arguments.sizes:
        learn(n, data, arguments.epochs)


if __name__ == "__main__":
    sys.exit(main())
