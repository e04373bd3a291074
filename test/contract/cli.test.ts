import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ClusterError, UsageError } from "../../src/base/errors.ts";
import { main } from "../../src/cli.ts";
import { rootHelp } from "../../src/cli-help.ts";
import { parse } from "../../src/cli-parse.ts";
import { commandGroups, commandTable, globalOptions } from "../../src/cli-table.ts";
import { ROOT_HELP } from "../../src/gen/root-help.ts";
import { VERSION } from "../../src/gen/version.ts";
import { fakeIo } from "../support/fake-io.ts";

const root = join(import.meta.dirname, "../..");
const visible = commandTable.filter((spec) => spec.hidden !== true);

test("the table is sorted and its names and aliases are unique within their group", () => {
  const names = commandTable.map((spec) => spec.name);
  expect(names).toEqual([...names].sort());
  const words = commandTable.flatMap((spec) => {
    const group = spec.name.includes(" ") ? `${spec.name.split(" ")[0]} ` : "";
    return [spec.name, ...(spec.aliases ?? []).map((alias) => group + alias)];
  });
  expect(new Set(words).size).toBe(words.length);
  for (const spec of commandTable)
    if (spec.name.includes(" ")) expect([...Object.keys(commandGroups), ...names]).toContain(spec.name.split(" ")[0]);
});

