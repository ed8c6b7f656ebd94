"""Training a network against Keras: the same weights, the same batches, the same numbers."""

from copy import deepcopy

import keras
import numpy as np
import pytest

from twice import losses
from twice.checks import Disagreement, agree, check_gradient
from twice.layers import Activation, BatchNormalization, Dense, Dropout, Flatten
from twice.models import METRICS, Network, Sequential, classes, summary
from twice.optimizers import SGD, Adam

N, D, K = 50, 6, 4
L2 = 2**-7  # exact in float32, to which Keras's regularizer rounds its factor, an np.float64 too
LOSSES = [  # the last layer's units and activation, the loss, from_logits
    (1, None, "mean_squared_error", False),
    (3, "tanh", "mean_squared_error", False),
    (1, "sigmoid", "binary_crossentropy", False),
    (3, "sigmoid", "binary_crossentropy", False),
    (1, None, "binary_crossentropy", True),
    (K, "softmax", "categorical_crossentropy", False),
    (K, None, "categorical_crossentropy", True),
    (K, "softmax", "sparse_categorical_crossentropy", False),
    (K, None, "sparse_categorical_crossentropy", True),
]
KERAS_LOSSES = {
    "mean_squared_error": lambda from_logits: keras.losses.MeanSquaredError(),
    "binary_crossentropy": keras.losses.BinaryCrossentropy,
    "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
    "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
}
CROSSENTROPIES = [name for name in KERAS_LOSSES if name.endswith("crossentropy")]


pytestmark = pytest.mark.usefixtures("float64")


def rng(seed=0):
    return np.random.default_rng(seed)


def data(units, loss, n=N, seed=0):
    r = rng(seed)
    x = r.normal(size=(n, D))
    if loss == "mean_squared_error":
        return x, r.normal(size=(n, units))
    if loss == "binary_crossentropy":
        return x, r.integers(2, size=(n, units)).astype(float)
    y = r.integers(units, size=n)
    return x, y if loss.startswith("sparse") else np.eye(units)[y]


def twins(units, activation, loss, from_logits, l2=0.0, scale=1.0, metrics=()):
    """The same small network from both makers, with the same weights."""
    ours = Sequential(
        [
            Dense(8, "relu", rng=rng(1)),
            BatchNormalization(),
            Dense(5, "tanh", rng=rng(2)),
            Dense(units, activation, rng=rng(3)),
        ]
    )
    penalty = {"kernel_regularizer": keras.regularizers.L2(l2), "dtype": "float64"}
    theirs = keras.Sequential(
        [
            keras.Input((D,), dtype="float64"),
            keras.layers.Dense(8, "relu", **penalty),
            keras.layers.BatchNormalization(dtype="float64"),
            keras.layers.Dense(5, "tanh", **penalty),
            keras.layers.Dense(units, activation, **penalty),
        ]
    )
    ours.build((None, D))
    ours.layers[-1].W *= scale
    theirs.set_weights(ours.weights)
    ours.compile(SGD(0.1, momentum=0.9), loss, metrics, from_logits, l2)
    theirs.compile(
        keras.optimizers.SGD(np.float64(0.1), momentum=np.float64(0.9)),
        KERAS_LOSSES[loss](from_logits=from_logits),
        metrics=list(metrics),
    )
    return ours, theirs


def agree_on_weights(ours, theirs, atol=1e-10):
    for i, (w, v) in enumerate(zip(ours.weights, theirs.get_weights(), strict=True)):
        agree(f"weight {i}", w, v, atol=atol)


# ---------------------------------------------------------------------------- the same as Keras


@pytest.mark.parametrize("l2", [0.0, L2], ids=["plain", "L2"])
@pytest.mark.parametrize("units, activation, loss, from_logits", LOSSES)
def test_twenty_steps_are_keras(units, activation, loss, from_logits, l2):
    ours, theirs = twins(units, activation, loss, from_logits, l2)
    x, y = data(units, loss)
    for step in range(20):
        i = rng(step).permutation(N)[:16]
        agree(f"loss {step}", ours.train_on_batch(x[i], y[i])["loss"], theirs.train_on_batch(x[i], y[i]))
    agree_on_weights(ours, theirs)
    agree("predictions", ours.predict(x), theirs.predict(x, verbose=0))
    agree("loss after training", ours.evaluate(x, y)["loss"], theirs.evaluate(x, y, verbose=0))


