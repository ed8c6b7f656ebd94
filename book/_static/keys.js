// Keys for the whole page: / opens the search, ← and → lead to the neighbouring pages.

(() => {
  const TAKES_KEYS = "input, textarea, select, [contenteditable], [tabindex], dialog, .explorable"; // typing, scrolling, figures

  function openSearch() {
    const box = [...document.querySelectorAll("form[role='search'] input")].findLast((input) => input.checkVisibility());
    if (box) box.select();
    else document.querySelector(".to-search").click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest(TAKES_KEYS)) return;
    const neighbour = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    if (event.key === "/") {
      event.preventDefault();
      openSearch();
    } else if (neighbour && !event.shiftKey) {
      document.querySelector(`.neighbours a[rel="${neighbour}"]`)?.click();
    }
  });
})();
