"""What the whole test run has in common; the notebooks' kernels inherit the environment."""

import os

from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # several processes share one GPU

settings.register_profile("book", deadline=None, derandomize=True)  # the same cases on every run and machine
settings.load_profile("book")