@pytest.mark.parametrize(
    "units, activation, loss",
    [(units, a, loss) for units, a, loss, logits in LOSSES if loss in CROSSENTROPIES and not logits],
)
def test_sure_and_wrong_predictions_are_keras(units, activation, loss):
    """Logits of hundreds: their probabilities round to 0 and 1, and the loss is still that of the logits."""
    ours, theirs = twins(units, activation, loss, False, scale=300)
    x, y = data(units, loss)
    for step in range(5):
        log = ours.train_on_batch(x, y)
        assert log["loss"] > 16.2, "beyond what probabilities clipped to 1e-7 can give"
        agree(f"loss {step}", log["loss"], theirs.train_on_batch(x, y))
    agree_on_weights(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("batch_size", [16, 64])
@pytest.mark.parametrize("units, activation, loss, from_logits", LOSSES)
def test_the_history_of_fit_is_keras(units, activation, loss, from_logits, batch_size):
    metrics = ["accuracy"] if loss in CROSSENTROPIES else []
    ours, theirs = twins(units, activation, loss, from_logits, l2=L2, metrics=metrics)
    x, y = data(units, loss)
    other = data(units, loss, n=30, seed=1)
    arguments = {
        "batch_size": batch_size,
        "epochs": 3,
        "validation_data": other,
        "shuffle": False,
        "verbose": 0,
    }
    mine, history = ours.fit(x, y, **arguments), theirs.fit(x, y, **arguments).history
    assert (
        set(mine) == set(history) == {f"{kind}{name}" for kind in ("", "val_") for name in ["loss", *metrics]}
    )
    for name in mine:
        agree(name, mine[name], history[name], atol=1e-10)
    agree_on_weights(ours, theirs)


def test_float32_follows_keras_for_twenty_steps():
    """Rounding leaves 2e-6 after twenty steps; the smallest wrong rule tried, a displaced ε, 5e-5."""
    ours = Sequential(
        [Dense(8, "relu", dtype="float32", rng=rng()), Dense(K, "softmax", dtype="float32", rng=rng(1))]
    )
    layers = [
        keras.layers.Dense(8, "relu", dtype="float32"),
        keras.layers.Dense(K, "softmax", dtype="float32"),
    ]
    theirs = keras.Sequential([keras.Input((D,), dtype="float32"), *layers])
    ours.build((None, D))
    theirs.set_weights(ours.weights)
    ours.compile(Adam(0.01), "sparse_categorical_crossentropy")
    theirs.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    x, y = data(K, "sparse_categorical_crossentropy")
    for _ in range(20):
        ours.train_on_batch(x.astype("float32"), y)
        theirs.train_on_batch(x.astype("float32"), y)
    assert {w.dtype for w in [*ours.weights, *ours.grads]} == {np.dtype("float32")}
    agree_on_weights(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("units, activation, loss, from_logits", LOSSES[:1] + LOSSES[-2:])
def test_counts_and_order_of_weights_are_keras(units, activation, loss, from_logits):
    ours, theirs = twins(units, activation, loss, from_logits)
    assert ours.count_params() == theirs.count_params()
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.get_weights()]
    assert [w.shape for w in ours.params] == [tuple(w.shape) for w in theirs.trainable_weights]


# ---------------------------------------------------------------------------- slopes of a whole network


def slopes(network, x, y, gradient=losses.mean_squared_error_gradient):
    """Measure the slope of the loss along the input and every parameter of a network."""

    def loss(x):
        return losses.mean_squared_error(y, network.forward(x, training=True))

    dx = network.backward(gradient(y, network.forward(x, training=True)))
    check_gradient("dx", loss, x, dx)
    for i, (w, dw) in enumerate(zip(network.params, network.grads, strict=True)):

        def loss_at(value, w=w):
            before = w.copy()
            w[...] = value
            result = loss(x)
            w[...] = before
            return result

        check_gradient(f"parameter {i}", loss_at, w.copy(), dw)


def image_network(last=Dense):
    """A network with every kind of layer whose output is not random."""
    layers = [Flatten(), Dense(9, "sigmoid", rng=rng(1)), BatchNormalization(), Dense(7, rng=rng(2))]
    return Network([*layers, Activation("tanh"), last(2, "softmax", rng=rng(3))])


def test_gradients_of_a_network():
    slopes(image_network(), rng().normal(size=(5, 3, 4)), rng(1).normal(size=(5, 2)))


def test_training_leaves_out_the_gradient_of_the_data_and_nothing_else():
    full = Network([Dense(5, "tanh", rng=rng(1)), BatchNormalization(), Dense(2, rng=rng(2))])
    x, dy = rng().normal(size=(6, 3)), rng(1).normal(size=(6, 2))
    full.forward(x, training=True)
    assert full.backward(dy).shape == x.shape
    grads = [g.copy() for g in full.grads]
    trained = Sequential(full.layers)
    trained.compile(SGD(), "mean_squared_error")
    trained.forward(x, training=True)
    assert trained.backward(dy) is None
    for i, (a, b) in enumerate(zip(grads, trained.grads, strict=True)):
        agree(f"gradient {i}", a, b, atol=1e-15)


class NoBiasGradient(Dense):
    def backward_logits(self, dz):
        dx = super().backward_logits(dz)
        self.db = np.zeros_like(self.b)
        return dx


@pytest.mark.parametrize(
    "network, gradient",
    [
        (image_network(NoBiasGradient), losses.mean_squared_error_gradient),
        (image_network(), lambda y, y_hat: 2 * (y_hat - y)),
    ],
    ids=["bias forgotten", "mean forgotten"],
)
def test_wrong_gradients_of_a_network_are_rejected(network, gradient):
    with pytest.raises(Disagreement):
        slopes(network, rng().normal(size=(5, 3, 4)), rng(1).normal(size=(5, 2)), gradient)


def test_training_on_probabilities_instead_of_logits_is_rejected():
    """What would happen without the way round the clipped probabilities."""
    ours, theirs = twins(K, "softmax", "sparse_categorical_crossentropy", False, scale=300)
    ours.fused = False
    ours.loss, ours.gradient = (
        losses.sparse_categorical_crossentropy,
        losses.sparse_categorical_crossentropy_gradient,
    )
    x, y = data(K, "sparse_categorical_crossentropy")
    with pytest.raises(Disagreement):
        agree("loss", ours.train_on_batch(x, y)["loss"], theirs.train_on_batch(x, y))


# ---------------------------------------------------------------------------- behaviour


def classifier(metrics=("accuracy",), **arguments):
    model = Sequential(
        [Dense(16, "relu", rng=rng(1)), Dropout(0.1, rng=rng(2)), Dense(3, "softmax", rng=rng(3))]
    )
    model.compile(Adam(0.02), "sparse_categorical_crossentropy", metrics, **arguments)
    return model


def blobs(n=300):
    """Three clouds that touch."""
    y = rng(5).integers(3, size=n)
    return np.array([[0, 0], [3, 0], [0, 3.0]])[y] + rng(6).normal(scale=0.7, size=(n, 2)), y


def test_it_learns():
    model, (x, y) = classifier(), blobs()
    history = model.fit(x, y, epochs=20, rng=rng())
    assert history["loss"][-1] < history["loss"][0] / 2
    assert model.evaluate(x, y)["accuracy"] > 0.95
    assert (model.predict(x).argmax(axis=1) == y).mean() == pytest.approx(model.evaluate(x, y)["accuracy"])


def test_the_same_seeds_give_the_same_run():
    runs = [classifier().fit(*blobs(), epochs=2, rng=rng(seed)) for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("shuffle", [True, False])
def test_every_epoch_sees_every_example_once(shuffle):
    model, seen = classifier(), []
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 3
    step = model.train_on_batch
    model.train_on_batch = lambda x, y: (seen.append(x[:, 0]), step(x, y))[1]
    model.fit(x, y, batch_size=4, epochs=2, shuffle=shuffle, rng=rng())
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert sorted(first) == sorted(second) == list(x[:, 0])
    assert (list(first) == list(x[:, 0])) == (not shuffle)
    assert (list(first) == list(second)) == (not shuffle)


def test_fit_goes_on_where_it_stopped():
    once, twice = classifier(), classifier()
    x, y = blobs()
    once.fit(x, y, epochs=3, shuffle=False)
    for _ in range(3):
        twice.fit(x, y, epochs=1, shuffle=False)
    for a, b in zip(once.weights, twice.weights, strict=True):
        agree("weight", a, b, atol=1e-15)


def test_weights_can_be_kept_and_put_back():
    model, (x, y) = classifier(), blobs()
    model.build(x.shape)
    kept, before = [w.copy() for w in model.weights], model.evaluate(x, y)
    model.fit(x, y, rng=rng())
    assert model.evaluate(x, y) != before
    model.set_weights(kept)
    assert model.evaluate(x, y) == before


def test_a_loss_may_be_the_readers_own():
    def cubes(y, y_hat):
        return (np.abs(y_hat - y) ** 3).mean()

    def cubes_gradient(y, y_hat):
        return 3 * np.abs(y_hat - y) * (y_hat - y) / y.size

    model = Sequential([Dense(1, rng=rng())])
    model.compile(SGD(0.05), (cubes, cubes_gradient))
    x = rng().normal(size=(40, 2))
    history = model.fit(x, x @ [[1.0], [2.0]], epochs=30, shuffle=False)
    assert history["loss"][-1] < 0.01 * history["loss"][0]


def test_a_layer_of_its_own_may_hold_the_last_activation():
    x, y = data(K, "sparse_categorical_crossentropy")
    one = Sequential([Dense(K, "softmax", rng=rng())])
    two = Sequential([Dense(K, rng=rng()), Activation("softmax")])
    for model in (one, two):
        model.build(x.shape)
        model.layers[0].W *= 300
        model.compile(SGD(0.1), "sparse_categorical_crossentropy")
        model.fit(x, y, epochs=3, shuffle=False)
    agree("W", one.weights[0], two.weights[0], atol=1e-15)
    assert one.evaluate(x, y) == two.evaluate(x, y)


def test_dropout_works_in_training_only():
    model, (x, _) = classifier(), blobs()
    assert (model.forward(x, training=True) != model.forward(x, training=True)).any()
    assert (model.predict(x) == model.forward(x)).all()


def test_summary(capsys):
    model = Sequential([Flatten(), Dense(128, "relu", rng=rng()), BatchNormalization(), Dense(10, rng=rng())])
    model.build((None, 28, 28))
    model.summary()
    assert capsys.readouterr().out.splitlines() == [
        "Flatten             (None, 784)                    0",
        "Dense               (None, 128)              100,480",
        "BatchNormalization  (None, 128)                  512",
        "Dense               (None, 10)                 1,290",
        "Total                                        102,282",
    ]


@pytest.mark.parametrize("verbose, shown", [("auto", False), (0, False), (1, True)])
def test_the_progress_bar_is_silent_where_text_is_stored(verbose, shown, capsys):
    classifier().fit(*blobs(), epochs=2, rng=rng(), verbose=verbose)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("epoch 2 of 2" in captured.err) == shown


X, Y = blobs()
OF, BUILT = " of validation_data", "which the network was built for"


@pytest.mark.parametrize(
    "x, y, arguments, message",
    [
        (X, Y[:-1], {}, "y: expected one target for each of the 300 inputs, got 299"),
        (X.T, Y[:2], {}, "x: expected shape (2, 2), which the network was built for; got (2, 300)"),
        (np.where(X > 4, np.nan, X), Y, {}, "x: expected finite numbers, got 17 that are not"),
        (X, Y / 1.0, {}, "y: expected integers of shape (300,), got float64 of shape (300,)"),
        (X, np.eye(3, dtype=int)[Y], {}, "y: expected integers of shape (300,), got int64 of shape (300, 3)"),
        (X, Y + 1, {}, "y: expected labels 0 to 2, got 1 to 3"),
        (X[:0], Y[:0], {}, "x: expected at least one number, got shape (0, 2)"),
        (X.astype(str), Y, {}, "x: expected numbers, got ndarray of dtype <U32"),
        (X, Y, {"epochs": 0}, "epochs: expected a positive integer, got 0"),
        (X, Y, {"batch_size": 0}, "batch_size: expected a positive integer, got 0"),
        (X, Y, {"rng": None}, "rng: expected a generator such as np.random.default_rng(0), got None"),
        (X, Y, {"verbose": 2}, "verbose: expected 'auto', 0 or 1, got 2"),
        (X, Y - 1, {}, "y: expected labels 0 to 2, got -1 to 1"),
        (X, 1, {}, "y: expected shape (n, …), got a single number"),
        (
            X,
            Y,
            {"validation_data": (X, Y[:9])},
            f"y{OF}: expected one target for each of the 300 inputs, got 9",
        ),
        (X, Y, {"validation_data": (X, Y + 1)}, f"y{OF}: expected labels 0 to 2, got 1 to 3"),
        (X, Y, {"validation_data": (X[:, :1], Y)}, f"x{OF}: expected shape (300, 2), {BUILT}; got (300, 1)"),
        (X, Y, {"validation_data": (X * np.nan, Y)}, f"x{OF}: expected finite numbers, got 600 that are not"),
        (X, Y, {"validation_data": X}, "validation_data: expected (x, y), got ndarray"),
    ],
)
def test_what_does_not_fit_is_named(x, y, arguments, message):
    model = classifier()
    model.build((None, 2))
    before = [w.copy() for w in model.weights]
    with pytest.raises((ValueError, TypeError)) as error:
        model.fit(x, y, **({"rng": rng()} | arguments))
    assert str(error.value) == message
    for w, kept in zip(model.weights, before, strict=True):
        assert (w == kept).all(), "refused before the first step"


@pytest.mark.parametrize("y", [X[:, 0], X], ids=["a column too few", "a column too many"])
def test_targets_that_would_be_stretched_silently_are_refused(y):
    """Targets of shape (n,) against predictions (n, 1) would make NumPy compare all with all."""
    model = Sequential([Dense(1, rng=rng())])
    model.compile(SGD(), "mean_squared_error")
    with pytest.raises(ValueError, match=r"^y: expected shape \(300, 1\), that of the predictions; got "):
        model.fit(X, y, rng=rng())


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"loss": "mse"}, "loss: expected one of mean_squared_error, binary_crossentropy, .*; got 'mse'"),
        ({"metrics": ["auc"]}, "metrics: expected one of accuracy; got 'auc'"),
        ({"l2": -1}, "l2: expected a number from 0 .*, got -1"),
    ],
)
def test_compile_names_what_it_does_not_know(arguments, message):
    model = Sequential([Dense(1, rng=rng())])
    with pytest.raises(ValueError, match=f"^{message}"):
        model.compile(**({"optimizer": SGD(), "loss": "mean_squared_error"} | arguments))


