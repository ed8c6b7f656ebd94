"""What the tests of the package share."""

import keras
import pytest


@pytest.fixture(scope="module")
def float64():
    """Let Keras compute in float64, and leave it as it was found.

    ``set_floatx`` alone would not do: the first layer that any test has made has fixed the policy of dtypes.
    """
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
