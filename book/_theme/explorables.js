// The page's side of the interactive figures: it tells each one the theme and gives it the height it asks for.
// The address holds the state of the figure that was operated last, #figure-neuron?w1=2&b=-1 (or #figure-neuron-2
// for the second of its name on the page): it survives a reload, can be copied, and a link can lead to it.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
  const frames = () => [...document.querySelectorAll(".explorable iframe")];
  const send = (frame, message) => frame.contentWindow.postMessage(message, "*");
  const tell = (frame) => send(frame, { twice: "theme", theme: theme() });
  /** Where the style sheets find the book's faces. */
  function sources() {
    const rules = [...document.styleSheets].flatMap(({ cssRules }) => [...cssRules]);
    const isWanted = ({ style }) => /Twice/.test(style.fontFamily) && !/-more\./.test(style.getPropertyValue("src")); // not the rare letters
    const own = rules.filter((rule) => rule instanceof CSSFontFaceRule && isWanted(rule));
    return own.map(({ style, parentStyleSheet: { href } }) => ({
      family: style.fontFamily.replaceAll('"', ""), weight: style.fontWeight || "normal", style: style.fontStyle || "normal",
      unicodeRange: style.getPropertyValue("unicode-range"),
      url: new URL(/url\("?(.*?)"?\)/.exec(style.getPropertyValue("src"))[1], href ?? document.baseURI),
    }));
  }
  // A frame can't ask for the book's faces; the page, which has loaded them, hands their bytes over. A page from the
  // disk may read neither sheets nor files: there the figures keep the system's faces.
  let faces;
  const loaded = new Promise((done) => addEventListener("load", done)); // all style sheets are there
  const bytesOf = async (url) => (await fetch(url, { cache: "force-cache" })).arrayBuffer();
  const fetched = () => Promise.all(sources().map(async ({ url, ...face }) => ({ ...face, bytes: await bytesOf(url) })));
  async function dress(frame) {
    if (location.protocol === "file:") return;
    faces ??= loaded.then(fetched).catch(() => []);
    send(frame, { twice: "faces", faces: await faces });
  }
  const tellAll = () => frames().forEach(tell);

  const places = () => { // of each figure, by its name
    const [found, times] = [new Map(), {}];
    for (const frame of frames()) {
      const { figure } = frame.parentElement.dataset;
      if (!figure || figure === "practice") continue; // which keeps answers, not a state
      times[figure] = (times[figure] ?? 0) + 1;
      found.set(`figure-${figure}${times[figure] > 1 ? `-${times[figure]}` : ""}`, frame);
    }
    return found;
  };
  const parse = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return text; // a word, as for a choice
    }
  };
  const write = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  const asText = (state) => new URLSearchParams(Object.entries(state).map(([key, value]) => [key, write(value)]));

  /** The figure and the state that the address names. */
  function addressed() {
    const [place, text] = location.hash.slice(1).split("?");
    const state = Object.fromEntries([...new URLSearchParams(text)].map(([key, value]) => [key, parse(value)]));
    return { frame: places().get(place), state };
  }
  function open() {
    const { frame, state } = addressed();
    if (!frame) return;
    frame.scrollIntoView();
    send(frame, { twice: "state", state, whole: true });
  }
  function addressOf(frame, state) {
    const [place] = [...places()].find(([, one]) => one === frame) ?? [];
    const text = asText(state);
    return place && `#${place}${text.size ? `?${text}` : ""}`;
  }

  const states = new Map(); // of each frame, what is not as it was at the start
  function keep(frame, state) {
    states.set(frame, state);
    const address = addressOf(frame, state);
    if (address) history.replaceState(null, "", address);
  }
  function addLinkButton(frame) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy-link";
    button.textContent = "Copy link";
    button.title = "Copy a link to this figure as it is now";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(new URL(addressOf(frame, states.get(frame) ?? {}), location).href);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy link"), 1500);
    });
    frame.parentElement.append(button);
  }

  addEventListener("message", ({ source, data }) => {
    const frame = frames().find((candidate) => candidate.contentWindow === source);
    if (!frame || !data) return;
    if (data.twice === "ready") {
      tell(frame);
      dress(frame);
      const { frame: asked, state } = addressed();
      if (frame === asked && Object.keys(state).length) send(frame, { twice: "state", state, whole: true });
    }
    if (data.twice === "height" && data.height > 0) frame.style.height = `${Math.ceil(data.height)}px`;
    if (data.twice === "changed") keep(frame, data.state);
  });
  addEventListener("DOMContentLoaded", () => {
    tellAll();
    places().forEach(addLinkButton);
    open();
  });
  addEventListener("hashchange", open);
  addEventListener("click", ({ target }) => { // a link to where the address leads already changes no hash
    const link = target.closest?.("a[href*='#figure-']");
    if (link?.href === location.href) open();
  });
  dark.addEventListener("change", tellAll);
  new MutationObserver(tellAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
})();
