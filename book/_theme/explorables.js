// The page's side of the interactive figures: it tells each one the theme and gives it the height it asks for.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
  const frames = () => [...document.querySelectorAll(".explorable iframe")];
  const tell = (frame) => frame.contentWindow.postMessage({ twice: "theme", theme: theme() }, "*");
  const tellAll = () => frames().forEach(tell);

  addEventListener("message", ({ source, data }) => {
    const frame = frames().find((candidate) => candidate.contentWindow === source);
    if (!frame || !data) return;
    if (data.twice === "ready") tell(frame);
    if (data.twice === "height" && data.height > 0) frame.style.height = `${Math.ceil(data.height)}px`;
  });
  addEventListener("DOMContentLoaded", tellAll);
  dark.addEventListener("change", tellAll);
  new MutationObserver(tellAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
})();
