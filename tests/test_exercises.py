"""Each exercise on the page is judged rightly: the stub, the printed solution, and plausible wrong answers.

The stub and the solution are taken out of the notebook and run after the chapter's imports, functions and
constants; cells that compute are left out, so that no chapter is trained here. The solution is then given in
every other form that a right answer may take.
"""

import ast
import contextlib
import inspect
import io
from functools import wraps
from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
import pytest
from notebooks import code_cells, notebooks, tags
from reading import Page, exercises, parsed
from scipy import stats

from twice.exercises import CHAPTERS, Exercise, difference, find, function, value, verdict

CHAPTER_PAGES = [page for page in map(Page.load, notebooks()) if page.number]
EXERCISES = [(page, exercise) for page in CHAPTER_PAGES for exercise in exercises(page)]
each_exercise = pytest.mark.parametrize(
    ("page", "exercise"), EXERCISES, ids=[exercise.number for _, exercise in EXERCISES]
)


pytestmark = pytest.mark.usefixtures("float64")  # which chapters choose


@pytest.fixture(autouse=True)
def style_of_the_chapter_ends_here():
    """Chapters choose a style of figures for themselves, not for other tests."""
    with plt.rc_context():
        yield


def run(source, names):
    """Run cells' source among ``names`` without showing what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(source, "<cell>", "exec"), names)


def chapter_names(page):
    """Return what a chapter's imports, functions, classes and constants define."""
    names = {"__name__": "chapter"}
    imports, *cells = [cell for cell in code_cells(page.nb)[1:] if not {"exercise", "bug"} & set(tags(cell))]
    run(imports.source, names)
    for node in (node for cell in cells for node in parsed(cell.source).body if defines(node)):
        run(ast.Module([node], []), names)
    return names


def defines(node):
    """Return whether a statement imports, defines a function or a class, or names a number or a text."""
    if isinstance(node, ast.Assign):
        return isinstance(node.value, ast.Constant) and isinstance(node.targets[0], ast.Name)
    return isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)


def answered(source, page, exercise):
    """Return the answer that is handed to the check after ``source`` has run in the chapter."""
    names = chapter_names(page)
    run(source, names)
    return eval(exercise.answer, names)


def judged(source, page, exercise):
    """Return what the exercise's check says after ``source`` has run in the chapter."""
    return verdict(exercise.number, answered(source, page, exercise))


def as_list(result):
    """Return results and arrays as lists."""
    return [as_list(part) for part in result] if isinstance(result, tuple) else np.asarray(result).tolist()


def as_tuple(result):
    """Return an array as the tuple of its rows."""
    return tuple(result) if isinstance(result, np.ndarray) and result.ndim else result


def as_array(result):
    """Return several results, where they have one shape, as one array."""
    several = isinstance(result, tuple | list) and len(set(map(np.shape, result))) == 1
    return np.array(result) if several else result


def each(change):
    """Return a form that changes every one of several results."""

    def form(result):
        return tuple(map(form, result)) if isinstance(result, tuple) else change(np.asarray(result))

    return form


def whole(a):
    """Return whole numbers as integers."""
    return a.astype(int) if a.dtype.kind == "f" and np.array_equal(a, a.round()) else a


def coarse(a):
    """Return numbers in float32."""
    return a.astype(np.float32) if a.dtype.kind in "fi" else a


def axes(a):
    """Return a column as a row of numbers, and anything smaller as a column."""
    return a[:, 0] if a.ndim == 2 and a.shape[1] == 1 else a[..., None] if a.ndim < 2 else a


FORMS = {
    "list": as_list,
    "tuple": as_tuple,
    "array": as_array,
    "integers": each(whole),
    "float32": each(coarse),
    "axes": each(axes),
}


def in_form(form, answer):
    """Return a number or an array, or what a function returns of them, in another form; all else as it is."""
    if inspect.isroutine(answer):
        return wraps(answer)(lambda *args, **kwargs: in_form(form, answer(*args, **kwargs)))
    parts = answer if isinstance(answer, tuple | list) else [answer]
    plain = all(isinstance(part, int | float | np.ndarray | np.generic) for part in parts)
    return form(answer) if plain else answer


@each_exercise
def test_stub_is_not_attempted(page, exercise):
    assert judged(exercise.stub.source, page, exercise) == "not attempted yet"


@each_exercise
def test_printed_solution_is_correct(page, exercise):
    assert judged(exercise.solution, page, exercise) == "✓ correct"


@each_exercise
@pytest.mark.parametrize("form", FORMS)
def test_right_answer_is_right_in_every_form(form, page, exercise):
    said = verdict(exercise.number, in_form(FORMS[form], answered(exercise.solution, page, exercise)))
    if form in (refused := find(exercise.number).refused):
        assert said.startswith("✗ "), f"{refused[form]!r}, and yet this form is taken"
    else:
        assert said == "✓ correct"


@each_exercise
def test_wrong_answers_are_found_out(page, exercise):
    wrong = find(exercise.number).wrong
    assert wrong, "give the exercise at least one plausible mistake"
    for answer in wrong:
        said = verdict(exercise.number, answer)
        assert said.startswith("✗ "), said
        assert "your answer raised" not in said and "does not have the form" not in said, said


def test_every_chapter_with_exercises_is_judged():
    assert {str(page.number) for page in CHAPTER_PAGES} == set(CHAPTERS)


