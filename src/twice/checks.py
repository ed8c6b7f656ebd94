"""The book's way of asserting: NumPy's numbers against Keras's, and derivations against measured slopes.

Every check prints one line that is the same on every machine: what was compared, the tolerance, the shape
and the dtype, never the digits of the error. Where ``TWICE_LEDGER`` names a file, each check is also written
there, with the size of its error as a power of ten.
"""

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np

DIRECTIONS = 20  # random directions along which a large gradient is checked
SMALLEST_SLIP = 5e-4  # a gradient wrong by 0.05 % must be seen
EPSILON = np.finfo(np.float64).eps
STEP = np.cbrt(EPSILON)  # makes the errors of a central difference, h² and ε / h, alike
KERAS = {"backend": "tensorflow", "image_data_format": "channels_last", "epsilon": 1e-7}  # what the book uses


class Disagreement(AssertionError):
    """What a check raises: `what` was compared, and where and how far the two differ.

    Attributes
    ----------
    what : str
        The name of the thing compared.
    where : str
        The same fault rounded, so that it prints alike everywhere.
    """

    def __init__(self, what, fault, where):
        super().__init__(f"✗ {what}: {fault}")
        self.what, self.where = what, where


def agree(what, ours, theirs, *, atol=1e-10, rtol=0.0):
    r"""Assert that two arrays are the same up to rounding, and print one line that says so.

    They agree where \|a − b\| ≤ ``atol`` · max(1, max\|b\|) + ``rtol`` · \|b\| for every element, so that
    grams and probabilities are judged alike.

    Parameters
    ----------
    what : str
        The name of the thing compared, for the line.
    ours, theirs : array_like
        The two makers' numbers: NumPy arrays, tensors or plain numbers, of equal shape.
    atol, rtol : float
        The tolerances.

    Raises
    ------
    Disagreement
        An `AssertionError` that names the worst index, both values there, the largest error and the
        tolerance. Different shapes, empty arrays, NaN, infinity, and numbers too coarse for the tolerance
        (float32 at 1e-10) disagree as well: a check that could not have failed is not a pass.
    TypeError
        If one of the two does not hold numbers.
    ValueError
        If the tolerances add up to less than 0, to 1 or more, or to NaN.
    RuntimeError
        If Keras, once imported, has another backend, image format or ε than in the book.
    """
    same_keras()
    a, b = array(what, ours), array(what, theirs)
    dtype = comparable(what, a, b, atol + rtol)
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):  # 0 times infinity
        allowed = atol * max(1, np.abs(b).max()) + rtol * np.abs(b)
    error = compare(what, a, b, allowed, atol + rtol)
    say(f"✓ {what}: agree to {atol + rtol:.0e} · shape {b.shape} · {dtype}")
    record("agree", what, dtype, b.shape, atol + rtol, error)


def check_gradient(what, f, x, grad, *, atol=1e-8, seed=0):
    """Assert that ``grad`` is the gradient of ``f`` at ``x``, measured by central differences.

    Up to 100 numbers in ``x`` are nudged one by one, each by h = ε^(1/3) · max(1, |x|) of its own, and
    (f(x + h) − f(x − h)) / 2h is its slope. In larger arrays all are nudged at once, each in proportion, and
    the slopes along 20 random directions v of length 1 are compared with the projections ⟨grad, v⟩.

    Each number is judged by its own size, so that a wrong slope does not hide behind a steeper one: the error
    must not exceed ``atol`` · max(1 / max(1, |x|), |slope|). Random directions are judged by the steepest.
    Where a slope seems wrong, it is measured again with larger and smaller steps (`look_again`), since f may
    bend within h, or be so large that its rounding drowns a small slope.

    Parameters
    ----------
    what : str
        The name of the gradient, for the line.
    f : callable
        Takes an array like ``x`` and returns one number, of shape ().
    x : array_like of float64
        The point, best a generic one: away from zeros, ties and kinks.
    grad : array_like, shape of ``x``
        The gradient to be checked.
    atol : float
        Largest error allowed, as said above.
    seed : int
        For the random directions.

    Raises
    ------
    Disagreement
        As in `agree`; also where the gradient is so small that the tolerance would hide an error of 0.05 %.
    TypeError
        If ``f`` does not return one number.
    """
    x, grad = array(what, x), array(what, grad)
    if x.dtype != np.float64:
        raise Disagreement(what, *both(f"x is {x.dtype}: central differences need float64"))
    dtype = comparable(what, grad, x, atol)
    few = x.size <= 100
    name, shape = (what, x.shape) if few else (f"{what} along {DIRECTIONS} random directions", (DIRECTIONS,))
    vectors, steps = ways(x, np.eye(x.size) if few else diagonals(seed, x.size))
    expected = vectors @ grad.ravel()
    slopes = np.array([slope(what, f, x, v, h) for v, h in zip(vectors, steps, strict=True)])
    allowed = atol * np.maximum(STEP / steps, np.abs(slopes) if few else np.abs(slopes).max())
    for i in np.argsort(np.abs(expected - slopes) - allowed)[::-1]:  # the most suspicious first
        if not np.abs(expected[i] - slopes[i]) > allowed[i]:
            break
        slopes[i], doubt = look_again(what, f, x, vectors[i], steps[i])
        allowed[i] += doubt
    error = compare(name, *(a.reshape(shape) for a in (expected, slopes, allowed)), atol)
    if (np.abs(slopes) * SMALLEST_SLIP < allowed).all():
        raise Disagreement(what, *both(f"the gradient is too small for {atol:.0e} to judge it"))
    say(f"✓ {what}: agree to {atol:.0e} · shape {x.shape} · {dtype}")
    record("gradient", what, dtype, x.shape, atol, error)


