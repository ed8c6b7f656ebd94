"""Embedding, SimpleRNN, LSTM and GRU against Keras, loops over single numbers, and measured slopes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from twice.checks import agree, check_gradient, copy_weights
from twice.embeddings import Embedding, Padded, padded
from twice.layers import Activation, BatchNormalization, Dense, Dropout
from twice.models import Sequential
from twice.optimizers import SGD, Adam
from twice.recurrent import GRU, LSTM, SimpleRNN, TimeDistributed

# float32 carries seven digits; a state passes through a few sums at every step, and keeps five of them.
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
DTYPES = sorted(TOLERANCE)
KINDS = {
    "SimpleRNN": (SimpleRNN, {}),
    "LSTM": (LSTM, {}),
    "GRU": (GRU, {}),
    "GRU before": (GRU, {"reset_after": False}),
}
SIZES = [(1, 1, 1, 1), (3, 5, 2, 4), (4, 7, 6, 3)]  # n, T, d, units
MASKS = ["none", "right", "left", "holes", "nothing counts"]
GATED = [name for name in KINDS if name != "SimpleRNN"]


pytestmark = pytest.mark.usefixtures("float64")


def draw(shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def rng(seed=0):
    return np.random.default_rng(seed)


def make(name, units, **options):
    """Our layer and Keras's, not yet built; Keras's without cuDNN, whose outputs in padding are 0."""
    kind, fixed = KINDS[name]
    theirs = getattr(keras.layers, kind.__name__)
    plain = {} if kind is SimpleRNN else {"use_cudnn": False}
    return kind(units, **fixed, **options, rng=rng()), theirs(units, **fixed, **options, **plain)


def share(layer, theirs, shape):
    """Build both, biases moved away from where they start, and give them the same weights."""
    layer.build(shape)
    layer.b += draw(layer.b.shape, layer.dtype, seed=3) * layer.use_bias
    theirs.build(shape)
    copy_weights(layer.params, theirs)


def a_mask(kind, n, T):
    """Sequences of several lengths: padded at the right, at the left, or with steps missing anywhere."""
    lengths = 1 + np.arange(n) * (T - 1) // max(n - 1, 1)  # from 1 to T
    right = np.arange(T) < lengths[:, None]
    holes = rng(1).random((n, T)) < 0.6
    nothing = right & (np.arange(n) > 0)[:, None]  # the first sequence is padding from end to end
    return {"none": None, "right": right, "left": right[:, ::-1], "holes": holes, "nothing counts": nothing}[
        kind
    ]


def agree_both_ways(layer, theirs, x, mask=None, start=None):
    """Compare the outputs and the gradients of Σ weight · output."""
    options = {"mask": mask, "initial_state": start}
    a = layer.forward(x, **options)
    weight = draw(a.shape, x.dtype, seed=9)
    inputs = [tf.Variable(v) for v in (x, *(start or ()))]
    with tf.GradientTape() as tape:
        state = inputs[1:] if start else None
        out = theirs(inputs[0], mask=None if mask is None else tf.constant(mask), initial_state=state)
        loss = tf.reduce_sum(out * weight)
    slopes = tape.gradient(loss, [*inputs, *theirs.trainable_variables])
    atol = TOLERANCE[str(x.dtype)]
    agree("output", a, out, atol=atol)
    ours = [layer.backward(weight), *(layer.dinitial_state if start else ()), *layer.grads]
    names = ["dx", *("dh0", "dc0")[: len(inputs) - 1], "dW", "dU", "db"]
    for name, mine, other in zip(names, ours, slopes, strict=False):
        assert mine.dtype == x.dtype
        agree(name, mine, other, atol=atol)
    assert a.dtype == x.dtype and len(ours) == len(slopes)


# ---------------------------------------------------------------------------- the same as Keras


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("go_backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
@pytest.mark.parametrize("name", KINDS)
def test_it_is_keras(name, return_sequences, go_backwards, mask, size):
    n, T, d, units = size
    layer, theirs = make(name, units, return_sequences=return_sequences, go_backwards=go_backwards)
    share(layer, theirs, (n, T, d))
    agree_both_ways(layer, theirs, draw((n, T, d), seed=1), a_mask(mask, n, T))


@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", None])
@pytest.mark.parametrize("name", KINDS)
def test_activation_and_bias_are_keras(name, activation, use_bias):
    layer, theirs = make(name, 4, activation=activation, use_bias=use_bias)
    share(layer, theirs, (3, 5, 2))
    agree_both_ways(layer, theirs, draw((3, 5, 2), seed=1))


@pytest.mark.parametrize("recurrent_activation", ["sigmoid", "tanh", "relu", None])
@pytest.mark.parametrize("name", GATED)
def test_recurrent_activation_is_keras(name, recurrent_activation):
    layer, theirs = make(name, 4, recurrent_activation=recurrent_activation, return_sequences=True)
    share(layer, theirs, (3, 5, 2))
    agree_both_ways(layer, theirs, draw((3, 5, 2), seed=1))


@pytest.mark.parametrize("mask", ["none", "right", "left", "nothing counts"])
@pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
@pytest.mark.parametrize("name", KINDS)
def test_an_initial_state_is_keras(name, return_sequences, mask):
    """Before the first step that counts the output is 0, whatever the state is."""
    layer, theirs = make(name, 4, return_sequences=return_sequences)
    share(layer, theirs, (3, 5, 2))
    start = [draw((3, 4), seed=5 + k) for k in range(layer.states)]
    agree_both_ways(layer, theirs, draw((3, 5, 2), seed=1), a_mask(mask, 3, 5), start)
    theirs.return_state = True
    mask = a_mask(mask, 3, 5)
    _, *states = theirs(draw((3, 5, 2), seed=1), mask=mask, initial_state=start)
    for mine, other in zip(layer.final_state, states, strict=True):
        agree("final state", mine, other)


@pytest.mark.parametrize("mask", ["none", "right"])
@pytest.mark.parametrize("name", KINDS)
def test_float32_is_keras_at_its_own_precision(name, mask):
    layer, theirs = make(name, 6, return_sequences=True, dtype="float32")
    share(layer, theirs, (4, 20, 3))
    agree_both_ways(layer, theirs, draw((4, 20, 3), "float32", seed=1), a_mask(mask, 4, 20))


@pytest.mark.parametrize("name", KINDS)
def test_weights_start_with_keras_shapes_order_and_biases(name):
    layer, theirs = make(name, 4)
    layer.build((None, 5, 30))  # so many numbers that the largest comes near its limit
    theirs.build((None, 5, 30))
    kernel, recurrent, bias = theirs.get_weights()
    assert [w.shape for w in layer.params] == [kernel.shape, recurrent.shape, bias.shape]
    assert np.array_equal(layer.b, bias)
    for U in (layer.U, recurrent):  # wider than high, so its rows are orthonormal
        agree("U Uᵀ", U @ U.T, np.eye(4))
        alone = U[:, :4] @ U[:, :4].T  # one gate's part is not, where there are several
        assert np.abs(alone - np.eye(4)).max() > 0.1 or name == "SimpleRNN"
    limit = np.sqrt(6 / (30 + kernel.shape[1]))  # of all gates together, not of one
    for W in (layer.W, kernel):
        assert 0.8 * limit < np.abs(W).max() <= limit


@pytest.mark.parametrize("unit_forget_bias", [True, False])
def test_the_forget_bias_is_keras(unit_forget_bias):
    layer, theirs = make("LSTM", 3, unit_forget_bias=unit_forget_bias)
    layer.build((None, 5, 2))
    theirs.build((None, 5, 2))
    assert np.array_equal(layer.b, theirs.get_weights()[2])
    assert layer.b.reshape(4, 3).tolist() == [[0] * 3, [float(unit_forget_bias)] * 3, [0] * 3, [0] * 3]


def test_a_layer_without_bias_has_no_forget_bias_either():
    layer, theirs = make("LSTM", 3, use_bias=False)
    layer.build((None, 5, 2))
    assert (layer.b == 0).all() and len(layer.params) == 2
    theirs.build((None, 5, 2))
    copy_weights(layer.params, theirs)
    agree_both_ways(layer, theirs, draw((2, 5, 2)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (4, 6), (30, 2), (2, 3, 4)], ids=str)
def test_embedding_is_keras(shape, dtype):
    """Symbols repeat, so that rows of the gradient are sums."""
    layer, theirs = Embedding(5, 3, dtype=dtype, rng=rng()), keras.layers.Embedding(5, 3, dtype=dtype)
    layer.build()
    theirs.build()
    theirs.set_weights(layer.params)
    x = rng(1).integers(5, size=shape)
    a = layer.forward(x)
    weight = draw(a.shape, dtype, seed=9)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(theirs(x) * weight)
    slope = tf.convert_to_tensor(tape.gradient(loss, theirs.trainable_variables[0]))
    assert layer.backward(weight) is None and layer.dW.dtype == a.dtype == dtype
    agree("output", a, theirs(x), atol=TOLERANCE[dtype])
    agree("dW", layer.dW, slope, atol=TOLERANCE[dtype])
    one_hot = np.eye(5)[x.ravel()]
    agree("a product with the one-hot matrix", a.reshape(-1, 3), one_hot @ layer.W, atol=TOLERANCE[dtype])
    agree("and its dense gradient", layer.dW, one_hot.T @ weight.reshape(-1, 3), atol=TOLERANCE[dtype])


# ---------------------------------------------------------------------------- in a network


def twins(name, mask_zero=True):
    """A network that reads symbols, twice, with the same weights: two recurrent layers, one on the other."""
    (first, other), (second, another) = make(name, 4, return_sequences=True), make(name, 3)
    ours = Sequential(
        [
            Embedding(6, 3, mask_zero=mask_zero, rng=rng(5)),
            first,
            Dropout(0.0, rng=rng()),
            second,
            Dense(3, "softmax", rng=rng(6)),
        ]
    )
    theirs = keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            keras.layers.Embedding(6, 3, mask_zero=mask_zero),
            other,
            keras.layers.Dropout(0.0),
            another,
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    ours.build((None, 7))
    ours.layers[0].W *= 20  # ±1, so that the symbols tell at once
    theirs.set_weights(ours.weights)
    return ours, theirs


def symbols(batches):
    """Sequences of several lengths, symbol 0 behind their ends; the class is what the first symbol says."""
    x = rng(1).integers(1, 6, size=(batches, 8, 7)) * a_mask("right", 8, 7)
    return x, x[..., 0] % 3


def keras_step(network, optimizer):
    """A step of Keras's training in which the gradient of an embedding is summed up first.

    Left to itself, Keras on TensorFlow hands the optimizer a slice for each place: see the test below.
    """
    loss_of = keras.losses.SparseCategoricalCrossentropy()

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, network(x, training=True))
        slopes = tape.gradient(loss, network.trainable_variables)
        optimizer.apply([tf.convert_to_tensor(g) for g in slopes], network.trainable_variables)
        return loss

    return step


RULES = {  # np.float64, as Keras keeps a plain number in float32
    "SGD": (SGD, {"learning_rate": np.float64(0.2)}),
    "Adam": (
        Adam,
        {"learning_rate": np.float64(0.01), "beta_1": np.float64(0.9), "beta_2": np.float64(0.999)},
    ),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("mask_zero", [True, False], ids=["masked", "not masked"])
@pytest.mark.parametrize("name", KINDS)
def test_weights_after_a_hundred_steps_are_keras(name, mask_zero, rule):
    ours, theirs = twins(name, mask_zero)
    kind, options = RULES[rule]
    if (name, rule) == ("SimpleRNN", "SGD"):  # at 0.2 its own loss moves by 2 where a weight moves by 1e-15
        options = {"learning_rate": np.float64(0.05)}
    ours.compile(kind(**options), "sparse_categorical_crossentropy")
    step = keras_step(theirs, getattr(keras.optimizers, rule)(**options))
    start = [w.copy() for w in ours.weights]
    losses = [
        (ours.train_on_batch(x, y)["loss"], float(step(tf.constant(x), tf.constant(y))))
        for x, y in zip(*symbols(100), strict=True)
    ]
    agree("losses", *np.transpose(losses))
    for before, mine, other in zip(start, ours.weights, theirs.get_weights(), strict=True):
        agree("weights after a hundred steps", mine, other)
        assert np.abs(mine - before).max() > 0.01


def test_ten_steps_of_keras_own_training():
    ours, theirs = twins("LSTM")
    ours.compile(SGD(0.1), "sparse_categorical_crossentropy")
    theirs.compile(keras.optimizers.SGD(np.float64(0.1)), "sparse_categorical_crossentropy")
    for x, y in zip(*symbols(10), strict=True):
        agree("loss", ours.train_on_batch(x, y)["loss"], theirs.train_on_batch(x, y))
    for mine, other in zip(ours.weights, theirs.get_weights(), strict=True):
        agree("weights after ten steps", mine, other)


def test_kerass_adam_squares_the_gradient_of_each_place_of_a_symbol_by_itself():
    """Σg² where the symbol stands, not (Σg)²: its velocity is not that of the gradient of its vector."""
    layer = keras.layers.Embedding(3, 2)
    optimizer = keras.optimizers.Adam(beta_2=np.float64(0.999))
    layer.build()
    weight = draw((4, 2))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.array([0, 0, 0, 2])) * weight)
    optimizer.apply(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables)
    (velocity,) = optimizer._velocities
    agree("velocity", velocity[0], 0.001 * (weight[:3] ** 2).sum(axis=0))
    assert np.abs(velocity[0] - 0.001 * weight[:3].sum(axis=0) ** 2).max() > 1e-4


def test_padding_is_never_learnt():
    ours, _ = twins("LSTM")
    ours.compile(SGD(0.1), "sparse_categorical_crossentropy")
    (x,), (y,) = symbols(1)
    row = ours.layers[0].W[0].copy()
    ours.train_on_batch(x, y)
    assert (ours.layers[0].W[0] == row).all() and (ours.layers[0].dW[0] == 0).all()


@pytest.mark.parametrize("name", KINDS)
def test_a_mask_is_handed_on_as_by_keras_to_the_layer_after_go_backwards(name):
    """The outputs come last step first, and the mask that goes with them in the order of the input."""
    ours, theirs = twins(name)
    ours.layers[1].go_backwards = theirs.layers[1].go_backwards = True
    (x,), _ = symbols(1)
    agree("output", ours.forward(x), theirs(x))


def test_a_recurrent_layer_may_be_the_last_one():
    """Keras computes the loss from its probabilities, as it finds no logits behind a loop over time."""
    layer, theirs = make("SimpleRNN", 1, activation="sigmoid")
    ours, network = Sequential([layer]), keras.Sequential([keras.Input((5, 2)), theirs])
    ours.build((None, 5, 2))
    network.set_weights(ours.weights)
    ours.compile(SGD(0.5), "binary_crossentropy")
    network.compile(keras.optimizers.SGD(np.float64(0.5)), "binary_crossentropy")
    x, y = draw((8, 5, 2)), rng(1).integers(2, size=(8, 1)).astype(float)
    losses = [(ours.train_on_batch(x, y)["loss"], network.train_on_batch(x, y)) for _ in range(5)]
    agree("losses", *np.transpose(losses))


# ---------------------------------------------------------------------------- slopes


def check_all_gradients(layer, x, mask=None, start=None):
    """Measure the slopes of Σ weight · output + Σ weight · final state."""
    start = start or [np.zeros((len(x), layer.units)) for _ in range(layer.states)]
    a = layer.forward(x, mask=mask, initial_state=start)
    layer.b += draw(layer.b.shape, seed=3)
    weight, rest = draw(a.shape, seed=7), draw((layer.states, len(x), layer.units), seed=8)

    def loss():
        a = layer.forward(x, mask=mask, initial_state=start)
        return (weight * a).sum() + (rest * layer.final_state).sum()

    def at(w):
        def f(value):
            before = w.copy()
            w[...] = value
            result = loss()
            w[...] = before
            return result

        return f

    loss()
    dx = layer.backward(weight, list(rest))
    slopes = [dx, *layer.dinitial_state, *layer.grads]
    for i, (w, dw) in enumerate(zip([x, *start, *layer.params], slopes, strict=True)):
        check_gradient(f"gradient {i}", at(w), w.copy(), dw)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
@pytest.mark.parametrize("name", KINDS)
def test_gradients(name, return_sequences, mask):
    layer, _ = make(name, 3, return_sequences=return_sequences, go_backwards=return_sequences)
    start = [draw((2, 3), seed=5 + k) for k in range(layer.states)]
    check_all_gradients(layer, draw((2, 4, 2), seed=1), a_mask(mask, 2, 4), start)


@pytest.mark.parametrize("name", KINDS)
def test_gradients_over_thirty_steps(name):
    layer, _ = make(name, 5, return_sequences=True)
    check_all_gradients(layer, draw((3, 30, 4), seed=1))


def test_embedding_gradient():
    layer, x = Embedding(5, 3, rng=rng()), rng(1).integers(5, size=(4, 6))
    weight = draw(layer.forward(x).shape, seed=7)
    layer.backward(weight)
    check_gradient("dW", lambda W: (weight * W[x]).sum(), layer.W, layer.dW)


# ---------------------------------------------------------------------------- the definitions, one by one


def sigma(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("shape", [(3, 5, 4), (1, 1, 2), (2, 7, 1)])
def test_time_distributed_is_keras(shape):
    ours, inner = TimeDistributed(Dense(6, "tanh", rng=rng())), keras.layers.Dense(6, activation="tanh")
    theirs = keras.layers.TimeDistributed(inner)
    x, da = draw(shape), draw((*shape[:2], 6), seed=1)
    a = ours.forward(x)
    theirs.build(shape)
    copy_weights(ours.params, inner)
    agree("a", a, theirs(x))
    agree("a of a dense layer on three axes", a, inner(x))
    with tf.GradientTape() as tape:
        v = tf.Variable(x)
        loss = tf.reduce_sum(theirs(v) * da)
    agree("dx", ours.backward(da), (gradients := tape.gradient(loss, [v, *inner.trainable_variables]))[0])
    for name, ours_d, theirs_d in zip(("dW", "db"), ours.grads, gradients[1:], strict=True):
        agree(name, ours_d, theirs_d)


def test_time_distributed_wants_steps():
    with pytest.raises(ValueError, match="x: expected shape .n, T, …"):
        TimeDistributed(Dense(2, rng=rng())).forward(np.ones((3, 4)))


def test_lstm_is_its_definition():
    """One sequence, the gates written out with a matrix each: i, f, g, o stand in this order."""
    layer, x = LSTM(3, rng=rng()), draw((1, 4, 2), seed=1)
    layer.build(x.shape)
    (Wi, Wf, Wg, Wo), (Ui, Uf, Ug, Uo) = (np.split(M, 4, axis=1) for M in (layer.W, layer.U))
    h = c = np.zeros(3)
    for v in x[0]:
        i, f, o = sigma(v @ Wi + h @ Ui), sigma(v @ Wf + h @ Uf + 1), sigma(v @ Wo + h @ Uo)
        c = f * c + i * np.tanh(v @ Wg + h @ Ug)
        h = o * np.tanh(c)
    agree("h", layer.forward(x)[0], h)
    agree("c", layer.final_state[1][0], c)


@pytest.mark.parametrize("reset_after", [True, False], ids=["after", "before"])
def test_gru_is_its_definition(reset_after):
    """z, r, h stand in this order; the reset gate meets hU + b′, or h alone."""
    layer, x = GRU(3, reset_after=reset_after, rng=rng()), draw((1, 4, 2), seed=1)
    layer.build(x.shape)
    layer.b += draw(layer.b.shape, seed=3)
    (Wz, Wr, Wh), (Uz, Ur, Uh) = (np.split(M, 3, axis=1) for M in (layer.W, layer.U))
    b, b2 = layer.b if reset_after else (layer.b, np.zeros(9))
    (bz, br, bh), (cz, cr, ch) = np.split(b, 3), np.split(b2, 3)
    h = np.zeros(3)
    for v in x[0]:
        z, r = sigma(v @ Wz + bz + h @ Uz + cz), sigma(v @ Wr + br + h @ Ur + cr)
        inner = r * (h @ Uh + ch) if reset_after else (r * h) @ Uh
        h = z * h + (1 - z) * np.tanh(v @ Wh + bh + inner)
    agree("h", layer.forward(x)[0], h)


def test_the_two_ways_of_the_reset_gate_differ_and_so_do_their_biases():
    after, before = GRU(3, rng=rng()), GRU(3, reset_after=False, rng=rng())
    x = draw((2, 4, 2), seed=1)
    assert np.abs(after.forward(x) - before.forward(x)).max() > 1e-3  # the same W and U, biases 0
    assert after.b.shape == (2, 9) and before.b.shape == (9,)


# ---------------------------------------------------------------------------- sequences


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("name", KINDS)
def test_padding_changes_nothing(name, side):
    """Not a bit: neither what stands in the padding, nor how much of it there is."""
    layer, _ = make(name, 4)
    x, junk = draw((3, 5, 2), seed=1), 100 * draw((3, 4, 2), seed=2)
    parts, counts = ([x, junk], [True, False]) if side == "right" else ([junk, x], [False, True])
    mask = np.repeat(counts, [part.shape[1] for part in parts])[None].repeat(3, axis=0)
    plain = layer.forward(x)
    weight = draw(plain.shape, seed=3)
    dx, grads = layer.backward(weight), layer.grads
    assert np.array_equal(layer.forward(np.hstack(parts), mask=mask), plain)
    dlong = layer.backward(weight)
    assert np.array_equal(dlong[mask].reshape(x.shape), dx) and (dlong[~mask] == 0).all()
    for mine, other in zip(layer.grads, grads, strict=True):
        agree("gradients of the weights", mine, other, atol=1e-14)


@pytest.mark.parametrize("name", KINDS)
def test_a_masked_step_repeats_the_output_before_it(name):
    layer, _ = make(name, 4, return_sequences=True)
    mask = np.array([[True, False, False, True, False]])
    a = layer.forward(draw((1, 5, 2)), mask=mask)[0]
    assert np.array_equal(a[1], a[0]) and np.array_equal(a[2], a[0]) and np.array_equal(a[4], a[3])
    assert (a[3] != a[0]).any()


@pytest.mark.parametrize("name", KINDS)
def test_backwards_is_forwards_on_the_sequence_turned_round(name):
    forwards, backwards = (make(name, 4, return_sequences=True, go_backwards=b)[0] for b in (False, True))
    x = draw((2, 5, 3))
    assert np.array_equal(forwards.forward(x), backwards.forward(x[:, ::-1]))
    weight = draw((2, 5, 4), seed=1)
    assert np.array_equal(forwards.backward(weight), backwards.backward(weight)[:, ::-1])


@pytest.mark.parametrize("name", KINDS)
def test_two_halves_are_the_whole(name):
    """State handed on and gradient handed back; without the latter the first half hears less."""
    whole, first, second = (make(name, 4, return_sequences=True)[0] for _ in range(3))
    x, weight = draw((3, 8, 2), seed=1), draw((3, 8, 4), seed=2)
    halves = [first.forward(x[:, :5]), second.forward(x[:, 5:], initial_state=first.final_state)]
    agree("outputs", np.hstack(halves), whole.forward(x))
    dsecond = second.backward(weight[:, 5:])
    truncated = first.backward(weight[:, :5])
    dfirst = first.backward(weight[:, :5], second.dinitial_state)
    dx = whole.backward(weight)
    agree("dx", np.hstack([dfirst, dsecond]), dx)
    for name, total, mine, other in zip("WUb", whole.grads, first.grads, second.grads, strict=True):
        agree(f"d{name}", mine + other, total)
    assert np.abs(truncated - dx[:, :5]).max() > 1e-3


def test_what_carries_a_mask_and_what_does_not():
    x, mask = draw((2, 3, 4)), np.array([[True, True, False], [True, False, False]])
    a = padded(x, mask)
    assert padded(x, None) is x
    for carried in (a, Dropout(0.5, rng=rng()).forward(a, True), 2 * a):
        assert isinstance(carried, Padded) and np.array_equal(carried.mask, mask)
    for lost in (BatchNormalization().forward(a), Activation("tanh").forward(a), a[:1], a.sum(axis=1), a[0]):
        assert getattr(lost, "mask", None) is None
    assert not hasattr(np.asarray(a), "mask")


def test_an_embedding_says_what_is_padding():
    x = np.array([[3, 1, 0], [2, 0, 0]])
    a = Embedding(4, 2, mask_zero=True, rng=rng()).forward(x)
    assert a.mask.tolist() == [[True, True, False], [True, False, False]]
    assert not isinstance(Embedding(4, 2, rng=rng()).forward(x), Padded)
    layer = LSTM(3, return_sequences=True, rng=rng())
    assert layer.forward(a).mask is a.mask
    assert np.array_equal(layer.forward(np.asarray(a), mask=a.mask), layer.forward(a))
    assert np.abs(layer.forward(np.asarray(a)) - layer.forward(a)).max() > 1e-6


def test_the_gradient_of_the_data_is_left_out_where_nobody_needs_it():
    layer, _ = make("GRU", 3)
    layer.forward(draw((2, 4, 2)))
    assert layer.backward(np.ones((2, 3))).shape == (2, 4, 2)
    grads, layer.first = layer.grads, True
    assert layer.backward(np.ones((2, 3))) is None
    assert all(np.array_equal(a, b) for a, b in zip(grads, layer.grads, strict=True))


# ---------------------------------------------------------------------------- what does not fit


def built(kind, *arguments):
    layer = kind(*arguments, rng=rng())
    layer.build((None, 4, 2))
    return layer


X = np.ones((3, 4, 2))


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: LSTM(0, rng=rng()), "units: expected a positive integer, got 0"),
        (lambda: GRU(2.5, rng=rng()), "units: expected a positive integer, got 2.5"),
        (lambda: SimpleRNN(3, "softmax", rng=rng()), "activation: expected one of linear, .*; got 'softmax'"),
        (
            lambda: LSTM(3, recurrent_activation="hard_sigmoid", rng=rng()),
            "recurrent_activation: expected one of linear, .*; got 'hard_sigmoid'",
        ),
        (
            lambda: GRU(3, recurrent_initializer="identity", rng=rng()),
            "recurrent_initializer: expected one of zeros, .*orthogonal; got 'identity'",
        ),
        (lambda: GRU(3, dtype="float16", rng=rng()), "dtype: expected 'float32' or 'float64', got 'float16'"),
        (lambda: LSTM(3, rng=1), "rng: expected a generator .*, got 1"),
        (lambda: LSTM(3, rng=rng()).forward(X[0]), r"x: expected shape \(n, T, d\), got \(4, 2\)"),
        (lambda: LSTM(3, rng=rng()).forward(X[:, :0]), r"x: expected shape \(n, T, d\), got \(3, 0, 2\)"),
        (lambda: LSTM(3, rng=rng()).forward([[["a"]]]), "x: expected numbers, got list of dtype <U1"),
        (
            lambda: built(LSTM, 3).forward(np.ones((3, 4, 5))),
            r"x: expected shape \(n, T, 2\), which the layer was built for; got \(3, 4, 5\)",
        ),
        (
            lambda: built(GRU, 3).forward(X, mask=np.ones((3, 5), bool)),
            r"mask: expected shape \(3, 4\), a value for each step of x; got \(3, 5\)",
        ),
        (
            lambda: built(GRU, 3).forward(X, mask=np.ones((3, 4))),
            "mask: expected booleans, True where a step counts; got float64",
        ),
        (
            lambda: built(LSTM, 3).forward(X, initial_state=[np.ones((3, 3))]),
            r"initial_state: expected 2 arrays of shape \(3, 3\), got 1",
        ),
        (
            lambda: built(GRU, 3).forward(X, initial_state=[np.ones((2, 3))]),
            r"initial_state: expected shape \(3, 3\), a row for each sequence; got \(2, 3\)",
        ),
        (lambda: Embedding(0, 3, rng=rng()), "input_dim: expected a positive integer, got 0"),
        (lambda: Embedding(4, -1, rng=rng()), "output_dim: expected a positive integer, got -1"),
        (
            lambda: Embedding(4, 2, "unifrom", rng=rng()),
            "embeddings_initializer: expected one of zeros, .*; got 'unifrom'",
        ),
        (lambda: Embedding(4, 2, rng=rng()).forward([[4]]), "x: expected whole numbers 0 to 3, got 4"),
        (lambda: Embedding(4, 2, rng=rng()).forward([[-1]]), "x: expected whole numbers 0 to 3, got -1"),
        (lambda: Embedding(4, 2, rng=rng()).forward([[1, 0.5]]), "x: expected whole numbers 0 to 3, got 0.5"),
        (lambda: Embedding(4, 2, rng=rng()).forward([[np.nan]]), "x: expected whole numbers 0 to 3, got nan"),
        (lambda: Embedding(4, 2, rng=rng()).forward([["a"]]), "x: expected numbers, got list of dtype <U1"),
        (lambda: Embedding(4, 2, rng=rng()).forward([[]]), r"x: expected shape \(n, T\), got \(1, 0\)"),
    ],
)
def test_wrong_arguments_are_named(make, name):
    with pytest.raises((ValueError, TypeError), match=f"^{name}"):
        make()


def test_whole_numbers_may_come_as_floats():
    layer = Embedding(4, 2, rng=rng())
    assert np.array_equal(layer.forward(np.array([[1.0, 3.0]])), layer.forward(np.array([[1, 3]])))
    assert np.array_equal(layer.forward(np.array([[1, 3]], np.uint8)), layer.forward(np.array([[1, 3]])))