@pytest.mark.parametrize(
    "values, message",
    [
        ([np.zeros((2, 3))], "values: expected 2 arrays, one for each weight; got 1"),
        ([np.zeros((2, 3)), np.zeros(2)], r"values: expected shape \(3,\), that of the weight; got \(2,\)"),
        ([np.zeros((2, 3)), "zeros"], "values: expected numbers, got str"),
    ],
)
def test_weights_of_other_shapes_are_refused_and_none_is_copied(values, message):
    model = Sequential([Dense(3, rng=rng())])
    model.build((None, 2))
    before = [w.copy() for w in model.weights]
    with pytest.raises((ValueError, TypeError), match=f"^{message}"):
        model.set_weights(values)
    for w, kept in zip(model.weights, before, strict=True):
        assert (w == kept).all()


@pytest.mark.parametrize(
    "use",
    [lambda m: m.summary(), lambda m: m.count_params(), lambda m: m.set_weights([1.0])],
    ids=["summary", "count_params", "set_weights"],
)
def test_what_needs_weights_says_so_before_there_are_any(use):
    with pytest.raises(ValueError, match=r"^(shapes|weights): .* call build\(\(None, …\)\) first$"):
        use(Sequential([Dense(3, rng=rng())]))


@pytest.mark.parametrize(
    "layers, message",
    [
        (lambda: [], "layers: expected at least one, got none"),
        (lambda: [Dense(3, rng=rng()), np.tanh], "layers: expected those of twice.layers, such as .* 'tanh'"),
        (lambda: [keras.layers.Dense(3)], "layers: expected those of twice.layers, such as .*Dense"),
        (lambda: [Activation("tanh")] * 2, "layers: expected each one once, got the same Activation again"),
    ],
    ids=["none", "a function", "Keras's", "the same twice"],
)
@pytest.mark.parametrize("kind", [Network, Sequential])
def test_layers_that_cannot_work_together_are_refused(kind, layers, message):
    """A layer remembers its last input for the way back, and would take its second use for its first."""
    with pytest.raises((ValueError, TypeError), match=f"^{message}"):
        kind(layers())


