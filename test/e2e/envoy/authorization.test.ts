import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type AuthorizationStep, walkAuthorization } from "../../../src/simulate/authorization.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import { freePorts } from "../../support/envoy/free-ports.ts";
import { authorizationCoverage } from "../../support/simulate/authorization-coverage.ts";
import { dice } from "../../support/simulate/dice.ts";
import { startGuardingEnvoy } from "../../support/simulate/guarding-envoy.ts";
import { randomCall, randomChain } from "../../support/simulate/random-calls.ts";
import { PEERS, SOURCES } from "../../support/simulate/random-policies.ts";
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
/** Tokens that the filter takes, and one of each kind that it refuses. */
const now = Math.floor(Date.now() / 1_000);
const bad: readonly Readonly<Record<string, unknown>>[] = [
  { sub: "alice", aud: "elsewhere" },
  { sub: "alice", aud: "shop", exp: now - 600 },
  { sub: "alice", aud: "shop", nbf: now + 600 },
  { sub: "alice", aud: "shop", iss: "https://nobody.example" },
];
const tokens = await Promise.all(
  [...claims, ...bad, { sub: "alice", aud: "shop", signed: false }].map(async ({ signed = true, ...one }) => {
    const simulated = { claims: { iss: issuer.url, ...one }, signed: signed === true };
    const written = await issuer.token(one);
    // of the signature's first character every bit counts
    const broken = written.replace(
      /\.([^.])([^.]*)$/,
      (_, a: string, rest: string) => `.${a === "A" ? "B" : "A"}${rest}`,
    );
    return { simulated, written: simulated.signed ? written : broken };
  }),
);
/** Rules of the issuer: one for both audiences, or one for each. */
const RULES = [[["shop", "bank"]], [["shop"], ["bank"]], [["bank"], ["shop"]]] as const;
const chains = Array.from({ length: SETS }, (_, index) =>
  randomChain(roll, index, { issuer: issuer.url, keys: issuer.keys(), port, audiences: roll.pick(RULES) }),
);

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

/** What the client reads when the filter refuses a token: jwt_authn's own details. */
const DETAILS: Readonly<Record<string, string>> = {
  issuer: "jwt_authn_access_denied{Jwt_issuer_is_not_configured}",
  audience: "jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}",
  signature: "jwt_authn_access_denied{Jwt_verification_fails}",
};

function detailsOf({ why, policy }: AuthorizationStep, token: (typeof tokens)[number] | undefined): string {
  if (why === undefined) return `rbac_access_denied_matched_policy[${policy ?? "none"}]`;
  if (why !== "time") return DETAILS[why] ?? "";
  const isEarly = Object.hasOwn(token?.simulated.claims ?? {}, "nbf");
  return `jwt_authn_access_denied{${isEarly ? "Jwt_not_yet_valid" : "Jwt_is_expired"}}`;
}

test("the simulator decides as a real Envoy", { timeout: 120_000 }, async () => {
  const cover = authorizationCoverage();
  const differences: string[] = [];
  const one = async (): Promise<void> => {
    const chain = roll.int(SETS);
    const { filters, policies } = chains[chain] as (typeof chains)[number];
    const { peer, source } = roll.pick(callers[chain] ?? []);
    const token = roll.chance(0.6) ? roll.pick(roll.chance(0.9) ? tokens.slice(0, claims.length) : tokens) : undefined;
    const { call, plain } = randomCall(roll, { chain, peer, source, port }, token);
    const walk = walkAuthorization(filters, call, Date.now() / 1_000);
    cover.count(policies, walk);
    const answer = await envoy.ask({ chain, peer, source, request: plain });
    const last = walk.steps.at(-1);
    const wanted =
      walk.decision === "deny"
        ? { status: walk.status, details: detailsOf(last!, token) }
        : { status: 200, details: "direct_response" };
    if (JSON.stringify(answer) !== JSON.stringify(wanted))
      differences.push(
        JSON.stringify({
          wanted,
          answer,
          call: { ...call, request: plain },
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
