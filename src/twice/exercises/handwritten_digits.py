"""The exercises of chapter 10."""

import numpy as np

from twice.exercises import function, value

RNG = np.random.default_rng(9)
PICTURE, TALL = RNG.integers(0, 256, size=(5, 6)).astype(float), RNG.integers(0, 9, size=(7, 3)).astype(float)
FLAT = np.zeros((4, 6))
FLAT[1, 1:5] = [1.0, 3.0, 3.0, 1.0]
SURE = RNG.dirichlet(np.full(3, 0.4), size=12)
LABELS = RNG.integers(3, size=12)
DIGITS = RNG.integers(10, size=40)
READ_1, READ_2 = np.where(RNG.random((2, 40)) < [[0.7], [0.4]], DIGITS, (DIGITS + [[1], [2]]) % 10)
RUNS = RNG.dirichlet(np.full(4, 0.5), size=(3, 6))
TORN = np.array(  # (3, 2, 3): one network against two, where means and medians part
    [
        [[0.9, 0.05, 0.05], [0.5, 0.4, 0.1]],
        [[0.9, 0.05, 0.05], [0.5, 0.4, 0.1]],
        [[0.001, 0.5, 0.499], [0.001, 0.9, 0.099]],
    ]
)
LOUD = np.array([[[0.9, 0.05, 0.05]], [[0.05, 0.48, 0.47]], [[0.05, 0.5, 0.45]]])  # one is sure, two agree


def multiply_adds(h, w, c, k, filters, *, places=None, channels=True, biases=0):
    """Return the multiply-adds of a convolution, "valid" and with stride 1."""
    places = (h - k + 1) * (w - k + 1) if places is None else places
    return places * (k * k * (c if channels else 1) + biases) * filters


def slant(picture, *, centred=True, by_rows=True):
    """Return by how many columns a digit leans for each row."""
    rows, columns = np.indices(picture.shape)
    if centred:
        rows = rows - (rows * picture).sum() / picture.sum()
        columns = columns - (columns * picture).sum() / picture.sum()
    spread = rows if by_rows else columns
    return (rows * columns * picture).sum() / (spread**2 * picture).sum()


def slant_of_ink(picture):
    """Return the slant of the ink, dark and light alike."""
    return slant((picture > 0).astype(float))


def with_rejects(p, y, threshold, *, of_all=False, kept=np.greater_equal):
    """Return which fraction is read, and which fraction of it wrongly."""
    read = kept(p.max(axis=1), threshold)
    wrong = read & (p.argmax(axis=1) != y)
    return read.mean(), wrong.mean() if of_all else wrong.sum() / max(read.sum(), 1)


def z_score(y, read_1, read_2, *, scale=np.sqrt, both=False):
    """Return how many standard errors the first is ahead of the second."""
    only_1 = ((read_1 == y) & (read_2 != y)).sum()
    only_2 = ((read_2 == y) & (read_1 != y)).sum()
    return (only_1 - only_2) / scale(len(y) if both else only_1 + only_2)


def lead_by_readings(y, read_1, read_2):
    """Return the lead in roots of how many pictures are read differently."""
    return ((read_1 == y).sum() - (read_2 == y).sum()) / np.sqrt((read_1 != read_2).sum())


def paired_t(y, read_1, read_2):
    """Return the lead in standard errors of the mean difference, with the variance of the differences."""
    d = (read_1 == y).astype(float) - (read_2 == y)
    return d.mean() / (d.std(ddof=1) / np.sqrt(len(d)))


def committee(probabilities):
    """Return the classes that a committee decides for."""
    return probabilities.mean(axis=0).argmax(axis=1)


def by_votes(probabilities):
    """Return the classes with most votes, the lowest of equals."""
    votes = probabilities.argmax(axis=2)
    return np.array([np.bincount(column, minlength=probabilities.shape[2]).argmax() for column in votes.T])


def by_product(probabilities):
    """Return the classes with the highest geometric mean."""
    return np.log(probabilities).mean(axis=0).argmax(axis=1)


def by_squares(probabilities):
    """Return the classes with the highest mean square."""
    return (probabilities**2).mean(axis=0).argmax(axis=1)


