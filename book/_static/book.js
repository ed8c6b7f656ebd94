// What a page does: switch the theme, copy code, let wide things scroll by keyboard, show where one is.
// Nothing here asks for a size before the browser has laid the thing out by itself.

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

function switchTheme() {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  const theme = isDark ? "light" : "dark";
  root.dataset.theme = theme;
  try {
    localStorage.setItem("twice-theme", theme);
  } catch {} // no storage: the choice lasts as long as the page
}

function addCopyButton(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("pre").innerText);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  block.append(button);
}

/** Do something with each element, once it comes near the window. */
function whenNear(elements, act) {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
        observer.unobserve(target);
        act(target);
      }
    },
    { rootMargin: "100%" },
  );
  elements.forEach((element) => observer.observe(element));
}

// What is wider than the screen scrolls; the keyboard must be able to reach it.
function letKeyboardScroll(element) {
  if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
  else element.removeAttribute("tabindex");
}

// An observer is told of an element once it is laid out; late fonts concern only what is.
function watchWidths(elements) {
  const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => letKeyboardScroll(target)));
  elements.forEach((element) => resized.observe(element));
  const isLaidOut = (element) => element.checkVisibility({ contentVisibilityAuto: true });
  document.fonts.addEventListener("loadingdone", () => elements.filter(isLaidOut).forEach(letKeyboardScroll));
}

// One is in the last of the sections that reach into the upper part of the window: the innermost one there.
function followSections(links) {
  const linkOf = new Map(links.map((link) => [document.getElementById(decodeURIComponent(link.hash.slice(1))), link]));
  const inside = new Set();
  const mark = () => {
    const here = [...linkOf.keys()].findLast((section) => inside.has(section));
    for (const [section, link] of linkOf) link.ariaCurrent = section === here ? "true" : null;
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) inside[isIntersecting ? "add" : "delete"](target);
      mark();
    },
    { rootMargin: "-100px 0px -75%" },
  );
  for (const section of linkOf.keys()) observer.observe(section);
}

document.querySelector(".bar .theme").addEventListener("click", switchTheme);
whenNear(document.querySelectorAll(".cell_input .highlight, details .highlight"), addCopyButton);
watchWidths([...document.querySelectorAll("pre, div.table, .math.display")]);
followSections([...document.querySelectorAll(".on-this-page ul ul a")]);
