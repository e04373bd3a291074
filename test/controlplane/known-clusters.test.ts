import { expect, test } from "vitest";
import { peerLabel } from "../../src/base/peer.ts";
import { createKnownClusters, type Reviewer } from "../../src/controlplane/known-clusters.ts";
import type { Member, Members } from "../../src/model/members.ts";

const LONG = `a-very-long-name-${"x".repeat(60)}`;

function known(others: readonly string[]) {
  const members = ["east", ...others].map((clusterId) => ({ clusterId }) as Member);
  const reviewer = (name: string): Reviewer => ({
    reviewToken: () => Promise.reject(new Error(name)),
    mayAccount: () => Promise.resolve(false),
  });
  const all: Members = {
    all: () => members as unknown as readonly [Member, ...Member[]],
    of: () => {
      throw new Error("not asked");
    },
  };
  return createKnownClusters(all, reviewer("own"), (id) => (others.includes(id) ? reviewer(id) : undefined));
}

test("a mesh of one cluster does not ask what its workloads call it", () => {
  const clusters = known([]);
  for (const claim of [undefined, "", "east", "Kubernetes"]) expect(clusters.named(claim)).toBe("east");
  expect(clusters.labelled("Kubernetes")).toBe("east");
  expect(clusters.labelled(undefined)).toBeUndefined();
});

test("of several clusters each has its own name, and nobody answers to another", () => {
  const clusters = known(["west", LONG]);
  expect([undefined, "", "east", "west", LONG].map((claim) => clusters.named(claim))).toEqual([
    "east",
    "east",
    "east",
    "west",
    LONG,
  ]);
  expect(clusters.named("Kubernetes")).toBeUndefined();
  // certificates have room for 64 letters
  expect(clusters.labelled(peerLabel("cluster", LONG))).toBe(LONG);
  expect(clusters.labelled("north")).toBeUndefined();
});

test("each is asked about its own tokens", async () => {
  const clusters = known(["west"]);
  await expect(clusters.reviewer("east")?.reviewToken("", [])).rejects.toThrow("own");
  await expect(clusters.reviewer("west")?.reviewToken("", [])).rejects.toThrow("west");
  expect(clusters.reviewer("north")).toBeUndefined();
  expect([clusters.isOwn("east"), clusters.isOwn("west")]).toEqual([true, false]);
});
