import { expect, test } from "vitest";
import { nextPush } from "../../src/controlplane/push-plan.ts";
import {
  createSubscription,
  markSent,
  openSubscription,
  updateSubscription,
} from "../../src/controlplane/subscription.ts";
import { request, snapshot } from "./support.ts";

const has = snapshot({ extension: { "shop.headers": "1" } });
const options = { impatient: false, whole: false };

/** A client that has the extension; by name, or because it wants all. */
function client(subscribe: readonly string[]) {
  const sub = createSubscription("extension");
  openSubscription(sub, request({ subscribe }));
  const subs = new Map([["extension", sub]] as const);
  const first = nextPush(subs, has, options);
  expect(first?.sent.set.map(({ name }) => name)).toEqual(["shop.headers"]);
  markSent(sub, "1", first!.sent);
  updateSubscription(sub, request({ nonce: "1" }), 0);
  return subs;
}

test("a proxy is not told that an extension is gone: its filter would answer 500 until the listener goes", () => {
  expect(nextPush(client(["shop.headers"]), snapshot({}), options)).toBeUndefined();
});

test("an agent, which wants all, is", () => {
  expect(nextPush(client([]), snapshot({}), options)?.sent.removed).toEqual(["shop.headers"]);
});
