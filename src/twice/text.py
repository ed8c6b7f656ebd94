"""Text as numbers, and what counting alone can say about it.

Letters become integers by a `Vocabulary`, or bytes grow into longer tokens by `BytePairs`. `NGrams` and
`WittenBell` predict the next letter from the letters before it, by counts: what a network that reads has to
beat.
"""

from collections import Counter, defaultdict

import numpy as np

from twice.arguments import (
    characters,
    drawn,
    earlier,
    gram,
    indexed,
    merging,
    padded,
    scorable,
    spelt,
    takes,
    texts_of,
)

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


@takes(padded, "sequences", "maxlen", "padding")
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


# ---------------------------------------------------------------------------- counts


class NGrams:
    r"""How likely each letter is after the ``order`` − 1 letters before it, by counts with k added to each.

    With c(h w) for how often letter w followed the context h in the texts, and K letters,

        p(w | h) = (c(h w) + k) / (c(h) + k K).

    k = 0 gives the plain frequencies; a context that never occurred then has none, and gets 1/K, the limit
    for k → 0.

    Parameters
    ----------
    order : int
        1 for single letters, 2 for pairs, 3 for triples.
    letters : iterable of str
        All letters that may occur, K of them.
    k : float
        How often each letter is taken to have occurred in addition.
    start : str
        The letter that stands before every text, ``order`` − 1 times. A text that shall be able to end says
        so by a last letter of its own: give both ``"\n"``.
    """

    @takes(gram, "order", "letters", "k", "start")
    def __init__(self, order, letters, k=1.0, start="\n"):
        self.order = order
        self.letters = tuple(sorted(set(letters)))
        self.k = k
        self.start = start

    def fit(self, texts):
        """Count the letters that follow each context, the shorter contexts included; return the model."""
        counts = defaultdict(Counter)
        for (context, letter), often in self.pairs(texts).items():
            for begin in range(self.order):
                counts[context[begin:]][letter] += often
        self.counts = dict(counts)
        self.totals = {context: after.total() for context, after in self.counts.items()}
        return self

    @takes(texts_of, "self", "texts")
    def pairs(self, texts):
        """Return how often each pair of a context, of ``order`` − 1 letters, and a next letter occurs."""
        n = self.order - 1
        found = Counter()
        for text in texts:
            whole = n * self.start + text
            found.update((whole[i : i + n], letter) for i, letter in enumerate(text))
        return found

    def probability(self, letter, context):
        """Return p(letter | context), for a context of ``order`` − 1 letters."""
        total = self.totals.get(context, 0) + self.k * len(self.letters)
        if total == 0:
            return 1 / len(self.letters)
        often = self.counts[context][letter] if context in self.totals else 0
        return (often + self.k) / total

    def probabilities(self, context):
        """Return p(w | context) for each letter w, shape (K,); of a long context the end counts."""
        context = ((self.order - 1) * self.start + context)[len(context) :]
        return np.array([self.probability(letter, context) for letter in self.letters])

    @takes(scorable, "self", "texts")
    def bits(self, texts):
        """Return the cross-entropy in bits a letter: the mean of −log₂ p(letter | context) over the texts."""
        pairs = self.pairs(texts)
        p = np.array([self.probability(letter, context) for context, letter in pairs])
        with np.errstate(divide="ignore"):  # what was taken for impossible costs infinitely many bits
            return -(np.log2(p) * list(pairs.values())).sum() / pairs.total()

    @takes(drawn, "self", "rng", "end", "length")
    def sample(self, rng, end=None, length=100):
        """Return a text drawn letter by letter, until ``end`` is drawn or there are ``length`` letters.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.
        end : str, optional
            The letter that ends a text, and is left out.
        length : int
            The most letters.
        """
        text = ""
        while len(text) < length:
            letter = self.letters[rng.choice(len(self.letters), p=self.probabilities(text))]
            if letter == end:
                break
            text += letter
        return text


class WittenBell(NGrams):
    """The same with contexts of all lengths, each mixed with the next shorter one.

    With h' for the context h without its first letter, and T(h) for how many different letters followed h,

        p(w | h) = (c(h w) + k T(h) p(w | h')) / (c(h) + k T(h)),

    down to 1/K, which stands below the empty context. A context that never occurred has c = T = 0, and its
    shorter one decides alone. k = 1 is the interpolation of Witten and Bell (1991, their method C): T(h) of
    the c(h) + T(h) times something new was met, so much weight goes to the shorter context. Any other k moves
    weight between long and short contexts; it is chosen, as ``order`` is, on validation data.

    Everything else is as in `NGrams`.

    References
    ----------
    I. H. Witten and T. C. Bell (1991), "The zero-frequency problem: estimating the probabilities of novel
    events in adaptive text compression", IEEE Transactions on Information Theory 37(4): 1085-1094.
    """

    def probability(self, letter, context):
        """Return p(letter | context), for a context of at most ``order`` − 1 letters."""
        shorter = self.probability(letter, context[1:]) if context else 1 / len(self.letters)
        after = self.counts.get(context)
        if after is None:
            return shorter
        extra = self.k * len(after)
        return (after[letter] + extra * shorter) / (self.totals[context] + extra)
