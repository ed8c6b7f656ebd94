"""Make the subsets of MNIST and CIFAR-10 that ship with the package, out of the full sets.

    python tools/make_subsets.py

writes ``mnist.npz`` and ``cifar-10.npz`` into ``src/twice/assets`` and prints the shapes and the SHA-256
sums that ``twice.data`` states. The full sets must be in the cache (``python -m twice.data``). They always
give the same subsets.

A subset has as many images of each class, in the order of the full set. It begins as the full set begins: its
first tenth is the full set's first images, so that the first batch of a chapter is the same with either. The
rest of each class is spread evenly over the rest of the full set, because the order there is not random: the
two halves of MNIST's test set were written by different groups of people.
"""

import sys
from pathlib import Path

import numpy as np

from twice.data.fetch import ASSETS
from twice.data.pictures import CIFAR10, MNIST
from twice.data.sources import cached, digest

TRAIN_PER_CLASS = {"MNIST": 1000, "CIFAR-10": 300}
TEST_PER_CLASS = {"MNIST": 200, "CIFAR-10": 100}


def choose(y, per_class):
    """Return the rows of a subset with `per_class` of each label in `y`."""
    labels = np.unique(y)
    head = per_class * len(labels) // 10
    rows = [np.arange(head)]
    for label in labels:
        later = head + np.flatnonzero(y[head:] == label)
        lacking = per_class - np.count_nonzero(y[:head] == label)
        rows.append(later[np.linspace(0, len(later) - 1, lacking).round().astype(int)])
    return np.sort(np.concatenate(rows))


def subset(arrays, train_per_class, test_per_class):
    """Return the four arrays, reduced to the chosen rows."""
    train = choose(arrays["y_train"], train_per_class)
    test = choose(arrays["y_test"], test_per_class)
    return {
        "x_train": arrays["x_train"][train],
        "y_train": arrays["y_train"][train],
        "x_test": arrays["x_test"][test],
        "y_test": arrays["y_test"][test],
    }


def differences(x):
    """Turn colour images (n, h, w, 3) into small numbers (3, n, h, w); `read_differences` turns them back."""
    red, green, blue = np.moveaxis(x, -1, 0)
    planes = np.stack([green, red - green, blue - green])
    return np.diff(np.diff(planes, axis=2, prepend=np.uint8(0)), axis=3, prepend=np.uint8(0))


def main():
    for dataset in (MNIST, CIFAR10):
        full = cached(dataset)
        if full is None:
            sys.exit(f"{dataset.name} is not in the cache in full: run python -m twice.data")
        arrays = subset(full, TRAIN_PER_CLASS[dataset.name], TEST_PER_CLASS[dataset.name])
        stored = dict(arrays)
        if dataset is CIFAR10:
            stored |= {name: differences(arrays[name]) for name in ("x_train", "x_test")}
        path = Path(ASSETS / dataset.shipped.address)
        np.savez_compressed(path, **stored)
        print(f"{path.name}: {path.stat().st_size:,} bytes")
        for name, array in arrays.items():
            print(f"    {name} {array.shape} {digest(array)}")


if __name__ == "__main__":
    main()
