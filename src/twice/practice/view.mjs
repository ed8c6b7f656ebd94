// The questions on the page: something to fill in for each, and the replies, copied from the folded answer.

import { wear } from "../explorables/_shared/faces.mjs";
import { fits, judge } from "./model.mjs";

const { chapter, questions } = JSON.parse(document.getElementById("state").textContent);
const LETTERS = "ABCDEFGHIJKL"; // as the folded answers name options and steps
const main = document.querySelector("main");
const post = (message) => parent.postMessage({ ...message, practice: String(chapter) }, "*");

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
const button = (label, onclick, name = label) => h("button", { type: "button", "aria-label": name, onclick }, label);

// What was checked last, by question: this alone is kept, and from it follows every reply.
let answers = {};

// A field for a number or a shape.
function typed(question, section, title) {
  const input = h("input", {
    type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-label": `Your answer to ${title}`,
    oninput: question.forget,
    onkeydown: (event) => event.key === "Enter" && check(),
  });
  const check = () => question.check(input.value);
  question.show = (given = "") => (input.value = given);
  return h("div", { class: "try" }, input, button("Check", check, `Check ${title}`));
}

// Radio buttons; a choice is judged as soon as it is made.
function choice(question, section, title) {
  const list = section.querySelector(".options");
  const inputs = [...list.children].map((_, k) =>
    h("input", { type: "radio", name: question.name, onchange: () => question.check(k) }));
  const labels = [...list.children].map((option, k) =>
    h("label", {}, inputs[k], h("b", {}, LETTERS[k]), h("div", {}, ...option.childNodes)));
  list.remove();
  question.show = (given) => inputs.forEach((input, k) => (input.checked = k === given));
  return h("fieldset", {}, h("legend", {}, `Your answer to ${title}`), ...labels);
}

// Two lists: the steps to choose from, and the reader's own. A step moves by its buttons or by its grip.
function order(question, section, title) {
  const offered = section.querySelector(".steps");
  const pool = h("ol", { class: "list pool", "aria-label": `Steps to choose from for ${title}` });
  const own = h("ol", { class: "list own", "aria-label": `Your order for ${title}` });
  const spoken = h("p", { class: "spoken", role: "status" });
  const visible = (item) => item && [...item.querySelectorAll("button")].find((one) => one.offsetParent);
  const placed = () => [...own.children].map((item) => item.step);

  function settle() {
    [...pool.children].sort((a, b) => a.place - b.place).forEach((item) => pool.append(item));
    question.forget();
  }
  // The keyboard stays where it was: on the same button, or in the list that the step has left.
  function move(item, put, pressed) {
    const neighbour = item.nextElementSibling ?? item.previousElementSibling;
    put(item);
    settle();
    (pressed.offsetParent ? pressed : visible(neighbour) ?? visible(item)).focus();
    const place = [...own.children].indexOf(item);
    spoken.textContent = `Step ${item.letter} ${place < 0 ? "is taken out" : `is number ${place + 1} of your order`}.`;
  }

  const items = [...offered.children].map((step, place) => {
    const letter = LETTERS[place];
    const act = (label, name, className, put) => h("button", {
      type: "button", class: className, "aria-label": `${name} step ${letter} of ${title}`,
      onclick: ({ currentTarget }) => move(item, put, currentTarget),
    }, label);
    const item = h("li", {}, h("span", { class: "grip", onpointerdown: (event) => hold(item, event) }, letter),
      h("div", {}, ...step.childNodes), h("span", { class: "moves" },
        act("+", "Add", "add", () => own.append(item)),
        act("↑", "Move up", "arrange", () => item.previousElementSibling?.before(item)),
        act("↓", "Move down", "arrange", () => item.nextElementSibling?.after(item)),
        act("×", "Take out", "arrange", () => pool.append(item))));
    return Object.assign(item, { place, letter, step: Number(step.dataset.step) });
  });
  question.letter = (step) => items.find((item) => item.step === step).letter;
  const two = h("div", { class: "two" }, h("h3", {}, "Steps to choose from"), pool, h("h3", {}, "Your order"), own);

  // The lists, not the step, capture the pointer: the step is taken out and put in again as it moves.
  function hold(item, event) {
    event.preventDefault();
    two.setPointerCapture(event.pointerId);
    item.classList.add("held");
    const follow = ({ clientX, clientY }) => {
      const list = [own, pool].find((one) => {
        const box = one.getBoundingClientRect();
        return clientX >= box.left && clientX <= box.right && clientY >= box.top && clientY <= box.bottom;
      });
      if (!list) return;
      const middle = (other) => other.getBoundingClientRect().top + other.offsetHeight / 2;
      const next = [...list.children].find((other) => other !== item && clientY < middle(other));
      if (item.nextElementSibling !== (next ?? null) || item.parentElement !== list) list.insertBefore(item, next ?? null);
    };
    const release = () => {
      item.classList.remove("held");
      two.removeEventListener("pointermove", follow);
      settle();
    };
    two.addEventListener("pointermove", follow);
    two.addEventListener("lostpointercapture", release, { once: true });
  }

  question.show = (given = []) => {
    pool.append(...items);
    own.append(...given.map((step) => items.find((item) => item.step === step)).filter(Boolean));
    settle();
  };
  offered.remove();
  return h("div", {}, two, h("div", { class: "try" }, button("Check", () => question.check(placed()), `Check ${title}`)), spoken);
}

