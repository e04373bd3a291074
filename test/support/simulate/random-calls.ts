import { securityOf } from "../../../src/compile/security/security.ts";
import { createModel } from "../../../src/model/model.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { worldOf } from "../../../src/resources/world-store.ts";
import { normalizePath } from "../../../src/simulate/normalize-path.ts";
import type { SimulatedCall } from "../../../src/simulate/rbac.ts";
import type { Headers, SimulatedRequest } from "../../../src/simulate/request.ts";
import { httpFilters } from "../../../src/xds/filters/order.ts";
import { networkFilters } from "../../../src/xds/network-filters/order.ts";
import type { ChainContext } from "../../../src/xds/types.ts";
import type { Dice } from "./dice.ts";
import {
  HEADER_VALUES,
  HOSTS,
  METHODS,
  OWN_HEADERS,
  POLICY_PATHS,
  REMOTES,
  randomPolicies,
} from "./random-policies.ts";

/** A random set of policies, and the filters that our generator makes of it. */
export interface RandomChain {
  readonly policies: readonly KubeObject[];
  readonly filters: ReturnType<typeof httpFilters>;
  /** For bytes that are no HTTP. */
  readonly ofBytes: ReturnType<typeof networkFilters>;
}

/** What chains are made with. */
export interface ChainOptions {
  readonly issuer: string;
  /** Its keys, as a JSON Web Key Set. */
  readonly keys: string;
  readonly port: number;
  /** Actions of policies, the likelier the oftener; default ALLOW and DENY. */
  readonly actions?: readonly string[];
  /** A rule for the issuer each: audiences that tokens have to be for, none for any; default: one rule, for any. */
  readonly audiences?: readonly (readonly string[])[];
  /** What else stands in the mesh. */
  readonly objects?: readonly KubeObject[];
}

/** The chain of one workload with policies of its own. */
export function randomChain(roll: Dice, index: number, options: ChainOptions): RandomChain {
  const { issuer, keys, port, actions, audiences = [[]], objects = [] } = options;
  const namespace = `n${index}`;
  const policies = randomPolicies(roll, namespace, { ISSUER: issuer, PORT: String(port) }, actions);
  const authentication = {
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { name: "tokens", namespace },
    spec: { jwtRules: audiences.map((list) => ({ issuer, jwks: keys, audiences: list })) },
  };
  const model = createModel(worldOf([...policies, authentication, ...objects] as Parameters<typeof worldOf>[0]));
  const security = securityOf(model, { namespace, labels: {} });
  const chain: ChainContext = {
    direction: "inbound",
    mutualTls: true,
    service: undefined,
    ...(security && { security }),
    options: { trustDomains: ["cluster.local"], accessLog: undefined, protocolDetectionTimeoutMs: 0 },
  };
  return { policies, filters: httpFilters(chain), ofBytes: networkFilters(chain, "tcp") };
}

/** The token of a call: claims, and whether its issuer's keys verify it. */
export type CallToken = NonNullable<SimulatedCall["token"]>;

/** A random request to a chain as a client sends it, and the call as the chain's filters see it. */
export function randomCall(
  roll: Dice,
  {
    chain,
    peer,
    source,
    port,
  }: { readonly chain: number; readonly peer: string; readonly source: string; readonly port: number },
  token: { readonly simulated: CallToken; readonly written: string } | undefined,
): { readonly call: SimulatedCall; readonly plain: SimulatedRequest } {
  const remote = roll.chance(0.5) ? roll.pick(REMOTES) : source;
  const path = roll.pick(POLICY_PATHS);
  const headers: Headers = [
    ...OWN_HEADERS.filter(() => roll.chance(0.6)).map((name) => [name, roll.pick(HEADER_VALUES)] as const),
    ...(remote === source ? [] : ([["x-forwarded-for", remote]] as const)),
    ...(token === undefined ? [] : ([["authorization", `Bearer ${token.written}`]] as const)),
  ];
  const plain = { method: roll.pick(METHODS), scheme: "https" as const, authority: roll.pick(HOSTS), path, headers };
  const call = {
    peer: peer === "" ? undefined : `spiffe://${peer}`,
    source,
    remote,
    destination: { address: "127.0.0.1", port },
    serverName: `s${chain}.test`,
    request: { ...plain, path: normalizePath(path, { normalize_path: true }) ?? "" },
    ...(token === undefined ? {} : { token: token.simulated }),
  };
  return { call, plain };
}
