# ruff: noqa: I001 (mlp_step sets the number of threads, so it is imported before NumPy)
"""How long one step of training a convolutional network takes in NumPy and in Keras, and where the time goes.

python benchmarks/cnn_step.py                 measure, and store the result in benchmarks/results.json
python benchmarks/cnn_step.py --steps 10      fewer steps, for a look

The network is the CIFAR-10 network of chapter 11, in float32 with Adam and a batch of 64. As in mlp_step.py
both train from the same weights on the same batches, on one thread, one step each in turn, must have
made the same first steps before anything is timed, and are compared by medians of wall-clock and of processor
time. Beside their ratio stand

- the same for NumPy with ReLU behind the pooling, where it has a quarter of the numbers to bend: the largest
  of four numbers bent is the largest one, bent, so this network makes the same steps;
- what each layer's forward and backward pass take of NumPy's step, in processor time, and what is left of
  the very same steps for the loss and Adam;
- what chapter 9's quicker forms of the convolutions take, on the arrays of this network: with the batch
  innermost in memory, and then in blocks of patches;
- what the step's matrix products take when done alone, and how fast the machine multiplies large matrices;
- how many bytes the copying of patches writes, and the most memory a step of NumPy holds (tracemalloc).

The batches are drawn all at once. The 31 MB that are free afterwards teach the C library's allocator to keep
what a step frees for the next one; otherwise giving it back and fetching it again costs a few milliseconds
a step.
"""

import argparse
import os
import sys
import tracemalloc
from math import prod
from pathlib import Path
from time import process_time

from mlp_step import RESULTS, conditions, milliseconds, store

import keras
import numpy as np

from twice.convolution import (
    Conv2D,
    MaxPooling2D,
    conv2d,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
    windows,
)
from twice.layers import Activation, Dense, Flatten
from twice.models import Sequential
from twice.optimizers import Adam
from twice.progress import progress

IMAGE, FILTERS, UNITS, CLASSES, BATCH = (32, 32, 3), (32, 64, 128), 512, 10, 64
BATCHES = 20
FORMS = {"plain": None, "batch innermost": 2**62, "and in blocks": 2**18}  # numbers in a block of patches
LOSS = "sparse_categorical_crossentropy"


def numpy_network(relu_after_pooling=False):
    """Return the network of the book's package."""
    options = {"dtype": "float32", "rng": np.random.default_rng(0)}
    layers = []
    for filters in FILTERS:
        if relu_after_pooling:
            layers += [Conv2D(filters, 3, **options), MaxPooling2D(), Activation("relu")]
        else:
            layers += [Conv2D(filters, 3, activation="relu", **options), MaxPooling2D()]
    head = [Flatten(), Dense(UNITS, "relu", **options), Dense(CLASSES, "softmax", **options)]
    model = Sequential([*layers, *head])
    model.build((None, *IMAGE))
    model.compile(Adam(0.001), LOSS)
    return model


def keras_network(weights):
    """Return the same network from Keras, with the same weights."""
    keras.config.set_floatx("float32")
    make = keras.layers
    layers = [
        f for filters in FILTERS for f in (make.Conv2D(filters, 3, activation="relu"), make.MaxPooling2D())
    ]
    head = [make.Flatten(), make.Dense(UNITS, "relu"), make.Dense(CLASSES, "softmax")]
    model = keras.Sequential([keras.Input(IMAGE), *layers, *head])
    model.set_weights(weights)
    model.compile(keras.optimizers.Adam(0.001), LOSS)
    return model


def in_turn(networks, x, y, steps):
    """Return the median wall-clock and processor milliseconds of each network's step; Keras's is the last."""
    makers = [network.train_on_batch for network in networks]
    for step in range(5):  # the first one compiles, and all show that they do the same work
        *ours, theirs = (f(x[step], y[step]) for f in makers)
        for log in ours:
            np.testing.assert_allclose(log["loss"], theirs, rtol=1e-4, err_msg=f"step {step}")
    turns = progress(range(steps), "one step each in turn")
    times = [[milliseconds(f, x[i % BATCHES], y[i % BATCHES]) for f in makers] for i in turns]
    return np.median(times, axis=0)


def timed(f, times):
    """Return ``f``, which from now on notes how many milliseconds of processor time each call takes."""

    def g(*arguments):
        start = process_time()
        result = f(*arguments)
        times.append(1e3 * (process_time() - start))
        return result

    return g


