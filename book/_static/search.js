// Sphinx shows a piece of each page it finds: without the second, spoken form of the formulas in it.

const textOf = Search.htmlToText;
Search.htmlToText = (html, anchor) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  page.querySelectorAll(".katex-mathml, .tools, .neighbours").forEach((element) => element.remove());
  return textOf(page.documentElement.outerHTML, anchor);
};
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false; // no page may be read
