# ruff: noqa: E402
"""CIFAR-10 step by step: the runs behind chapter 11, each one row of its table with one seed.

python benchmarks/cifar10.py --list                    what there is, and what is done
python benchmarks/cifar10.py --row residual --seed 1   one run
python benchmarks/cifar10.py --all                     every run that is not done, seed by seed
python benchmarks/cifar10.py --export                  bring the results into the package, for the chapter

A run leaves one file, benchmarks/cifar10/ROW-SEED.json. A run that has its file is not repeated; one that was
interrupted goes on after its last whole epoch, from the checkpoint in _build/cifar10.

Every row is the one before it with one thing changed, and as many epochs. Four rows stand apart: `document`,
the program as it was written; `plain-long` and `augmentation-long`, which have three times the epochs and
nothing else new; and `best`, which is wider and trains longer. The last 5,000 training images are kept back:
they choose the epoch whose weights are tested, and the test images are looked at once, at the end. `document`
alone trains on all images and watches the test images after every epoch, as it did.

To be affordable on a processor the networks compute in bfloat16, which has the range of float32 and 8
significant bits; weights, losses and the optimizer's averages stay in float32. `document` is all float32.
"""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import json
import platform
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import process_time

import keras
import numpy as np
import tensorflow as tf
from keras.layers import (
    Activation,
    Add,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
)

from twice.data import cifar10
from twice.models import averages, batches

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "cifar10"
CHECKPOINTS = ROOT / "_build" / "cifar10"
ASSETS = ROOT / "src" / "twice" / "assets"
THREADS = int(os.environ.get("TF_NUM_INTRAOP_THREADS", "2"))
VALIDATION, SHIFT = 5_000, 4


@dataclass(frozen=True)
class Row:
    """One row of the table: the settings of a network and of its training."""

    epochs: int = 10
    batch_size: int = 128
    augmentation: bool = False
    dropout: float = 0.0
    normalization: bool = False
    schedule: bool = False
    blocks: bool = False  # two more convolutions behind the second and the third pooling
    around: bool = False  # a way around each of these blocks: their input is added to what they make of it
    label_smoothing: float = 0.0
    filters: tuple = (32, 64, 128)
    padding: str = "valid"
    units: int = 512  # of the dense layer; 0 for the average over the map in its place
    learning_rate: float = 0.001
    dtype: str = "mixed_bfloat16"
    validation: int = VALIDATION


ROWS = {"document": Row(batch_size=64, dtype="float32", validation=0), "plain": Row()}
ROWS["augmentation"] = replace(ROWS["plain"], augmentation=True)
ROWS["dropout"] = replace(ROWS["augmentation"], dropout=0.3)
ROWS["normalization"] = replace(ROWS["dropout"], normalization=True)
ROWS["schedule"] = replace(ROWS["normalization"], schedule=True, learning_rate=0.003)
ROWS["stacked"] = replace(ROWS["schedule"], blocks=True)
ROWS["residual"] = replace(ROWS["stacked"], around=True)
ROWS["smoothing"] = replace(ROWS["residual"], label_smoothing=0.1)
ROWS["best"] = replace(ROWS["smoothing"], epochs=16, filters=(48, 96, 144), padding="same", units=0)
LADDER = [name for name in ROWS if name not in ("document", "best")]
ROWS["plain-long"] = replace(ROWS["plain"], epochs=30)
ROWS["augmentation-long"] = replace(ROWS["augmentation"], epochs=30)


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer, computed by TensorFlow's one fused operation: half the time in bfloat16.

    The fused operation's running variance has n − 1 for n in the denominator; n is a few thousand here.
    """

    def call(self, x, training=None):
        """Return the normalized batch, with its own statistics while training."""
        parameters = (self.gamma, self.beta, self.moving_mean, self.moving_variance)
        y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            x, *parameters, epsilon=self.epsilon, is_training=bool(training)
        )
        if training:
            self.moving_mean.assign(self.momentum * self.moving_mean + (1 - self.momentum) * mean)
            self.moving_variance.assign(self.momentum * self.moving_variance + (1 - self.momentum) * variance)
        return y


def block(x, around):
    """Return what two convolutions make of x, in the shape of x; with a way around them, x is added."""
    y = Conv2D(x.shape[-1], 3, padding="same", use_bias=False)(x)
    y = Activation("relu")(BatchNormalization(momentum=0.9)(y))
    y = Conv2D(x.shape[-1], 3, padding="same", use_bias=False)(y)
    y = BatchNormalization(momentum=0.9)(y)
    return Activation("relu")(Add()([x, y]) if around else y)


def network(row):
    """Return the row's network: the document's three convolutions, and what the row adds to them.

    The pooling comes before the ReLU, on four times as many numbers as after it: for the maximum the order
    makes no difference.
    """
    x = inputs = keras.Input((32, 32, 3))
    for filters in row.filters:
        x = Conv2D(filters, 3, padding=row.padding, use_bias=not row.normalization)(x)
        x = MaxPooling2D()(x)
        if row.normalization:
            x = BatchNormalization(momentum=0.9)(x)
        x = Activation("relu")(x)
        if row.blocks and filters > row.filters[0]:  # on the first, largest maps a block costs most
            x = block(x, row.around)
    x = Dense(row.units, activation="relu")(Flatten()(x)) if row.units else GlobalAveragePooling2D()(x)
    if row.dropout:
        x = Dropout(row.dropout)(x)
    return keras.Model(inputs, Dense(10, activation="softmax", dtype="float32")(x))


def compiled(row, seed, images):
    """Return the row's network with its optimizer and loss, from its seed."""
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(row.dtype)
    model = network(row)
    rate = row.learning_rate
    if row.schedule:
        steps = row.epochs * -(-images // row.batch_size)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, steps - steps // 10, warmup_target=rate, warmup_steps=steps // 10
        )
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=row.label_smoothing)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)
    return model


