"""Whole networks out of this package's own layers: VGG16 and EfficientNet-Lite0 (chapter 13), and a decoder.

`moby_dick_decoder` is the trained one of chapter 16. The other two are a `Network` each, whose weights stand
in the order of Keras's, so that ``set_weights`` takes what a Keras model's ``get_weights`` returns. Every
layer of theirs has the name of its counterpart, such as ``block2_conv1`` or ``stage3_block1_expand``:
`stage_outputs` shows what the ends of the stages see.
"""

import numpy as np

from twice.backbones import CLASSES, EPSILON, HEAD, STEM, blocks, read_weights
from twice.convolution import Conv2D, DepthwiseConv2D, GlobalAveragePooling2D, MaxPooling2D
from twice.data.fetch import ASSETS
from twice.decoder import Decoder
from twice.layers import BatchNormalization, Dense, Flatten, Layer
from twice.models import Network
from twice.text import Vocabulary

VGG16 = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]  # filters and convolutions of each block


class ReLU6(Layer):
    """A layer that keeps what is between 0 and 6, and cuts off the rest (Krizhevsky, 2010)."""

    def forward(self, z, training=False):
        """Return min(max(0, z), 6)."""
        self.z = z
        return np.clip(z, 0, 6)

    def backward(self, da):
        """Return ∂L/∂z: the slope is 1 between 0 and 6, and 0 elsewhere."""
        return da * ((self.z > 0) & (self.z < 6))


class Fork(Layer):
    """Where a shortcut begins: what comes in goes on, and also straight to the `Add` made with this fork."""

    def forward(self, x, training=False):
        """Return ``x``, and keep it for the other end."""
        self.x = x
        return x

    def backward(self, da):
        """Return ∂L/∂x: the sum over both ways that x has taken."""
        return da + self.da


class Add(Layer):
    """Where a shortcut ends: a = z + x, with x as it was at the fork (He et al., 2016)."""

    def __init__(self, fork):
        self.fork = fork

    def forward(self, z, training=False):
        """Return z + x."""
        return z + self.fork.x

    def backward(self, da):
        """Return ∂L/∂z = ∂L/∂a, and hand the same gradient to the fork."""
        self.fork.da = da
        return da


def vgg16(include_top=True, input_shape=(224, 224, 3), classes=1000, dtype="float64", *, rng):
    """Build VGG16 with random weights: thirteen convolutions in five blocks, then three dense layers.

    Parameters
    ----------
    include_top : bool
        Whether the three dense layers are part of it; they hold 124 of its 138 million weights.
    input_shape : tuple
        (h, w, 3). With the dense layers, pictures must have this size.
    classes : int
        The units of the last layer.
    dtype : "float64" or "float32"
        Of every layer.
    rng : numpy.random.Generator
        Draws the weights.

    Returns
    -------
    twice.models.Network

    References
    ----------
    K. Simonyan and A. Zisserman (2015), "Very deep convolutional networks for large-scale image recognition",
    ICLR.
    """
    options = {"activation": "relu", "dtype": dtype, "rng": rng}
    layers = []
    for block, (filters, convolutions) in enumerate(VGG16, start=1):
        for i in range(1, convolutions + 1):
            layers += named(f"block{block}_conv{i}", Conv2D(filters, 3, padding="same", **options))
        layers += named(f"block{block}_pool", MaxPooling2D())
    if include_top:
        layers += named("flatten", Flatten())
        layers += named("fc1", Dense(4096, **options))
        layers += named("fc2", Dense(4096, **options))
        layers += named("predictions", Dense(classes, **options | {"activation": "softmax"}))
    network = Network(layers)
    network.build((None, *input_shape))
    return network


