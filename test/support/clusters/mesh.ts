import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { load, podsOf, type Tally } from "../../../scripts/scenario/ask.ts";
import type { Scenario } from "../../../scripts/scenario/context.ts";
import { type ClusterPair, shell, type Side } from "./pair.ts";

// One mesh over two clusters, made by the guide's own commands, as tests use it.

const root = join(import.meta.dirname, "../../..");
/** The service that both clusters have. */
export const CATALOG = "http://catalog.shop:8000/items";
const CLIENT = { namespace: "shop", app: "client" };
/** Both. */
export const SIDES = ["east", "west"] as const;
/** The other one. */
export const otherOf = (side: Side): Side => (side === "east" ? "west" : "east");

/** The guide's code blocks whose lines have a text, as shell lines. */
function guide(part: string): string {
  const text = readFileSync(join(root, "docs/guides/several-clusters.md"), "utf8");
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
  const found = blocks.filter((block) => block.includes(part));
  expect(found, `blocks of the guide with ${part}`).toHaveLength(1);
  return found[0] ?? "";
}

/** Answers of the catalog by pod. */
type Pods = Readonly<Record<string, number>>;

/** A mesh over both clusters, and what its clients see. */
export interface Mesh extends ClusterPair {
  readonly shell: (lines: string) => Promise<string>;
  /** The catalog's pods of a cluster. */
  readonly catalogs: (side: Side) => Promise<ReadonlySet<string>>;
  /** Who answered requests of a cluster's client, all of which were answered by 200. */
  readonly ask: (side: Side, requests: number, url?: string) => Promise<Pods>;
  /** The share of a cluster's client's requests that its own and the other cluster answered, in number. */
  readonly shares: (
    side: Side,
    requests: number,
    url?: string,
  ) => Promise<{ readonly own: number; readonly other: number }>;
  readonly load: (side: Side, query: Readonly<Record<string, string | number>>) => Promise<Tally>;
}

/** A mesh over a pair; it is made by makeMesh. */
export function meshOf(pair: ClusterPair): Mesh {
  const scenario = (side: Side): Scenario => ({ cluster: pair.clusters[side] }) as Scenario;
  const catalogs = async (side: Side): Promise<ReadonlySet<string>> =>
    new Set((await podsOf(scenario(side), "shop", "catalog")).map(({ metadata }) => metadata.name));
  const ask = async (side: Side, requests: number, url = CATALOG): Promise<Pods> => {
    const answer = await load(scenario(side), CLIENT, { url, requests, concurrency: 4 });
    expect(answer.error).toEqual({});
    expect(answer.status).toEqual({ 200: requests });
    return (answer as unknown as { readonly pod: Pods }).pod;
  };
  return {
    ...pair,
    shell: (lines) => shell(pair, lines),
    catalogs,
    ask,
    load: (side, query) => load(scenario(side), CLIENT, query),
    async shares(side, requests, url) {
      const [own, answers] = [await catalogs(side), await ask(side, requests, url)];
      const mine = Object.entries(answers).reduce((sum, [pod, count]) => sum + (own.has(pod) ? count : 0), 0);
      return { own: mine, other: requests - mine };
    },
  };
}

/** The guide's lines that install both control planes, with more flags. */
export function installLines(mesh: Mesh, flags = ""): string {
  const lines = guide(mesh.reach === "gateways" ? "gateway.yaml" : "multiCluster.clusterName");
  return lines.replaceAll("meshctl install -y", `meshctl install -y ${flags}`);
}

/** Makes a mesh of the clusters, with the shop in both. */
export async function makeMesh(mesh: Mesh): Promise<void> {
  const twoNetworks = mesh.reach === "gateways";
  const trust = guide("meshctl ca create");
  await mesh.shell(twoNetworks ? trust : trust.replace(/^.*kubectl .* label namespace .*$/m, ""));
  await mesh.shell(installLines(mesh));
  await mesh.shell(guide("create-remote-secret"));
  for (const side of SIDES)
    await mesh.shell(
      `export KUBECONFIG=$${side.toUpperCase()}
       kubectl apply -f samples/shop/namespace.yaml; kubectl -n shop apply -f samples/shop/shop.yaml
       kubectl -n shop wait --for=condition=Available deploy --all --timeout=180s`,
    );
}

/** Applies objects to both clusters, or to those named. */
export async function apply(mesh: Mesh, yaml: string, sides: readonly Side[] = SIDES): Promise<void> {
  for (const side of sides)
    await mesh.shell(`kubectl --kubeconfig $${side.toUpperCase()} apply -f - <<'X'\n${yaml}\nX`);
}

/** The line that gives each version of the catalog so many pods. */
export const scale = (side: Side, replicas: number): string =>
  `kubectl --kubeconfig $${side.toUpperCase()} -n shop scale deploy/catalog-v1 deploy/catalog-v2 deploy/catalog-v3 --replicas=${replicas}`;