@pytest.mark.parametrize(
    "optimizer",
    ["adam", None, Adam, keras.optimizers.Adam, keras.optimizers.Adam()],
    ids=["a name", "none", "a class", "a class of Keras's", "Keras's"],
)
def test_an_optimizer_of_another_kind_is_named_at_once(optimizer):
    with pytest.raises(TypeError, match="^optimizer: expected one of twice.optimizers, such as Adam"):
        Sequential([Dense(1, rng=rng())]).compile(optimizer, "mean_squared_error")


@pytest.mark.parametrize(
    "loss",
    [None, ["mean_squared_error"], (np.square,), (1, 2), keras.losses.MeanSquaredError()],
    ids=["none", "a list", "no gradient", "numbers", "Keras's"],
)
def test_a_loss_of_another_kind_is_named_at_once(loss):
    with pytest.raises(TypeError, match="^loss: expected a name, or a function and its gradient; got "):
        Sequential([Dense(1, rng=rng())]).compile(SGD(), loss)


def test_an_optimizer_belongs_to_one_model():
    """Keras raises too: the moments of one network say nothing about another."""
    optimizer, one, other = Adam(0.05), classifier(), classifier()
    one.compile(optimizer, "sparse_categorical_crossentropy")
    other.compile(optimizer, "sparse_categorical_crossentropy")
    one.fit(X, Y, rng=rng())
    other.build(X.shape)
    before = [w.copy() for w in other.weights]
    with pytest.raises(ValueError, match="^params: expected those of the optimizer's first step"):
        other.fit(X, Y, rng=rng())
    for w, kept in zip(other.weights, before, strict=True):
        assert (w == kept).all()
    with pytest.raises(ValueError, match="^optimizer: expected a new one"):
        classifier().compile(optimizer, "sparse_categorical_crossentropy")
    one.compile(optimizer, "sparse_categorical_crossentropy", l2=0.1)  # its own it may keep, as in Keras
    one.fit(X, Y, rng=rng())


