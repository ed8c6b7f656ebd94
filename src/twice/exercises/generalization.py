"""The exercises of chapter 7."""

import numpy as np

from twice.exercises import function, value

RNG = np.random.default_rng(7)
W, B = RNG.normal(size=(3, 2)).round(2), np.array([0.5, -1.0])
GAMMA, BETA = np.array([2.0, 0.5]), np.array([0.3, -0.2])
MEAN, VARIANCE = np.array([1.0, -2.0]), np.array([3.0, 0.25])
X, DA = RNG.normal(1, 2, size=(2, 4, 3)).round(2)
SCALE, SHIFT = np.array([1.5, -0.5, 2.0]), np.array([0.1, 0.2, 0.3])
CHANCES = RNG.dirichlet([1, 1, 1], size=(3, 4)).round(2) + 0.01
CHANCES /= CHANCES.sum(axis=-1, keepdims=True)
RIGHT = np.array([2, 0, 1, 2])


def fold(W, b, gamma, beta, mean, variance, epsilon, *, shift=True, stretch=True):
    """Return the kernel and the bias of a dense layer and the batch normalization after it, as one layer."""
    scale = gamma / np.sqrt(variance + epsilon)
    return W * scale, (b - mean * shift) * (scale if stretch else 1) + beta


def fold_with_epsilon_outside(W, b, gamma, beta, mean, variance, epsilon):
    """Return what comes of adding ε to the standard deviation."""
    return fold(W, b, gamma, beta, mean, (np.sqrt(variance) + epsilon) ** 2, 0)


def fold_without_root(W, b, gamma, beta, mean, variance, epsilon):
    """Return what comes of dividing by the variance."""
    return fold(W, b, gamma, beta, mean, (variance + epsilon) ** 2, 0)


def committee(p, y, *, rows=slice(None)):
    """Return the mean cross-entropy of several models, and the cross-entropy of their mean."""
    right = p[rows, np.arange(len(y)), y]
    return -np.log(right).mean(), -np.log(right.mean(axis=0)).mean()


def committee_over_classes(p, y):
    """Return what comes of summing over all classes instead of taking the right one."""
    return -np.log(p).sum(axis=-1).mean(), -np.log(p.mean(axis=0)).sum(axis=-1).mean()


def layer_norm(x, gamma, beta, da, epsilon, *, axis=1, ddof=0, outside=0, mean_path=True, variance_path=True):
    """Return layer normalization's output and its gradient."""
    mean, variance = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True, ddof=ddof)
    s = np.sqrt(variance + (1 - outside) * epsilon) + outside * epsilon
    x_hat, g = (x - mean) / s, da * gamma
    through_mean = g.mean(axis=axis, keepdims=True) * mean_path
    through_variance = (g * x_hat).mean(axis=axis, keepdims=True) * variance_path
    return gamma * x_hat + beta, (g - through_mean - x_hat * through_variance) / s


def layer_norm_without_gamma(x, gamma, beta, da, epsilon):
    """Return layer normalization with a gradient that passes γ by."""
    a, _ = layer_norm(x, gamma, beta, da, epsilon)
    return a, layer_norm(x, np.ones_like(gamma), beta, da, epsilon)[1]


EXERCISES = {
    "7.1": value(
        np.array([-2.0, -2.0, 4.0, 4.0]),
        mistakes={
            "β is still to be added": np.array([-3.0, -3.0, 3.0, 3.0]),
            "the variance divides by n, not by n − 1": 1 + 3 * np.array([-1.0, -1.0, 1.0, 1.0]) * 0.75**0.5,
            "divide by the standard deviation": 1 + 3 * np.array([-0.5, -0.5, 0.5, 0.5]),
            "γ is the scale and β the shift": np.array([2.0, 2.0, 4.0, 4.0]),
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
    "7.3": value(
        (2.5, 0.0, 0.0),
        mistakes={
            "that is the L2 penalty's answer": (1.5, -0.25, 1 / 9),
            "the threshold is λ/h, not λ": (2.0, 0.0, 0.0),
            "the threshold is λ/h, not λh": (1.0, 0.0, 0.75),
            "a weight stops at zero": (2.5, -1.0, -3.0),
            "a weight stops at zero; the price pulls towards it from both sides": (2.5, 0.0, -3.0),
        },
    ),
    "7.4": function(
        fold,
        (W, B, GAMMA, BETA, MEAN, VARIANCE, 1e-3),
        (W[:1], B, GAMMA, BETA, MEAN, VARIANCE, 0.5),
        mistakes={
            "the moving mean belongs to the bias": lambda *args: fold(*args, shift=False),
            "b − M is stretched too": lambda *args: fold(*args, stretch=False),
            "divide by the root of the variance": fold_without_root,
            "ε stands under the root": fold_with_epsilon_outside,
            "β is still to be added": lambda *args: (fold(*args)[0], fold(*args)[1] - args[3]),
        },
    ),
    "7.5": function(
        committee,
        (CHANCES, RIGHT),
        (CHANCES[:2, :3], RIGHT[:3]),
        mistakes={
            "the mean of the cross-entropies comes first": lambda p, y: committee(p, y)[::-1],
            "only the probability of the right class counts": committee_over_classes,
            "a cross-entropy has a minus sign": lambda p, y: tuple(-a for a in committee(p, y)),
            "a cross-entropy is a mean over the examples": lambda p, y: tuple(
                len(y) * a for a in committee(p, y)
            ),
            "all the models form the committee": lambda p, y: committee(p, y, rows=slice(1)),
        },
    ),
    "7.6": function(
        layer_norm,
        (X, SCALE, SHIFT, DA, 1e-3),
        (X[:1], SCALE, SHIFT, DA[:1], 0.1),
        mistakes={
            "take mean and variance along each row": lambda *args: layer_norm(*args, axis=0),
            "the variance divides by d, not by d − 1": lambda *args: layer_norm(*args, ddof=1),
            "ε stands under the root": lambda *args: layer_norm(*args, outside=1),
            "the mean's path is missing": lambda *args: layer_norm(*args, mean_path=False),
            "the variance's path is missing": lambda *args: layer_norm(*args, variance_path=False),
            "∂L/∂x̂ has the factor γ": layer_norm_without_gamma,
        },
    ),
}
