"""How good predictions are: numbers for people to read, not for gradients (chapters 2 and 3)."""

# Regression (chapter 2)


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
