"""EfficientNet-Lite0 in Keras: against PyTorch, against formulas, and on photographs; and what it reads."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twice import backbones
from twice.backbones import (
    class_names,
    decode_predictions,
    efficientnet_lite0,
    interpolation,
    preprocess,
    read_weights,
    resize,
    stage_outputs,
)
from twice.checks import agree
from twice.data import DataError, fetch, photograph

# What PyTorch returned for the photographs: tools/convert_efficientnet.py made it.
GOLDEN = Path(__file__).with_name("efficientnet-lite0.npz")

# The architecture as its authors publish it, not as the package writes it: for each of the sixteen blocks the
# kernel, strides, channels in, channels between, channels out.
BLOCKS = [
    (3, 1, 32, 32, 16),
    *[(3, 2, 16, 96, 24), (3, 1, 24, 144, 24)],
    *[(5, 2, 24, 144, 40), (5, 1, 40, 240, 40)],
    *[(3, 2, 40, 240, 80), (3, 1, 80, 480, 80), (3, 1, 80, 480, 80)],
    *[(5, 1, 80, 480, 112), (5, 1, 112, 672, 112), (5, 1, 112, 672, 112)],
    *[(5, 2, 112, 672, 192), (5, 1, 192, 1152, 192), (5, 1, 192, 1152, 192), (5, 1, 192, 1152, 192)],
    (3, 1, 192, 1152, 320),
]
SIDES = [112, 112, 56, 28, 14, 14, 7, 7, 7]  # of the pictures after the stem, the seven stages and the head
CHANNELS = [32, 16, 24, 40, 80, 112, 192, 320, 1280]


@pytest.fixture(scope="module")
def model():
    return efficientnet_lite0(dtype="float32")


@pytest.fixture(scope="module")
def headless():
    return efficientnet_lite0(include_top=False, pooling="avg", input_shape=(None, None, 3), dtype="float32")


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as arrays:
        return dict(arrays)


def pictures(n=2, height=40, width=40, seed=0):
    return np.random.default_rng(seed).integers(0, 256, size=(n, height, width, 3), dtype=np.uint8)


# Against the original weights in PyTorch


def test_the_logits_are_pytorchs(golden):
    """Both compute in float32, in another order: of its seven digits five are left after 49 convolutions."""
    model = efficientnet_lite0(classifier_activation=None, dtype="float32")
    logits = model.predict(preprocess(golden["photographs"]), verbose=0)
    agree("logits", logits, golden["logits"], atol=1e-5)
    assert np.abs(golden["logits"]).max() > 10  # so that agreement says something


def test_half_precision_costs_little(golden):
    """Kernels are stored with eleven binary digits, each off by up to 0.05 %.

    Seen through 49 convolutions, logits of up to 10.7 move by up to 0.028, 0.26 % of the largest.
    """
    model = efficientnet_lite0(classifier_activation=None, dtype="float32")
    logits = model.predict(preprocess(golden["photographs"]), verbose=0)
    agree("logits with the original weights", logits, golden["original"], atol=5e-3)
    best, original = (np.argsort(-z, axis=1)[:, :5] for z in (logits, golden["original"]))
    assert (best == original).all()


@pytest.mark.parametrize(("name", "k", "what"), [("cat", 285, "Egyptian cat"), ("coffee", 967, "espresso")])
def test_a_photograph_is_recognised(model, name, k, what):
    predictions = model.predict(preprocess(resize(photograph(name)))[None], verbose=0)
    assert predictions.argmax() == k
    [best] = decode_predictions(predictions)
    assert best[0] == (what, pytest.approx(predictions[0, k]))


# The architecture


def test_parameters_counted_by_hand(model):
    """A kernel has k²·c·f weights, a depthwise one k²·c, and normalization 2 and 2 for each channel."""
    normalized = [32, 1280]
    weights = 3 * 3 * 3 * 32 + 320 * 1280 + 1280 * 1000 + 1000
    for kernel, _, channels, between, filters in BLOCKS:
        widened = between != channels
        weights += widened * channels * between + kernel**2 * between + between * filters
        normalized += [between] * (1 + widened) + [filters]
    trainable, rest = (
        sum(int(np.prod(w.shape)) for w in ws)
        for ws in (model.trainable_weights, model.non_trainable_weights)
    )
    assert trainable == weights + 2 * sum(normalized) == 4_652_008
    assert rest == 2 * sum(normalized) == 42_016
    assert sum(w.size for w in read_weights().values()) == trainable + rest


def test_blocks_are_those_of_the_authors():
    ours = [(k, s, c, expansion * c, f) for _, k, s, expansion, c, f in backbones.blocks()]
    assert ours == BLOCKS
    assert len({name for name, *_ in backbones.blocks()}) == len(BLOCKS)


def test_stages(model):
    outputs = stage_outputs(model)
    names = ["image", "stem", *(f"stage{i}" for i in range(1, 8)), "head", "features", "classifier"]
    assert list(outputs) == names
    shapes = [(None, side, side, channels) for side, channels in zip(SIDES, CHANNELS, strict=True)]
    assert [tuple(outputs[name].shape) for name in names[1:-2]] == shapes
    assert model.layers[-1].output is outputs["classifier"]
    assert len([layer for layer in model.layers if layer.name.endswith("_add")]) == 9


def test_the_shipped_arrays_are_the_models(model):
    shipped = read_weights()
    assert list(shipped) == [w.path for w in model.weights]
    assert {array.dtype for array in shipped.values()} == {np.dtype("float32")}
    for w in model.weights:
        np.testing.assert_array_equal(w, shipped[w.path])


@pytest.mark.parametrize("shape", [(128, 128), (96, 160), (50, 33)])
def test_features_at_any_size(headless, shape):
    x = preprocess(pictures(2, *shape))
    features = headless.predict(x, verbose=0)
    whole = efficientnet_lite0(include_top=False, input_shape=(*shape, 3), dtype="float32")
    maps = whole.predict(x, verbose=0)
    assert features.shape == (2, 1280) and features.min() >= 0 and features.max() <= 6
    assert maps.shape == (2, -(-shape[0] // 32), -(-shape[1] // 32), 1280)
    agree("features", features, maps.mean(axis=(1, 2)), atol=1e-5)


def test_the_classifier_reads_the_features(model, headless):
    x = preprocess(resize(photograph("temple")))[None]
    shipped = read_weights()
    z = headless.predict(x, verbose=0) @ shipped["classifier/kernel"] + shipped["classifier/bias"]
    agree("probabilities", model.predict(x, verbose=0), np.asarray(keras.ops.softmax(z)), atol=1e-5)


def test_dtype(headless):
    double = efficientnet_lite0(include_top=False, pooling="avg", input_shape=(64, 64, 3), dtype="float64")
    assert {w.dtype for w in double.weights} == {"float64"} and double.input.dtype == "float64"
    x = preprocess(pictures(1, 64, 64))
    agree("features", headless.predict(x, verbose=0), double.predict(x, verbose=0), atol=1e-5)
    usual = efficientnet_lite0(weights=None, input_shape=(32, 32, 3)).get_layer("head")
    assert usual.dtype_policy.name == keras.config.dtype_policy().name


def test_random_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(backbones, "ASSETS", tmp_path)  # needs no file
    keras.utils.set_random_seed(0)
    one, other = (efficientnet_lite0(weights=None, input_shape=(32, 32, 3)) for _ in range(2))
    kernels = [np.asarray(model.get_layer("stage2_block1_expand").kernel) for model in (one, other)]
    assert np.abs(kernels[0] - kernels[1]).max() > 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "places"}, "weights: expected 'imagenet' or None, got 'places'"),
        ({"pooling": "max"}, "pooling: expected 'avg' or None, got 'max'"),
        ({"input_shape": (224, 224)}, r"input_shape: expected \(h, w, 3\), got \(224, 224\)"),
        ({"input_shape": (224, 224, 1)}, r"input_shape: expected \(h, w, 3\), got \(224, 224, 1\)"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        efficientnet_lite0(**arguments)


def test_importing_it_does_not_import_keras():
    program = "import sys, twice.backbones; print([m for m in ('keras', 'tensorflow') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


# The files that ship


@pytest.mark.parametrize(
    ("file", "read"),
    [("efficientnet-lite0.npz", efficientnet_lite0), ("imagenet-classes.txt", class_names)],
)
def test_a_missing_or_damaged_file(tmp_path, monkeypatch, file, read):
    content = (fetch.ASSETS / file).read_bytes()
    monkeypatch.setattr(backbones, "ASSETS", tmp_path)
    message = rf"{file}, which ships with this package, is missing or damaged: install the package again"
    with pytest.raises(DataError, match=message):
        read()
    middle = len(content) // 2
    for damaged in (b"", content[:-1], content[:middle] + b"?" + content[middle + 1 :]):
        assert damaged != content
        (tmp_path / file).write_bytes(damaged)
        with pytest.raises(DataError, match=message):
            read()


def test_the_files_are_credited():
    credits = (fetch.ASSETS / "README.md").read_text(encoding="utf-8")
    for file in backbones.SHA256:
        assert f"`{file}`" in credits
        licence = f"licences/{file.rpartition('.')[0]}.txt"
        assert f"({licence})" in credits and (fetch.ASSETS / licence).is_file()


def test_class_names():
    names = class_names()
    assert len(names) == 1000 and all(name == name.strip() != "" for name in names)
    assert {k: names[k] for k in (0, 285, 482, 967, 999)} == {
        0: "tench",
        285: "Egyptian cat",
        482: "cassette player",
        967: "espresso",
        999: "toilet tissue",
    }
    twice = sorted({name for name in names if names.count(name) > 1})
    assert twice == ["crane", "maillot"]  # ImageNet's own: a bird and a machine, two kinds of swimsuit


# What goes in


def test_preprocess():
    images = np.zeros((1, 2, 2, 3), np.uint8)
    images[0, 0, 0], images[0, 1, 1] = (127, 255, 0), (1, 2, 3)
    before = images.copy()
    x = preprocess(images)
    assert x.dtype == np.float32 and x.shape == images.shape
    np.testing.assert_array_equal(x[0, 0, 0], np.float32([0, 1, -127 / 128]))  # red stays first
    np.testing.assert_array_equal(x[0, 1, 1], np.float32([-126 / 128, -125 / 128, -124 / 128]))
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(preprocess(images.astype("float64")), x)
    np.testing.assert_array_equal(preprocess(images[0].tolist()), x[0])
    assert preprocess(np.zeros((4, 4, 3))).max() == -127 / 128  # a black picture is one, floats or not


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full((1, 2, 2, 3), -1.0), "images: expected red, green and blue from 0 to 255, got -1 to -1"),
        (np.full((1, 2, 2, 3), 256), "images: expected red, green and blue from 0 to 255, got 256 to 256"),
        (np.full((1, 2, 2, 3), 1.0), "images: expected red, green and blue from 0 to 255, got 1 to 1"),
        (pictures() / 255, "images: expected red, green and blue from 0 to 255, got 0 to 1"),
        (preprocess(pictures()), "images: expected red, green and blue from 0 to 255, got -0.992 to 1"),
        (np.full((1, 2, 2, 3), np.nan), "images: expected red, green and blue from 0 to 255, got nan"),
        (
            np.zeros((2, 2)),
            r"images: expected numbers of shape \(\.\.\., h, w, 3\), got float64 of shape \(2, 2\)",
        ),
        (np.zeros((2, 2, 4)), r"images: expected numbers .*, got float64 of shape \(2, 2, 4\)"),
        (np.zeros((0, 2, 2, 3)), r"images: expected numbers .*, got float64 of shape \(0, 2, 2, 3\)"),
        (np.full((2, 2, 3), "red"), r"images: expected numbers .*, got <U3 of shape \(2, 2, 3\)"),
    ],
)
def test_what_is_no_picture(images, message):
    with pytest.raises(ValueError, match=message):
        preprocess(images)


@pytest.mark.parametrize("shape", [(32, 32), (30, 45), (45, 30), (31, 46), (8, 8), (224, 336), (100, 37)])
@pytest.mark.parametrize("size", [1, 16, 33, 128])
def test_resize_is_what_keras_does(shape, size):
    images = pictures(2, *shape)
    side = min(shape)
    square = keras.layers.CenterCrop(side, side)(images.astype("float32"))
    theirs = keras.ops.image.resize(square, (size, size), antialias=True)
    agree("resized", resize(images, size), theirs, atol=1e-5)
    agree("one of them", resize(images[0], size), resize(images, size)[0], atol=1e-6)


def test_resize_keeps_what_fits():
    images = pictures(3, 24, 30)
    np.testing.assert_array_equal(resize(images, 24), images[:, :, 3:27])


@given(st.integers(1, 60), st.integers(0, 255), st.sampled_from(["uint8", "int64", "float64"]))
def test_resize_stays_within_the_range(size, value, dtype):
    plain = resize(np.full((9, 13, 3), value, dtype), size)
    assert plain.dtype == np.float32 and (plain == value).all()  # and so preprocess takes it, 255 too


@given(st.integers(1, 60), st.integers(1, 60))
def test_interpolation_is_a_mean_and_symmetric(n, size):
    weights = interpolation(n, size)
    assert weights.shape == (size, n) and weights.dtype == np.float32 and weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-6)


def test_resize_refuses():
    with pytest.raises(ValueError, match="size: expected a positive integer, got 0"):
        resize(pictures(), 0)
    with pytest.raises(
        ValueError, match=r"images: expected numbers of shape .*, got uint8 of shape \(40, 40\)"
    ):
        resize(pictures()[0, :, :, 0])


# What comes out


def test_decode_predictions():
    predictions = np.zeros((2, 1000), np.float32)
    predictions[0, [281, 285, 0]] = 0.2, 0.5, 0.3
    predictions[1, 999] = 1
    assert decode_predictions(predictions, top=2) == [
        [("Egyptian cat", 0.5), ("tench", pytest.approx(0.3))],
        [("toilet tissue", 1.0), ("tench", 0.0)],
    ]
    assert [len(row) for row in decode_predictions(predictions)] == [5, 5]
    with pytest.raises(ValueError, match=r"predictions: expected shape \(n, 1000\), got \(1000,\)"):
        decode_predictions(predictions[0])


def test_a_reader_s_own_settings_are_named_before_keras_fails_on_them(monkeypatch):
    monkeypatch.setattr(keras.config, "image_data_format", lambda: "channels_first")
    with pytest.raises(RuntimeError, match="^Keras's image_data_format: expected 'channels_last'"):
        backbones.efficientnet_lite0(weights=None, input_shape=(32, 32, 3))
