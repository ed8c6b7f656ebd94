# ruff: noqa: E402
"""How many labels a network needs, with features from ImageNet and without: the table of chapter 13.

python benchmarks/label_budgets.py               every run that is not done, seed by seed
python benchmarks/label_budgets.py --seeds 5     more seeds
python benchmarks/label_budgets.py --list        what is done

All on CIFAR-10, judged on its first 1,000 test images. Each run draws as many training images of every class
out of the first 10,000, by its seed, and uses their labels one of three ways:

- ``frozen``: the 1,280 features of EfficientNet-Lite0 at 128 × 128 pixels, and softmax regression on them;
- ``tuned``: the same, and then the upper part of the network moves too, in small steps;
- ``nothing``: the network of chapter 11 as its document wrote it, from random weights.

The result of every run goes at once into src/twice/assets/label-budgets.json: its way, its number of labels,
its seed, its accuracy, and what it calls the test images, one digit each; "truths" is what they are. A run
that is there is not repeated. What the frozen part makes of the images is computed once and kept in
_build/label-budgets.
"""

import os

for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "2")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import json
import sys
from itertools import product
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

from twice.backbones import efficientnet_lite0, preprocess, resize
from twice.data import CIFAR10_CLASSES, cifar10

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "src" / "twice" / "assets" / "label-budgets.json"
CACHE = ROOT / "_build" / "label-budgets"
BUDGETS = (100, 200, 500, 1000, 2000, 5000)
POOL, TEST, PIXELS = 10_000, 1_000, 128
CUT = "stage5_block3_add"  # below it nothing moves
L2 = 0.003  # λ of the softmax regression, chosen on training images of another draw
STEPS, EPOCHS, BATCH = 300, 12, 64  # of the network that starts from nothing: whichever is more
TUNING_EPOCHS, TUNING_BATCH = 6, 32
RATES = {"body": 0.001, "head": 0.01}


def split_backbone():
    """Return EfficientNet-Lite0 in two parts: up to the cut, and from there to the features."""
    whole = efficientnet_lite0(include_top=False, pooling="avg", input_shape=(PIXELS, PIXELS, 3))
    cut = whole.get_layer(CUT).output
    return keras.Model(whole.input, cut), keras.Model(cut, whole.output)


def maps(bottom, images, batch=100):
    """Return what the frozen part makes of the images, batch by batch, as float16."""
    parts = (images[i : i + batch] for i in range(0, len(images), batch))
    return np.concatenate(
        [bottom(preprocess(resize(part, PIXELS))).numpy().astype("float16") for part in parts]
    )


def cached_maps(name, images):
    """Return the maps of the images; compute them where they are not kept yet."""
    path = CACHE / f"{name}-{PIXELS}.npy"
    if not path.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        np.save(path, maps(split_backbone()[0], images))
    return np.load(path, mmap_mode="r")


def drawn(y, labels, seed):
    """Return the rows of ``labels`` images, as many of each class, drawn by the seed."""
    rng = np.random.default_rng([seed, labels])
    rows = [rng.choice(np.flatnonzero(y == k), labels // 10, replace=False) for k in range(10)]
    return rng.permutation(np.concatenate(rows))


def softmax_regression(features, y):
    """Return W and b that minimise the cross-entropy with λ ΣW²: see equation (3.15)."""
    model = LogisticRegression(C=1 / (2 * L2 * len(y)), max_iter=5_000, tol=1e-6).fit(features, y)
    return model.coef_.T.astype("float32"), model.intercept_.astype("float32")


def frozen(x, y, x_test, seed):
    """Return the predictions of a softmax regression on the frozen features."""
    top = split_backbone()[1]
    W, b = softmax_regression(top.predict(x, verbose=0), y)
    return (top.predict(x_test, verbose=0) @ W + b).argmax(axis=1)


def tuned(x, y, x_test, seed):
    """Return the predictions after the upper part has moved, from the softmax regression on."""
    top = split_backbone()[1]
    head = keras.layers.Dense(10)
    model = keras.Sequential([top, head])
    model.build((None, *x.shape[1:]))
    head.set_weights(softmax_regression(top.predict(x, verbose=0), y))
    fine_tune(model, top, head, x, y, np.random.default_rng(seed))
    return model.predict(x_test, verbose=0).argmax(axis=1)


def fine_tune(model, top, head, x, y, rng):
    """Move the body in small steps and the head in larger ones; batch normalization uses what it knows."""
    parts = [
        (keras.optimizers.SGD(RATES["body"], momentum=0.9), top.trainable_variables),
        (keras.optimizers.SGD(RATES["head"], momentum=0.9), head.trainable_variables),
    ]
    for optimizer, variables in parts:
        optimizer.build(variables)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function(reduce_retracing=True)
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=False))
        grads = tape.gradient(value, [variables for _, variables in parts])
        for (optimizer, variables), grad in zip(parts, grads, strict=True):
            optimizer.apply(grad, variables)

    for _ in range(TUNING_EPOCHS):
        order = rng.permutation(len(x))
        for i in range(0, len(x), TUNING_BATCH):
            rows = order[i : i + TUNING_BATCH]
            step(np.asarray(x[rows], "float32"), y[rows])


