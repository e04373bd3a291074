import { expect, test } from "vitest";
import {
  type IdentityEffect,
  type IdentityEvent,
  type IdentityState,
  initialIdentity,
  renewalDelay,
  stepIdentity,
} from "../../src/agent/identity-state.ts";

const POLICY = { graceRatio: 0.5, graceJitter: 0.01 };
const HOUR = 3_600_000;
const issued = (now: number, life = 24 * HOUR, isStray = false): IdentityEvent => ({
  type: "issued",
  isStray,
  validity: { notBefore: now, notAfter: now + life },
  now,
  random: 0.5,
});
const refused = (now: number): IdentityEvent => ({ type: "refused", error: "no", now, random: 0.5 });

function play(...events: readonly IdentityEvent[]): { state: IdentityState; effects: readonly IdentityEffect[] } {
  let state = initialIdentity;
  let effects: readonly IdentityEffect[] = [];
  for (const event of events) [state, effects] = stepIdentity(state, event, POLICY);
  return { state, effects };
}

function acts(effects: readonly IdentityEffect[]): readonly unknown[] {
  return effects.flatMap((effect) =>
    effect.type === "log" ? [] : [effect.type === "timer" ? effect.delay : `ask by ${effect.credential}`],
  );
}

test.each<[string, readonly IdentityEvent[], readonly unknown[]]>([
  ["starts with the token", [{ type: "start", now: 0 }], ["ask by token"]],
  ["renews at half of the lifetime", [{ type: "start", now: 0 }, issued(0)], [12 * HOUR]],
  [
    "renews with the old certificate",
    [{ type: "start", now: 0 }, issued(0), { type: "timer", now: 12 * HOUR }],
    ["ask by certificate"],
  ],
  [
    "an expired certificate is none",
    [{ type: "start", now: 0 }, issued(0), { type: "timer", now: 25 * HOUR }],
    ["ask by token"],
  ],
  [
    "falls back to the token at once",
    [{ type: "start", now: 0 }, issued(0), { type: "timer", now: 1 }, refused(1)],
    ["ask by token"],
  ],
  [
    "another authority that signs is asked within seconds",
    [{ type: "start", now: 0 }, issued(0), { type: "superseded", random: 0.5 }],
    [2_500],
  ],
  [
    "which one signs matters only to what is held",
    [
      { type: "start", now: 0 },
      { type: "superseded", random: 0.5 },
    ],
    [],
  ],
  [
    "the wrong authority's answer is tried again, ever later",
    [{ type: "start", now: 0 }, issued(0, 24 * HOUR, true), { type: "timer", now: 1 }, issued(0, 24 * HOUR, true)],
    [10_000],
  ],
  [
    "but renewed in time, and forgotten with the first right one",
    [
      { type: "start", now: 0 },
      ...Array.from({ length: 30 }, () => issued(0, 2 * HOUR, true)),
      issued(0, 2 * HOUR),
      { type: "superseded", random: 0 },
      issued(0, 2 * HOUR, true),
    ],
    [5_000],
  ],
  ["waits after the token failed", [{ type: "start", now: 0 }, refused(0)], [200]],
  [
    "waits twice as long each time",
    [
      { type: "start", now: 0 },
      refused(0),
      { type: "timer", now: 1 },
      refused(1),
      { type: "timer", now: 2 },
      refused(2),
    ],
    [800],
  ],
  ["does nothing once closed", [{ type: "start", now: 0 }, { type: "close" }, refused(0)], []],
])("%s", (_name, events, expected) => {
  expect(acts(play(...events).effects)).toEqual(expected);
});

test("without a certificate it asks every few seconds for ever, with one every minute", () => {
  const many = Array.from({ length: 40 }, () => [refused(1), { type: "timer", now: 1 } as const])
    .flat()
    .slice(0, -1);
  expect(acts(play({ type: "start", now: 0 }, ...many).effects)).toEqual([5_000]);
  const held: IdentityEvent[] = [{ type: "start", now: 0 }, issued(0), { type: "timer", now: 1 }];
  const tries = Array.from({ length: 40 }, () => [refused(1), refused(1), { type: "timer", now: 1 } as const]).flat();
  expect(acts(play(...held, ...tries.slice(0, -1)).effects)).toEqual([60_000]);
});

test("a success forgets the failures; the words name what happened and what comes", () => {
  const { state, effects } = play({ type: "start", now: 0 }, refused(0), { type: "timer", now: 1 }, issued(1));
  expect(state).toMatchObject({ phase: "holding", failures: 0 });
  expect(effects[0]).toEqual({
    type: "log",
    level: "info",
    message: "certificate issued: valid until 1970-01-02T00:00:00.001Z, next renewal in 43200 s",
  });
  const failed = play({ type: "start", now: 0 }, refused(0));
  expect(failed.effects[0]).toEqual({
    type: "log",
    level: "warn",
    message: "no certificate: no; attempt 1, next in 0.2 s",
  });
});

test("the jitter spreads renewals around the ratio, and a timer fits setTimeout", () => {
  const validity = { notBefore: 0, notAfter: 100_000 };
  expect(renewalDelay(validity, 0, 0, POLICY)).toBe(51_000);
  expect(renewalDelay(validity, 0, 1, POLICY)).toBe(49_000);
  expect(renewalDelay(validity, 99_999, 0.5, POLICY)).toBe(1_000);
  expect(renewalDelay({ notBefore: 0, notAfter: 2 ** 45 }, 0, 0.5, POLICY)).toBe(2 ** 31 - 1);
});
