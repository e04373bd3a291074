import { expect, test } from "vitest";
import { edgesTable } from "../../src/commands/edges.ts";
import { flowsOf } from "../../src/commands/traffic/flows.ts";
import { edgesOf } from "../../src/commands/traffic/rows.ts";
import type { ProxyFlows } from "../../src/commands/traffic/scrape.ts";

// What proxies of two clusters count of workloads that have the same names in both.

interface Told {
  readonly by: "source" | "destination";
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

function proxy({ by, from, to, count }: Told): ProxyFlows {
  const labels = {
    reporter: by,
    source_workload: "client",
    source_workload_namespace: "shop",
    source_cluster: from,
    destination_workload: "web",
    destination_workload_namespace: "shop",
    destination_cluster: to,
    destination_service: "web.shop.svc.cluster.local",
    request_protocol: "http",
    response_code: "200",
    connection_security_policy: by === "source" ? "unknown" : "mutual_tls",
  };
  const pod = { namespace: "shop", name: by, workload: "any" } as ProxyFlows["pod"];
  return { pod, flows: flowsOf([{ name: "istio_requests_total", labels, value: count }]) };
}

const TOLD: readonly ProxyFlows[] = [
  proxy({ by: "source", from: "east", to: "east", count: 5 }),
  proxy({ by: "source", from: "east", to: "west", count: 7 }),
  proxy({ by: "source", from: "west", to: "west", count: 11 }),
  proxy({ by: "destination", from: "east", to: "east", count: 5 }),
  proxy({ by: "destination", from: "east", to: "west", count: 7 }),
  proxy({ by: "destination", from: "west", to: "west", count: 11 }),
];

test("workloads of one name in two clusters are told apart, and each call counts once", () => {
  const edges = edgesOf(TOLD, () => true, true);
  expect(edges.map(({ from, to, requests, security }) => [from.cluster, to.cluster, requests, security])).toEqual([
    ["west", "west", 11, "mutual_tls"],
    ["east", "west", 7, "mutual_tls"],
    ["east", "east", 5, "mutual_tls"],
  ]);
  expect(edgesTable(edges).split("\n")[2]).toMatch(/^client\.shop in east +web\.shop in west +web\.shop /);
});

test("in a mesh of one cluster nobody speaks of clusters", () => {
  const edges = edgesOf(TOLD.slice(0, 4));
  expect(edges.map(({ from, to, requests }) => [from, to, requests])).toEqual([
    [{ workload: "client", namespace: "shop" }, { workload: "web", namespace: "shop" }, 23],
  ]);
});

test("a cluster that one end does not know is the one that the other tells of", () => {
  const told = [
    proxy({ by: "source", from: "east", to: "unknown", count: 7 }),
    proxy({ by: "destination", from: "east", to: "west", count: 7 }),
  ];
  expect(edgesOf(told, () => true, true)).toMatchObject([
    { from: { cluster: "east" }, to: { cluster: "west" }, requests: 7, security: "mutual_tls" },
  ]);
});
