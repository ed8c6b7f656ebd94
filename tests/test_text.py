"""Letters, byte pairs and counts: against their definitions, Keras, and slow references."""

from collections import Counter
from itertools import pairwise

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twice.data import first_names
from twice.ngrams import NGrams, WittenBell
from twice.text import (
    BytePairs,
    Vocabulary,
    as_bytes,
    commonest_pair,
    learn_merges,
    merge,
    pad_sequences,
)

FEW = st.text("abc\n", max_size=30)  # few letters, so that things repeat
BOTH = pytest.mark.parametrize("Model", [NGrams, WittenBell])


# ---- Letters ----------------------------------------------------------------------------------------------


@given(st.text(min_size=1))
def test_letters_to_integers_and_back(text):
    vocabulary = Vocabulary(text)
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert ids.shape == (len(text),) and ids.min() >= 1
    assert len(vocabulary) == len(set(text)) + 1
    assert sorted(vocabulary.letters) == list(vocabulary.letters)


def test_letters_as_keras_numbers_them():
    vocabulary = Vocabulary("call me ishmael")
    lookup = keras.layers.StringLookup(vocabulary=vocabulary.letters, num_oov_indices=0, mask_token="")
    assert lookup(list("mail")).numpy().tolist() == vocabulary.encode("mail").tolist()
    assert lookup.vocabulary_size() == len(vocabulary)


def test_letters_that_are_not_listed():
    vocabulary = Vocabulary("abc")
    with pytest.raises(ValueError, match="text: expected letters of the vocabulary, got 'x' at place 2"):
        vocabulary.encode("abxc")
    with pytest.raises(ValueError, match="ids: expected integers from 0 to 3, got 1 to 4"):
        vocabulary.decode([1, 4])
    with pytest.raises(ValueError, match="got -1 to 1"):
        vocabulary.decode([1, -1])
    with pytest.raises(ValueError, match="ids: expected integers from 0 to 3, got 0.5 to 0.5"):
        vocabulary.decode([0.5])
    assert vocabulary.encode("").tolist() == [] and vocabulary.decode([]) == ""
    assert vocabulary.decode([0, 1, 0, 2, 0]) == "ab"


@pytest.mark.parametrize("letters", ["", ["ab"], [1, 2], [""]])
def test_what_is_no_alphabet(letters):
    with pytest.raises(ValueError, match="^letters: expected single characters"):
        Vocabulary(letters)


# ---- Padding ----------------------------------------------------------------------------------------------

SEQUENCES = st.lists(st.lists(st.integers(0, 50), max_size=6), max_size=5)


@given(SEQUENCES, st.sampled_from(["post", "pre"]), st.sampled_from([None, 6, 9]))
def test_padding_as_keras_does_it(sequences, padding, maxlen):
    x, mask = pad_sequences(sequences, maxlen, padding)
    if sequences:
        theirs = keras.utils.pad_sequences(sequences, maxlen, padding=padding)
        np.testing.assert_array_equal(x, theirs)
    assert x.shape == mask.shape and x.dtype == int and mask.dtype == bool
    assert [row[real].tolist() for row, real in zip(x, mask, strict=True)] == sequences
    assert not x[~mask].any()


def test_a_zero_in_a_sequence_is_no_padding():
    x, mask = pad_sequences([[0, 5], [7]])
    assert x.tolist() == [[0, 5], [7, 0]] and mask.tolist() == [[True, True], [True, False]]


def test_mistakes_with_padding():
    with pytest.raises(ValueError, match="padding: expected one of post, pre; got 'valid'"):
        pad_sequences([[1]], padding="valid")
    with pytest.raises(ValueError, match="sequences: expected at most maxlen=2 in length, got 3"):
        pad_sequences([[1], [1, 2, 3]], maxlen=2)
    with pytest.raises(ValueError, match="maxlen: expected a positive integer, got 0"):
        pad_sequences([[1]], maxlen=0)


# ---- Byte pairs -------------------------------------------------------------------------------------------


