# ruff: noqa: E402
"""A decoder, an LSTM and counts that read Moby-Dick letter by letter: the trainings behind chapter 16.

python benchmarks/moby_dick.py --list                what there is, and what is done
python benchmarks/moby_dick.py --all                 every run that is not done
python benchmarks/moby_dick.py --all --longer        the longest trainings too, of 16,000 steps
python benchmarks/moby_dick.py --export              bring results and weights into the package

A run leaves one file, benchmarks/moby_dick/NAME.json. A run that has its file is not repeated; one that was
interrupted goes on from its last checkpoint in _build/moby_dick.

Both networks have the layers and the first weights of `twice`, and are trained by TensorFlow, in float32,
with the code below; a test compares it with `twice`. With one seed both read the same batches: 8 windows of
128 characters, drawn evenly from the training text, each to be continued by one character at every position.
Adam with clipping, a warm-up and half a cosine; there is neither dropout nor weight decay. Of the looks at
the validation text (5 in the shortest trainings, else 10) the best decides which weights are kept. The rate
is the best of four by short trainings of 500 steps, each with a whole schedule ("search"), on the validation
text. The test text is read once, at the end.

Keys of a network's result:

- ``run`` (MODEL-STEPS-SEED), ``model``, ``seed``, ``settings``, ``conditions``, ``parameters``, ``letters``
  (in the order of their integers, from 1), ``processor_seconds``, ``characters`` (read in training);
- ``curve``: ``step``, ``train_bits`` (mean of the batches since the last look) and ``validation_bits``, in
  bits a character, over windows of 128 side by side (so with 1 to 128 characters of context);
- ``chosen_step`` of the weights that were kept; ``validation_bits`` and ``test_bits`` of these: windows of
  128 begin every 64 characters, and of each the last 64 predictions count (of the first one all): so each
  rests on 65 to 128 characters;
- ``blocks``: the same test bits for 60 blocks of the test text, of (nearly) equal length;
- ``positions``: mean bits at each of the 128 positions of these windows;
- ``carried_bits`` (LSTM only): test bits if its state is carried on through 64 stretches of the text, each
  begun at 0, so with up to 1,884 characters of context.

Keys of ``counts``: ``order`` and ``k`` (chosen on the validation text) of `twice.ngrams.WittenBell`,
``validation_bits``, ``test_bits``, ``blocks`` and ``numbers`` (how many counts it keeps). Keys of a search:
``rates`` and the ``validation_bits`` that each led to. The exported file is a list of all of these.
"""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import json
import platform
import sys
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from time import process_time

import numpy as np
import tensorflow as tf

from twice.data import moby_dick
from twice.decoder import Decoder
from twice.embeddings import Embedding
from twice.layers import Dense
from twice.models import Sequential
from twice.ngrams import WittenBell
from twice.recurrent import LSTM, TimeDistributed
from twice.text import Vocabulary

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "moby_dick"
CHECKPOINTS = ROOT / "_build" / "moby_dick"
ASSETS = ROOT / "src" / "twice" / "assets"
SEEDS = range(3)
RATES = {"decoder": (0.001, 0.002, 0.004, 0.008), "lstm": (0.002, 0.004, 0.008, 0.016)}
STEPS, LONGER = (1000, 4000), (16_000,)  # trainings: of the longest not every seed has to be there
SEARCH, BLOCKS = 500, 60
BETA_1, BETA_2, EPSILON, CLIP = 0.9, 0.99, 1e-8, 1.0


@dataclass(frozen=True)
class Settings:
    """What a network is made of, and how it is trained."""

    model: str
    learning_rate: float = 0.0
    steps: int = 1000
    looks: int = 5  # at the validation text, evenly spread
    warmup: int = 100
    batch_size: int = 8
    sequence_length: int = 128
    embedding_dim: int = 64
    num_heads: int = 4  # of the decoder
    num_blocks: int = 2
    units: int = 127  # of the LSTM, which then has exactly as many parameters

    @property
    def every(self):
        """Return the steps from one look at the validation text to the next."""
        return self.steps // self.looks