def test_an_optimizer_may_be_the_readers_own():
    class Downhill:
        state = "none, but named"

        def apply(self, grads, params):
            for w, g in zip(params, grads, strict=True):
                w -= 0.1 * g

    one, other, own = classifier(), classifier(), Downhill()
    for model in (one, other):
        model.compile(own, "sparse_categorical_crossentropy")
        model.fit(X, Y, rng=rng())


RAGGED = rng(8).normal(size=(40, 5))


@pytest.mark.parametrize(
    "x, y, arguments",
    [
        (RAGGED.reshape(-1, 4), Y[:40], {}),
        (RAGGED[:, :4], Y[:40] + 1, {}),
        (RAGGED[:, :4], Y[:40, None], {}),
        (RAGGED[:, :4], Y[:40], {"epochs": 0}),
        (RAGGED[:, :4], Y[:40], {"batch_size": 0}),
        (RAGGED[:, :4], Y[:40], {"rng": None}),
        (RAGGED[:, :4], Y[:40], {"validation_data": (RAGGED, Y[:40])}),
    ],
)
def test_a_fit_that_failed_leaves_the_network_as_it_was(x, y, arguments):
    tried, fresh = classifier(), classifier()
    with pytest.raises((ValueError, TypeError)):
        tried.fit(x, y, **({"rng": rng()} | arguments))
    assert tried.shapes == [] and tried.layers[0].W is None
    assert tried.fit(RAGGED, Y[:40], rng=rng()) == fresh.fit(RAGGED, Y[:40], rng=rng())


