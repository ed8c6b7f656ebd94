"""The sea off Peru: its temperature in 732 months, for forecasts. The file ships with this package."""

import csv
from dataclasses import dataclass

import numpy as np

from twice.data.texts import shipped

SHA256 = "b647be00e0fd264be9764e317e6b963f35030014ecca2b21b204521716e463ad"  # of its text, line ends as \n
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
BORDERS = (1990, 2000)  # the years in which validation and test begin


@dataclass(frozen=True, eq=False, repr=False)
class Temperatures:
    """Mean temperatures of n months, one after the other: one array of length n for each column.

    ``len(sea)`` is n, and ``sea[rows]`` is the months in those rows: a slice, a mask, indices, or one index.

    Attributes
    ----------
    year, month : numpy.ndarray of int
        1950 to 2010, and 1 to 12.
    celsius : numpy.ndarray
        The temperature of the sea's surface in °C, float64.
    """

    year: np.ndarray
    month: np.ndarray
    celsius: np.ndarray

    def __len__(self):
        return len(self.year)

    def __getitem__(self, rows):
        columns = self.year, self.month, self.celsius
        return Temperatures(*(np.atleast_1d(column[rows]) for column in columns))

    def __repr__(self):
        years = f", {self.year.min()} to {self.year.max()}" if len(self) else ""
        return f"{len(self)} months{years}"


def el_nino() -> tuple[Temperatures, Temperatures, Temperatures]:
    """Read the temperature of the sea off Peru and Ecuador, month by month, in three parts.

    It is the mean of the region Niño 1+2, from the equator to 10° south and 90° to 80° west, reconstructed by
    NOAA from what ships and buoys measured (ERSST version 3b). From September to March it rises by 5.7 °C on
    average; in the years of El Niño the sea is warmer for months, in 1983 and 1997 by more than 4 °C. The
    parts follow each other in time.

    Returns
    -------
    train, validation, test : Temperatures
        1950 to 1989 (480 months), 1990 to 1999 (120), and 2000 to 2010 (132).

    Raises
    ------
    DataError
        If the shipped file is damaged.

    References
    ----------
    T. M. Smith, R. W. Reynolds, T. C. Peterson and J. Lawrimore (2008), "Improvements to NOAA's historical
    merged land-ocean surface temperature analysis (1880-2006)", Journal of Climate 21(10): 2283-2296.
    """
    rows = list(csv.DictReader(shipped("el-nino.csv", SHA256).splitlines()))
    year = np.repeat([int(row["YEAR"]) for row in rows], 12)
    celsius = np.array([float(row[month]) for row in rows for month in MONTHS])
    sea = Temperatures(year, np.tile(np.arange(1, 13), len(rows)), celsius)
    a, b = np.searchsorted(year, BORDERS)
    return sea[:a], sea[a:b], sea[b:]
