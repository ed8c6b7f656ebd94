"""A few photographs that ship with this package, to look at and to compute with.

``assets/README.md`` says who took each of them. To add one, put the file into ``assets/photographs`` and
its name with its checksum into `FILES`.
"""

import hashlib
import io

import numpy as np

from twice.data.fetch import ASSETS, DataError

FILES = {  # name: the file, and the SHA-256 of its bytes
    "cat": ("cat.jpg", "98de3669cb582fdd4f8a5a34909579b7197563dbd078a3e2a071e251bcfcb9d8"),
    "coffee": ("coffee.jpg", "2019b7502ca93bbd13d4bfbc05141f66bdae246e185faa8a36a497a12d107f61"),
    "rocket": ("rocket.jpg", "3c842f974ccce9dac80f7253b59ef15b4b8d48bcba678bf548b1103d1434c636"),
    "temple": ("temple.jpg", "668b2b87b54da23fea7705da4f1af17a7e45f67a8dc62f94b421c44e37006059"),
}


def photograph(name: str) -> np.ndarray:
    """Read a photograph that ships with this package.

    Parameters
    ----------
    name : str
        Which one: ``sorted(twice.data.photographs.FILES)`` lists them.

    Returns
    -------
    numpy.ndarray, shape (h, w, 3)
        Red, green and blue from 0 to 255, uint8.

    Raises
    ------
    ValueError
        If there is no photograph of that name.
    DataError
        If the shipped file is damaged.
    """
    from PIL import Image  # here, so that `import twice` stays quick

    if name not in FILES:
        raise ValueError(f"name: expected one of {', '.join(sorted(FILES))}; got {name!r}")
    file, sha256 = FILES[name]
    content = (ASSETS / "photographs" / file).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"{file}, which ships with this package, is damaged: install the package again")
    with Image.open(io.BytesIO(content)) as image:
        return np.array(image.convert("RGB"))
