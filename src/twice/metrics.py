"""How good predictions are: R² (chapter 2), and for classifiers counts, rates, curves (chapter 3).

Conventions are Keras's and scikit-learn's: the truth comes first, a rate whose denominator is 0 is 0, and
the rows of the confusion matrix are the true classes.

Both arguments must have one shape, labels be those that are named, scores and probabilities be finite;
anything else is refused with a ``ValueError``. Integers among scores and targets are computed in floats.
"""

import numpy as np

from twice.arguments import alike, answers, binary, counted, promised, scored, takes


@takes(alike, "y", "y_hat")
def r2_score(y, y_hat):
    """Return R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)², the mean over the columns: Keras's ``R2Score``.

    1 for a perfect prediction, 0 for one no better than the mean of ``y``, below 0 for a worse one;
    undefined (NaN or −∞) where a column of ``y`` is constant.

    Parameters
    ----------
    y, y_hat : numpy.ndarray, shape (n, d)
        Targets and predictions.
    """
    residual = ((y - y_hat) ** 2).sum(axis=0)
    total = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    return (1 - residual / total).mean()


@takes(answers, "y", "y_pred")
def accuracy(y, y_pred):
    """Return the fraction of labels that are right.

    Parameters
    ----------
    y, y_pred : numpy.ndarray of int, equal shapes
        True and predicted classes; ``y_pred`` may be a single one for all.
    """
    return (y == y_pred).mean()


@takes(counted, "y", "y_pred", "classes")
def confusion_matrix(y, y_pred, classes):
    """Return how often class i (row) was taken for class j (column).

    Parameters
    ----------
    y, y_pred : numpy.ndarray of int, shape (n,)
        True and predicted classes, 0 to ``classes`` − 1.
    classes : int
        Their number, K.

    Returns
    -------
    numpy.ndarray of int, shape (K, K)
    """
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (y, y_pred), 1)
    return counts


def ratio(part, whole):
    """Return part / whole, and 0 where there is no whole."""
    return part / whole if whole else 0.0


@takes(binary, "y", "y_pred")
def precision(y, y_pred):
    """Return TP / (TP + FP): of those called positive, the fraction that are; 0 where none was called so.

    Parameters
    ----------
    y, y_pred : numpy.ndarray, equal shapes
        True and predicted labels, 0 or 1.
    """
    return ratio(np.sum(y * y_pred), np.sum(y_pred))


@takes(binary, "y", "y_pred")
def recall(y, y_pred):
    """Return TP / (TP + FN): of the positives, the fraction that were found; 0 where there is none."""
    return ratio(np.sum(y * y_pred), np.sum(y))


@takes(binary, "y", "y_pred")
def f1_score(y, y_pred):
    """Return 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall; 0 without any positive."""
    return ratio(2 * np.sum(y * y_pred), np.sum(y) + np.sum(y_pred))


@takes(scored, "y", "score")
def roc_curve(y, score):
    """Return the false and true positive rates at every threshold, from the strictest to the laxest.

    At threshold t everything that scores t or more is called positive. Equal scores cross the threshold
    together, so each distinct score gives one point; the first point, at threshold ∞, calls nothing positive.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        True labels, 0 or 1, both of them present.
    score : numpy.ndarray, shape (n,)
        The higher, the more positive: a probability or a logit.

    Returns
    -------
    fpr, tpr, thresholds : numpy.ndarray, shape (k + 1,)
        For k distinct scores.

    Raises
    ------
    ValueError
        If the labels are not 0 and 1, both present: the rate of a class that is missing is undefined.
    """
    labels = np.unique(y)
    if set(labels) != {0, 1}:
        raise ValueError(f"y: expected labels 0 and 1, both present; got {labels}")
    order = np.argsort(-score)
    y, score = y[order], score[order]
    last = np.append(np.diff(score) != 0, True)  # the last of each run of equals
    tpr = np.append(0, np.cumsum(y)[last]) / y.sum()
    fpr = np.append(0, np.cumsum(1 - y)[last]) / (1 - y).sum()
    return fpr, tpr, np.append(np.inf, score[last])


def auc(y, score):
    """Return the area under the ROC curve, by trapezoids.

    It is the probability that a positive drawn at random scores higher than a negative, a tie counting ½.

    Parameters
    ----------
    y, score : numpy.ndarray, shape (n,)
        As in `roc_curve`.
    """
    fpr, tpr, _ = roc_curve(y, score)
    return (np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2).sum()


@takes(promised, "y", "p", "bins")
def calibration_curve(y, p, bins=10):
    """Sort predictions into equal intervals of probability and compare promise and outcome in each.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Outcomes, 0 or 1.
    p : numpy.ndarray, shape (n,)
        Predicted probabilities of a 1, from 0 to 1.
    bins : int
        Number of intervals ((k − 1)/bins, k/bins]; 0 belongs to the first.

    Returns
    -------
    fraction, confidence, count : numpy.ndarray
        For each interval that is not empty: the fraction of ones, the mean prediction, and the count.
    """
    interval = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], p)
    count = np.bincount(interval, minlength=bins)
    filled = count > 0
    fraction = np.bincount(interval, y, bins)[filled] / count[filled]
    confidence = np.bincount(interval, p, bins)[filled] / count[filled]
    return fraction, confidence, count[filled]


def calibration_error(y, p, bins=10):
    """Return Σ (n_b / n) |fraction_b − confidence_b|, the expected calibration error (Naeini et al., 2015).

    Parameters
    ----------
    y, p, bins
        As in `calibration_curve`.
    """
    fraction, confidence, count = calibration_curve(y, p, bins)
    return (count * np.abs(fraction - confidence)).sum() / count.sum()
