// A picture with coordinates: a canvas for fields, an SVG for lines, and handles that can be moved.

/** An element with attributes (`on…` are listeners) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

let lastId = 0;
export const newId = () => `e${++lastId}`;

export const round = (value, step) => Number((Math.round(value / step) * step).toFixed(6));

/** A number for reading: fixed digits, a true minus sign, and no "−0.00". */
export function fmt(value, digits = 2) {
  if (Math.abs(value) >= 1e5) return value.toExponential(1).replace("-", "−").replace("e+", "e");
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/**
 * A picture of the rectangle `x` × `y` (each [from, to]); `aspect` is its width over its height.
 * `px` and `py` map to pixels, `at` maps a pointer back.
 */
export function createPlot({ label, x: [x0, x1], y: [y0, y1], aspect = 1 }) {
  const descId = newId();
  const canvas = h("canvas", { "aria-hidden": "true" });
  const picture = h("div", { class: "picture" });
  const element = h("div", { class: "plot", style: `--aspect:${aspect}` }, canvas, picture);
  const plot = {
    element, canvas, width: 1, height: 1, x: [x0, x1], y: [y0, y1],
    px: (x) => ((x - plot.x[0]) / (plot.x[1] - plot.x[0])) * plot.width,
    py: (y) => ((plot.y[1] - y) / (plot.y[1] - plot.y[0])) * plot.height,
    at({ clientX, clientY }) {
      const box = element.getBoundingClientRect();
      return [
        plot.x[0] + ((clientX - box.left) / box.width) * (plot.x[1] - plot.x[0]),
        plot.y[1] - ((clientY - box.top) / box.height) * (plot.y[1] - plot.y[0]),
      ];
    },
    measure() {
      plot.width = Math.max(element.clientWidth, 1);
      plot.height = Math.max(element.clientHeight, 1);
    },
    draw(markup, description) {
      picture.innerHTML = `<svg role="img" aria-label="${label}" aria-describedby="${descId}"
        viewBox="0 0 ${plot.width} ${plot.height}"><desc id="${descId}">${description}</desc>${markup}</svg>`;
    },
    line: (a, b, attributes) => `<path d="${plot.d([a, b])}" ${attributes}/>`,
    d: (points) => "M" + points.map(([x, y]) => `${plot.px(x).toFixed(1)},${plot.py(y).toFixed(1)}`).join("L"),
    text: ([x, y], words, attributes = "", dx = 0, dy = 0) =>
      `<text x="${plot.px(x) + dx}" y="${plot.py(y) + dy}" ${attributes}>${words}</text>`,
    dot: ([x, y], r, attributes) => `<circle cx="${plot.px(x)}" cy="${plot.py(y)}" r="${r}" ${attributes}/>`,
  };
  return plot;
}

/** Axes through the origin with a number at each of the ticks, and a name at their ends. */
export function axes(plot, { names: [xName, yName], xTicks, yTicks }) {
  const { line, text, x, y } = plot;
  return `<g class="axes">
    ${line([x[0], 0], [x[1], 0], "")}${line([0, y[0]], [0, y[1]], "")}
    ${xTicks.map((t) => text([t, 0], fmt(t, 0), 'text-anchor="middle"', 0, 15)).join("")}
    ${yTicks.map((t) => text([0, t], fmt(t, 0), 'text-anchor="end"', -5, 4)).join("")}
    ${text([x[1], 0], xName, 'class="name" text-anchor="end"', -6, -7)}
    ${text([0, y[1]], yName, 'class="name"', 7, 15)}</g>`;
}

const channels = (color) => color.match(/\d+/g).slice(0, 3).map(Number);
const pack = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** The colour of a CSS variable as [r, g, b]. */
export function cssColor(name) {
  const probe = h("span", { style: `color:var(${name})` });
  document.body.append(probe);
  const color = channels(getComputedStyle(probe).color);
  probe.remove();
  return color;
}

/** A mixture of colours, packed for a canvas; the shares add up to one. */
export const mix = (colors, shares) =>
  pack([0, 1, 2].map((c) => Math.round(colors.reduce((sum, color, i) => sum + shares[i] * color[c], 0))));

export const STRENGTH = 0.65; // full colours would drown what is drawn over them

/** The diverging map, blue – paper – orange, as a function of t in [-1, 1] (clipped outside). */
export const divergingMap = () => (divergingMaps[document.documentElement.dataset.theme] ??= newMap());
const divergingMaps = {}; // by theme

function newMap() {
  const [paper, blue, orange] = ["--paper", "--blue", "--orange"].map(cssColor);
  const colors = Array.from({ length: 511 }, (_, i) => {
    const t = (i - 255) / 255;
    return mix([paper, t < 0 ? blue : orange], [1 - STRENGTH * Math.abs(t), STRENGTH * Math.abs(t)]);
  });
  return (t) => colors[Math.round(255 * Math.min(1, Math.max(-1, t))) + 255];
}

/** Paint `color(x, y)` over the whole plot, one sample for every `grain` pixels. */
export function paint({ canvas, width, height, x, y }, color, grain = 1) {
  const [columns, rows] = [Math.ceil(width / grain), Math.ceil(height / grain)];
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let j = 0; j < rows; j++) {
    const v = y[1] - ((j + 0.5) / rows) * (y[1] - y[0]);
    for (let i = 0; i < columns; i++) pixels[j * columns + i] = color(x[0] + ((i + 0.5) / columns) * (x[1] - x[0]), v);
  }
  context.putImageData(image, 0, 0);
}

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * A point that can be moved: by pointer, by finger, and by the arrow keys (Shift: ten times as far); `step` is how far
 * at a time, one number or one for each coordinate.
 * `at(state)` says where it is (null: nowhere), `words(state)` says it in words, `move([x, y])` moves it.
 */
