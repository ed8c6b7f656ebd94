"""What the arguments of layers, optimizers and models may be.

Each function returns the value it was given, or raises an error that names the argument, what was expected
and what came.
"""

from numbers import Real

import numpy as np


def positive_integer(name, value):
    """Return ``value`` if it is a whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name}: expected a positive integer, got {value!r}")
    return int(value)


def between(name, value, low, high):
    """Return ``value`` if low ≤ value < high."""
    if not isinstance(value, Real) or not low <= value < high:
        raise ValueError(f"{name}: expected a number from {low} to below {high}, got {value!r}")
    return value


def choice(name, value, table):
    """Return ``table[value]``, or ``value`` itself where it is a function of the reader's own."""
    if callable(value):
        return value
    if value not in table:
        raise ValueError(f"{name}: expected one of {', '.join(table)}; got {value!r}")
    return table[value]


def float_type(name, dtype):
    """Return ``dtype`` as NumPy's float32 or float64."""
    if dtype not in ("float32", "float64", np.float32, np.float64):
        raise ValueError(f"{name}: expected 'float32' or 'float64', got {dtype!r}")
    return np.dtype(dtype)


def generator(name, rng):
    """Return ``rng`` if it is a source of random numbers."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"{name}: expected a generator such as np.random.default_rng(0), got {rng!r}")
    return rng


def finite(name, value):
    """Return ``value`` as an array, if it holds numbers, at least one, and neither NaN nor infinity."""
    a = np.asarray(value)
    if a.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected numbers, got {type(value).__name__} of dtype {a.dtype}")
    if a.size == 0:
        raise ValueError(f"{name}: expected at least one number, got shape {a.shape}")
    if not np.isfinite(a).all():
        raise ValueError(f"{name}: expected finite numbers, got {np.sum(~np.isfinite(a))} that are not")
    return a


def shaped(name, a, shape, like):
    """Return ``a`` if it has ``shape``; ``like`` says where that shape comes from."""
    if a.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, {like}; got {a.shape}")
    return a


def labels(name, y, classes):
    """Return ``y`` if it holds whole numbers from 0 to ``classes`` − 1, one for each example."""
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise ValueError(f"{name}: expected integers of shape (n,), got {y.dtype} of shape {y.shape}")
    if y.min() < 0 or y.max() >= classes:
        raise ValueError(f"{name}: expected labels 0 to {classes - 1}, got {y.min()} to {y.max()}")
    return y


def examples(x, y, input_shape, output_shape, sparse):
    """Return inputs and targets as arrays, if they fit each other and the network.

    Parameters
    ----------
    x, y : array_like
        Inputs and targets.
    input_shape, output_shape : tuple
        What the network takes and returns, (None, …).
    sparse : bool
        Whether the targets are labels rather than arrays like the outputs.
    """
    x, y = finite("x", x), finite("y", y)
    if len(x) != len(y):
        raise ValueError(f"y: expected one target for each of the {len(x)} inputs, got {len(y)}")
    shaped("x", x, (len(x), *input_shape[1:]), "which the network was built for")
    if sparse:
        return x, labels("y", y, output_shape[-1])
    return x, shaped("y", y, (len(y), *output_shape[1:]), "that of the predictions")
