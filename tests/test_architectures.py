"""VGG16 and EfficientNet-Lite0 in NumPy: against Keras layer by layer, on a photograph."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.applications import vgg16

from twice import architectures, backbones
from twice.architectures import Add, Fork, ReLU6, layer_outputs, stage_outputs
from twice.backbones import preprocess, resize
from twice.checks import Disagreement, agree, check_gradient
from twice.data import photograph
from twice.layers import Dense
from twice.models import Network

GOLDEN = Path(__file__).with_name("efficientnet-lite0.npz")
VGG16_CONVOLUTIONS = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]


pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture(scope="module")
def efficientnet():
    return architectures.efficientnet_lite0(classifier_activation=None, input_shape=(32, 32, 3))


@pytest.fixture(scope="module")
def twin():
    return backbones.efficientnet_lite0(classifier_activation=None, input_shape=(None, None, 3))


def rng(seed=0):
    return np.random.default_rng(seed)


def cat(size=224):
    return preprocess(resize(photograph("cat"), size))[None].astype("float64")


def agree_layer_by_layer(network, model, x):
    """Assert that each layer of NumPy's network and its counterpart of the same name return the same."""
    ours = {name: a for name, a in layer_outputs(network, x).items() if not name.endswith("_fork")}
    layers = model.layers[1:]  # after the input
    assert list(ours) == [layer.name for layer in layers]
    theirs = keras.Model(model.input, [layer.output for layer in layers])(x)
    for (name, a), b in zip(ours.items(), theirs, strict=True):
        assert np.abs(b).max() > 0.01, f"{name} is silent: nothing to compare"
        agree(name, a, b)


# EfficientNet-Lite0


def test_efficientnet_layer_by_layer(efficientnet, twin):
    agree_layer_by_layer(efficientnet, twin, cat())


@pytest.mark.parametrize("shape", [(2, 64, 64), (1, 97, 130), (3, 33, 50)])
def test_efficientnet_on_other_sizes(efficientnet, twin, shape):
    """Odd numbers of pixels, where "same" padding adds more at the end."""
    x = preprocess(rng().integers(0, 256, size=(*shape, 3))).astype("float64")
    agree("logits", efficientnet.forward(x), twin(x))


def test_efficientnet_is_pytorchs():
    """In float32, seven digits, of which 49 convolutions leave five."""
    network = architectures.efficientnet_lite0(
        classifier_activation=None, input_shape=(32, 32, 3), dtype="float32"
    )
    with np.load(GOLDEN, allow_pickle=False) as golden:
        logits = network.forward(preprocess(golden["photographs"]))
        assert logits.dtype == np.float32
        agree("logits", logits, golden["logits"], atol=1e-5)


def test_stages_are_those_of_the_twin(efficientnet, twin):
    x = cat(64)
    ours = stage_outputs(efficientnet, x)
    theirs = keras.Model(twin.input, backbones.stage_outputs(twin))(x)
    assert list(ours) == [name for name in theirs if name != "image"]
    for name, a in ours.items():
        agree(name, a, theirs[name])


def test_efficientnet_without_its_top(efficientnet):
    x = cat(64)
    stages = stage_outputs(efficientnet, x)
    options = {"include_top": False, "input_shape": (32, 32, 3)}
    for pooling, stage in [(None, "head"), ("avg", "features")]:
        network = architectures.efficientnet_lite0(pooling=pooling, **options)
        agree(stage, network.forward(x), stages[stage])
        assert network.count_params() == 4_694_024 - 1_281_000
    whole = architectures.efficientnet_lite0(input_shape=(32, 32, 3))
    assert whole.count_params() == efficientnet.count_params() == 4_694_024
    agree("probabilities sum", whole.forward(x).sum(), 1)


def test_random_weights_need_a_source():
    with pytest.raises(TypeError, match="rng: expected a generator"):
        architectures.efficientnet_lite0(weights=None)
    one, same, other = (
        architectures.efficientnet_lite0(weights=None, input_shape=(32, 32, 3), rng=rng(seed))
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.weights[0], same.weights[0])
    assert np.abs(one.weights[0] - other.weights[0]).max() > 0.01


