# ruff: noqa: E402
"""How chapter 9's small networks read digits that are shifted: five starts each, at two learning rates.

python benchmarks/shifted_digits.py            every run that has no result yet
python benchmarks/shifted_digits.py --seeds 80 --networks "two convolutions"

The networks are the chapter's: two convolutions and a dense layer; a dense network with as many parameters;
one with as many multiplications; and three convolutions whose maps are flattened or averaged. The first of
them learns once more from digits whose pixels have all been shuffled by one rule, so that no two of them are
neighbours by more than chance. Each learns the first 8,000 digits of MNIST in two epochs, with Adam and
batches of 32, in float64, at 0.002 and at 0.01. A seed draws the weights of the start, the order of the
digits, and the rule. The accuracy is that on the first 2,000 test digits, moved to the right by 0 to 6
pixels (and shuffled then). The result of every run goes at once into src/twice/assets/shifted-digits.json,
which the chapter reads; a run that is there is not repeated.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read once, when NumPy is imported

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from twice.convolution import Conv2D, GlobalAveragePooling2D, MaxPooling2D
from twice.data import mnist
from twice.layers import Dense, Flatten
from twice.models import Sequential, batches
from twice.optimizers import Adam

RESULTS = Path(__file__).parents[1] / "src" / "twice" / "assets" / "shifted-digits.json"
RATES, EPOCHS, BATCH, SHIFTS = (0.002, 0.01), 2, 32, range(7)


def convolutional(rng):
    """Return the layers of the network with places: 5,258 parameters."""
    return [
        Conv2D(8, 3, activation="relu", rng=rng),
        MaxPooling2D(2),
        Conv2D(16, 3, activation="relu", rng=rng),
        MaxPooling2D(2),
        Flatten(),
        Dense(10, "softmax", rng=rng),
    ]


def three_convolutions(rng, end):
    """Return the layers of a deeper network; ``end`` flattens its maps or averages them."""
    same = {"padding": "same", "activation": "relu", "rng": rng}
    return [
        Conv2D(8, 3, **same),
        MaxPooling2D(2),
        Conv2D(16, 3, **same),
        MaxPooling2D(2),
        Conv2D(16, 3, **same),
        end,
        Dense(10, "softmax", rng=rng),
    ]


def dense(rng, units):
    """Return the layers of a network with one hidden layer."""
    return [Flatten(), Dense(units, "relu", rng=rng), Dense(10, "softmax", rng=rng)]


NETWORKS = {
    "two convolutions": convolutional,
    "two convolutions, pixels shuffled": convolutional,
    "dense, 7 units": lambda rng: dense(rng, 7),
    "dense, 242 units": lambda rng: dense(rng, 242),
    "three convolutions, flattened": lambda rng: three_convolutions(rng, Flatten()),
    "three convolutions, means": lambda rng: three_convolutions(rng, GlobalAveragePooling2D()),
}


def shifted(x, pixels):
    """Return pictures moved to the right."""
    return np.pad(x, [(0, 0), (0, 0), (pixels, 0), (0, 0)])[:, :, : x.shape[2]]


def shuffled(x, seed):
    """Return pictures whose pixels have changed places, in all of them by the same rule."""
    rule = np.random.default_rng((seed, 1)).permutation(x[0].size)
    return x.reshape(len(x), -1)[:, rule].reshape(x.shape)


def run(name, rate, seed, train, test):
    """Train one network and return its number of parameters and its accuracy at each shift."""
    rng = np.random.default_rng(seed)
    arranged = shuffled if name.endswith("pixels shuffled") else lambda x, seed: x
    x_train, y_train = arranged(train[0], seed), train[1]
    model = Sequential(NETWORKS[name](rng))
    model.compile(Adam(rate), "sparse_categorical_crossentropy", ["accuracy"])
    model.build((None, 28, 28, 1))
    for _ in range(EPOCHS):
        for i in batches(rng.permutation(len(x_train)), BATCH):
            model.train_on_batch(x_train[i], y_train[i])
    pictures = [arranged(shifted(test[0], t), seed) for t in SHIFTS]
    scores = [model.evaluate(x, test[1], 250)["accuracy"] for x in pictures]
    return {"parameters": model.count_params(), "accuracy": [round(score, 4) for score in scores]}


def main():
    """Do every run asked for that has no result yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=range(80, 85))
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file of the results")
    arguments = parser.parse_args()
    (x_train, y_train), (x_test, y_test) = mnist()
    if len(x_train) < 60_000:
        sys.exit("these runs are about all of MNIST, which is not to be had here")
    train = x_train[:8000, ..., None] / 255, y_train[:8000].astype(int)
    test = x_test[:2000, ..., None] / 255, y_test[:2000].astype(int)
    path = arguments.results
    done = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    for about in (
        {"network": n, "rate": r, "seed": s}
        for s in arguments.seeds
        for n in arguments.networks
        for r in RATES
    ):
        if not any(about.items() <= result.items() for result in done):
            done.append(about | run(*about.values(), train, test))
            print(done[-1])
            lines = ",\n".join(map(json.dumps, done))
            draft = path.with_suffix(".part")
            draft.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
            draft.replace(path)


if __name__ == "__main__":
    sys.exit(main())
