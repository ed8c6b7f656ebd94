# ruff: noqa: E402
r"""Networks that read first names letter by letter, beside counts: the trainings behind chapter 14.

python benchmarks/names.py --list      what there is, and what is done
python benchmarks/names.py --all       every run that is not done: each takes about a minute
python benchmarks/names.py --export    bring results and weights into the package

A run leaves one file, benchmarks/names/NAME.json, and is not repeated.

A name is read as "\n" + name and continued as name + "\n", so that the end is predicted as well; bits are a
mean over letters and end marks. The integers are those of `Vocabulary` ("\n", the hyphen, a to z: 1 to 28; 0
fills a batch up and has no part in the loss); output k stands for the integer k + 1.

The networks are made of `twice`'s layers, in float32: Embedding (16 numbers) → Dropout → SimpleRNN, GRU or
LSTM → Dropout → Dense (28 logits), with as many units as make their parameters equal (±2 %). Adam, clipped at
length 1, with half a cosine, in batches of 64 names of like length; the epoch that is best on the validation
part gives the weights. The dropout, of two, is chosen for each kind on the validation part of the split
``first_names(0)`` ("search", with a seed of its own). Then seeds 0 to 4: the seed changes start, batches and
dropout, and also deals the names into other parts (``first_names(seed)``), so that the spread over seeds is
that of everything. The counts are made anew on each split, with the k that was best on the validation part.

Keys of ``KIND-SEED``, a network that continues names: ``run``, ``kind``, ``seed``, ``settings``,
``parameters``, ``processor_seconds``, ``curve`` (bits on the validation part after each epoch),
``chosen_epoch`` (from 1), ``validation_bits``, ``test_bits``, ``standard_error`` (of the latter, over names),
and ``minus``: for each rival the difference network − rival in bits a letter on the same test names
(negative: the network is better), as [difference, its standard error over names, paired].

``counts-SEED``: by rival (uniform, unigram, bigram, trigram, 4-gram, witten-bell) ``test_bits`` and
``standard_error``. ``search-KIND``: ``trials``, a list of settings with ``validation_bits``.

``sex-KIND-SEED``, a network that reads a whole name (of those with one label) and says whether it is female:
``validation_accuracy``, ``test_accuracy``, ``standard_error``, ``confusion`` ([[male as male, male as
female], [female as male, female as female]]), ``rivals``: ``accuracy`` and ``confusion`` of "last letter" and
of "witten-bell" (a model for each sex, of order 6 with k = 6, and Bayes' rule), and ``minus`` as above, in
accuracy (positive: the network is better). The rest is as above; ``curve`` is the validation cross-entropy.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read once, when NumPy is imported

import argparse
import json
import sys
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from math import log, log2, sqrt
from pathlib import Path
from time import process_time

import numpy as np

from twice.data import first_names
from twice.embeddings import Embedding
from twice.layers import Dense, Dropout
from twice.losses import (
    binary_crossentropy,
    binary_crossentropy_gradient,
    sparse_categorical_crossentropy,
    sparse_categorical_crossentropy_gradient,
)
from twice.models import Network, batches
from twice.ngrams import NGrams, WittenBell
from twice.optimizers import Adam, CosineDecay
from twice.recurrent import GRU, LSTM, SimpleRNN, TimeDistributed
from twice.text import Vocabulary, pad_sequences

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "names"
CHECKPOINTS = ROOT / "_build" / "names"
ASSETS = ROOT / "src" / "twice" / "assets"
SEEDS, DROPOUTS = range(5), (0.3, 0.5)
KINDS = {"simple": SimpleRNN, "gru": GRU, "lstm": LSTM}
LETTERS = "\n-abcdefghijklmnopqrstuvwxyz"
VOCABULARY = Vocabulary(LETTERS)


@dataclass(frozen=True)
class Settings:
    """What a network is made of, and how it is trained."""

    kind: str
    size: int = 96  # units of the LSTM that has as many parameters
    dropout: float = 0.3
    learning_rate: float = 0.01
    epochs: int = 20
    batch_size: int = 64
    output_dim: int = 16  # of the embedding


def units(settings):
    """Return the units with which a kind comes nearest to the parameters of an LSTM of this size."""

    def parameters(kind, u):
        gates, biases = KINDS[kind].gates, 2 if kind == "gru" else 1
        return gates * u * (settings.output_dim + u + biases) + len(LETTERS) * u

    wanted = parameters("lstm", settings.size)
    return min(range(1, 4 * settings.size), key=lambda u: abs(parameters(settings.kind, u) - wanted))


def network(settings, seed, outputs=28, sequences=True):
    """Return the network, which reads the integers of `Vocabulary`: 0 is what fills up."""
    rng, options = np.random.default_rng(seed), {"dtype": "float32"}
    first = Embedding(len(VOCABULARY), settings.output_dim, mask_zero=True, rng=rng, **options)
    cell = KINDS[settings.kind](units(settings), return_sequences=sequences, rng=rng, **options)
    last = Dense(outputs, rng=rng, **options)
    drops = [Dropout(settings.dropout, rng=rng) for _ in range(2)]
    return Network([first, drops[0], cell, drops[1], TimeDistributed(last) if sequences else last])


def encoded(names):
    """Return what is read (n, T), what follows, an output each, and which of these count."""
    x, _ = pad_sequences([VOCABULARY.encode("\n" + name) for name in names])
    y, mask = pad_sequences([VOCABULARY.encode(name + "\n") for name in names])
    return x, np.maximum(y - 1, 0), mask


def next_bits(z, y, mask):
    """Return the bits of each symbol that follows, 0 where none does."""
    return (
        sparse_categorical_crossentropy(y, z.astype(float), from_logits=True, reduction=None) * mask / log(2)
    )


def next_gradient(z, y, mask):
    """Return the gradient of the mean cross-entropy over the places that count."""
    dz = sparse_categorical_crossentropy_gradient(y, z, from_logits=True, reduction="sum")
    return (dz * mask[..., None] / mask.sum()).astype(z.dtype)


def label_gradient(z, y):
    """Return the gradient of the mean cross-entropy of labels."""
    return binary_crossentropy_gradient(y, z, from_logits=True).astype(z.dtype)


def like_batches(x, batch_size, rng):
    """Return batches of names of like length, in any order: little of them is only there to fill up."""
    order = rng.permutation(len(x))
    order = order[np.argsort((x[order] > 0).sum(axis=1), kind="stable")]
    parts = batches(order, batch_size)
    return [parts[i] for i in rng.permutation(len(parts))]


def shortened(data):
    """Return a batch without the steps that are padding in all of its names; labels stay as they are."""
    T = (data[0] > 0).sum(axis=1).max()
    return [part[:, :T] if part.shape[1:] == data[0].shape[1:] else part for part in data]


def train(model, settings, seed, data, gradient, judge):
    """Train a network; return what ``judge`` said of it after each epoch, and leave it at its best.

    Parameters
    ----------
    model : twice.models.Network
        Which network.
    settings, seed : Settings, int
        How, and in which order.
    data : tuple of numpy.ndarray
        The inputs, and what the gradient takes besides the outputs.
    gradient : callable
        Returns the loss's gradient with respect to the outputs.
    judge : callable
        Returns what is to be small on the validation part.
    """
    rng = np.random.default_rng([seed, 1])
    steps = settings.epochs * -(-len(data[0]) // settings.batch_size)
    optimizer = Adam(CosineDecay(settings.learning_rate, steps), global_clipnorm=1.0)
    curve, best = [], None
    for _ in range(settings.epochs):
        for rows in like_batches(data[0], settings.batch_size, rng):
            x, *targets = shortened([part[rows] for part in data])
            model.backward(gradient(model.forward(x, training=True), *targets))
            optimizer.apply(model.grads, model.params)
        curve.append(round(float(judge(model)), 4))
        if curve[-1] == min(curve):
            best = [w.copy() for w in model.params]
    model.set_weights(best)
    return curve


# ---------------------------------------------------------------------------- counts


def bits_of_names(model, names):
    """Return the bits that counts need for each name, its end included."""
    n = model.order - 1

    def bits(text):
        whole = n * model.start + text
        return -sum(log2(model.probability(letter, whole[i : i + n])) for i, letter in enumerate(text))

    return np.array([bits(name + "\n") for name in names])


@cache
def rivals(seed):
    """Return the bits of each test name by each rival, and how many letters each name has."""
    train, _, test = first_names(seed)
    models = {
        "unigram": NGrams(1, LETTERS, k=0.3),
        "bigram": NGrams(2, LETTERS, k=0.3),
        "trigram": NGrams(3, LETTERS, k=0.15),
        "4-gram": NGrams(4, LETTERS, k=0.1),
        "witten-bell": WittenBell(6, LETTERS, k=6),
    }
    texts, lengths = [name + "\n" for name in train.name], np.char.str_len(test.name) + 1
    found = {"uniform": log2(len(LETTERS)) * lengths}
    return found | {name: bits_of_names(m.fit(texts), test.name) for name, m in models.items()}, lengths


def mean_and_error(bits, lengths):
    """Return bits a letter, and the standard error of that ratio over names."""
    mean = bits.sum() / lengths.sum()
    return [round(float(x), 4) for x in (mean, sqrt(((bits - mean * lengths) ** 2).sum()) / lengths.sum())]


def counts(seed):
    """Store how many bits a letter each rival needs."""
    bits, lengths = rivals(seed)
    both = {name: mean_and_error(values, lengths) for name, values in bits.items()}
    means, errors = ({name: pair[i] for name, pair in both.items()} for i in range(2))
    write({"run": f"counts-{seed}", "seed": seed, "test_bits": means, "standard_error": errors})


# ---------------------------------------------------------------------------- networks that continue


def trained(settings, seed, parts):
    """Return the trained network, and its curve, for names in three parts."""
    data, (x, y, mask) = encoded(parts[0].name), encoded(parts[1].name)
    model = network(settings, seed)
    judge = lambda model: next_bits(model.forward(x), y, mask).sum() / mask.sum()  # noqa: E731
    return model, train(model, settings, seed, data, next_gradient, judge)


def search(kind):
    """Try each dropout on the validation part of split 0, and store what it says."""
    trials = []
    for dropout in DROPOUTS:
        settings = Settings(kind, dropout=dropout)
        _, curve = trained(settings, 100, first_names(0))
        trials.append(asdict(settings) | {"validation_bits": min(curve)})
    write({"run": f"search-{kind}", "kind": kind, "trials": trials})


def chosen(kind):
    """Return the settings that the search found."""
    best = min(read(f"search-{kind}")["trials"], key=lambda trial: trial["validation_bits"])
    return Settings(**{key: value for key, value in best.items() if key != "validation_bits"})


def summary(name, settings, seed, model, curve, begun):
    """Return what the results of both tasks have in common, and keep the weights."""
    CHECKPOINTS.mkdir(parents=True, exist_ok=True)
    np.savez(CHECKPOINTS / f"{name}.npz", *model.params)
    return {
        "run": name,
        "kind": settings.kind,
        "seed": seed,
        "settings": asdict(settings) | {"units": units(settings)},
        "parameters": int(sum(w.size for w in model.params)),
        "processor_seconds": round(process_time() - begun),
        "curve": curve,
        "chosen_epoch": int(np.argmin(curve)) + 1,
    }


def continues(kind, seed):
    """Train a network that continues names, and store how it did beside the counts."""
    begun, settings, parts = process_time(), chosen(kind), first_names(seed)
    model, curve = trained(settings, seed, parts)
    result = summary(f"{kind}-{seed}", settings, seed, model, curve, begun)
    x, y, mask = encoded(parts[2].name)
    own = next_bits(model.forward(x), y, mask).sum(axis=1)
    others, lengths = rivals(seed)
    result["validation_bits"] = min(curve)
    result["test_bits"], result["standard_error"] = mean_and_error(own, lengths)
    result["minus"] = {name: mean_and_error(own - bits, lengths) for name, bits in others.items()}
    write(result)


# ---------------------------------------------------------------------------- female or male


SEX = Settings("lstm", size=64, dropout=0.3, epochs=12)


def labelled(names):
    """Return the names with one label, and whether they are female."""
    one = names.female != names.male
    return names.name[one], names.female[one]


def read_whole(names, female):
    """Return what is read (n, T), and the labels, (n, 1)."""
    return pad_sequences([VOCABULARY.encode(name) for name in names])[0], female[:, None].astype("float32")


def guesses(seed):
    """Return what the rivals say of each test name: whether it is female."""
    (names, female), _, (test, _) = map(labelled, first_names(seed))
    endings = {name[-1] for name in names}
    shares = {c: female[[name[-1] == c for name in names]].mean() for c in endings}
    sexes = [[name + "\n" for name in names[female == sex]] for sex in (False, True)]
    models = [WittenBell(6, LETTERS, k=6).fit(texts) for texts in sexes]
    male_bits, female_bits = (bits_of_names(model, test) for model in models)
    prior = log2(female.mean() / (1 - female.mean()))
    return {
        "last letter": np.array([shares.get(name[-1], female.mean()) > 0.5 for name in test]),
        "witten-bell": male_bits - female_bits + prior > 0,
    }


def confusion(truth, said):
    """Return how many of each sex were taken for each, male first."""
    return [[int((said[truth == a] == b).sum()) for b in (False, True)] for a in (False, True)]


def tells(kind, seed):
    """Train a network that says whether a name is female, and store how it did beside its rivals."""
    begun, settings = process_time(), replace(SEX, kind=kind)
    train_part, valid, test = (read_whole(*labelled(part)) for part in first_names(seed))
    model = network(settings, seed, outputs=1, sequences=False)
    judge = lambda model: binary_crossentropy(valid[1], model.forward(valid[0]), from_logits=True)  # noqa: E731
    curve = train(model, settings, seed, train_part, label_gradient, judge)
    result = summary(f"sex-{kind}-{seed}", settings, seed, model, curve, begun)
    said, truth = model.forward(test[0])[:, 0] > 0, test[1][:, 0] > 0
    right, n = said == truth, len(truth)
    seen = (model.forward(valid[0]) > 0) == (valid[1] > 0)
    others = guesses(seed)
    result |= {
        "validation_accuracy": round(float(seen.mean()), 4),
        "test_accuracy": round(float(right.mean()), 4),
        "standard_error": round(float(right.std() / sqrt(n)), 4),
        "confusion": confusion(truth, said),
        "rivals": {
            name: {"accuracy": round(float((other == truth).mean()), 4), "confusion": confusion(truth, other)}
            for name, other in others.items()
        },
        "minus": {},
    }
    for name, other in others.items():
        apart = right.astype(float) - (other == truth)
        result["minus"][name] = [round(float(v), 4) for v in (apart.mean(), apart.std() / sqrt(n))]
    write(result)


# ---------------------------------------------------------------------------- files


def plan():
    """Return every run by its name, in the order in which they are made."""
    tasks = {f"search-{kind}": partial(search, kind) for kind in ("lstm", "gru", "simple")}
    for seed in SEEDS:
        tasks[f"counts-{seed}"] = partial(counts, seed)
        tasks |= {f"{kind}-{seed}": partial(continues, kind, seed) for kind in KINDS}
        tasks[f"sex-lstm-{seed}"] = partial(tells, "lstm", seed)
    return tasks


def read(name):
    """Return a stored result."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def write(result):
    """Store a result, a line for each key, in full or not at all."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    part = RESULTS / f"{result['run']}.part"
    lines = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in result.items()]
    part.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    part.replace(part.with_suffix(".json"))


def export():
    """Bring all results into the package, as one list, and the LSTM of split 0, as float16.

    What fills up has no row of its embedding there: row k is that of the integer k + 1, as the outputs are.
    """
    lines = [json.dumps(read(name), ensure_ascii=False) for name in plan()]
    (ASSETS / "names-runs.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    kept = CHECKPOINTS / "lstm-0.npz"
    if kept.exists():
        with np.load(kept) as file:
            E, *others = (file[name].astype(np.float16) for name in file.files)
        arrays = dict(zip("EWUbVc", [E[1:], *others], strict=True))
        np.savez_compressed(ASSETS / "names-network.npz", **arrays)


def main(arguments=None):
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="make every run of the plan")
    parser.add_argument("--list", action="store_true", help="list the runs and what is done")
    parser.add_argument("--export", action="store_true", help="bring results and weights into the package")
    options = parser.parse_args(arguments)
    if options.export:
        return export()
    for name, task in plan().items():
        done = (RESULTS / f"{name}.json").exists()
        if options.all and not done:
            task()
            print(name, flush=True)
        elif not options.all:
            print(f"{name:<14}{'done' if done else 'to do'}")
    return None


if __name__ == "__main__":
    sys.exit(main())