test.each(visible.map((spec) => [spec.name, spec] as const))(
  "%s has an example that its own parser takes",
  (_, spec) => {
    expect(spec.examples.length).toBeGreaterThan(0);
    expect(spec.summary).toMatch(/^[A-Z].*[^.]$/);
    for (const { line } of spec.examples) {
      const call = /(?:^|\| )meshctl ([^|&>]+)/.exec(line)?.[1];
      expect(call, line).toBeDefined();
      expect(parse([...((call ?? "").match(/(?:[^\s"]|"[^"]*")+/g) ?? [])]), line).toMatchObject({ type: "run", spec });
    }
  },
);

test("every command loads, and every file that offers a command is in the table", async () => {
  for (const spec of commandTable) expect(typeof (await spec.load()), spec.name).toBe("function");
  const files = readdirSync(join(root, "src/commands"), { withFileTypes: true })
    .map((entry) => join(root, "src/commands", entry.isDirectory() ? `${entry.name}/index.ts` : entry.name))
    .filter((file) => existsSync(file) && /^export (async )?function run(View)?\(/m.test(readFileSync(file, "utf8")));
  const table = readdirSync(join(root, "src/cli-table")).map((file) =>
    readFileSync(join(root, "src/cli-table", file), "utf8"),
  );
  for (const file of files) expect(table.join(), file).toContain(file.slice(join(root, "src").length));
});

test("root help is what the table says; every command has help", () => {
  expect(ROOT_HELP).toBe(rootHelp(commandTable));
  for (const spec of commandTable) {
    const help = parse([...spec.name.split(" "), "--help"]);
    expect(help).toMatchObject({
      type: "help",
      text: expect.stringContaining(`Usage: meshctl ${spec.name}`) as string,
    });
  }
  for (const group of Object.keys(commandGroups))
    expect(parse([group, "--help"])).toMatchObject({
      type: "help",
      text: expect.stringContaining("Commands:") as string,
    });
});

/** Commands that have -r in istioctl, and ours that choose a control plane. */
const WITH_REVISION = [
  "analyze",
  "inject",
  "install",
  "manifest generate",
  "precheck",
  "proxy-status",
  "tag generate",
  "tag set",
  "uninstall",
  "upgrade",
  "version",
  "workload entry configure",
];

test("-c, --context, --as, -n and -i are flags of every command, -r of those that have it in istioctl; no command uses them otherwise", () => {
  expect(globalOptions.map(({ flags }) => flags)).toEqual([
    "-c, --kubeconfig <file>",
    "--context <name>",
    "--as <user>",
    "--as-group <group>",
    "--as-uid <uid>",
    "--bundle <archive>",
    "--xds-address <address>",
    "--authority <name>",
    "--cert-dir <folder>",
    "--insecure",
    "--plaintext",
    "-n, --namespace <name>",
    "-i, --istioNamespace <name>",
  ]);
  for (const name of WITH_REVISION)
    expect(
      commandTable.find((spec) => spec.name === name)?.options.map(({ flags }) => flags),
      name,
    ).toContain("-r, --revision <name>");
  for (const { name, options } of visible)
    for (const { flags, hidden } of options) {
      expect(flags, name).not.toMatch(
        /-[cni],|--(?:kubeconfig|context|as|as-group|as-uid|bundle|xds-address|authority|cert-dir|insecure|plaintext|namespace|istioNamespace)\b/,
      );
      // istioctl has it too
      if (name === "proxy-config log" && flags === "-r, --reset") continue;
      if (hidden !== true) expect(/(^|, )-r\b/.test(flags), `${name}: ${flags}`).toBe(/--revision\b/.test(flags));
    }
});

test.each(visible.map(({ name }) => name))("%s takes the flags of every command", (name) => {
  const found = parse([
    ...name.split(" "),
    ...argumentsFor(name),
    "-c",
    "k",
    "--context",
    "x",
    "-n",
    "shop",
    "-i",
    "mesh",
  ]);
  const options = { kubeconfig: "k", context: "x", namespace: "shop", istioNamespace: "mesh" };
  expect(found).toMatchObject({ type: "run", spec: { name }, input: { options } });
});

/** A word for each argument that a command needs. */
function argumentsFor(name: string): readonly string[] {
  const { args = [] } = commandTable.find((spec) => spec.name === name) ?? {};
  return args.filter(({ flags }) => flags.startsWith("<")).map(() => "bash");
}

test("version of package.json", () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  expect(VERSION).toBe(version);
});

test("global flags may stand anywhere, as in istioctl; help is a word too", () => {
  const run = { type: "run", spec: { name: "proxy-config clusters" } };
  for (const line of ["-n shop pc c web", "pc -n shop c web", "proxy-config clusters web -n shop"])
    expect(parse(line.split(" ")), line).toMatchObject({
      ...run,
      input: { args: ["web"], options: { namespace: "shop" } },
    });
  expect(parse(["help", "install"])).toMatchObject({ type: "help" });
});

test.each([
  [["instal"], "unknown command: meshctl instal", "Did you mean meshctl install?"],
  [["pc", "clsters"], "unknown command: meshctl proxy-config clsters", "Did you mean meshctl proxy-config clusters?"],
  [["pc"], "proxy-config needs a command", "--help"],
  [["install", "--profle", "x"], "unknown option '--profle'", "Usage: meshctl install"],
  [["proxy-status", "-o", "xml"], "Allowed choices are table, json, yaml", "Usage: meshctl proxy-status"],
  [["manifest", "generate", "--component", "Base", "--component", "Pod"], "choices are Base, Pilot,", "Usage: meshctl"],
  [["drain"], "missing required argument 'pod'", "Usage: meshctl drain"],
])("%j is a usage error: exit code 2, on stderr, with what to do", async (argv, message, hint) => {
  const io = fakeIo();
  expect(await main(argv, io)).toBe(2);
  expect(io.stdout()).toBe("");
  expect(io.stderr()).toMatch(/^Error: /);
  expect(io.stderr()).toContain(message);
  expect(io.stderr()).toContain(hint);
});

test("exit codes: 0 for help, 2 without a command or a cluster", async () => {
  for (const argv of [["--help"], ["-h"], ["help"], ["install", "--help"], ["version", "--no-remote"]])
    expect(await main(argv, fakeIo()), argv.join(" ")).toBe(0);
  const none = fakeIo();
  expect(await main([], none)).toBe(2);
  expect(none.stderr()).toBe(ROOT_HELP);
  const lost = fakeIo();
  expect(await main(["precheck", "--kubeconfig", "/nowhere/kubeconfig"], lost)).toBe(2);
  expect(lost.stderr()).toMatch(/^Error: .*\/nowhere\/kubeconfig.*\n.+\n$/);
});

test("errors: message and hint for those a user can act on, the stack and a request to report for ours", async () => {
  const failing = async (error: Error): Promise<string> => {
    const io = fakeIo({
      readStdin: () => Promise.reject(error),
    });
    expect(await main(["inject", "-f", "-"], io)).toBe(2);
    return io.stderr();
  };
  expect(await failing(new UsageError("wrong", "Do right."))).toBe("Error: wrong\nDo right.\n");
  expect(await failing(new ClusterError("x", "no", { hint: "Try.", cause: new Error("why") }))).toBe(
    "Error: no (why)\nTry.\n",
  );
  expect(await failing(new TypeError("oops"))).toMatch(/TypeError: oops\n +at [\s\S]*This is a bug in meshctl/);
});

test("after an interrupt nothing but that is said", async () => {
  const abort = new AbortController();
  const readStdin = (): Promise<string> => {
    abort.abort();
    return Promise.reject(new Error("cut"));
  };
  const io = fakeIo({ signal: abort.signal, readStdin });
  expect(await main(["inject", "-f", "-"], io)).toBe(2);
  expect(io.stderr()).toBe("meshctl: interrupted\n");
});
