"""How a reader's result is compared with the expected one, and how a difference is put into words."""

import numpy as np

FLOAT32 = 64 * np.finfo(np.float32).eps  # what a short computation in float32 may lose, relatively
SMALL = 12  # arrays of up to so many numbers are shown whole
DIGITS = range(4, 18)


def difference(got, expected, atol=1e-8, *, tell=True, fixed_shape=False):
    r"""Return how ``got`` differs from ``expected`` in words, or None.

    A right result counts in every reasonable form: several results as a tuple, a list or one array; whole
    numbers as integers or floats; numbers in float32, judged by its own precision; and, unless the exercise
    fixes the shape, with or without axes of length 1.

    Parameters
    ----------
    got : object
        The reader's result.
    expected : array_like or tuple of array_like
        The right one; a tuple stands for several results.
    atol : float
        Largest error allowed in each number, relative to max(1, \|expected\|).
    tell : bool
        Whether the words may give the expected numbers away.
    fixed_shape : bool
        Whether axes of length 1 must be as expected.
    """
    if got is None:
        return "the answer is None: is a `return` missing?"
    if isinstance(expected, tuple):
        return of_several(got, expected, atol, tell, fixed_shape)
    expected = np.asarray(expected)
    got, fault = read(got, expected)
    return fault or of_shape(got, expected, fixed_shape) or of_numbers(got, expected, atol, tell)


def of_several(got, expected, atol, tell, fixed_shape):
    """Return what is wrong with the first wrong one of several results."""
    if not isinstance(got, tuple | list | np.ndarray) or getattr(got, "ndim", 1) == 0:
        return f"expected {len(expected)} results, got {described(got)}"
    if len(got) != len(expected):
        return f"expected {len(expected)} results, got {len(got)}: {described(got)}"
    for k, (part, right) in enumerate(zip(got, expected, strict=True), start=1):
        if fault := difference(part, right, atol, tell=tell, fixed_shape=fixed_shape):
            return f"result {k} of {len(expected)}: {fault}"
    return None


def read(got, expected):
    """Return ``got`` as an array to compare with ``expected`` and None, or None and why that cannot be."""
    if callable(got):
        return None, "the result is a function: call it"
    wanted = "a number" if expected.ndim == 0 else f"an array of shape {expected.shape}"
    try:
        a = np.asarray(got)
        a = (
            a.astype(np.float64) if a.dtype == object else a
        )  # Python's large integers, numbers of other classes
    except (TypeError, ValueError):
        return None, f"expected {wanted}, got {described(got)}"
    text = expected.dtype.kind in "US"
    if text != (a.dtype.kind in "US") or not (text or a.dtype.kind in "biuf"):
        return None, f"expected {'text' if text else wanted}, got {described(got)}"
    if a.dtype == np.float16:
        return None, "float16 is too coarse to judge: compute in float64"
    return a, None


def of_shape(got, expected, fixed_shape):
    """Return what is wrong with the shape of an array, axes of length 1 aside unless they are fixed."""
    same = got.shape == expected.shape
    alike = got.squeeze().shape == expected.squeeze().shape and got.ndim != expected.ndim
    if same or (alike and not fixed_shape):
        return None
    return f"expected the shape {expected.shape}, got {got.shape}"


def of_numbers(got, expected, atol, tell):
    """Return where two arrays of one size differ by more than is allowed."""
    a, b = got.reshape(expected.shape), expected
    if b.dtype.kind in "US":
        return None if np.array_equal(a, b) else f"{shown(a)} is not it"
    coarse = a.dtype == np.float32
    a, b = a.astype(np.float64), b.astype(np.float64)
    allowed = atol * np.maximum(1, np.abs(b))
    if coarse:
        exact = expected.dtype.kind in "biu"
        allowed = allowed + (
            np.spacing(np.abs(b).astype(np.float32)) if exact else FLOAT32 * np.abs(b).max(initial=0)
        )
    with np.errstate(invalid="ignore"):  # NaN is within no tolerance
        close = (a == b) | (np.abs(a - b) <= allowed)
    if close.all():
        return None
    if not tell:
        near = np.allclose(a, b, rtol=0.01, atol=0)
        return f"{shown(a)} is not it" + near * ", though close: give more digits, or look for a small slip"
    return apart(a, b, close)


def apart(a, b, close):
    """Return both arrays in words that differ: whole where they are small, else the first wrong number."""
    if a.size <= SMALL:
        right, wrong = next(pair for n in DIGITS if len(set(pair := (shown(b, n), shown(a, n)))) == 2)
        return f"expected {right}, got {wrong}"
    place = tuple(int(i) for i in np.argwhere(~close)[0])
    first = apart(a[place], b[place], close[place])
    return f"{np.sum(~close)} of {a.size} numbers differ, the first at {place}: {first}"


def shown(a, digits=4):
    """Return an array as short text: its numbers where it is small, else its shape."""
    a = np.asarray(a)
    if a.ndim == 0 and a.dtype.kind == "f":
        return f"{a:.{digits + 1}g}"
    return np.array2string(a, precision=digits) if a.size <= SMALL else f"an array of shape {a.shape}"


def described(value):
    """Return in words what kind of thing a result is."""
    if isinstance(value, str | bytes):
        return f"the text {value!r}"
    if isinstance(value, bool | int | float | complex | np.generic):
        return f"the number {value}"
    if isinstance(value, np.ndarray):
        return shown(value) if 0 < value.size <= SMALL else f"an array of shape {value.shape}"
    if isinstance(value, tuple | list):
        kind = type(value).__name__
        return (
            f"a {kind} of {len(value)} ({', '.join(described(part) for part in value[:4])})"
            if value
            else f"an empty {kind}"
        )
    return "a function" if callable(value) else f"an object of the class {type(value).__name__}"
