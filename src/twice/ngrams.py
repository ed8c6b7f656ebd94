"""What counting alone can say about the next letter (chapter 14): what a network that reads has to beat."""

from collections import Counter, defaultdict

import numpy as np

from twice.arguments import takes
from twice.sequence_arguments import drawn, gram, scorable, texts_of


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
