"""Things to read letter by letter: first names, and a novel. Both ship with this package.

Each comes in three parts: to train on, to choose with, to test on. ``assets/README.md`` says whose they are.
"""

import gzip
import hashlib
import zlib
from dataclasses import dataclass

import numpy as np

from twice.data.fetch import ASSETS, DataError

FILES = {  # file: the SHA-256 of its text, unpacked, line ends as \n
    "female-names.txt": "f2ee53b7adf88a44c0ffaa5aa549e749ac6bd95e813cb68213145276b8efd8c9",
    "male-names.txt": "35cf3ca775b204f7a67a6a25f651e7149ea0f0d22ffad9d366e680fe948ca38e",
    "moby-dick.txt.gz": "fe282a57094ed62e7144fb7c804a9748fc1c909bf3b49d06e7276015f9f67240",
}
BORDERS = ("CHAPTER 104.", "CHAPTER 124.")  # of Moby-Dick: where validation and test begin


def shipped(file, sha256):
    """Return the text of a file that ships with this package, unpacked if it is a ``.gz``, and verified."""
    try:
        content = (ASSETS / file).read_bytes()
        content = gzip.decompress(content) if file.endswith(".gz") else content
    except (OSError, EOFError, zlib.error):  # missing, no such archive, cut off, spoilt
        content = b""
    content = content.replace(b"\r\n", b"\n")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"{file}, which ships with this package, is damaged: install the package again")
    return content.decode()


@dataclass(frozen=True, eq=False, repr=False)
class Names:
    """First names, and who bears them: one array of length n for each column.

    ``len(names)`` is n, and ``names[rows]`` is the names in those rows: a slice, a mask, indices, or one
    index.

    Attributes
    ----------
    name : numpy.ndarray of str
        In lower case: the letters a to z and, in 19 compound names, a hyphen.
    female, male : numpy.ndarray of bool
        Whether the name stands in the list of female names, and in that of male names: one or both.
    """

    name: np.ndarray
    female: np.ndarray
    male: np.ndarray

    def __len__(self):
        return len(self.name)

    def __getitem__(self, rows):
        return Names(*(np.atleast_1d(column[rows]) for column in (self.name, self.female, self.male)))

    def __repr__(self):
        female, male, both = map(np.sum, (self.female, self.male, self.female & self.male))
        return f"{len(self)} names: {female} female, {male} male, {both} of them both"


def first_names(seed: int = 0) -> tuple[Names, Names, Names]:
    """Read 8,422 first names of English-speaking countries, in three parts.

    The two lists, of female and of male names, say neither how common a name is nor who bears it today.
    Capitals carry no information and go; two are misprints. A name in both lists is one name with both labels
    (419 of them), so that no name is in two parts; near relatives such as anne and anna may well be.

    Parameters
    ----------
    seed : int
        Another number deals the names into other parts. The order is that of the SHA-256 of seed and name,
        the same on every machine and in every version of NumPy.

    Returns
    -------
    train, validation, test : Names
        6,738, 842 and 842 names: four fifths and two tenths.

    Raises
    ------
    DataError
        If a shipped file is damaged.

    References
    ----------
    G. Ward (2002), "Moby word lists", Project Gutenberg, 3201.
    """
    female, male = ({name.lower() for name in _lines(f"{sex}-names.txt")} for sex in ("female", "male"))
    dealt = sorted(female | male, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    labels = ([name in part for name in dealt] for part in (female, male))
    names = Names(np.array(dealt), *map(np.array, labels))
    tenth = len(names) // 10
    return names[: -2 * tenth], names[-2 * tenth : -tenth], names[-tenth:]


def _lines(file):
    return shipped(file, FILES[file]).splitlines()


def moby_dick() -> tuple[str, str, str]:
    """Read *Moby-Dick; or, The Whale* (1851), its 135 chapters in three parts.

    Test and validation are the last chapters and those before them, not scattered ones: who has read on to
    the last page of the training text is asked how the story goes on. ``"".join(moby_dick())`` is all of it:
    1,190,317 characters of 83 kinds, with the line ends, curly quotes and dashes of a printed page.

    Returns
    -------
    train, validation, test : str
        Chapters 1 to 103, 104 to 123, and 124 to 135.

    Raises
    ------
    DataError
        If the shipped file is damaged.

    References
    ----------
    H. Melville (1851), *Moby-Dick; or, The Whale*, Harper & Brothers, New York.
    """
    text = shipped("moby-dick.txt.gz", FILES["moby-dick.txt.gz"])
    a, b = (text.index(f"\n{heading}") + 1 for heading in BORDERS)
    return text[:a], text[a:b], text[b:]