def test_gradients_of_the_cat(efficientnet, twin):
    """∂(logit of "Egyptian cat")/∂x through all layers, and ∂/∂W of the first and of the last."""
    x = cat(64)
    chosen = np.eye(1000)[[285]]
    efficientnet.forward(x)
    dx = efficientnet.backward(chosen)
    pixels, stem, top = tf.Variable(x), twin.get_layer("stem").kernel, twin.get_layer("classifier").kernel
    with tf.GradientTape() as tape:
        logit = tf.reduce_sum(twin(pixels) * chosen)
    theirs = tape.gradient(logit, [pixels, stem.value, top.value])
    ours = [dx, efficientnet.layers[0].dW, efficientnet.layers[-1].dW]
    for name, a, b in zip(("∂z/∂x", "∂z/∂W of the stem", "∂z/∂W of the top"), ours, theirs, strict=True):
        scale = np.abs(b).max()
        agree(name, a / scale, b / scale)


# VGG16


def vgg16_parameters(input_shape, classes):
    """By hand: 3 × 3 pixels of the channels before and a bias for each filter; then three dense layers."""
    channels = [3, *VGG16_CONVOLUTIONS]
    convolutions = sum((9 * c + 1) * f for c, f in zip(channels, VGG16_CONVOLUTIONS, strict=False))
    flat = (input_shape[0] // 32) * (input_shape[1] // 32) * 512
    return convolutions, (flat + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * classes


def test_vgg16_layer_by_layer():
    """With Keras's random weights: its ImageNet weights are no part of this package, and any must agree."""
    keras.utils.set_random_seed(0)
    model = vgg16.VGG16(weights=None, include_top=False, input_shape=(224, 224, 3))
    network = architectures.vgg16(include_top=False, input_shape=(32, 32, 3), rng=rng())
    network.set_weights(model.get_weights())
    x = vgg16.preprocess_input(resize(photograph("cat"))[None].astype("float64"))
    agree_layer_by_layer(network, model, x)
    stages = stage_outputs(network, x)
    assert {name: a.shape[1:] for name, a in stages.items()} == {
        "block1": (112, 112, 64),
        "block2": (56, 56, 128),
        "block3": (28, 28, 256),
        "block4": (14, 14, 512),
        "block5": (7, 7, 512),
    }


def test_vgg16_with_its_top():
    keras.utils.set_random_seed(1)
    model = vgg16.VGG16(weights=None, input_shape=(32, 32, 3), classes=10)
    network = architectures.vgg16(input_shape=(32, 32, 3), classes=10, rng=rng())
    network.set_weights(model.get_weights())
    agree_layer_by_layer(network, model, vgg16.preprocess_input(resize(photograph("cat"), 32)[None]))
    assert network.count_params() == model.count_params() == sum(vgg16_parameters((32, 32), 10))


def test_parameters_of_vgg16_counted_by_hand():
    convolutions, dense = vgg16_parameters((224, 224), 1000)
    assert (convolutions, convolutions + dense) == (14_714_688, 138_357_544)
    network = architectures.vgg16(include_top=False, input_shape=(32, 32, 3), rng=rng())
    assert network.count_params() == convolutions


# The layers that only these networks need


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_relu6_is_keras(dtype):
    z = np.array([[-7, -1e-3, 0, 1e-3, 3, 5.999, 6, 6.001, 70]], dtype)
    layer, z_var = ReLU6(), tf.Variable(z)
    with tf.GradientTape() as tape:
        a = keras.layers.ReLU(6.0, dtype=dtype)(z_var)
    ours = layer.forward(z)
    assert ours.dtype == dtype and layer.backward(np.ones_like(z)).dtype == dtype
    agree("a", ours, a, atol=1e-6)
    agree("da/dz", layer.backward(np.ones_like(z)), tape.gradient(a, z_var), atol=1e-6)  # 0 at both kinks


def test_shortcut():
    """a = f(x) + x, and so ∂L/∂x has a part from either way."""
    fork, dense = Fork(), Dense(3, "tanh", rng=rng())
    network = Network([fork, dense, Add(fork)])
    x, weight = rng(1).normal(size=(4, 3)), rng(2).normal(size=(4, 3))
    agree("a", network.forward(x), dense.forward(x) + x)
    dx = network.backward(weight)
    check_gradient("∂L/∂x", lambda x: (weight * network.forward(x)).sum(), x, dx)
    with pytest.raises(Disagreement):
        check_gradient("one way", lambda x: (weight * network.forward(x)).sum(), x, dx - weight)
