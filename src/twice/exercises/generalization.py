"""The exercises of chapter 7."""

import numpy as np

from twice.exercises import Exercise, function, value

RNG = np.random.default_rng(7)
W, B = RNG.normal(size=(3, 2)).round(2), np.array([0.5, -1.0])
GAMMA, BETA = np.array([2.0, 0.5]), np.array([0.3, -0.2])
MEAN, VARIANCE = np.array([1.0, -2.0]), np.array([3.0, 0.25])
X, DA = RNG.normal(1, 2, size=(2, 4, 3)).round(2)
SCALE, SHIFT = np.array([1.5, -0.5, 2.0]), np.array([0.1, 0.2, 0.3])
SIZES, ERRORS = np.array([100, 200, 400, 800]), np.array([0.2, 0.16, 0.11, 0.09])


def fold(W, b, gamma, beta, mean, variance, epsilon, *, shift=True, stretch=True):
    """Return the kernel and the bias of a dense layer and the batch normalization after it, as one layer."""
    scale = gamma / np.sqrt(variance + epsilon)
    return W * scale, (b - mean * shift) * (scale if stretch else 1) + beta


def fold_without_root(W, b, gamma, beta, mean, variance, epsilon):
    """Return what comes of dividing by the variance."""
    return fold(W, b, gamma, beta, mean, (variance + epsilon) ** 2, 0)


def examples_needed(p, half_width, *, rounded=np.ceil, power=2):
    """Return how many test examples make a 95 % interval that narrow."""
    return int(rounded(1.96**power * p * (1 - p) / half_width**power))


def folds(order, k):
    """Return k pairs of training and validation rows."""
    parts = np.array_split(order, k)
    return [(np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


def flat(answer):
    """Return a function of `folds`' arguments with its pairs as one tuple of arrays, as checks compare."""
    return lambda order, k: tuple(part for pair in answer(order, k) for part in pair)


def power_law(sizes, errors, target, *, log=np.log):
    """Return where the line through the logarithms reaches ``target``."""
    slope, level = np.polyfit(log(sizes), log(errors), 1)
    return np.exp((np.log(target) - level) / slope)


def layer_norm(x, gamma, beta, da, epsilon, *, axis=1, mean_path=True, variance_path=True):
    """Return layer normalization's output and its gradient."""
    mean, variance = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True)
    s = np.sqrt(variance + epsilon)
    x_hat, g = (x - mean) / s, da * gamma
    through_mean = g.mean(axis=axis, keepdims=True) * mean_path
    through_variance = (g * x_hat).mean(axis=axis, keepdims=True) * variance_path
    return gamma * x_hat + beta, (g - through_mean - x_hat * through_variance) / s


def layer_norm_without_gamma(x, gamma, beta, da, epsilon):
    """Return layer normalization with a gradient that passes γ by."""
    a, _ = layer_norm(x, gamma, beta, da, epsilon)
    return a, layer_norm(x, np.ones_like(gamma), beta, da, epsilon)[1]


NO_FOLDS = {
    "the training rows come first in each pair": lambda order, k: [(v, t) for t, v in folds(order, k)],
    "the validation rows must not train": lambda order, k: [(order, v) for _, v in folds(order, k)],
    "use the rows in `order`, not their places": lambda order, k: folds(np.arange(len(order)), k),
    "no row may be left over": lambda order, k: folds(order[: len(order) // k * k], k),
}
FOLDS = function(
    flat(folds),
    (np.arange(10)[::-1], 3),
    (np.array([4, 0, 5, 2, 1, 3]), 2),
    mistakes={hint: flat(mistake) for hint, mistake in NO_FOLDS.items()},
)

EXERCISES = {
    "7.1": value(
        np.array([-2.0, -2.0, 4.0, 4.0]),
        mistakes={
            "β is still to be added": np.array([-3.0, -3.0, 3.0, 3.0]),
            "the variance divides by n, not by n − 1": 1 + 3 * np.array([-1.0, -1.0, 1.0, 1.0]) * 0.75**0.5,
            "divide by the standard deviation": 1 + 3 * np.array([-0.5, -0.5, 0.5, 0.5]),
        },
    ),
    "7.2": value(
        1.5,
        mistakes={
            "that is the variance": 2.25,
            "that is without the factor 1/(1 − q)": 1.2,
            "0.2 is the fraction that is silenced": 6.0,
        },
    ),
    "7.3": function(
        fold,
        (W, B, GAMMA, BETA, MEAN, VARIANCE, 1e-3),
        (W[:1], B, GAMMA, BETA, MEAN, VARIANCE, 0.5),
        mistakes={
            "the moving mean belongs to the bias": lambda *args: fold(*args, shift=False),
            "b − M is stretched too": lambda *args: fold(*args, stretch=False),
            "divide by the root of the variance": fold_without_root,
        },
    ),
    "7.4": function(
        examples_needed,
        (0.9, 0.01),
        (0.98, 0.005),
        (0.5, 0.1),
        mistakes={
            "round up": lambda p, half_width: examples_needed(p, half_width, rounded=np.floor),
            "the width shrinks like the root of n": lambda p, half_width: examples_needed(
                p, half_width, power=1
            ),
            "half_width reaches to one side only": lambda p, half_width: examples_needed(p, half_width / 2),
        },
    ),
    "7.5": value(
        59,
        mistakes={
            "58 trials are not quite enough": 58,
            "20 trials find one of the best 5 % on average; with what probability do they find none?": 20,
        },
    ),
    "7.6": Exercise(lambda answer: FOLDS.judge(flat(answer)), wrong=tuple(NO_FOLDS.values())),
    "7.7": function(
        power_law,
        (SIZES, ERRORS, 0.05),
        (SIZES[1:], ERRORS[1:], 0.01),
        mistakes={
            "take the logarithms first": lambda sizes, errors, target: (
                (target - np.polyfit(sizes, errors, 1)[1]) / np.polyfit(sizes, errors, 1)[0]
            ),
            "all logarithms to the same base": lambda *args: power_law(*args, log=np.log10),
        },
    ),
    "7.8": function(
        layer_norm,
        (X, SCALE, SHIFT, DA, 1e-3),
        (X[:1], SCALE, SHIFT, DA[:1], 0.1),
        mistakes={
            "take mean and variance along each row": lambda *args: layer_norm(*args, axis=0),
            "the mean's path is missing": lambda *args: layer_norm(*args, mean_path=False),
            "the variance's path is missing": lambda *args: layer_norm(*args, variance_path=False),
            "∂L/∂x̂ has the factor γ": layer_norm_without_gamma,
        },
    ),
}