@pytest.mark.parametrize("use", ["evaluate", "train_on_batch"])
def test_so_do_evaluate_and_train_on_batch(use):
    tried, fresh = classifier(), classifier()
    for x, y in [(RAGGED[:, :4], Y[:40] + 1), (RAGGED[:, :4], Y[:39])]:
        with pytest.raises(ValueError, match="^y: expected "):
            getattr(tried, use)(x, y)
        assert tried.shapes == [] and tried.layers[0].W is None
    assert getattr(tried, use)(RAGGED, Y[:40]) == getattr(fresh, use)(RAGGED, Y[:40])


def test_layers_built_elsewhere_are_tried_as_they_are(monkeypatch):
    """Copies of trained layers would hold their weights and last batches twice."""
    body = classifier()
    body.fit(X, Y, rng=rng())
    model = Sequential([*body.layers[:1], Dense(3, "softmax", rng=rng())])
    model.compile(SGD(), "sparse_categorical_crossentropy")
    copied = []
    monkeypatch.setattr("twice.arguments.deepcopy", lambda layer: (copied.append(layer), deepcopy(layer))[1])
    model.fit(X, Y, rng=rng())
    assert copied == model.layers[1:] and model.layers[0] is body.layers[0]
    assert model.shapes == [(None, 2), (None, 16), (None, 3)]


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize(
    "x, y, message",
    [
        (X, Y[:-1], "y: expected one target for each of the 300 inputs, got 299"),
        (X, Y - 1, "y: expected labels 0 to 2, got -1 to 1"),
        (X, Y[:, None], "y: expected integers of shape (300,), got int64 of shape (300, 1)"),
        (X.astype(str), Y, "x: expected numbers, got ndarray of dtype <U32"),
        (3.0, Y, "x: expected shape (n, …), got a single number"),
    ],
)
def test_a_batch_that_does_not_fit_trains_nothing(x, y, message, built):
    model = classifier()
    if built:
        model.build((None, 2))
    with pytest.raises((ValueError, TypeError)) as error:
        model.train_on_batch(x, y)
    assert str(error.value) == message and model.optimizer.iterations == 0


