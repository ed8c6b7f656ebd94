"""The exercises of chapter 14."""

import numpy as np

from twice.exercises import Exercise, attempted, difference, function, value
from twice.recurrent import GRU, LSTM, SimpleRNN

RNG = np.random.default_rng(14)
READ = RNG.normal(size=7).round(2)
BITS, REAL = RNG.uniform(0, 6, size=(4, 5)).round(2), np.arange(5) < np.array([[5], [2], [1], [4]])


def slopes(x, w, u, *, through=True, summed=True, late=False):
    """Return ∂L/∂w and ∂L/∂u for L = h_T; without ``through`` the activation has no slope.

    Without ``summed`` only the last step counts; ``late`` takes the new state for the old one.
    """
    h = [0.0]
    for number in x:
        h.append(np.tanh(w * number + u * h[-1]))
    dh, dw, du = 1.0, 0.0, 0.0
    for t in reversed(range(len(x))):
        delta = dh * (1 - h[t + 1] ** 2) if through else dh
        dw, du, dh = dw + delta * x[t], du + delta * h[t + late], delta * u
        if not summed:
            break
    return dw, du


def two_means(bits, real):
    """Return the mean over letters, and the mean over names of their means."""
    sums, lengths = (bits * real).sum(axis=1), real.sum(axis=1)
    return sums.sum() / lengths.sum(), (sums / lengths).mean()


def first_signs(T=50):
    """Return sequences (n, T, 2) whose first number and the rest disagree, and the sign of the first."""
    rng = np.random.default_rng(140)
    x = np.zeros((16, T, 2))
    x[:, :, 0] = rng.uniform(1, 2, size=(16, T)) * rng.choice([-1, 1], size=(16, T))
    x[8:, 1:, 0] = -np.sign(x[8:, :1, 0]) * np.abs(x[8:, 1:, 0])
    x[:, 0, 1] = 1
    return x, np.sign(x[:, 0, 0])


def memory_fault(answer):
    """Return what is wrong with weights of an LSTM that is to keep the first sign."""
    parts = answer()
    if not isinstance(parts, tuple | list) or len(parts) != 3:
        return "expected three results: W, U and b"
    layer = LSTM(1, rng=np.random.default_rng(0))
    layer.build((None, 50, 2))
    for name, w, mine in zip("WUb", layer.params, parts, strict=True):
        mine = np.asarray(mine, dtype=float)
        if mine.size != w.size or mine.squeeze().shape != w.squeeze().shape:
            return f"{name}: expected shape {w.shape}, got {mine.shape}"
        w[...] = mine.reshape(w.shape)
    x, sign = first_signs()
    h = layer.forward(x)[:, 0]
    if (np.sign(h) != sign).any():
        return "the sign at the end is not always that of the first number: is the input gate closed later?"
    if np.abs(h).min() <= 0.7:
        return f"|h| falls to {np.abs(h).min():.2f}: are the forget gate and the output gate wide open?"
    return None


def kept(*, forget=20.0, shut=-20.0, opened=40.0, order=(0, 1, 2, 3)):
    """Return weights that remember, or do not: how open the forget gate is, how shut the input gate."""
    W, b = np.zeros((2, 4)), np.array([shut, forget, 0.0, 20.0])
    W[0, 2], W[1, 0] = 20.0, opened
    return W[:, list(order)], np.zeros((1, 4)), b[list(order)]


class Both:
    """Two layers, one in each direction; the options are plausible mistakes."""

    def __init__(self, front, back, *, turn=True, turn_gradient=True, add=True):
        self.front, self.back = front, back
        self.turn, self.turn_gradient, self.add = turn, turn_gradient, add

    def forward(self, x):
        """Return both outputs side by side."""
        a, b = self.front.forward(x), self.back.forward(x)
        return np.concatenate([a, b[:, ::-1] if self.turn else b], axis=2)

    def backward(self, da):
        """Return the sum of both gradients."""
        m = self.front.units
        db = da[:, ::-1, m:] if self.turn_gradient else da[:, :, m:]
        dx, dx_back = self.front.backward(da[:, :, :m]), self.back.backward(db)
        return dx + dx_back if self.add else dx


def bidirectional_fault(made):
    """Return what is wrong with a class of bidirectional layers."""
    for kind, m in ((SimpleRNN, 2), (GRU, 3)):
        rng = np.random.default_rng(7)
        x, da = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 2 * m))

        def layers(kind=kind, m=m):
            rng = np.random.default_rng(8)
            front = kind(m, return_sequences=True, rng=rng)
            return front, kind(m, return_sequences=True, go_backwards=True, rng=rng)

        mine, right = made(*layers()), Both(*layers())
        if fault := difference(attempted(mine.forward)(x), right.forward(x), 1e-8):
            return f"forward: {fault}"
        if fault := difference(attempted(mine.backward)(da), right.backward(da), 1e-8):
            return f"backward: {fault}"
    return None


EXERCISES = {
    "14.1": value(
        (3550, 14200, 10800),
        mistakes={
            "Keras's GRU has two biases, as `reset_after=True`": (3550, 14200, 10650),
            "the state is multiplied by a matrix too": (1050, 4200, 3150),
            "the biases are missing": (3500, 14000, 10500),
        },
    ),
    "14.2": function(
        lambda u: np.log(0.5) / np.log(u),
        (0.5,),
        (0.9,),
        (0.99,),
        mistakes={
            "the share falls like a power, not like a line": lambda u: 0.5 / (1 - u),
            "that many steps leave 1/e": lambda u: -1 / np.log(u),
            "not rounded": lambda u: np.ceil(np.log(0.5) / np.log(u)),
        },
    ),
    "14.3": function(
        slopes,
        (READ, 0.7, 0.9),
        (READ[:3], -1.2, 1.5),
        (READ[:2], 0.5, -0.8),
        mistakes={
            "on the way back it passes through tanh": lambda *case: slopes(*case, through=False),
            "every step uses the weights: sum over all of them": lambda *case: slopes(*case, summed=False),
            "u meets the state before the step": lambda *case: slopes(*case, late=True),
        },
    ),
    "14.4": Exercise(
        memory_fault,
        (
            lambda: kept(forget=1.0),
            lambda: kept(shut=0.0),
            lambda: kept(order=(1, 0, 2, 3)),
            lambda: kept(opened=0.0),
            lambda: kept()[:2],
        ),
    ),
    "14.5": function(
        two_means,
        (BITS, REAL),
        (BITS[1:], REAL[1:]),
        mistakes={
            "divide by the letters, not by the places": lambda bits, real: (
                (bits * real).mean(),
                (bits * real).mean(axis=1).mean(),
            ),
            "letters first, then names": lambda bits, real: two_means(bits, real)[::-1],
        },
    ),
    "14.6": value(
        (6.6 / 13, 0.15 / 13),
        mistakes={
            "T(h) counts the kinds of letters, not how often": (8 / 20, 0.5 / 20),
            "the shorter context has its share": (0.6, 0.0),
            "k = 1 stands before T(h) here, and not alone": (6.2 / 11, 0.05 / 11),
        },
    ),
    "14.7": Exercise(
        bidirectional_fault,
        (
            lambda front, back: Both(front, back, turn=False),
            lambda front, back: Both(front, back, turn_gradient=False),
            lambda front, back: Both(front, back, add=False),
        ),
    ),
}
