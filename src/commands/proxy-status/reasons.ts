import { errorText, MeshError } from "../../base/errors.ts";
import { table } from "../../report/table.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { CommandInput } from "../io.ts";
import { sourceText } from "./comparison-text.ts";
import type { ResourceDiff } from "./diff.ts";
import { compareState } from "./one-proxy.ts";
import { patchesFor } from "./patches.ts";
import type { ProxyState } from "./states.ts";

/** One resource that a proxy does not run as it should, and the objects that made it. */
export interface Reason {
  readonly type: string;
  readonly name: string;
  readonly state: ResourceDiff["state"] | "unknown";
  /** Envoy's words. */
  readonly refused?: string;
  /** `VirtualService shop/reviews spec.http[0]`: where what differs comes from. */
  readonly from: readonly string[];
}

/** Proxies that are asked: a fault of the whole fleet shows in some. */
const MOST_PROXIES = 20;
const PARALLEL = 4;

/** Why proxies are not in sync: each is compared with what it should run. Keyed by `name.namespace`; those not asked are absent. */
export async function reasonsOf(
  cluster: Cluster,
  proxies: readonly ProxyState[],
  input: CommandInput,
  istioNamespace: string,
): Promise<ReadonlyMap<string, readonly Reason[]>> {
  const bad = proxies.filter(({ status }) => status === "STALE" || status === "NACK").slice(0, MOST_PROXIES);
  const reasons = new Map<string, readonly Reason[]>();
  const left = [...bad];
  const worker = async (): Promise<void> => {
    for (let state = left.shift(); state !== undefined; state = left.shift())
      reasons.set(nameOf(state), await reasonsFor(cluster, state, input, istioNamespace));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return new Map(bad.map((state) => [nameOf(state), reasons.get(nameOf(state)) ?? []]));
}

async function reasonsFor(
  cluster: Cluster,
  state: ProxyState,
  input: CommandInput,
  istioNamespace: string,
): Promise<readonly Reason[]> {
  try {
    const [{ types = [] }, patches] = await Promise.all([
      compareState(cluster, state, input, istioNamespace),
      patchesFor(cluster, state, istioNamespace),
    ]);
    return types.flatMap(({ type, resources }) =>
      resources.map(({ name, state: how, refused, differences, from = [] }) => ({
        type: type.column,
        name,
        state: how,
        ...refusedPart(refused ?? state.types[type.column]?.lastError),
        from: [
          ...new Set([
            ...from,
            ...differences.flatMap(({ why }) => (why === undefined ? [] : [sourceText(why)])),
            ...(patches.get(type.column) ?? []).map((patch) => `perhaps ${patch}`),
          ]),
        ],
      })),
    );
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    // an Envoy that does not answer: the control plane knows the names at least
    return Object.entries(state.types).flatMap(([type, { pending = [], lastError }]) =>
      pending.map((name) => ({
        type,
        name,
        state: "unknown" as const,
        ...refusedPart(lastError ?? errorText(error)),
        from: [],
      })),
    );
  }
}

function refusedPart(refused: string | undefined): Pick<Reason, "refused"> {
  return refused === undefined ? {} : { refused };
}

/** The table of reasons, then how many proxies were not asked. */
export function reasonsText(proxies: readonly ProxyState[], reasons: ReadonlyMap<string, readonly Reason[]>): string {
  const rows = [...reasons].flatMap(([proxy, found]) =>
    found.map(({ type, name, state, from }) => [proxy, type, name, state, from.join(", ") || "-"]),
  );
  const others = proxies.filter(({ status }) => status === "STALE" || status === "NACK").length - reasons.size;
  const rest = others > 0 ? `${others} more proxies are not in sync and were not asked why.\n` : "";
  return rows.length === 0 ? rest : `${table(["PROXY", "TYPE", "RESOURCE", "STATE", "FROM"], rows)}${rest}`;
}

function nameOf({ name, namespace }: ProxyState): string {
  return `${name}.${namespace}`;
}
