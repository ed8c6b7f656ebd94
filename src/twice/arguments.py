"""What the arguments of the package's functions, layers, optimizers and models may be.

Each function returns the value it was given, or raises an error that names the argument, what was expected
and what came. `takes` sets such a function before one that the book teaches, so that the body of that one
stays as short as the mathematics.
"""

from copy import copy, deepcopy
from functools import wraps
from inspect import signature
from numbers import Real

import numpy as np


def takes(check, *names):
    """Return a decorator: a function gets its arguments ``names`` as ``check`` returns them.

    Parameters
    ----------
    check : callable
        Gets these arguments under their names. It returns what the function shall have in their place, in the
        same order, or raises an error.
    *names : str
        Arguments that follow each other; ``self`` may be one.
    """

    def before(function):
        form = signature(function)
        start = list(form.parameters).index(names[0])
        end = start + len(names)
        if tuple(form.parameters)[start:end] != names:
            raise TypeError(f"takes: expected arguments of {function.__name__} in their order, got {names}")

        @wraps(function)
        def checked(*given, **options):
            if options or len(given) < end:  # some come by name or are left out
                bound = form.bind(*given, **options)
                bound.apply_defaults()
                given, options = bound.args, bound.kwargs
            values = check(**dict(zip(names, given[start:end], strict=True)))
            return function(*given[:start], *values, *given[end:], **options)

        return checked

    return before


# ---------------------------------------------------------------------------- single values


def positive_integer(name, value):
    """Return ``value`` if it is a whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name}: expected a positive integer, got {value!r}")
    return int(value)


def between(name, value, low, high):
    """Return ``value`` if low ≤ value < high, as a plain float, beside which float32 stays float32."""
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= value < high:
        raise ValueError(f"{name}: expected a number from {low} to below {high}, got {value!r}")
    return float(value)


def choice(name, value, table):
    """Return ``table[value]``; in a table of functions ``value`` may be a function of the reader's own."""
    if callable(value) and all(callable(known) for known in table.values()):
        return value
    if not isinstance(value, str) or value not in table:
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


# ---------------------------------------------------------------------------- arrays


def numbers(name, value):
    """Return ``value`` as an array, if it holds numbers."""
    a = np.asarray(value)
    if a.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected numbers, got {type(value).__name__} of dtype {a.dtype}")
    return a


def finite(name, value):
    """Return ``value`` as an array, if it holds numbers, at least one, and neither NaN nor infinity."""
    a = numbers(name, value)
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


def labels(name, y, classes, shape):
    """Return ``y`` if it has ``shape`` and holds whole numbers from 0 to ``classes`` − 1."""
    if y.shape != shape or y.dtype.kind not in "iu":
        raise ValueError(f"{name}: expected integers of shape {shape}, got {y.dtype} of shape {y.shape}")
    if y.size and (y.min() < 0 or y.max() >= classes):
        raise ValueError(f"{name}: expected labels 0 to {classes - 1}, got {y.min()} to {y.max()}")
    return y


def floats(**given):
    """Return numbers as float32 or float64.

    Integers and booleans take the type of the floats beside them, or float64: in uint8, 200 + 100 is 44.
    float16 becomes float32, as it has no room for ε = 1e-7 beside 1.
    """
    arrays = [numbers(name, value) for name, value in given.items()]
    if all(a.dtype.char in "fd" for a in arrays):  # float32 and float64
        return arrays
    kinds = [a.dtype for a in arrays if a.dtype.kind == "f"]
    common = np.result_type(np.float32, *kinds) if kinds else np.float64
    return [a if a.dtype.char in "fd" else a.astype(common) for a in arrays]


def alike(**given):
    """Return two arrays as floats, if both have the same shape and at least one axis."""
    (name, other), (a, b) = given, floats(**given)
    if b.ndim == 0:
        raise ValueError(f"{other}: expected shape (n, d), got a single number")
    return shaped(name, a, b.shape, f"that of {other}"), b


def labelled(y, y_hat):
    """Return labels and rows of floats, if there is a label for each row."""
    (y_hat,) = floats(y_hat=y_hat)
    if y_hat.ndim == 0:
        raise ValueError("y_hat: expected shape (..., K), got a single number")
    return labels("y", np.asarray(y), y_hat.shape[-1], y_hat.shape[:-1]), y_hat


# ---------------------------------------------------------------------------- what metrics compare