def slow_merge(ids, pair, new):
    """Replace from left to right, one at a time."""
    out, i = [], 0
    while i < len(ids):
        hit = tuple(ids[i : i + 2]) == pair
        out.append(new if hit else ids[i])
        i += 2 if hit else 1
    return out


def slow_learn(text, count):
    """Count all pairs anew before each merge; the commonest, of equals the smallest."""
    ids, merges = list(text.encode()), []
    for new in range(256, 256 + count):
        counts = Counter(pairwise(ids))
        if not counts or max(counts.values()) < 2:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        ids = slow_merge(ids, merges[-1], new)
    return merges, ids


def slow_encode(text, merges):
    """Make the earliest merge that is possible, until none is."""
    ids, rank = list(text.encode()), {pair: i for i, pair in enumerate(merges)}
    while possible := [rank[pair] for pair in pairwise(ids) if pair in rank]:
        ids = slow_merge(ids, merges[min(possible)], 256 + min(possible))
    return ids


TEXTS = st.one_of(FEW, st.text(max_size=20), st.text("aé—", max_size=30))


@given(TEXTS, st.integers(1, 12))
def test_merges_as_by_brute_force(text, count):
    merges, ids = slow_learn(text, count)
    assert learn_merges(text, count) == merges
    assert BytePairs(merges).encode(text).tolist() == ids


@given(TEXTS, TEXTS)
def test_other_texts_are_encoded_as_by_brute_force(text, other):
    merges = learn_merges(text, 10)
    assert BytePairs(merges).encode(other).tolist() == slow_encode(other, merges)


@given(TEXTS, st.text())
def test_every_text_comes_back(text, other):
    pairs = BytePairs(learn_merges(text, 10))
    for t in (text, other):
        ids = pairs.encode(t)
        assert pairs.decode(ids) == t
        assert b"".join(pairs.tokens[i] for i in ids) == t.encode()


@given(st.lists(st.integers(0, 2), max_size=20), st.tuples(st.integers(0, 2), st.integers(0, 2)))
def test_one_merge(ids, pair):
    before = np.array(ids, dtype=int)
    assert merge(before, pair, 9).tolist() == slow_merge(ids, pair, 9)
    assert before.tolist() == ids  # it is left as it was


