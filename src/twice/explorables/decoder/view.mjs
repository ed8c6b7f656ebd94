// The decoder on the page: the reader's text, where its letters look, and what comes next.

import { createApp, button, resetButton, slider, words } from "../_shared/app.mjs";
import { createPlot, cssColor, fmt, h, mix, newId, paint } from "../_shared/plot.mjs";
import { bits, chosen, defaults, expected, gone, letterOf, looks, sizes, typeset, weightAt, write } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "A model that writes",
  "text": "Interactive figure: a small decoder that was trained on Moby-Dick reads the reader's own sentence, shows for every letter, block and head which earlier letters it looks at, and writes on, letter by letter. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 1090
};

const SLICE = 20; // milliseconds that a drawing may spend on reading and writing
const BEST = 8; // letters whose probabilities are shown
const NAMED = 64; // so many lines of a map have room for their letter
const SHADE = 55; // per cent of blue behind the letter with the most weight: more would drown it

const app = createApp(defaults);
const map = createPlot({ label: "Who looks at whom", x: [0, 1], y: [-1, 0] });
map.element.classList.add("map");

let page; // what is written and read so far: a long text is computed over several drawings

app.onDraw((state) => {
  const end = performance.now() + SLICE;
  page = write(state, () => performance.now() < end);
  if (!page.isWhole) app.drawAgain();
});

/** Draw what has been read; until it is, what stands there remains. */
const onRead = (painter) => app.onDraw((state) => page.isRead && painter(state));

/** A block of HTML of what has been read. */
function readWords(className, html) {
  let last = "";
  return words(app, className, (state) => (last = page.isRead ? html(state) : last));
}

// Letters

const NAMES = { " ": "a space", "\n": "a line end", "": "no letter" };
const SIGNS = { " ": "␣", "\n": "↵", "": "∅" };
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
const sign = (token) => SIGNS[letterOf(token)] ?? escaped(letterOf(token));
const named = (token) => NAMES[letterOf(token)] ?? `“${letterOf(token)}”`;

/** The text; the more weight the chosen letter gives a letter, the bluer it is. */
function letters(state) {
  const place = chosen(state, page);
  const out = gone(page);
  const weights = looks(state, page, place);
  const most = Math.max(...weights);
  return page.tokens.map((token, i) => {
    const classes = [i < out && "out", i >= page.given && "own", i === place && "chosen"].filter(Boolean).join(" ");
    const part = Math.round((SHADE * (weights[i - out] ?? 0)) / most);
    const shade = part ? ` style="background:color-mix(in srgb, var(--blue) ${part}%, transparent)"` : "";
    const letter = letterOf(token);
    return `<span data-place="${i}" class="${classes}"${shade}>${letter === "\n" ? "↵\n" : escaped(letter) || "∅"}</span>`;
  }).join("");
}

function choose(place) {
  const last = page.tokens.length - 1;
  const next = Math.min(last, Math.max(gone(page), place));
  app.set({ letter: next === last ? 0 : next + 1 });
}

const steps = { ArrowLeft: -1, ArrowUp: -10, ArrowRight: 1, ArrowDown: 10, PageUp: -10, PageDown: 10, Home: -1e6, End: 1e6 };
let pressed = false;
const strip = h("div", {
  class: "letters", role: "slider", tabindex: "0", "aria-label": "The letter that looks", "aria-valuemin": 1,
  onkeydown(event) {
    if (!(event.key in steps)) return;
    event.preventDefault();
    choose(chosen(app.state, page) + steps[event.key]);
  },
  onpointerdown(event) {
    pressed = true;
    point(event);
  },
  onpointermove: (event) => pressed && point(event),
});
["pointerup", "pointercancel"].forEach((kind) => addEventListener(kind, () => (pressed = false)));

function point({ clientX, clientY }) {
  const place = document.elementFromPoint(clientX, clientY)?.dataset.place;
  if (place !== undefined) choose(Number(place));
}

onRead((state) => {
  strip.innerHTML = letters(state);
  const place = chosen(state, page);
  strip.setAttribute("aria-valuemax", page.tokens.length);
  strip.setAttribute("aria-valuenow", place + 1);
  strip.setAttribute("aria-valuetext", glance(state));
});

// The maps: a row for each letter that looks, a column for each that it looks at.