def efficientnet_lite0(
    weights="imagenet",
    include_top=True,
    input_shape=(224, 224, 3),
    pooling=None,
    classifier_activation="softmax",
    dtype="float64",
    *,
    rng=None,
):
    """Build EfficientNet-Lite0, the twin of `twice.backbones.efficientnet_lite0`, with the same arguments.

    Parameters
    ----------
    weights : "imagenet" or None
        The weights that ship with this package, or random ones.
    include_top, input_shape, pooling, classifier_activation : object
        As for the twin. Pictures may have another size than ``input_shape``.
    dtype : "float64" or "float32"
        Of every layer.
    rng : numpy.random.Generator
        Draws the weights; needed where they do not come from ImageNet.

    Returns
    -------
    twice.models.Network
    """
    options = {"dtype": dtype, "rng": np.random.default_rng(0) if weights else rng}
    layers = _convolution("stem", filters=STEM, kernel_size=3, strides=2, **options)
    for block in blocks():
        layers += _inverted_bottleneck(*block, **options)
    layers += _convolution("head", filters=HEAD, kernel_size=1, **options)
    if include_top or pooling:
        layers += named("features", GlobalAveragePooling2D())
    if include_top:
        layers += named("classifier", Dense(CLASSES, classifier_activation, **options))
    network = Network(layers)
    network.build((None, *input_shape))
    if weights:
        shipped = list(read_weights().values())
        network.set_weights(shipped[: len(network.weights)])  # the classifier's are the last
    return network


def _inverted_bottleneck(name, kernel_size, strides, expansion, channels, filters, **options):
    """Return the layers that widen, filter each channel by itself, narrow, and add what came in."""
    layers = []
    if expansion > 1:
        layers += _convolution(f"{name}_expand", filters=expansion * channels, kernel_size=1, **options)
    layers += _convolution(f"{name}_depthwise", kernel_size=kernel_size, strides=strides, **options)
    layers += _convolution(f"{name}_project", filters=filters, kernel_size=1, activation=False, **options)
    if strides == 1 and channels == filters:
        fork = Fork()
        layers = [*named(f"{name}_fork", fork), *layers, *named(f"{name}_add", Add(fork))]
    return layers


def _convolution(name, activation=True, **arguments):
    """Return a convolution (depthwise where no filters are given), batch normalization and ReLU6."""
    kind = Conv2D if "filters" in arguments else DepthwiseConv2D
    layers = named(name, kind(**arguments, padding="same", use_bias=False))
    layers += named(f"{name}_bn", BatchNormalization(epsilon=EPSILON, dtype=arguments["dtype"]))
    return layers + named(f"{name}_relu6", ReLU6()) if activation else layers


def named(name, layer):
    """Return a list of the layer alone, once it has this name."""
    layer.name = name
    return [layer]


def layer_outputs(network, x):
    """Return what each layer of a network makes of ``x``, a dict of arrays under the layers' names."""
    outputs = {}
    for layer in network.layers:
        x = outputs[layer.name] = layer.forward(x)
    return outputs


def stage_outputs(network, x):
    """Return what comes out of each stage, such as "stem" or "block1": what the last layer there returns."""
    return {name.split("_")[0]: output for name, output in layer_outputs(network, x).items()}


def moby_dick_decoder(dtype="float32"):
    """Return a decoder that has read Moby-Dick letter by letter, and the letters that it knows.

    ``benchmarks/moby_dick.py`` has trained it; its weights ship with this package, rounded to float16.

    Parameters
    ----------
    dtype : "float32" or "float64"
        Of every layer.

    Returns
    -------
    model : twice.decoder.Decoder
    vocabulary : twice.text.Vocabulary
    """
    with np.load(ASSETS / "moby-dick-decoder.npz") as file:
        shipped = dict(file)
    vocabulary = Vocabulary(str(shipped.pop("letters")))
    num_heads, num_blocks = (int(shipped.pop(name)) for name in ("num_heads", "num_blocks"))
    sizes = len(vocabulary), *shipped["positions"].shape, num_heads, num_blocks
    model = Decoder(*sizes, approximate=True, dtype=dtype, rng=np.random.default_rng(0))
    model.build((None, len(shipped["positions"])))
    model.set_weights(list(shipped.values()))
    return model, vocabulary
