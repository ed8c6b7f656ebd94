"""Optimizers against Keras over 100 steps: parameters and state, with clipping, decay and schedules.

Keras rounds Python floats among its arguments to float32; it gets every one as np.float64 here.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twice import optimizers
from twice.checks import Disagreement, agree
from twice.optimizers import SGD, Adam, AdamW, RMSprop

SHAPES = [(4, 3), (3,), (2, 2, 5), ()]
STEPS = 100
OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.0, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"rho": 0.5, "epsilon": 1e-3}),
    ("RMSprop", {"momentum": 0.8}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.8, "centered": True}),
    ("Adam", {}),
    ("Adam", {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.1}),
]
OPTIONS = [{}, {"clipnorm": 1.5}, {"global_clipnorm": 1.5}, {"clipvalue": 0.3}, {"weight_decay": 0.05}]
SCHEDULES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "decay_rate": 0.5}),
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 30, "decay_rate": 0.5, "staircase": True},
    ),
    ("PiecewiseConstantDecay", {"boundaries": [10, 60], "values": [0.1, 0.03, 0.01]}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 70}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 70, "alpha": 0.2}),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.0,
            "decay_steps": 70,
            "alpha": 0.1,
            "warmup_target": 0.2,
            "warmup_steps": 20,
        },
    ),
    (
        "CosineDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 70, "warmup_target": 0.3, "warmup_steps": 0},
    ),
    (
        "CosineDecay",  # the climb begins above 0
        {"initial_learning_rate": 0.1, "decay_steps": 50, "warmup_target": 0.3, "warmup_steps": 30},
    ),
]
# Keras's defaults are Python floats too.
BETAS = {"beta_1": 0.9, "beta_2": 0.999}
DEFAULTS = {"SGD": {}, "RMSprop": {}, "Adam": BETAS, "AdamW": BETAS | {"weight_decay": 0.004}}
# Keras's names for the state, in the order of ours.
STATE = {
    "SGD": ["momentum"],
    "RMSprop": ["velocity", "average_gradient", "momentum"],
    "Adam": ["momentum", "velocity"],
    "AdamW": ["momentum", "velocity"],
}


pytestmark = pytest.mark.usefixtures("float64")


def exact(arguments):
    """The same arguments with every Python float as np.float64."""
    return {
        name: [np.float64(v) if isinstance(v, float) else v for v in value]
        if isinstance(value, list)
        else np.float64(value)
        if type(value) is float
        else value
        for name, value in arguments.items()
    }


def start(dtype="float64"):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(dtype) for shape in SHAPES]


def gradients(params, step):
    """Those of a bowl, steep along some parameters and flat along others, with noise as in batches."""
    rng = np.random.default_rng(step)
    grads = []
    for w in params:
        curvature = np.geomspace(0.01, 3, w.size).reshape(w.shape)
        grads.append((curvature * w + rng.normal(size=w.shape)).astype(w.dtype))
    return grads


def follow(ours, theirs, dtype="float64", steps=STEPS):
    """Let both take the steps, each along the gradients at its own parameters."""
    params, variables = start(dtype), [keras.Variable(w, dtype=dtype) for w in start(dtype)]
    theirs.build(variables)
    apply = tf.function(theirs.apply)
    for step in range(steps):
        ours.apply(gradients(params, step), params)
        apply([tf.constant(g) for g in gradients([v.numpy() for v in variables], step)])
    return params, variables


def agree_all(name, ours, theirs, params, variables, atol):
    for i, (w, v) in enumerate(zip(params, variables, strict=True)):
        assert np.abs(w - start()[i]).max() > 0.01, "the steps should have moved the parameters"
        agree(f"parameter {i}", w, v, atol=atol)
    for j, slot in enumerate(STATE[name]):
        kept = [v for v in theirs.variables if v.path.endswith(f"_{slot}")]
        for i, v in enumerate(kept):
            state = ours.state[i][j]
            if slot == "velocity" and getattr(ours, "centered", False):  # ours is the variance itself
                state = state + ours.state[i][1] ** 2
            agree(f"{slot} {i}", state, v, atol=atol)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name, arguments", OPTIMIZERS, ids=str)
def test_a_hundred_steps_are_keras(name, arguments, options):
    arguments = {"learning_rate": 0.02} | DEFAULTS[name] | options | arguments
    ours, theirs = getattr(optimizers, name)(**arguments), getattr(keras.optimizers, name)(**exact(arguments))
    params, variables = follow(ours, theirs)
    agree_all(name, ours, theirs, params, variables, atol=1e-12)


@pytest.mark.parametrize("name", STATE)
def test_defaults_are_keras(name):
    theirs = getattr(keras.optimizers, name)().get_config()
    ours = vars(getattr(optimizers, name)())
    for argument in {"momentum", "rho", "beta_1", "beta_2", "epsilon", "nesterov", "centered"} & set(ours):
        assert ours[argument] == theirs[argument]
    assert ours["learning_rate"] == pytest.approx(theirs["learning_rate"], rel=1e-7)
    assert ours["weight_decay"] == (theirs["weight_decay"] or 0)


@pytest.mark.parametrize("name, arguments", OPTIMIZERS, ids=str)
def test_float32_stays_float32(name, arguments):
    """A hundred roundings by up to 6e-8 of numbers of about 1 add up to less than 1e-5."""
    arguments = {"learning_rate": 0.02, "clipnorm": 1.5} | arguments
    ours, theirs = getattr(optimizers, name)(**arguments), getattr(keras.optimizers, name)(**arguments)
    params, variables = follow(ours, theirs, "float32")
    assert {w.dtype for w in params} | {s.dtype for state in ours.state for s in state} == {
        np.dtype("float32")
    }
    for i, (w, v) in enumerate(zip(params, variables, strict=True)):
        agree(f"parameter {i}", w, v, atol=1e-5)


# ---------------------------------------------------------------------------- schedules


@pytest.mark.parametrize("name, arguments", SCHEDULES, ids=str)
def test_schedules_are_keras(name, arguments):
    ours = getattr(optimizers, name)(**arguments)
    theirs = getattr(keras.optimizers.schedules, name)(**exact(arguments))
    rates = np.array([ours(step) for step in range(STEPS)])
    agree(name, rates, np.array([float(theirs(step)) for step in range(STEPS)]), atol=1e-15)
    assert len(np.unique(rates)) > 2


@pytest.mark.parametrize("rule", [SGD, AdamW], ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name, arguments", SCHEDULES, ids=str)
def test_a_hundred_steps_on_a_schedule_are_keras(name, arguments, rule):
    extra = {"momentum": 0.9} if rule is SGD else DEFAULTS["AdamW"]
    schedule = getattr(keras.optimizers.schedules, name)(**exact(arguments))
    ours = rule(getattr(optimizers, name)(**arguments), **extra)
    theirs = getattr(keras.optimizers, rule.__name__)(schedule, **exact(extra))
    params, variables = follow(ours, theirs)
    agree_all(rule.__name__, ours, theirs, params, variables, atol=1e-12)


# ---------------------------------------------------------------------------- clipping

gradients_of_any_size = st.lists(
    arrays(np.float64, st.sampled_from(SHAPES), elements=st.floats(-100, 100)), min_size=1, max_size=3
)


@given(gradients_of_any_size, st.floats(0.01, 50))
def test_clipping_bounds_what_it_says_and_touches_nothing_smaller(grads, limit):
    norm = np.sqrt(sum((g**2).sum() for g in grads))
    by_value = optimizers.clip_by_value(grads, limit)
    by_norm = optimizers.clip_by_norm(grads, limit)
    by_global_norm = optimizers.clip_by_global_norm(grads, limit)
    for g, value, length, together in zip(grads, by_value, by_norm, by_global_norm, strict=True):
        assert np.abs(value).max() <= limit
        assert (value[np.abs(g) <= limit] == g[np.abs(g) <= limit]).all()
        assert np.linalg.norm(length) <= limit * (1 + 1e-12)
        assert np.linalg.norm(g) > limit or (length == g).all()
        np.testing.assert_allclose(together, g * min(1, limit / norm) if norm else g, rtol=1e-12)
    assert np.sqrt(sum((g**2).sum() for g in by_global_norm)) <= limit * (1 + 1e-12)


# ---------------------------------------------------------------------------- the checks can fail


class UncorrectedAdam(Adam):
    """Adam without its bias correction."""

    def step(self, w, g, rate, m, v):
        m += (1 - self.beta_1) * (g - m)
        v += (1 - self.beta_2) * (g**2 - v)
        w -= rate * m / (np.sqrt(v) + self.epsilon)


class AlgorithmOneAdam(Adam):
    """The paper's Algorithm 1: ε beside the corrected root."""

    def step(self, w, g, rate, m, v):
        m += (1 - self.beta_1) * (g - m)
        v += (1 - self.beta_2) * (g**2 - v)
        t = self.iterations
        w -= rate * m / (1 - self.beta_1**t) / (np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)


