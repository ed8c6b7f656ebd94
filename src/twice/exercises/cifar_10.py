"""The exercises of chapter 11."""

import numpy as np

from twice.exercises import function, value

RNG = np.random.default_rng(10)
KERNEL = RNG.normal(size=(3, 3, 2, 2)).round(2)
WIDE = RNG.normal(size=(1, 5, 1, 3)).round(2)
PICTURE = RNG.uniform(1, 2, size=(8, 6, 3)).round(2)
X, Y = RNG.normal(size=(4, 2, 2, 1)).round(2), np.eye(3)[[0, 1, 2, 1]]
PARTNER = np.array([2, 0, 3, 1])
SEEDS_1, SEEDS_2 = np.array([0.71, 0.69, 0.73]), np.array([0.75, 0.76, 0.71])


def distance(epsilon, classes, *, true=1.0):
    """Return the best distance of the true logit from the others under label smoothing."""
    return np.log(true + classes * (1 - epsilon) / epsilon)


def rate(step, steps, peak, *, clock=1, half=1):
    """Return the learning rate of a linear warm-up and half a cosine."""
    warm = steps // 10
    if step < warm:
        return peak * step / warm
    start = warm * clock
    return peak * (1 + np.cos(half * np.pi * (step - start) / (steps - start))) / 2


def compare(a, b, *, ddof=1, seeds=True, two=2):
    """Return the difference of two rows' means and its standard error."""
    variances = a.var(ddof=ddof) + b.var(ddof=ddof)
    return b.mean() - a.mean(), np.sqrt(variances * two / 2 / (len(a) if seeds else 1))


def symmetric(W, *, axis=1):
    """Return the nearest kernel that is its own mirror image."""
    return (W + np.flip(W, axis)) / 2


def cutout(picture, row, column, reach, *, end=1, lowest=0):
    """Return the picture with a square of zeros."""
    result = picture.copy()
    rows = slice(max(row - reach, lowest), row + reach + end)
    columns = slice(max(column - reach, lowest), column + reach + end)
    result[rows, columns] = 0
    return result


def written_into(picture, row, column, reach):
    """Return the very picture that was given, with a square of zeros in it."""
    picture[:] = cutout(picture, row, column, reach)
    return picture


def cross(picture, row, column, reach):
    """Return the picture without the rows and the columns of the square."""
    result = picture.copy()
    result[max(row - reach, 0) : row + reach + 1] = 0
    result[:, max(column - reach, 0) : column + reach + 1] = 0
    return result


def mixup(x, y, partner, lam):
    """Return mixtures of pictures, and of their targets."""
    return lam * x + (1 - lam) * x[partner], lam * y + (1 - lam) * y[partner]


EXERCISES = {
    "11.1": value(
        73_984,
        mistakes={
            "no gradient changes the moving averages": 74_240,
            "each normalization has a γ and a β for every channel": 73_728,
            "the block has two convolutions": 36_992,
            "the convolutions have no biases": 74_112,
        },
    ),
    "11.2": value(
        np.array([45.0, 0.45]),
        mistakes={
            "the order of the two layers does not matter": np.array([90.0, 0.9]),
            "all of these paths together": np.array([45.0, 0.01]),
            "each of the two layers has a slope": np.array([45.0, 4.5]),
        },
    ),
    "11.3": function(
        distance,
        (0.1, 10),
        (0.05, 3),
        (0.1, 1000),
        mistakes={
            "the true class gets its share ε/K too": lambda epsilon, classes: distance(
                epsilon, classes, true=0.0
            ),
            "that is the quotient of the probabilities": lambda *args: np.exp(distance(*args)),
            "divide by the probability of one other class, ε/K": lambda epsilon, classes: np.log(
                (1 - epsilon + epsilon / classes) / epsilon
            ),
        },
    ),
    "11.4": function(
        rate,
        (0, 100, 0.1),
        (5, 100, 0.1),
        (10, 100, 0.1),
        (40, 200, 0.003),
        (150, 200, 0.003),
        mistakes={
            "the cosine's clock starts when the climb ends": lambda *args: rate(*args, clock=0),
            "half a cosine, not a whole one": lambda *args: rate(*args, half=2),
            "first it climbs": lambda step, steps, peak: peak * (1 + np.cos(np.pi * step / steps)) / 2,
        },
    ),
    "11.5": function(
        compare,
        (SEEDS_1, SEEDS_2),
        (SEEDS_2[:2], SEEDS_1[:2]),
        mistakes={
            "variances of a sample divide by S − 1": lambda a, b: compare(a, b, ddof=0),
            "the mean of S seeds varies less than a seed": lambda a, b: compare(a, b, seeds=False),
            "both means vary": lambda a, b: compare(a, b, two=1),
            "b minus a": lambda a, b: compare(b, a),
        },
    ),
    "11.6": function(
        symmetric,
        (KERNEL,),
        (WIDE,),
        mistakes={
            "left and right are the second axis": lambda W: symmetric(W, axis=0),
            "meet in the middle: divide by 2": lambda W: 2 * symmetric(W),
            "only mirrored": lambda W: W[:, ::-1],
        },
    ),
    "11.7": function(
        cutout,
        (PICTURE, 4, 3, 1),
        (PICTURE, 0, 5, 2),
        (PICTURE, 7, 0, 3),
        returns_new=True,
        mistakes={
            "a copy first: the picture that was given stays as it is": written_into,
            "a slice leaves out its end": lambda *args: cutout(*args, end=0),
            "a slice that begins below 0 counts from the other end": lambda *args: cutout(*args, lowest=-99),
            "the square only, not all of its rows and columns": cross,
        },
    ),
    "11.8": function(
        mixup,
        (X, Y, PARTNER, 0.7),
        (X, Y, PARTNER[::-1], 0.2),
        mistakes={
            "λ belongs to the picture itself": lambda x, y, partner, lam: mixup(x, y, partner, 1 - lam),
            "mix the targets too": lambda x, y, partner, lam: (mixup(x, y, partner, lam)[0], y),
            "the targets have the same partners": lambda x, y, partner, lam: (
                mixup(x, y, partner, lam)[0],
                lam * y + (1 - lam) * y[::-1],
            ),
        },
    ),
}
