/**
 * The candidate a user probably meant: fewest edits (insert, delete, replace, swap of neighbours), at most a third of the word's length, at
 * least one. Undefined when nothing is close.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const given = word.toLowerCase();
  let best: { name: string; edits: number } | undefined;
  for (const name of candidates) {
    // each insertion and deletion is an edit: most candidates are out by their length
    const lower = name.toLowerCase();
    if (Math.abs(lower.length - given.length) > limit) continue;
    const edits = distance(given, lower, limit);
    if (edits <= limit && (best === undefined || edits < best.edits)) best = { name, edits };
  }
  return best?.name;
}

/** Edits between two words; some number above `limit` where there are more. */
function distance(a: string, b: string, limit: number): number {
  let before: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  let least = 0;
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    let lowest = i;
    for (let j = 1; j <= b.length; j += 1) {
      const changed = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const edits = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, changed);
      const fewest = swapped ? Math.min(edits, at(before, j - 2) + 1) : edits;
      current.push(fewest);
      if (fewest < lowest) lowest = fewest;
    }
    // a row is made of the two before it: it cannot come back below the limit
    if (least > limit && lowest > limit) return lowest;
    least = lowest;
    before = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0;
}
