"""Metrics against scikit-learn and Keras, and against their definitions."""

import warnings

import keras
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from twice import metrics as m
from twice.checks import agree

CLASSES = 4


def labels(n, classes, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(classes, size=n), rng.integers(classes, size=n)


def scores(n, seed, levels=None):
    """Labels and scores that know something of them; with `levels` many scores are tied."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    y[:2] = 0, 1
    score = 1 / (1 + np.exp(-(y - 0.5 + rng.normal(size=n))))
    return y, score if levels is None else np.round(score * levels) / levels


@pytest.mark.parametrize("n", [1, 7, 500])
@pytest.mark.parametrize("seed", range(3))
def test_confusion_and_accuracy(n, seed):
    y, y_pred = labels(n, CLASSES, seed)
    theirs = sklearn.metrics.confusion_matrix(y, y_pred, labels=range(CLASSES))
    agree("confusion", m.confusion_matrix(y, y_pred, CLASSES), theirs)
    agree("accuracy", m.accuracy(y, y_pred), sklearn.metrics.accuracy_score(y, y_pred))


def test_confusion_rows_are_the_truth():
    agree("one 2 taken for a 0", m.confusion_matrix(np.array([2]), np.array([0]), 3)[2], np.array([1, 0, 0]))


def test_confusion_refuses_an_unknown_class():
    with pytest.raises(ValueError, match="^y: expected labels 0 to 2, got 3 to 3"):
        m.confusion_matrix(np.array([3]), np.array([0]), 3)


@pytest.mark.parametrize("seed", range(5))
def test_rates(seed):
    y, y_pred = labels(50, 2, seed)
    for name in ("precision", "recall"):
        theirs = getattr(sklearn.metrics, f"{name}_score")(y, y_pred)
        agree(name, getattr(m, name)(y, y_pred), theirs)
        agree(f"{name}, bool", getattr(m, name)(y == 1, y_pred == 1), theirs)
    agree("F1", m.f1_score(y, y_pred), sklearn.metrics.f1_score(y, y_pred))
    agree("F1, bool", m.f1_score(y == 1, y_pred == 1), sklearn.metrics.f1_score(y, y_pred))


@pytest.mark.parametrize("y", [[0, 0, 0], [1, 1, 1], [0, 1, 0]], ids=str)
@pytest.mark.parametrize("y_pred", [[0, 0, 0], [1, 1, 1], [1, 0, 1]], ids=str)
def test_rates_without_a_denominator_are_zero_as_in_both(y, y_pred):
    y, y_pred = np.array(y), np.array(y_pred)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns, and returns 0
        agree("precision", m.precision(y, y_pred), sklearn.metrics.precision_score(y, y_pred))
        agree("recall", m.recall(y, y_pred), sklearn.metrics.recall_score(y, y_pred))
        agree("F1", m.f1_score(y, y_pred), sklearn.metrics.f1_score(y, y_pred))
    agree("precision, Keras", m.precision(y, y_pred), keras.metrics.Precision()(y, y_pred), atol=1e-6)
    agree("recall, Keras", m.recall(y, y_pred), keras.metrics.Recall()(y, y_pred), atol=1e-6)


@pytest.mark.parametrize("levels", [None, 10, 2, 1], ids=["no ties", "ties", "many ties", "two scores"])
@pytest.mark.parametrize("n", [2, 9, 300])
def test_roc(n, levels):
    y, score = scores(n, n, levels)
    for ours, theirs in zip(
        m.roc_curve(y, score), sklearn.metrics.roc_curve(y, score, drop_intermediate=False), strict=True
    ):
        np.testing.assert_array_equal(np.isinf(ours), np.isinf(theirs))
        agree("roc", np.nan_to_num(ours, posinf=9), np.nan_to_num(theirs, posinf=9), atol=1e-14)
    agree("auc", m.auc(y, score), sklearn.metrics.roc_auc_score(y, score), atol=1e-14)
    agree("auc, bool", m.auc(y == 1, score), sklearn.metrics.roc_auc_score(y, score), atol=1e-14)


def test_auc_of_keras_is_the_same_up_to_its_grid():
    y, score = scores(300, 0)
    theirs = keras.metrics.AUC(num_thresholds=20_000)(y, score)
    agree("auc", m.auc(y, score), theirs, atol=1e-4)


@pytest.mark.parametrize("y", [[1, 1, 1], [0, 0], [0, 1, 2], [-1, 1]], ids=str)
def test_roc_wants_both_classes_and_no_other(y):
    with pytest.raises(ValueError, match="y: expected labels 0 and 1, both present"):
        m.roc_curve(np.array(y), np.arange(len(y)))


pairs = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=2, max_size=40).filter(
    lambda drawn: {y for y, _ in drawn} == {0, 1}
)


@given(pairs)
def test_auc_is_the_probability_that_a_positive_scores_higher(drawn):
    y, score = np.array(drawn).T
    ahead = score[y == 1][:, None] - score[y == 0][None, :]
    assert m.auc(y, score) == pytest.approx(np.mean((ahead > 0) + 0.5 * (ahead == 0)), abs=1e-12)


@given(pairs)
def test_auc_knows_only_the_order(drawn):
    y, score = np.array(drawn).T
    assert m.auc(y, np.exp(score)) == pytest.approx(m.auc(y, score), abs=1e-12)
    assert m.auc(y, -score) == pytest.approx(1 - m.auc(y, score), abs=1e-12)


@pytest.mark.parametrize("bins", [1, 5, 10])
@pytest.mark.parametrize("levels", [None, 10, 4], ids=["anywhere", "on the borders", "coarse"])
def test_calibration_curve(bins, levels):
    y, p = scores(400, bins, levels)
    fraction, confidence, count = m.calibration_curve(y, p, bins)
    agree("fraction", fraction, calibration_curve(y, p, n_bins=bins)[0], atol=1e-14)
    agree("confidence", confidence, calibration_curve(y, p, n_bins=bins)[1], atol=1e-14)
    assert count.sum() == len(y) and (count > 0).all()


def test_calibration_curve_holds_the_ends():
    fraction, confidence, count = m.calibration_curve(np.array([0, 1]), np.array([0.0, 1.0]))
    agree("fraction", fraction, np.array([0.0, 1]))
    agree("confidence", confidence, np.array([0.0, 1]))
    agree("count", count, np.array([1, 1]))


def test_calibration_error():
    y, p = np.array([0, 1, 1, 1]), np.array([0.15, 0.15, 0.95, 0.95])
    agree("by hand", m.calibration_error(y, p), (2 * abs(0.5 - 0.15) + 2 * abs(1 - 0.95)) / 4)


def test_calibration_error_of_honest_probabilities_is_small():
    rng = np.random.default_rng(0)
    p = rng.random(100_000)
    y = (rng.random(p.size) < p).astype(int)
    assert m.calibration_error(y, p) < 0.01 < m.calibration_error(y, p**2)


# --------------------------------------------------------------------------- what is refused

TRUTH, COLUMN, P = np.array([1, 0]), np.array([[1], [0]]), np.array([0.9, 0.1])
NAN, INF = np.nan, np.inf
INTEGERS = "{}: expected integers of shape (2,), got {}"


@pytest.mark.parametrize(
    "metric, arguments, message",
    [
        (m.r2_score, (COLUMN, TRUTH), "y: expected shape (2,), that of y_hat; got (2, 1)"),
        (m.r2_score, (TRUTH, COLUMN), "y: expected shape (2, 1), that of y_hat; got (2,)"),
        (m.accuracy, (COLUMN, TRUTH), "y_pred: expected shape (2, 1), that of y; got (2,)"),
        (
            m.confusion_matrix,
            (COLUMN, TRUTH, 2),
            INTEGERS.format("y", "int64 of shape (2, 1)"),
        ),
        (
            m.confusion_matrix,
            (TRUTH, COLUMN, 2),
            INTEGERS.format("y_pred", "int64 of shape (2, 1)"),
        ),
        (m.confusion_matrix, (TRUTH, -TRUTH, 2), "y_pred: expected labels 0 to 1, got -1 to 0"),
        (m.confusion_matrix, (P, TRUTH, 2), INTEGERS.format("y", "float64 of shape (2,)")),
        (m.confusion_matrix, (TRUTH, TRUTH, 0), "classes: expected a positive integer, got 0"),
        *(
            (metric, *case)
            for metric in (m.precision, m.recall, m.f1_score)
            for case in [
                ((COLUMN, TRUTH), "y_pred: expected shape (2, 1), that of y; got (2,)"),
                ((TRUTH, P), "y_pred: expected labels 0 and 1, got 0.9"),
                ((TRUTH * 2, TRUTH), "y: expected labels 0 and 1, got 2"),
                ((TRUTH, [NAN, 0]), "y_pred: expected labels 0 and 1, got nan"),
            ]
        ),
        *(
            (metric, *case)
            for metric in (m.roc_curve, m.auc)
            for case in [
                ((COLUMN, P), "y: expected shape (2,), a label each; got (2, 1)"),
                ((TRUTH, P[:, None]), "score: expected shape (2,), that of y; got (2, 1)"),
                ((TRUTH, [NAN, 0]), "score: expected finite numbers, got 1 that are not"),
                ((TRUTH, [INF, 0]), "score: expected finite numbers, got 1 that are not"),
            ]
        ),
        *(
            (metric, *case)
            for metric in (m.calibration_curve, m.calibration_error)
            for case in [
                ((COLUMN, P), "y: expected shape (2,), a label each; got (2, 1)"),
                ((TRUTH, P[:, None]), "p: expected shape (2,), that of y; got (2, 1)"),
                ((TRUTH, [NAN, 0]), "p: expected finite numbers, got 1 that are not"),
                ((TRUTH, [2.0, -1]), "p: expected probabilities from 0 to 1, got -1 to 2"),
                ((TRUTH + 1, P), "y: expected labels 0 and 1, got 2"),
                ((TRUTH, P, 0), "bins: expected a positive integer, got 0"),
            ]
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(metric, arguments, message):
    with pytest.raises(ValueError) as error:
        metric(*map(np.asarray, arguments[:2]), *arguments[2:])
    assert str(error.value) == message


def test_one_label_may_stand_for_everybody():
    assert m.accuracy(np.array([3, 3, 1, 3]), 3) == 0.75


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "bool"])
def test_scores_and_targets_may_be_integers(dtype):
    """The opposite of a score wraps in uint8: an AUC of 0.459 instead of 0.830."""
    y = np.array([0, 1, 0, 1, 1])
    score = np.array([0, 1, 1, 100, 1]).astype(dtype)
    agree("auc", m.auc(y, score), m.auc(y, score.astype(float)))
    agree("r2", m.r2_score(y.astype(dtype), score), m.r2_score(y, score.astype(float)))


@given(pairs)
def test_auc_of_bytes_is_that_of_floats(drawn):
    y, score = np.array(drawn).T
    assert m.auc(y, (score + 3).astype("uint8")) == m.auc(y, score.astype(float))


def test_confusion_of_booleans():
    """As an index a boolean array would be a mask."""
    y, y_pred = np.array([1, 0, 1, 1]), np.array([0, 0, 1, 1])
    agree("confusion", m.confusion_matrix(y == 1, y_pred == 1, 2), m.confusion_matrix(y, y_pred, 2))


@pytest.mark.parametrize("columns", [1, 3])
def test_r2_is_the_mean_over_columns_as_in_keras(columns):
    y, y_hat = np.random.default_rng(0).normal(size=(2, 9, columns))
    agree("R²", m.r2_score(y, y_hat), keras.metrics.R2Score()(y, y_hat), atol=1e-6)
    agree("R²", m.r2_score(y, y_hat), sklearn.metrics.r2_score(y, y_hat))
