"""A progress bar for long work, silent where its text would be stored."""

from tqdm import tqdm


def progress(steps, what, verbose="auto"):
    """Return ``steps`` so that going through them draws a progress bar.

    Parameters
    ----------
    steps : sequence
        What to go through.
    what : str
        The text before the bar.
    verbose : "auto", 0 or 1
        Keras's argument: 1 draws the bar, 0 does not, "auto" draws it on a terminal, which a notebook's
        output is not.
    """
    if verbose not in ("auto", 0, 1):
        raise ValueError(f"verbose: expected 'auto', 0 or 1, got {verbose!r}")
    return tqdm(steps, desc=what, disable=None if verbose == "auto" else not verbose, leave=False)
