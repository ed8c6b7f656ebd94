"""The exercises of chapter 16."""

import numpy as np

from twice.activations import softmax
from twice.exercises import function, value

RNG = np.random.default_rng(16)
IDS = RNG.integers(0, 9, 20)
LOGITS = RNG.normal(size=7).round(2)
LENGTHS = np.array([1, 3, 2, 5])
WRITTEN = np.array([1, 0, 3, 2, 2, 1])


def bits_a_character(loss, tokens, characters):
    """Return bits a character from a loss in nats a token."""
    return loss * tokens / np.log(2) / characters


def cut(ids, S, *, shift=1, needed=1):
    """Return inputs and labels of windows that do not overlap."""
    n = (len(ids) - needed) // S
    return ids[: n * S].reshape(n, S), ids[shift : n * S + shift].reshape(n, S)


def overlapping(ids, S):
    """Return a window for each place where one begins."""
    starts = np.arange(len(ids) - S)[:, None] + np.arange(S)
    return ids[starts], ids[starts + 1]


def cache_bytes(B, d, n, T, size):
    """Return the bytes of the keys and values of n texts."""
    return 2 * B * d * n * T * size


def top_k(z, k):
    """Return the probabilities of the k largest logits among themselves, and 0 for the others."""
    return softmax(np.where(z >= np.sort(z)[-k], z, -np.inf))


def cut_off(z, k):
    """Return the probabilities of the k largest, not shared out anew."""
    return np.where(z >= np.sort(z)[-k], softmax(z), 0)


def zeroed(z, k):
    """Return softmax with the other logits set to 0."""
    return softmax(np.where(z >= np.sort(z)[-k], z, 0))


def days(N, D, machines, peak, used):
    """Return the days that a training takes."""
    return 6 * N * D / (machines * peak * used) / 86_400


def tokens_within(ids, lengths, characters):
    """Return how many of the first tokens have together at most so many characters."""
    return int((np.cumsum(lengths[ids]) <= characters).sum())


EXERCISES = {
    "16.1": value(
        np.array([7 / 4, 2 ** (7 / 4)]),
        mistakes={
            "the mean over four letters, not their sum": np.array([7.0, 2.0**7]),
            "bits have the base 2": np.array([7 / 4 * np.log(2), 2 ** (7 / 4)]),
            "the perplexity of bits is a power of 2": np.array([7 / 4, np.exp(7 / 4)]),
            "the bits first, then the perplexity": np.array([2 ** (7 / 4), 7 / 4]),
        },
    ),
    "16.2": function(
        bits_a_character,
        (2.5, 100, 240),
        (1.2, 50, 50),
        mistakes={
            "nats become bits by a division by log 2": lambda loss, tokens, characters: (
                loss * tokens / characters
            ),
            "all tokens, shared out among the characters": lambda loss, tokens, characters: (
                loss / np.log(2) * characters / tokens
            ),
            "these are the bits of a token, not of a character": lambda loss, tokens, characters: (
                loss / np.log(2)
            ),
            "divide by log 2": lambda loss, tokens, characters: loss * np.log(2) * tokens / characters,
        },
    ),
    "16.3": function(
        cut,
        (IDS, 4),
        (IDS, 3),
        (IDS[:9], 4),
        mistakes={
            "a label is the token after its input": lambda ids, S: cut(ids, S, shift=0),
            "the windows do not overlap": overlapping,
            "inputs first, then labels": lambda ids, S: cut(ids, S)[::-1],
            "as many windows as fit": lambda ids, S: cut(ids, S, needed=S + 1),
        },
    ),
    "16.4": value(
        124_439_808 + 50_257 * 768,
        mistakes={
            "the output has V columns, not S": 124_439_808 + 1024 * 768,
            "one more matrix, and nothing goes": 124_439_808,
            "the matrix of the input stays": 50_257 * 768,
            "a bias is not part of this output": 124_439_808 + 50_257 * 769,
        },
    ),
    "16.5": function(
        cache_bytes,
        (96, 12_288, 1, 2048, 2),
        (2, 128, 5, 100, 4),
        mistakes={
            "keys and values: twice": lambda B, d, n, T, size: B * d * n * T * size,
            "each text has its own": lambda B, d, n, T, size: 2 * B * d * T * size,
            "each block has its own": lambda B, d, n, T, size: 2 * d * n * T * size,
            "in bytes": lambda B, d, n, T, size: 2 * B * d * n * T,
            "keys and values, not weights": lambda B, d, n, T, size: B * n * T * T * size,
        },
    ),
    "16.6": function(
        top_k,
        (LOGITS, 1),
        (LOGITS, 3),
        (LOGITS, 7),
        mistakes={
            "what is left must add up to 1": cut_off,
            "a logit of 0 is not a probability of 0": zeroed,
            "the largest, not the smallest": lambda z, k: softmax(
                np.where(z <= np.sort(z)[k - 1], z, -np.inf)
            ),
        },
    ),
    "16.7": function(
        days,
        (175e9, 300e9, 1000, 1e14, 0.4),
        (1e6, 1e8, 1, 1e10, 0.5),
        mistakes={
            "6ND with the backward pass": lambda *args: days(*args) / 3,
            "a day has 86,400 seconds": lambda *args: days(*args) * 86_400,
            "a day has 24 hours": lambda *args: days(*args) * 24,
            "more machines take fewer days": lambda N, D, machines, peak, used: days(
                N, D, 1 / machines, peak, used
            ),
            "only a fraction is used, so it takes longer": lambda N, D, machines, peak, used: days(
                N, D, machines, peak, 1 / used
            ),
        },
    ),
    "16.8": function(
        tokens_within,
        (WRITTEN, LENGTHS, 9),
        (WRITTEN, LENGTHS, 3),
        (WRITTEN, LENGTHS, 2),
        (WRITTEN, LENGTHS, 99),
        mistakes={
            "at most: equal is allowed": lambda ids, lengths, characters: int(
                (np.cumsum(lengths[ids]) < characters).sum()
            ),
            "the lengths of the tokens that were written": lambda ids, lengths, characters: int(
                (np.cumsum(lengths) <= characters).sum()
            ),
            "together": lambda ids, lengths, characters: int((lengths[ids] <= characters).sum()),
        },
    ),
}
