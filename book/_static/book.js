// What a page does: switch the theme, copy code, let wide things scroll by keyboard, show where one is.

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

// What is wider than the screen scrolls; the keyboard must be able to reach it.
function letKeyboardScroll(element) {
  if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
  else element.removeAttribute("tabindex");
}

function watchWidths(elements) {
  const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => letKeyboardScroll(target)));
  elements.forEach((element) => resized.observe(element));
  document.fonts.addEventListener("loadingdone", () => elements.forEach(letKeyboardScroll));
}

function followSections(links) {
  const sections = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
  const mark = () => {
    const passed = sections.filter((section) => section.getBoundingClientRect().top < 120);
    const here = links[Math.max(passed.length - 1, 0)];
    links.forEach((link) => (link.ariaCurrent = link === here ? "true" : null));
  };
  addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });
  mark();
}

document.querySelector(".bar .theme").addEventListener("click", switchTheme);
document.querySelectorAll(".cell_input .highlight, details .highlight").forEach(addCopyButton);
watchWidths(document.querySelectorAll("pre, div.table, .math.display"));
const sectionLinks = [...document.querySelectorAll(".on-this-page ul ul a")];
if (sectionLinks.length) followSections(sectionLinks);
