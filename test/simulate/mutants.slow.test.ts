import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import type { walkAuthorization as WalkAuthorization } from "../../src/simulate/authorization.ts";
import { walkAuthorization } from "../../src/simulate/authorization.ts";
import type { walkRoutes as Walk } from "../../src/simulate/outcome.ts";
import { walkRoutes } from "../../src/simulate/outcome.ts";
import { dice } from "../support/simulate/dice.ts";
import { type CallToken, randomCall, randomChain } from "../support/simulate/random-calls.ts";
import { PEERS, SOURCES } from "../support/simulate/random-policies.ts";
import { randomRequest } from "../support/simulate/random-requests.ts";
import { randomTable } from "../support/simulate/random-tables.ts";
import { authorizerObjects } from "../support/traffic/security-objects.ts";

// The comparison with a real Envoy (test/e2e/envoy/simulate.test.ts) notices a mistake in any rule of the simulator: each mutant below
// gives at least one of its requests another outcome.
const FOLDER = join(import.meta.dirname, "../../src/simulate");
const RULES = [
  "format",
  "header-change",
  "outcome",
  "redirect",
  "request",
  "rewrite",
  "route",
  "route-match",
  "string-match",
  "virtual-host",
].map((name) => `${name}.ts`);

/** Small wrong turns, each at every place where its left side stands. */
const TURNS: readonly (readonly [from: string, to: string])[] = [
  ["===", "!=="],
  ["!==", "==="],
  [" && ", " || "],
  [" || ", " && "],
  // what is there is thrown away
  [" ?? ", " && undefined || "],
  ["startsWith", "endsWith"],
  ["endsWith", "startsWith"],
  [".some(", ".every("],
  [" < ", " <= "],
  [" <= ", " < "],
  [" > ", " >= "],
  [" >= ", " > "],
  [" - ", " + "],
  [".toLowerCase()", ""],
  [".toReversed()", ""],
];

