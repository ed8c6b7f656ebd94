# ruff: noqa: I001 (mlp_step sets the number of threads, so it is imported before NumPy)
"""How long the book's `Conv2D` takes beside numpy-ml's, another one in NumPy that teaches.

pip install --no-deps numpy-ml
python benchmarks/conv_layers.py                 measure, and store the result in benchmarks/results.json
python benchmarks/conv_layers.py --steps 3       fewer steps, for a look

The layers are the three convolutions of chapter 11's network, in float64 with a batch of 64, forward and
backward, on one thread, one pass each in turn, on the same weights and arrays. Before anything is timed both
must have computed the same answers and the same gradients. Stored are medians of processor time.
"""

import argparse
import collections
import collections.abc
from importlib.metadata import version
from pathlib import Path

from mlp_step import RESULTS, conditions, milliseconds, store

import numpy as np

from twice.convolution import Conv2D
from twice.progress import progress

LAYERS = [((32, 32, 3), 32), ((15, 15, 32), 64), ((6, 6, 64), 128)]  # the input's shape, the filters
BATCH = 64


def numpy_ml_layer(filters, x):
    """Return a function that runs numpy-ml's layer forward and backward, and the layer."""
    collections.Hashable = collections.abc.Hashable  # where numpy-ml 0.1.2 still looks for it
    from numpy_ml.neural_nets.layers import Conv2D as NumpyMLConv2D

    layer = NumpyMLConv2D(out_ch=filters, kernel_shape=(3, 3))
    layer.forward(x, retain_derived=False)  # which makes the parameters

    def passes(x, dz):
        layer.flush_gradients()
        z = layer.forward(x)
        return z, layer.backward(dz), layer.gradients["W"], layer.gradients["b"].ravel()

    return passes, layer


def our_layer(filters, x):
    """Return a function that runs the book's layer forward and backward, and the layer."""
    layer = Conv2D(filters, 3, rng=np.random.default_rng(0))
    layer.build(x.shape)

    def passes(x, dz):
        z = layer.forward(x)
        return z, layer.backward(dz), *layer.grads

    return passes, layer


def measure(shape, filters, steps):
    """Return the median milliseconds of both layers' passes over arrays of this shape."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(BATCH, *shape))
    (ours, book), (theirs, other) = our_layer(filters, x), numpy_ml_layer(filters, x)
    for name, value in zip(("W", "b"), (book.W, book.b), strict=True):
        other.parameters[name] = value.reshape(other.parameters[name].shape)
    dz = rng.normal(size=book.forward(x).shape)
    for one, another in zip(ours(x, dz), theirs(x, dz), strict=True):
        np.testing.assert_allclose(one, another, atol=1e-8)
    turns = progress(range(steps), f"{filters} filters")
    times = np.median([[milliseconds(f, x, dz)[1] for f in (ours, theirs)] for _ in turns], axis=0)
    return {
        "input": shape,
        "filters": filters,
        "numpy_ms": round(times[0], 1),
        "numpy_ml_ms": round(times[1], 1),
        "ratio": round(times[1] / times[0], 2),
    }


def main():
    """Measure every layer and store the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    layers = [measure(shape, filters, options.steps) for shape, filters in LAYERS]
    result = {"batch": BATCH, "dtype": "float64", "steps": options.steps, "layers": layers}
    store("conv_layers", {**result, "numpy_ml": version("numpy-ml"), **conditions()}, options.results)


if __name__ == "__main__":
    main()
