# ruff: noqa: E402
"""How warm will the sea be next month, and in a year? The networks behind chapter 14, beside their rivals.

python benchmarks/el_nino.py --list      what there is, and what is done
python benchmarks/el_nino.py --all       every run that is not done: each takes some seconds
python benchmarks/el_nino.py --export    bring the results into the package

A run leaves one file, benchmarks/el_nino/NAME.json. Everything is judged by the root of the mean squared
error in °C over the 132 months of the test part, 2000 to 2010; what is read may reach back into the parts
before.

A network reads 24 months, of each the anomaly (the temperature less the mean of its month in the training
part, divided by the standard deviation of that) and sine and cosine of the season, and says the anomaly one
or 12 months later: LSTM or GRU of 8 units → Dense. AdamW, 40 epochs in batches of 64; the epoch that is best
on the validation part gives the weights. Cell and decay of the weights are chosen for each horizon by the
mean of two seeds on the validation part ("search"); then seeds 0 to 4.

Keys of ``MONTHS-SEED``: ``run``, ``months`` (ahead), ``seed``, ``settings``, ``parameters``, ``curve`` (RMSE
on the validation part after each epoch), ``chosen_epoch``, ``validation_rmse``, ``test_rmse`` and
``forecasts`` of the 132 months. ``search-MONTHS`` has ``trials``, a list of settings with
``validation_rmse``.

Keys of ``MONTHS-months``, made last: ``rmse`` of each forecaster on ``validation`` and ``test``: the rivals
("same as last year", "climatology": the month's mean, "last month": the last one that is known, "last
anomaly": the month's mean and what the last month had beside its own, "AR(24)", "AR(2) + months"), and
"network": the root of the squared errors' mean over the seeds; "networks' mean" is the forecast that is the
mean of the five. ``minus``: for each of the others the difference of test RMSE network − other (negative: the
network is better) and its interval of 95 %, [difference, low, high], from 2,000 paired bootstrap draws of 11
blocks of 12 months that begin anywhere.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read once, when NumPy is imported

import argparse
import itertools
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from twice.data import el_nino
from twice.layers import Dense
from twice.losses import mean_squared_error_gradient
from twice.models import Network, batches
from twice.optimizers import AdamW
from twice.recurrent import GRU, LSTM

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "el_nino"
ASSETS = ROOT / "src" / "twice" / "assets"
HORIZONS, SEEDS = (1, 12), range(5)
KINDS = {"gru": GRU, "lstm": LSTM}


@dataclass(frozen=True)
class Settings:
    """What a network is made of, and how it is trained."""

    months: int
    kind: str = "gru"
    units: int = 8
    weight_decay: float = 0.01
    learning_rate: float = 0.006
    epochs: int = 40
    batch_size: int = 64
    history: int = 24


class Series:
    """The temperatures with all that forecasters read: month by month, from the first of training."""

    def __init__(self, parts):
        self.celsius = np.concatenate([part.celsius for part in parts])
        self.month = np.concatenate([part.month for part in parts])
        self.ends = np.cumsum([len(part) for part in parts])
        train = slice(self.ends[0])
        means = [self.celsius[train][self.month[train] == m].mean() for m in range(1, 13)]
        self.usual = np.array(means)[self.month - 1]
        self.scale = (self.celsius - self.usual)[train].std()
        season = 2 * np.pi * self.month / 12
        anomaly = (self.celsius - self.usual) / self.scale
        self.features = np.stack([anomaly, np.sin(season), np.cos(season)], axis=1).astype("float32")

    def targets(self, part, first=0):
        """Return the numbers of the months of a part (0 to 2) from number ``first`` on."""
        months = np.arange(([0, *self.ends])[part], self.ends[part])
        return months[months >= first]

    def windows(self, targets, months, history):
        """Return what is read before forecasting these months, (n, history, 3)."""
        return self.features[targets[:, None] - months - np.arange(history)[::-1]]


def rmse(errors):
    """Return the root of the mean of the squares."""
    return float(np.sqrt(np.mean(np.square(errors))))


# ---------------------------------------------------------------------------- rivals


def least_squares(series, months, lags, seasonal):
    """Return a linear forecaster, fitted on the training part: numbers of months to °C."""

    def inputs(targets):
        past = series.celsius[targets[:, None] - months - np.arange(lags)]
        rest = np.eye(12)[series.month[targets] - 1] if seasonal else np.ones((len(targets), 1))
        return np.hstack([past, rest])

    train = series.targets(0, first=months + lags - 1)
    w = np.linalg.lstsq(inputs(train), series.celsius[train], rcond=None)[0]
    return lambda targets: inputs(targets) @ w


def rivals(series, months):
    """Return each rival by its name, as a function of the numbers of the months to forecast."""
    anomaly = series.celsius - series.usual
    return {
        "same as last year": lambda t: series.celsius[t - 12],
        "climatology": lambda t: series.usual[t],
        "last month": lambda t: series.celsius[t - months],
        "last anomaly": lambda t: series.usual[t] + anomaly[t - months],
        "AR(24)": least_squares(series, months, 24, seasonal=False),
        "AR(2) + months": least_squares(series, months, 2, seasonal=True),
    }


def interval(squares, others, rng, draws=2000, block=12):
    """Return the difference of two RMSE and its interval of 95 %, paired, by blocks of months."""
    n = len(squares)
    starts = rng.integers(n - block + 1, size=(draws, n // block))
    rows = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)
    apart = np.sqrt(squares[rows].mean(axis=1)) - np.sqrt(others[rows].mean(axis=1))
    whole = np.sqrt(squares.mean()) - np.sqrt(others.mean())
    return [round(float(x), 4) for x in (whole, *np.percentile(apart, [2.5, 97.5]))]


# ---------------------------------------------------------------------------- networks


def network(settings, seed):
    """Return the network: a recurrent layer, whose last state is read, and one number."""
    options = {"dtype": "float32", "rng": np.random.default_rng(seed)}
    return Network([KINDS[settings.kind](settings.units, **options), Dense(1, **options)])


def train(settings, seed, series):
    """Train a network; return it with its best weights, and its RMSE on the validation part by epochs."""
    targets = series.targets(0, first=settings.months + settings.history - 1)
    x = series.windows(targets, settings.months, settings.history)
    y = series.features[targets, :1]
    model, rng = network(settings, seed), np.random.default_rng([seed, 1])
    optimizer = AdamW(settings.learning_rate, settings.weight_decay, global_clipnorm=1.0)
    curve, best, judges = [], None, series.targets(1)
    for _ in range(settings.epochs):
        for rows in batches(rng.permutation(len(x)), settings.batch_size):
            model.backward(mean_squared_error_gradient(y[rows], model.forward(x[rows], training=True)))
            optimizer.apply(model.grads, model.params)
        curve.append(round(rmse(forecast(model, settings, series, judges) - series.celsius[judges]), 4))
        if curve[-1] == min(curve):
            best = [w.copy() for w in model.params]
    model.set_weights(best)
    return model, curve


def forecast(model, settings, series, targets):
    """Return a network's forecasts of these months in °C."""
    anomaly = model.forward(series.windows(targets, settings.months, settings.history))[:, 0]
    return series.usual[targets] + series.scale * anomaly.astype(float)


