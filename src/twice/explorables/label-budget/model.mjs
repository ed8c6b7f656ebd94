// How many labels are needed: the measured accuracies of three ways of using them, and what each way calls twenty pictures. Pure functions, no page.

import { decoded } from "../_shared/arrays.mjs";

// The whole state. Written as JSON, because Python reads this list too.
// `way`: whose accuracy the others are to reach. `draw`: one draw of the labels, or the mean of all.
export const defaults = {
  "labels": {"type": "number", "value": 500, "min": 100, "max": 5000, "step": 1, "scale": "log"},
  "way": {"type": "choice", "value": "frozen", "options": ["frozen", "tuned", "nothing"]},
  "draw": {"type": "choice", "value": "mean", "options": ["mean", "0", "1", "2"]}
};

// The first two of CIFAR-10's test pictures of each class, class by class.
export const arrays = {
  "pictures": {"file": "cifar-10.npz", "array": "x_test",
    "rows": [3, 10, 6, 9, 25, 35, 0, 8, 22, 26, 12, 16, 4, 5, 13, 17, 1, 2, 11, 14]},
  "truths": {"file": "cifar-10.npz", "array": "y_test",
    "rows": [3, 10, 6, 9, 25, 35, 0, 8, 22, 26, 12, 16, 4, 5, 13, 17, 1, 2, 11, 14]}
};

// Every run: its way, its number of labels, its seed, its accuracy, and its answer to each of those pictures.
export const tables = {
  "runs": {"file": "label-budgets.json", "table": "runs", "places": {
    "predictions": [3, 10, 6, 9, 25, 35, 0, 8, 22, 26, 12, 16, 4, 5, 13, 17, 1, 2, 11, 14]}},
  "classes": {"file": "label-budgets.json", "table": "classes"}
};

export const SIDE = 32; // of a picture, in pixels

const { runs, classes } = embedded;
const pixels = decoded(embedded.pictures);

const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;
const ascending = (values) => [...new Set(values)].sort((a, b) => a - b);

/** The class of each picture, as a number. */
export const truths = Array.from(decoded(embedded.truths));

/** The name of a class. */
export const className = (number) => classes[number];

/** The colour of a pixel of a picture, as [red, green, blue] from 0 to 255. */
export function colorOf(picture, row, column) {
  const at = 3 * ((picture * SIDE + row) * SIDE + column);
  return Array.from(pixels.slice(at, at + 3));
}

/** The ways and the draws that have been measured, in the order declared. */
export const ways = defaults.way.options.filter((way) => runs.some((run) => run.way === way));
export const draws = defaults.draw.options.filter((draw) => draw === "mean" || runs.some((run) => String(run.seed) === draw));

/** The numbers of labels that have been measured, of all ways. */
export const budgets = ascending(runs.map((run) => run.labels));

/** The runs of a way that a draw means: those of one seed, or all. */
const chosen = (way, draw) => runs.filter((run) => run.way === way && (draw === "mean" || String(run.seed) === draw));

/** A way's accuracies: for each number of labels their mean, the least, the most, and all of them. */
export function curve(way, draw) {
  const ours = chosen(way, draw);
  return ascending(ours.map((run) => run.labels)).map((labels) => {
    const scores = ours.filter((run) => run.labels === labels).map((run) => run.accuracy);
    return { labels, accuracy: mean(scores), least: Math.min(...scores), most: Math.max(...scores), scores };
  });
}

/** The way along the logarithm from a to b that x has come: 0 at a, 1 at b. */
const share = (x, a, b) => Math.log(x / a) / Math.log(b / a);

/** The accuracy with so many labels, on the straight line (over log labels) between two measured numbers; null outside. */
export function accuracyAt(points, labels) {
  const right = points.findIndex((point) => point.labels >= labels);
  if (right < 0 || points[0].labels > labels) return null;
  if (points[right].labels === labels) return points[right].accuracy;
  const [a, b] = [points[right - 1], points[right]];
  return a.accuracy + share(labels, a.labels, b.labels) * (b.accuracy - a.accuracy);
}

/**
 * How many labels a curve needs to reach an accuracy, read off the same lines: { side: "at", labels }. Where it never
 * does, { side: "more" } and the most labels measured; where it has it from the first, { side: "fewer" } and the fewest.
 */
export function needed(points, accuracy) {
  const right = points.findIndex((point) => point.accuracy >= accuracy);
  if (right < 0) return { side: "more", labels: points.at(-1).labels };
  const b = points[right];
  if (b.accuracy === accuracy) return { side: "at", labels: b.labels };
  if (right === 0) return { side: "fewer", labels: b.labels };
  const a = points[right - 1];
  const rise = (accuracy - a.accuracy) / (b.accuracy - a.accuracy);
  return { side: "at", labels: a.labels * (b.labels / a.labels) ** rise };
}

/** The measured number of labels next to this one, in proportion; of two the smaller. */
export function nearest(labels) {
  const far = (budget) => Math.abs(Math.log(budget / labels));
  return budgets.reduce((best, budget) => (far(budget) < far(best) ? budget : best));
}

/**
 * What a way calls each picture with so many labels: the class that most runs name, how many of how many name it, and
 * whether it is right. Where classes have as many votes, one that is wrong stands before the right one.
 */
export function answers(way, draw, labels) {
  const given = chosen(way, draw).filter((run) => run.labels === labels).map((run) => run.predictions);
  return truths.map((truth, picture) => {
    const votes = classes.map((_, number) => given.filter((answer) => Number(answer[picture]) === number).length);
    const most = Math.max(...votes);
    const wrong = votes.findIndex((count, number) => count === most && number !== truth);
    const answer = wrong < 0 ? truth : wrong;
    return { answer, votes: most, of: given.length, right: answer === truth };
  });
}

/** The places of the pictures that one way has right and another wrong, of the ways measured with so many labels. */
export function contested(draw, labels) {
  const measured = ways.map((way) => answers(way, draw, labels)).filter(([first]) => first.of > 0);
  const verdicts = (picture) => new Set(measured.map((given) => given[picture].right));
  return truths.map((_, picture) => picture).filter((picture) => verdicts(picture).size > 1);
}
