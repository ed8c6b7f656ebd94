"""The exercises of chapter 15."""

import numpy as np

from twice.activations import softmax
from twice.embeddings import frequencies
from twice.exercises import function, value

RNG = np.random.default_rng(15)
X = RNG.normal(size=(2, 3, 8)).round(2)
Q, K, V = (RNG.normal(size=shape).round(2) for shape in [(2, 3, 4, 4), (2, 5, 4), (2, 5, 3)])
ROWS = RNG.normal(size=(6, 4)).round(2)
QUERY = RNG.normal(size=4).round(2)
KEYS, VALUES = RNG.normal(size=(6, 4)).round(2), RNG.normal(size=(6, 3)).round(2)
RISING = KEYS + 300 * np.arange(6)[:, None] * QUERY
LOW = KEYS - 300 * np.arange(2, 8)[:, None] * QUERY  # their exponentials are 0


def window_mask(T, width):
    """Return a causal mask that shows the last ``width`` positions."""
    return np.tri(T, T, dtype=bool) & ~np.tri(T, T, -width, dtype=bool)


def split_heads(x, heads):
    """Return x with its numbers cut into heads, the heads before the positions."""
    n, T, d = x.shape
    return x.reshape(n, T, heads, d // heads).swapaxes(1, 2)


def heads_dealt_out(x, heads):
    """Return what comes of giving head h the numbers h, h + heads, …."""
    n, T, d = x.shape
    return x.reshape(n, T, d // heads, heads).transpose(0, 3, 1, 2)


def multi_query(q, k, v, *, scale=True, axis=-1):
    """Return the means of one set of keys and values for all heads."""
    z = q @ k[:, None].swapaxes(-1, -2) / (q.shape[-1] ** 0.5 if scale else 1)
    return np.moveaxis(softmax(np.moveaxis(z, axis, -1)), -1, axis) @ v[:, None]


def rotate(x, *, sign=1, first=0, halves=False, power=1):
    """Return x with each pair of numbers turned by its angle."""
    T, d = x.shape
    angles = sign * (np.arange(T)[:, None] + first) * frequencies(d) ** power
    one, other = (x[:, : d // 2], x[:, d // 2 :]) if halves else (x[:, ::2], x[:, 1::2])
    pairs = one * np.cos(angles) - other * np.sin(angles), one * np.sin(angles) + other * np.cos(angles)
    return np.concatenate(pairs, axis=1) if halves else np.stack(pairs, axis=-1).reshape(T, d)


def streamed(q, k, v, size, *, scale=True, rescale=True):
    """Return attention's mean, ``size`` keys at a time."""
    m, total, mean = -np.inf, 0.0, 0.0
    for i in range(0, len(k), size):
        z = k[i : i + size] @ q / (len(q) ** 0.5 if scale else 1)
        new = max(m, z.max()) if rescale else z.max()
        e, kept = np.exp(z - new), np.exp(m - new) if rescale else 1
        total, mean, m = kept * total + e.sum(), kept * mean + e @ v[i : i + size], new
    return mean / total


def mean_of_means(q, k, v, size):
    """Return the mean of the pieces' own answers."""
    starts = range(0, len(k), size)
    return np.mean([streamed(q, k[i : i + size], v[i : i + size], size) for i in starts], axis=0)


EXERCISES = {
    "15.1": value(
        np.array([1, 3, 4]) / 8,
        mistakes={
            "divide the scores by √d, here by 2": np.array([1, 9, 16]) / 26,
            "softmax takes the exponentials of the scores": np.array([0, np.log(3), np.log(4)]) / np.log(12),
            "the weights add up to 1": np.array([1.0, 3.0, 4.0]),
            "d is 4, and its root 2": softmax(np.array([0, np.log(3), np.log(4)]) / 2),
        },
    ),
    "15.2": value(
        np.array([16640, 49984]),
        mistakes={
            "the four biases of the attention are missing": np.array([16384, 49728]),
            "the two norms have γ and β": np.array([16640, 49728]),
            "there are two norms": np.array([16640, 49856]),
            "four heads of 16 numbers together make 64": np.array([66368, 99712]),
            "the 4d² + 4d are those of all heads together": np.array([66560, 99904]),
        },
    ),
    "15.3": function(
        window_mask,
        (6, 3),
        (4, 1),
        (3, 5),
        mistakes={
            "a position sees itself too": lambda T, width: window_mask(T, width + 1) & ~np.eye(T, dtype=bool),
            "that is one too many": lambda T, width: window_mask(T, width + 1),
            "nobody sees what comes later": lambda T, width: window_mask(T, width) | window_mask(T, width).T,
            "what lies further back is hidden": lambda T, width: np.tri(T, T, dtype=bool),
            "rows are queries, columns are keys": lambda T, width: window_mask(T, width).T,
        },
    ),
    "15.4": function(
        split_heads,
        (X, 2),
        (X[:1], 4),
        mistakes={
            "that reads the memory on: first cut the last axis, then swap": lambda x, heads: x.reshape(
                len(x), heads, x.shape[1], -1
            ),
            "the heads stand before the positions": lambda x, heads: split_heads(x, heads).swapaxes(1, 2),
            "a head's numbers lie side by side": heads_dealt_out,
        },
    ),
    "15.5": function(
        multi_query,
        (Q, K, V),
        (Q[:1, :1], K[:1], V[:1]),
        mistakes={
            "divide the scores by √d": lambda *args: multi_query(*args, scale=False),
            "the weights of each query add up to 1, over the keys": lambda *args: multi_query(*args, axis=-2),
            "all heads are wanted, not their mean": lambda *args: multi_query(*args).mean(axis=1),
        },
    ),
    "15.6": function(
        rotate,
        (ROWS,),
        (ROWS[:3, :2],),
        mistakes={
            "that turns the other way": lambda x: rotate(x, sign=-1),
            "the first position is 0": lambda x: rotate(x, first=1),
            "pairs are neighbours, not the two halves": lambda x: rotate(x, halves=True),
            "the exponents of (15.8) are −2i/d": lambda x: rotate(x, power=0.5),
        },
    ),
    "15.7": function(
        streamed,
        (QUERY, KEYS, VALUES, 4),
        (QUERY, RISING, VALUES, 2),
        (QUERY, RISING[::-1], VALUES, 2),
        (QUERY, LOW, VALUES, 2),
        mistakes={
            "divide the scores by √d": lambda *args: streamed(*args, scale=False),
            "what was summed before has to be measured against the new largest score": (
                lambda *args: streamed(*args, rescale=False)
            ),
            "a piece with larger scores counts for more": mean_of_means,
            "all keys count, the last few too": lambda q, k, v, size: streamed(q, k[:size], v[:size], size),
        },
        without={
            "attention": "go through the keys piece by piece",
            "softmax": "go through the keys piece by piece",
        },
    ),
}
