// A name written letter by letter: what the network expects at each place, what was chosen, and what it cost in bits.

import { createApp, button, choice, resetButton, slider, words } from "../_shared/app.mjs";
import { createPlot, fmt, h, newId } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import {
  bits, completed, defaults, drawName, drawnNames, drawSymbol, END, isWhole, lettersOf, probabilities, shownAt, sum, SYMBOLS, symbolsOf, taken,
} from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "A name, letter by letter",
  "text": "Interactive figure: a recurrent network writes a first name letter by letter; its probabilities for every next letter as bars, what was chosen, and what each letter costs in bits. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 1100
};

const LEFT = 38; // pixels beside the places, for the letters of the rows
const FEWEST = 8; // places that are drawn, so that a short name does not stretch
const HEAD = 30.3, FOOT = -2.2; // of the picture, in rows
const [PAIRS, EQUAL] = ["pairs", Math.log2(SYMBOLS.length)];
const ROWS = [...SYMBOLS.slice(2), "-", END]; // from above

const app = createApp(defaults);
const roll = createPlot({ label: "The letters expected at each place of the name", x: [0.5, 8.5], y: [FOOT, HEAD] });
roll.element.classList.add("roll");

const spelt = (symbol) => (symbol === END ? "end" : symbol === "-" ? "‐" : symbol);
const quoted = (letters) => (letters ? `“${letters}”` : "nothing");
const names = { network: "the network", pairs: "pairs of letters" };
const by = (state) => names[state.by];

/** Everything that is drawn, from one state. */
const look = once((state) => {
  const symbols = symbolsOf(state);
  const letters = lettersOf(state);
  const count = symbols.length + (isWhole(state) ? 0 : 1);
  const places = Array.from({ length: count }, (_, n) => ({
    n, symbol: symbols[n], before: letters.slice(0, n), p: probabilities(state.by, letters.slice(0, n), state.temperature),
  }));
  const most = Math.max(0.25, ...places.flatMap(({ p }) => p)); // the widest bar
  return { places, most, shown: places[shownAt(state)], costs: { network: bits("network", state), pairs: bits(PAIRS, state) } };
});

// The picture: a column for each place, a row for each symbol.

const rowOf = (symbol) => ROWS.length - 1 - ROWS.indexOf(symbol);

function rect([x0, y0], [x1, y1], className) {
  const [left, top] = [roll.px(x0), roll.py(y1)];
  return `<rect x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${Math.max(roll.px(x1) - left, 0).toFixed(1)}" height="${(roll.py(y0) - top).toFixed(1)}" class="${className}"/>`;
}

function column({ n, symbol, p }, state) {
  const t = n + 1;
  const { places, most, shown, costs } = look(state);
  const bars = ROWS.map((one) => {
    const [share, y] = [p[SYMBOLS.indexOf(one)], rowOf(one)];
    const isChosen = one === symbol;
    return `${isChosen ? rect([t - 0.46, y - 0.5], [t + 0.46, y + 0.5], "choice-row") : ""}
      ${rect([t - 0.44, y - 0.38], [t - 0.44 + (0.88 * share) / most, y + 0.38], `share ${state.by}${isChosen ? " chosen" : ""}`)}`;
  });
  const isTyped = n < state.beginning.length;
  const head = symbol === undefined ? "?" : spelt(symbol);
  const cost = symbol === undefined ? "" : fmt(costs[state.by][n], 1);
  return `${n === shown.n ? rect([t - 0.5, FOOT], [t + 0.5, HEAD], "shown") : ""}
    ${t < places.length ? roll.line([t + 0.5, -0.5], [t + 0.5, 27.5], 'class="edge"') : ""}
    ${roll.text([t, 28.4], head, `class="letter${isTyped ? " typed" : ""}${symbol === END ? " last" : ""}" text-anchor="middle"`)}
    ${bars.join("")}${roll.text([t, -1.5], cost, 'class="cost" text-anchor="middle"')}`;
}

function drawRoll(state) {
  const { places } = look(state);
  roll.measure();
  const count = Math.max(places.length, FEWEST);
  const step = Math.max(roll.width - LEFT - 4, 1) / count;
  roll.x = [0.5 - LEFT / step, count + 0.5 + 4 / step];
  const rows = ROWS.map((one) => roll.text([0.5, rowOf(one)], spelt(one), 'class="row" text-anchor="end"', -6, 3.5));
  const lines = [0, 5, 10, 15, 20, 25].map((k) => roll.line([0.5, 27.5 - k], [count + 0.5, 27.5 - k], 'class="edge"'));
  roll.draw(`${lines.join("")}${places.map((place) => column(place, state)).join("")}${rows.join("")}
    ${roll.text([0.5, -1.5], "bits", 'class="row" text-anchor="end"', -6, 0)}`, inWords(state));
}

