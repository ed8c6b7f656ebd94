// Shows what a reference leads to, an equation, a paper, a term, a piece of code, on hover, focus and long press.
// Each preview is a script of its own, which loads when it is wanted, also from the disk.

(() => {
  const PREVIEWED = /^#(eq|cite|term|twice)-/;
  const SOON = 250; // milliseconds: a pointer that only passes by opens nothing, and has time to enter the preview
  const LONG = 500;
  const root = new URL(document.documentElement.dataset.content_root, location.href);
  const previews = {};
  const box = document.createElement("div");
  box.id = "preview";
  box.popover = "manual";
  document.querySelector("main").append(box);

  let link = null; // whose preview is shown or about to be
  let timer = 0;
  let pressed = false; // long enough for a preview: what follows is no click

  const previewed = (target) => {
    const found = target.closest?.("article a[href*='#']");
    return found && PREVIEWED.test(found.hash) && !found.matches(".headerlink") ? found : null;
  };

  function load(key) {
    return new Promise((resolve) => {
      if (key in previews) return resolve(previews[key]);
      const script = document.createElement("script");
      script.src = new URL(`_static/previews/${key}.js`, root);
      script.onload = () => resolve(previews[key]);
      document.head.append(script);
    });
  }
  globalThis.twicePreview = (key, html) => (previews[key] = html);

  function letFormulasBeSeen() {
    if (!box.querySelector(".katex") || document.querySelector("link[href*='katex']")) return;
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL("_static/katex/katex.min.css", root);
    document.head.append(sheet);
  }

  function place() {
    if (!link || !box.matches(":popover-open")) return;
    const { left, top, bottom } = link.getClientRects()[0];
    const below = bottom + box.offsetHeight + 8 <= innerHeight || top < innerHeight / 2;
    box.style.left = `${Math.max(8, Math.min(left, innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${below ? bottom + 6 : top - box.offsetHeight - 6}px`;
  }

  async function show(wanted) {
    hide();
    link = wanted;
    const page = new URL(link.href).pathname.slice(root.pathname.length).replace(/\.html$/, "");
    const html = await load(`${page}/${link.hash.slice(1)}`);
    if (link !== wanted || !html) return; // the reader has gone on
    box.innerHTML = html;
    letFormulasBeSeen();
    box.showPopover();
    link.setAttribute("aria-describedby", box.id);
    place();
  }

  function hide() {
    clearTimeout(timer);
    link?.removeAttribute("aria-describedby");
    link = null;
    if (box.matches(":popover-open")) box.hidePopover();
  }

  const after = (delay, action) => {
    clearTimeout(timer);
    timer = setTimeout(action, delay);
  };

  document.addEventListener("pointerover", ({ target, pointerType }) => {
    if (pointerType === "touch") return;
    const over = previewed(target);
    if (box.contains(target) || (over && over === link)) clearTimeout(timer);
    else if (over) after(SOON, () => show(over));
    else if (link && link !== document.activeElement) after(SOON, hide);
    else clearTimeout(timer);
  });
  document.addEventListener("focusin", ({ target }) => {
    const focused = previewed(target);
    if (focused?.matches(":focus-visible")) show(focused);
    else if (focused !== link) hide();
  });
  document.addEventListener("focusout", () => link === document.activeElement || hide());
  document.addEventListener("keydown", ({ key }) => key === "Escape" && hide());

  document.addEventListener("pointerdown", ({ target, pointerType }) => {
    pressed = false;
    if (pointerType !== "touch") return;
    if (!box.contains(target)) hide();
    const touched = previewed(target);
    if (touched) after(LONG, () => ((pressed = true), show(touched)));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, ({ pointerType }) => pointerType === "touch" && clearTimeout(timer));
  }
  // the browser's own menu would cover the preview, and the finger's lifting would follow the link
  document.addEventListener("contextmenu", (event) => pressed && event.preventDefault());
  document.addEventListener("click", (event) => pressed && previewed(event.target) && event.preventDefault(), true);

  addEventListener("scroll", place, { passive: true });
  addEventListener("resize", place, { passive: true });
})();
