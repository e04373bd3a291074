import type { MtlsMode } from "../ir/listener.ts";
import type { Provenance } from "../ir/provenance.ts";
import type { KindTypes } from "../resources/kinds.ts";
import { refOf } from "../resources/object.ts";
import type { ModelContext } from "./context.ts";
import { byAge } from "./order.ts";
import { namedSelector, selects } from "./selectors.ts";

type Policy = KindTypes["PeerAuthentication"];

/** Which mutual TLS a workload asks of its callers, and which object says so (undefined: the default, PERMISSIVE). */
export interface EffectiveMtls {
  readonly mode: MtlsMode;
  readonly from: Provenance | undefined;
}

/** A workload as policies select it. */
export interface SelectedWorkload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Questions about PeerAuthentication. */
export interface PeerAuthentications {
  /** For a port of the workload (the container's number), or for all ports nobody names. */
  effective(workload: SelectedWorkload, port?: number): EffectiveMtls;
  /** Ports that some policy names for this workload. */
  ports(workload: SelectedWorkload): readonly number[];
}

/** Policies that may concern a namespace, each level oldest first. */
interface Levels {
  readonly workload: readonly Policy[];
  readonly namespace: readonly Policy[];
  readonly mesh: readonly Policy[];
}

/**
 * PeerAuthentication: a port of a workload's policy, the workload, the namespace, the mesh (root namespace, no selector);
 * the oldest at each level; UNSET asks the next one. A selector in the root namespace selects nobody (as in Istio).
 */
export function createPeerAuthentications({ world, derivations, rootNamespace }: ModelContext): PeerAuthentications {
  const wide = derivations.keyed("namespace PeerAuthentications", (namespace: string) =>
    world
      .list("PeerAuthentication", namespace)
      .filter((policy) => selectorOf(policy) === undefined)
      .toSorted(byAge),
  );
  const selecting = derivations.keyed("selecting PeerAuthentications", (namespace: string) =>
    namespace === rootNamespace
      ? []
      : world
          .list("PeerAuthentication", namespace)
          .filter((policy) => selectorOf(policy) !== undefined)
          .toSorted(byAge),
  );
  const levels = ({ namespace, labels }: SelectedWorkload): Levels => ({
    workload: selecting(namespace).filter((policy) => selects(selectorOf(policy) ?? {}, labels)),
    namespace: namespace === rootNamespace ? [] : wide(namespace),
    mesh: wide(rootNamespace),
  });
  return {
    effective: (workload, port) => decide(levels(workload), port),
    ports: (workload) =>
      Object.keys(levels(workload).workload[0]?.spec?.portLevelMtls ?? {})
        .map(Number)
        .filter(Number.isInteger)
        .toSorted((a, b) => a - b),
  };
}

function selectorOf(policy: Policy): Readonly<Record<string, string>> | undefined {
  return namedSelector(policy.spec?.selector?.matchLabels);
}

interface Vote {
  readonly policy: Policy;
  readonly mode: MtlsMode;
  readonly path: readonly (string | number)[];
}

/** The first vote decides; the others are recorded with the rule that passed them over. */
function decide(levels: Levels, port: number | undefined): EffectiveMtls {
  const [policy] = levels.workload;
  const portVote =
    policy === undefined || port === undefined ? [] : vote(policy, ["spec", "portLevelMtls", String(port)]);
  const votes = [
    ...portVote,
    ...[levels.workload, levels.namespace, levels.mesh].flatMap(([oldest]) =>
      oldest === undefined ? [] : vote(oldest, ["spec", "mtls"]),
    ),
  ];
  const [winner, ...passedOver] = votes;
  if (winner === undefined) return { mode: "PERMISSIVE", from: undefined };
  const younger = [levels.workload, levels.namespace, levels.mesh].flatMap((level) => level.slice(1));
  return {
    mode: winner.mode,
    from: {
      from: refOf(winner.policy),
      path: winner.path,
      lost: [
        ...passedOver.map((lost) => ({
          from: refOf(lost.policy),
          path: lost.path,
          reason: "a narrower PeerAuthentication decides",
        })),
        ...younger.map((lost) => ({
          from: refOf(lost),
          path: ["spec"],
          reason: "of PeerAuthentications of one level the oldest counts",
        })),
      ],
    },
  };
}

function vote(policy: Policy, at: readonly string[]): Vote[] {
  const { mtls, portLevelMtls } = policy.spec ?? {};
  const mode = (at[1] === "mtls" ? mtls : portLevelMtls?.[at[2] ?? ""])?.mode;
  return mode === undefined || mode === "UNSET" ? [] : [{ policy, mode, path: [...at, "mode"] }];
}
