"""A network as a sequence of layers, and the loop that trains it (chapters 4 to 7)."""

from collections import defaultdict
from functools import partial

import numpy as np

from twice import losses
from twice.arguments import (
    batch,
    between,
    built,
    choice,
    distinct,
    examples,
    finite,
    fitted,
    generator,
    positive_integer,
    replacing,
    shaped,
    takes,
    trainable,
    tried,
    weighted,
)
from twice.metrics import accuracy
from twice.progress import progress

# The activation that turns logits into what a cross-entropy expects.
ACTIVATION_OF = {
    "binary_crossentropy": "sigmoid",
    "categorical_crossentropy": "softmax",
    "sparse_categorical_crossentropy": "softmax",
}


def loss_functions(loss, from_logits=False):
    """Return a loss and its gradient, both functions of the targets and the predictions.

    Parameters
    ----------
    loss : str or tuple of two callables
        The name of a loss in `twice.losses`, or a loss of one's own and its gradient.
    from_logits : bool
        Whether the predictions are logits.
    """
    if isinstance(loss, tuple):
        return loss
    names = ["mean_squared_error", *ACTIVATION_OF]
    if loss not in names:
        raise ValueError(f"loss: expected one of {', '.join(names)}; got {loss!r}")
    options = {"from_logits": True} if from_logits else {}
    both = getattr(losses, loss), getattr(losses, f"{loss}_gradient")
    return tuple(partial(f, **options) for f in both)


def classes(y):
    """Return the class of each example, from labels (n,), one column of probabilities, or a row per example.

    In one column class 1 begins above ½: Keras's choice, for logits too, where 0 would be right.
    """
    if y.ndim == 1:
        return y
    return y.argmax(axis=-1) if y.shape[-1] > 1 else y[..., 0] > 0.5


METRICS = {"accuracy": lambda y, y_hat: accuracy(classes(y), classes(y_hat))}


def l2_penalty(params, l2):
    """Return λ ΣW² over the kernels; biases and other vectors go free."""
    return l2 * sum((W**2).sum() for W in params if W.ndim > 1) if l2 else 0.0


def l2_gradients(params, grads, l2):
    """Return the gradients of the loss with its L2 penalty: 2λW more for each kernel."""
    return [dW + 2 * l2 * W if l2 and W.ndim > 1 else dW for W, dW in zip(params, grads, strict=True)]


def batches(order, batch_size):
    """Return ``order``, the numbers of the examples, cut into batches; the last may be smaller."""
    positive_integer("batch_size", batch_size)
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def averages(logs, parts):
    """Return the mean of each number in ``logs``, one dict a batch, weighted by the sizes of the batches."""
    sizes = [len(part) for part in parts]
    return {name: float(np.average([log[name] for log in logs], weights=sizes)) for name in logs[0]}


def summary(layers, shapes):
    """Return a table: for each layer its name, the shape of its output, and the number of its weights."""
    counts = [sum(w.size for w in (*layer.params, *layer.state)) for layer in layers]
    rows = [
        f"{type(layer).__name__:<20}{str(shape):<20}{count:>12,}"
        for layer, shape, count in zip(layers, shapes, counts, strict=True)
    ]
    return "\n".join([*rows, f"{'Total':<40}{sum(counts):>12,}"])


class Network:
    """A network of layers, one after the other.

    Parameters
    ----------
    layers : sequence of twice.layers.Layer
        From the input to the output, at least one, and none twice.

    Attributes
    ----------
    shapes : list of tuple
        Of the input and of what each layer returns, (None, …); empty until the network is built.
    """

    @takes(distinct, "self", "layers")
    def __init__(self, layers):
        self.layers, self.shapes = list(layers), []

    def build(self, input_shape):
        """Make the weights, for inputs of shape (n, …)."""
        if not self.shapes:
            outputs = [np.zeros((1, *input_shape[1:]))]
            for layer in self.layers:
                outputs.append(layer.forward(outputs[-1]))
            self.shapes = [(None, *x.shape[1:]) for x in outputs]

    def forward(self, x, training=False):
        """Return the predictions for ``x``, each layer's output being the next one's input."""
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, dy, from_logits=False):
        """Fill in the gradients of all layers from ∂L/∂ŷ, the last layer first, and return ∂L/∂x.

        With ``from_logits``, ``dy`` is the gradient with respect to the last layer's logits instead.
        """
        *before, last = self.layers
        dy = last.backward_logits(dy) if from_logits else last.backward(dy)
        for layer in reversed(before):
            dy = layer.backward(dy)
        return dy

    def predict(self, x, batch_size=32):
        """Return the predictions for ``x``, computed batch by batch."""
        x = finite("x", x)
        return np.concatenate([self.forward(x[i]) for i in batches(np.arange(len(x)), batch_size)])

    @property
    def params(self):
        """The parameters of all layers."""
        return [w for layer in self.layers for w in layer.params]

    @property
    def grads(self):
        """The gradients of the loss with respect to them."""
        return [dw for layer in self.layers for dw in layer.grads]

    @property
    def weights(self):
        """All parameters and moving averages, in the order of Keras's ``get_weights``."""
        return [w for layer in self.layers for w in (*layer.params, *layer.state)]

    @takes(replacing, "self", "values")
    def set_weights(self, values):
        """Copy ``values``, in the order of ``weights``, into the network."""
        for w, value in zip(self.weights, values, strict=True):
            w[...] = shaped("values", np.asarray(value), w.shape, "that of the weight")

    @takes(weighted, "self")
    def count_params(self):
        """Return how many numbers the weights are, moving averages included."""
        return sum(w.size for w in self.weights)

    @takes(built, "self")
    def summary(self):
        """Print each layer with the shape of its output and the number of its weights."""
        print(summary(self.layers, self.shapes[1:]))


