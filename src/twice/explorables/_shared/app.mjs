// The page around a model: its state, when to draw, the controls, and the messages to the parent.

import { admit, altered, declared } from "./state.mjs";
import { wear } from "./faces.mjs";
import { fmt, h, newId } from "./plot.mjs";

const post = (message) => parent.postMessage(message, "*");

/** The one state of this page, with everything that draws it. Nothing is drawn while off screen. */
export function createApp(defaults) {
  const main = document.querySelector("main");
  const spoken = h("p", { class: "spoken", role: "status" });
  const first = admit(defaults, declared(defaults), JSON.parse(document.getElementById("state").textContent));
  const painters = [];
  let state = first;
  let summary = () => "";
  let visible = true;
  let stale = false;
  let frame = 0;
  let speech = 0;
  let unsaid = false;

  function draw() {
    frame = 0;
    stale = false;
    painters.forEach((paint) => paint(state));
    main.dataset.drawn = !stale;
    say();
  }
  function request() {
    stale = true;
    main.dataset.drawn = false; // what stands there is not yet what the state says
    if (visible && !frame) frame = requestAnimationFrame(draw);
  }
  // A screen reader and the page hear the outcome once a change has come to rest, not each step of it.
  function rest() {
    post({ twice: "changed", state: altered(first, state) });
    unsaid = true;
    say();
  }
  function say() {
    if (!unsaid || stale) return; // until the last drawing
    spoken.textContent = summary(state);
    unsaid = false;
  }
  function speak() {
    clearTimeout(speech);
    speech = setTimeout(rest, 600);
  }

  const app = {
    defaults, main,
    get state() { return state; },
    get visible() { return visible && !document.hidden; },
    set(values) {
      state = admit(defaults, state, values);
      request();
      speak();
    },
    reset: () => app.set(first),
    onDraw: (painter) => painters.push(painter),
    /** Called while drawing: this is not yet all, so that the next frame draws on. The next input may come before. */
    drawAgain: request,
    /** Put the parts on the page and draw them; `inWords(state)` is what a screen reader hears. */
    start(inWords, ...parts) {
      summary = inWords;
      main.replaceChildren(main.querySelector("h1"), ...parts, spoken);
      draw();
      const tell = () => post({ twice: "height", height: Math.ceil(main.getBoundingClientRect().height) });
      new ResizeObserver(() => {
        request();
        requestAnimationFrame(tell); // after the drawing, which may make the page higher
      }).observe(main);
      new IntersectionObserver((entries) => {
        visible = entries.at(-1).isIntersecting;
        if (visible && stale) request();
      }).observe(main);
      post({ twice: "ready" });
    },
  };

  const dark = matchMedia("(prefers-color-scheme: dark)");
  let told = null;
  function dress() {
    document.documentElement.dataset.theme = told ?? (dark.matches ? "dark" : "light");
    request();
  }
  dark.addEventListener("change", dress);
  document.documentElement.dataset.theme = dark.matches ? "dark" : "light";

  addEventListener("message", ({ source, data }) => {
    if (source !== parent || !data) return;
    if (data.twice === "theme" && ["light", "dark"].includes(data.theme)) {
      told = data.theme;
      dress();
    }
    if (data.twice === "faces") wear(data.faces).then(request);
    if (data.twice === "state?") post({ twice: "state", state });
    if (data.twice === "state" && data.state) app.set({ ...(data.whole ? first : {}), ...data.state });
  });
  return app;
}

/**
 * A range input with a number field beside it, for the declared number `key`.
 * `get` and `set` stand between state and control where the two are not the same number.
 */
export function slider(app, key, label, { get = (state) => state[key], set = (value) => app.set({ [key]: value }) } = {}) {
  const { min, max, step, scale } = app.defaults[key];
  const log = scale === "log";
  const toRange = log ? Math.log10 : (value) => value;
  const fromRange = log ? (position) => Number((10 ** position).toPrecision(2)) : (position) => position;
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const shown = (value) => String(Number(log ? value.toPrecision(3) : value.toFixed(2)));
  const id = newId();
  const range = h("input", {
    type: "range", id, min: toRange(min), max: toRange(max), step: log ? 0.05 : step, // at 0.02 it would stick at 1: two digits do not show so little
    oninput: () => set(fromRange(range.valueAsNumber)),
  });
  const number = h("input", {
    type: "number", min, max, step: log ? "any" : step,
    oninput() {
      const value = number.valueAsNumber; // between the steps as well; NaN while nothing readable stands there
      if (value >= min && value <= max) set(value);
    },
    onblur: () => (number.value = shown(get(app.state))),
  });
  number.setAttribute("aria-label", `${label}, exact value`);
  app.onDraw((state) => {
    const value = get(state);
    range.value = toRange(value);
    range.setAttribute("aria-valuetext", fmt(value, log ? 4 : digits));
    if (document.activeElement !== number) number.value = shown(value);
  });
  return h("div", { class: "slider" }, h("label", { for: id }, label), range, number);
}

/** Radio buttons in a row for the declared choice `key`; `words` renames its options. */
export function choice(app, key, legend, words = {}) {
  const inputs = app.defaults[key].options.map((option) =>
    h("input", { type: "radio", name: key, value: option, onchange: () => app.set({ [key]: option }) }));
  app.onDraw((state) => inputs.forEach((input) => (input.checked = input.value === state[key])));
  const labels = inputs.map((input) => h("label", {}, input, h("span", {}, words[input.value] ?? input.value)));
  return h("fieldset", { class: "choice" }, h("legend", {}, legend), h("div", {}, ...labels));
}

/** A check box for the declared boolean `key`. */
export function toggle(app, key, label, set = (checked) => app.set({ [key]: checked })) {
  const input = h("input", { type: "checkbox", onchange: () => set(input.checked) });
  app.onDraw((state) => (input.checked = state[key]));
  return h("label", { class: "toggle" }, input, label);
}

export const button = (label, onclick) => h("button", { type: "button", onclick }, label);

export const resetButton = (app) => button("Reset", app.reset);

/** A block of HTML that is written anew with each drawing, when it has changed. */
export function words(app, className, html) {
  const element = h("div", { class: className });
  let written = null;
  app.onDraw((state) => {
    const text = html(state);
    if (text !== written) element.innerHTML = written = text;
  });
  return element;
}

/** Start and pause an animation: `advance()` every few milliseconds until it returns false, or nobody looks. */
export function runner(app, label, advance, finish) {
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    element.textContent = label;
  };
  const element = button(label, () => {
    if (timer) return stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return finish();
    element.textContent = "Pause";
    timer = setInterval(() => (app.visible && advance()) || stop(), 50);
  });
  return element;
}
