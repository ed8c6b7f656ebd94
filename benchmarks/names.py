# ruff: noqa: E402
"""Networks that read first names letter by letter, beside counts: the trainings behind chapter 14.

python benchmarks/names.py --list      what there is, and what is done
python benchmarks/names.py --all       every run that is not done
python benchmarks/names.py --export    bring results and weights into the package

A run leaves one file, benchmarks/names/NAME.json, and is not repeated; the shortest way back after an
interruption is to start the run again, since each takes a minute or two.

A name is read as "\\n" + name and written as name + "\\n", so that the end mark is predicted as well; bits are a
mean over letters and end marks. The 28 symbols are those of `Vocabulary`, less one: 0 is "\\n", 1 the hyphen,
2 to 27 are a to z. What fills a batch up behind the end mark has no part in the loss.

The networks are made of `twice`'s layers, in float32: Embedding (16 numbers) → Dropout → SimpleRNN, GRU or LSTM
→ Dropout → Dense (28 logits). Units are such that all three have as many parameters as the LSTM has (±2 %).
Adam with clipping at length 1 and half a cosine, batches of 64; the epoch that is best on the validation part
gives the weights. Rate, dropout and size are chosen for each kind on the validation part of split 0 ("search":
all combinations of two of each, a seed of its own). Then seeds 0 to 4: a seed changes the start, the batches and
the dropout, *and* deals the names into other parts (``first_names(seed)``), so that its spread is that of
everything. The counts are made anew on each split, with the k that `data` chose on the validation part.

Keys of the result of a run of a language model, ``KIND-SEED``:

- ``run``, ``kind``, ``seed``, ``settings``, ``parameters``, ``processor_seconds``;
- ``curve``: ``train_bits`` (with dropout, as the batches went by) and ``validation_bits`` after each epoch;
- ``chosen_epoch`` (from 1), ``validation_bits``, ``test_bits``, ``standard_error`` of the latter over names;
- ``minus``: for each rival of ``counts``, the difference network − rival in bits a letter on the same test names
  (negative: the network is better), as [difference, its paired standard error over names].

``counts-SEED``: ``test_bits`` and ``standard_errors`` by rival: uniform, unigram, bigram, trigram, 4-gram,
witten-bell. ``search-KIND``: ``trials``, a list of settings with ``validation_bits``.

``sex-KIND-SEED`` reads a whole name (of those with one label) and says whether it is female: ``validation_accuracy``,
``test_accuracy``, ``standard_error``, ``confusion`` ([[male as male, male as female], [female as male, female as
female]]), ``rivals``: the accuracies of ``last letter`` and of ``witten-bell`` (two models, order 6 and k 6, and
Bayes' rule) on the same names with their ``confusions``, and ``minus`` as above, in accuracy.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read once, when NumPy is imported

import argparse
import itertools
import json
import sys
from dataclasses import asdict, dataclass, replace
from math import log, sqrt
from pathlib import Path
from time import process_time

import numpy as np

from twice.activations import sigmoid
from twice.data import first_names
from twice.embeddings import Embedding
from twice.layers import Dense, Dropout
from twice.losses import (
    binary_crossentropy_gradient,
    sparse_categorical_crossentropy,
    sparse_categorical_crossentropy_gradient,
)
from twice.models import Network, batches
from twice.ngrams import NGrams, WittenBell
from twice.optimizers import Adam, CosineDecay
from twice.recurrent import GRU, LSTM, SimpleRNN, TimeDistributed
from twice.text import Vocabulary, pad_sequences

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "names"
CHECKPOINTS = ROOT / "_build" / "names"
ASSETS = ROOT / "src" / "twice" / "assets"
SEEDS = range(5)
KINDS = {"simple": SimpleRNN, "gru": GRU, "lstm": LSTM}
LETTERS = "\n-abcdefghijklmnopqrstuvwxyz"
VOCABULARY = Vocabulary(LETTERS)


@dataclass(frozen=True)
class Settings:
    """What a network is made of, and how it is trained."""

    kind: str
    size: int = 96  # units of the LSTM that has as many parameters
    dropout: float = 0.3
    learning_rate: float = 0.004
    epochs: int = 30
    batch_size: int = 64
    output_dim: int = 16  # of the embedding


def units(settings):
    """Return the units with which a kind comes nearest to the parameters of an LSTM of this size."""

    def parameters(kind, u):
        gates, biases = KINDS[kind].gates, 2 if kind == "gru" else 1
        return gates * u * (settings.output_dim + u + biases) + len(LETTERS) * u

    wanted = parameters("lstm", settings.size)
    return min(range(1, 4 * settings.size), key=lambda u: abs(parameters(settings.kind, u) - wanted))


def network(settings, seed, outputs=len(LETTERS), sequences=True):
    """Return the network, which reads the integers of `Vocabulary`: 0 is what fills up."""
    rng, options = np.random.default_rng(seed), {"dtype": "float32"}
    first = Embedding(len(VOCABULARY), settings.output_dim, mask_zero=True, rng=rng, **options)
    cell = KINDS[settings.kind](units(settings), return_sequences=sequences, rng=rng, **options)
    last = Dense(outputs, rng=rng, **options)
    drops = [Dropout(settings.dropout, rng=rng) for _ in range(2)]
    return Network([first, drops[0], cell, drops[1], TimeDistributed(last) if sequences else last])


def encoded(names):
    """Return what is read (n, T), what follows, an output each, and which of these count."""
    ids, mask = pad_sequences([VOCABULARY.encode("\n" + name + "\n") for name in names])
    return ids[:, :-1], np.maximum(ids[:, 1:] - 1, 0), mask[:, 1:]


def next_bits(z, y, mask):
    """Return the bits of each symbol that follows, 0 where none does."""
    return sparse_categorical_crossentropy(y, z.astype(float), from_logits=True, reduction=None) * mask / log(2)


def next_gradient(z, y, mask):
    """Return the gradient of the mean cross-entropy over the places that count."""
    dz = sparse_categorical_crossentropy_gradient(y, z, from_logits=True, reduction="sum")
    return (dz * mask[..., None] / mask.sum()).astype(z.dtype)


def label_gradient(z, y):
    """Return the gradient of the mean cross-entropy of labels."""
    return binary_crossentropy_gradient(y, z, from_logits=True).astype(z.dtype)


def train(model, settings, seed, data, gradient, judge):
    """Train a network; return what ``judge`` said of it after each epoch, and leave it at its best.

    Parameters
    ----------
    model : twice.models.Network
        Which network.
    settings, seed : Settings, int
        How, and in which order.
    data : tuple of numpy.ndarray
        The inputs, and what the gradient takes besides the outputs.
    gradient : callable
        Returns the loss's gradient with respect to the outputs.
    judge : callable
        Returns what is to be small on the validation part.
    """
    rng = np.random.default_rng([seed, 1])
    steps = settings.epochs * -(-len(data[0]) // settings.batch_size)
    optimizer = Adam(CosineDecay(settings.learning_rate, steps), global_clipnorm=1.0)
    curve, best = [], None
    for _ in range(settings.epochs):
        for rows in batches(rng.permutation(len(data[0])), settings.batch_size):
            x, *targets = (part[rows] for part in data)
            model.backward(gradient(model.forward(x, training=True), *targets))
            optimizer.apply(model.grads, model.params)
        curve.append(round(float(judge(model)), 4))
        if curve[-1] == min(curve):
            best = [w.copy() for w in model.params]
    model.set_weights(best)
    return curve
