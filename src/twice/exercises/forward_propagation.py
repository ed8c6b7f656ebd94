"""The exercises of chapter 4."""

import numpy as np

from twice.activations import relu
from twice.exercises import Exercise, function, value
from twice.exercises.comparison import apart

RNG = np.random.default_rng(4)
W1, B1, W2 = RNG.normal(size=(2, 4)), RNG.normal(size=4), RNG.normal(size=(4, 3))
ORDER = np.array([2, 0, 3, 1])
POINTS = np.linspace(0, 1, 41)
ANGLES = np.linspace(0, 2 * np.pi, 90, endpoint=False) + 0.01
CIRCLES = np.concatenate(  # of radius 1/100 to a million
    [10.0**k * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]) for k in range(-2, 7)]
)
TENTS = [(0.25, 0.75), (-3.0, 5.0), (10.0, 10.5)]
NEURONS = np.array([[1.0, -2.0, 1.0, 3.0, 0.0, -1.0, 1.0]]), np.array([-0.5, 1.0, 0.5, 0.0, -0.5, 1.0, -2.0])
SHAPES = {"axes": "the text fixes the shapes"}


def weights_of(answer, d):
    """Return the four arrays of a network with ``d`` inputs, or raise ValueError with what is wrong."""
    if not isinstance(answer, tuple | list) or len(answer) != 4:
        raise ValueError("expected four arrays: W1, b1, W2, b2")
    weights = [np.asarray(part) for part in answer]
    m = weights[1].size
    if [part.shape for part in weights] != [(d, m), (m,), (m, 1), (1,)]:
        raise ValueError(f"expected the shapes ({d}, {m}), ({m},), ({m}, 1), (1,) for {m} hidden neurons")
    return weights


def beside_the_folds(first, b1):
    """Return points where each hidden neuron switches, and some on both sides."""
    for w, b in zip(first.T.astype(float), b1.astype(float), strict=True):
        if length := np.linalg.norm(w):
            along = np.array([-w[1], w[0]]) / length if w.size == 2 else np.zeros(1)
            for t in (-100.0, -1.0, 0.0, 1.0, 100.0):
                yield from (-b * w / length**2 + t * along + side * w / length for side in (-0.1, 0.0, 0.1))


def misjudged(answer, truth, points):
    """Return where the network of the four arrays in ``answer`` misses ``truth``, or None.

    A wrong network can be right on any points chosen beforehand, so it is also asked beside its own folds.
    """
    try:
        first, b1, second, b2 = weights = weights_of(answer, points.shape[1])
    except ValueError as fault:
        return str(fault)
    x = np.vstack([points, *beside_the_folds(first, b1)])
    y, expected = (relu(x @ first + b1) @ second + b2)[:, 0], truth(x)
    coarse = any(part.dtype == np.float32 for part in weights)
    misses = np.abs(y - expected) / np.maximum(1, np.abs(x).max(axis=1))
    worst = misses.argmax()
    if misses[worst] < (1e-5 if coarse else 1e-9):
        return None
    return f"for {np.round(x[worst], 4)}: {apart(y[worst], expected[worst], False)}"


def judge_maximum(answer):
    """Say what is wrong with the weights of a network that should compute the larger of two numbers."""
    return misjudged(answer, lambda x: x.max(axis=1), CIRCLES)


def judge_tent(answer):
    """Say what is wrong with the weights of networks that should compute tents."""
    for start, end in TENTS:
        middle, half = (start + end) / 2, (end - start) / 2
        points = np.append(middle + half * np.linspace(-3, 3, 61), [-1e4, 1e4])
        fault = misjudged(
            answer(start, end),
            lambda x, middle=middle, half=half: relu(1 - np.abs(x[:, 0] - middle) / half),
            points[:, None],
        )
        if fault:
            return f"between {start:g} and {end:g}: {fault}"
    return None


def tent_between(start, end, *, middle=-2.0, height=1.0, last=1.0):
    """Return the weights of a tent; the options make mistakes."""
    slope = 2 * height / (end - start)
    kinks = np.array([start, (start + end) / 2, end])
    return np.ones((1, 3)), -kinks, slope * np.array([[1.0], [middle], [last]]), np.zeros(1)


def leaky_std(fan_in, alpha):
    """Return the standard deviation that keeps the mean square through leaky ReLU."""
    return np.sqrt(2 / ((1 + alpha**2) * fan_in))


def reorder(W1, b1, W2, order):
    """Return the weights with the hidden neurons in another order."""
    return W1[:, order], b1[order], W2[order]


def switching(W1, b1):
    """Return how many neurons switch between 0 and 1."""
    return int((b1 * (W1[0] + b1) < 0).sum())


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
            # right for x₂ > −5 only
            (np.array([[1.0, 0], [-1, 1]]), np.array([0.0, 5]), np.ones((2, 1)), np.array([-5.0])),
            # right outside the strip between x₁ = 3 and x₁ = 3.001
            (
                np.array([[1.0, 0, 0, 1, 1, 1], [-1, 1, -1, 0, 0, 0]]),
                np.array([0, 0, 0, -3, -3.0005, -3.001]),
                np.array([[1.0], [1], [-1], [1], [-2], [1]]),
                np.zeros(1),
            ),
            np.eye(2),
        ),
        refused=SHAPES,
    ),
    "4.3": value(
        4096,
        mistakes={
            "with one neuron at each kink and no other, which slopes are possible left of them all?": 4095,
            "that is the deep network's number": 24,
            "T is applied twelve times: 2 to the power of 12, not 12 squared": 144,
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
        switching,
        NEURONS,
        (NEURONS[0][:, :3], NEURONS[1][:3]),
        (np.ones((1, 12)), -np.linspace(0.05, 0.95, 12)),
        mistakes={
            "strictly between 0 and 1: not at an end": lambda W1, b1: int((b1 * (W1[0] + b1) <= 0).sum()),
            "a neuron can switch off as well as on": lambda W1, b1: int(((b1 < 0) & (W1[0] + b1 > 0)).sum()),
            "some switch outside": lambda W1, b1: int((W1[0] != 0).sum()),
        },
    ),
    "4.7": Exercise(
        judge_tent,
        wrong=(
            lambda start, end: tent_between(start, end, middle=-1.0),
            lambda start, end: tent_between(start, end, height=0.5),
            lambda start, end: tent_between(start, end, last=0.0),
            lambda start, end: tent_between(0.25, 0.75),
            lambda start, end: tent_between(start, end)[:3],
        ),
        refused=SHAPES,
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
    "4.9": function(
        lambda D: (4.0**-D / 4, 3 * D, 2**D),
        (1,),
        (4,),
        (6,),
        mistakes={
            "over a width h the chord lies above by h²/4": lambda D: (4.0**-D, 3 * D, 2**D),
            "three neurons a layer: one carries the sum": lambda D: (4.0**-D / 4, 2 * D, 2**D),
            "(4.11) has a neuron for each slope": lambda D: (4.0**-D / 4, 3 * D, 2**D - 1),
        },
    ),
}