@pytest.mark.parametrize("n", range(8))
def test_a_run_of_one_letter(n):
    assert merge(as_bytes("a" * n), (97, 97), 256).tolist() == [256] * (n // 2) + [97] * (n % 2)


def test_the_commonest_pair_and_its_equals():
    assert commonest_pair(np.array([1, 2, 1, 2, 3]), 4) == ((1, 2), 2)
    assert commonest_pair(np.array([3, 1, 0, 2]), 4) == ((0, 2), 1)  # all occur once
    assert commonest_pair(np.array([2, 1, 2, 0, 9]), 10) == ((0, 9), 1)
    assert commonest_pair(np.array([5]), 6)[1] == 0


def test_byte_pairs_by_hand():
    merges = learn_merges("aaabdaaabac", 9)  # of Gage's paper: Z = aa, Y = ab, X = ZY
    a, b = 97, 98
    assert merges == [(a, a), (a, b), (256, 257)]
    pairs = BytePairs(merges)
    assert pairs.tokens[256:] == [b"aa", b"ab", b"aaab"] and len(pairs) == 259
    assert pairs.encode("aaabdaaabac").tolist() == [258, 100, 258, 97, 99]


def test_tokens_that_are_no_text():
    pairs = BytePairs([])
    assert pairs.decode([0xC3, 0xA9]) == "é" and pairs.decode([0xC3]) == "\ufffd"
    assert pairs.encode("").tolist() == [] and pairs.decode([]) == ""


def test_mistakes_with_byte_pairs():
    with pytest.raises(ValueError, match="count: expected a positive integer, got 0"):
        learn_merges("text", 0)
    with pytest.raises(ValueError, match=r"merges: expected pairs of earlier tokens, got \(97, 257\)"):
        BytePairs([(97, 98), (97, 257)])
    with pytest.raises(ValueError, match="ids: expected integers from 0 to 255, got 3 to 256"):
        BytePairs([]).decode([3, 256])


# ---- Counts -----------------------------------------------------------------------------------------------

WEIGHTS = st.sampled_from([0, 0.1, 1, 3.5])


@BOTH
@given(texts=st.lists(FEW, max_size=4), context=FEW, order=st.integers(1, 5), k=WEIGHTS)
def test_probabilities_of_every_context_sum_to_one(Model, texts, context, order, k):
    p = Model(order, "abc\n", k).fit(texts).probabilities(context)
    assert p.shape == (4,) and (p >= 0).all()
    np.testing.assert_allclose(p.sum(), 1, rtol=0, atol=1e-12)


@BOTH
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_of_names_sum_to_one(Model, order):
    names = [name + "\n" for name in first_names()[1].name]
    model = Model(order, "".join(names), 0.3).fit(names)
    for context in list(model.counts)[:300] + ["q", "zzz", "nnnnn", ""]:
        np.testing.assert_allclose(model.probabilities(context).sum(), 1, rtol=0, atol=1e-12)


def entropy(text):
    p = np.array(list(Counter(text).values())) / len(text)
    return -(p * np.log2(p)).sum()


@BOTH
@given(text=st.text("abcd", min_size=1, max_size=50))
def test_bits_of_single_letters_on_their_own_text_are_its_entropy(Model, text):
    np.testing.assert_allclose(Model(1, "abcd", 0).fit([text]).bits([text]), entropy(text), atol=1e-12)


@BOTH
@given(text=FEW.filter(bool), other=FEW.filter(bool), order=st.integers(1, 4))
def test_no_other_counts_are_shorter_on_a_text_than_its_own(Model, text, other, order):
    own, strange = (Model(order, "abc\n", 0).fit([t]).bits([text]) for t in (text, other))
    assert own <= strange + 1e-12


def test_nothing_read_is_uniform():
    for model in (NGrams(3, "abcd", 1), NGrams(3, "abcd", 0), WittenBell(3, "abcd", 1)):
        assert model.fit([]).bits(["abba"]) == 2
        assert model.fit([]).probabilities("ab").tolist() == [0.25] * 4


@given(st.lists(FEW, min_size=1, max_size=3), st.integers(1, 4), WEIGHTS)
def test_added_counts_by_their_definition(texts, order, k):
    model = NGrams(order, "abc\n", k).fit(texts)
    padded = ["\n" * (order - 1) + text for text in texts]
    places = [(text, i) for text in padded for i in range(len(text) - order + 1)]
    for context in {text[i : i + order - 1] for text, i in places} | {"a" * (order - 1)}:
        starts = [(text, i) for text, i in places if text.startswith(context, i)]  # and a letter follows
        for letter in "abc\n":
            hits = sum(text[i + order - 1] == letter for text, i in starts)
            total = len(starts) + 4 * k
            expected = (hits + k) / total if total else 1 / 4
            np.testing.assert_allclose(model.probabilities(context)["\nabc".index(letter)], expected)


def test_witten_and_bell_by_hand():
    model = WittenBell(2, "abc", start="c").fit(["aab"])  # c→a, a→a, a→b
    single = {"a": (2 + 2 / 3) / 5, "b": (1 + 2 / 3) / 5, "c": (0 + 2 / 3) / 5}  # T = 2 kinds, 3 letters
    after_a = [(1 + 2 * single["a"]) / 4, (1 + 2 * single["b"]) / 4, 2 * single["c"] / 4]
    np.testing.assert_allclose(model.probabilities("a"), after_a)
    np.testing.assert_allclose(model.probabilities("b"), list(single.values()))  # b was never followed
    np.testing.assert_allclose(model.bits(["aa"]), -np.log2([(1 + single["a"]) / 2, after_a[0]]).mean())


def test_texts_do_not_know_each_other():
    apart = NGrams(3, "ab\n", 0).fit(["ab\n", "ba\n"])
    assert apart.counts["\nb"] == Counter("a") and "b\n" not in apart.counts
    assert NGrams(3, "ab\n", 0).fit(["ab\nba\n"]).counts["b\n"] == Counter("b")


def test_what_was_taken_for_impossible():
    assert NGrams(1, "ab", 0).fit(["aaa"]).bits(["ab"]) == np.inf


def bits_of_names(Model, order, k):
    train, _, test = ([name + "\n" for name in part.name] for part in first_names())
    return Model(order, "".join(train), k).fit(train).bits(test)


def test_longer_contexts_help_names_until_there_are_too_few():
    bits = [bits_of_names(NGrams, order, 0.1) for order in range(1, 7)]
    assert np.log2(28) > bits[0] > bits[1] > bits[2] > bits[3] < bits[4] < bits[5]
    np.testing.assert_allclose(bits, [4.1079, 3.5077, 3.1768, 3.0533, 3.2520, 3.5103], atol=0.0001)
    assert bits_of_names(WittenBell, 6, 5) < min(bits) - 0.2


@BOTH
@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_samples_are_texts_that_the_model_knows(Model, seed):
    model = Model(3, "ab\n", 0).fit(["ab\n", "abb\n"])
    rng = np.random.default_rng(seed)
    assert set(model.sample(rng, end="\n", length=9)) <= {"a", "b"}
    assert len(model.sample(rng, length=25)) == 25
    if Model is NGrams:  # plain frequencies write what was read, and no more
        assert model.sample(np.random.default_rng(seed), end="\n") in ("ab", "abb")


def test_samples_are_drawn_as_often_as_their_probability():
    model = WittenBell(2, "abc\n").fit(["abac\n", "cab\n"])
    rng = np.random.default_rng(0)
    first = Counter(model.sample(rng, length=1) for _ in range(4000))
    often = np.array([first[letter] for letter in model.letters]) / 4000
    np.testing.assert_allclose(often, model.probabilities(""), atol=0.03)
    again = [model.sample(np.random.default_rng(7), end="\n") for _ in range(2)]
    assert again[0] == again[1]


def test_mistakes_with_counts():
    with pytest.raises(ValueError, match="order: expected a positive integer, got 0"):
        NGrams(0, "ab")
    with pytest.raises(ValueError, match="k: expected a number from 0 to below inf, got -1"):
        WittenBell(2, "ab", k=-1)
    with pytest.raises(TypeError, match="texts: expected a list of texts, got a single text"):
        NGrams(2, "ab").fit("abab")
    with pytest.raises(ValueError, match="text: expected letters of the vocabulary, got 'x' at place 1"):
        NGrams(2, "ab").fit(["ab", "bx"])
    model = NGrams(2, "ab").fit(["ab"])
    with pytest.raises(ValueError, match="got 'c' at place 0"):
        model.bits(["c"])
    with pytest.raises(ValueError, match="texts: expected at least one letter, got none"):
        model.bits([""])
    with pytest.raises(TypeError, match="rng: expected a generator"):
        model.sample(0)
    with pytest.raises(ValueError, match="start: expected a single character, got ''"):
        NGrams(2, "ab", start="")
    for ask in (lambda m: m.bits(["a"]), lambda m: m.sample(np.random.default_rng(0))):
        with pytest.raises(ValueError, match=r"counts: expected those of some texts; call fit\(\) first"):
            ask(NGrams(2, "ab"))
    with pytest.raises(TypeError, match="text: expected a text, got int"):
        model.bits([3])


def test_looking_at_counts_changes_nothing():
    model = WittenBell(2, "ab").fit(["ab"])
    with pytest.raises(KeyError):
        model.counts["b"]
    np.testing.assert_allclose(model.probabilities("b").sum(), 1)


def test_letters_are_sorted():
    assert Vocabulary("banana").letters == NGrams(1, "banana").letters == ("a", "b", "n")
