"""Count the pairs of letters in the training names of chapter 14, and ship the counts as ``name-pairs.npz``.

    python tools/make_name_pairs.py

The figure `names` shows them beside the network. Row and column are the letter before and the letter, in the
order of the line end, which stands before and behind every name, the hyphen, and a to z.
"""

import numpy as np

from twice.data import first_names
from twice.data.fetch import ASSETS

LETTERS = "\n-abcdefghijklmnopqrstuvwxyz"


def pairs(names):
    """Return how often each letter follows each, shape (28, 28)."""
    counts = np.zeros((len(LETTERS), len(LETTERS)), "uint16")
    for name in names:
        places = [LETTERS.index(letter) for letter in f"\n{name}\n"]
        np.add.at(counts, (places[:-1], places[1:]), 1)
    return counts


if __name__ == "__main__":
    train, _, _ = first_names()
    np.savez_compressed(ASSETS / "name-pairs.npz", counts=pairs(train.name))