# ---------------------------------------------------------------------------- runs


def search(months, series):
    """Try cells and decays on the validation part, each with two seeds, and store the means."""
    trials = []
    for kind, decay in itertools.product(KINDS, (0.01, 1.0)):
        settings = Settings(months, kind, weight_decay=decay)
        found = [min(train(settings, seed, series)[1]) for seed in (100, 101)]
        trials.append(asdict(settings) | {"validation_rmse": round(float(np.mean(found)), 4)})
    write(f"search-{months}", {"run": f"search-{months}", "trials": trials})


def chosen(months):
    """Return the settings that the search found."""
    best = min(read(f"search-{months}")["trials"], key=lambda trial: trial["validation_rmse"])
    return Settings(**{key: value for key, value in best.items() if key != "validation_rmse"})


def run(months, seed, series, settings=None, store=None):
    """Train one network, let it forecast the test part, and store what came out."""
    settings = settings or chosen(months)
    model, curve = train(settings, seed, series)
    targets = series.targets(2)
    forecasts = forecast(model, settings, series, targets)
    result = {
        "run": f"{months}-{seed}",
        "months": months,
        "seed": seed,
        "settings": asdict(settings),
        "parameters": int(sum(w.size for w in model.params)),
        "curve": curve,
        "chosen_epoch": int(np.argmin(curve)) + 1,
        "validation_rmse": min(curve),
        "test_rmse": round(rmse(forecasts - series.celsius[targets]), 4),
        "forecasts": forecasts.round(3).tolist(),
    }
    (store or write)(f"{months}-{seed}", result)
    return result


