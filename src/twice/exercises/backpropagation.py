"""The exercises of chapter 5."""

import tracemalloc

import numpy as np

from twice.autograd import Value
from twice.exercises import Exercise, difference, function, value

RNG = np.random.default_rng(5)
X, DZ = RNG.normal(size=(2, 6, 4)).round(2)
W, G = RNG.normal(size=(4, 4)).round(2), RNG.normal(size=4).round(2)
PICTURES = RNG.uniform(size=(3, 5)).round(2)
SLOPES = RNG.normal(size=(3, 5)).round(2)  # none is 0, where both directions are right
CURVED, POINT, DIRECTION = RNG.normal(size=(4, 4)).round(2), G, X[0]


def residual_backward(x, W, da, *, around=True, through=True, bend=True):
    """Return ∂L/∂x and ∂L/∂W of x + relu(xW), or with other options what a slip in it gives."""
    dz = da * (x @ W > 0) if bend else da
    return around * da + through * dz @ W.T, x.T @ dz


def softplus_fault(softplus):
    """Return what is wrong with a softplus for the engine: its data, or the gradient it hands back."""
    for x in (-20.0, -1.5, 0.0, 0.7, 20.0):
        v = Value(x)
        result = softplus(v)
        if not hasattr(result, "backward"):
            return f"for {x}: expected a Value, got {type(result).__name__}"
        if fault := difference(result.data, np.logaddexp(0, x), 1e-8):
            return f"for {x}: the data, {fault}"
        result.backward()
        if fault := difference(v.grad, 1 / (1 + np.exp(-x)), 1e-8):
            return f"for {x}: the slope, {fault}"
    return None


def of_softplus(data, slope=None):
    """Return a softplus for the engine with other data or another slope; without one, v is no parent."""
    return lambda v: Value(data(v.data), ((v, slope(v.data)),) if slope else ())


def unit_backward(x, du, *, power=1, along=True):
    """Return ∂L/∂x for rows divided by their lengths, or with other options what a slip in it gives."""
    s = np.linalg.norm(x, axis=1, keepdims=True)
    u = x / s
    return (du - along * u * (du * u).sum(axis=1, keepdims=True)) / s**power


def jacobian_fault(unit):
    """Return whether a function needs the memory of a Jacobian: for one row of 400 numbers, 400 times it."""
    x, du = np.random.default_rng(56).normal(size=(2, 1, 400))
    tracing = tracemalloc.is_tracing()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    unit(x, du)
    _, peak = tracemalloc.get_traced_memory()
    if not tracing:
        tracemalloc.stop()
    if peak - before > x.size**2 * 2:  # half of what a Jacobian in float32 takes
        return "the numbers are right, but the memory grows with d²: as large as a Jacobian is"
    return None


def through_jacobian(x, du):
    """Return what `unit_backward` does, by the way that the text forbids."""
    s = np.linalg.norm(x, axis=1)[:, None, None]
    u = x / s[:, :, 0]
    J = (np.eye(x.shape[1]) - u[:, :, None] * u[:, None, :]) / s
    return np.einsum("ni,nij->nj", du, J)


def quadratic(w):
    """Return the gradient of ½ wᵀHw with H = CᵀC, an example whose Hessian is known."""
    return CURVED.T @ CURVED @ w


def quartic(w):
    """Return the gradient of Σ w⁴ / 4."""
    return w**3


def hessian_times(gradient, w, v, h=1e-4):
    """Return the change of the gradient along v."""
    return (gradient(w + h * v) - gradient(w - h * v)) / (2 * h)


UNIT = function(
    unit_backward,
    (X, DZ),
    (X[:1], DZ[1:2]),
    mistakes={
        "the length changes too": lambda x, du: unit_backward(x, du, along=False),
        "divide by the length once": lambda x, du: unit_backward(x, du, power=2),
        "divide by the length": lambda x, du: unit_backward(x, du, power=0),
    },
)

EXERCISES = {
    "5.1": value(
        (16.0, -16.0),
        mistakes={
            "a is used twice: what comes straight from the sum is missing": (24.0, -16.0),
            "a is used twice: what comes through the product is missing": (-8.0, -16.0),
            "a value does not divide its gradient: each parent receives all of it": (8.0, -8.0),
        },
    ),
    "5.2": value(
        (550_000, 50_100_000),
        mistakes={
            "the other way round": (50_100_000, 550_000),
            "those are sizes added up, not multiplied": (1_600, 1_600),
            "from the right the last step counts too: a row times a matrix": (550_000, 50_000_000),
        },
    ),
    "5.3": function(
        lambda x, g, dz: (dz * g, (dz * x).sum(axis=0)),
        (X, G, DZ),
        (X[:2], G, DZ[:2]),
        mistakes={
            "g acts in every row: add the rows up": lambda x, g, dz: (dz * g, dz * x),
            "a sum over the batch, not a mean": lambda x, g, dz: (dz * g, (dz * x).mean(axis=0)),
            "x and g are exchanged": lambda x, g, dz: (dz * x, (dz * g).sum(axis=0)),
        },
    ),
    "5.4": function(
        residual_backward,
        (X, W, DZ),
        (X[:3], W.T, DZ[:3]),
        mistakes={
            "x has a second way, round the layer": lambda *case: residual_backward(*case, around=False),
            "x has a second way, through the layer": lambda *case: residual_backward(*case, through=False),
            "the ReLU has a slope": lambda *case: residual_backward(*case, bend=False),
            "through the layer it is dz Wᵀ": lambda x, W, da: (
                da + (da * (x @ W > 0)) @ W,
                x.T @ (da * (x @ W > 0)),
            ),
        },
    ),
    "5.5": Exercise(
        softplus_fault,
        (
            of_softplus(lambda x: np.logaddexp(0, x)),
            of_softplus(lambda x: np.logaddexp(0, x), lambda x: 1.0),
            of_softplus(lambda x: np.logaddexp(0, x), np.exp),
            of_softplus(lambda x: max(0.0, x), lambda x: float(x > 0)),
            lambda v: np.logaddexp(0, v.data),
        ),
    ),
    "5.6": Exercise(
        lambda answer: UNIT.judge(answer) or jacobian_fault(answer),
        (*UNIT.wrong, through_jacobian),
    ),
    "5.7": function(
        hessian_times,
        (quadratic, POINT, DIRECTION),
        (quartic, POINT, DIRECTION),
        atol=1e-6,
        mistakes={
            "divide by the distance of the two points, 2h": lambda gradient, w, v: (
                2 * hessian_times(gradient, w, v)
            ),
            "divide by the step": lambda gradient, w, v: 2e-4 * hessian_times(gradient, w, v),
            "that is a one-sided difference, with few digits": lambda gradient, w, v: (
                (gradient(w + 1e-4 * v) - gradient(w)) / 1e-4
            ),
            "that is the gradient's slope at v, not along v": lambda gradient, w, v: hessian_times(
                gradient, v, w
            ),
        },
    ),
    "5.8": function(
        lambda x, dx, epsilon: np.clip(x + epsilon * np.sign(dx), 0, 1),
        (PICTURES, SLOPES, 0.1),
        (PICTURES, SLOPES, 0.4),
        mistakes={
            "that lowers the loss": lambda x, dx, epsilon: np.clip(x - epsilon * np.sign(dx), 0, 1),
            "keep the pixels between 0 and 1": lambda x, dx, epsilon: x + epsilon * np.sign(dx),
            "every pixel moves by ε: take the sign": lambda x, dx, epsilon: np.clip(x + epsilon * dx, 0, 1),
        },
    ),
}
