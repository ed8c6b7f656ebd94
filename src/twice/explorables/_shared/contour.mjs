// Lines of equal value on a grid. Nothing here knows of the page.

/**
 * The line where the values `rows[j][i]` of a grid pass through `level`: segments between points [i, j].
 * Each cell is cut into two triangles, and a line enters and leaves a triangle at most once.
 */
export function contour(rows, level) {
  const segments = [];
  const below = (i, j) => rows[j][i] < level;
  const corner = (i, j) => ({ i, j, rise: rows[j][i] - level });
  const crossing = (p, q) => {
    if (p.rise < 0 === q.rise < 0) return [];
    const t = p.rise / (p.rise - q.rise);
    return [[p.i + t * (q.i - p.i), p.j + t * (q.j - p.j)]];
  };
  for (let j = 1; j < rows.length; j++) {
    for (let i = 1; i < rows[j].length; i++) {
      const count = below(i - 1, j - 1) + below(i, j - 1) + below(i - 1, j) + below(i, j);
      if (count % 4 === 0) continue; // all on one side
      const [a, b, c, d] = [corner(i - 1, j - 1), corner(i, j - 1), corner(i - 1, j), corner(i, j)];
      for (const [p, q, r] of [[a, b, c], [b, c, d]]) {
        const ends = [...crossing(p, q), ...crossing(q, r), ...crossing(r, p)];
        if (ends.length === 2) segments.push(ends);
      }
    }
  }
  return segments;
}
