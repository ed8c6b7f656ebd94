// The book's typefaces. A sandboxed frame can ask for no file, so the page hands their bytes over.

/** Use the faces from now on: each its family, its bytes and what else a FontFace is told. */
export const wear = (faces) => Promise.all(faces.map(({ family, bytes, ...more }) => {
  const face = new FontFace(family, bytes, more);
  document.fonts.add(face);
  return face.load();
}));