def augment(x, rng):
    """Return the images, each shifted by up to 4 pixels each way, and half of them mirrored.

    What a shift leaves open is filled by mirroring the image at its border.
    """
    n, height, width, _ = x.shape
    padded = np.pad(x, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="reflect")
    rows = rng.integers(2 * SHIFT + 1, size=(n, 1)) + np.arange(height)
    columns = rng.integers(2 * SHIFT + 1, size=(n, 1)) + np.arange(width)
    mirrored = rng.random(n) < 0.5
    columns[mirrored] = columns[mirrored, ::-1]
    return padded[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def train_epoch(model, row, x, y, rng):
    """Train on every image once; return the mean loss and the mean accuracy of the batches as they went."""
    parts = batches(rng.permutation(len(x)), row.batch_size)
    logs = []
    for part in parts:
        images = augment(x[part], rng) if row.augmentation else x[part]
        model.reset_metrics()
        log = model.train_on_batch(scaled(images), np.eye(10)[y[part]], return_dict=True)
        logs.append({name: float(value) for name, value in log.items()})
    return averages(logs, parts)


def predict(model, x):
    """Return the probabilities of the images, (n, 10), in float64."""
    parts = np.array_split(x, -(-len(x) // 500))
    return np.concatenate([model.predict_on_batch(scaled(part)) for part in parts]).astype(np.float64)


def scores(p, y):
    """Return the mean cross-entropy, without smoothing, and the accuracy."""
    loss = -np.log(np.maximum(p[np.arange(len(y)), y], 1e-7)).mean()
    return {"loss": float(loss), "accuracy": float((p.argmax(1) == y).mean())}


def logit_distances(p, y):
    """Return percentiles of the true logit less the mean of the others, over the images that are right."""
    logits, true = np.log(np.maximum(p, 1e-30)), np.arange(len(y))
    distances = (logits[true, y] - (logits.sum(axis=1) - logits[true, y]) / 9)[p.argmax(1) == y]
    return np.percentile(distances, [5, 25, 50, 75, 95]).round(3).tolist()


def scaled(images):
    """Return the pixels from 0 to 1, in float32."""
    return images.astype(np.float32) / 255


def state(model):
    """Return everything that the next epoch starts from: weights, averages, the seeds of dropout."""
    return [*model.variables, *model.optimizer.variables]


def save(path, arrays):
    """Write arrays to an npz file, which is there in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, *arrays)
    part.replace(path)


def load(path):
    """Return the arrays of an npz file in their order."""
    with np.load(path) as file:
        return [file[name] for name in file.files]


def write(path, result):
    """Write a result as JSON, in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


class Run:
    """One row with one seed: its files, its training, its result."""

    def __init__(self, name, row, seed, results=RESULTS, checkpoints=CHECKPOINTS):
        self.name, self.row, self.seed = name, row, seed
        self.result = results / f"{name}-{seed}.json"
        self.checkpoint = checkpoints / f"{name}-{seed}.npz"
        self.chosen = checkpoints / f"{name}-{seed}-chosen.npz"

    def resume(self, model):
        """Return the log so far, the model set to where it ended."""
        if not self.checkpoint.exists():
            return []
        *arrays, log = load(self.checkpoint)
        for variable, value in zip(state(model), arrays, strict=True):
            variable.assign(value)
        return json.loads(str(log))

    def train(self, data):
        """Train to the end, store the result, and return it."""
        (x, y), (x_test, y_test) = data
        kept = len(x) - self.row.validation
        watched = (x[kept:], y[kept:]) if self.row.validation else (x_test, y_test)
        model = compiled(self.row, self.seed, kept)
        log = self.resume(model)
        for epoch in range(len(log), self.row.epochs):
            start = process_time()
            rng = np.random.default_rng([self.seed, epoch])
            entry = {"epoch": epoch + 1, **train_epoch(model, self.row, x[:kept], y[:kept], rng)}
            seen = scores(predict(model, watched[0]), watched[1])
            entry |= {f"val_{name}": value for name, value in seen.items()}
            log.append(entry | {"processor_seconds": round(process_time() - start, 1)})
            self.keep(model, log)
        return self.finish(model, log, x_test, y_test)

    def keep(self, model, log):
        """Keep the state after an epoch, and the weights if no epoch was better; say how it went."""
        if log[-1]["val_accuracy"] >= max(entry["val_accuracy"] for entry in log):
            save(self.chosen, model.get_weights())
        save(self.checkpoint, [*(variable.numpy() for variable in state(model)), json.dumps(log)])
        print(f"{self.name}, seed {self.seed}:", json.dumps(log[-1]), flush=True)

    def finish(self, model, log, x_test, y_test):
        """Test the chosen weights, once, and store what came out."""
        if self.row.validation:
            model.set_weights(load(self.chosen))
        p = predict(model, x_test)
        tested = scores(p, y_test)
        result = {
            "row": self.name,
            "seed": self.seed,
            "command": f"python benchmarks/cifar10.py --row {self.name} --seed {self.seed}",
            "settings": asdict(self.row),
            "conditions": conditions(),
            "parameters": trainable(model),
            "log": log,
            "chosen_epoch": chosen_epoch(log) if self.row.validation else len(log),
            "test_loss": tested["loss"],
            "test_accuracy": tested["accuracy"],
            "test_confidence": float(p.max(axis=1).mean()),
            "logit_distances": logit_distances(p, y_test),
        }
        write(self.result, result)
        print(f"{self.name}, seed {self.seed}: test accuracy {tested['accuracy']:.4f}", flush=True)
        return result


def trainable(model):
    """Return how many numbers gradients change: the moving averages are not among them."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def chosen_epoch(log):
    """Return the last of the epochs with the highest validation accuracy, counted from 1."""
    return max(log, key=lambda entry: (entry["val_accuracy"], entry["epoch"]))["epoch"]


def conditions():
    """Return where the run was made, in general words."""
    return {
        "machine": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores, no GPU used",
        "threads": THREADS,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }


def export(run):
    """Bring what chapter 11 reads into the package: all results, and the weights that a run has chosen.

    The weights are stored as float16, in the order of the network's layers; where the run's checkpoint is
    not at hand, those in the package stay.
    """
    files = sorted(RESULTS.glob("*.json"))
    write(ASSETS / "cifar-10-runs.json", [json.loads(file.read_text(encoding="utf-8")) for file in files])
    if run.chosen.exists():
        weights = [w.astype(np.float16) for w in load(run.chosen) if w.dtype == np.float32]
        np.savez_compressed(ASSETS / "cifar-10-network.npz", *weights)


def plan(seeds):
    """Return every run, in the order in which they are most use if time ends early."""
    first = [("best", 0), *((name, 0) for name in ROWS if name != "best")]
    return first + [(name, seed) for seed in seeds[1:] for name in ROWS]


def main(arguments=None):
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--row", choices=ROWS, help="the row to run")
    parser.add_argument("--seed", type=int, default=0, help="its seed (default: 0)")
    parser.add_argument("--all", action="store_true", help="run every row with the seeds 0, 1 and 2")
    parser.add_argument("--list", action="store_true", help="list the runs and what is done")
    parser.add_argument("--export", action="store_true", help="bring results and weights into the package")
    options = parser.parse_args(arguments)
    if options.export:
        return export(Run("best", ROWS["best"], 0))
    runs = [Run(name, ROWS[name], seed) for name, seed in plan(range(3))]
    if options.row:
        runs = [Run(options.row, ROWS[options.row], options.seed)]
    elif not options.all:
        for run in runs:
            print(f"{run.name:<15}{run.seed}  {'done' if run.result.exists() else 'to do'}")
        return None
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    data = cifar10()
    for run in runs:
        if not run.result.exists():
            run.train(data)
    return None


if __name__ == "__main__":
    sys.exit(main())
