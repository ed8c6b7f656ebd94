"""The checks behind the book's exercises: ``check("1.3", answer)`` judges a reader's answer.

One module a chapter declares its exercises; each comes with plausible wrong answers and the hint they
deserve, so that a reader who makes a common mistake is told which one. The tests feed every check the stub,
the solution printed in the book, and each of the wrong answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module

import numpy as np

CHAPTERS = {
    "1": "neuron",
    "2": "linear_regression",
    "3": "logistic_regression",
    "4": "forward_propagation",
    "5": "backpropagation",
    "6": "gradient_descent",
    "7": "training",
    "8": "convolution",
    "9": "handwritten_digits",
    "10": "cifar_10",
    "11": "looking_inside",
    "12": "transfer_learning",
}


@dataclass(frozen=True)
class Exercise:
    """How one exercise is judged.

    Attributes
    ----------
    judge : callable
        Takes the reader's answer; returns what is wrong with it, or None.
    wrong : sequence
        Plausible wrong answers, for the tests: ``judge`` must find fault with each.
    """

    judge: Callable[[object], str | None]
    wrong: Sequence = field(default=())


class NotAttempted(Exception):
    """The reader's answer is still the stub's ``...``."""


def check(number, answer):
    """Print whether ``answer`` solves exercise ``number``.

    Parameters
    ----------
    number : str
        Chapter and exercise, such as ``"1.3"``.
    answer : object
        A function, a number or an array, as the exercise asks; ``...`` counts as not attempted.

    Raises
    ------
    ValueError
        If there is no exercise of that number.
    """
    print(f"Exercise {number}: {verdict(number, answer)}")


def verdict(number, answer):
    """Return "not attempted yet", "correct", or a sentence that says what is wrong."""
    judge = find(number).judge
    try:
        fault = judge(attempted(answer))
    except NotAttempted:
        return "not attempted yet"
    except Exception as error:  # whatever a reader's code may raise is part of the verdict
        return f"✗ your answer raised {type(error).__name__}: {error}"
    return "✓ correct" if fault is None else f"✗ {fault}"


def find(number):
    """Return the `Exercise` of that number."""
    chapter = str(number).partition(".")[0]
    exercises = import_module(f"{__name__}.{CHAPTERS[chapter]}").EXERCISES if chapter in CHAPTERS else {}
    if number not in exercises:
        raise ValueError(
            f"number: expected a chapter and an exercise of this book, such as '1.3'; got {number!r}"
        )
    return exercises[number]


def attempted(answer):
    """Return ``answer``; raise `NotAttempted` where it is, holds or returns ``...``."""
    if answer is ... or (isinstance(answer, tuple) and any(part is ... for part in answer)):
        raise NotAttempted
    if not callable(answer):
        return answer

    @wraps(answer)
    def call(*args, **kwargs):
        return attempted(answer(*args, **kwargs))

    return call


def function(reference, *cases, mistakes: Mapping[str, Callable] | None = None, atol=1e-8):
    """Declare an exercise whose answer is a function, judged on ``cases`` against ``reference``.

    Parameters
    ----------
    reference : callable
        A right answer.
    *cases : tuple
        The arguments of each call to compare.
    mistakes : mapping from str to callable, optional
        Hints, each with the wrong function that it answers.
    atol : float
        Largest difference allowed, relative to max(1, max|expected|).
    """
    mistakes = mistakes or {}

    def judge(answer):
        for case in cases:
            expected = reference(*map(copied, case))
            if fault := difference(answer(*map(copied, case)), expected, atol):
                hints = [hint for hint, slip in mistakes.items() if same_slip(answer, slip, cases, atol)]
                return f"for {shown(case)}: {fault}" + "".join(f" ({hint})" for hint in hints)
        return None

    return Exercise(judge, tuple(mistakes.values()))


def value(expected, *, mistakes: Mapping[str, object] | None = None, atol=1e-8):
    """Declare an exercise whose answer is a number or an array; ``mistakes`` maps hints to wrong values."""
    mistakes = mistakes or {}

    def judge(answer):
        fault = difference(answer, expected, atol, tell=False)
        hints = [hint for hint, slip in mistakes.items() if not difference(answer, slip, atol)]
        return fault and fault + "".join(f" ({hint})" for hint in hints)

    return Exercise(judge, tuple(mistakes.values()))


def copied(argument):
    """Return arrays as copies, so that an answer that writes into its input spoils nothing."""
    return argument.copy() if isinstance(argument, np.ndarray) else argument


def same_slip(answer, slip, cases, atol):
    """Return whether ``answer`` gives what the mistaken function ``slip`` gives, in every case."""
    return all(difference(answer(*map(copied, c)), slip(*map(copied, c)), atol) is None for c in cases)


def difference(got, expected, atol, tell=True):
    """Return how ``got`` differs from ``expected`` in words, or None; ``tell`` shows the expected value."""
    if isinstance(expected, tuple):
        if not isinstance(got, tuple) or len(got) != len(expected):
            return f"expected {len(expected)} results, got {shown((got,))}"
        parts = (difference(g, e, atol, tell) for g, e in zip(got, expected, strict=True))
        return next((part for part in parts if part), None)
    if got is None:
        return "the answer is None: is a `return` missing?"
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return f"expected the shape {expected.shape}, got {got.shape}"
    if expected.dtype.kind in "US":
        return None if np.array_equal(got, expected) else f"got {shown((got,))}"
    with np.errstate(invalid="ignore"):  # NaN and infinity are within no tolerance
        close = np.abs(got - expected) <= atol * max(1, np.abs(expected).max(initial=0))
    if close.all():
        return None
    return f"expected {shown((expected,))}, got {shown((got,))}" if tell else f"{shown((got,))} is not it"


def shown(values):
    """Return arguments as short text: at most four digits, large arrays by their shape."""
    return ", ".join(
        f"an array of shape {np.shape(v)}" if np.size(v) > 12 else np.array2string(np.asarray(v), precision=4)
        for v in values
    )
