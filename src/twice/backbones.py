"""EfficientNet-Lite0 in Keras, with weights learnt on ImageNet that ship with this package (chapters 12, 13).

The network is EfficientNet-B0 (Tan and Le, 2019) as Google's authors simplified it in 2020 for small devices:
no squeeze-and-excitation, and ReLU6 in place of swish. A stem halves the picture, sixteen inverted
bottlenecks (Sandler et al., 2018) in seven stages make it smaller and deeper, and a head of 1,280 channels is
averaged over the picture: these 1,280 numbers are the features that the classifier, one dense layer, reads.
"""

import hashlib
import io

import numpy as np

from twice.arguments import positive_integer
from twice.checks import same_keras
from twice.data.fetch import ASSETS, DataError

STAGES = [  # repeats, kernel_size, strides of the first block, expansion, filters
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
STEM, HEAD, CLASSES = 32, 1280, 1000  # filters before and after the stages, and units of the classifier
EPSILON = 1e-3  # of every batch normalization

WEIGHTS = "efficientnet-lite0.npz"
SHA256 = {
    WEIGHTS: "026b6f800995a0a7ba35b6134de27d88890f798b39a1c88696667eaf1baf4ba5",
    "imagenet-classes.txt": "e697a491aa735cc6c2aaf982f8e86e8fc7b0a1ea7750a2cc6a2bdfc1e109012f",
}


def blocks():
    """Yield the inverted bottlenecks: name, kernel_size, strides, expansion, and the channels in and out."""
    channels = STEM
    for stage, (repeats, kernel_size, strides, expansion, filters) in enumerate(STAGES, start=1):
        for block in range(1, repeats + 1):
            name = f"stage{stage}_block{block}"
            yield name, kernel_size, strides if block == 1 else 1, expansion, channels, filters
            channels = filters


def efficientnet_lite0(
    weights="imagenet",
    include_top=True,
    input_shape=(224, 224, 3),
    pooling=None,
    classifier_activation="softmax",
    dtype=None,
):
    """Build EfficientNet-Lite0; the arguments are those of ``keras.applications``.

    It takes pictures as `preprocess` returns them. Layers are named after their place, such as
    ``stage3_block1_expand``; `stage_outputs` finds the ends of the stages.

    Parameters
    ----------
    weights : "imagenet" or None
        The weights that ship with this package, or random ones.
    include_top : bool
        Whether the classifier of the 1,000 classes of ImageNet is part of it.
    input_shape : tuple
        (h, w, 3); the network was trained on 224 × 224 pixels. Any size will do, None for one unknown.
    pooling : "avg" or None
        Without the classifier: features averaged over the picture, (n, 1280), or not, (n, h/32, w/32, 1280).
    classifier_activation : "softmax" or None
        Whether the classifier returns probabilities or logits.
    dtype : str or None
        Of every layer; None is what ``keras.config`` says.

    Returns
    -------
    keras.Model

    Raises
    ------
    ValueError
        If an argument is none of those above.
    DataError
        If the shipped weights are missing or damaged.
    RuntimeError
        If Keras has another backend, image format or ε than in the book.

    References
    ----------
    M. Tan and Q. V. Le (2019), "EfficientNet: Rethinking model scaling for convolutional neural networks",
    ICML. M. Sandler, A. Howard, M. Zhu, A. Zhmoginov and L.-C. Chen (2018), "MobileNetV2: Inverted residuals
    and linear bottlenecks", CVPR.
    """
    from keras import Input, Model, layers

    same_keras()
    if weights not in ("imagenet", None):
        raise ValueError(f"weights: expected 'imagenet' or None, got {weights!r}")
    if pooling not in ("avg", None):
        raise ValueError(f"pooling: expected 'avg' or None, got {pooling!r}")
    if len(input_shape) != 3 or input_shape[-1] != 3:
        raise ValueError(f"input_shape: expected (h, w, 3), got {input_shape}")
    inputs = Input(input_shape, name="image", dtype=dtype)
    x = _convolution(inputs, "stem", filters=STEM, kernel_size=3, strides=2, dtype=dtype)
    for block in blocks():
        x = _inverted_bottleneck(x, *block, dtype=dtype)
    x = _convolution(x, "head", filters=HEAD, kernel_size=1, dtype=dtype)
    if include_top or pooling:
        x = layers.GlobalAveragePooling2D(name="features", dtype=dtype)(x)
    if include_top:
        x = layers.Dense(CLASSES, activation=classifier_activation, name="classifier", dtype=dtype)(x)
    model = Model(inputs, x, name="efficientnet_lite0")
    if weights:
        shipped = read_weights()
        model.set_weights([shipped[w.path] for w in model.weights])
    return model


def _inverted_bottleneck(x, name, kernel_size, strides, expansion, channels, filters, dtype):
    """Widen by a 1×1 convolution, filter each channel by itself, narrow again, and add what came in.

    The first stage has nothing to widen; where strides or channels change, there is nothing to add to.
    """
    from keras import layers

    a = x
    if expansion > 1:
        a = _convolution(a, f"{name}_expand", filters=expansion * channels, kernel_size=1, dtype=dtype)
    a = _convolution(a, f"{name}_depthwise", kernel_size=kernel_size, strides=strides, dtype=dtype)
    a = _convolution(a, f"{name}_project", filters=filters, kernel_size=1, activation=False, dtype=dtype)
    if strides == 1 and channels == filters:
        a = layers.Add(name=f"{name}_add", dtype=dtype)([x, a])
    return a


def _convolution(x, name, activation=True, dtype=None, **arguments):
    """Apply a convolution (depthwise where no filters are given), batch normalization and ReLU6."""
    from keras import layers

    kind = layers.Conv2D if "filters" in arguments else layers.DepthwiseConv2D
    x = kind(**arguments, padding="same", use_bias=False, name=name, dtype=dtype)(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn", dtype=dtype)(x)
    return layers.ReLU(6.0, name=f"{name}_relu6", dtype=dtype)(x) if activation else x


def stage_outputs(model):
    """Return the outputs of "stem", "stage1" … "stage7", "head" and what follows, a dict in this order."""
    return {layer.name.split("_")[0]: layer.output for layer in model.layers}  # the last of a stage stays


def resize(images, size=224):
    """Cut out the square in the middle, and scale it to ``size`` × ``size`` pixels.

    A new pixel is a weighted mean of the old ones near it, with weights that fall off linearly (bilinear
    interpolation, with a wider reach where the picture shrinks). Along one axis that is a matrix product.

    Parameters
    ----------
    images : array_like, shape (..., h, w, 3)
        Pictures of one size.
    size : int
        Of the square.

    Returns
    -------
    numpy.ndarray of float32, shape (..., size, size, 3)
    """
    images = _pictures(images)
    height, width = images.shape[-3:-1]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[..., top : top + side, left : left + side, :].astype("float32")
    weights = interpolation(side, positive_integer("size", size))
    resized = np.einsum("ih,...hwc,jw->...ijc", weights, square, weights, optimize=True)
    return resized.clip(square.min(), square.max())  # where rounding leads out of the range: 255.00001


def interpolation(n, size):
    """Return the float32 matrix (size, n) that resamples n pixels in a row to ``size`` of them."""
    scale = n / size
    centres = (np.arange(size)[:, None] + 0.5) * scale - 0.5
    weights = np.maximum(0, 1 - np.abs(centres - np.arange(n)) / max(scale, 1))
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")


def preprocess(images):
    """Return pictures as the network was trained on them: x = (p − 127) / 128, float32.

    Parameters
    ----------
    images : array_like, shape (..., h, w, 3)
        Red, green and blue, p from 0 to 255.

    Returns
    -------
    numpy.ndarray of float32, shape (..., h, w, 3)
        From −127/128 to 1.

    Raises
    ------
    ValueError
        If the shape or the range is another one: pictures from 0 to 1, or preprocessed before.
    """
    images = _pictures(images)
    low, high = images.min(), images.max()
    scaled = images.dtype.kind == "f" and 0 < high <= 1  # as other networks want their pictures
    if scaled or not (low >= 0 and high <= 255):
        raise ValueError(f"images: expected red, green and blue from 0 to 255, got {low:.3g} to {high:.3g}")
    return (images.astype("float32") - 127) / 128


def _pictures(images):
    images = np.asarray(images)
    if images.ndim < 3 or images.shape[-1] != 3 or not images.size or images.dtype.kind not in "uif":
        raise ValueError(
            f"images: expected numbers of shape (..., h, w, 3), got {images.dtype} of shape {images.shape}"
        )
    return images


def class_names():
    """Return the names of ImageNet's 1,000 classes, in the order of the classifier's outputs."""
    return _asset("imagenet-classes.txt").decode().splitlines()


def decode_predictions(predictions, top=5):
    """Return the ``top`` classes of each row of probabilities, as pairs (name, probability)."""
    predictions, names = np.asarray(predictions), class_names()
    if predictions.ndim != 2 or predictions.shape[1] != len(names):
        raise ValueError(f"predictions: expected shape (n, {len(names)}), got {predictions.shape}")
    return [[(names[k], float(row[k])) for k in np.argsort(-row, kind="stable")[:top]] for row in predictions]


def read_weights():
    """Read the shipped weights: float32 arrays under Keras's paths such as ``stem/kernel``, in its order."""
    with np.load(io.BytesIO(_asset(WEIGHTS)), allow_pickle=False) as arrays:
        return {path: arrays[path].astype("float32") for path in arrays.files}


def _asset(name):
    """Return the bytes of a file that ships with this package, once they are verified."""
    file = ASSETS / name
    content = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise DataError(
            f"{name}, which ships with this package, is missing or damaged: install the package again"
        )
    return content
