"""The exercises of chapter 9."""

import numpy as np

from twice.convolution import conv2d_input_gradient
from twice.exercises import Exercise, difference, function, value

RNG = np.random.default_rng(8)
SHIFT_LEFT = np.eye(9)[5].reshape(3, 3)  # z[p, q] = x[p, q + 1]
SOBEL = np.outer([1.0, 2.0, 1.0], [-1.0, 0.0, 1.0])
AT_ZERO = np.outer([0.0, 2.0, 1.0], [0.0, 3.0, -1.0])  # first row and first column are zeros
BLUR = np.outer([1.0, 4.0, 6.0, 4.0, 1.0], [1.0, 2.0, 1.0]) / 64
DZ = RNG.normal(size=(2, 3, 2, 4)).round(2)
SMALL, KERNEL = RNG.normal(size=(3, 4)).round(2), RNG.normal(size=(3, 2)).round(2)
MEANS, WEIGHTS = RNG.normal(size=(2, 3, 4, 5)).round(2), RNG.normal(size=(60, 7)).round(2)

WINDOWS = [
    "windows",
    "sliding_window_view",
    "as_strided",
    "blank",
    "average_pool2d_gradient",
    "AveragePooling2D",
]


def separable_fault(factors):
    """Return what is wrong with a function that writes a kernel of rank 1 as column times row."""
    for kernel in (SOBEL, SOBEL.T, BLUR, AT_ZERO):
        answer = factors(kernel)
        if not isinstance(answer, tuple | list | np.ndarray) or len(answer) != 2:
            return "expected two results, a column and a row"
        column, row = (np.ravel(part) for part in answer)
        if (column.size, row.size) != kernel.shape:
            numbers = f"{column.size} and {row.size}"
            return f"expected a column and a row of {kernel.shape} numbers, got {numbers}"
        if fault := difference(np.outer(column, row), kernel, 1e-8):
            return f"the product of the two: {fault}"
    return None


def by_svd(kernel):
    """Return the factors of a kernel of rank 1, from its largest singular value."""
    U, S, Vt = np.linalg.svd(kernel)
    return U[:, 0] * S[0], Vt[0]


def average_gradient(da, k, *, share=True):
    """Return ∂L/∂x of an average over windows of k × k that do not overlap."""
    spread = da.repeat(k, axis=1).repeat(k, axis=2)
    return spread / k**2 if share else spread


def transposed(z, W, s):
    """Return what each number of z paints with the kernel, s pixels apart."""
    h, w = ((n - 1) * s + k for n, k in zip(z.shape, W.shape, strict=True))
    shape = (1, h, w, 1)
    return conv2d_input_gradient(z[None, :, :, None], W[:, :, None, None], shape, s)[0, :, :, 0]


def painted_over(z, W, s):
    """Return the same where a later painting covers the earlier ones."""
    (h, w), (kh, kw) = z.shape, W.shape
    x = np.zeros((s * (h - 1) + kh, s * (w - 1) + kw))
    for p, q in np.ndindex(z.shape):
        x[s * p : s * p + kh, s * q : s * q + kw] = z[p, q] * W
    return x


def scores(picture, template, *, centred=True, divide=True, flat=0.0):
    """Return how well a template fits each window: their correlation, times a constant."""
    view, axes = np.lib.stride_tricks.sliding_window_view(picture, template.shape), (2, 3)
    if centred:
        view, template = view - view.mean(axes, keepdims=True), template - template.mean()
    length = np.sqrt((view**2).sum(axes)) if divide else np.ones(view.shape[:2])
    tiny = length < 1e-9
    return np.where(tiny, flat, (view * template).sum(axes) / np.where(tiny, 1, length)), length


def best(score):
    """Return row and column of the largest score; of NaN, if there is one."""
    return tuple(int(i) for i in np.unravel_index(score.argmax(), score.shape))


def located(picture, template, **options):
    """Return where a template fits best."""
    return best(scores(picture, template, **options)[0])


def either_sign(picture, template):
    """Return the same for the correlation's absolute value."""
    return best(np.abs(scores(picture, template)[0]))


def by_variance(picture, template):
    """Return the same with the square of the length below."""
    score, length = scores(picture, template)
    return best(score / np.maximum(length, 1e-9))


def nearest(picture, template):
    """Return where the squared distance between window and template, means taken away, is least."""
    score, length = scores(picture, template, divide=False)[0], scores(picture, template)[1]
    return best(2 * score - length**2)


