# ruff: noqa: E402
"""Long trainings behind chapters 7 and 8: what steps, width, batches and more pictures do to an error.

python benchmarks/generalization.py                      every run that has no result yet
python benchmarks/generalization.py --groups curve       those of one group
python benchmarks/generalization.py --list               what is done

All on MNIST at 14 × 14 pixels, split as in the chapters: 2,000 pictures validate, 8,000 may train, and 20,000
others, which choose nothing, judge. Every run is a training at a constant rate (Adam, 0.002) that is looked
at again and again; loss and error on the validation set and on the judges go into its result, so that any
rule for stopping can be tried on it afterwards. The groups:

- ``curve``: shifts and dropout 0.3, from 125 to 8,000 pictures, 128 units, batches of 32;
- ``bottleneck``: the same with 8,000 pictures, but twice the width, or batches of 64;
- ``recipe``: the recipes of chapter 7 on 1,000 pictures, trained much longer than there;
- ``batch``: the processor time that a picture costs, by the size of the batch.

The results go at once into src/twice/assets/generalization.json; a run that is there is not repeated.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read once, when NumPy is imported

import argparse
import json
import sys
from pathlib import Path
from time import process_time

import numpy as np

from twice.data import mnist
from twice.layers import Activation, BatchNormalization, Dense, Dropout
from twice.losses import sparse_categorical_crossentropy
from twice.models import Sequential
from twice.optimizers import Adam

RESULTS = Path(__file__).parents[1] / "src" / "twice" / "assets" / "generalization.json"
SIZES = tuple(125 * 2**k for k in range(7))
SEEDS = range(5)
SHIFTED = {"shifts": True, "dropout": 0.3}
RECIPES = {
    "none": {},
    "L2, λ = 0.001": {"l2": 0.001},
    "batch normalization": {"batch_norm": True},
    "dropout 0.3": {"dropout": 0.3},
    "mirrored": {"mirrored": True},
    "shifted": {"shifts": True},
    "shifted, dropout 0.3": SHIFTED,
}


def plan():
    """Return every run: its name, its group, and what it is made of."""
    runs = {}
    for seed in SEEDS:
        for size in SIZES:
            recipe = {"size": size, "seed": seed, "steps": 16_000, "every": 250, **SHIFTED}
            runs[f"curve, {size} pictures, seed {seed}"] = ("curve", recipe)
        for name, change in {"256 units": {"units": 256}, "batches of 64": {"batch_size": 64}}.items():
            recipe = {"size": 8000, "seed": seed, "steps": 16_000, "every": 250, **SHIFTED, **change}
            runs[f"bottleneck, {name}, seed {seed}"] = ("bottleneck", recipe)
        for name, change in RECIPES.items():
            recipe = {"size": 1000, "seed": seed, "steps": 6400, "every": 160, **change}
            runs[f"recipe, {name}, seed {seed}"] = ("recipe", recipe)
    return runs | {"batch": ("batch", {})}


def prepared():
    """Return the pool, the validation set and the judges, and the pool mirrored and in nine places."""
    (pictures, labels), _ = mnist()
    if len(pictures) < 60_000:
        sys.exit("these runs need all of MNIST, which is not to be had here")
    order = np.random.default_rng(70).permutation(len(pictures))
    valid, pool, judges = order[:2000], order[2000:10_000], order[10_000:30_000]

    def shrink(x):
        return x.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196)

    mean, std = shrink(pictures[pool[:1000]]).mean(), shrink(pictures[pool[:1000]]).std()

    def prepare(x):
        return ((shrink(x) - mean) / std).astype("float32")

    padded = np.pad(pictures[pool], ((0, 0), (1, 1), (1, 1)))
    places = [prepare(padded[:, i : i + 28, j : j + 28]) for i in range(3) for j in range(3)]
    sets = {
        name: (prepare(pictures[rows]), labels[rows].astype(int))
        for name, rows in {"pool": pool, "val": valid, "judges": judges}.items()
    }
    return sets | {"places": np.stack(places), "mirrored": prepare(pictures[pool][:, :, ::-1])}


def network(rng, units=128, dropout=0.0, batch_norm=False, l2=0.0):
    """Return the chapters' network in float32."""
    options = {"dtype": "float32", "rng": rng}
    layers = [Dense(units, use_bias=not batch_norm, kernel_initializer="he_normal", **options)]
    layers += [BatchNormalization(dtype="float32")] if batch_norm else []
    layers += [Activation("relu")] + ([Dropout(dropout, rng=rng)] if dropout else [])
    model = Sequential([*layers, Dense(10, "softmax", **options)])
    model.compile(Adam(0.002), "sparse_categorical_crossentropy", l2=l2)
    return model


def looks(data, size, seed, steps, every, batch_size=32, shifts=False, mirrored=False, **options):
    """Train one network and return what was seen of it every so many steps."""
    rng = np.random.default_rng([79, seed])
    x, y = data["pool"]
    order = rng.permutation(len(y))[:size]  # a smaller set is a part of a larger one
    model, seen = network(np.random.default_rng(seed), **options), {"steps": []}
    queue = np.empty(0, int)
    for step in range(1, steps + 1):
        if len(queue) < batch_size:
            queue = np.concatenate([queue, rng.permutation(order)])
        rows, queue = queue[:batch_size], queue[batch_size:]
        pictures = data["places"][rng.integers(9, size=batch_size), rows] if shifts else x[rows]
        if mirrored:
            turned = rng.random(batch_size) < 0.5
            pictures = np.where(turned[:, None], data["mirrored"][rows], pictures)
        model.train_on_batch(pictures, y[rows])
        if step % every == 0:
            seen["steps"].append(step)
            sets = {"val": data["val"], "judges": data["judges"], "train": (x[order], y[order])}
            for name, (inputs, labels) in sets.items():
                y_hat = model.forward(inputs)
                loss = sparse_categorical_crossentropy(labels, y_hat)
                error = (y_hat.argmax(axis=1) != labels).mean()
                seen.setdefault(f"{name}_loss", []).append(round(float(loss), 4))
                seen.setdefault(f"{name}_error", []).append(round(float(error), 5))
    return seen


def costs(data, sizes=(1, 2, 4, 8, 16, 32, 64, 128, 256), pictures=8192):
    """Return the processor time of a picture in microseconds, the least of five goes, by the batch's size."""
    x, y = data["pool"]
    least = {}
    for size in sizes:
        model, goes = network(np.random.default_rng(0)), []
        for _ in range(5):
            start = process_time()
            for i in range(0, min(pictures, 1024 * size), size):
                rows = np.arange(i, i + size) % len(y)
                model.train_on_batch(x[rows], y[rows])
            goes.append((process_time() - start) / min(pictures, 1024 * size))
        least[str(size)] = round(1e6 * min(goes), 1)
    return {"microseconds": least}


def stored():
    """Return the results so far."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def store(name, result):
    """Add a result so that a program which is stopped leaves no half of one."""
    draft = RESULTS.with_suffix(".part")
    lines = [
        f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(value)}"
        for key, value in sorted((stored() | {name: result}).items())
    ]
    draft.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    draft.replace(RESULTS)


def main():
    """Do every run asked for that has no result yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", nargs="+", default=["curve", "bottleneck", "recipe", "batch"])
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--list", action="store_true", help="say what is done")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(stored()))
        return
    data = prepared()
    for name, (group, recipe) in plan().items():
        wanted = group in arguments.groups and recipe.get("seed", 0) in arguments.seeds
        if wanted and name not in stored():
            store(name, costs(data) if group == "batch" else looks(data, **recipe))
            print(name, flush=True)


if __name__ == "__main__":
    main()
