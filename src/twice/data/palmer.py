"""The Palmer penguins: measurements of 344 birds, in a table without pandas.

The file ships with this package; ``twice.data.penguins()`` reads it.
"""

import csv
import hashlib
from dataclasses import dataclass, fields

import numpy as np

from twice.data.fetch import ASSETS, DataError

SHA256 = "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93"  # of its text, line ends as \n


@dataclass(frozen=True, eq=False, repr=False)
class Penguins:
    """Measurements of n penguins: one array of length n for each column.

    Numbers are float64, NaN where a measurement is missing; words are strings, ``""`` where one is missing.
    ``len(birds)`` is n, and ``birds[rows]`` is the penguins in those rows: a slice, a mask, indices, or one
    index.

    Attributes
    ----------
    species : numpy.ndarray
        ``"Adelie"``, ``"Chinstrap"`` or ``"Gentoo"``.
    island : numpy.ndarray
        ``"Biscoe"``, ``"Dream"`` or ``"Torgersen"``.
    bill_length_mm, bill_depth_mm, flipper_length_mm : numpy.ndarray
        Lengths in millimetres.
    body_mass_g : numpy.ndarray
        Body mass in grams.
    sex : numpy.ndarray
        ``"female"`` or ``"male"``.
    year : numpy.ndarray
        The year in which the bird was measured, 2007 to 2009.
    """

    species: np.ndarray
    island: np.ndarray
    bill_length_mm: np.ndarray
    bill_depth_mm: np.ndarray
    flipper_length_mm: np.ndarray
    body_mass_g: np.ndarray
    sex: np.ndarray
    year: np.ndarray

    def __len__(self):
        return len(self.species)

    def __getitem__(self, rows):
        return Penguins(*(np.atleast_1d(getattr(self, name)[rows]) for name in COLUMNS))

    def __repr__(self):
        species, counts = np.unique(self.species, return_counts=True)
        return f"{len(self)} penguins: " + ", ".join(
            f"{n} {name}" for n, name in zip(counts, species, strict=True)
        )

    def complete(self, *columns):
        """Return the penguins that lack nothing in the named columns, or in any column if none is named.

        Raises
        ------
        ValueError
            If a column does not exist.
        """
        present = [_present(self._column(name)) for name in columns or COLUMNS]
        return self[np.all(present, axis=0)]

    def matrix(self, *columns):
        """Return the named columns of numbers side by side: float64, shape (n, number of columns).

        Raises
        ------
        ValueError
            If no column is named, or one does not exist or holds words.
        """
        arrays = [self._column(name) for name in columns]
        if not all(array.dtype == float for array in arrays):
            raise ValueError(f"columns must hold numbers, and some of these hold words: {', '.join(columns)}")
        return np.stack(arrays, axis=1)

    def _column(self, name):
        if name not in COLUMNS:
            raise ValueError(f"columns must be among {', '.join(COLUMNS)}; got {name!r}")
        return getattr(self, name)


COLUMNS = tuple(field.name for field in fields(Penguins))


def _present(column):
    return column != "" if column.dtype.kind == "U" else ~np.isnan(column)


def penguins() -> Penguins:
    """Read the Palmer penguins: 344 adult birds of three species, seen near Palmer Station, Antarctica.

    Two birds were not measured, and of nine others the sex is unknown: ``penguins().complete()`` has 333.

    Returns
    -------
    Penguins
        One array for each column, in the order of the original file.

    Raises
    ------
    DataError
        If the shipped file is damaged.

    References
    ----------
    K. B. Gorman, T. D. Williams and W. R. Fraser (2014), "Ecological sexual dimorphism and environmental
    variability within a community of Antarctic penguins (genus *Pygoscelis*)", PLoS ONE 9(3): e90081.
    """
    text = (ASSETS / "penguins.csv").read_text(encoding="utf-8")
    if hashlib.sha256(text.encode()).hexdigest() != SHA256:
        raise DataError("penguins.csv, which ships with this package, is damaged: install the package again")
    rows = list(csv.DictReader(text.splitlines()))
    return Penguins(*(_column(name, [row[name] for row in rows]) for name in COLUMNS))


def _column(name, cells):
    if name in ("species", "island", "sex"):
        return np.array(["" if cell == "NA" else cell for cell in cells])
    return np.array(["nan" if cell == "NA" else cell for cell in cells], dtype=float)
