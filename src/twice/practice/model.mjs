// What a reader wrote, read and judged. Pure functions, no page.

import { readNumber, readShape, sameShape } from "../explorables/_shared/answers.mjs";

const UNREAD = {
  number: (text) => (/\d,\d/.test(text) ? "Write a point before the decimals, and no comma." : "Write a number, such as 0.5, 1/2 or 5e-1."),
  shape: () => "Write a shape, such as (3, 4).",
};

function judgeTyped({ kind, answer, known, tolerance }, text) {
  const read = kind === "number" ? readNumber : readShape;
  const given = read(String(text));
  if (given === null || !(kind === "shape" || Number.isFinite(given))) return { verdict: "unread", words: UNREAD[kind](text) };
  const near = (value, slack) =>
    kind === "number" ? Math.abs(given - value) <= slack * (1 + 1e-9) : sameShape(given, readShape(value));
  if (near(answer, tolerance)) return { verdict: "right" };
  const at = known.findIndex((value) => near(value, Math.max(tolerance, Math.abs(value) / 100))); // roughly is enough
  return at < 0 ? { verdict: "wrong", hint: true } : { verdict: "wrong", reply: at };
}

/** An option that is wrong has the reply of its place among the wrong ones. */
const judgeChoice = ({ answer }, given) =>
  given === answer ? { verdict: "right" } : { verdict: "wrong", reply: given < answer ? given : given - 1 };

/** Steps from `steps` on are the wrong ones; the others are right in the order of their numbers. */
function judgeOrder({ steps }, given) {
  const foreign = given.findIndex((step) => step >= steps);
  if (foreign >= 0) return { verdict: "wrong", place: foreign, reply: given[foreign] - steps };
  const place = given.findIndex((step, i) => step !== i);
  if (place >= 0) return { verdict: "wrong", place, hint: true };
  return given.length === steps ? { verdict: "right" } : { verdict: "wrong", missing: true, hint: true };
}

/** Judge an answer: right; wrong, with the number of the reply or else the hint; or not to be read. */
export function judge(question, given) {
  if (question.kind === "choice") return judgeChoice(question, given);
  return question.kind === "order" ? judgeOrder(question, given) : judgeTyped(question, given);
}

const isStep = (step) => Number.isInteger(step) && step >= 0;

/** Whether a stored answer has the form that its question expects. */
export function fits({ kind }, given) {
  if (kind === "order") return Array.isArray(given) && given.every(isStep) && new Set(given).size === given.length;
  return kind === "choice" ? isStep(given) : typeof given === "string" && given.length < 100;
}