const kinds = { number: typed, shape: typed, choice, order };

const HEADS = { right: "✓ Right", wrong: "Not yet", unread: "Not read" };

/** Where an order goes wrong, in words. */
function where(question, given, { place, missing, reply }) {
  if (missing) return given.length ? "Right so far, and something is missing." : "Add the first step.";
  if (place === undefined) return null;
  const step = `Step ${question.letter(given[place])}, number ${place + 1} of your order,`;
  if (reply !== undefined) return `${step} does not belong.`;
  return place ? `All is right before it; ${step.replace("S", "s")} does not come next.` : `${step} is not the beginning.`;
}

/** The reply to an answer, in the words of the folded part. */
function reply(question, section, given) {
  const { verdict, ...found } = judge(question, given);
  const copy = (selector) => [...section.querySelectorAll(`details ${selector}`)].map((part) => part.cloneNode(true));
  const said = found.words ?? where(question, given, found);
  const parts = [h("p", {}, h("b", {}, HEADS[verdict])), ...(said ? [h("p", {}, said)] : [])];
  if (verdict === "right") parts.push(...copy(".right > p:not(:first-child)"));
  if (found.reply !== undefined) parts.push(...copy(`.replies > li:nth-child(${found.reply + 1}) > div`));
  if (found.hint) parts.push(...copy(".hint"));
  return { verdict, parts };
}

function count() {
  const right = questions.filter(({ name, ...question }) => name in answers && judge(question, answers[name]).verdict === "right");
  kept.querySelector("p").textContent = `${right.length} of ${questions.length} right here. Your answers stay on this machine.`;
}

questions.forEach((question, k) => {
  const section = document.getElementById(question.name);
  const output = h("div", { class: "reply", role: "status" });
  question.forget = () => output.replaceChildren();
  question.draw = () => {
    const given = answers[question.name];
    question.show(given);
    question.forget();
    if (given === undefined) return;
    const { verdict, parts } = reply(question, section, given);
    output.className = `reply ${verdict}`;
    output.replaceChildren(...parts);
  };
  question.check = (given) => {
    answers = { ...answers, [question.name]: given };
    question.draw();
    count();
    post({ twice: "state", state: { answers } });
  };
  const field = kinds[question.kind](question, section, `question ${k + 1}`);
  section.querySelector("details").before(field, output);
});

const kept = h("div", { class: "kept", hidden: "" }, h("p"),
  button("Save as a file", () => post({ twice: "export" }), `Save your answers to chapter ${chapter} as a file`),
  button("Clear", () => post({ twice: "clear" }), `Clear your answers to chapter ${chapter}`));
main.append(kept);

/** Take the answers that a page kept; what does not fit its question is left out. */
function take(given) {
  const known = questions.filter(({ name }) => Object.hasOwn(given, name));
  answers = Object.fromEntries(known.filter((q) => fits(q, given[q.name])).map(({ name }) => [name, given[name]]));
  questions.forEach((question) => question.draw());
  count();
}

const dark = matchMedia("(prefers-color-scheme: dark)");
let told = null;
const dress = () => (document.documentElement.dataset.theme = told ?? (dark.matches ? "dark" : "light"));
dark.addEventListener("change", dress);

addEventListener("message", ({ source, data }) => {
  if (source !== parent || !data) return;
  if (data.twice === "theme" && ["light", "dark"].includes(data.theme)) {
    told = data.theme;
    dress();
  }
  if (data.twice === "faces") wear(data.faces);
  if (data.twice === "state?") post({ twice: "state", state: { answers } });
  if (data.twice === "state" && data.state) {
    kept.hidden = !data.kept;
    take(data.state.answers ?? {});
  }
});

dress();
take({});
new ResizeObserver(() => {
  post({ twice: "height", height: Math.ceil(main.getBoundingClientRect().height) });
  for (const line of main.querySelectorAll("p")) { // what is wider than the screen scrolls, by keyboard too
    if (line.scrollWidth > line.clientWidth) line.tabIndex = 0;
    else line.removeAttribute("tabindex");
  }
}).observe(main);
post({ twice: "ready" });