def scenes():
    """Return pictures with a template hidden in them, each with what fools one of the plausible answers.

    A bright spot, a window of one brightness, one that is nearly so, and the negative of the template, while
    the template itself is darker, of much weaker contrast, or on bright ground, and always a little noisy.
    """
    rng = np.random.default_rng(88)
    template = rng.uniform(0, 1, size=(4, 5))
    cases = []
    for place, light, shade in [((3, 11), 1.0, 0.0), ((14, 2), 0.04, 0.1), ((0, 17), 0.5, 2.0)]:
        picture = rng.uniform(0, 1, size=(20, 24))
        picture[7:13, 8:15] += 3
        picture[14:20, 8:15] = 0.5
        picture[14:20, 16:24] = 0.5 + 1e-3 * rng.normal(size=(6, 8))
        picture[8:12, 1:6] = 1 - template
        (p, q), noise = place, 1 + 0.02 * rng.normal(size=(4, 5))
        picture[p : p + 4, q : q + 5] = light * template * noise + shade
        cases.append((picture, template))
    return cases


EXERCISES = {
    "9.1": value(
        (16, 16, 16, 1216),
        mistakes={
            "every filter looks through all three channels": (16, 16, 16, 416),
            "each filter has a bias": (16, 16, 16, 1200),
            "that is the output without padding": (14, 14, 16, 1216),
            "the stride is 2": (32, 32, 16, 1216),
        },
    ),
    "9.2": value(
        14,
        mistakes={
            "that one falls short by half": 13,
            "that many it takes without dilation": 15_999,
            "each layer looks twice as far as the one before": 8_000,
        },
    ),
    "9.3": value(
        SHIFT_LEFT,
        mistakes={
            "that one moves it to the right": SHIFT_LEFT[:, ::-1],
            "that one moves it up": SHIFT_LEFT.T,
            "that one leaves it where it is": np.eye(9)[4].reshape(3, 3),
        },
    ),
    "9.4": Exercise(
        separable_fault,
        (
            lambda kernel: (kernel[:, 0], kernel[0]),
            lambda kernel: (kernel.sum(axis=1), kernel.sum(axis=0)),
            lambda kernel: (by_svd(kernel)[0] * 2, by_svd(kernel)[1]),
            lambda kernel: (kernel[:, 0], kernel[0] / (kernel[0, 0] or 1)),
            lambda kernel: kernel,
        ),
    ),
    "9.5": function(
        average_gradient,
        (DZ, 2),
        (DZ[:1], 3),
        without=dict.fromkeys(WINDOWS, "do it without windows: each pixel has just one"),
        mistakes={
            "each pixel has a share of 1/k² in the mean": lambda da, k: average_gradient(da, k, share=False),
            "there are k² pixels under a window": lambda da, k: k * average_gradient(da, k),
            "neighbours share a window: repeat each number, not the picture": lambda da, k: (
                np.tile(da, (1, k, k, 1)) / k**2
            ),
        },
    ),
    "9.6": function(
        transposed,
        (SMALL, KERNEL, 1),
        (SMALL, KERNEL, 2),
        (SMALL, KERNEL, 3),
        mistakes={
            "the kernel is not flipped here": lambda z, W, s: transposed(z, W[::-1, ::-1], s),
            "where windows overlap, add": lambda z, W, s: painted_over(z, W, s),
        },
    ),
    "9.7": function(
        lambda W, h, w: W.reshape(h, w, -1, W.shape[1]),
        (WEIGHTS, 3, 4),
        (WEIGHTS, 4, 3),
        (WEIGHTS, 2, 6),
        mistakes={
            "rows first, then columns": lambda W, h, w: W.reshape(w, h, -1, W.shape[1]).transpose(1, 0, 2, 3),
            "channels come last in a picture": lambda W, h, w: W.reshape(-1, h, w, W.shape[1]).transpose(
                1, 2, 0, 3
            ),
        },
    ),
    "9.8": function(
        located,
        *scenes(),
        mistakes={
            "a bright spot wins: take the mean away from both": lambda *case: located(*case, centred=False),
            "strong contrasts win: divide by the length of the window's pixels": lambda *case: located(
                *case, divide=False
            ),
            "bright windows win over right ones": lambda *case: located(*case, centred=False, divide=False),
            "a negative is no match: leave the sign of the score": either_sign,
            "faint windows win: divide by the length, not by its square": by_variance,
            "a distance depends on the contrast: divide by the window's length": nearest,
            "a window of one brightness has length 0, and NaN wins argmax": lambda *case: located(
                *case, flat=np.nan
            ),
        },
    ),
}
