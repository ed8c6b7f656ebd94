"""What the functions and layers of the networks that read may be given: texts, symbols, sequences, masks.

Like `twice.arguments`: each function returns what it was given, or raises an error that names the argument.
"""

import numpy as np

from twice.arguments import (
    between,
    binary,
    choice,
    floats,
    generator,
    labels,
    numbers,
    positive_integer,
    shaped,
)

# ---------------------------------------------------------------------------- text


def characters(letters):
    """Return letters that may occur, at least one, as a list."""
    letters = list(letters)
    if not letters or any(not isinstance(letter, str) or len(letter) != 1 for letter in letters):
        raise ValueError(f"letters: expected single characters, at least one; got {sorted(set(letters))!r}")
    return (letters,)


def spelt(self, text, name="text"):
    """Return an owner of letters and a text, if all letters of the text are among them."""
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected a text, got {type(text).__name__}")
    if strange := set(text).difference(self.letters):
        place, letter = next((i, letter) for i, letter in enumerate(text) if letter in strange)
        raise ValueError(f"{name}: expected letters of the vocabulary, got {letter!r} at place {place}")
    return self, text


def indexed(self, ids):
    """Return a vocabulary and an array of integers that it knows."""
    ids = np.asarray(ids)
    if ids.size and (ids.dtype.kind not in "iu" or not 0 <= ids.min() <= ids.max() < len(self)):
        raise ValueError(f"ids: expected integers from 0 to {len(self) - 1}, got {ids.min()} to {ids.max()}")
    return self, ids


def fillable(sequences, maxlen, padding):
    """Return what `pad_sequences` gets, if every sequence fits in."""
    choice("padding", padding, {"post": 1, "pre": 1})
    if maxlen is not None:
        longest = max(map(len, sequences), default=0)
        if longest > positive_integer("maxlen", maxlen):
            raise ValueError(f"sequences: expected at most maxlen={maxlen} in length, got {longest}")
    return sequences, maxlen, padding


def merging(text, count):
    """Return a text and a number of tokens to learn from it."""
    if not isinstance(text, str):
        raise TypeError(f"text: expected a text, got {type(text).__name__}")
    return text, positive_integer("count", count)


def earlier(merges):
    """Return a list of pairs of tokens, each made of tokens that were there before it."""
    merges = [tuple(pair) for pair in merges]
    for new, pair in enumerate(merges, start=256):
        if len(pair) != 2 or not 0 <= min(pair) <= max(pair) < new:
            raise ValueError(f"merges: expected pairs of earlier tokens, got {pair} for token {new}")
    return (merges,)


def gram(order, letters, k, start):
    """Return what counts of letters are made with."""
    if not isinstance(start, str) or len(start) != 1:
        raise ValueError(f"start: expected a single character, got {start!r}")
    return positive_integer("order", order), *characters(letters), between("k", k, 0, np.inf), start


def texts_of(self, texts):
    """Return a model of letters and a list of texts in them."""
    if isinstance(texts, str):
        raise TypeError("texts: expected a list of texts, got a single text")
    return self, [spelt(self, text)[1] for text in texts]


def counted_letters(self):
    """Return a model of letters, if it has read something."""
    if not hasattr(self, "counts"):
        raise ValueError("counts: expected those of some texts; call fit() first")
    return (self,)


def scorable(self, texts):
    """Return a model of letters that has read something, and texts with at least one letter."""
    self, texts = texts_of(*counted_letters(self), texts)
    if not any(texts):
        raise ValueError("texts: expected at least one letter, got none")
    return self, texts


def drawn(self, rng, end, length):
    """Return what a text is drawn from and with."""
    return *counted_letters(self), generator("rng", rng), end, positive_integer("length", length)


# ---------------------------------------------------------------------------- what recurrent layers get


def symbols(self, x):
    """Return an embedding and its input as integers, if each is the number of a row."""
    x = numbers("x", x)
    if x.size == 0 or x.ndim == 0:
        raise ValueError(f"x: expected shape (n, T), got {x.shape}")
    wrong = x[~((x >= 0) & (x < self.input_dim) & (x % 1 == 0))]
    if wrong.size:
        raise ValueError(f"x: expected whole numbers 0 to {self.input_dim - 1}, got {wrong[0]}")
    return self, x.astype(int)


def stepwise(self, x):
    """Return a layer and its input as an array, if that has steps."""
    x = numbers("x", x)
    if x.ndim < 3 or x.size == 0:
        raise ValueError(f"x: expected shape (n, T, …), a step and what stands there; got {x.shape}")
    return self, x