def compare(months, series):
    """Compare the networks with their rivals, and store what came out."""
    runs = [read(f"{months}-{seed}") for seed in SEEDS]
    test, found = series.targets(2), rivals(series, months)
    forecasts = np.array([result["forecasts"] for result in runs])
    squares = {name: np.square(rival(test) - series.celsius[test]) for name, rival in found.items()}
    own = np.square(forecasts - series.celsius[test]).mean(axis=0)
    squares["networks' mean"] = np.square(forecasts.mean(axis=0) - series.celsius[test])
    valid = series.targets(1)
    rows = {name: {"validation": rmse(rival(valid) - series.celsius[valid])} for name, rival in found.items()}
    rows = {name: row | {"test": rmse(np.sqrt(squares[name]))} for name, row in rows.items()}
    ours = [result["validation_rmse"] for result in runs]
    rows["network"] = {"validation": rmse(ours), "test": rmse(np.sqrt(own))}
    rows["networks' mean"] = {"test": rmse(np.sqrt(squares["networks' mean"]))}
    rows = {name: {part: round(value, 4) for part, value in row.items()} for name, row in rows.items()}
    minus = {name: interval(own, other, np.random.default_rng(0)) for name, other in squares.items()}
    result = {"run": f"{months}-months", "months": months, "rmse": rows, "minus": minus}
    write(f"{months}-months", result)


def plan():
    """Return every run by its name, as a function of the series."""
    tasks = {}
    for months in HORIZONS:
        tasks[f"search-{months}"] = lambda series, months=months: search(months, series)
        for seed in SEEDS:
            tasks[f"{months}-{seed}"] = lambda series, months=months, seed=seed: run(months, seed, series)
        tasks[f"{months}-months"] = lambda series, months=months: compare(months, series)
    return tasks


# ---------------------------------------------------------------------------- files


def read(name):
    """Return a stored result."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def write(name, result):
    """Store a result, a line for each key, in full or not at all."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    part = RESULTS / f"{name}.part"
    lines = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in result.items()]
    part.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    part.replace(part.with_suffix(".json"))


def export():
    """Bring all results into the package, as one list."""
    lines = [json.dumps(read(name), ensure_ascii=False) for name in plan()]
    (ASSETS / "el-nino-runs.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def main(arguments=None):
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="make every run of the plan")
    parser.add_argument("--list", action="store_true", help="list the runs and what is done")
    parser.add_argument("--export", action="store_true", help="bring the results into the package")
    options = parser.parse_args(arguments)
    if options.export:
        return export()
    series = Series(el_nino())
    for name, task in plan().items():
        done = (RESULTS / f"{name}.json").exists()
        if options.all and not done:
            task(series)
            print(name, flush=True)
        elif not options.all:
            print(f"{name:<12}{'done' if done else 'to do'}")
    return None


if __name__ == "__main__":
    sys.exit(main())
