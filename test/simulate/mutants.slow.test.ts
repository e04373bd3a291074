import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import type { walkRoutes as Walk } from "../../src/simulate/outcome.ts";
import { walkRoutes } from "../../src/simulate/outcome.ts";
import { dice } from "../support/simulate/dice.ts";
import { randomRequest } from "../support/simulate/random-requests.ts";
import { randomTable } from "../support/simulate/random-tables.ts";

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

async function programOf({ file, text }: Mutant): Promise<typeof Walk> {
  const { outputFiles } = await build({
    entryPoints: [join(FOLDER, "outcome.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    external: ["re2js"],
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
  const code = (outputFiles[0]?.text ?? "").replaceAll('"re2js"', JSON.stringify(import.meta.resolve("re2js")));
  const module = (await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`)) as {
    readonly walkRoutes: typeof Walk;
  };
  return module.walkRoutes;
}

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
    const walk = await programOf(mutant);
    const noticed = requests.some(({ table, request }, index) => seen(walk, table, request) !== outcomes[index]);
    if (!noticed) alive.push(`${mutant.turn}: ${mutant.line}`);
  }
  expect(alive.join("\n")).toBe("");
});
