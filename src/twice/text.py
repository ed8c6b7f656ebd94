"""Text as numbers, and numbers as text again (chapters 14 and 16).

Letters become integers by a `Vocabulary`, or bytes grow into longer tokens by `BytePairs`; `sample` draws the
next one from what a network says.
"""

import numpy as np

from twice.activations import softmax
from twice.arguments import takes
from twice.sequence_arguments import characters, earlier, fillable, indexed, merging, spelt

# ---------------------------------------------------------------------------- letters


class Vocabulary:
    """A list of letters: letter i is the integer i, from 1. The integer 0 fills short texts up.

    It is Keras's ``StringLookup(vocabulary=letters, num_oov_indices=0, mask_token="")``.

    Parameters
    ----------
    letters : iterable of str
        The letters that may occur, such as a text; each counts once, in the order of their code points.

    Attributes
    ----------
    letters : tuple of str
        In the order of their integers.
    """

    @takes(characters, "letters")
    def __init__(self, letters):
        self.letters = tuple(sorted(set(letters)))
        self.index = {letter: i for i, letter in enumerate(self.letters, start=1)}

    def __len__(self):
        return len(self.letters) + 1  # with 0

    @takes(spelt, "self", "text")
    def encode(self, text):
        """Return the integers of a text's letters, shape (t,); a letter that is not listed is an error."""
        return np.array([self.index[letter] for letter in text], dtype=int)

    @takes(indexed, "self", "ids")
    def decode(self, ids):
        """Return the text of some integers; 0 is no letter and leaves no trace."""
        return "".join(self.letters[i - 1] for i in ids if i)


@takes(fillable, "sequences", "maxlen", "padding")
def pad_sequences(sequences, maxlen=None, padding="post"):
    """Put sequences of different lengths into one array, filled up with 0, and say which places are real.

    Keras's function of that name fills up in front by default, and cuts what is too long; here that is an
    error.

    Parameters
    ----------
    sequences : list of array_like
        n sequences of integers.
    maxlen : int, optional
        Their common length t afterwards, by default that of the longest.
    padding : {"post", "pre"}
        Where the zeros go: behind or in front.

    Returns
    -------
    x : numpy.ndarray of int, shape (n, t)
    mask : numpy.ndarray of bool, shape (n, t)
        True where x holds the sequence, False where it was filled up.
    """
    lengths = np.array([len(sequence) for sequence in sequences], dtype=int)[:, None]  # (n, 1)
    t = lengths.max(initial=0) if maxlen is None else maxlen
    place = np.arange(t)
    mask = place < lengths if padding == "post" else place >= t - lengths  # (n, t)
    x = np.zeros(mask.shape, dtype=int)
    x[mask] = np.concatenate([[], *sequences])
    return x, mask


def sample(z, temperature, rng):
    """Return a token for each row of logits, drawn from softmax(z / temperature); at 0 the likeliest."""
    if temperature == 0:
        return z.argmax(axis=-1)
    c = softmax(z / temperature).cumsum(axis=-1, dtype=np.float64)
    return (c > rng.random((len(z), 1)) * c[:, -1:]).argmax(axis=-1)


# ---------------------------------------------------------------------------- byte-pair encoding


def merge(ids, pair, new):
    """Return integers with every ``pair`` of neighbours replaced by ``new``, from left to right.

    In a run such as aaa the pair aa occurs twice and overlaps itself: the first, third, … of it are replaced.
    """
    hits = np.flatnonzero((ids[:-1] == pair[0]) & (ids[1:] == pair[1]))
    starts = np.diff(hits, prepend=-2) > 1  # of runs of overlapping pairs
    in_run = np.arange(len(hits)) - np.flatnonzero(starts)[np.cumsum(starts) - 1]
    hits = hits[in_run % 2 == 0]
    ids = ids.copy()
    ids[hits] = new
    return np.delete(ids, hits + 1)


def commonest_pair(ids, size):
    """Return the commonest pair of neighbours among integers below ``size``, and how often it occurs.

    Of equally common pairs it is the smallest: by its first integer, then by its second. Places overlap: aaa
    holds aa twice.
    """
    counts = np.bincount(ids[:-1] * size + ids[1:], minlength=1)
    best = int(counts.argmax())
    return divmod(best, size), int(counts[best])


@takes(merging, "text", "count")
def learn_merges(text, count):
    """Learn byte-pair encoding from a text (Gage, 1994; Sennrich, Haddow & Birch, 2016).

    The bytes are the first tokens, 0 to 255. Again and again the commonest pair of neighbours becomes a token
    of its own and takes the pair's place. Spaces are bytes like others: a token may reach across words.

    Parameters
    ----------
    text : str
        What to learn from.
    count : int
        How many tokens to add; there are fewer if no pair occurs twice any more.

    Returns
    -------
    list of tuple of int
        The pairs in the order in which they were merged: the i-th became token 256 + i.
    """
    ids = as_bytes(text)
    merges = []
    for new in range(256, 256 + count):
        pair, often = commonest_pair(ids, new)
        if often < 2:
            break
        merges.append(pair)
        ids = merge(ids, pair, new)
    return merges


def as_bytes(text):
    """Return the bytes of a text in UTF-8, as an array of integers."""
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8).astype(int)


class BytePairs:
    """Byte-pair encoding: text to tokens and back. Every text has one, since every byte is a token.

    Parameters
    ----------
    merges : list of tuple of int
        From `learn_merges`.

    Attributes
    ----------
    tokens : list of bytes
        What each token stands for.
    """

    @takes(earlier, "merges")
    def __init__(self, merges):
        self.merges = merges
        self.tokens = [bytes([i]) for i in range(256)]
        for a, b in merges:
            self.tokens.append(self.tokens[a] + self.tokens[b])

    def __len__(self):
        return len(self.tokens)

    def encode(self, text):
        """Return a text's tokens, shape (t,): the merges are made in the order in which they were learnt.

        A merge makes only pairs that later merges know, so that once through the list is enough.
        """
        ids = as_bytes(text)
        for new, pair in enumerate(self.merges, start=256):
            ids = merge(ids, pair, new)
        return ids

    @takes(indexed, "self", "ids")
    def decode(self, ids):
        """Return the text of some tokens; bytes that are no UTF-8, as a model may write, become U+FFFD."""
        return b"".join(self.tokens[i] for i in ids).decode("utf-8", errors="replace")
