import { expect, test } from "vitest";
import { peerLabel } from "../../src/base/peer.ts";
import { createKnownClusters, parseClusterAliases, type Reviewer } from "../../src/controlplane/known-clusters.ts";
import type { Member, Members } from "../../src/model/members.ts";

const LONG = `a-very-long-name-${"x".repeat(60)}`;

function known(others: readonly string[], clusterAliases: Readonly<Record<string, string>> = {}) {
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
  return createKnownClusters(all, { cluster: reviewer("own"), clusterAliases }, (id) =>
    others.includes(id) ? reviewer(id) : undefined,
  );
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

test("a cluster that was renamed is known by its former name too, in tokens' claims and in certificates", () => {
  const clusters = known(["west"], { "old-west": "west", Kubernetes: "east" });
  expect(["old-west", "west", "Kubernetes", "old-east"].map((claim) => clusters.named(claim))).toEqual([
    "west",
    "west",
    "east",
    undefined,
  ]);
  expect(clusters.labelled("old-west")).toBe("west");
  expect(clusters.labelled("old-east")).toBeUndefined();
});

test("aliases: a name each, none twice", () => {
  expect(parseClusterAliases()).toEqual({});
  expect(parseClusterAliases("old-west=west, Kubernetes=east")).toEqual({ "old-west": "west", Kubernetes: "east" });
  expect(() => parseClusterAliases("west")).toThrow('expected alias=cluster, with commas between, got "west"');
  expect(() => parseClusterAliases("a=west,b=west")).toThrow("more than one for cluster west");
  expect(() => parseClusterAliases("a=west,a=east")).toThrow("more than one for name a");
});