export function createHandle(app, plot, { label, className = "", step, at, words, move, key = () => false }) {
  const [stepX, stepY = stepX] = [step].flat();
  const element = h("span", {
    class: `handle ${className}`, role: "slider", tabindex: "0",
    "aria-label": label, "aria-roledescription": "movable point",
    "aria-valuemin": plot.x[0], "aria-valuemax": plot.x[1],
    onpointerdown(event) {
      const [x, y] = at(app.state);
      const [px, py] = plot.at(event);
      grip = [x - px, y - py];
      element.setPointerCapture(event.pointerId);
    },
    onpointermove(event) {
      if (!grip) return;
      const [x, y] = plot.at(event);
      move([x + grip[0], y + grip[1]]);
    },
    onlostpointercapture: () => (grip = null),
    onclick: (event) => event.stopPropagation(),
    onkeydown(event) {
      const direction = arrows[event.key];
      if (!direction && !key(event)) return;
      event.preventDefault();
      if (!direction) return;
      const [x, y] = at(app.state);
      const times = event.shiftKey ? 10 : 1;
      move([round(x + times * stepX * direction[0], stepX), round(y + times * stepY * direction[1], stepY)]);
    },
  });
  let grip = null;
  plot.element.append(element);
  app.onDraw((state) => {
    const place = at(state);
    element.hidden = !place;
    if (!place) return;
    element.style.left = `${(plot.px(place[0]) / plot.width) * 100}%`;
    element.style.top = `${(plot.py(place[1]) / plot.height) * 100}%`;
    element.setAttribute("aria-valuenow", place[0].toFixed(2));
    element.setAttribute("aria-valuetext", words(state));
  });
  return element;
}

/**
 * The declared points `key`, each a handle, of which the first `count(state)` are shown. One of them is a tab stop;
 * Page Up and Page Down go to the others, Delete takes the point away.
 */
export function createPoints(app, plot, { key, label, className, step = 0.1, count = (state) => state[key].length }) {
  const { least, most } = app.defaults[key];
  const put = (points) => app.set({ [key]: points });
  const rounded = (point) => point.map((value) => round(value, step));
  let current = 0;
  const go = (i) => handles[(i + count(app.state)) % count(app.state)].focus();
  const actions = {
    PageDown: (i) => go(i + 1),
    PageUp: (i) => go(i - 1),
    Delete(i) {
      if (app.state[key].length === least) return;
      put(app.state[key].toSpliced(i, 1));
      go(Math.min(i, count(app.state) - 1));
    },
  };
  const handles = Array.from({ length: most }, (_, i) =>
    createHandle(app, plot, {
      label: `${label} ${i + 1}`, className, step,
      at: (state) => (i < count(state) ? state[key][i] : null),
      words: (state) => state[key][i].map((value) => fmt(value)).join(", "),
      move: (point) => put(app.state[key].with(i, rounded(point))),
      key(event) {
        actions[event.key]?.(i);
        return event.key in actions;
      },
    }));
  handles.forEach((handle, i) => handle.addEventListener("focus", () => (current = i)));
  app.onDraw((state) => {
    const stop = Math.min(current, count(state) - 1);
    handles.forEach((handle, i) => (handle.tabIndex = i === stop ? 0 : -1));
  });
  return {
    handles,
    add: (point) => put([...app.state[key], rounded(point)]),
    remove: () => put(app.state[key].slice(0, -1)),
  };
}