// The places are radio buttons over their columns: the probabilities of one are shown large.

const stops = Array.from({ length: defaults.letter.max }, (_, n) => {
  const input = h("input", {
    type: "radio", name: "place", value: n,
    onclick: () => app.set({ letter: n === symbolsOf(app.state).length ? defaults.letter.max : n + 1 }),
  });
  return { n, input, element: h("label", { class: "stop" }, input, h("span")) };
});
roll.element.append(h("div", { role: "radiogroup", "aria-label": "The place shown large" }, ...stops.map(({ element }) => element)));

app.onDraw((state) => {
  drawRoll(state);
  const { places, shown, costs } = look(state);
  for (const { n, input, element } of stops) {
    element.hidden = n >= places.length;
    if (element.hidden) continue;
    element.style.left = `${(100 * roll.px(n + 0.5)) / roll.width}%`;
    element.style.width = `${(100 * (roll.px(n + 1.5) - roll.px(n + 0.5))) / roll.width}%`;
    input.checked = n === shown.n;
    const { symbol } = places[n];
    input.setAttribute("aria-label", symbol === undefined ? "the next letter"
      : `${symbol === END ? "the end" : `letter ${n + 1}, ${symbol}`}, ${fmt(costs[state.by][n], 1)} bits`);
  }
});

// The symbols at the place shown: a list of which one is taken, by pointer, or by arrows and Enter.

let current = 0; // where the arrows are
const options = ROWS.map((symbol, i) => {
  const [bar, rival, share] = [h("span", { class: "bar" }), h("span", { class: "rival" }), h("span", { class: "percent" })];
  const element = h("div", { role: "option", id: newId(), onclick: () => take(i) },
    h("b", {}, spelt(symbol)), h("span", { class: "track" }, bar, rival), share);
  return { symbol, element, bar, rival, share };
});

function take(i) {
  current = i;
  app.set(taken(app.state, options[i].symbol));
}

const moves = { ArrowDown: 1, ArrowUp: -1, ArrowRight: ROWS.length / 2, ArrowLeft: -ROWS.length / 2 };
const list = h("div", {
  class: "symbols", role: "listbox", tabindex: "0", "aria-label": "Take a letter",
  onkeydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const named = ROWS.indexOf(event.key);
    if (event.key in moves) current = (current + moves[event.key] + ROWS.length) % ROWS.length;
    else if (named >= 0) current = named;
    else if (event.key === "Enter" || event.key === " ") take(current);
    else return;
    event.preventDefault();
    point();
  },
}, ...options.map(({ element }) => element));

function point() {
  options.forEach(({ element }, i) => element.classList.toggle("current", i === current));
  list.setAttribute("aria-activedescendant", options[current].element.id);
}
point();

app.onDraw((state) => {
  const { shown } = look(state);
  const other = state.by === "network" ? PAIRS : "network";
  const q = probabilities(other, shown.before, state.temperature);
  const most = Math.max(...shown.p, ...q, 0.25);
  options.forEach(({ symbol, element, bar, rival, share }) => {
    const k = SYMBOLS.indexOf(symbol);
    bar.style.width = `${(100 * shown.p[k]) / most}%`;
    rival.style.left = `${(100 * q[k]) / most}%`;
    share.textContent = `${fmt(100 * shown.p[k], 1)} %`;
    element.setAttribute("aria-selected", symbol === shown.symbol);
  });
  list.dataset.by = state.by;
});

const heading = words(app, "heading", (state) => {
  const { shown: { n, symbol, before } } = look(state);
  const after = before ? `after ${quoted(before)}` : "the first";
  return `<h2>${symbol === END ? "The end" : symbol ? `Letter ${n + 1}, ${symbol}` : "The next letter"}, ${after}</h2>`;
});

// What the reader types

const complaint = h("p", { class: "complaint", role: "alert", id: newId() });
const field = h("input", {
  type: "text", id: newId(), autocomplete: "off", autocapitalize: "none", spellcheck: "false", "aria-describedby": complaint.id,
  oninput() {
    const typed = [...field.value.toLowerCase()];
    const { alphabet, most } = defaults.beginning;
    const strange = [...new Set(typed.filter((letter) => !alphabet.includes(letter)))];
    const kept = typed.filter((letter) => alphabet.includes(letter));
    complain(strange.length ? `The network knows only the letters a to z and the hyphen: ${strange.map(quoted).join(", ")} is left out.`
      : kept.length > most ? `At most ${most} letters are read; the rest is for the network.` : "");
    app.set({ beginning: kept.slice(0, most).join(""), more: "", ended: false, letter: defaults.letter.max });
  },
  onblur() {
    field.value = app.state.beginning;
    complain("");
  },
});
function complain(text) {
  complaint.textContent = text;
  field.setAttribute("aria-invalid", text !== "");
}
app.onDraw((state) => {
  if (document.activeElement !== field) field.value = state.beginning;
});