class Sequential(Network):
    """A network with Keras's way of training: compile, fit, evaluate."""

    @takes(trainable, "self", "optimizer", "loss")
    def compile(self, optimizer, loss, metrics=(), from_logits=False, l2=0.0):
        """Say how to train.

        A cross-entropy that follows its own softmax or sigmoid is computed from their logits, as Keras does:
        the same numbers, but exact where a probability rounds to 0 or 1. If the first layer is `Dense`, it
        leaves out the gradient of the data from here on, as no step of training needs it.

        Parameters
        ----------
        optimizer : twice.optimizers.Optimizer
            How gradients move the parameters; one that has trained no other network.
        loss : str or tuple of two callables
            As in `loss_functions`.
        metrics : sequence of str
            Nothing, or "accuracy".
        from_logits : bool
            Whether the network returns logits.
        l2 : float
            λ of the penalty λ ΣW²: Keras's ``kernel_regularizer=L2(λ)`` in every layer.
        """
        end = getattr(self.layers[-1], "activation", "")
        self.fused = not from_logits and ACTIVATION_OF.get(loss) == end
        self.loss, self.gradient = loss_functions(loss, from_logits or self.fused)
        self.sparse = loss == "sparse_categorical_crossentropy"
        self.metrics = {name: choice("metrics", name, METRICS) for name in metrics}
        self.optimizer, self.l2 = optimizer, between("l2", l2, 0, np.inf)
        self.layers[0].first = True

    def scores(self, y_hat):
        """Return what the loss is computed from: the predictions, or the logits they were made from."""
        return self.layers[-1].z if self.fused else y_hat

    def measure(self, y, y_hat):
        """Return the loss, penalty included, and the metrics of the batch that has just gone forward."""
        loss = self.loss(y, self.scores(y_hat)) + l2_penalty(self.params, self.l2)
        others = {name: float(f(y, y_hat)) for name, f in self.metrics.items()}
        return {"loss": float(loss)} | others

    @takes(batch, "self", "x", "y")
    def train_on_batch(self, x, y):
        """Take one step of training and return the loss and the metrics from before it."""
        y_hat = self.forward(x, training=True)
        log = self.measure(y, y_hat)
        dy = self.gradient(y, self.scores(y_hat))
        self.backward(dy.astype(y_hat.dtype), self.fused)
        grads = l2_gradients(self.params, self.grads, self.l2)
        self.optimizer.apply(grads, self.params)
        return log

    @takes(fitted, "self", "x", "y", "batch_size", "epochs", "validation_data", "shuffle", "rng")
    def fit(
        self, x, y, batch_size=32, epochs=1, validation_data=None, shuffle=True, rng=None, verbose="auto"
    ):
        """Train, and return the history: for each number a list with one entry an epoch.

        Parameters
        ----------
        x, y : numpy.ndarray
            Inputs (n, …) and targets: labels (n,) for a sparse loss, otherwise of the outputs' shape.
        batch_size, epochs : int
            Examples in a step, and how often to go through all of them.
        validation_data : tuple of numpy.ndarray
            Other inputs and targets, evaluated after each epoch.
        shuffle : bool
            Whether to draw a new order for each epoch.
        rng : numpy.random.Generator
            Draws it.
        verbose : "auto", 0 or 1
            Whether to draw a progress bar, as in `twice.progress.progress`.

        Returns
        -------
        dict of list of float
            "loss" and the metrics, means over each epoch's batches as they went by; those of the
            validation data begin with "val_".

        Raises
        ------
        ValueError or TypeError
            If an argument does not fit the others or the network, which then stays as it was.
        """
        (x, y), history = self.checked(x, y), defaultdict(list)
        if shuffle:
            generator("rng", rng)
        for epoch in range(positive_integer("epochs", epochs)):
            order = rng.permutation(len(x)) if shuffle else np.arange(len(x))
            parts = batches(order, batch_size)
            steps = progress(parts, f"epoch {epoch + 1} of {epochs}", verbose)
            log = averages([self.train_on_batch(x[i], y[i]) for i in steps], parts)
            if validation_data is not None:
                validation = self.evaluate(*validation_data, batch_size)
                log |= {f"val_{name}": value for name, value in validation.items()}
            for name, value in log.items():
                history[name].append(value)
        return dict(history)

    def evaluate(self, x, y, batch_size=32):
        """Return the loss and the metrics on other data, as a dict."""
        x, y = self.checked(x, y)
        parts = batches(np.arange(len(x)), batch_size)
        logs = [self.measure(y[i], self.forward(x[i])) for i in parts]
        return averages(logs, parts)

    @takes(tried, "self", "x", "y")
    def checked(self, x, y):
        """Return inputs and targets as arrays, if they fit each other and the network."""
        if not hasattr(self, "loss"):
            raise ValueError("loss: expected one to train or evaluate with; call compile() first")
        self.build(np.shape(x))
        return examples(x, y, self.shapes[0], self.shapes[-1], self.sparse)
