"""The exercises of the chapter on an honest project."""

from math import comb

import numpy as np

from twice.exercises import function, value

RNG = np.random.default_rng(13)
X, Y = RNG.normal(3, 2, size=(6, 2)).round(2), RNG.normal(2, 1, size=(4, 2)).round(2)
A = np.array([0.912, 0.905, 0.921, 0.899, 0.915])
B = np.array([0.901, 0.899, 0.908, 0.893, 0.910])
QUANTILES = {3: 4.302652729749464, 5: 2.7764451051977934}  # Student's, 97.5 %, by the number of seeds
SIZES, ERRORS = np.array([100, 200, 400, 800]), np.array([0.2, 0.16, 0.11, 0.09])


def coins(only_1, only_2):
    """Return how often fair coins are at least as lopsided, to one side."""
    n = only_1 + only_2
    return sum(comb(n, i) for i in range(min(only_1, only_2) + 1)) / 2**n


def standardised(x_train, x_valid, *, by=None, ddof=0):
    """Return both, by the columns of the training examples unless others are given."""
    by = x_train if by is None else by
    return tuple((x - by.mean(axis=0)) / by.std(axis=0, ddof=ddof) for x in (x_train, x_valid))


def examples_needed(p, half_width, *, rounded=np.ceil, power=2):
    """Return how many test examples make a 95 % interval that narrow."""
    return int(rounded(1.96**power * p * (1 - p) / half_width**power))


def folds(order, k):
    """Return k pairs of training and validation rows."""
    parts = np.array_split(order, k)
    return tuple((np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k))


def paired_interval(a, b, *, quantile=None, ddof=1, root=True):
    """Return Student's interval for the mean difference."""
    difference, S = np.subtract(a, b), len(a)
    error = difference.std(ddof=ddof) / (np.sqrt(S) if root else 1)
    half_width = (quantile or QUANTILES[S]) * error
    return difference.mean() - half_width, difference.mean() + half_width


def unpaired_interval(a, b):
    """Return what comes of adding the variances of the two recipes."""
    error = np.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / len(a))
    half_width = QUANTILES[len(a)] * error
    return np.mean(a) - np.mean(b) - half_width, np.mean(a) - np.mean(b) + half_width


def power_law(sizes, errors, target, *, log=np.log):
    """Return where the line through the logarithms reaches ``target``."""
    slope, level = np.polyfit(log(sizes), log(errors), 1)
    return int(np.ceil(np.exp((np.log(target) - level) / slope)))


NO_FOLDS = {
    "the training rows come first in each pair": lambda order, k: tuple((v, t) for t, v in folds(order, k)),
    "the validation rows must not train": lambda order, k: tuple((order, v) for _, v in folds(order, k)),
    "use the rows in `order`, not their places": lambda order, k: folds(np.arange(len(order)), k),
    "no row may be left over": lambda order, k: folds(order[: len(order) // k * k], k),
}

EXERCISES = {
    "8.1": value(
        2 * coins(15, 5),
        mistakes={
            "that is one side only": coins(15, 5),
            "that is exactly five, not at most five": 2 * comb(20, 5) / 2**20,
            "that is the normal approximation: add up the coins": 0.025347318677468252,
            "that is exactly five, and one side only": comb(20, 5) / 2**20,
        },
    ),
    "8.2": function(
        standardised,
        (X, Y),
        (X[:3], X[3:] * 10),
        mistakes={
            "these are the statistics of both together": lambda x, y: standardised(
                x, y, by=np.concatenate([x, y])
            ),
            "the validation examples have had a say": lambda x, y: (
                standardised(x, y)[0],
                standardised(y, y)[0],
            ),
            "NumPy's std divides by n": lambda x, y: standardised(x, y, ddof=1),
            "the training examples come first": lambda x, y: standardised(x, y)[::-1],
            "each column has its own mean and deviation": lambda x, y: (
                (x - x.mean()) / x.std(),
                (y - x.mean()) / x.std(),
            ),
        },
    ),
    "8.3": function(
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
    "8.4": value(
        59,
        mistakes={
            "58 trials are not quite enough": 58,
            "20 trials find one of the best 5 % on average; with what probability do they find none?": 20,
        },
    ),
    "8.5": function(
        paired_interval,
        (A, B),
        (B[:3] * 10, A[:3] * 10 + [0.1, 0, 0.2]),
        mistakes={
            "1.96 is for many seeds: take Student's t": lambda a, b: paired_interval(a, b, quantile=1.959964),
            "s² divides by S − 1": lambda a, b: paired_interval(a, b, ddof=0),
            "the mean's error is s/√S": lambda a, b: paired_interval(a, b, root=False),
            "take the difference seed by seed first": unpaired_interval,
            "a − b, not b − a": lambda a, b: paired_interval(b, a),
            "the lower end comes first": lambda a, b: paired_interval(a, b)[::-1],
            "half of the 5 % lies at each end: take the quantile 0.975": lambda a, b: paired_interval(
                a, b, quantile={3: 2.9199855803537256, 5: 2.1318467863266495}[len(a)]
            ),
        },
    ),
    "8.6": function(
        folds,
        (np.arange(10)[::-1], 3),
        (np.array([4, 0, 5, 2, 1, 3]), 2),
        mistakes=NO_FOLDS,
    ),
    "8.7": function(
        power_law,
        (SIZES, ERRORS, 0.05),
        (SIZES[1:], ERRORS[1:], 0.01),
        atol=1e-3,  # rounded or not: the law is not that sharp
        mistakes={
            "take the logarithms first": lambda sizes, errors, target: (
                (target - np.polyfit(sizes, errors, 1)[1]) / np.polyfit(sizes, errors, 1)[0]
            ),
            "the errors scatter, not n: fit log error as a function of log n": lambda n, errors, target: (
                np.exp(np.polyval(np.polyfit(np.log(errors), np.log(n), 1), np.log(target)))
            ),
            "all logarithms to the same base": lambda *args: power_law(*args, log=np.log10),
        },
    ),
}