function fade() {
  const colors = ["--paper", "--blue"].map(cssColor);
  const shades = Array.from({ length: 256 }, (_, i) => mix(colors, [1 - i / 255, i / 255]));
  return (t) => shades[Math.round(255 * t)];
}

/** The weights of a head, one pixel each; the page enlarges them without smoothing. */
function paintWeights(canvas, head, shade, side = page.reading.tokens.length) {
  paint({ canvas, width: side, height: side, x: [0, side], y: [-side, 0] }, (x, y) => {
    const [to, from] = [Math.floor(x), Math.floor(-y)];
    return shade(to > from || from === page.reading.tokens.length ? 0 : Math.sqrt(weightAt(page.reading, head, from, to)));
  });
}

onRead((state) => {
  map.measure();
  const n = page.reading.tokens.length;
  const from = chosen(state, page) - gone(page);
  const side = n + 1; // room for the last letter's name
  [map.x, map.y] = [[0, side], [-side, 0]];
  paintWeights(map.canvas, state, fade(), side);
  map.draw(`${map.line([0, 0], [n, -n], 'class="diagonal"')}${n > NAMED ? "" : namesOfRows(n)}
    <path class="row" d="${map.d([[0, -from], [from + 1, -from], [from + 1, -from - 1], [0, -from - 1]])}Z"/>
    ${map.text([side, 0], "later letters", 'class="later" text-anchor="end"', -8, 20)}`, escaped(inWords(state)));
});

/** The letter of each line, on the diagonal, where it looks at itself. */
function namesOfRows(n) {
  const size = Math.min(15, (1.25 * map.width) / n).toFixed(1);
  return page.tokens.slice(gone(page)).map((token, i) =>
    map.text([i + 1, -i - 0.5], sign(token), `class="letter" font-size="${size}"`, 3, 0.35 * size)).join("");
}

const pointRow = (event) => choose(gone(page) + Math.floor(-map.at(event)[1]));
map.element.addEventListener("pointerdown", (event) => {
  map.element.setPointerCapture(event.pointerId);
  pointRow(event);
});
map.element.addEventListener("pointermove", (event) => map.element.hasPointerCapture(event.pointerId) && pointRow(event));

// The heads are radio buttons, each with its map.

const upTo = (count) => Array.from({ length: count }, (_, i) => i + 1);
const thumbs = upTo(sizes.blocks).flatMap((block) => upTo(sizes.heads).map((head) => {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const input = h("input", { type: "radio", name: "head", "aria-label": `block ${block}, head ${head}`, onclick: () => app.set({ block, head }) });
  return { block, head, canvas, input, element: h("label", { class: "thumb" }, input, canvas) };
}));
app.onDraw((state) => thumbs.forEach(({ block, head, input }) => (input.checked = block === state.block && head === state.head)));
onRead(() => {
  if (!page.isWhole) return;
  const shade = fade();
  thumbs.forEach((thumb) => paintWeights(thumb.canvas, thumb, shade));
});

// The text

const id = newId();
let typed = typeset(""); // the text as it was typed last, with all that had to be left out of it
const area = h("textarea", {
  id, rows: 3, maxlength: defaults.text.most, spellcheck: "false", autocapitalize: "off", autocomplete: "off",
  oninput() {
    const { text, missing } = typeset(area.value);
    typed = { text, missing: [...new Set([...(text ? typed.missing : []), ...missing])] };
    app.set({ text: typed.text, written: 0, letter: 0 });
  },
});
app.onDraw(({ text }) => {
  if (area.value === text) return;
  const caret = area.selectionStart + text.length - area.value.length;
  area.value = text;
  if (document.activeElement === area) area.setSelectionRange(caret, caret);
});
const complaint = words(app, "complaint", ({ text }) => {
  const missing = typed.text === text ? typed.missing : [];
  return missing.length ? `Left out, as Moby-Dick has no such letter: ${missing.map((letter) => `“${escaped(letter)}”`).join(" ")}` : "";
});
complaint.setAttribute("role", "alert");

const add = (count) => app.set({ written: app.state.written + count, letter: 0 });
const writing = [button("Write a letter", () => add(1)), button("Write 100", () => add(100))];
const back = button("Take back", () => app.set({ written: 0, letter: 0 }));
app.onDraw(({ written }) => {
  writing.forEach((element) => (element.disabled = written === defaults.written.max));
  back.disabled = written === 0;
});

// Words and numbers

