import { expect, test } from "vitest";
import { leavingEndpoints, nextPush, notePush } from "../../src/controlplane/push-plan.ts";
import { NO_RESOURCES, type ResourceTable, type Snapshot } from "../../src/controlplane/resource-table.ts";
import {
  createSubscription,
  openSubscription,
  type Subscription,
  updateSubscription,
} from "../../src/controlplane/subscription.ts";
import type { XdsKind } from "../../src/xds/types.ts";
import { request, snapshot } from "./support.ts";

/** A stream whose responses are answered by hand: `run` sends until nothing more may go and tells what went. */
function stream(wants: Partial<Record<XdsKind, readonly string[]>>) {
  const subs = new Map<XdsKind, Subscription>();
  for (const [kind, subscribe] of Object.entries(wants) as [XdsKind, readonly string[]][]) {
    const sub = createSubscription(kind);
    openSubscription(sub, request({ subscribe }));
    subs.set(kind, sub);
  }
  let nonce = 0;
  let before: { readonly snapshot: Snapshot; readonly leaving: ResourceTable } | undefined;
  const run = (current: Snapshot, impatient = false): string[] => {
    const out: string[] = [];
    const leaving = before === undefined ? NO_RESOURCES : leavingEndpoints(subs, before, current);
    before = { snapshot: current, leaving };
    for (
      let push = nextPush(subs, current, { impatient, whole: false, leaving });
      push !== undefined;
      push = nextPush(subs, current, { impatient, whole: false, leaving })
    ) {
      nonce += 1;
      notePush(subs, push, `n${nonce}`);
      const parts = [...push.sent.set.map(({ name }) => `+${name}`), ...push.sent.removed.map((name) => `-${name}`)];
      out.push(`${push.kind} ${parts.join(" ")} n${nonce}`);
    }
    return out;
  };
  const answer = (kind: XdsKind, id: string, error?: string) =>
    updateSubscription(subs.get(kind)!, request({ nonce: id, error }), 0);
  return { subs, run, answer };
}

const base = { cluster: { c1: "1" }, endpoint: { c1: "1" }, listener: { l: "1" }, route: { r: "1" } };

test("listeners and routes follow once clusters and endpoints are confirmed", () => {
  const { run, answer } = stream({ cluster: [], endpoint: ["c1"], listener: [], route: ["r"] });
  const current = snapshot(base);
  expect(run(current)).toEqual(["cluster +c1 n1", "endpoint +c1 n2"]);
  answer("cluster", "n1");
  expect(run(current)).toEqual([]);
  answer("endpoint", "n2");
  expect(run(current)).toEqual(["listener +l n3", "route +r n4"]);
  answer("listener", "n3");
  answer("route", "n4");
  expect(run(current)).toEqual([]);
});

test("a client that never confirms is served all the same when patience ends", () => {
  const { run } = stream({ cluster: [], endpoint: ["c1"], listener: [], route: ["r"] });
  run(snapshot(base));
  expect(run(snapshot(base), true)).toEqual(["listener +l n3", "route +r n4"]);
});

test("a cluster goes only when nothing confirmed leads to it any more", () => {
  const { run, answer } = stream({ cluster: [], endpoint: ["c1", "c2"], listener: [], route: ["r"] });
  run(snapshot(base), true);
  for (const [kind, id] of [
    ["cluster", "n1"],
    ["endpoint", "n2"],
    ["listener", "n3"],
    ["route", "n4"],
  ] as const)
    answer(kind, id);
  const moved = snapshot({ ...base, cluster: { c2: "1" }, endpoint: { c2: "1" }, route: { r: "to c2" } });
  expect(run(moved)).toEqual(["cluster +c2 n5", "endpoint +c2 n6"]);
  answer("cluster", "n5");
  answer("endpoint", "n6");
  expect(run(moved)).toEqual(["route +r n7"]);
  answer("route", "n7");
  expect(run(moved)).toEqual(["cluster -c1 n8"]);
});

test("while a current route is refused, the clusters of the old one stay", () => {
  const { run, answer } = stream({ cluster: [], listener: [], route: ["r"] });
  run(snapshot(base), true);
  for (const [kind, id] of [
    ["cluster", "n1"],
    ["listener", "n2"],
    ["route", "n3"],
  ] as const)
    answer(kind, id);
  const moved = snapshot({ ...base, cluster: {}, route: { r: "broken" } });
  expect(run(moved)).toEqual(["route +r n4"]);
  answer("route", "n4", "no");
  expect(run(moved)).toEqual([]);
  const mended = snapshot({ ...base, cluster: {}, route: { r: "mended" } });
  expect(run(mended)).toEqual(["route +r n5"]);
  answer("route", "n5");
  expect(run(mended)).toEqual(["cluster -c1 n6"]);
});

test("endpoints are sent anew behind a cluster that was sent anew", () => {
  const { run, answer } = stream({ cluster: [], endpoint: ["c1", "c2"] });
  const first = snapshot({ cluster: { c1: "1", c2: "1" }, endpoint: { c1: "1", c2: "1" } });
  expect(run(first)).toEqual(["cluster +c1 +c2 n1", "endpoint +c1 +c2 n2"]);
  answer("cluster", "n1");
  answer("endpoint", "n2");
  const changed = snapshot({ cluster: { c1: "2", c2: "1" }, endpoint: { c1: "1", c2: "1" } });
  expect(run(changed)).toEqual(["cluster +c1 n3", "endpoint +c1 n4"]);
});

test("a cluster that was sent anew and leaves before it was ready keeps its endpoints until nothing leads to it", () => {
  const { subs, run, answer } = stream({ cluster: [], endpoint: ["c1", "c2"], listener: [], route: ["r"] });
  run(snapshot(base), true);
  for (const [kind, id] of [
    ["cluster", "n1"],
    ["endpoint", "n2"],
    ["listener", "n3"],
    ["route", "n4"],
  ] as const)
    answer(kind, id);
  // sent anew, and gone before its endpoints are asked for
  expect(run(snapshot({ ...base, cluster: { c1: "2" } }))).toEqual(["cluster +c1 n5", "endpoint +c1 n6"]);
  const moved = snapshot({ ...base, cluster: { c2: "1" }, endpoint: { c2: "1" }, route: { r: "to c2" } });
  updateSubscription(subs.get("endpoint")!, request({ subscribe: ["c1"] }), 0);
  expect(run(moved)).toEqual([]);
  answer("cluster", "n5");
  answer("endpoint", "n6");
  expect(run(moved)).toEqual(["cluster +c2 n7", "endpoint +c1 +c2 n8"]);
  answer("cluster", "n7");
  answer("endpoint", "n8");
  expect(run(moved)).toEqual(["route +r n9"]);
  answer("route", "n9");
  expect(run(moved)).toEqual(["cluster -c1 n10"]);
});