def copy_weights(ours, layer):
    """Copy NumPy's weights into a Keras layer, so that any difference left is one of method.

    Parameters
    ----------
    ours : sequence of numpy.ndarray
        The weights in Keras's order: kernel, then bias.
    layer : keras.layers.Layer
        Built from the kernel's shape where it is not built yet.

    Raises
    ------
    ValueError
        If the number of weights, a shape or a dtype differs from the layer's, or if the layer is to be
        built and the first array is no kernel.
    RuntimeError
        As in `agree`.
    """
    same_keras()
    ours = [np.asarray(w) for w in ours]
    if not layer.built:
        kernel = ours[0].shape if ours else ()  # (…, inputs, units): channels come last but one
        if len(kernel) < 2:
            raise ValueError(
                f"ours: expected a kernel to build layer {layer.name!r} from, got shape {kernel}"
            )
        layer.build((None,) * (len(kernel) - 1) + kernel[-2:-1])
    theirs = [(w.name, tuple(w.shape), str(w.dtype)) for w in layer.weights]
    if len(ours) != len(theirs):
        raise ValueError(f"ours: expected {len(theirs)} arrays for layer {layer.name!r}, got {len(ours)}")
    for w, (name, shape, dtype) in zip(ours, theirs, strict=True):
        if (w.shape, str(w.dtype)) != (shape, dtype):
            raise ValueError(f"ours: expected {name} of {shape} {dtype}, got {w.shape} {w.dtype}")
    layer.set_weights(ours)


@contextmanager
def rejects():
    """Assert that a check inside rejects its numbers, and print what it said, rounded.

    Raises
    ------
    AssertionError
        If every check inside passed.
    """
    try:
        yield
    except Disagreement as error:
        say(f"✗ {error.what}: rejected · {error.where}")
        record("rejects", error.what)
    else:
        raise AssertionError("rejects(): expected a check to fail, but nothing was rejected")


def same_keras():
    """Raise an error where Keras, once imported, is set up in another way than in the book.

    The difference would look like a wrong number, or like a fault of Keras's own.
    """
    if "keras" in sys.modules:
        from keras import config

        for name, value in KERAS.items():
            if (found := getattr(config, name)()) != value:
                raise RuntimeError(
                    f"Keras's {name}: expected {value!r}, as in the book, got {found!r}; mend it in "
                    f"~/.keras/keras.json{' or KERAS_BACKEND' * (name == 'backend')}, and restart the kernel"
                )


