import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { securityOf } from "../../../src/compile/security/security.ts";
import { createModel } from "../../../src/model/model.ts";
import { worldOf } from "../../../src/resources/world-store.ts";
import { httpFilters } from "../../../src/xds/filters/order.ts";
import { walkAuthorization } from "../../../src/simulate/authorization.ts";
import { normalizePath } from "../../../src/simulate/normalize-path.ts";
import type { Headers } from "../../../src/simulate/request.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import { freePorts } from "../../support/envoy/free-ports.ts";
import { authorizationCoverage } from "../../support/simulate/authorization-coverage.ts";
import { dice } from "../../support/simulate/dice.ts";
import { startGuardingEnvoy } from "../../support/simulate/guarding-envoy.ts";
import {
  HEADER_VALUES,
  HOSTS,
  METHODS,
  OWN_HEADERS,
  PEERS,
  POLICY_PATHS,
  randomPolicies,
  REMOTES,
  SOURCES,
} from "../../support/simulate/random-policies.ts";
import { startIssuer } from "../../support/traffic/issuer.ts";

// 10,000 random requests against 120 random sets of policies in a real Envoy with mutual TLS: the simulator, which `authz check`
// asks, comes to the same decision by the same rule.
const SETS = 120;
const REQUESTS = 10_000;
const SEED = Number(process.env["SIMULATE_SEED"] ?? 20_261_121);

const roll = dice(SEED);
const [port = 0] = await freePorts(1);
const issuer = await startIssuer();
const claims: readonly Readonly<Record<string, unknown>>[] = [
  { sub: "alice", aud: "shop", azp: "app", scope: "read write", own: { team: ["red", "blue"], level: "high" } },
  { sub: "bob", aud: ["bank", "shop"], scope: "read", own: { team: "red" } },
  { sub: "alice@shop", aud: "bank", azp: "tap" },
];
const tokens = await Promise.all(claims.map((one) => issuer.token(one)));
const chains = Array.from({ length: SETS }, (_, index) => {
  const namespace = `n${index}`;
  const policies = randomPolicies(roll, namespace, { ISSUER: issuer.url, PORT: String(port) });
  const authentication = {
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { name: "tokens", namespace },
    spec: { jwtRules: [{ issuer: issuer.url, jwks: issuer.keys() }] },
  };
  const model = createModel(worldOf([...policies, authentication] as Parameters<typeof worldOf>[0]));
  const security = securityOf(model, { namespace, labels: {} });
  const options = { trustDomains: ["cluster.local"], accessLog: undefined, protocolDetectionTimeoutMs: 0 };
  const filters = httpFilters({
    direction: "inbound",
    mutualTls: true,
    service: undefined,
    ...(security && { security }),
    options,
  });
  return { policies, filters };
});

const folder = mkdtempSync(join(tmpdir(), "meshctl-authorization-"));
const envoy = await startGuardingEnvoy(await testEnvoy(), {
  folder,
  port,
  chains: chains.map(({ filters }) => filters),
  peers: PEERS,
});
afterAll(async () => {
  await envoy.stop();
  issuer.close();
  rmSync(folder, { recursive: true });
});

/** Some callers of each set, so that connections are used again. */
const callers = chains.map(() =>
  Array.from({ length: 2 }, () => ({ peer: roll.pick(PEERS), source: roll.pick(SOURCES) })),
);

function randomCall(chain: number, peer: string, source: string) {
  const token = roll.chance(0.6) ? roll.int(tokens.length) : undefined;
  const remote = roll.chance(0.5) ? roll.pick(REMOTES) : source;
  const path = roll.pick(POLICY_PATHS);
  const headers: Headers = [
    ...OWN_HEADERS.filter(() => roll.chance(0.6)).map((name) => [name, roll.pick(HEADER_VALUES)] as const),
    ...(remote === source ? [] : ([["x-forwarded-for", remote]] as const)),
    ...(token === undefined ? [] : ([["authorization", `Bearer ${tokens[token]}`]] as const)),
  ];
  const plain = { method: roll.pick(METHODS), scheme: "https" as const, authority: roll.pick(HOSTS), path, headers };
  const call = {
    peer: peer === "" ? undefined : `spiffe://${peer}`,
    source,
    remote,
    destination: { address: "127.0.0.1", port },
    serverName: `s${chain}.test`,
    request: { ...plain, path: normalizePath(path, { normalize_path: true }) ?? "" },
    ...(token === undefined ? {} : { token: { claims: { iss: issuer.url, ...claims[token] }, signed: true } }),
  };
  return { call, plain, token };
}

test("the simulator decides as a real Envoy", { timeout: 120_000 }, async () => {
  const cover = authorizationCoverage();
  const differences: string[] = [];
  const one = async (): Promise<void> => {
    const chain = roll.int(SETS);
    const { filters, policies } = chains[chain] as (typeof chains)[number];
    const { peer, source } = roll.pick(callers[chain] ?? []);
    const { call, plain, token } = randomCall(chain, peer, source);
    const walk = walkAuthorization(filters, call, Date.now() / 1_000);
    cover.count(policies, walk);
    const answer = await envoy.ask({ chain, peer, source, request: plain });
    const last = walk.steps.at(-1);
    const wanted =
      walk.decision === "deny"
        ? { status: 403, details: `rbac_access_denied_matched_policy[${last?.policy ?? "none"}]` }
        : { status: 200, details: "direct_response" };
    if (JSON.stringify(answer) !== JSON.stringify(wanted))
      differences.push(
        JSON.stringify({
          wanted,
          answer,
          call: { ...call, request: plain },
          token,
          policies: policies.map(({ spec }) => spec),
        }),
      );
  };
  const worker = async (): Promise<void> => {
    for (let done = 0; done < REQUESTS / 40; done += 1) await one();
  };
  await Promise.all(Array.from({ length: 40 }, worker));
  process.stdout.write(cover.text());
  expect(
    differences.length === 0 ? "" : `${differences.length} of ${REQUESTS}: ${differences.slice(0, 3).join("\n\n")}`,
  ).toBe("");
  for (const [kind, times] of cover.counts) expect(times, kind).toBeGreaterThan(10);
});
