"""What the whole test run has in common; the notebooks' kernels inherit the environment."""

import os

import pytest
from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.pop("MPLBACKEND", None)  # a reader's own choice would keep figures out of the notebooks' outputs
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # several processes share one GPU

settings.register_profile("book", deadline=None, derandomize=True)  # the same cases on every run and machine
settings.load_profile("book")


def pytest_itemcollected(item):
    """Leave the pictures of cells out of what nbval compares, as it does by itself with those in pixels."""
    if hasattr(item.parent, "skip_compare"):
        item.parent.skip_compare = {*item.parent.skip_compare, "image/svg+xml"}


def pytest_configure(config):
    """Refuse to deal the cells of one notebook out to several processes, as `pytest -n 2` alone would."""
    whole_files = getattr(config.option, "dist", "no") in ("no", "loadfile", "loadscope")
    runs_notebooks = getattr(config.option, "nbval", False) or getattr(config.option, "nbval_lax", False)
    if runs_notebooks and not whole_files:
        raise pytest.UsageError("the cells of a notebook run in order, in one process: add --dist loadfile")