@pytest.mark.parametrize("use", ["fit", "evaluate", "train_on_batch"])
def test_a_network_is_compiled_before_it_is_used(use):
    with pytest.raises(ValueError, match=r"^loss: .* call compile\(\) first"):
        getattr(Sequential([Dense(1, rng=rng())]), use)(X, Y)


def test_predict_names_the_width_it_was_built_for():
    model = classifier()
    model.fit(X, Y, rng=rng())
    with pytest.raises(ValueError, match=r"^x: expected shape \(n, 2\), which the layer was built for; got "):
        model.predict(np.ones((3, 5)))


class Table:
    """A table as those of pandas: it turns into an array when asked, and looks up columns, not rows."""

    def __init__(self, a):
        self.a = a

    def __len__(self):
        return len(self.a)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.a, dtype)

    def __getitem__(self, key):
        raise KeyError(key)


def test_tables_are_taken_as_arrays():
    x, y = Table(X), Table(Y)
    tables, arrays = classifier(), classifier()
    assert tables.train_on_batch(x, y) == arrays.train_on_batch(X, Y)
    assert tables.fit(x, y, rng=rng()) == arrays.fit(X, Y, rng=rng())
    assert tables.evaluate(x, y) == arrays.evaluate(X, Y)
    assert (tables.predict(x) == arrays.predict(X)).all()


def test_pictures_of_bytes_are_compared_in_floats():
    """In uint8 the square of 200 − 100 is 16."""
    model = Sequential([Flatten()])
    model.compile(SGD(), "mean_squared_error")
    x, y = np.full((1, 2, 2), 200, np.uint8), np.full((1, 4), 100, np.uint8)
    assert model.evaluate(x, y)["loss"] == 10_000


@pytest.mark.parametrize("p, expected", [(0.5, 0), (0.5 + 1e-9, 1), (0.4, 0)])
def test_one_column_is_class_1_above_a_half_as_in_keras(p, expected):
    y, y_hat = np.array([[1.0]]), np.array([[p]])
    assert classes(y_hat).tolist() == [expected]
    theirs = keras.metrics.BinaryAccuracy(dtype="float64")(y, y_hat)
    agree("accuracy", METRICS["accuracy"](y, y_hat), theirs)


def test_a_summary_of_too_few_shapes_is_no_table():
    with pytest.raises(ValueError):
        summary([Flatten(), Flatten()], [(None, 4)])
