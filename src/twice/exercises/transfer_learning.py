"""The exercises of chapter 13."""

import numpy as np

from twice.exercises import function, value

RNG = np.random.default_rng(12)
P = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
V = RNG.normal(size=(2, 3)).round(2)
W, W0, G = RNG.normal(size=(3, 2, 3)).round(2)
PICTURES = RNG.random(size=(2, 2, 2, 3)).round(2)
MEAN = np.array([103.939, 116.779, 123.68])
Y = np.array([2, 0, 1, 0, 0, 1, 1, 0, 2])
FEATURES = (Y[:, None] + RNG.normal(size=(9, 3))).round(2)
NEW = RNG.normal(1, 1.5, size=(12, 3)).round(2)


def drift(momentum, start, mean, batches):
    """Return the moving mean after that many batches: (13.10)."""
    kept = momentum**batches
    return kept * start + (1 - kept) * mean


def curvature(p, v):
    """Return the variance of v under p, row by row: (13.2)."""
    mean = (p * v).sum(axis=1, keepdims=True)
    return (p * (v - mean) ** 2).sum(axis=1)


def rates(layers, top, factor):
    """Return a rate for each layer, the lowest first."""
    return top / factor ** np.arange(layers)[::-1]


def vgg16_input(pictures):
    """Return pictures from 0 to 1 as VGG16 wants them."""
    return 255 * pictures[..., ::-1] - MEAN


def l2_sp(w, w0, g, l2, learning_rate):
    """Return w after a step on the loss with the penalty λ Σ(w − w₀)²."""
    return w - learning_rate * (g + 2 * l2 * (w - w0))


def nearest_mean(h, y, h_new):
    """Return the class whose mean is nearest to each new row."""
    means = np.array([h[y == k].mean(axis=0) for k in np.unique(y)])
    distances = ((h_new[:, None] - means) ** 2).sum(axis=2)
    return distances.argmin(axis=1)


def nearest_example(h, y, h_new):
    """Return the class of the nearest row."""
    return y[((h_new[:, None] - h) ** 2).sum(axis=2).argmin(axis=1)]


def largest_product(h, y, h_new):
    """Return the class whose mean has the largest product with each new row."""
    means = np.array([h[y == k].mean(axis=0) for k in np.unique(y)])
    return (h_new @ means.T).argmax(axis=1)


EXERCISES = {
    "13.1": value(
        np.array([204_810, 12_810]),
        mistakes={
            "each class has a bias too": np.array([204_800, 12_800]),
            "the first number is for the map laid in a row": np.array([12_810, 204_810]),
        },
    ),
    "13.2": value(
        38_680_586,
        mistakes={
            "that many are frozen": 1_735_488,
            "the first eleven layers end with block 3: block 4 learns as well": 32_780_810,
            "the dense layers learn too": 12_979_200,
        },
    ),
    "13.3": function(
        drift,
        (0.99, np.array([1.0, -2.0]), np.array([0.0, 3.0]), 100),
        (0.9, np.array([0.5]), np.array([0.5]), 3),
        mistakes={
            "momentum is what is kept of the old value": lambda r, m, mu, t: drift(1 - r, m, mu, t),
            "the old mean does not vanish at once": lambda r, m, mu, t: (1 - r**t) * mu,
            "one batch only": lambda r, m, mu, t: drift(r, m, mu, 1),
        },
    ),
    "13.4": function(
        curvature,
        (P, V),
        (P[:1], np.ones((1, 3))),
        mistakes={
            "take off the mean": lambda p, v: (p * v**2).sum(axis=1),
            "the mean is weighted with p": lambda p, v: (p * (v - v.mean(axis=1, keepdims=True)) ** 2).sum(
                axis=1
            ),
            "weight the squares with p": lambda p, v: v.var(axis=1),
        },
    ),
    "13.5": function(
        rates,
        (4, 0.01, 2.6),
        (3, 1.0, 10.0),
        mistakes={
            "the lowest layer has the smallest rate": lambda n, top, f: rates(n, top, f)[::-1],
            "the last layer has the rate `top` itself": lambda n, top, f: rates(n, top, f) / f,
            "divide from layer to layer": lambda n, top, f: top * np.arange(1, n + 1) / n,
        },
    ),
    "13.6": function(
        vgg16_input,
        (PICTURES,),
        (PICTURES[0],),
        mistakes={
            "VGG16 expects 0 to 255": lambda x: x[..., ::-1] - MEAN,
            "turn the colours round": lambda x: 255 * x - MEAN,
            "the means are those of blue, green and red": lambda x: 255 * x[..., ::-1] - MEAN[::-1],
            "the rows are in order, the colours are not": lambda x: 255 * x[..., ::-1, :] - MEAN,
        },
    ),
    "13.7": function(
        l2_sp,
        (W, W0, G, 0.1, 0.5),
        (W0, W0, G, 0.1, 0.5),
        mistakes={
            "the penalty draws towards w0, not towards 0": lambda w, w0, g, l2, r: w - r * (g + 2 * l2 * w),
            "the square brings a factor 2": lambda w, w0, g, l2, r: w - r * (g + l2 * (w - w0)),
            "it must draw back, not push away": lambda w, w0, g, l2, r: w - r * (g - 2 * l2 * (w - w0)),
        },
    ),
    "13.8": function(
        nearest_mean,
        (FEATURES, Y, NEW),
        (FEATURES[::-1], Y[::-1], NEW / 2),
        mistakes={
            "compare with the means of the classes, not with single examples": nearest_example,
            "a product is no distance: long means win": largest_product,
        },
    ),
}
