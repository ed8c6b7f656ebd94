"""The checks behind the book's exercises: ``check("1.3", answer)`` judges a reader's answer.

One module a chapter declares its exercises; each comes with plausible wrong answers and the hint they
deserve, so that a reader who makes a common mistake is told which one. The tests feed every check the stub,
the solution printed in the book in every form that a right answer may take, and each of the wrong answers.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from types import CodeType, FunctionType

import numpy as np

from twice.checks import say
from twice.exercises.comparison import described, difference, shown

__all__ = ["Exercise", "NotAttempted", "check", "difference", "function", "shown", "value", "verdict"]

CHAPTERS = {
    "1": "neuron",
    "2": "linear_regression",
    "3": "logistic_regression",
    "4": "forward_propagation",
    "5": "backpropagation",
    "6": "gradient_descent",
    "7": "generalization",
    "8": "honest_project",
    "9": "convolution",
    "10": "handwritten_digits",
    "11": "cifar_10",
    "12": "looking_inside",
    "13": "transfer_learning",
    "14": "sequences",
    "15": "attention",
    "16": "language_models",
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
    refused : mapping from str to str
        Forms of a right answer that the exercise does not take ("float32", "axes", …: see the tests), each
        with the reason that its text gives.
    """

    judge: Callable[[object], str | None]
    wrong: Sequence = field(default=())
    refused: Mapping[str, str] = field(default_factory=dict)


class NotAttempted(Exception):
    """The reader's answer is still the stub's ``...``."""


class AnswerRaised(Exception):
    """The reader's own code raised an error, which is the cause of this one."""


def check(number, answer):
    """Print whether ``answer`` solves exercise ``number``.

    Parameters
    ----------
    number : str
        Chapter and exercise, such as ``"1.3"``.
    answer : object
        A function, a number or an array, as the exercise asks; ``...`` counts as not attempted. A right
        answer is taken in every reasonable form: see `twice.exercises.comparison.difference`.

    Raises
    ------
    ValueError
        If there is no exercise of that number.
    """
    say(f"Exercise {number}: {verdict(number, answer)}")


def verdict(number, answer):
    """Return "not attempted yet", "correct", or a sentence that says what is wrong."""
    judge = find(number).judge
    try:
        fault = judge(attempted(answer))
    except NotAttempted:
        return "not attempted yet"
    except AnswerRaised as error:
        cause = error.__cause__
        return f"✗ your answer raised {type(cause).__name__}: {cause}"
    except Exception:  # whatever a judge stumbles over, the answer has not the form that it expects
        return f"✗ the answer does not have the form that the exercise asks for: got {described(answer)}"
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
    """Return ``answer``; raise `NotAttempted` where it is, holds or returns ``...``.

    A function comes back wrapped, so that an error in it can be told from one in the check: `AnswerRaised`.
    """
    if answer is ... or (isinstance(answer, tuple | list) and any(part is ... for part in answer)):
        raise NotAttempted
    if not inspect.isroutine(answer):
        return answer

    @wraps(answer)
    def call(*args, **kwargs):
        try:
            result = answer(*args, **kwargs)
        except Exception as error:
            raise AnswerRaised from error
        return attempted(result)

    return call


def function(
    reference,
    *cases,
    mistakes: Mapping[str, Callable] | None = None,
    atol=1e-8,
    fixed_shape=False,
    without: Mapping[str, str] | None = None,
    returns_new=False,
    refused: Mapping[str, str] | None = None,
):
    r"""Declare an exercise whose answer is a function, judged on ``cases`` against ``reference``.

    Parameters
    ----------
    reference : callable
        A right answer.
    *cases : tuple
        The arguments of each call to compare; every call gets copies of its own.
    mistakes : mapping from str to callable, optional
        Hints, each with the wrong function that it answers.
    atol : float
        Largest error allowed in each number, relative to max(1, \|expected\|).
    fixed_shape : bool
        Whether the text fixes the shape, axes of length 1 included.
    without : mapping from str to str, optional
        Names that the text forbids, such as "tanh" or "einsum", each with what to say to their use.
    returns_new : bool
        Whether the text asks for a new array, so that the arguments must stay as they were.
    refused : mapping from str to str, optional
        See `Exercise`.
    """
    mistakes, without = mistakes or {}, without or {}

    def judge(answer):
        if not callable(answer):
            return f"expected a function, got {described(answer)}"
        for name in without.keys() & names_used(answer):
            return f"{without[name]}: the answer uses {name}"
        for case in cases:
            given = deepcopy(case)
            if fault := compared(answer(*given), reference(*deepcopy(case))):
                hints = [hint for hint, slip in mistakes.items() if same_slip(answer, slip)]
                told = ", ".join(map(shown_argument, case))
                return f"for {told}: {fault}" + "".join(f" ({hint})" for hint in hints)
            if returns_new and not all(map(np.array_equal, given, case)):
                return "the function changes what it was given: return a new array"
        return None

    def compared(got, expected):
        return difference(got, expected, atol, fixed_shape=fixed_shape)

    def same_slip(answer, slip):
        return all(compared(answer(*deepcopy(case)), slip(*deepcopy(case))) is None for case in cases)

    return Exercise(judge, tuple(mistakes.values()), axes_fixed(refused, fixed_shape))


def value(
    expected,
    *,
    mistakes: Mapping[str, object] | None = None,
    atol=1e-8,
    fixed_shape=False,
    refused: Mapping[str, str] | None = None,
):
    """Declare an exercise whose answer is a number, an array, or a tuple of several.

    Parameters
    ----------
    expected : array_like or tuple of array_like
        The right answer.
    mistakes : mapping from str to object, optional
        Hints, each with the wrong answer that it belongs to.
    atol, fixed_shape, refused
        As in `function`.
    """
    mistakes = mistakes or {}

    def judge(answer):
        fault = difference(answer, expected, atol, tell=False, fixed_shape=fixed_shape)
        hints = [hint for hint, slip in mistakes.items() if not difference(answer, slip, atol)]
        return fault and fault + "".join(f" ({hint})" for hint in hints)

    return Exercise(judge, tuple(mistakes.values()), axes_fixed(refused, fixed_shape))


def axes_fixed(refused, fixed_shape):
    """Return the refused forms, axes left out or added among them where the shape is fixed."""
    return {**(refused or {}), **({"axes": "the text fixes the shape"} if fixed_shape else {})}


def shown_argument(argument):
    """Return an argument as short text: functions by their name, large arrays by their shape."""
    return getattr(argument, "__name__", "a function") if callable(argument) else shown(argument)


def names_used(answer):
    """Return the names that a function refers to, its helpers' too, and of what stands behind each."""
    found, waiting, seen = set(), [inspect.unwrap(answer)], set()
    home = getattr(waiting[0], "__globals__", None)
    while waiting:
        f = waiting.pop()
        if not isinstance(f, FunctionType) or f.__globals__ is not home:
            found.add(getattr(f, "__name__", ""))  # np.tanh itself, as the answer or as `t` in it
        elif f.__code__ not in seen:
            seen.add(f.__code__)
            names = names_in(f.__code__)
            found |= names
            waiting += [f.__globals__[name] for name in names if callable(f.__globals__.get(name))]
    return found


def names_in(code):
    """Return the names that compiled code refers to, that of the functions inside it included."""
    inner = (names_in(part) for part in code.co_consts if isinstance(part, CodeType))
    return {*code.co_names, *code.co_freevars}.union(*inner)
