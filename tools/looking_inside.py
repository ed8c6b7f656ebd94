"""Draw the picture of chapter 12 that the README and the first page show: where a network sees what it names.

python tools/looking_inside.py

The maps are Grad-CAM (12.13): EfficientNet-Lite0's last feature maps, weighted as its classifier weighs them.
"""

from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np

from twice.backbones import decode_predictions, efficientnet_lite0, preprocess, resize
from twice.data import photograph
from twice.plots import use_style

PICTURE = Path(__file__).resolve().parent.parent / "book" / "figures" / "looking-inside.jpg"
NAMES = ["cat", "coffee"]


def looked_at(model, pictures):
    """Return the most likely class of each picture, and how much each place speaks for it, (n, 7, 7)."""
    last = model.get_layer("features").input  # (n, 7, 7, 1280)
    p, maps = keras.Model(model.input, [model.output, last]).predict(preprocess(pictures), verbose=0)
    kernel = model.get_layer("classifier").kernel.numpy()
    answers = [name for ((name, _),) in decode_predictions(p, top=1)]
    return answers, np.maximum(np.einsum("nhwc,cn->nhw", maps, kernel[:, p.argmax(axis=1)]), 0)


def main():
    """Draw each photograph, and beside it the same with its map laid over it."""
    use_style()
    pictures = np.stack([resize(photograph(name)) for name in NAMES])
    answers, maps = looked_at(efficientnet_lite0(), pictures)
    figure, axes = plt.subplots(1, 2 * len(NAMES), figsize=(9, 2.4))
    for pair, picture, answer, places in zip(axes.reshape(-1, 2), pictures, answers, maps, strict=True):
        for ax in pair:
            ax.imshow(picture.astype("uint8"), extent=(0, 7, 7, 0), interpolation="hanning")
            ax.axis("off")
        pair[1].imshow(places, alpha=0.55, extent=(0, 7, 7, 0), interpolation="bicubic")
        pair[1].set_title(f"“{answer}”")
    figure.savefig(PICTURE, dpi=130, pil_kwargs={"quality": 88})


if __name__ == "__main__":
    main()
