import type { KubeObject } from "../../../src/resources/object.ts";
import type { WorldChange } from "../../../src/resources/world.ts";
import { asRequest, asTraffic, type ChangeCase, type ChangeStep } from "./change-case.ts";
import type { Lab } from "./lab.ts";
import { type Hit, type Load, startLoad } from "./load.ts";
import { caseObjects } from "./mesh-objects.ts";
import { targetOf } from "./run.ts";
import { withWords } from "./security-objects.ts";

/** Answers in a row that show that a change has arrived. */
const IN_A_ROW = 12;
/** Rounds through all steps without waiting for them, one right behind the other. */
const HASTY_ROUNDS = 5;
/** In turn: before anything was sent, between clusters and routes, after all of it. */
const HASTY_PAUSES_MS = [0, 3, 8, 15, 25, 40, 5];

/**
 * Goes through all steps and back to the first, each waited for; then through all of them in haste; ends in the first. Load goes
 * on all the time.
 */
export async function runChanges(
  lab: Lab,
  item: ChangeCase,
  index: number,
): Promise<{ readonly sent: number; readonly failures: readonly string[] }> {
  const [first] = item.steps;
  if (first === undefined) throw new Error(`${item.name} has no steps`);
  const states = item.steps.map((step) => withWords(caseObjects(asTraffic(item, step), index, lab.places), lab.words));
  let current = states[0] ?? [];
  const go = (to: number): void => {
    const next = states[to] ?? [];
    lab.plane.state.world.apply(difference(current, next));
    current = next;
  };
  const load = loadOf(lab, item);
  try {
    await settled(load, first);
    load.restart();
    for (const [to, step] of [...item.steps.entries(), [0, first] as const].slice(1)) {
      go(to);
      await settled(load, step);
    }
    for (let turn = 0; turn < HASTY_ROUNDS * states.length; turn += 1) {
      go(turn % states.length);
      await new Promise((resolve) => setTimeout(resolve, HASTY_PAUSES_MS[turn % HASTY_PAUSES_MS.length]));
    }
    go(0);
    await settled(load, first);
  } finally {
    await load.stop();
  }
  return { sent: load.sent(), failures: load.failures };
}

/** Starts the requests of a case, `times` as many as usual. */
export function loadOf(lab: Lab, item: ChangeCase, times = 1): Load {
  const { path = "/", secure = false } = item.load;
  const [first = { it: "", objects: [] }] = item.steps;
  return startLoad({ target: targetOf(lab, asTraffic(item, first), asRequest(item.load)), path, secure, times });
}

async function settled(load: Load, { it, from, certificate }: ChangeStep): Promise<void> {
  const fits = (hit: Hit): boolean =>
    (from === undefined || hit.who === from) &&
    (certificate === undefined || !hit.isFresh || hit.certificate.includes(certificate));
  await load.steady(fits, IN_A_ROW).catch((error: unknown) => {
    throw new Error(`${it}: ${String(error)}`, { cause: error });
  });
}

/** One batch, as one edit in a cluster would seldom be, but as `kubectl apply` of one file may become. */
function difference(before: readonly KubeObject[], after: readonly KubeObject[]): readonly WorldChange[] {
  const keyOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace ?? ""} ${metadata.name}`;
  const stays = new Set(after.map(keyOf));
  const gone = before.filter((object) => !stays.has(keyOf(object)));
  return [
    ...after.map((object) => ({ type: "set" as const, object })),
    ...gone.map((object) => ({ type: "delete" as const, object })),
  ];
}
