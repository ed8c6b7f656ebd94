"""Attention and the decoder made of it: against Keras with the same weights, and against measured slopes."""

from copy import deepcopy

import keras
import numpy as np
import pytest
import tensorflow as tf

from twice.attention import (
    GELU,
    LayerNormalization,
    MultiHeadAttention,
    Projection,
    attention,
    attention_gradient,
    causal_mask,
    padding_mask,
)
from twice.checks import agree, check_gradient
from twice.decoder import Decoder, DecoderBlock
from twice.embeddings import (
    TiedOutput,
    TokenAndPositionEmbedding,
    frequencies,
    shift_matrix,
    sinusoidal_positions,
)
from twice.optimizers import Adam
from twice.text import sample

# float32 carries seven digits; sums of products, added in another order, keep five of them.
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
DTYPES = sorted(TOLERANCE)
N, T, S, D = 3, 5, 4, 6


pytestmark = pytest.mark.usefixtures("float64")


def draw(shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def rng(seed=0):
    return np.random.default_rng(seed)


def tokens(shape, vocabulary=11, seed=0):
    return rng(seed).integers(0, vocabulary, shape)


def moved(layer, seed=50):
    """The layer with every parameter away from where it started: biases and shifts from 0, scales from 1."""
    for i, w in enumerate(layer.params):
        w += 0.3 * draw(w.shape, w.dtype, seed + i)
    return layer


def total(f, arrays, weights, weight):
    """What Keras returns, and the gradients of Σ weight · output along its arrays and its weights."""
    arrays, weights = [tf.Variable(a) for a in arrays], [w.value for w in weights]
    with tf.GradientTape() as tape:
        out = f(*arrays)
        loss = tf.reduce_sum(out * weight)
    slopes = tape.gradient(loss, [*arrays, *weights], unconnected_gradients="zero")
    return out, [tf.convert_to_tensor(g) for g in slopes]


def agree_all(ours, theirs, dtype, names=()):
    (a, grads), (out, slopes) = ours, theirs
    assert len(grads) == len(slopes)
    assert all(str(g.dtype) == dtype for g in (a, *grads)), "the layer changed the dtype"
    agree("output", a, out, atol=TOLERANCE[dtype])
    for i, (mine, other) in enumerate(zip(grads, slopes, strict=True)):
        agree(f"gradient {i}", mine, other, atol=TOLERANCE[dtype])


def set_all(variables, values):
    assert [tuple(v.shape) for v in variables] == [w.shape for w in values]
    for v, w in zip(variables, values, strict=True):
        v.assign(w)


def check_all_gradients(layer, x, silent=(), whole=True, **options):
    """Measure the slopes of Σ weight · output along the input and along every parameter but the silent."""
    weight = draw(layer.forward(x, **options).shape, seed=7)
    dx = layer.backward(weight)
    if whole:
        check_gradient("dx", lambda x: (weight * layer.forward(x, **options)).sum(), x, dx)
    for i, (w, dw) in enumerate(zip(layer.params, [g.copy() for g in layer.grads], strict=True)):

        def loss(value, w=w):
            before = w.copy()
            w[...] = value
            result = (weight * layer.forward(x, **options)).sum()
            w[...] = before
            return result

        if i in silent:
            assert abs(dw).max() < 1e-12
            assert loss(w + 1) == pytest.approx(loss(w), abs=1e-9)
        else:
            check_gradient(f"parameter {i}", loss, w.copy(), dw)


# ---------------------------------------------------------------------------- attention


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("before", [(), (3,), (2, 3)], ids=str)
def test_gradients_of_attention(before, masked):
    q, k, v = (draw((*before, *shape), seed=i) for i, shape in enumerate([(T, 3), (S, 3), (S, 2)]))
    mask = rng(8).random((T, S)) > 0.4 if masked else None
    if masked:
        mask[1] = False  # a query that may look at nothing
    weight = draw((*before, T, 2), seed=5)
    a, p = attention(q, k, v, mask)
    agree("rows", p.sum(-1), np.ones((*before, T)))
    dq, dk, dv = attention_gradient(q, k, v, p, weight, mask)
    check_gradient("dq", lambda q: (weight * attention(q, k, v, mask)[0]).sum(), q, dq)
    check_gradient("dk", lambda k: (weight * attention(q, k, v, mask)[0]).sum(), k, dk)
    check_gradient("dv", lambda v: (weight * attention(q, k, v, mask)[0]).sum(), v, dv)


def test_attention_by_hand():
    """One query, two keys, d = 4: scores 2 and 0 after the division by 2."""
    a, p = attention([[2.0, 0, 0, 0]], [[2.0, 0, 0, 0], [0, 3, 0, 0]], [[1.0], [0]])
    agree("p", p, [[np.e**2 / (np.e**2 + 1), 1 / (np.e**2 + 1)]], atol=1e-15)
    agree("a", a, p[:, :1])


@pytest.mark.parametrize("d", [4, 64, 256])
def test_scores_of_independent_numbers_have_variance_1(d):
    q, k = draw((400, d), seed=1), draw((400, d), seed=2)
    _, p = attention(q, k, np.ones((400, 1)))
    scores = np.log(p) - np.log(p).mean(-1, keepdims=True)
    assert scores.var() == pytest.approx(1, rel=0.1)


def test_a_query_that_sees_nothing_gets_the_plain_mean():
    v = draw((S, 2), seed=3)
    a, p = attention(draw((1, 3)), draw((S, 3), seed=1), v, np.zeros((1, S), bool))
    agree("p", p, np.full((1, S), 1 / S))
    agree("a", a[0], v.mean(0))


def test_masks_are_as_they_are_written():
    assert causal_mask(3, 3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(2, 4, past=2).tolist() == [[True, True, True, False], [True] * 4]
    assert padding_mask([1, 3], 3).tolist() == [[[True, False, False]], [[True, True, True]]]


# ---------------------------------------------------------------------------- heads

MASKS = {
    "none": None,
    "one for all": rng(3).random((T, S)) > 0.3,
    "one each": rng(4).random((N, T, S)) > 0.3,
    "padding": padding_mask([4, 1, 2], S),
    "nothing": np.arange(T)[:, None] * np.ones((N, 1, S), int) > 1,  # the first two queries see nothing
}


def same_heads(arrays, dtype="float64", **options):
    layer = MultiHeadAttention(2, 4, dtype=dtype, rng=rng(), **options)
    theirs = keras.layers.MultiHeadAttention(2, 4, dtype=dtype, **options)
    query, value, key = (*arrays, *[arrays[-1]] * (3 - len(arrays)))
    layer.forward(query, value=value, key=key)
    theirs(query, value, key)
    moved(layer)
    set_all(theirs.weights, layer.params)
    return layer, theirs


def both_heads(layer, theirs, arrays, mask=None, causal=False):
    query, value, key = (*arrays, None, None)[:3]
    options = {"attention_mask": mask, "use_causal_mask": causal}
    a = layer.forward(query, value=value, key=key, **options)
    weight = draw(a.shape, a.dtype, seed=9)
    back = layer.backward(weight)
    grads = [*(back if isinstance(back, tuple) else [back]), *layer.grads]
    call = theirs if len(arrays) > 1 else lambda x, **given: theirs(x, x, **given)
    return (a, grads), total(lambda *x: call(*x, **options), arrays, theirs.weights, weight)


def inputs(count, dtype="float64"):
    shapes = [(N, T, D), (N, S, 7), (N, S, 5)][:count] if count > 1 else [(N, S, D)]
    return [draw(shape, dtype, seed=i) for i, shape in enumerate(shapes)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("value_dim", [None, 3])
@pytest.mark.parametrize("causal", [False, True], ids=["", "causal"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_heads_are_keras(count, causal, value_dim, use_bias, dtype):
    arrays = inputs(count, dtype)
    layer, theirs = same_heads(arrays, dtype, value_dim=value_dim, use_bias=use_bias)
    agree_all(*both_heads(layer, theirs, arrays, causal=causal), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("causal", [False, True], ids=["", "causal"])
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("mask", MASKS)
def test_masks_are_keras(mask, count, causal, dtype):
    arrays = inputs(count, dtype)
    layer, theirs = same_heads(arrays, dtype)
    agree_all(*both_heads(layer, theirs, arrays, MASKS[mask], causal), dtype)


def test_weights_have_keras_shapes_in_keras_order():
    layer, theirs = same_heads(inputs(3), value_dim=3)
    assert [w.shape for w in layer.params] == [
        *((6, 2, 4), (2, 4)),  # query
        *((5, 2, 4), (2, 4)),  # key
        *((7, 2, 3), (2, 3)),  # value
        *((2, 3, 6), (6,)),  # output
    ]
    names = [w.path.split("/")[-2] for w in theirs.weights[::2]]
    assert names == ["query", "key", "value", "attention_output"]


@pytest.mark.parametrize("key_dim", [3, 5, 8])
def test_keras_scale_has_the_digits_of_float32(key_dim):
    """On TensorFlow 1 / √key_dim goes through float32, where it is exact for 1, 4, 16 … alone."""
    layer = MultiHeadAttention(2, key_dim, rng=rng())
    theirs = keras.layers.MultiHeadAttention(2, key_dim)
    x = draw((N, T, D))
    layer.forward(x), theirs(x, x)
    set_all(theirs.weights, moved(layer).params)
    agree("output", layer.forward(x), theirs(x, x), atol=1e-7)


def test_padding_is_keras_value_mask():
    arrays = inputs(2)
    layer, theirs = same_heads(arrays)
    a = layer.forward(arrays[0], value=arrays[1], attention_mask=MASKS["padding"])
    agree("output", a, theirs(*arrays, value_mask=MASKS["padding"][:, 0]))


def test_keras_gives_two_answers_where_nothing_may_be_seen():
    """The plain mean, as we do; but asked for the weights as well, 0, and so the output's bias."""
    arrays = inputs(2)
    layer, theirs = same_heads(arrays)
    mask = MASKS["nothing"]
    a = layer.forward(arrays[0], value=arrays[1], attention_mask=mask)
    out, p = theirs(*arrays, attention_mask=mask, return_attention_scores=True)
    agree("weights elsewhere", layer.p[:, :, 2:], p[:, :, 2:])
    agree("weights there", layer.p[:, :, :2], np.full((N, 2, 2, S), 1 / S))
    assert (p[:, :, :2].numpy() == 0).all()
    agree("Keras's output there", out[:, :2], np.broadcast_to(layer.output.b, (N, 2, D)))
    agree("elsewhere", a[:, 2:], out[:, 2:])


def test_initial_weights_see_all_inputs_and_outputs_of_a_position():
    """A kernel (d, heads, key_dim) is a matrix of d inputs and heads · key_dim outputs."""
    layer = MultiHeadAttention(8, 16, 20, rng=rng())
    layer.forward(draw((1, 2, 64)))
    for project, outputs in zip(layer.projections, (128, 128, 160, 160), strict=True):
        assert abs(project.W).max() == pytest.approx(np.sqrt(6 / (64 + outputs)), rel=1e-2)


@pytest.mark.parametrize(
    "options", [{}, {"use_causal_mask": True}, {"attention_mask": MASKS["one each"][:, :S]}]
)
@pytest.mark.parametrize("value_dim", [None, 3])
def test_gradients_of_heads(value_dim, options):
    layer, x = MultiHeadAttention(2, 4, value_dim, rng=rng()), draw((N, S, D))
    layer.forward(x)
    check_all_gradients(moved(layer), x, silent=[3], **options)  # 3 is the keys' bias


@pytest.mark.parametrize("shape, outputs", [((2, 3, 4), (5,)), ((2, 3, 4), (2, 3)), ((2, 3, 4, 2), (5,))])
def test_gradients_of_projections(shape, outputs):
    layer = Projection(outputs, rng=rng())
    layer.forward(draw(shape))
    check_all_gradients(moved(layer), draw(shape, seed=1))


def test_without_positions_order_is_not_seen():
    layer, x = MultiHeadAttention(2, 4, rng=rng()), draw((N, T, D))
    order = rng(1).permutation(T)
    agree("heads", layer.forward(x[:, order]), layer.forward(x)[:, order])
    assert abs(layer.forward(x[:, order]) - layer.forward(x)).max() > 0.01
    assert (
        abs(
            layer.forward(x[:, order], use_causal_mask=True)
            - layer.forward(x, use_causal_mask=True)[:, order]
        ).max()
        > 0.01
    )


# ---------------------------------------------------------------------------- layer normalization, gelu


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 6), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("epsilon", [None, 1e-3, 1e-5])
def test_layer_normalization_is_keras(epsilon, shape, dtype):
    options = {} if epsilon is None else {"epsilon": epsilon}
    layer = LayerNormalization(dtype=dtype, **options)
    theirs = keras.layers.LayerNormalization(dtype=dtype, **options)
    x = 2 + 3 * draw(shape, dtype)
    layer.build(shape), theirs.build(shape)
    set_all(theirs.weights, moved(layer).params)
    weight = draw(shape, dtype, seed=9)
    a = layer.forward(x)
    agree_all((a, [layer.backward(weight), *layer.grads]), total(theirs, [x], theirs.weights, weight), dtype)


@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 6)], ids=str)
def test_gradients_of_layer_normalization(shape):
    layer = LayerNormalization()
    layer.build(shape)
    check_all_gradients(moved(layer), 1 + 2 * draw(shape))


def test_layer_normalization_gives_mean_0_and_variance_1_to_each_position():
    a = LayerNormalization(epsilon=1e-12).forward(5 + 3 * draw((4, 3, 50)))
    agree("mean", a.mean(-1), np.zeros((4, 3)))
    agree("variance", a.var(-1), np.ones((4, 3)))
    with np.errstate(all="raise"):
        assert (LayerNormalization().forward(np.full((2, 3), 7.0)) == 0).all()


def exact_gelu(z, approximate=False):
    """Keras's formulas in Keras's operations. On TensorFlow its own gelu rounds a constant to float32."""
    if approximate:
        return 0.5 * z * (1 + keras.ops.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
    return 0.5 * z * (1 + keras.ops.erf(z / np.sqrt(2)))


@pytest.mark.parametrize("approximate", [False, True])
def test_keras_gelu_is_the_formula_to_the_digits_of_its_constant(approximate):
    z = 3 * draw((50, 40))
    theirs = keras.activations.gelu(z, approximate)
    agree("ours", GELU(approximate).forward(z), theirs, atol=1e-7)
    agree("formula", exact_gelu(z, approximate), theirs, atol=1e-7)
    agree("exact is the default", GELU().forward(z), keras.activations.gelu(z), atol=1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("approximate", [False, True])
def test_gelu_layer_is_keras(approximate, dtype):
    layer, x = GELU(approximate), 3 * draw((4, 5, 6), dtype)
    weight = draw(x.shape, dtype, seed=9)
    theirs = total(lambda x: exact_gelu(x, approximate), [x], [], weight)
    agree_all((layer.forward(x), [layer.backward(weight)]), theirs, dtype)


# ---------------------------------------------------------------------------- positions


@pytest.mark.parametrize("s", [0, 1, 7, -3])
@pytest.mark.parametrize("d", [2, 6, 64])
def test_a_shift_of_positions_is_a_rotation(d, s):
    P, R = sinusoidal_positions(50, d), shift_matrix(s, d)
    agree("shifted", P[5:40] @ R, P[5 + s : 40 + s], atol=1e-12)
    agree("orthogonal", R @ R.T, np.eye(d), atol=1e-12)
    agree("determinant", np.linalg.det(R), 1.0, atol=1e-12)
    agree("twice", R @ R, shift_matrix(2 * s, d), atol=1e-12)


def test_positions_by_hand():
    P = sinusoidal_positions(3, 4)
    agree("row 2", P[2], [np.sin(2), np.cos(2), np.sin(0.02), np.cos(0.02)], atol=1e-15)
    agree("frequencies", frequencies(4), [1, 0.01], atol=1e-15)
    agree("dot products depend on distance alone", P[0] @ P[1], P[1] @ P[2])


@pytest.mark.parametrize("positions", ["learnt", "sinusoidal", "none"])
def test_gradients_of_embeddings(positions):
    layer = TokenAndPositionEmbedding(7, 6, 4, positions, rng=rng())
    check_all_gradients(layer, tokens((3, 5), 7), whole=False)
    assert len(layer.params) == 1 + (positions == "learnt")


def test_a_token_that_comes_twice_gets_both_gradients():
    layer = TokenAndPositionEmbedding(4, 3, 2, rng=rng())
    layer.forward([[1, 1, 2]])
    layer.backward(np.array([[[1.0, 2], [10, 20], [5, 5]]]))
    assert layer.dE.tolist() == [[0, 0], [11, 22], [5, 5], [0, 0]]
    assert layer.dP.tolist() == [[1, 2], [10, 20], [5, 5]]


# ---------------------------------------------------------------------------- the decoder in Keras


class KerasBlock:
    def __init__(self, heads, key_dim, width, d, dtype, epsilon=1e-3, approximate=False):
        made = keras.layers
        self.norm1, self.norm2 = (made.LayerNormalization(epsilon=epsilon, dtype=dtype) for _ in range(2))
        self.attention = made.MultiHeadAttention(heads, key_dim, dtype=dtype)
        self.hidden = made.Dense(width, lambda z: exact_gelu(z, approximate), dtype=dtype)
        self.out = made.Dense(d, dtype=dtype)

    def __call__(self, x, **options):
        normed = self.norm1(x)
        x = x + self.attention(normed, normed, use_causal_mask=True, **options)
        return x + self.out(self.hidden(self.norm2(x)))

    @property
    def weights(self):
        layers = self.norm1, self.attention, self.norm2, self.hidden, self.out
        return [w for layer in layers for w in layer.weights]


class KerasDecoder:
    def __init__(self, vocabulary, length, d, heads, blocks, dtype="float64", width=None):
        self.E = keras.layers.Embedding(vocabulary, d, dtype=dtype)
        self.P = keras.layers.Embedding(length, d, dtype=dtype)
        self.blocks = [KerasBlock(heads, d // heads, width or 4 * d, d, dtype) for _ in range(blocks)]
        self.norm = keras.layers.LayerNormalization(dtype=dtype)

    def __call__(self, t):
        x = self.E(t) + self.P(np.arange(t.shape[1]))
        for block in self.blocks:
            x = block(x)
        return keras.ops.matmul(self.norm(x), keras.ops.transpose(self.E.embeddings))

    @property
    def weights(self):
        return [w for layer in (self.E, self.P, *self.blocks, self.norm) for w in layer.weights]


SMALL = (11, 8, 8, 2, 2)  # tokens, positions, d, heads, blocks


def decoder(dtype="float64", **options):
    network = Decoder(*SMALL, dtype=dtype, rng=rng(), **options)
    network.build((None, 8))
    return moved(network)


def same_decoders(dtype="float64"):
    network, theirs = decoder(dtype), KerasDecoder(*SMALL, dtype)
    theirs(tokens((1, 8)))
    set_all(theirs.weights, network.params)
    return network, theirs


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mask", [None, "padding"])
@pytest.mark.parametrize("approximate", [False, True])
def test_a_block_is_keras(approximate, mask, dtype):
    layer = DecoderBlock(2, 4, 9, 1e-5, approximate, dtype, rng=rng())
    theirs = KerasBlock(2, 4, 9, D, dtype, 1e-5, approximate)
    x, options = draw((N, S, D), dtype), {"attention_mask": mask and MASKS[mask]}
    layer.forward(x), theirs(x)
    set_all(theirs.weights, moved(layer).params)
    weight = draw(x.shape, dtype, seed=9)
    a = layer.forward(x, **options)
    ours = a, [layer.backward(weight), *layer.grads]
    agree_all(ours, total(lambda x: theirs(x, **options), [x], theirs.weights, weight), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [1, 5, 8])
def test_a_decoder_is_keras(length, dtype):
    network, theirs = same_decoders(dtype)
    t = tokens((N, length))
    z = network.forward(t)
    weight = draw(z.shape, dtype, seed=9)
    network.backward(weight)
    agree_all((z, network.grads), total(lambda: theirs(t), [], theirs.weights, weight), dtype)
    assert network.count_params() == sum(int(np.prod(w.shape)) for w in theirs.weights)


def test_a_decoder_learns_as_in_keras():
    """The weights after 100 steps of Adam, from the same start on the same batches."""
    network, theirs = same_decoders()
    network.compile(Adam(0.01), "sparse_categorical_crossentropy", from_logits=True)
    constants = (np.float64(c) for c in (0.01, 0.9, 0.999, 1e-7))  # plain floats would become float32
    optimizer = keras.optimizers.Adam(*constants)
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    text = tokens((40,), seed=5)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = crossentropy(y, theirs(x))
        optimizer.apply(tape.gradient(loss, [w.value for w in theirs.weights]), theirs.weights)
        return loss

    ours, keras_losses = [], []
    for i in range(100):
        t = text[rng(i).integers(0, 32, (4, 1)) + np.arange(9)]
        ours.append(network.train_on_batch(t[:, :-1], t[:, 1:])["loss"])
        keras_losses.append(float(step(tf.constant(t[:, :-1]), tf.constant(t[:, 1:]))))
    agree("losses", ours, keras_losses)
    for i, (w, v) in enumerate(zip(network.params, theirs.weights, strict=True)):
        agree(f"parameter {i}", w, v)
    assert np.mean(ours[-10:]) < 0.8 * np.mean(ours[:10])


# ---------------------------------------------------------------------------- the decoder alone


@pytest.mark.parametrize("approximate", [False, True])
def test_gradients_of_a_block(approximate):
    layer = DecoderBlock(2, 4, 9, approximate=approximate, rng=rng())
    layer.forward(draw((N, S, D)))
    check_all_gradients(moved(layer), draw((N, S, D)), silent=[5])


@pytest.mark.parametrize("positions", ["learnt", "sinusoidal", "none"])
def test_gradients_of_a_decoder(positions):
    network, t = decoder(positions=positions), tokens((2, 8))
    first = 1 + (positions == "learnt")
    check_all_gradients(network, t, silent=[first + 5, first + 16 + 5], whole=False)


@pytest.mark.parametrize("at", range(8))
def test_a_later_token_changes_no_earlier_output(at):
    network, t = decoder(), tokens((2, 8))
    before = network.forward(t)
    t[:, at] = (t[:, at] + 1) % 11
    after = network.forward(t)
    assert (after[:, :at] == before[:, :at]).all()
    assert (abs(after[:, at] - before[:, at]).max(-1) > 1e-3).all()


def test_the_last_output_hears_of_order_only_with_positions():
    """One block without positions sees what came before as a bag; each further one hears of its order."""
    t, swapped = np.array([[1, 2, 3, 4]]), np.array([[2, 1, 3, 4]])
    for positions, heard in (("learnt", True), ("sinusoidal", True), ("none", False)):
        network = Decoder(11, 8, 8, 2, 1, positions=positions, rng=rng())
        network.build((None, 8))
        moved(network)
        change = abs(network.forward(t) - network.forward(swapped))[:, -1].max()
        assert change > 1e-4 if heard else change < 1e-12


@pytest.mark.parametrize("parts", [[1] * 8, [3, 5], [8], [2, 1, 1, 4]], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_cache_changes_nothing(parts, dtype):
    network, t = decoder(dtype), tokens((2, 8))
    whole, caches, seen = network.forward(t), None, []
    for part in np.split(t, np.cumsum(parts)[:-1], axis=1):
        z, caches = network.extend(part, caches)
        seen.append(z)
    z = np.concatenate(seen, axis=1)
    assert z.dtype == dtype
    agree("logits", z, whole, atol=1e-12 if dtype == "float64" else 1e-5)
    assert [k.shape for k, _ in caches] == [(2, 2, 8, 4)] * 2


@pytest.mark.parametrize("temperature", [0, 0.5, 1.0])
@pytest.mark.parametrize("length", [1, 6, 12])
def test_text_is_the_same_with_and_without_cache(length, temperature):
    network, t = decoder(), tokens((3, 2))
    fast = network.generate(t, length, temperature, rng=rng(4))
    slow = network.generate(t, length, temperature, use_cache=False, rng=rng(4))
    assert fast.shape == (3, 2 + length) and (fast == slow).all() and (fast[:, :2] == t).all()
    if temperature == 0:
        for i in range(2, 2 + length):
            assert (network.forward(fast[:, max(0, i - 8) : i])[:, -1].argmax(-1) == fast[:, i]).all()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_as_often_as_softmax_says(temperature):
    z, n = np.array([1.0, 0, -1, 2]), 40_000
    drawn = np.bincount(sample(np.tile(z, (n, 1)), temperature, rng()), minlength=4) / n
    p = np.exp(z / temperature) / np.exp(z / temperature).sum()
    assert (abs(drawn - p) < 5 * np.sqrt(p * (1 - p) / n)).all()
    assert (sample(np.tile(z, (5, 1)), 0, rng()) == 3).all()


def test_positions_may_be_a_function_of_the_readers_own():
    network = Decoder(11, 8, 6, 2, 1, positions=lambda T, d, rng: np.full((T, d), 2.0), rng=rng())
    assert (network.embedding.P == 2).all() and len(network.embedding.params) == 1


def test_both_uses_of_a_tied_weight_are_added():
    network, t = decoder(), tokens((2, 5))
    z = network.forward(t)
    weight = draw(z.shape)
    network.backward(weight)
    untied = deepcopy(network)
    untied.layers[-1] = TiedOutput(deepcopy(untied.embedding))
    untied.forward(t)
    untied.embedding.tied = 0
    untied.backward(weight)
    agree("sum", untied.embedding.dE + untied.layers[-1].embedding.tied, network.embedding.dE)


def count(V, L, d, blocks):
    """The parameters of a decoder: attention has 4d² + 4d, the mlp 8d² + 5d, a norm 2d."""
    return V * d + L * d + blocks * (12 * d**2 + 13 * d) + 2 * d


@pytest.mark.parametrize("heads, blocks", [(1, 1), (2, 3), (4, 2)])
def test_a_decoder_has_as_many_parameters_as_its_sizes_say(heads, blocks):
    network = Decoder(11, 8, 12, heads, blocks, rng=rng())
    network.build((None, 8))
    assert network.count_params() == count(11, 8, 12, blocks)
    assert count(50257, 1024, 768, 12) == 124_439_808, "the smallest GPT-2"


def test_a_decoder_is_a_network():
    network = Decoder(*SMALL, rng=rng())
    network.compile(Adam(), "sparse_categorical_crossentropy", from_logits=True)
    t = tokens((10, 9))
    history = network.fit(t[:, :-1], t[:, 1:], batch_size=4, epochs=2, rng=rng(), verbose=0)
    assert history["loss"][1] < history["loss"][0] and abs(history["loss"][0] - np.log(11)) < 0.1
    assert network.predict(t[:, :-1]).shape == (10, 8, 11)
    other = Decoder(*SMALL, rng=rng(1))
    other.build((None, 8))
    other.set_weights(network.weights)
    assert (other.forward(t[:, :-1]) == network.forward(t[:, :-1])).all()


# ---------------------------------------------------------------------------- what is refused


def heads(**options):
    layer = MultiHeadAttention(2, 4, rng=rng())
    layer.forward(np.ones((N, T, D)))
    return layer


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: MultiHeadAttention(0, 4, rng=rng()), "num_heads: expected a positive integer, got 0"),
        (lambda: MultiHeadAttention(2, 1.5, rng=rng()), "key_dim: expected a positive integer, got 1.5"),
        (lambda: MultiHeadAttention(2, 4, 0, rng=rng()), "value_dim: expected a positive integer, got 0"),
        (lambda: MultiHeadAttention(2, 4, dtype="int8", rng=rng()), "dtype: expected 'float32' or "),
        (lambda: MultiHeadAttention(2, 4, rng=1), "rng: expected a generator .*, got 1"),
        (lambda: heads().forward(np.ones((N, D))), r"query: expected shape \(n, T, d\), got \(3, 6\)"),
        (lambda: heads().forward(np.ones((0, T, D))), r"query: expected shape \(n, T, d\), got \(0, 5, 6\)"),
        (lambda: heads().forward([[["a"]]]), "query: expected numbers, got list of dtype <U1"),
        (lambda: heads().forward(np.ones((N, T, 7))), r"query: expected shape \(n, T, 6\), which the layer"),
        (
            lambda: heads().forward(np.ones((N, T, D)), value=np.ones((1, S, D))),
            r"value: expected shape \(3, S, d\) beside query, got \(1, 4, 6\)",
        ),
        (
            lambda: heads().forward(np.ones((N, T, D)), value=np.ones((N, S, D)), key=np.ones((N, 1, D))),
            r"key: expected shape \(3, 4, d\) beside value, got \(3, 1, 6\)",
        ),
        (lambda: heads().forward(np.ones((N, T, D)), key=np.ones((N, T, D))), "value: expected one beside"),
        (
            lambda: heads().forward(np.ones((N, T, D)), attention_mask=np.ones((N, S, T))),
            r"attention_mask: expected a shape that can be spread to \(3, 5, 5\), got \(3, 4, 5\)",
        ),
        (
            lambda: heads().forward(np.ones((N, T, D)), attention_mask=np.ones(T)),
            r"attention_mask: expected a shape .*, got \(5,\)",
        ),
        (
            lambda: heads().forward(np.ones((N, T, D)), attention_mask=np.full((T, T), -np.inf)),
            "attention_mask: expected labels 0 and 1, got -inf",
        ),
        (lambda: attention(np.ones((2, 3)), np.ones((2, 4)), np.ones((2, 1))), "k: expected shape"),
        (lambda: attention(np.ones((2, 3)), np.ones((2, 3)), np.ones((1, 1))), "v: expected shape"),
        (lambda: attention(np.ones((2, 2, 3)), np.ones((1, 2, 3)), np.ones((2, 2, 1))), "k: expected shape"),
        (lambda: LayerNormalization(epsilon=-1), "epsilon: expected a number from 0 "),
        (lambda: LayerNormalization().forward(np.ones(3)), r"x: expected shape \(n, d\), got \(3,\)"),
        (lambda: sinusoidal_positions(5, 3), "d: expected an even number"),
        (lambda: sinusoidal_positions(0, 4), "T: expected a positive integer"),
        (lambda: Decoder(11, 8, 6, 4, 2, rng=rng()), "num_heads: expected a divisor of 6, got 4"),
        (lambda: Decoder(11, 8, 6, 2, 0, rng=rng()), "num_blocks: expected a positive integer, got 0"),
        (
            lambda: Decoder(11, 8, 6, 2, 1, positions="learned", rng=rng()),
            "positions: expected one of learnt",
        ),
        (lambda: decoder().forward([[11]]), "tokens: expected labels 0 to 10, got 11 to 11"),
        (lambda: decoder().forward([[-1]]), "tokens: expected labels 0 to 10, got -1 to -1"),
        (lambda: decoder().forward([[0.5]]), "tokens: expected whole numbers, got 0.5"),
        (lambda: decoder().forward([1, 2]), r"tokens: expected tokens of shape \(n, T\), got \(2,\)"),
        (lambda: decoder().forward(np.ones((1, 9))), "tokens: expected at most 8 positions, got 9"),
        (lambda: decoder().generate([[1]], 0, rng=rng()), "length: expected a positive integer, got 0"),
        (lambda: decoder().generate([[1]], 1, -1.0, rng=rng()), "temperature: expected a number from 0"),
        (lambda: decoder().generate([[1]], 1, rng=None), "rng: expected a generator"),
    ],
)
def test_wrong_arguments_are_named(make, name):
    with pytest.raises((ValueError, TypeError), match=f"^{name}"):
        make()
