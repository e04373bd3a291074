/** How many unchanged lines stand around a change. */
const CONTEXT = 3;

interface Hunk {
  /** First line of either side, from 0. */
  readonly before: number;
  readonly after: number;
  readonly removed: number;
  readonly added: number;
}

/** The difference of two texts as `diff -u` and git write it; empty when there is none. */
export function unifiedDiff(name: string, before: string, after: string): string {
  if (before === after) return "";
  const left = before.split("\n");
  const right = after.split("\n");
  const out = [`--- a/${name}`, `+++ b/${name}`];
  for (const group of grouped(hunksOf(left, right))) out.push(...groupText(group, left, right));
  return `${out.join("\n")}\n`;
}

/** Hunks that are near each other share their context. */
function grouped(hunks: readonly Hunk[]): readonly (readonly Hunk[])[] {
  const groups: Hunk[][] = [];
  for (const hunk of hunks) {
    const last = groups.at(-1)?.at(-1);
    if (last !== undefined && hunk.before - (last.before + last.removed) <= 2 * CONTEXT) groups.at(-1)?.push(hunk);
    else groups.push([hunk]);
  }
  return groups;
}

function groupText(group: readonly Hunk[], left: readonly string[], right: readonly string[]): readonly string[] {
  const [first, last] = [group[0], group.at(-1)];
  if (first === undefined || last === undefined) return [];
  // behind the last line end there is no line
  const lines = left.at(-1) === "" ? left.length - 1 : left.length;
  const from = Math.max(0, first.before - CONTEXT);
  const to = Math.min(lines, last.before + last.removed + CONTEXT);
  const body: string[] = [];
  let at = from;
  for (const hunk of group) {
    body.push(...left.slice(at, hunk.before).map((line) => ` ${line}`));
    body.push(...left.slice(hunk.before, hunk.before + hunk.removed).map((line) => `-${line}`));
    body.push(...right.slice(hunk.after, hunk.after + hunk.added).map((line) => `+${line}`));
    at = hunk.before + hunk.removed;
  }
  body.push(...left.slice(at, to).map((line) => ` ${line}`));
  const grown = group.reduce((sum, { added, removed }) => sum + added - removed, 0);
  const start = first.after - (first.before - from);
  return [`@@ -${from + 1},${to - from} +${start + 1},${to - from + grown} @@`, ...body];
}

/**
 * What differs, from the first line on. After a difference the nearest pair of equal lines goes on (the sum of skipped lines is
 * least): right for edits of a few lines, and never quadratic in the text.
 */
function hunksOf(left: readonly string[], right: readonly string[]): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let before = 0;
  let after = 0;
  while (before < left.length || after < right.length) {
    if (before < left.length && left[before] === right[after]) {
      before += 1;
      after += 1;
      continue;
    }
    const [removed, added] = nextEqual(left.slice(before, before + WINDOW), right.slice(after, after + WINDOW));
    hunks.push({ before, after, removed, added });
    before += removed;
    after += added;
  }
  return hunks;
}

/** Lines within which both texts are expected to meet again. */
const WINDOW = 400;

function nextEqual(left: readonly string[], right: readonly string[]): readonly [removed: number, added: number] {
  for (let sum = 1; sum < left.length + right.length; sum += 1)
    for (let removed = Math.max(0, sum - right.length + 1); removed <= Math.min(sum, left.length - 1); removed += 1)
      if (left[removed] === right[sum - removed]) return [removed, sum - removed];
  return [left.length, right.length];
}
