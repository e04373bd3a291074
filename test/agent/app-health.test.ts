import { expect, test } from "vitest";
import { healthPolicy, stepHealth, UNDECIDED } from "../../src/agent/app-health.ts";

const policy = healthPolicy({ successThreshold: 2, failureThreshold: 3 });

/** Decisions after each answer. */
function play(answers: readonly boolean[]): readonly (boolean | undefined)[] {
  let state = UNDECIDED;
  return answers.map((ok) => {
    state = stepHealth(state, ok, policy);
    return state.healthy;
  });
}

test.each([
  [
    [true, true],
    [undefined, true],
  ],
  [
    [false, false, true, false, false, false],
    [undefined, undefined, undefined, undefined, undefined, false],
  ],
  [
    [true, true, false, false, true, false, false, false, true, true],
    [undefined, true, true, true, true, true, true, false, false, true],
  ],
])("answers %j decide %j", (answers, decisions) => {
  expect(play(answers)).toEqual(decisions);
});

test("Kubernetes' defaults, in milliseconds", () => {
  expect(healthPolicy({})).toEqual({ initialDelay: 0, period: 10_000, timeout: 1_000, successes: 1, failures: 3 });
  expect(healthPolicy({ initialDelaySeconds: 2, periodSeconds: 1 })).toMatchObject({
    initialDelay: 2_000,
    period: 1_000,
  });
});
