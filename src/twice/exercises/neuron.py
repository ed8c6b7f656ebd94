"""The exercises of chapter 1."""

import numpy as np

from twice.activations import sigmoid, step
from twice.exercises import Exercise, function, value

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
NAND = np.array([1, 1, 1, 0])
RNG = np.random.default_rng(1)
Z = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
POINTS = RNG.normal(size=(6, 2)).round(2)
LABELS = np.array([1.0, 0, 1, 0, 0, 1])
# Where neurons for OR and AND leave no choice: between two corners, beyond (1, 1), below (0, 0).
ELSEWHERE = np.array([[0.5, 0.5], [0.25, 0.75], [1.5, 1.6], [3.0, 2.0], [-0.5, -0.6], [-2.0, -1.0]])


def nand(answer):
    """Return what is wrong with the weights (w₁, w₂, b) of a NAND neuron, or None."""
    numbers = np.concatenate([np.ravel(part) for part in answer])  # (w1, w2, b), or w and b apart
    if numbers.size != 3:
        return f"expected three numbers (w1, w2, b), got {numbers.size}"
    w1, w2, b = numbers
    wrong = CORNERS[step(CORNERS @ np.array([w1, w2]) + b) != NAND]
    return None if len(wrong) == 0 else f"the neuron is wrong at x = {wrong[0]}"


def xor(x):
    """Return "OR but not AND", from three step neurons."""
    either, both = step(x @ np.ones(2) - 0.5), step(x @ np.ones(2) - 1.5)
    return step(either - both - 0.5)


def averaged_perceptron(x, y, passes, *, average=True, corrected_only=False):
    """Return the mean weights and bias of a perceptron, or with other options what goes wrong with them."""
    w, b = np.zeros(x.shape[1]), 0.0
    seen_w, seen_b = [], []
    for _ in range(passes):
        for x_i, y_i in zip(x, y, strict=True):
            error = y_i - step(x_i @ w + b)
            w, b = w + error * x_i, b + error
            if error or not corrected_only:
                seen_w.append(w)
                seen_b.append(b)
    return (np.mean(seen_w, axis=0), np.mean(seen_b)) if average else (w, b)


EXERCISES = {
    "1.1": value(
        1.5,
        mistakes={
            "the bias is missing": 1.0,
            "the second weight is −2": 5.5,
            "ReLU keeps what is positive": 0.0,
        },
    ),
    "1.2": Exercise(nand, wrong=(np.array([1.0, 1.0, -1.5]), np.array([-1.0, -1.0, 0.5]), np.ones(2))),
    "1.3": function(
        np.tanh,
        (Z,),
        (np.array([-1000.0, 1000.0]),),
        without=dict.fromkeys(("tanh", "sinh", "cosh"), "make it of `sigmoid` and arithmetic"),
        mistakes={
            "the argument of the sigmoid is 2z": lambda z: 2 * sigmoid(z) - 1,
            "it should run from −1 to 1": lambda z: sigmoid(2 * z),
            "that is the ready-made tanh": np.tanh,
            "that is the ready-made tanh, called": lambda z: np.tanh(z),
            "that is tanh out of ready-made parts": lambda z: (
                np.sinh(np.clip(z, -700, 700)) / np.cosh(np.clip(z, -700, 700))
            ),
        },
    ),
    "1.4": function(
        lambda z, alpha: np.where(z > 0, 1.0, alpha),
        (Z, 0.1),
        (Z, 0.0),
        mistakes={
            "at 0 the value should be α": lambda z, alpha: np.where(z >= 0, 1.0, alpha),
            "below 0 the slope is α, not 0": lambda z, alpha: np.where(z > 0, 1.0, 0.0),
            "that is the function, not its derivative": lambda z, alpha: np.where(z > 0, z, alpha * z),
        },
    ),
    "1.5": function(
        lambda x, w, b: (x @ w + b) / np.linalg.norm(w),
        (POINTS, np.array([3.0, -4.0]), 2.0),
        (POINTS, np.array([0.5, 0.1]), -1.0),
        mistakes={
            "divide by the length of w": lambda x, w, b: x @ w + b,
            "divide by the length of w, not by its square": lambda x, w, b: (x @ w + b) / (w @ w),
            "the distance should have a sign": lambda x, w, b: np.abs(x @ w + b) / np.linalg.norm(w),
        },
    ),
    "1.6": function(
        xor,
        (CORNERS,),
        (ELSEWHERE,),
        mistakes={
            "that is OR": lambda x: step(x @ np.ones(2) - 0.5),
            "that is AND": lambda x: step(x @ np.ones(2) - 1.5),
            "yes and no are exchanged": lambda x: 1 - xor(x),
            "that compares the inputs: build it of neurons, which answer between the corners too": lambda x: (
                x[:, 0] != x[:, 1]
            ).astype(float),
            "that rounds the inputs first: build it of neurons": lambda x: (
                (x[:, 0] > 0.5) != (x[:, 1] > 0.5)
            ).astype(float),
            "those are four fixed answers: use `x`": lambda x: np.array([0.0, 1.0, 1.0, 0.0]),
        },
    ),
    "1.7": function(
        lambda z: sigmoid(z) * (1 + z * (1 - sigmoid(z))),
        (Z,),
        (np.linspace(-6, 6, 11),),
        mistakes={
            "the second term of the product rule is missing": sigmoid,
            "the first term of the product rule is missing": lambda z: z * sigmoid(z) * (1 - sigmoid(z)),
        },
    ),
    "1.8": function(
        averaged_perceptron,
        (POINTS, LABELS, 1),
        (POINTS, LABELS, 7),
        mistakes={
            "these are the last weights, not their mean": lambda x, y, passes: averaged_perceptron(
                x, y, passes, average=False
            ),
            "count the examples that needed no correction too": lambda x, y, passes: averaged_perceptron(
                x, y, passes, corrected_only=True
            ),
        },
    ),
}