def read_in_order(self, x, training, mask, initial_state):
    """Return what a recurrent layer reads, if it fits the layer's weights."""
    mask = getattr(x, "mask", None) if mask is None else mask
    x = numbers("x", x)
    if x.size == 0 or x.ndim != 3:
        raise ValueError(f"x: expected shape (n, T, d), got {x.shape}")
    if self.W is not None and x.shape[2] != len(self.W):
        raise ValueError(
            f"x: expected shape (n, T, {len(self.W)}), which the layer was built for; got {x.shape}"
        )
    if mask is not None:
        mask = shaped("mask", np.asarray(mask), x.shape[:2], "a value for each step of x")
        if mask.dtype != bool:
            raise TypeError(f"mask: expected booleans, True where a step counts; got {mask.dtype}")
    if initial_state is not None:
        shape, states = (len(x), self.units), [numbers("initial_state", s) for s in initial_state]
        if len(states) != self.states:
            raise ValueError(
                f"initial_state: expected {self.states} arrays of shape {shape}, got {len(states)}"
            )
        for s in states:
            shaped("initial_state", s, shape, "a row for each sequence")
    return self, x, training, mask, initial_state


# ---------------------------------------------------------------------------- what attention gets


def sequences(name, value):
    """Return ``value`` as an array, if it holds a vector at each position: (n, T, d)."""
    a = numbers(name, value)
    if a.ndim != 3 or a.size == 0:
        raise ValueError(f"{name}: expected shape (n, T, d), got {a.shape}")
    return a


def alongside(name, a, shape, other):
    """Return ``a`` if its shape begins with ``shape``, that of another array."""
    if a.shape[: len(shape)] != shape:
        wanted = ", ".join(map(str, (*shape, *("S", "d")[len(shape) - 1 :])))
        raise ValueError(f"{name}: expected shape ({wanted}) beside {other}, got {a.shape}")
    return a


def looks(name, mask, shape):
    """Return ``mask`` as booleans, if it holds 0 and 1 and can be spread to ``shape``, that of the scores."""
    (mask,) = binary(**{name: mask})
    sizes = zip(mask.shape[::-1], shape[::-1], strict=False)
    if mask.ndim < 2 or mask.ndim > len(shape) or any(size not in (1, full) for size, full in sizes):
        raise ValueError(f"{name}: expected a shape that can be spread to {shape}, got {mask.shape}")
    return mask.astype(bool)


def attended(q, k, v, mask):
    """Return queries, keys and values as floats, and a mask, if they fit each other."""
    q, k, v = floats(q=q, k=k, v=v)
    for name, a in {"q": q, "k": k, "v": v}.items():
        if a.ndim < 2 or a.shape[:-2] != q.shape[:-2] or a.size == 0:
            raise ValueError(f"{name}: expected shape (..., T, d), the same (...) for all; got {a.shape}")
    shaped("k", k, (*k.shape[:-1], q.shape[-1]), "a key's size is a query's")
    shaped("v", v, (*k.shape[:-1], v.shape[-1]), "a value for each key")
    return q, k, v, None if mask is None else looks("mask", mask, (*q.shape[:-1], k.shape[-2]))


def attending(self, query, training, value, key, attention_mask):
    """Return a layer of attention and what it gets, if these fit each other and its weights."""
    if value is None and key is not None:
        raise ValueError("value: expected one beside a key, got None")
    given = {"query": query, "value": value, "key": key}
    given = {name: sequences(name, a) for name, a in given.items() if a is not None}
    query = given["query"]
    value = alongside("value", given.get("value", query), query.shape[:1], "query")
    key = alongside("key", given.get("key", value), value.shape[:2], "value")
    for name, a in {"query": query, "key": key, "value": value}.items():
        if (W := getattr(self, name).W) is not None and a.shape[2] != len(W):
            raise ValueError(
                f"{name}: expected shape (n, T, {len(W)}), which the layer was built for; got {a.shape}"
            )
    if attention_mask is not None:
        n, T, S = *query.shape[:2], key.shape[1]
        attention_mask = looks("attention_mask", attention_mask, (n, T, S))
    return self, query, training, given.get("value"), given.get("key"), attention_mask


def tokens_of(name, value, vocabulary_size):
    """Return ``value`` as integers of shape (n, T), if they are tokens: 0 to ``vocabulary_size`` − 1."""
    a = numbers(name, value)
    if a.ndim != 2 or a.size == 0:
        raise ValueError(f"{name}: expected tokens of shape (n, T), got {a.shape}")
    whole = a.astype(int)
    if (whole != a).any():
        raise ValueError(f"{name}: expected whole numbers, got {a[whole != a][0]}")
    return labels(name, whole, vocabulary_size, a.shape)


def placed(self, tokens, training, past):
    """Return a layer of embeddings, and tokens for which it has vectors and positions."""
    tokens = tokens_of("tokens", tokens, self.vocabulary_size)
    if (end := past + tokens.shape[1]) > self.sequence_length:
        raise ValueError(f"tokens: expected at most {self.sequence_length} positions, got {end}")
    return self, tokens, training, past