/** Mutants that mean the same for every request, or lie where nothing of the outcome is decided; with why. */
const EQUAL: readonly { readonly file: string; readonly line: RegExp; readonly why: string }[] = [
  { file: "string-match.ts", line: /^const known = /, why: "a cache" },
  { file: "virtual-host.ts", line: /rejected\.push|^return \{ name: /, why: "words for people" },
  { file: "virtual-host.ts", line: /^for \(const candidate /, why: "no domain stands in a table twice" },
  {
    file: "virtual-host.ts",
    line: /^if \(colon < 0/,
    why: "no authority begins with a colon, none in brackets ends in digits",
  },
  { file: "redirect.ts", line: /^return at < 0 /, why: "a path begins with a slash: no query begins it" },
  {
    file: "request.ts",
    line: /^(return|if \()?(end|start) < 0/,
    why: "a path begins with a slash: no query begins it",
  },
  { file: "request.ts", line: /^return (end|at) < 0/, why: "no parameter without a name is asked for" },
  { file: "route.ts", line: /^routesRejected\.push/, why: "words for people" },
  { file: "route-match.ts", line: /"CONNECT"|metadataCheck/, why: "simulate.test.ts has these" },
  { file: "route-match.ts", line: /^const words = /, why: "words for people" },
  {
    file: "string-match.ts",
    line: /^(return matcher\.ignore_case === true|: \(Object\.entries)/,
    why: "words for people",
  },
];

interface Mutant {
  readonly file: string;
  readonly line: string;
  readonly text: string;
  readonly turn: string;
}

function mutantsOf(file: string): readonly Mutant[] {
  const source = readFileSync(join(FOLDER, file), "utf8");
  return TURNS.flatMap(([from, to]) => {
    const mutants: Mutant[] = [];
    for (let at = source.indexOf(from); at >= 0; at = source.indexOf(from, at + 1)) {
      const line = source.slice(source.lastIndexOf("\n", at) + 1, source.indexOf("\n", at)).trim();
      if (/^(\/?\*|\/\/)/.test(line) || /^(export )?(type|interface|import)\b/.test(line)) continue;
      const text = source.slice(0, at) + to + source.slice(at + from.length);
      mutants.push({ file, line, text, turn: `${from.trim()} -> ${to.trim()}` });
    }
    return mutants;
  });
}

async function programOf<T>({ file, text }: Mutant, entry: string): Promise<T> {
  const { outputFiles } = await build({
    entryPoints: [join(FOLDER, `${entry}.ts`)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    external: EXTERNAL,
    plugins: [
      {
        name: "mutant",
        setup(builder) {
          builder.onLoad({ filter: /simulate\/[^/]+\.ts$/ }, ({ path }) =>
            basename(path) === file ? { contents: text, loader: "ts" } : undefined,
          );
        },
      },
    ],
  });
  const code = EXTERNAL.reduce(
    (text_, name) => text_.replaceAll(`"${name}"`, JSON.stringify(import.meta.resolve(name))),
    outputFiles[0]?.text ?? "",
  );
  return (await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`)) as T;
}

/** Packages that a mutant takes from here. */
const EXTERNAL = ["re2js", "ipaddr.js"];

const roll = dice(20_261_121);
const tables = Array.from({ length: 200 }, (_, index) => randomTable(roll, `t${index}`));
const requests = Array.from({ length: 10_000 }, () => {
  const table = roll.pick(tables);
  return { table, request: randomRequest(roll, roll.chance(0.25) ? "https" : "http") };
});
const outcomes = requests.map(({ table, request }) => seen(walkRoutes, table, request));

function seen(walk: typeof Walk, ...asked: Parameters<typeof Walk>): string {
  try {
    const { outcome, chosen } = walk(...asked);
    return JSON.stringify([outcome, chosen.route?.name]);
  } catch {
    return "threw";
  }
}

test.each(RULES)("every mutant of %s is noticed", { timeout: 600_000 }, async (file) => {
  const alive: string[] = [];
  for (const mutant of mutantsOf(file)) {
    if (EQUAL.some((known) => known.file === file && known.line.test(mutant.line))) continue;
    const { walkRoutes: walk } = await programOf<{ readonly walkRoutes: typeof Walk }>(mutant, "outcome");
    const noticed = requests.some(({ table, request }, index) => seen(walk, table, request) !== outcomes[index]);
    if (!noticed) alive.push(`${mutant.turn}: ${mutant.line}`);
  }
  expect(alive.join("\n")).toBe("");
});

// The same for authorization and tokens, whose comparison is test/e2e/envoy/authorization.test.ts; CUSTOM and AUDIT, whose requests are
// cases of test/e2e/envoy/traffic, are among the policies here.
const AUTHORIZATION = ["authorization", "jwt", "metadata-match", "rbac", "uri-template"].map((name) => `${name}.ts`);
const NOW = 1_800_000_000;
const ISSUER = "https://issuer.example";
const WORDS_ALONE = "words for people";

const EQUAL_IN_AUTHORIZATION: typeof EQUAL = [
  { file: "metadata-match.ts", line: /^(wanted|got|const wanted|return \{ condition)/, why: WORDS_ALONE },
  { file: "metadata-match.ts", line: /null_match/, why: "no matcher of ours asks for null" },
  { file: "rbac.ts", line: /^const names = /, why: "no two policies have one name" },
  { file: "metadata-match.ts", line: /valueText|stringMatcherText|^if \(matcher\..*return /, why: WORDS_ALONE },
];

const rolling = dice(20_261_122);
const made = authorizerObjects({ grpcPort: 1, httpPort: 2, close: () => undefined });
const guarded = Array.from({ length: 150 }, (_, index) =>
  randomChain(rolling, index, {
    issuer: ISSUER,
    keys: JSON.stringify({ keys: [{ kty: "oct", k: "AAAA" }] }),
    port: 8080,
    audiences: rolling.pick([[["shop", "bank"]], [["shop"], ["bank"]], [[]]]),
    actions: ["ALLOW", "ALLOW", "DENY", "DENY", "AUDIT", "CUSTOM"],
    objects: made,
  }),
);
const calls = Array.from({ length: 10_000 }, () => {
  const chain = rolling.int(guarded.length);
  const token = rolling.chance(0.6) ? { simulated: randomClaims(), written: "" } : undefined;
  const ends = { chain, peer: rolling.pick(PEERS), source: rolling.pick(SOURCES), port: rolling.pick([8080, 1]) };
  const { call } = randomCall(rolling, ends, token);
  const { filters = [], ofBytes = [] } = guarded[chain] ?? {};
  if (rolling.chance(0.15)) return { filters: ofBytes, call: { ...call, request: undefined } };
  const [origin, asks] = [["origin", "http://a"] as const, ["access-control-request-method", "GET"] as const];
  const preflights = [
    { method: "OPTIONS", headers: [origin, asks] },
    { method: "OPTIONS", headers: [origin] },
    { method: "OPTIONS" },
    { headers: [origin, asks] },
  ];
  const metadata = { "envoy.filters.test": { own: rolling.pick<unknown>(["one", ["one", "two"], "two"]) } };
  const request = {
    ...(rolling.chance(0.3) ? { metadata } : {}),
    ...(rolling.chance(0.2) ? rolling.pick(preflights) : {}),
  };
  return { filters, call: { ...call, request: { ...call.request!, ...request } } };
});

function randomClaims(): CallToken {
  const claims = {
    iss: rolling.chance(0.9) ? ISSUER : "https://nobody.example",
    sub: rolling.pick(["alice", "bob", "alice@shop"]),
    aud: rolling.pick<unknown>(["shop", ["bank", "shop"], "elsewhere", "https://shop/", "http://bank", "shop", 7]),
    azp: rolling.pick(["app", "tap"]),
    scope: rolling.pick(["read write", "read"]),
    own: rolling.pick<unknown>([{ team: ["red", "blue"], level: "high" }, { team: "red" }, null, "red"]),
    ...rolling.pick([
      {},
      {},
      {},
      { exp: NOW - 61 },
      { exp: NOW - 60 },
      { exp: NOW + 9 },
      { nbf: NOW + 61 },
      { nbf: NOW + 60 },
    ]),
  };
  return { claims, signed: rolling.chance(0.9) };
}

const judged = calls.map(({ filters, call }) => said(walkAuthorization, filters, call));

function said(
  walk: typeof WalkAuthorization,
  filters: Parameters<typeof WalkAuthorization>[0],
  call: Parameters<typeof WalkAuthorization>[1],
): string {
  try {
    const { decision, status, steps } = walk(filters, call, NOW);
    return JSON.stringify([decision, status, steps]);
  } catch {
    return "threw";
  }
}

test.each(AUTHORIZATION)("every mutant of %s is noticed by the policies", { timeout: 600_000 }, async (file) => {
  const alive: string[] = [];
  for (const mutant of mutantsOf(file)) {
    if (EQUAL_IN_AUTHORIZATION.some((known) => known.file === file && known.line.test(mutant.line))) continue;
    const { walkAuthorization: walk } = await programOf<{ readonly walkAuthorization: typeof WalkAuthorization }>(
      mutant,
      "authorization",
    );
    if (!calls.some(({ filters, call }, index) => said(walk, filters, call) !== judged[index]))
      alive.push(`${mutant.turn}: ${mutant.line}`);
  }
  expect(alive.join("\n")).toBe("");
});