def test_every_check_stands_on_a_page():
    declared = {
        number for name in CHAPTERS.values() for number in import_module(f"twice.exercises.{name}").EXERCISES
    }
    assert declared == {exercise.number for _, exercise in EXERCISES}


SQUARES = function(
    lambda x: x**2,
    (np.array([1.0, 2.0, 3.0]),),
    mistakes={"that is a cube": lambda x: x**3},
    without={"square": "multiply"},
    returns_new=True,
)


def in_place(x):
    """Square an array where it stands."""
    x *= x
    return x


def helper(x):
    """Square by the forbidden means."""
    return np.square(x)


squared = np.square  # the forbidden means under another name


def raises(x):
    """Fail as a reader's code may."""
    return x + np.ones(7)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: x * x, None),
        (lambda x: x**3, "that is a cube"),
        (in_place, "return a new array"),
        (np.square, "multiply: the answer uses square"),
        (lambda x: np.square(x), "multiply: the answer uses square"),
        (lambda x: helper(x), "multiply: the answer uses square"),
        (lambda x: squared(x), "multiply: the answer uses square"),
        (lambda x: [x_i * x_i for x_i in x], None),
        (lambda x: (x * x)[:, None], None),
        (lambda x: (x * x)[:2], "expected the shape (3,), got (2,)"),
        (lambda x: x * x + 1e-6, "expected [1. 4. 9.], got [1.000001 4.000001 9.000001]"),
        (lambda x: (x * x).astype(np.float16), "float16 is too coarse"),
        (lambda x: x * np.nan, "got [nan nan nan]"),
        (lambda x: {"y": x}, "got an object of the class dict"),
        (lambda x: [x, 1.0], "got a list of 2 ([1. 2. 3.], the number 1.0)"),
        (lambda x: str(x), "got the text"),
        (lambda x: None, "is a `return` missing?"),
        (lambda x: len, "the result is a function"),
        (7.0, "expected a function, got the number 7.0"),
    ],
)
def test_functions_are_judged_in_words(answer, said):
    fault = SQUARES.judge(answer)
    assert fault is None if said is None else said in fault, fault


@pytest.mark.parametrize(
    ("got", "expected", "said"),
    [
        ([1.0, 2.0], (1.0, 2.0), None),
        (np.array([1, 2]), (1.0, 2.0), None),
        ((1.0, 3.0), (1.0, 2.0), "result 2 of 2: expected 2, got 3"),
        ((1.0,), (1.0, 2.0), "expected 2 results, got 1"),
        (1.0, (1.0, 2.0), "expected 2 results, got the number 1.0"),
        ([0.76, np.e], (0.76, 2.71), "result 2 of 2: expected 2.71, got 2.7183"),
        (np.float32(0.1), 0.1, None),
        (np.float32(0.1001), 0.1, "expected 0.1, got 0.1001"),
        (2**31, 2.0**31, None),
        (10**30, 1e30, None),
        (np.float32(16_777_220), 16_777_216, "expected 16777216, got 16777220"),
        (np.ones((1, 3)), np.ones((3, 1)), "expected the shape (3, 1), got (1, 3)"),
        (1j, 1.0, "expected a number, got the number 1j"),
        (True, 1.0, None),
        (np.inf, np.inf, None),
        ("a", np.array(["a"]), None),
        ("b", "a", "'b'"),
        (1.0, "a", "expected text, got the number 1.0"),
        (
            np.ones((4, 5)),
            np.ones((4, 5)) + np.eye(4, 5),
            "4 of 20 numbers differ, the first at (0, 0): expected 2, got 1",
        ),
    ],
)
def test_differences_are_told_in_words(got, expected, said):
    fault = difference(got, expected)
    assert fault is None if said is None else said in fault, fault


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((np.array([-1.0, -1.0]), 1.5), "✓"),
        ((np.array([[-1.0], [-1.0]]), np.array([1.5])), "✓"),
        ([-1, -1, 1.5], "✓"),
        ((np.array([1.0, 1.0]), -1.5), "the neuron is wrong at x = [0. 0.]"),
        ((np.array([-1.0, -1.0]),), "got 2"),
    ],
)
def test_a_neuron_may_come_as_weights_and_bias(answer, said):
    assert said in verdict("1.2", answer)


def test_a_shape_that_the_text_fixes_is_kept():
    column = value(np.ones((3, 1)), fixed_shape=True)
    assert column.judge(np.ones((3, 1))) is None
    assert "expected the shape (3, 1), got (3,)" in column.judge(np.ones(3))
    assert set(column.refused) == {"axes"}


def test_an_error_of_the_answer_is_told_from_one_of_the_check(monkeypatch):
    exercises = {"0.1": SQUARES, "0.2": Exercise(lambda answer: None if answer["w"] else "no w")}
    monkeypatch.setattr("twice.exercises.find", exercises.get)
    assert verdict("0.1", raises).startswith(
        "✗ your answer raised ValueError: operands could not be broadcast"
    )
    assert (
        verdict("0.2", 5)
        == "✗ the answer does not have the form that the exercise asks for: got the number 5"
    )


def test_a_list_with_dots_is_not_attempted():
    assert verdict("1.1", [..., 1.0]) == "not attempted yet"


def test_ranks_are_found_with_numpy_alone():
    assert "NumPy alone" in verdict("12.7", lambda a, b: stats.spearmanr(a, b).statistic)
