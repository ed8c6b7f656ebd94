"""Train the small network of chapter 10 on all of MNIST, and ship its weights as ``digits.npz``.

    python tools/make_digits.py

takes some minutes, prints the accuracy on the test set after each epoch, and writes the weights into
``src/twice/assets``. The network is built from the package's own layers and trained in NumPy, so that its
weights are ones a reader can make. In each epoch every picture is shifted anew, by up to two pixels in either
direction: whoever draws a digit in the page does not centre it as carefully as MNIST's makers did.

MNIST must be in the cache (``python -m twice.data``). The same versions on the same machine give the same
weights.
"""

import sys

import numpy as np

from twice.convolution import Conv2D, MaxPooling2D
from twice.data import mnist
from twice.data.fetch import ASSETS
from twice.layers import Dense, Flatten
from twice.models import Sequential
from twice.optimizers import Adam, CosineDecay

EPOCHS, BATCH, REACH = 8, 64, 2
LEARNING_RATE = 0.003  # at the start; it falls to 0 along half a cosine
NAMES = ["W1", "b1", "W2", "b2", "W3", "b3"]


def network(rng, steps):
    """Return the network of 5,258 parameters, ready to be trained for so many steps."""
    options = {"dtype": "float32", "rng": rng}
    model = Sequential(
        [
            Conv2D(8, (3, 3), activation="relu", **options),
            MaxPooling2D((2, 2)),
            Conv2D(16, (3, 3), activation="relu", **options),
            MaxPooling2D((2, 2)),
            Flatten(),
            Dense(10, "softmax", **options),
        ]
    )
    model.compile(Adam(CosineDecay(LEARNING_RATE, steps)), "sparse_categorical_crossentropy", ["accuracy"])
    return model


def shifted(x, rng):
    """Return the pictures (n, 28, 28, 1), each moved by a random step of up to `REACH` pixels both ways."""
    size, examples = x.shape[1], np.arange(len(x))[:, None, None]
    padded = np.pad(x, ((0, 0), (REACH, REACH), (REACH, REACH), (0, 0)))
    down, right = rng.integers(2 * REACH + 1, size=(2, len(x), 1)) + np.arange(size)
    return padded[examples, down[:, :, None], right[:, None, :]]


def main():
    train, test = [(x[..., None].astype("float32") / 255, y.astype(int)) for x, y in mnist()]
    if len(train[0]) < 60_000:
        return "the weights come from all of MNIST, which is not to be had here: python -m twice.data"
    rng = np.random.default_rng(9)
    model = network(rng, EPOCHS * -(-len(train[0]) // BATCH))
    for epoch in range(EPOCHS):
        log = model.fit(shifted(train[0], rng), train[1], BATCH, rng=rng)
        result = model.evaluate(*test, batch_size=500)
        print(
            f"epoch {epoch + 1}: loss {log['loss'][0]:.4f}, test accuracy {result['accuracy']:.2%}",
            flush=True,
        )
    np.savez_compressed(ASSETS / "digits.npz", **dict(zip(NAMES, model.params, strict=True)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
