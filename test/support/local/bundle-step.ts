import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";

/** Command lines whose answers a bundle gives too. `{pod}` is a proxy of the shop. Those whose numbers move are compared by what stays. */
export const SAME: readonly (readonly string[])[] = [
  ["version", "--short=false", "-o", "json"],
  ["proxy-config", "clusters", "{pod}"],
  ["proxy-config", "listeners", "{pod}", "--why"],
  ["proxy-config", "routes", "{pod}", "-o", "json"],
  ["proxy-config", "secret", "{pod}", "--chain"],
  ["proxy-config", "eds", "{pod}"],
  ["proxy-config", "bootstrap", "{pod}"],
  ["inject", "list"],
  ["revision", "list"],
  ["tag", "list"],
  ["orphans"],
  ["authz", "check", "{pod}"],
  ["admin", "log"],
  ["remote-clusters"],
  ["check-inject", "{pod}"],
];

/** Those whose answers name moments: only that they end the same way is asked. */
export const RUN: readonly (readonly string[])[] = [
  ["proxy-status"],
  ["proxy-status", "-v", "1", "--why"],
  ["proxy-status", "{pod}"],
  ["analyze", "-A"],
  ["check"],
  ["mtls", "report"],
  ["proxy-config", "endpoints", "{pod}"],
  ["proxy-config", "all", "{pod}"],
  ["why", "--from", "{pod}", "http://catalog.shop:12345/"],
];

/** A bug report of a living mesh: nothing secret in it, and every read-only command answers from it as it did from the cluster. */
export async function bugReport(scenario: Scenario): Promise<void> {
  const { stdout } = await scenario.meshctl(["bug-report", "--output-dir", scenario.work, "--tail", "200"]);
  const file = stdout.trim();
  const pods = await scenario.cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    { namespace: "shop", labelSelector: "app=web" },
  );
  const pod = `${pods[0]?.metadata.name}.shop`;
  const args = (line: readonly string[]): string[] => line.map((word) => word.replace("{pod}", pod));
  for (const line of SAME) {
    const live = await scenario.meshctl(args(line), { quiet: true });
    const offline = await scenario.meshctl([...args(line), "--bundle", file], { quiet: true });
    must(
      same(live.stdout, offline.stdout),
      `${line.join(" ")}: the bundle says\n${offline.stdout}\nthe cluster\n${live.stdout}`,
    );
    must(live.stdout.length > 20, `${line.join(" ")} says nothing`);
  }
  for (const line of RUN) {
    const live = await scenario.meshctl(args(line), { quiet: true, expect: "any" });
    const offline = await scenario.meshctl([...args(line), "--bundle", file], { quiet: true, expect: "any" });
    must(
      live.code === offline.code,
      `${line.join(" ")}: ${live.code} of the cluster, ${offline.code} of the bundle\n${offline.stdout}${offline.stderr}`,
    );
    must(offline.stdout.length > 20, `${line.join(" ")} says nothing of the bundle\n${offline.stderr}`);
  }
  noSecrets(file, scenario);
}

/** Envoy tells members of a map, and resources, in another order each time, and tables of a listener that drains once more. */
function same(one: string, other: string): boolean {
  if (one === other || !/^[[{]/.test(one)) return one === other;
  const [first, second] = [one, other].map((text) => inOrder(JSON.parse(text)));
  return isDeepStrictEqual(first, second);
}

function inOrder(value: unknown): unknown {
  return Array.isArray(value) ? [...new Set(value.map((each) => stable(each)))].sort() : value;
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/** Neither the private keys of the mesh nor a token of an account stands in any file of the bundle. */
function noSecrets(file: string, { work }: Scenario): void {
  const folder = join(work, "unpacked");
  execFileSync("mkdir", ["-p", folder]);
  execFileSync("tar", ["-xzf", file, "-C", folder]);
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  must(names.length > 30, `only ${names.length} files`);
  for (const { parentPath, name } of names) {
    const text = readFileSync(join(parentPath, name), "utf8");
    for (const secret of [
      /PRIVATE KEY-----\s*[A-Za-z0-9+/=]{20}/,
      /\beyJ[\w-]{8,}\.eyJ/,
      /LS0tLS1CRUdJTiB(?!DRVJUSUZJQ0FURS|SU1NQ)[A-Za-z0-9+/]*S0VZ/,
    ])
      must(!secret.test(text), `${name} holds what looks like a secret: ${secret.exec(text)?.[0].slice(0, 40)}`);
  }
}
