"""The real data of the book: birds to measure, pictures to tell apart, texts to read, a sea to forecast.

The penguins, a few larger photographs, the first names, *Moby-Dick* and the temperatures of the sea ship with
this package. MNIST and CIFAR-10 are fetched once and kept; where they cannot be had, a small subset of each
that ships with the package stands in, and every chapter runs on it too. How they are fetched and verified is
the subject of :mod:`twice.data.sources`.

``python -m twice.data`` fetches everything ahead of time.
"""

from twice.data.fetch import DataError
from twice.data.ocean import Temperatures, el_nino
from twice.data.palmer import Penguins, penguins
from twice.data.photographs import photograph
from twice.data.pictures import CIFAR10_CLASSES, cifar10, is_full, mnist
from twice.data.texts import Names, first_names, moby_dick

__all__ = [
    "CIFAR10_CLASSES",
    "DataError",
    "Names",
    "Penguins",
    "Temperatures",
    "cifar10",
    "el_nino",
    "first_names",
    "is_full",
    "mnist",
    "moby_dick",
    "penguins",
    "photograph",
]
