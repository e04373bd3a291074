import { expect, test } from "vitest";
import { applyScript, buildRules, captureArgs, cleanScript, type Family } from "../../src/agent/iptables.ts";
import { applyIptables, cleanIptables, type IptablesTools } from "../../src/agent/iptables-command.ts";

const DEFAULT = [
  "-p",
  "15001",
  "-z",
  "15006",
  "-u",
  "1337",
  "-m",
  "REDIRECT",
  "-i",
  "*",
  "-x",
  "",
  "-b",
  "*",
  "-d",
  "15090,15021,15020",
];

const CASES: Readonly<Record<string, readonly string[]>> = {
  default: DEFAULT,
  ranges: [
    "-u",
    "1337",
    "-i",
    "10.96.0.0/16,fd00:1::/64",
    "-x",
    "10.96.7.0/24,192.0.2.1",
    "-b",
    "8080,9090",
    "-q",
    "443",
    "-o",
    "25",
  ],
  "no-inbound": ["-u", "1337", "-i", "*", "-b", "", "-d", "15090"],
  interfaces: ["-u", "1337,2000", "-g", "1337", "-i", "*", "-b", "*", "-k", "virt0", "-c", "eth1"],
};

test.each(Object.entries(CASES))("rules of %s, both families", async (name, args) => {
  const { io, text } = recorder(["ipv4", "ipv6"]);
  await applyIptables([...args, "--dry-run"], io);
  await expect(text()).toMatchFileSnapshot(`testdata/iptables-${name}.txt`);
});

test("a second run deletes the jumps that are there and declares the chains again", () => {
  const rules = buildRules(captureArgs({ "istio-inbound-ports": "*", "istio-service-cidr": "*" }), "ipv4");
  const saved =
    ":ISTIO_OUTPUT - [0:0]\n:ISTIO_OLD - [0:0]\n-A PREROUTING -p tcp -j ISTIO_INBOUND\n-A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -j OTHER\n";
  const lines = applyScript(rules, saved).split("\n");
  expect(lines.filter((line) => /^-[DFX]/.test(line))).toEqual([
    "-D PREROUTING -p tcp -j ISTIO_INBOUND",
    "-D OUTPUT -j ISTIO_OUTPUT",
    "-F ISTIO_OLD",
    "-X ISTIO_OLD",
  ]);
  expect(lines.filter((line) => line.startsWith(":")).length).toBe(4);
});

test("cleaning takes only what is ours", () => {
  expect(cleanScript(":PREROUTING ACCEPT [0:0]\n-A OUTPUT -j OTHER\n")).toBeUndefined();
  expect(cleanScript(":ISTIO_OUTPUT - [0:0]\n-A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -j OTHER\n")).toBe(
    "*nat\n-D OUTPUT -j ISTIO_OUTPUT\n-F ISTIO_OUTPUT\n-X ISTIO_OUTPUT\nCOMMIT\n",
  );
});

test("nothing is applied twice or in pieces: one restore for each family, after reading the state", async () => {
  const { io, calls } = recorder(["ipv4", "ipv6"]);
  await applyIptables(DEFAULT, io);
  await cleanIptables([], io);
  expect(calls).toEqual(["save ipv4", "restore ipv4", "save ipv6", "source", "restore ipv6", "save ipv4", "save ipv6"]);
});

test.each([
  [["-p", "0"], "--envoy-port: expected a port, got 0"],
  [["-i", "10.0.0.0/33"], "--istio-service-cidr: expected a CIDR such as 10.0.0.0/8, got 10.0.0.0/33"],
  [["-x", "shop"], "--istio-service-exclude-cidr: expected a CIDR such as 10.0.0.0/8, got shop"],
  [["-u", "1337 -j ACCEPT"], "--proxy-uid: expected a name or number, got 1337 -j ACCEPT"],
  [["-b", "http"], "--istio-inbound-ports: expected a port, got http"],
  [["-m", "TPROXY"], "--istio-inbound-interception-mode: expected REDIRECT, got TPROXY"],
  [["--no-such-flag"], "--no-such-flag"],
])("refuses %j", async (args, message) => {
  await expect(applyIptables(args, recorder(["ipv4"]).io)).rejects.toThrow(message);
});

function recorder(families: readonly Family[]) {
  const calls: string[] = [];
  let out = "";
  const tools: IptablesTools = {
    families: () => families,
    save: (family) => {
      calls.push(`save ${family}`);
      return Promise.resolve("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n");
    },
    restore: (family) => {
      calls.push(`restore ${family}`);
      return Promise.resolve();
    },
    addInboundSource: () => {
      calls.push("source");
      return Promise.resolve();
    },
  };
  const io = {
    out: (text: string) => {
      out += text;
    },
    tools,
  };
  return { io, calls, text: () => out };
}