class LateAdam(Adam):
    """Counts steps from 0."""

    def apply(self, grads, params):
        self.iterations += self.iterations == 0
        super().apply(grads, params)


class RateOutside(SGD):
    """The textbook's momentum, which differs as soon as the rate changes."""

    def step(self, w, g, rate, v):
        v *= self.momentum
        v += g
        w -= rate * v


class OldVelocity(SGD):
    """Nesterov's step with the velocity from before."""

    def step(self, w, g, rate, v):
        w += self.momentum * v - rate * g
        v *= self.momentum
        v -= rate * g


class EpsilonOutside(RMSprop):
    def step(self, w, g, rate, v, g_mean, m):
        v *= self.rho
        v += (1 - self.rho) * g**2
        w -= rate * g / (np.sqrt(v) + self.epsilon)


class CoupledAdamW(AdamW):
    """Decay added to the gradient, as an L2 penalty would."""

    def apply(self, grads, params):
        decay, self.weight_decay = self.weight_decay, 0.0
        super().apply([g + decay * w for g, w in zip(grads, params, strict=True)], params)
        self.weight_decay = decay


DECAY = {"initial_learning_rate": 0.05, "decay_steps": 30, "decay_rate": 0.5}


@pytest.mark.parametrize(
    "wrong, arguments",
    [
        (UncorrectedAdam, {}),
        (AlgorithmOneAdam, {}),
        (LateAdam, {}),
        (RateOutside, {"momentum": 0.9}),
        (OldVelocity, {"momentum": 0.9, "nesterov": True}),
        (EpsilonOutside, {}),
        (CoupledAdamW, {"weight_decay": 0.1}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_wrong_rules_are_rejected(wrong, arguments):
    name = wrong.__base__.__name__
    arguments = DEFAULTS[name] | arguments
    ours = wrong(optimizers.ExponentialDecay(**DECAY), **arguments)
    schedule = keras.optimizers.schedules.ExponentialDecay(**exact(DECAY))
    theirs = getattr(keras.optimizers, name)(schedule, **exact(arguments))
    params, variables = follow(ours, theirs)
    with pytest.raises(Disagreement, match="parameter 0"):
        agree_all(name, ours, theirs, params, variables, atol=1e-12)


def test_the_rate_outside_the_velocity_is_the_same_while_it_stays_the_same():
    ours, theirs = (
        RateOutside(0.02, momentum=0.9),
        keras.optimizers.SGD(np.float64(0.02), momentum=np.float64(0.9)),
    )
    for w, v in zip(*follow(ours, theirs), strict=True):
        agree("w", w, v, atol=1e-12)


# ---------------------------------------------------------------------------- behaviour


@pytest.mark.parametrize("name", STATE)
def test_parameters_change_in_place(name):
    w = np.ones((2, 2))
    kept = w
    getattr(optimizers, name)(0.1).apply([np.ones((2, 2))], [w])
    assert kept is w and (w < 1).all()


@pytest.mark.parametrize("name", STATE)
def test_gradients_are_left_as_they_were(name):
    g = np.full((2, 2), 3.0)
    getattr(optimizers, name)(0.1, clipnorm=1.0).apply([g], [np.ones((2, 2))])
    assert (g == 3).all()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: SGD(-0.1), "learning_rate: expected a number from 0 to below inf, got -0.1"),
        (lambda: SGD("fast"), "learning_rate: expected a number from 0 .*, got 'fast'"),
        (lambda: SGD(True), "learning_rate: expected a number from 0 to below inf, got True"),
        (lambda: SGD(momentum=1.0), "momentum: expected a number from 0 to below 1, got 1.0"),
        (lambda: RMSprop(rho=1.5), "rho: expected a number from 0 to below 1, got 1.5"),
        (lambda: Adam(beta_2=1.0), "beta_2: expected a number from 0 to below 1, got 1.0"),
        (lambda: Adam(epsilon=-1), "epsilon: expected a number from 0 .*, got -1"),
        (lambda: AdamW(weight_decay=None), "weight_decay: expected a number from 0 .*, got None"),
        (lambda: Adam(clipnorm=0), "clipnorm: expected a number from .*, got 0"),
        (
            lambda: Adam(clip=1.0),
            "clipping: expected one of clipvalue, clipnorm, global_clipnorm; got 'clip'",
        ),
        (
            lambda: Adam(clipnorm=1.0, clipvalue=1.0),
            "clipping: .* at most one kind, got clipnorm and clipvalue",
        ),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


W, V = np.ones(2), np.ones(2)


@pytest.mark.parametrize(
    "grads, params, message",
    [
        ([W], [W, V], "grads: expected one for each of the 2 parameters, got 1"),
        ([W, W, W], [W, V], "grads: expected one for each of the 2 parameters, got 3"),
        ([np.ones((2, 1))], [W], r"grads: expected shape \(2,\), that of the parameter; got \(2, 1\)"),
        ([1.0], [W], r"grads: expected shape \(2,\), that of the parameter; got \(\)"),
        ([1.0], [0.0], "params: expected arrays of floats, which a step can change, got 0.0"),
        ([1.0], [np.float64(0.5)], r"params: expected arrays of floats, .* got (np.float64\()?0.5"),
        ([np.ones(2)], [[1.0, 2.0]], r"params: expected arrays of floats, .* got \[1.0, 2.0\]"),
        ([np.ones(2)], [np.array([1, 2])], r"params: expected arrays of floats, .* got array\(\[1, 2\]\)"),
    ],
)
@pytest.mark.parametrize("name", STATE)
def test_what_a_step_cannot_change_is_refused(name, grads, params, message):
    optimizer, before = getattr(optimizers, name)(), W.copy()
    with pytest.raises((ValueError, TypeError), match=f"^{message}"):
        optimizer.apply(grads, params)
    assert optimizer.iterations == 0 and optimizer.state is None and (before == W).all()


def test_a_parameter_may_be_a_single_number():
    w = np.array(1.0)
    SGD(0.5).apply([np.float64(1)], [w])
    assert w == 0.5


@pytest.mark.parametrize("shape", [(2,), (3,)], ids=["of the same shape", "of another shape"])
@pytest.mark.parametrize("name", STATE)
def test_an_optimizer_belongs_to_its_parameters(name, shape):
    """The old moments would be added to the new steps; Keras raises as well."""
    optimizer, w, other = getattr(optimizers, name)(0.1), np.ones(2), np.ones(shape)
    for _ in range(2):
        optimizer.apply([np.ones(2)], [w])
    with pytest.raises(ValueError, match="^params: expected those of the optimizer's first step"):
        optimizer.apply([np.ones(shape)], [other])
    with pytest.raises(ValueError, match="^params: expected those of the optimizer's first step"):
        optimizer.apply([np.ones(2), np.ones(shape)], [w, other])
    assert optimizer.iterations == 2 and (other == 1).all()


def test_a_centered_average_of_large_slopes_loses_no_digits_in_float32():
    """v and ḡ² are both 10,000, and float32 keeps seven digits: as their difference the variance is noise."""
    ours = {dtype: np.ones(1, dtype) for dtype in ("float32", "float64")}
    for dtype, w in ours.items():
        rule = RMSprop(0.001, centered=True)
        for _ in range(300):
            rule.apply([np.full(1, 100, dtype)], [w])
    agree("w", ours["float32"] / ours["float64"], [1.0], atol=0.01)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("clip", [optimizers.clip_by_norm, optimizers.clip_by_global_norm])
def test_clipping_by_length_measures_large_gradients_too(clip, dtype):
    """In float32 the square of 3e20 is infinite, and all that would be left is 0."""
    (clipped,) = clip([np.array([3e20, -4e20], dtype)], 1.0)
    assert clipped.dtype == dtype
    agree("direction", clipped, [0.6, -0.8], atol=1e-6)