def say(line):
    """Print a line, also on a console that lacks its signs: there they become question marks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(line.encode(encoding, "replace").decode(encoding))


def array(what, value):
    """Return ``value`` as an array of numbers."""
    a = np.asarray(value)
    if a.dtype.kind not in "biuf":
        raise TypeError(f"{what}: expected numbers, got {type(value).__name__} of dtype {a.dtype}")
    return a


def comparable(what, a, b, tolerance):
    """Return the coarser dtype of two arrays; raise where comparing them would prove nothing."""
    if not 0 <= tolerance < 1:
        raise ValueError(f"{what}: expected a tolerance from 0 to below 1, got {tolerance}")
    if a.shape != b.shape:
        raise Disagreement(what, *both(f"shapes differ: {a.shape} here, {b.shape} there"))
    if a.size == 0:
        raise Disagreement(what, *both(f"nothing to compare: shape {a.shape}"))
    floats = [x.dtype for x in (a, b) if x.dtype.kind == "f"]
    dtype = min(floats, key=lambda d: d.itemsize) if floats else a.dtype
    if floats and tolerance < np.finfo(dtype).eps:
        raise Disagreement(what, *both(f"{dtype} is too coarse for a tolerance of {tolerance:.0e}"))
    return dtype


def compare(what, a, b, allowed, tolerance):
    """Return the largest error relative to max(1, max|b|); raise where one is larger than allowed."""
    if np.isfinite(a).all() and np.isfinite(b).all():
        error = np.abs(a - b)
    else:
        error, allowed = np.where(np.isfinite(a) & np.isfinite(b), 0, np.inf), 0
    if (error <= allowed).all():
        return error.max() / max(1, np.abs(b).max())
    worst = np.unravel_index(np.argmax(error - allowed), a.shape)
    index = tuple(int(i) for i in worst)
    raise Disagreement(
        what,
        f"worst at {index}: {float(a[worst])!r} here, {float(b[worst])!r} there · largest error "
        f"{error.max():.3g}, tolerance {tolerance:.0e} · shape {a.shape}",
        f"worst at {index}: {shown(a[worst], b[worst])} · shape {a.shape}",
    )


def shown(a, b):
    """Return two numbers rounded to four digits, or to as many as it takes to tell them apart."""
    digits = next((d for d in range(4, 17) if f"{a:.{d}g}" != f"{b:.{d}g}"), 17)
    return f"{a:.{digits}g} here, {b:.{digits}g} there"


def ways(x, directions):
    """Return vectors of length 1 and steps along them that nudge each number in proportion to its size."""
    vectors = directions * np.maximum(1, np.abs(x)).ravel()
    sizes = np.linalg.norm(vectors, axis=1)
    return vectors / sizes[:, None], STEP * sizes


def slope(what, f, x, v, h):
    """Return the central difference of ``f`` at ``x`` along ``v``, with the step ``h``."""
    after, before = sides(what, f, x, h * v)
    return (after - before) / (2 * h)


def sides(what, f, x, step):
    """Return f(x + step) and f(x − step)."""
    step = step.reshape(x.shape)
    return number(what, f(x + step)), number(what, f(x - step))


def look_again(what, f, x, v, h):
    """Return the slope that steps from 4⁶h to h/4⁸ show most steadily, and the doubt that rounding leaves.

    Long steps miss how ``f`` bends, short ones drown in its rounding: the difference of two values that are
    each off by about ε |f| is divided by 2h.
    """
    steps = h * 4.0 ** np.arange(6, -9, -1)
    with np.errstate(all="ignore"):  # long steps may leave the domain of f
        values = np.array([sides(what, f, x, step * v) for step in steps])
        slopes = np.subtract(*values.T) / (2 * steps)
        rounding = 4 * EPSILON * np.abs(values).max(axis=1) / steps
        unsteady = np.abs(np.diff(slopes)) + rounding[1:]
    best = np.argmin(np.nan_to_num(unsteady, nan=np.inf)) + 1
    return slopes[best], rounding[best]


def number(what, value):
    """Return what a function returned as a float."""
    a = array(what, value)
    if a.shape != ():
        raise TypeError(f"{what}: expected f to return one number, got an array of shape {a.shape}")
    return float(a)


def diagonals(seed, size):
    """Return `DIRECTIONS` random vectors of length 1 with entries ±1/√size, shape (DIRECTIONS, size)."""
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(DIRECTIONS, size)) / np.sqrt(size)


def both(fault):
    """Return a fault without digits to round, in its long form and its short one."""
    return fault, fault


def record(check, what, dtype=None, shape=None, tolerance=None, error=None):
    """Append one check to the ledger that ``TWICE_LEDGER`` names, if it names one."""
    ledger = os.environ.get("TWICE_LEDGER")
    if not ledger:
        return
    entry = {"notebook": Path(ledger).stem, "check": check, "what": what}
    if check != "rejects":
        power = int(np.ceil(np.log10(error))) if error else None  # None: not a bit of difference
        entry |= {"dtype": str(dtype), "shape": shape, "tolerance": tolerance, "error": power}
    with open(ledger, "a", encoding="utf-8") as lines:
        lines.write(json.dumps(entry, ensure_ascii=False) + "\n")
