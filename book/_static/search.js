// The search: how words are told apart, and how what is found is shown. The build makes the index with the
// first half of this file, the search page reads it with all of it.

const words = (text) => text.normalize("NFC").toLowerCase().match(/[\p{L}\p{M}\p{N}_∂∇ℓ⊙∑]+(?:\.\p{N}+)*/gu) ?? [];
const isChinese = (word) => /\p{Script=Han}/u.test(word);
// Chinese has no spaces: it is found by its pairs of signs.
const pairs = (word) => [...word].slice(0, -1).map((sign, i, signs) => sign + [...word][i + 1]);
const split = (word) => (isChinese(word) && word.length > 1 ? pairs(word) : [word]);

// "cross-entropy" is found as cross, entropy and crossentropy; "relu_derivative" by its parts and whole.
function indexed(text) {
  const joined = text.toLowerCase().match(/\p{L}+(?:[-–]\p{L}+)+/gu) ?? [];
  const parts = words(text).flatMap((word) => (word.includes("_") ? [word, ...word.split("_")] : split(word)));
  return [...parts, ...joined.map((word) => word.replace(/[-–]/g, ""))].filter(Boolean);
}

// The names of a thing, each as one word, with its spaces and without: who asks for just this wants it first.
const whole = (text) => words(text).join(" ");
const names = (text) => [...new Set([whole(text), whole(text).replaceAll(" ", "")])].filter(Boolean);

const OPTIONS = {
  fields: ["whole", "title", "other", "page", "text"],
  storeFields: ["kind", "title", "page", "address", "text"],
  tokenize: (text, field) => (field === "whole" ? text.split("\n").flatMap(names) : indexed(text)),
  processTerm: (term) => term,
  searchOptions: {
    boost: { whole: 6, title: 4, other: 3, page: 0.5 },
    boostDocument: (id, term, { kind }) => ({ term: 2, symbol: 1.5, name: 0.8, paper: 0.6 })[kind] ?? 1,
    prefix: (term) => term.length > 2 && !/\d/.test(term),
    fuzzy: (term) => (/\d|\p{Script=Han}/u.test(term) || term.length < 4 ? false : term.length > 7 ? 2 : 1),
  },
};

globalThis.makeIndex = (documents) => {
  const index = new MiniSearch(OPTIONS);
  index.addAll(documents);
  return JSON.stringify(index);
};

// What holds all words, or is called just so; where nothing does, what holds some of them.
globalThis.find = (index, query) => {
  const asked = { queries: [query], fields: OPTIONS.fields.slice(1), tokenize: (text) => words(text).flatMap(split) };
  const named = { queries: [query], fields: ["whole"], tokenize: names, prefix: (term) => term.length > 5 };
  const search = (combineWith) => index.search({ combineWith: "OR", queries: [{ ...asked, combineWith }, named] });
  const all = search("AND");
  return all.length ? all : search("OR");
};

const KINDS = { equation: "Equation", term: "Term", name: "Name of the package", symbol: "Symbol", letter: "Symbol", paper: "Paper" };
const AROUND = 110; // letters that an excerpt shows before and after what it found

function excerpt({ text, terms }) {
  const lower = text.toLowerCase();
  const at = Math.min(...terms.map((term) => lower.indexOf(term)).filter((place) => place >= 0), text.length);
  const middle = at < text.length ? at : 0;
  const start = middle < AROUND ? 0 : text.indexOf(" ", middle - AROUND) + 1;
  const end = text.length < middle + 2 * AROUND ? text.length : text.lastIndexOf(" ", middle + 2 * AROUND);
  return `${start > 0 ? "…" : ""}${text.slice(start, end)}${end < text.length ? "…" : ""}`;
}

function marked(text, terms) {
  const found = terms.map((term) => RegExp.escape?.(term) ?? term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const paragraph = document.createElement("p");
  paragraph.className = "context";
  const parts = found.length ? text.split(RegExp(`(${found.join("|")})`, "giu")) : [text];
  parts.forEach((part, i) => {
    const mark = i % 2 ? document.createElement("mark") : document.createTextNode("");
    mark.textContent = part;
    paragraph.append(mark);
  });
  return paragraph;
}

function entry(result) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = result.address;
  link.textContent = result.title;
  const where = document.createElement("small");
  where.textContent = [KINDS[result.kind], result.page].filter(Boolean).join(" · ");
  item.append(link, where, marked(excerpt(result), result.terms));
  return item;
}

const load = (name, from) => new Promise((resolve, reject) => {
  const script = Object.assign(document.createElement("script"), { src: new URL(name, from), onload: resolve, onerror: () => reject(Error(`${name} did not come`)) });
  document.head.append(script);
});

/** Return a function that fetches the index, once: it is large, and only who asks something needs it. */
function fetching(from) {
  let index;
  const fetched = async () => {
    await Promise.all(["minisearch/index.js", "search-index.js"].map((name) => load(name, from)));
    return MiniSearch.loadJS(twiceIndex, OPTIONS);
  };
  return () => (index ??= fetched());
}

function start() {
  const index = fetching(document.currentScript.src);
  globalThis.searchFor = async (query) => find(await index(), query);
  const input = document.querySelector("form.search input");
  const list = document.querySelector("#search-results");
  const status = document.querySelector("#search-status");
  const asked = () => input.value.trim();
  const tell = (text, results = []) => {
    status.textContent = text;
    list.replaceChildren(...results.slice(0, 30).map(entry));
  };
  const show = async () => {
    const query = asked();
    if (!query) return tell("");
    status.textContent ||= "Fetching the index …";
    try {
      const results = await searchFor(query);
      if (query === asked()) tell(results.length ? `Places found: ${results.length}` : "Nothing found.", results); // or else somebody types on
    } catch (error) {
      tell("The index of the search could not be fetched. Load the page again to try once more.");
      throw error;
    }
  };
  input.value ||= new URLSearchParams(location.search).get("q") ?? ""; // somebody may have begun to type
  input.addEventListener("input", show);
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    history.replaceState(null, "", `?q=${encodeURIComponent(input.value)}`);
    show();
  });
  show();
}
if (globalThis.document) start();
