// A picture that a small screen shrinks is opened, by a tap or its button, as large as it was drawn.

(() => {
  function makeButton(className, text) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = className;
    button.textContent = text;
    return button;
  }

  function enlarge(picture) {
    const images = [...picture.querySelectorAll("img")]; // one for each theme
    const dialog = document.createElement("dialog");
    dialog.className = "enlarged";
    dialog.ariaLabel = images[0].alt;
    dialog.append(makeButton("close", "Close"), ...images.map((image) => image.cloneNode()));
    dialog.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  for (const picture of document.querySelectorAll(".picture")) {
    const button = makeButton("enlarge", "Enlarge");
    picture.append(button);
    picture.addEventListener("click", () => {
      if (!button.checkVisibility()) return; // the style sheet shows it where pictures shrink
      button.focus(); // to which the focus returns
      enlarge(picture);
    });
  }
})();