def by_layer(model, x, y, steps):
    """Return the milliseconds of a step, and of each layer's passes in it and its matrix products alone."""
    notes = [([], []) for _ in model.layers]
    for layer, (forward, backward) in zip(model.layers, notes, strict=True):
        layer.forward = timed(layer.forward, forward)
        way = "backward_logits" if layer is model.layers[-1] else "backward"
        setattr(layer, way, timed(getattr(layer, way), backward))
    whole = []
    step = timed(model.train_on_batch, whole)
    for i in range(steps):
        step(x[i % BATCHES], y[i % BATCHES])
    return float(np.median(whole)), [
        {
            "layer": type(layer).__name__,
            "output": shape[1:],
            "forward_ms": round(float(np.median(forward)), 3),
            "backward_ms": round(float(np.median(backward)), 3),
            "products_ms": round(sum(product_ms(*sizes) for sizes in products(layer, shape)), 3),
        }
        for layer, shape, (forward, backward) in zip(model.layers, model.shapes[1:], notes, strict=True)
    ]


def columns(a):
    """Return a matrix with a column for each place of an array of shape (n, h′, w′, …)."""
    return a.transpose(*range(3, a.ndim), 1, 2, 0).reshape(prod(a.shape[3:]), -1)


def innermost(shape, dtype):
    """Return zeros of shape (n, h, w, c) that lie in memory in the order (c, h, w, n)."""
    n, h, w, c = shape
    return np.zeros((c, h, w, n), dtype).transpose(3, 1, 2, 0)


