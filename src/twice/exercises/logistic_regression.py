"""The exercises of chapter 3."""

import numpy as np

from twice.activations import log_softmax, sigmoid, softmax
from twice.exercises import function, value

RNG = np.random.default_rng(3)
LABELS = np.array([1, 0, 0, 1, 0, 0, 0, 0])
P = np.array([0.9, 0.6, 0.3, 0.25, 0.2, 0.1, 0.5, 0.02])
COUNTS = np.array([[8, 1, 1], [2, 5, 3], [0, 6, 14]])
EXTREME = np.array([[1000.0, 999.0, -1000.0], [-1000.0, -1000.0, -1000.0]])
X = np.column_stack([RNG.normal(size=(8, 2)).round(2), np.ones(8)])
Z = 3 * RNG.normal(size=(40, 4)).round(2)
CLASSES = RNG.integers(4, size=40)
CLASSES[::2] = Z[::2].argmax(axis=1)


def entropy(y):
    """Return −ȳ log ȳ − (1 − ȳ) log(1 − ȳ)."""
    p = np.mean(y)
    return -(p * np.log(p) + (1 - p) * np.log(1 - p))


def log_sum_exp(z):
    """Return log Σₖ e^zₖ for each row, by way of the maximum."""
    m = z.max(axis=1)
    return m + np.log(np.exp(z - m[:, None]).sum(axis=1))


def plain_log_sum_exp(z):
    """Return log Σₖ e^zₖ as it stands, which overflows."""
    with np.errstate(over="ignore", divide="ignore"):
        return np.log(np.exp(z).sum(axis=1))


def mean_cost(y, p, cost_fp, cost_fn, threshold=None):
    """Return the mean cost of saying yes above a threshold, by default the best one, c_FP / (c_FP + c_FN)."""
    says_yes = p > (cost_fp / (cost_fp + cost_fn) if threshold is None else threshold)
    return cost_fp * np.mean(says_yes & (y == 0)) + cost_fn * np.mean(~says_yes & (y == 1))


def log_odds(p):
    """Return log(p / (1 − p))."""
    return np.log(p / (1 - p))


def newton_step(x, y, w, *, curvature=lambda p: p * (1 - p), sign=-1):
    """Return w − H⁻¹ ∇L for the binary cross-entropy, or with other options what goes wrong with it."""
    p = sigmoid(x @ w)
    return w + sign * np.linalg.solve(x.T @ (curvature(p) * x), x.T @ (p - y))


def best_temperature(z, t):
    """Return the T > 0 for which the sparse categorical cross-entropy of z / T is least."""
    true_scores = np.take_along_axis(z, t[:, None], axis=1)
    low, high = 0.01, 100.0
    for _ in range(60):
        beta = np.sqrt(low * high)
        mean_scores = (softmax(beta * z) * z).sum(axis=1, keepdims=True)
        low, high = (low, beta) if (mean_scores - true_scores).mean() > 0 else (beta, high)
    return 1 / beta


EXERCISES = {
    "3.1": value(
        np.array([0.75, np.e]),
        atol=5e-3,
        mistakes={
            "odds of 3 to 1 are not a probability of one third": np.array([1 / 3, np.e]),
            "that is what the logit gains; by what are the odds multiplied?": np.array([0.75, 1.0]),
            "the input grows by 2, not by 1": np.array([0.75, np.exp(0.5)]),
            "the first is exact: three of four": np.array([0.76, np.e]),
        },
    ),
    "3.2": function(
        entropy,
        (LABELS,),
        (np.array([0, 1, 1, 1]),),
        mistakes={
            "that is what the ones cost; the zeros cost something too": lambda y: (
                -np.mean(y) * np.log(np.mean(y))
            ),
            "the logarithm is the natural one": lambda y: entropy(y) / np.log(2),
            "p = ½ is best only if both classes are equally frequent": lambda y: np.log(2),
        },
    ),
    "3.3": function(
        log_sum_exp,
        (Z[:3],),
        (EXTREME,),
        mistakes={
            "e¹⁰⁰⁰ overflows: take the maximum off first": plain_log_sum_exp,
            "add the maximum again at the end": lambda z: log_sum_exp(z) - z.max(axis=1),
            "one number for each row is asked for": lambda z: log_sum_exp(z.T),
        },
    ),
    "3.4": function(
        lambda y, epsilon: (1 - epsilon) * y + epsilon / y.shape[1],
        (np.eye(3), 0.1),
        (np.eye(4)[[2, 0]], 0.2),
        mistakes={
            "ε goes to all K classes, the true one included": lambda y, epsilon: (
                (1 - epsilon) * y + epsilon / (y.shape[1] - 1) * (1 - y)
            ),
            "ε is shared out among the K classes": lambda y, epsilon: (1 - epsilon) * y + epsilon,
            "the true class has to give something away": lambda y, epsilon: y + epsilon / y.shape[1],
        },
    ),
    "3.5": function(
        lambda counts: np.diag(counts) / counts.sum(axis=1),
        (COUNTS,),
        (COUNTS[:2, :2],),
        mistakes={
            "those are sums of columns, so this is precision": lambda counts: (
                np.diag(counts) / counts.sum(axis=0)
            ),
            "divide by the number of each class, not of all": lambda counts: np.diag(counts) / counts.sum(),
        },
    ),
    "3.6": function(
        mean_cost,
        (LABELS, P, 1.0, 4.0),
        (LABELS, P, 3.0, 1.0),
        (LABELS, P, 1.0, 1.0),
        mistakes={
            "that is the cost at the threshold ½": lambda *case: mean_cost(*case, threshold=0.5),
            "the threshold is c_FP / (c_FP + c_FN)": lambda y, p, fp, fn: mean_cost(
                y, p, fp, fn, threshold=fn / (fp + fn)
            ),
            "false alarms and misses are exchanged": lambda y, p, fp, fn: mean_cost(
                y, p, fn, fp, threshold=fp / (fp + fn)
            ),
        },
    ),
    "3.7": function(
        lambda p, before, after: sigmoid(log_odds(p) - log_odds(before) + log_odds(after)),
        (P, 0.5, 0.1),
        (P, 0.2, 0.3),
        mistakes={
            "probabilities do not scale, odds do": lambda p, before, after: p * after / before,
            "`before` and `after` are exchanged": lambda p, before, after: sigmoid(
                log_odds(p) + log_odds(before) - log_odds(after)
            ),
        },
    ),
    "3.8": function(
        newton_step,
        (X, LABELS[:, None], np.zeros((3, 1))),
        (X, LABELS[:, None], np.array([[0.3], [-0.2], [0.1]])),
        mistakes={
            "a step goes down: minus": lambda x, y, w: newton_step(x, y, w, sign=1),
            "that is least squares: each example weighs p (1 − p)": lambda x, y, w: newton_step(
                x, y, w, curvature=lambda p: 1.0
            ),
            "that is a step of plain gradient descent": lambda x, y, w: (
                w - x.T @ (sigmoid(x @ w) - y) / len(y)
            ),
        },
    ),
    "3.9": function(
        best_temperature,
        (Z, CLASSES),
        (Z / 5, CLASSES),
        atol=1e-3,
        mistakes={
            "that is β; the temperature is 1/β": lambda z, t: 1 / best_temperature(z, t),
            "that is no temperature": lambda z, t: -np.take_along_axis(log_softmax(z), t[:, None], 1).mean(),
        },
    ),
}
