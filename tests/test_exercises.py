"""Each exercise on the page is judged rightly: the stub, the printed solution, and plausible wrong answers.

The stub and the solution are taken out of the notebook and run after the chapter's imports, functions and
constants; cells that compute are left out, so that no chapter is trained here.
"""

import ast
import contextlib
import io
from importlib import import_module

import matplotlib.pyplot as plt
import pytest
from notebooks import code_cells, notebooks, tags
from reading import Page, exercises, parsed

from twice.exercises import CHAPTERS, find, verdict

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


def judged(source, page, exercise):
    """Return what the exercise's check says after ``source`` has run in the chapter."""
    names = chapter_names(page)
    run(source, names)
    return verdict(exercise.number, eval(exercise.answer, names))


@each_exercise
def test_stub_is_not_attempted(page, exercise):
    assert judged(exercise.stub.source, page, exercise) == "not attempted yet"


@each_exercise
def test_printed_solution_is_correct(page, exercise):
    assert judged(exercise.solution, page, exercise) == "✓ correct"


@each_exercise
def test_wrong_answers_are_found_out(page, exercise):
    wrong = find(exercise.number).wrong
    assert wrong, "give the exercise at least one plausible mistake"
    for answer in wrong:
        said = verdict(exercise.number, answer)
        assert said.startswith("✗ ") and "your answer raised" not in said, said


def test_every_chapter_with_exercises_is_judged():
    assert {str(page.number) for page in CHAPTER_PAGES} == set(CHAPTERS)


def test_every_check_stands_on_a_page():
    declared = {
        number for name in CHAPTERS.values() for number in import_module(f"twice.exercises.{name}").EXERCISES
    }
    assert declared == {exercise.number for _, exercise in EXERCISES}
