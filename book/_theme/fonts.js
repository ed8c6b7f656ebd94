// Ask for the faces of the first lines at once, before the style sheet that names them has come.
if (location.protocol !== "file:") { // from the disk the browser would refuse, and say so
  for (const face of ["serif", "sans"]) {
    const href = `${document.documentElement.dataset.content_root}_static/fonts/twice-${face}.woff2`;
    const link = Object.assign(document.createElement("link"), { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href });
    document.head.append(link);
  }
}
