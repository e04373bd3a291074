import { expect, test } from "vitest";
import {
  type DebounceState,
  dueAt,
  idleDebounce,
  MIN_QUIET_MS,
  noteActed,
  noteChange,
} from "../../src/controlplane/debounce.ts";

test("a single change is acted on after the shortest quiet", () => {
  expect(dueAt(idleDebounce)).toBeUndefined();
  expect(dueAt(noteChange(idleDebounce, 100))).toBe(100 + MIN_QUIET_MS);
});

test("changes that keep coming are acted on all the same", () => {
  let state: DebounceState = idleDebounce;
  let now = 0;
  for (; now < 1000; now += 5) {
    state = noteChange(state, now);
    if ((dueAt(state) ?? Infinity) <= now) break;
  }
  expect(now).toBe(5 * MIN_QUIET_MS);
});

test("the quiet grows with the cost of acting and shrinks again", () => {
  let state = noteActed(noteChange(idleDebounce, 0), 100);
  expect(dueAt(state)).toBeUndefined();
  expect(dueAt(noteChange(state, 1000))).toBe(1200);
  state = noteActed(noteChange(state, 1000), 60_000);
  expect(dueAt(noteChange(state, 0))).toBe(500);
  state = noteActed(state, 1);
  expect(dueAt(noteChange(state, 0))).toBe(MIN_QUIET_MS);
});