def answers(y, y_pred):
    """Return true and predicted labels, if they have one shape; a single ``y_pred`` is everybody's."""
    y, y_pred = np.asarray(y), np.asarray(y_pred)
    return y, y_pred if y_pred.ndim == 0 else shaped("y_pred", y_pred, y.shape, "that of y")


def binary(**given):
    """Return arrays of one shape, if they hold nothing but 0 and 1."""
    arrays = {name: numbers(name, value) for name, value in given.items()}
    first, *_ = arrays
    for name, a in arrays.items():
        shaped(name, a, arrays[first].shape, f"that of {first}")
        if (odd := a[(a != 0) & (a != 1)]).size:
            raise ValueError(f"{name}: expected labels 0 and 1, got {odd.flat[0]}")
    return arrays.values()


def counted(y, y_pred, classes):
    """Return true and predicted labels from 0 to ``classes`` − 1, booleans as 0 and 1."""
    y, y_pred = (a.astype(int) if a.dtype == bool else a for a in map(np.asarray, (y, y_pred)))
    classes = positive_integer("classes", classes)
    return labels("y", y, classes, (y.size,)), labels("y_pred", y_pred, classes, y.shape), classes


def scored(y, score, name="score"):
    """Return labels and finite scores of shape (n,), the scores as floats."""
    y, (score,) = numbers("y", y), floats(score=finite(name, score))
    return shaped("y", y, (y.size,), "a label each"), shaped(name, score, y.shape, "that of y")


def promised(y, p, bins):
    """Return outcomes 0 and 1, their probabilities, and a number of intervals."""
    y, p = scored(*binary(y=y), p, "p")
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"p: expected probabilities from 0 to 1, got {p.min():.3g} to {p.max():.3g}")
    return y, p, positive_integer("bins", bins)


# ---------------------------------------------------------------------------- what layers and optimizers get


def fitting(self, x):
    """Return a layer and its input, if that holds something and the layer's weights, once made, fit it.

    The size of the input's last axis is the last but one of a kernel, and the only one of γ.
    """
    x, W = numbers("x", x), self.params[0]
    if x.size == 0 or x.ndim < 2:
        raise ValueError(f"x: expected shape (n, d), got {x.shape}")
    if W is not None and (x.shape[-1] != W.shape[-2:][0] or x.ndim != W.ndim > 1):
        inner = {1: "…, ", 2: "", 4: "h, w, "}[W.ndim]
        shape = f"(n, {inner}{W.shape[-2:][0]})"
        raise ValueError(f"x: expected shape {shape}, which the layer was built for; got {x.shape}")
    return self, x


def owned(self, grads, params):
    """Return an optimizer, and a gradient for each of its parameters: always those of its first step."""
    grads, params = list(grads), list(params)
    if len(grads) != len(params):
        raise ValueError(f"grads: expected one for each of the {len(params)} parameters, got {len(grads)}")
    for w, g in zip(params, grads, strict=True):
        if not isinstance(w, np.ndarray) or w.dtype.kind != "f":
            raise TypeError(f"params: expected arrays of floats, which a step can change, got {w!r}")
        if np.shape(g) != w.shape:
            raise ValueError(f"grads: expected shape {w.shape}, that of the parameter; got {np.shape(g)}")
    if self.state is None:
        self.params = params
    if not same(self.params, params):
        raise ValueError("params: expected those of the optimizer's first step; other ones need their own")
    return self, grads, params


def same(ours, theirs):
    """Return whether two lists hold the very same objects."""
    return len(ours) == len(theirs) and all(a is b for a, b in zip(ours, theirs, strict=True))


# ---------------------------------------------------------------------------- what networks get


def distinct(self, layers):
    """Return a network and its layers: at least one, and none twice, as each remembers its last input."""
    layers = list(layers)
    if not layers:
        raise ValueError("layers: expected at least one, got none")
    for i, layer in enumerate(layers):
        if not callable(getattr(layer, "forward", None)):
            raise TypeError(f"layers: expected those of twice.layers, such as Flatten(); got {layer!r}")
        if any(layer is other for other in layers[:i]):
            kind = type(layer).__name__
            raise ValueError(f"layers: expected each one once, got the same {kind} again: make a second one")
    return self, layers


def weighted(self):
    """Return a network if its weights have been made."""
    if any(w is None for w in self.weights):
        raise ValueError("weights: the network has none yet; call build((None, …)) first")
    return [self]


