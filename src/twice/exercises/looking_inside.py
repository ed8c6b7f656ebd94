"""The exercises of chapter 12."""

from functools import wraps
from math import erf, sqrt

import numpy as np

from twice.exercises import function, value

RNG = np.random.default_rng(11)
P = np.array([0.7, 0.2, 0.1])
G = RNG.normal(size=(3, 4)).round(2)
MAPS, KERNEL = RNG.normal(size=(2, 3, 4)).round(2), RNG.normal(size=(4, 4)).round(2)
PICTURE = RNG.permutation(20).reshape(4, 5) / 10
SLOPES, SQUARES = RNG.normal(size=(2, 4, 6)).round(2)
A, B = RNG.permutation(7) / 3, RNG.permutation(7) ** 2.0


def gradient_of_probability(p, g, k):
    """Return the gradient of p_k: (12.5)."""
    return p[k] * (g[k] - p @ g)


def smoothed_slope(x, sigma):
    """Return Φ(x/σ), the slope of a ReLU under noise."""
    return (1 + erf(x / (sigma * sqrt(2)))) / 2


def class_activation_map(maps, kernel, k):
    """Return the map whose mean is the logit without its bias: (12.13)."""
    return maps @ kernel[:, k]


def absolute_variation_gradient(x):
    """Return the gradient of the sum of the absolute differences between neighbours."""
    return pulls(np.sign(np.diff(x, axis=0)), np.sign(np.diff(x, axis=1)))


def squared_variation_gradient(x):
    """Return the gradient of the sum of the squared differences: (12.16)."""
    return pulls(2 * np.diff(x, axis=0), 2 * np.diff(x, axis=1))


def pulls(down, right):
    """Return each pixel's sum of the slopes of its differences: added where it comes second."""
    down, right = np.pad(down, [(1, 1), (0, 0)]), np.pad(right, [(0, 0), (1, 1)])
    return -np.diff(down, axis=0) - np.diff(right, axis=1)


def linear_occlusion(g, x, size):
    """Return the drop of a linear score for each square of a tiling."""
    h, w = x.shape
    return (g * x).reshape(h // size, size, w // size, size).sum(axis=(1, 3))


def spearman(a, b):
    """Return the rank correlation of two arrays without ties."""
    return np.corrcoef(a.argsort().argsort(), b.argsort().argsort())[0, 1]


def mean_slope(gradient, x, baseline, t):
    """Return the mean gradient at the fractions t of the way from the baseline to x."""
    return np.mean([gradient(baseline + s * (x - baseline)) for s in t], axis=0)


def integrated_gradients(gradient, x, baseline, steps):
    """Return the shares of the pixels, with the midpoint rule."""
    return (x - baseline) * mean_slope(gradient, x, baseline, (np.arange(steps) + 0.5) / steps)


def from_the_left(gradient, x, baseline, steps):
    """Return the same with the left ends of the pieces."""
    return (x - baseline) * mean_slope(gradient, x, baseline, np.arange(steps) / steps)


def times_the_picture(gradient, x, baseline, steps):
    """Return the same multiplied by x instead of x − x₀."""
    return x * mean_slope(gradient, x, baseline, (np.arange(steps) + 0.5) / steps)


def of_one_point(gradient):
    """Return the gradient as the text describes it: of one array of the shape of x, not of many at once."""

    @wraps(gradient)
    def at(x):
        if np.shape(x) != SLOPES.shape:
            raise ValueError(f"gradient: expected one array of shape {SLOPES.shape}, got {np.shape(x)}")
        return gradient(x)

    return at


@of_one_point
def cubes(x):
    """Return the gradient of the sum of x⁴/4."""
    return x**3


@of_one_point
def sines(x):
    """Return the gradient of the sum of −cos x."""
    return np.sin(x)


EXERCISES = {
    "12.1": value(
        np.array([3, 3]),
        mistakes={
            "that is the slope where both units are on": np.array([1, 5]),
            "that is where only the second unit is on": np.array([-2, 2]),
        },
    ),
    "12.2": function(
        gradient_of_probability,
        (P, G, 0),
        (P, G, 2),
        mistakes={
            "the other logits move as well": lambda p, g, k: p[k] * (1 - p[k]) * g[k],
            "that is the gradient of log p": lambda p, g, k: g[k] - p @ g,
            "that is the logit's gradient": lambda p, g, k: g[k],
        },
    ),
    "12.3": function(
        smoothed_slope,
        (0.5, 0.2),
        (-0.3, 1.0),
        (0.0, 0.7),
        mistakes={
            "that is the slope without noise": lambda x, sigma: float(x > 0),
            "divide by σ, not by its square": lambda x, sigma: smoothed_slope(x, sigma**2),
            "the probability that x + ε is positive, not negative": lambda x, sigma: smoothed_slope(
                -x, sigma
            ),
        },
    ),
    "12.4": function(
        class_activation_map,
        (MAPS, KERNEL, 1),
        (MAPS, KERNEL, 3),
        mistakes={
            "the class is a column of W": lambda maps, kernel, k: maps @ kernel[k],
            "its mean is to be the logit, not its sum": lambda maps, kernel, k: (
                maps @ kernel[:, k] / maps[..., 0].size
            ),
            "what speaks against the class belongs to the mean": lambda maps, kernel, k: np.maximum(
                maps @ kernel[:, k], 0
            ),
        },
    ),
    "12.5": function(
        absolute_variation_gradient,
        (PICTURE,),
        (PICTURE.T,),
        mistakes={
            "the sign is turned round": lambda x: -absolute_variation_gradient(x),
            "that is the gradient of the squares": squared_variation_gradient,
        },
    ),
    "12.6": function(
        linear_occlusion,
        (SLOPES, SQUARES, 2),
        (SLOPES, SQUARES, 1),
        mistakes={
            "a slope alone is no drop: multiply by the pixel": lambda g, x, size: linear_occlusion(
                g, np.ones_like(x), size
            ),
            "a drop is what is lost, so its sign is the other one": lambda g, x, size: linear_occlusion(
                g, -x, size
            ),
            "add the pixels of a square up": lambda g, x, size: linear_occlusion(g, x, size) / size**2,
        },
    ),
    "12.7": function(
        spearman,
        (A, B),
        (B[::-1], A),
        mistakes={
            "argsort once says which element comes first, not which place each has": lambda a, b: np.corrcoef(
                a.argsort(), b.argsort()
            )[0, 1],
            "that is the correlation of the values": lambda a, b: np.corrcoef(a, b)[0, 1],
        },
        without=dict.fromkeys(("spearmanr", "rankdata", "rank_correlation"), "do it with NumPy alone"),
    ),
    "12.8": function(
        integrated_gradients,
        (cubes, SLOPES, SQUARES, 3),
        (sines, SLOPES, 0 * SQUARES, 5),
        mistakes={
            "take the middle of each piece, not its left end": from_the_left,
            "multiply by the way that was gone, x − x₀": times_the_picture,
        },
    ),
}
