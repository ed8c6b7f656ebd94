"""The exercises of chapter 6."""

import numpy as np

from twice.exercises import function, value

RNG = np.random.default_rng(6)
SLOPES = RNG.normal(size=(5, 3)).round(2)
H = np.array([[2.0, 1.0], [1.0, 5.0]])
CURVATURES, PLACE = np.array([1.0, 4.0, 30.0]), np.array([1.0, -2.0, 0.5])


def largest_rate(H, mu):
    """Return the limit of the learning rate with momentum."""
    return 2 * (1 + mu) / np.linalg.eigvalsh(H).max()


def adagrad(g, learning_rate, start=0.1, epsilon=1e-7, *, axis=0, late=False):
    """Return AdaGrad's steps; ``late`` divides by the sum without the slope of the step itself."""
    total = start + np.cumsum(g**2, axis=axis) - late * g**2
    return -learning_rate * g / np.sqrt(total + epsilon)


def up_then_down(t, target, warmup):
    """Return the rate of a linear warm-up and a fall like 1/√t."""
    return target * (t / warmup if t < warmup else (warmup / t) ** 0.5)


def backtrack(c, w, rate, *, share=0.5):
    """Return the first rate that descends by ``share`` of what the slope promises."""
    g = c * w
    while (c * (w - rate * g) ** 2).sum() > (c * w**2).sum() - 2 * share * rate * (g**2).sum():
        rate = rate / 2
    return rate


def by_curvature(c, w, rate):
    """Return the first rate below 1/λ, without a look at the loss."""
    while rate > 1 / c.max():
        rate = rate / 2
    return rate


def one_over_t(y):
    """Return the means of the first numbers."""
    return np.cumsum(y) / np.arange(1, len(y) + 1)


def wrong_way(C, steps, amsgrad=False, *, remember=True, cut=True):
    """Return where Adam gets on Reddi's line; without ``remember``, AMSGrad does nothing.

    Without ``cut`` the walk is cut to the line only at its end.
    """
    beta_2 = 1 / (1 + C**2)
    w = v = largest = 0.0
    for t in range(1, steps + 1):
        g = C if t % 3 == 1 else -1.0
        v = beta_2 * v + (1 - beta_2) * g**2
        largest = max(largest, v) if amsgrad and remember else v
        w = w - 0.1 / t**0.5 * g / largest**0.5
        w = min(max(w, -1.0), 1.0) if cut else w
    return min(max(w, -1.0), 1.0)


EXERCISES = {
    "6.1": value(
        (0.8, 0.62),
        mistakes={
            "Nesterov's form uses the new velocity": (0.8, 0.8),
            "the rate belongs inside the velocity": (1.79, 1.511),
            "the slope pushes downhill": (1.4, 1.76),
        },
    ),
    "6.2": function(
        largest_rate,
        (H, 0.9),
        (np.diag([3.0, 8.0, 1.0]), 0.5),
        mistakes={
            "that is the limit without momentum": lambda H, mu: 2 / np.linalg.eigvalsh(H).max(),
            "the steepest direction decides, not the flattest": lambda H, mu: (
                2 * (1 + mu) / np.linalg.eigvalsh(H).min()
            ),
            "the entries of H are not its eigenvalues": lambda H, mu: 2 * (1 + mu) / H.max(),
            "that is the best rate of (6.22)": lambda H, mu: (
                4 / np.sqrt(np.linalg.eigvalsh(H)[[0, -1]]).sum() ** 2
            ),
        },
    ),
    "6.3": value(
        8584,
        mistakes={
            "a tenth of the error is a hundredth of the variance": 1000,
            "that is with putting back": 10_000,
            "with that many the error is still a little too large": 8583,
        },
    ),
    "6.4": function(
        adagrad,
        (SLOPES, 0.5),
        (SLOPES, 0.1, 0.0, 1e-3),
        mistakes={
            "the sum runs over the steps, one for each parameter": lambda *a: adagrad(*a, axis=1),
            "the slope of the step itself belongs to the sum": lambda g, rate, start=0.1, epsilon=1e-7: (
                adagrad(g, rate, start + epsilon, 0.0, late=True)
            ),
            "a step goes downhill": lambda *a: -adagrad(*a),
            "ε stands inside the root": lambda g, rate, start=0.1, epsilon=1e-7: (
                -rate * g / (np.sqrt(start + np.cumsum(g**2, axis=0)) + epsilon)
            ),
        },
    ),
    "6.5": function(
        up_then_down,
        (1, 0.5, 100),
        (30, 0.5, 100),
        (100, 0.5, 100),
        (400, 0.5, 100),
        (3, 0.2, 4),
        (900, 1.5, 300),
        mistakes={
            "it jumps at the end of the warm-up": lambda t, target, warmup: (
                target * (t / warmup if t < warmup else t**-0.5)
            ),
            "it falls like 1/√t, not like 1/t": lambda t, target, warmup: (
                target * (t / warmup if t < warmup else warmup / t)
            ),
        },
    ),
    "6.6": function(
        backtrack,
        (CURVATURES, PLACE, 1.0),
        (CURVATURES, PLACE, 0.01),
        (np.array([2.0, 2.0]), np.array([1.0, 3.0]), 8.0),
        (np.array([2.0, 2.0]), np.array([1.0, 3.0]), 1.3),
        (np.array([1.0, 30.0]), np.array([2.0, 0.0]), 4.0),  # nothing moves along the steepest direction
        mistakes={
            "any descent is not enough": lambda *a: backtrack(*a, share=0.0),
            "half of the promise, not a quarter: the loss has a ½ too": lambda *a: backtrack(*a, share=0.25),
            "half of the promise is enough": lambda *a: backtrack(*a, share=0.9),
            "look at the loss: the bound on the curvature is known here, not in general": by_curvature,
        },
    ),
    "6.7": function(
        one_over_t,
        (SLOPES[:, 0],),
        (np.array([3.0, 1.0, 2.0, 6.0]),),
        mistakes={
            "the first rate is 1, not ½": lambda y: np.cumsum(y) / np.arange(2, len(y) + 2),
            "that is only the last of them": lambda y: y.mean(),
        },
    ),
    "6.8": function(
        wrong_way,
        (4, 300),
        (4, 300, True),
        (3, 50, True),
        (10, 7),
        (4, 1100),  # the walk comes to both ends of the line
        (4, 1100, True),
        mistakes={
            "cut after each step: the walk goes on from the end of the line": lambda *a: wrong_way(
                *a, cut=False
            ),
            "AMSGrad keeps the largest v so far": lambda *a: wrong_way(*a, remember=False),
            "without amsgrad only the present v counts": lambda C, steps, amsgrad=False: wrong_way(
                C, steps, True
            ),
        },
    ),
}