def by_surest(probabilities):
    """Return the classes of the surest networks."""
    return probabilities.max(axis=0).argmax(axis=1)


def by_median(probabilities):
    """Return the classes with the highest median."""
    return np.median(probabilities, axis=0).argmax(axis=1)


EXERCISES = {
    "10.1": value(
        9098,
        mistakes={
            "with padding the maps stay 28 × 28, then 14 × 14": 5258,
            "the biases count too": 9064,
            "the second convolution looks at 8 channels": 8090,
            "28 halves to 14 and to 7": 4010 + 80 + 1168 + 14 * 14 * 16 * 10,
        },
    ),
    "10.2": value(
        np.array([0.5, 3.0]),
        mistakes={
            "pooling takes the maximum, not the mean": np.array([0.25, 1.25]),
            "the standing kernel comes first": np.array([3.0, 0.5]),
            "the stroke is half as dark": np.array([1.0, 6.0]),
        },
    ),
    "10.3": function(
        multiply_adds,
        (28, 28, 1, 3, 32),
        (13, 13, 8, 3, 16),
        (10, 12, 3, 5, 7),
        mistakes={
            "every input channel is multiplied": lambda *args: multiply_adds(*args, channels=False),
            "the window does not fit at every pixel": lambda h, w, *args: multiply_adds(
                h, w, *args, places=h * w
            ),
            "a bias is added, not multiplied": lambda *args: multiply_adds(*args, biases=1),
            "count the places in both directions": lambda h, w, c, k, filters: multiply_adds(
                h, w, c, k, filters, places=h - k + 1
            ),
        },
    ),
    "10.4": value(
        np.log(1 + 999 / np.e),
        atol=1e-4,  # two decimals, as the solution prints them
        mistakes={
            "that is the floor for ten classes": np.log(1 + 9 / np.e),
            "that is the loss of one who guesses": np.log(1000),
            "the true class competes with 999 others": np.log(1 + 1000 / np.e),
        },
    ),
    "10.5": function(
        z_score,
        (DIGITS, READ_1, READ_2),
        (DIGITS[:25], READ_2[:25], READ_1[:25]),
        mistakes={
            "(10.9) takes the count for the variance, without the square of the mean": paired_t,
            "the standard error is the root of the count": lambda *args: z_score(*args, scale=lambda n: n),
            "pictures on which both are right or both wrong say nothing": lambda *args: z_score(
                *args, both=True
            ),
            "two different wrong readings say nothing either": lead_by_readings,
            "the first minus the second": lambda y, read_1, read_2: z_score(y, read_2, read_1),
        },
    ),
    "10.6": function(
        with_rejects,
        (SURE, LABELS, 0.7),
        (SURE, LABELS, 0.9),
        (SURE, LABELS, float(SURE.max(axis=1)[3])),
        mistakes={
            "the second is a fraction of those that were read": lambda *args: with_rejects(
                *args, of_all=True
            ),
            "a picture exactly at the threshold is read": lambda *args: with_rejects(*args, kept=np.greater),
            "read where it is sure, not where it is unsure": lambda *args: with_rejects(*args, kept=np.less),
        },
    ),
    "10.7": function(
        committee,
        (RUNS,),
        (RUNS[:2, :4],),
        (TORN,),
        (LOUD,),
        mistakes={
            "the mean of the probabilities, not of their squares": by_squares,
            "all of them decide, not the surest alone": by_surest,
            "the arithmetic mean, not that of the logarithms": by_product,
            "the mean, not the median": by_median,
            "average the probabilities before deciding": by_votes,
            "the first axis holds the networks": lambda p: p.mean(axis=1).argmax(axis=1),
        },
    ),
    "10.8": function(
        slant,
        (PICTURE,),
        (TALL,),
        (FLAT + np.eye(4, 6),),
        mistakes={
            "measure rows and columns from the centre of mass": lambda x: slant(x, centred=False),
            "a stroke to the lower right leans to the right: mind the sign": lambda x: -slant(x),
            "weight each square with the ink, not with its square": lambda x: slant(x**2),
            "divide by the spread of the rows": lambda x: slant(x, by_rows=False),
            "dark ink weighs more than light": slant_of_ink,
        },
    ),
}