// Drawing

const again = { more: "", ended: false, letter: defaults.letter.max };
const drawLetter = button("Draw a letter", () => {
  const letters = lettersOf(app.state);
  const symbol = drawSymbol(app.state, letters);
  app.set(completed(app.state, symbol === END ? { letters, ended: true } : { letters: letters + symbol, ended: false }));
});
const drawAll = button("Draw a name", () => { // the rest of it, or where there is none, another
  if (!isWhole(app.state)) return app.set(completed(app.state, drawName(app.state, lettersOf(app.state))));
  const next = { ...app.state, seed: (app.state.seed % defaults.seed.max) + 1 };
  app.set({ seed: next.seed, ...completed(next, drawName(next, next.beginning)) });
});
const back = button("Back to the beginning", () => app.set(again));
app.onDraw((state) => {
  drawLetter.disabled = isWhole(state);
  back.disabled = state.more === "" && !state.ended;
});

const drawn = h("div", { class: "drawn" });
let written = "";
app.onDraw((state) => {
  const found = drawnNames(state);
  const key = JSON.stringify(found);
  if (key === written) return;
  written = key;
  drawn.replaceChildren(...found.map((name) =>
    button(name.letters + (name.ended ? "" : "…"), () => app.set(completed(app.state, name)))));
});

// Words and numbers

const table = words(app, "costs", (state) => {
  const { costs } = look(state);
  const count = costs.network.length;
  const line = (name, total) => `<tr><th scope="row">${name}</th><td>${fmt(total, 1)}</td><td>${count ? fmt(total / count, 2) : "–"}</td></tr>`;
  return `<table><thead><tr><th scope="col">bits for ${quoted(lettersOf(state))}${state.ended ? ", end" : ""}</th><th scope="col">all</th><th scope="col" class="nowrap">a letter</th></tr></thead>
    <tbody>${line("the network", sum(costs.network))}${line("pairs of letters", sum(costs.pairs))}${line(`${SYMBOLS.length} equal symbols`, count * EQUAL)}</tbody></table>`;
});

const formula = words(app, "formula", (state) => {
  const { shown: { n, symbol, before, p } } = look(state);
  const one = symbol ?? SYMBOLS[p.indexOf(Math.max(...p))];
  const plain = probabilities(state.by, before)[SYMBOLS.indexOf(one)];
  const name = spelt(one);
  const given = before ? ` | ${before}` : "";
  return `<p>${symbol ? "" : "Most likely: "}<span class="nowrap"><i>p</i>(${name}${given}) = exp(<i>z</i><sub>${name}</sub>/<i>τ</i>) / ∑<sub><i>k</i></sub> exp(<i>z<sub>k</sub></i>/<i>τ</i>)
    = <b>${fmt(p[SYMBOLS.indexOf(one)], 3)}</b></span> <span class="nowrap">at temperature <i>τ</i> = ${fmt(state.temperature)}.</span>
    ${symbol ? "It cost" : "It would cost"} <span class="nowrap">−log₂ ${fmt(plain, 3)} = <b>${fmt(-Math.log2(plain))}</b> bits</span>${state.temperature === 1 ? "" : " (at temperature 1)"}.</p>`;
});

function inWords(state) {
  const { shown: { p }, costs } = look(state);
  const best = SYMBOLS[p.indexOf(Math.max(...p))];
  const name = `${quoted(lettersOf(state))}${state.ended ? ", ended" : ""}: ${fmt(sum(costs[state.by]), 1)} bits for ${by(state)}.`;
  return `${name} At the place shown ${best === END ? "the end" : best} is most likely, ${fmt(100 * Math.max(...p), 1)} %.`;
}

app.start(inWords,
  roll.element,
  h("p", { class: "note" }, `A column is a place of the name, a row a letter, a bar its probability there after all that stands before.
    Purple: what was typed or chosen. At the foot: what it cost, in bits. Click on a column to see it large.`),
  h("div", { class: "typing" }, h("label", { for: field.id }, "The beginning"), field,
    h("div", { class: "buttons" }, drawLetter, drawAll, back), complaint),
  h("section", { class: "pictures parts" },
    h("div", { class: "side" }, heading, list,
      h("p", { class: "note" }, "Click on a letter to take it (by keyboard: arrows, then Enter). The thin mark is the other predictor’s probability.")),
    h("div", { class: "side" }, h("h2", {}, "The draw"),
      slider(app, "temperature", "temperature"), slider(app, "seed", "seed"),
      h("h2", {}, "Names drawn from here"), drawn,
      choice(app, "by", "Who predicts", { network: "the network", pairs: "pairs of letters" }))),
  h("section", { class: "below" }, formula, table, resetButton(app)));