def network(settings, size, seed):
    """Return the untrained network from `twice`, for ``size`` tokens."""
    rng, d = np.random.default_rng(seed), settings.embedding_dim
    if settings.model == "decoder":
        sizes = size, settings.sequence_length, d, settings.num_heads, settings.num_blocks
        model = Decoder(*sizes, approximate=True, dtype="float32", rng=rng)
    else:
        options = {"dtype": "float32", "rng": rng}
        read = LSTM(settings.units, return_sequences=True, **options)
        model = Sequential([Embedding(size, d, **options), read, TimeDistributed(Dense(size, **options))])
    model.build((None, settings.sequence_length))
    return model


# ---------------------------------------------------------------------------- the same in TensorFlow


def norm(x, gamma, beta):
    """Return γx̂ + β, as `LayerNormalization` does."""
    x = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    return x * tf.math.rsqrt(tf.reduce_mean(x * x, axis=-1, keepdims=True) + 1e-3) * gamma + beta


def attend(x, Wq, bq, Wk, bk, Wv, bv, Wo, bo):
    """Return what causal attention finds, from x of shape (n, T, d)."""
    n, T, d = x.shape
    heads = Wq.shape[1]
    W = tf.concat([tf.reshape(w, (d, d)) for w in (Wq, Wk, Wv)], axis=1)
    b = tf.concat([tf.reshape(w, (d,)) for w in (bq, bk, bv)], axis=0)
    qkv = tf.reshape(tf.reshape(x, (n * T, d)) @ W + b, (n, T, 3, heads, d // heads))
    q, k, v = tf.unstack(tf.transpose(qkv, (2, 0, 3, 1, 4)))  # (n, heads, T, key_dim) each
    z = tf.matmul(q, k, transpose_b=True) / (d // heads) ** 0.5
    z += -1e9 * (1 - tf.linalg.band_part(tf.ones((T, T)), -1, 0))
    a = tf.transpose(tf.matmul(tf.nn.softmax(z), v), (0, 2, 1, 3))
    return tf.reshape(tf.reshape(a, (n * T, d)) @ tf.reshape(Wo, (d, d)) + bo, (n, T, d))


def decoder_logits(weights, tokens):
    """Return the logits (n, T, tokens) of a `Decoder` with these weights, in its order."""
    E, P, *inner, gamma, beta = weights
    (n, T), d = tokens.shape, E.shape[1]
    x = tf.one_hot(tokens, E.shape[0]) @ E + P[:T]
    for i in range(0, len(inner), 16):
        first, attention, (gamma_2, beta_2, W1, b1, W2, b2) = inner[i : i + 2], *cut(inner[i + 2 : i + 16], 8)
        x = x + attend(norm(x, *first), *attention)
        y = tf.reshape(norm(x, gamma_2, beta_2), (n * T, d))
        x = x + tf.reshape(tf.nn.gelu(y @ W1 + b1, approximate=True) @ W2 + b2, (n, T, d))
    return norm(x, gamma, beta) @ tf.transpose(E)


def cut(values, place):
    """Return the values before a place, and the others."""
    return values[:place], values[place:]


def lstm_logits(weights, tokens, state=None):
    """Return the logits of the LSTM network and its last state, h and c."""
    E, W, U, b, V, c = weights
    n, u = tokens.shape[0], U.shape[0]

    def step(state, p):
        h, memory = state
        i, f, g, o = tf.split(p + h @ U, 4, axis=1)
        memory = tf.sigmoid(f) * memory + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(memory), memory

    p = tf.gather(E @ W + b, tf.transpose(tokens))  # (T, n, 4u): the input's part, for each token once
    states = tf.scan(step, p, state or (tf.zeros((n, u)), tf.zeros((n, u))))
    return tf.transpose(states[0], (1, 0, 2)) @ V + c, tuple(s[-1] for s in states)


def logits(model, weights, tokens):
    """Return the logits (n, T, tokens) of a network of either kind."""
    return decoder_logits(weights, tokens) if model == "decoder" else lstm_logits(weights, tokens)[0]


def cross_entropies(z, y):
    """Return −log₂ p of each token y, of y's shape, from the logits."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(y, z) / np.log(2)


# ---------------------------------------------------------------------------- training


class Trainer:
    """A network's weights as variables, with the two averages of Adam; ``update`` learns from a batch."""

    def __init__(self, model, shapes):
        self.model = model
        self.weights, self.m, self.v = ([tf.Variable(tf.zeros(s)) for s in shapes] for _ in range(3))
        quick = model == "decoder"  # compiled, the loop over time of the LSTM is slower
        self.update = tf.function(self.update, jit_compile=quick, reduce_retracing=True)
        self.measure = tf.function(self.measure, jit_compile=quick)

    def update(self, windows, rate, number):
        """Make one step of Adam, and return the mean of the bits before it."""
        with tf.GradientTape() as tape:
            z = logits(self.model, self.weights, windows[:, :-1])
            bits = tf.reduce_mean(cross_entropies(z, windows[:, 1:]))
        grads = [tf.convert_to_tensor(g) for g in tape.gradient(bits, self.weights)]
        grads, _ = tf.clip_by_global_norm(grads, CLIP)
        for w, g, m, v in zip(self.weights, grads, self.m, self.v, strict=True):
            m.assign(BETA_1 * m + (1 - BETA_1) * g)
            v.assign(BETA_2 * v + (1 - BETA_2) * g * g)
            w.assign_sub(rate * (m / (1 - BETA_1**number)) / (tf.sqrt(v / (1 - BETA_2**number)) + EPSILON))
        return bits

    def measure(self, windows):
        """Return the bits of each token after the first of each window."""
        return cross_entropies(logits(self.model, self.weights, windows[:, :-1]), windows[:, 1:])

    def bits(self, windows, batch=64):
        """Return the same for any number of windows, as an array."""
        full = np.resize(windows, (-(-len(windows) // batch) * batch, windows.shape[1]))
        found = [self.measure(tf.constant(part)).numpy() for part in np.split(full, len(full) // batch)]
        return np.concatenate(found)[: len(windows)].astype(np.float64)

    @property
    def state(self):
        """All variables."""
        return [*self.weights, *self.m, *self.v]

    def set_state(self, arrays):
        """Set all variables."""
        for variable, value in zip(self.state, arrays, strict=True):
            variable.assign(value)


@cache
def trainer_for(model, shapes):
    """Return the one trainer for weights of these shapes: it takes seconds to compile."""
    return Trainer(model, shapes)


def rate(settings, step):
    """Return the rate of a step, from 0: up in a line, then down along half a cosine."""
    begun = (step + 1) / settings.warmup
    left = (step - settings.warmup) / (settings.steps - settings.warmup)
    return settings.learning_rate * (begun if begun < 1 else 0.5 * (1 + np.cos(np.pi * left)))


def drawn(text, settings, seed, step):
    """Return the batch of a step: windows of T + 1 tokens, whose places depend on seed and step alone."""
    T = settings.sequence_length
    starts = np.random.default_rng([seed, step]).integers(len(text) - T, size=settings.batch_size)
    return text[starts[:, None] + np.arange(T + 1)]


def cover(text, T, stride):
    """Return windows of T + 1 tokens that begin every ``stride`` tokens, filled up with 0 at the end."""
    starts = np.arange(0, max(len(text) - 1 - (T - stride), 1), stride)
    padded = np.append(text, np.zeros(T + 1, text.dtype))
    return padded[starts[:, None] + np.arange(T + 1)]


def spread(bits, stride, length):
    """Return the bits of each token of a text from those of windows that overlap: of each its last ones."""
    T = bits.shape[1]
    return np.concatenate([bits[0, : T - stride], bits[:, T - stride :].ravel()])[:length]


def block_means(bits):
    """Return the mean of each of the blocks of the test text."""
    return [round(float(block.mean()), 4) for block in np.array_split(bits, BLOCKS)]


# ---------------------------------------------------------------------------- files


def save(path, arrays):
    """Write arrays to an npz file, which is there in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, *arrays)
    part.replace(path)


def load(path):
    """Return the arrays of an npz file in their order."""
    with np.load(path) as file:
        return [file[name] for name in file.files]


def write(path, result):
    """Write a result as JSON, a line for each key, in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    lines = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in result.items()]
    part.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    part.replace(path)


def read(path):
    """Return a stored result."""
    return json.loads(path.read_text(encoding="utf-8"))


def conditions():
    """Return where a run was made, in general words."""
    return {
        "machine": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores, no GPU used",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tensorflow": tf.__version__,
    }


# ---------------------------------------------------------------------------- runs


class Run:
    """The training of one network: its files, its way, its result."""

    def __init__(self, name, settings, seed, results=RESULTS, checkpoints=CHECKPOINTS):
        self.name, self.settings, self.seed = name, settings, seed
        self.result = results / f"{name}.json"
        self.checkpoint = checkpoints / f"{name}.npz"
        self.chosen = checkpoints / f"{name}-chosen.npz"

    def start(self, size):
        """Return the trainer and the curve so far, from the checkpoint if there is one."""
        weights = network(self.settings, size, self.seed).params
        trainer = trainer_for(self.settings.model, tuple(w.shape for w in weights))
        if not self.checkpoint.exists():
            trainer.set_state([*weights, *(np.zeros_like(w) for w in 2 * weights)])
            return trainer, {"step": [], "train_bits": [], "validation_bits": []}, 0.0
        *arrays, curve, seconds = load(self.checkpoint)
        trainer.set_state(arrays)
        return trainer, json.loads(str(curve)), float(seconds)

    def train(self, texts):
        """Train to the end; return the trainer, with the weights that were best, the curve, and the time."""
        vocabulary, (train, validation, _) = encoded(texts)
        trainer, curve, seconds = self.start(len(vocabulary))
        looks = cover(np.append(vocabulary.index["\n"], validation), *2 * [self.settings.sequence_length])
        begun = process_time()
        while (done := (curve["step"] or [0])[-1]) < self.settings.steps:
            steps = range(done, min(done + self.settings.every, self.settings.steps))
            seen = [self.step(trainer, train, step) for step in steps]
            bits = spread(trainer.bits(looks), self.settings.sequence_length, len(validation)).mean()
            for key, value in zip(curve, (steps[-1] + 1, np.mean(seen), bits), strict=True):
                curve[key].append(round(float(value), 4) if key != "step" else value)
            self.keep(trainer, curve, seconds + process_time() - begun)
        for variable, value in zip(trainer.weights, load(self.chosen), strict=True):
            variable.assign(value)
        return trainer, curve, seconds + process_time() - begun

    def step(self, trainer, train, step):
        """Learn from the batch of a step; return its bits."""
        windows = tf.constant(drawn(train, self.settings, self.seed, step))
        now = tf.constant(rate(self.settings, step), tf.float32)
        return float(trainer.update(windows, now, tf.constant(step + 1.0)))

    def keep(self, trainer, curve, seconds):
        """Keep all that the next step starts from, and the weights if they are the best so far."""
        if curve["validation_bits"][-1] == min(curve["validation_bits"]):
            save(self.chosen, [w.numpy() for w in trainer.weights])
        save(self.checkpoint, [*(v.numpy() for v in trainer.state), json.dumps(curve), seconds])
        print(self.name, {key: values[-1] for key, values in curve.items()}, flush=True)

    def finish(self, texts):
        """Train, read validation and test text with the weights that were kept, and store the result."""
        trainer, curve, seconds = self.train(texts)
        vocabulary, (_, validation, test) = encoded(texts)
        T, stride = self.settings.sequence_length, self.settings.sequence_length // 2
        begin = vocabulary.index["\n"]  # stands before each text, as before that of the counts
        windows = [cover(np.append(begin, text), T, stride) for text in (validation, test)]
        looks = [trainer.bits(part) for part in windows]
        bits = [spread(found, stride, len(text)) for found, text in zip(looks, texts[1:], strict=True)]
        result = {
            "run": self.name,
            "model": self.settings.model,
            "seed": self.seed,
            "settings": asdict(self.settings),
            "conditions": conditions(),
            "parameters": int(sum(np.size(w) for w in trainer.weights)),
            "letters": "".join(vocabulary.letters),
            "characters": self.settings.steps * self.settings.batch_size * T,
            "processor_seconds": round(seconds),
            "curve": curve,
            "chosen_step": curve["step"][int(np.argmin(curve["validation_bits"]))],
            "validation_bits": round(float(bits[0].mean()), 5),
            "test_bits": round(float(bits[1].mean()), 5),
            "blocks": block_means(bits[1]),
            "positions": looks[1][:-2].mean(axis=0).round(3).tolist(),
        }
        if self.settings.model == "lstm":
            result["carried_bits"] = round(carried_bits(trainer, np.append(begin, test)), 5)
        write(self.result, result)
        print(self.name, "test", result["test_bits"], flush=True)
        return result


def encoded(texts):
    """Return the vocabulary of the training text, and the texts as integers."""
    vocabulary = Vocabulary(texts[0])
    return vocabulary, [vocabulary.encode(text).astype(np.int32) for text in texts]


def carried_bits(trainer, tokens, streams=64, T=100):
    """Return the bits of an LSTM whose state is carried on through ``streams`` stretches of a text."""
    length = -(-(len(tokens) - 1) // streams)
    x, y = (np.resize(part, (streams, length)) for part in (tokens[:-1], tokens[1:]))
    counts = np.arange(x.size).reshape(x.shape) < len(tokens) - 1
    state, found, read_on = None, [], tf.function(lstm_logits)
    for begin in range(0, length, T):
        part = slice(begin, begin + T)
        z, state = read_on(trainer.weights, tf.constant(x[:, part]), state)
        found.append(cross_entropies(z, y[:, part]).numpy())
    return float(np.concatenate(found, axis=1)[counts].mean())


def search(model, texts):
    """Train briefly with each rate, and store what the validation text says of them."""
    seen = {}
    for value in RATES[model]:
        settings = replace(Settings(model), learning_rate=value, steps=SEARCH, looks=1)
        seen[value] = min(Run(f"search-{model}-{value}", settings, 100).train(texts)[1]["validation_bits"])
    result = {"run": f"search-{model}", "model": model, "rates": list(seen), "seed": 100, "steps": SEARCH}
    write(RESULTS / f"search-{model}.json", result | {"validation_bits": list(seen.values())})


def chosen_rate(model):
    """Return the rate that the search found."""
    found = read(RESULTS / f"search-{model}.json")
    return found["rates"][int(np.argmin(found["validation_bits"]))]


def counts(texts):
    """Choose k of the counts on the validation text; read the test text; store what came out."""
    train, validation, test = texts
    model, trials = WittenBell(7, train).fit([train]), {}
    for model.k in (6, 7, 8, 9, 10):
        trials[model.k] = float(model.bits([validation]))
    model.k = min(trials, key=trials.get)
    each = -np.log2([p for p in letter_probabilities(model, test)])
    result = {
        "run": "counts",
        "model": "counts",
        "order": model.order,
        "k": model.k,
        "validation_bits": round(trials[model.k], 5),
        "test_bits": round(float(each.mean()), 5),
        "blocks": block_means(each),
        "numbers": sum(len(after) for after in model.counts.values()),
    }
    write(RESULTS / "counts.json", result)


def letter_probabilities(model, text):
    """Yield the probability of each letter of a text after the letters before it."""
    n = model.order - 1
    whole = n * model.start + text
    for i, letter in enumerate(text):
        yield model.probability(letter, whole[i : i + n])


def plan(lengths=STEPS):
    """Return every run by its name, in the order in which they are made, as a function of the texts."""
    tasks = {f"search-{model}": partial(search, model) for model in RATES}
    for steps in lengths:
        for seed in SEEDS:
            tasks |= {f"{model}-{steps}-{seed}": partial(finish, model, steps, seed) for model in RATES}
    return tasks | {"counts": counts}


def full(model, steps, seed):
    """Return the run of a model with a seed, at the rate that was chosen."""
    settings = Settings(model, chosen_rate(model), steps, looks=5 if steps < 2000 else 10)
    return Run(f"{model}-{steps}-{seed}", settings, seed)


def finish(model, steps, seed, texts):
    """Make a run to its end."""
    full(model, steps, seed).finish(texts)


# ---------------------------------------------------------------------------- the package


def names(settings):
    """Return a name for each array of a decoder's weights, in their order."""
    projections = [f"{part}_{letter}" for part in ("query", "key", "value", "output") for letter in "Wb"]
    block = ["norm1_gamma", "norm1_beta", *projections, "norm2_gamma", "norm2_beta"]
    block += [f"mlp{i}_{letter}" for i in (1, 2) for letter in "Wb"]
    blocks = [f"block{i}_{name}" for i in range(1, settings.num_blocks + 1) for name in block]
    return ["tokens", "positions", *blocks, "norm_gamma", "norm_beta"]


def ship(run, letters):
    """Store the weights that a run of the decoder has chosen in the package, as float16."""
    arrays = dict(zip(names(run.settings), load(run.chosen), strict=True))
    arrays = {name: w.astype(np.float16) for name, w in arrays.items()}
    sizes = {key: getattr(run.settings, key) for key in ("num_heads", "num_blocks")}
    np.savez_compressed(ASSETS / "moby-dick-decoder.npz", **arrays, letters=letters, **sizes)


def export():
    """Bring what chapter 16 reads into the package: all results, and the weights of the best decoder.

    Best is the one with the fewest bits on the validation text. Where its checkpoint is not at hand, the
    weights in the package stay.
    """
    results = [read(path) for path in sorted(RESULTS.glob("*.json"))]
    lines = [json.dumps(result, ensure_ascii=False) for result in results]
    (ASSETS / "moby-dick-runs.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    decoders = [result for result in results if result["run"].startswith("decoder")]
    if decoders:
        best = min(decoders, key=lambda result: result["validation_bits"])
        run = full("decoder", best["settings"]["steps"], best["seed"])
        if run.chosen.exists():
            ship(run, best["letters"])


def main(arguments=None):
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="make every run of the plan")
    parser.add_argument("--longer", action="store_true", help="the longest trainings too, of 16,000 steps")
    parser.add_argument("--list", action="store_true", help="list the runs and what is done")
    parser.add_argument("--export", action="store_true", help="bring results and weights into the package")
    options = parser.parse_args(arguments)
    if options.export:
        return export()
    tasks = plan((*STEPS, *LONGER) if options.longer else STEPS)
    if not options.all:
        for name in tasks:
            print(f"{name:<16}{'done' if (RESULTS / f'{name}.json').exists() else 'to do'}")
        return None
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    texts = moby_dick()
    for name, task in tasks.items():
        if not (RESULTS / f"{name}.json").exists():
            task(texts)
    return None


if __name__ == "__main__":
    sys.exit(main())