def nothing(x, y, x_test, seed):
    """Return the predictions of chapter 11's document network, trained from random weights."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for filters in (32, 64, 128):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(512, activation="relu"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    rng, size = np.random.default_rng(seed), min(BATCH, len(x))
    for _ in range(max(STEPS, EPOCHS * len(x) // size)):
        rows = rng.choice(len(x), size, replace=False)
        model.train_on_batch(x[rows], y[rows])
    return model.predict(x_test, verbose=0).argmax(axis=1)


WAYS = {"frozen": frozen, "nothing": nothing, "tuned": tuned}


def planned(seeds):
    """Return every run: its way, its number of labels and its seed; the cheap ones first."""
    return [(way, labels, seed) for seed in range(seeds) for way, labels in product(WAYS, BUDGETS)]


def load():
    """Return what is stored so far."""
    if RESULTS.is_file():
        return json.loads(RESULTS.read_text(encoding="utf-8"))
    settings = {"pool": POOL, "test": TEST, "pixels": PIXELS, "cut": CUT, "l2": L2, "rates": RATES}
    settings |= {"steps": STEPS, "epochs": EPOCHS, "tuning_epochs": TUNING_EPOCHS}
    return {"settings": settings, "classes": CIFAR10_CLASSES, "budgets": BUDGETS, "runs": []}


def store(results):
    """Write the results, one run a line, so that an interruption leaves the old file or the new one."""
    runs = sorted(results["runs"], key=lambda r: (r["way"], r["labels"], r["seed"]))
    head = json.dumps({key: value for key, value in results.items() if key != "runs"})
    lines = ",\n".join(json.dumps(run) for run in runs)
    partial = RESULTS.with_suffix(".partial")
    partial.write_text(f'{head[:-1]}, "runs": [\n{lines}\n]}}\n', encoding="utf-8")
    partial.replace(RESULTS)


def run(way, labels, seed, data):
    """Return one run's result."""
    images, kept, y, images_test, kept_test, y_test = data
    rows = drawn(y, labels, seed)
    inputs = (images, images_test) if way == "nothing" else (kept, kept_test)
    x, x_test = (np.asarray(part, "float32") for part in (inputs[0][rows], inputs[1]))
    keras.utils.set_random_seed(seed)
    predictions = WAYS[way](x, y[rows], x_test, seed)
    keras.backend.clear_session()
    return {
        "way": way,
        "labels": labels,
        "seed": seed,
        "accuracy": float(np.mean(predictions == y_test)),
        "predictions": "".join(map(str, predictions)),
    }


def read_data():
    """Return images, maps and labels of the pool and of the test images."""
    (x, y), (x_test, y_test) = cifar10()
    (x, y), (x_test, y_test) = (x[:POOL], y[:POOL].astype(int)), (x_test[:TEST], y_test[:TEST].astype(int))
    if len(x) < POOL:
        sys.exit("these runs need CIFAR-10 in full: python -m twice.data cifar10")
    pool, test = cached_maps("pool", x), cached_maps("test", x_test)
    return x / np.float32(255), pool, y, x_test / np.float32(255), test, y_test


def main(arguments=None):
    """Run what is not done, or list what is."""
    parser = argparse.ArgumentParser(description="Accuracies over label budgets and seeds, for chapter 13.")
    parser.add_argument("--seeds", type=int, default=3, help="how many draws of each budget")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS), help="which ways")
    parser.add_argument("--most", type=int, default=max(BUDGETS), help="the largest budget")
    parser.add_argument("--list", action="store_true", help="print what is done and stop")
    options = parser.parse_args(arguments)
    done = {(r["way"], r["labels"], r["seed"]): r["accuracy"] for r in load()["runs"]}
    if options.list:
        print("\n".join(f"{way} {labels} {seed}: {a:.3f}" for (way, labels, seed), a in sorted(done.items())))
        return
    data = read_data()
    for way, labels, seed in planned(options.seeds):
        if (way, labels, seed) in done or way not in options.ways or labels > options.most:
            continue
        result = run(way, labels, seed, data)
        results = load()  # another process may have added to it
        store(results | {"truths": "".join(map(str, data[-1])), "runs": [*results["runs"], result]})
        print(f"{way} with {labels} labels, seed {seed}: {result['accuracy']:.3f}", flush=True)


if __name__ == "__main__":
    main()