def built(self):
    """Return a network if the shapes of what its layers return are known."""
    if not self.shapes:
        raise ValueError("shapes: the network knows none yet; call build((None, …)) first")
    return [self]


def replacing(self, values):
    """Return a network, and an array for each of its weights."""
    weighted(self)
    weights, values = self.weights, [numbers("values", value) for value in values]
    if len(values) != len(weights):
        raise ValueError(f"values: expected {len(weights)} arrays, one for each weight; got {len(values)}")
    for w, value in zip(weights, values, strict=True):
        shaped("values", value, w.shape, "that of the weight")
    return self, values


def trainable(self, optimizer, loss):
    """Return a network with an optimizer that has trained no other, and with a loss."""
    steps = callable(getattr(optimizer, "apply", None)) and not isinstance(optimizer, type)
    if not steps or hasattr(optimizer, "apply_gradients"):  # a name, a class, or one of Keras's
        raise TypeError(f"optimizer: expected one of twice.optimizers, such as Adam(); got {optimizer!r}")
    known = getattr(optimizer, "state", None) and getattr(optimizer, "params", None)
    if known and not same(known, self.params):
        raise ValueError("optimizer: expected a new one, got one that has trained other parameters")
    own = isinstance(loss, tuple) and len(loss) == 2 and all(map(callable, loss))
    if not own and not isinstance(loss, str):
        raise TypeError(f"loss: expected a name, or a function and its gradient; got {loss!r}")
    return self, optimizer, loss


def paired(x, y, check=finite, of=""):
    """Return inputs and targets as arrays, if there are as many of the one as of the other."""
    x, y = check(f"x{of}", x), check(f"y{of}", y)
    for name, a in (("x", x), ("y", y)):
        if a.ndim == 0:
            raise ValueError(f"{name}{of}: expected shape (n, …), got a single number")
    if len(x) != len(y):
        raise ValueError(f"y{of}: expected one target for each of the {len(x)} inputs, got {len(y)}")
    return x, y


def suited(x, y, input_shape, output_shape, sparse, of=""):
    """Return arrays of inputs and targets, if they fit the network."""
    shaped(f"x{of}", x, (len(x), *input_shape[1:]), "which the network was built for")
    if sparse:
        return x, labels(f"y{of}", y, output_shape[-1], (len(y), *output_shape[1:-1]))
    return x, shaped(f"y{of}", y, (len(y), *output_shape[1:]), "that of the predictions")


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
    return suited(*paired(x, y), input_shape, output_shape, sparse)


def ends(self, x):
    """Return the shapes of a network's inputs and outputs; in one not yet built, copies are tried on x."""
    if not self.shapes:
        self = copy(self)
        self.layers = [deepcopy(layer) if unmade(layer) else layer for layer in self.layers]
        self.build(x.shape)
    return self.shapes[0], self.shapes[-1]


def unmade(layer):
    """Return whether a layer still waits for its weights."""
    return any(w is None for w in (*layer.params, *layer.state))


def tried(self, x, y, check=finite):
    """Return a network, inputs and targets; a network that is not built yet stays so if they don't fit."""
    if hasattr(self, "loss") and not self.shapes:
        x, y = paired(x, y, check)
        suited(x, y, *ends(self, x), self.sparse)
    return self, x, y


def batch(self, x, y):
    """Return a network that is ready to train, and arrays of inputs and targets that fit it."""
    if not hasattr(self, "loss"):
        raise ValueError("loss: expected one to train with; call compile() first")
    x, y = paired(x, y, numbers)
    suited(x, y, *ends(self, x), self.sparse)
    self.build(x.shape)
    return self, x, y


def fitted(self, x, y, batch_size, epochs, validation_data, shuffle, rng):
    """Return what `fit` gets, all of it looked at before anything changes; the network is then built."""
    if hasattr(self, "loss"):
        positive_integer("batch_size", batch_size)
        positive_integer("epochs", epochs)
        if shuffle:
            generator("rng", rng)
        x, y = paired(x, y)
        shapes = ends(self, x)
        suited(x, y, *shapes, self.sparse)
        if validation_data is not None:
            if not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
                raise ValueError(f"validation_data: expected (x, y), got {type(validation_data).__name__}")
            other = paired(*validation_data, of=" of validation_data")
            validation_data = suited(*other, *shapes, self.sparse, of=" of validation_data")
        self.build(x.shape)
    return self, x, y, batch_size, epochs, validation_data, shuffle, rng
