"""The real data of the book: penguins to measure, digits to read, small photographs to tell apart.

The penguins and a few larger photographs ship with this package. MNIST and CIFAR-10 are fetched once and
kept; where they cannot be had, a small subset of each that ships with the package stands in, and every
chapter runs on it too. How they are fetched and verified is the subject of :mod:`twice.data.sources`.

``python -m twice.data`` fetches everything ahead of time.
"""

from twice.data.fetch import DataError
from twice.data.palmer import Penguins, penguins
from twice.data.photographs import photograph
from twice.data.pictures import CIFAR10_CLASSES, cifar10, is_full, mnist

__all__ = [
    "CIFAR10_CLASSES",
    "DataError",
    "Penguins",
    "cifar10",
    "is_full",
    "mnist",
    "penguins",
    "photograph",
]
