"""Trained networks that ship with this package."""

import numpy as np

from twice.data.fetch import ASSETS
from twice.decoder import Decoder
from twice.text import Vocabulary


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