def blocks(view, numbers):
    """Return slices of rows of places with about so many numbers under their windows."""
    height = max(1, numbers // prod(view[:, 0].shape))
    return [np.s_[:, p : p + height] for p in range(0, view.shape[1], height)]


def quick_conv2d(x, W, numbers):
    """Return `twice.convolution.conv2d` of images with the batch innermost."""
    view = windows(x, W.shape[:2])
    z = innermost((*view.shape[:3], W.shape[3]), x.dtype)
    for b in blocks(view, numbers):
        np.matmul(W.reshape(-1, W.shape[3]).T, columns(view[b]), out=columns(z[b]))
    return z


def quick_kernel_gradient(x, dz, size, numbers):
    """Return the gradient of its kernel."""
    view = windows(x, size)
    dW = sum(columns(view[b]) @ columns(dz[b]).T for b in blocks(view, numbers))
    return dW.reshape(*view.shape[3:], dz.shape[3])


def quick_input_gradient(dz, W, shape, numbers):
    """Return the gradient of its images."""
    dx = innermost(shape, dz.dtype)
    view = windows(dx, W.shape[:2])
    for b in blocks(view, numbers):
        parts = W.reshape(-1, W.shape[3]) @ columns(dz[b])  # (kh kw c, places)
        n, h, w = dz[b].shape[:3]
        parts = parts.reshape(*W.shape[:3], h, w, n).transpose(0, 1, 5, 3, 4, 2)
        for i, j in np.ndindex(W.shape[:2]):
            view[b][:, :, :, i, j] += parts[i, j]
    return dx


def by_form(model, repeats=15):
    """Return for each convolution and each form of it what its three functions take in milliseconds."""
    found, rng = [], np.random.default_rng(3)
    for layer, before, after in zip(model.layers, model.shapes, model.shapes[1:], strict=False):
        if isinstance(layer, Conv2D):
            x, dz = (rng.normal(size=(BATCH, *s[1:])).astype("f") for s in (before, after))
            for form, numbers in FORMS.items():
                times = form_ms(x, layer.W, dz, numbers, repeats)
                if layer.first:
                    times["input_ms"] = 0  # which the step leaves out
                found.append({"output": after[1:], "form": form, **times})
    return found


def form_ms(x, W, dz, numbers, repeats):
    """Return what the three functions take in one form, after comparing them with the plain ones."""
    plain = [conv2d, conv2d_kernel_gradient, conv2d_input_gradient]
    arguments = [(x, W), (x, dz, W.shape[:2]), (dz, W, x.shape)]
    functions = plain
    if numbers:
        laid = {id(a): innermost(a.shape, a.dtype) for a in (x, dz)}
        for a in (x, dz):
            laid[id(a)][...] = a
        arguments = [tuple(laid.get(id(a), a) for a in given) + (numbers,) for given in arguments]
        functions = [quick_conv2d, quick_kernel_gradient, quick_input_gradient]
        for f, g, given in zip(functions, plain, arguments, strict=True):
            np.testing.assert_allclose(f(*given), g(*given[:-1]), rtol=1e-3, atol=1e-2)
    result = {}
    for name, f, given in zip(("forward_ms", "kernel_ms", "input_ms"), functions, arguments, strict=True):
        times = []
        for _ in range(repeats):
            timed(f, times)(*given)
        result[name] = round(float(np.median(times)), 3)
    return result


def products(layer, shape):
    """Return the sizes (m, k, n) of the matrix products, m × k times k × n, in a step of the layer."""
    if not layer.params:
        return []
    rows, n = BATCH * prod(shape[1:-1]), shape[-1]
    k = layer.W.size // n
    forward, kernel, inputs = (rows, k, n), (k, rows, n), (rows, n, k)
    return [forward, kernel] if layer.first else [forward, kernel, inputs]


def product_ms(m, k, n):
    """Return how many milliseconds the product of two matrices takes."""
    rng, times = np.random.default_rng(2), []
    a, b = rng.normal(size=(m, k)).astype("f"), rng.normal(size=(k, n)).astype("f")
    multiply = timed(np.matmul, times)
    for _ in range(11):
        multiply(a, b)
    return float(np.median(times))


def gflop(m, k, n):
    """Return the billions of operations of a product: a multiplication and an addition for each triple."""
    return 2e-9 * m * k * n


def peak_memory(model, x, y):
    """Return the most megabytes that a step holds beside the weights and Adam's averages."""
    model.train_on_batch(x, y)
    tracemalloc.start()
    model.train_on_batch(x, y)
    model.train_on_batch(x, y)  # begins with what the step before has left in the layers
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(peak / 1e6, 1)


def measure(steps):
    """Return everything that is stored."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(BATCHES, BATCH, *IMAGE)).astype("float32")
    y = rng.integers(CLASSES, size=(BATCHES, BATCH))
    ours, reordered = numpy_network(), numpy_network(relu_after_pooling=True)
    networks = ours, reordered, keras_network(ours.weights)
    (ours_wall, ours_cpu), (_, reordered_cpu), (theirs_wall, theirs_cpu) = in_turn(networks, x, y, steps)
    sizes = [products(layer, shape) for layer, shape in zip(ours.layers, ours.shapes[1:], strict=True)]
    forward = [found[0] for layer, found in zip(ours.layers, sizes, strict=True) if isinstance(layer, Conv2D)]
    patches = sum(m * k for m, k, _ in forward)
    memory = peak_memory(ours, x[0], y[0])
    forms = by_form(ours)
    whole, layers = by_layer(ours, x, y, steps)
    in_layers = sum(layer["forward_ms"] + layer["backward_ms"] for layer in layers)
    products_ms = sum(layer["products_ms"] for layer in layers)
    return {
        "steps": steps,
        "numpy_ms": round(ours_wall, 3),
        "keras_ms": round(theirs_wall, 3),
        "times_keras": round(ours_wall / theirs_wall, 2),
        "numpy_processor_ms": round(ours_cpu, 3),
        "keras_processor_ms": round(theirs_cpu, 3),
        "times_keras_processor": round(ours_cpu / theirs_cpu, 2),
        "relu_after_pooling_processor_ms": round(reordered_cpu, 3),
        "relu_after_pooling_times_keras_processor": round(reordered_cpu / theirs_cpu, 2),
        "gflop": round(sum(gflop(*size) for found in sizes for size in found), 3),
        "gflop_per_second": round(1e3 * gflop(1024, 1024, 1024) / product_ms(1024, 1024, 1024), 1),
        "products_ms": round(products_ms, 3),
        "products_share": round(products_ms / ours_cpu, 2),
        "patches_megabytes": round(2 * 4 * patches / 1e6, 1),  # forward and backward, four bytes each
        "peak_megabytes": memory,
        "layers": layers,
        "layers_step_ms": round(whole, 3),
        "rest_ms": round(whole - in_layers, 3),
        "forms": forms,
        "load": round(os.getloadavg()[0], 1),  # other work on the machine; 1 or less: a quiet one
    }


def main():
    """Measure, print the result, and store it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200, help="steps of each maker")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file to store the result in")
    arguments = parser.parse_args()
    result = {"network": [*FILTERS, UNITS, CLASSES], "batch": BATCH, "dtype": "float32", "optimizer": "Adam"}
    result |= measure(arguments.steps)
    store("cnn_step", result | conditions(), arguments.results)
    for layer in result["layers"]:
        print("{layer:<16}forward {forward_ms} ms, backward {backward_ms} ms".format(**layer))
    for form in FORMS:
        times = [f[name] for f in result["forms"] if f["form"] == form for name in f if name.endswith("_ms")]
        print(f"convolutions, {form}: {sum(times):.2f} ms")
    print(
        "NumPy {numpy_processor_ms} ms, Keras {keras_processor_ms} ms of processor time: NumPy takes "
        "{times_keras_processor} times as long, {products_share:.0%} of it matrix products; at most "
        "{peak_megabytes} MB. With ReLU behind the pooling: {relu_after_pooling_processor_ms} ms, "
        "{relu_after_pooling_times_keras_processor} times".format(**result)
    )
    print(f"stored in {arguments.results}")


if __name__ == "__main__":
    sys.exit(main())
