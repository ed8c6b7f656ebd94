"""The exercises of chapter 4."""

import numpy as np

from twice.activations import relu
from twice.exercises import Exercise, difference, function, value

RNG = np.random.default_rng(4)
PAIRS = np.vstack([RNG.normal(size=(20, 2)).round(2), [[2, 2], [-1, -1], [0, 3], [0, -3]]])
W1, B1, W2 = RNG.normal(size=(2, 4)), RNG.normal(size=4), RNG.normal(size=(4, 3))
ORDER = np.array([2, 0, 3, 1])
VARIANCES = np.array([5.0, 3.0, 1.5, 0.5])
POINTS = np.linspace(0, 1, 41)
X = RNG.normal(size=(30, 4)) @ RNG.normal(size=(4, 4)) + [1.0, -2.0, 0.0, 3.0]


def judge_maximum(answer):
    """Say what is wrong with the weights of a network that should compute the larger of two numbers."""
    if not isinstance(answer, tuple) or len(answer) != 4:
        return "expected four arrays: W1, b1, W2, b2"
    first, b1, second, b2 = map(np.asarray, answer)
    m = b1.size
    if (first.shape, b1.shape, second.shape, b2.shape) != ((2, m), (m,), (m, 1), (1,)):
        return f"expected the shapes (2, {m}), ({m},), ({m}, 1), (1,) for {m} hidden neurons"
    y = (relu(PAIRS @ first + b1) @ second + b2)[:, 0]
    misses = np.abs(y - PAIRS.max(axis=1))
    worst = misses.argmax()
    if misses[worst] < 1e-8:
        return None
    return f"for {PAIRS[worst]}: expected {PAIRS[worst].max():g}, got {y[worst]:.4g}"


def leaky_std(fan_in, alpha):
    """Return the standard deviation that keeps the mean square through leaky ReLU."""
    return np.sqrt(2 / ((1 + alpha**2) * fan_in))


def reorder(W1, b1, W2, order):
    """Return the weights with the hidden neurons in another order."""
    return W1[:, order], b1[order], W2[order]


def components_needed(variances, fraction):
    """Return the smallest number of components that explain the fraction."""
    return int(np.argmax(np.cumsum(variances) / np.sum(variances) >= fraction)) + 1


def whitened(x, k, *, power=0.5, centre=True):
    """Return the first k scores divided by their variances to the given power."""
    centred = x - x.mean(axis=0)
    variances, Q = np.linalg.eigh(centred.T @ centred / len(x))
    scores = (centred if centre else x) @ Q[:, ::-1][:, :k]
    return scores / variances[::-1][:k] ** power


def judge_whiten(answer):
    """Say what is wrong with whitened scores, whatever the signs of their columns."""
    for k in (2, 4):
        got = np.asarray(answer(X.copy(), k))
        if fault := difference(np.abs(got), np.abs(whitened(X, k)), 1e-8):
            return f"for k = {k}, up to signs: {fault}"
    return None


def square_by_tents(x, D, *, base=4):
    """Return the broken line through the points of x² at the multiples of 2⁻ᴰ."""
    total, tent = x.copy(), x
    for s in range(1, D + 1):
        tent = 2 * relu(tent) - 4 * relu(tent - 0.5)
        total = total - tent / base**s
    return total


def tents_without_repeating(x, D):
    """Return the sum with one and the same tent in every term."""
    tent = 2 * relu(x) - 4 * relu(x - 0.5)
    return x - sum(tent / 4**s for s in range(1, D + 1))


EXERCISES = {
    "4.1": value(
        101_770,
        mistakes={
            "each neuron has a bias too": 101_632,
            "the last layer has biases too": 101_760,
            "that is the number of neurons": 922,
        },
    ),
    "4.2": Exercise(
        judge_maximum,
        wrong=(
            (np.array([[1.0], [-1.0]]), np.zeros(1), np.ones((1, 1)), np.zeros(1)),
            (np.array([[1.0, 0.0], [-1.0, 1.0]]), np.zeros(2), np.ones((2, 1)), np.zeros(1)),
            (np.eye(2), np.zeros(2), np.ones((2, 1)), np.zeros(1)),
            (np.eye(2), np.zeros(2), np.ones(2), np.zeros(1)),
            np.eye(2),
        ),
    ),
    "4.3": value(
        4095,
        mistakes={
            "m neurons make up to m + 1 pieces": 4096,
            "that is the deep network's number": 24,
            "T is applied twelve times: 2 to the power of 12": 143,
        },
    ),
    "4.4": function(
        leaky_std,
        (100, 0.01),
        (64, 0.3),
        (256, 1.0),
        mistakes={
            "the negative half counts too, with α²": lambda fan_in, alpha: np.sqrt(2 / fan_in),
            "that is the variance": lambda fan_in, alpha: 2 / ((1 + alpha**2) * fan_in),
            "squares add up: 1 + α², not (1 + α)²": lambda fan_in, alpha: np.sqrt(2 / fan_in) / (1 + alpha),
        },
    ),
    "4.5": function(
        reorder,
        (W1, B1, W2, ORDER),
        (W1[:, :3], B1[:3], W2[:3], np.array([1, 2, 0])),
        mistakes={
            "the next layer must find them in the new order": lambda W1, b1, W2, order: (
                W1[:, order],
                b1[order],
                W2,
            ),
            "the new neuron k is the old order[k], not the other way round": lambda W1, b1, W2, order: (
                reorder(W1, b1, W2, np.argsort(order))
            ),
        },
    ),
    "4.6": function(
        components_needed,
        (VARIANCES, 0.79),
        (VARIANCES, 0.4),
        (VARIANCES, 0.96),
        (VARIANCES, 1.0),
        mistakes={
            "count from 1": lambda variances, fraction: components_needed(variances, fraction) - 1,
            "variances, not standard deviations": lambda variances, fraction: components_needed(
                np.sqrt(variances), fraction
            ),
            "add them up": lambda variances, fraction: int((variances > fraction).sum()),
        },
    ),
    "4.7": Exercise(
        judge_whiten,
        wrong=(
            lambda x, k: whitened(x, k, power=0),
            lambda x, k: whitened(x, k, power=1),
            lambda x, k: whitened(x, k, centre=False),
            lambda x, k: whitened(x, x.shape[1]),
        ),
    ),
    "4.8": function(
        square_by_tents,
        (POINTS, 1),
        (POINTS, 4),
        mistakes={
            "each tent is four times lower than the one before": lambda x, D: square_by_tents(x, D, base=2),
            "fold again each time": tents_without_repeating,
            "the sum has D terms": lambda x, D: square_by_tents(x, D - 1),
        },
    ),
}