const bars = readWords("bars", (state) => {
  const place = chosen(state, page);
  const came = page.tokens[place + 1];
  const lines = expected(state, page, place).slice(0, BEST).map(({ token, p }) => `<tr class="${token === came ? "came" : ""}">
    <th scope="row">${sign(token)}</th><td class="bar"><span style="width:${100 * p}%"></span></td>
    <td><data value="${p}">${fmt(p, 3)}</data></td></tr>`);
  return `<table><thead><tr><th scope="col">letter</th><td></td><th scope="col"><i>p</i></th></tr></thead><tbody>${lines.join("")}</tbody></table>`;
});

/** Where the chosen letter looks most. */
function glance(state) {
  const place = chosen(state, page);
  const out = gone(page);
  const most = looks(state, page, place).map((p, i) => ({ p, place: i + out })).sort((a, b) => b.p - a.p).slice(0, 3);
  const parts = most.map(({ p, place: at }) => `${at === place ? "itself" : named(page.tokens[at])} ${fmt(p)}`);
  return `Letter ${place + 1}, ${named(page.tokens[place])}, looks most at ${parts.join(", ")}`;
}

/** What the text cost, and the letter that came next. */
function cost(state) {
  const place = chosen(state, page);
  const costs = page.tokens.slice(0, page.given).map((_, i) => bits(page, i)).filter((value) => value !== undefined);
  const mean = costs.reduce((a, b) => a + b, 0) / costs.length;
  const next = bits(page, place + 1);
  return `${next === undefined || page.tokens[place + 1] === undefined ? "" : `In the text comes ${escaped(named(page.tokens[place + 1]))}: ${fmt(next, 1)} bits.`}
    ${costs.length ? `Your letters cost <b>${fmt(mean)}</b> bits each.` : ""}`;
}

const formula = readWords("formula", (state) => {
  const place = chosen(state, page);
  const all = expected(state, page, place);
  const [{ token, z, p }] = all;
  const T = state.temperature;
  const ratio = all.reduce((sum, one) => sum + Math.exp((one.z - z) / (T || 1)), 0);
  const share = T === 0
    ? "at temperature 0 the letter with the largest <i>z</i> has all"
    : `<span class="nowrap"><i>p</i> = 1 / Σ<sub><i>k</i></sub> exp((<i>z<sub>k</sub></i> − ${fmt(z)}) / ${fmt(T)}) = 1 / ${fmt(ratio, 3)} = <b>${fmt(p, 3)}</b></span>`;
  return `<p>${escaped(glance(state))} <span class="nowrap">(block ${state.block}, head ${state.head}).</span></p>
    <p>Next it expects ${escaped(named(token))}: ${share}. ${cost(state)}</p>`;
});

function inWords(state) {
  const [{ token, p }] = expected(state, page, chosen(state, page));
  return `${glance(state)}, in block ${state.block}, head ${state.head}. Next it expects ${named(token)} with probability ${fmt(p)}.`;
}

app.start(inWords,
  h("section", { class: "pictures" },
    h("div", { class: "side" },
      h("div", { class: "own-text" }, h("label", { for: id }, "Your text"), area, complaint),
      h("div", { class: "buttons" }, ...writing, back),
      h("div", { class: "options" }, slider(app, "temperature", "temperature"), slider(app, "seed", "seed"))),
    h("div", { class: "side" }, h("h2", {}, "What comes next, at this temperature"), bars, resetButton(app)),
    h("div", { class: "wide" }, h("h2", {}, "Where the chosen letter looks"), strip,
      h("p", { class: "note" }, `Choose a letter by mouse, finger or arrow keys: the bluest one is where it looks most. What the model wrote is
        underlined; what has gone out of its sight is grey.`)),
    formula),
  h("section", { class: "pictures heads" },
    h("div", { class: "side" }, h("h2", {}, "The head’s whole map"), map.element),
    h("div", { class: "side" }, h("h2", {}, "Choose a block (row) and a head"),
      h("div", { class: "thumbs", role: "radiogroup", "aria-label": "Block and head", style: `--heads:${sizes.heads}` }, ...thumbs.map(({ element }) => element)),
      h("p", { class: "note" }, `Each line of a map belongs to a letter that looks, each column to one that it looks at: no one looks at later ones. The
        shade grows with the root of the weight. The page brings the model’s ${sizes.weights.toLocaleString("en")} weights along and computes all of this
        by itself.`))));
