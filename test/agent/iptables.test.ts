import { expect, test } from "vitest";
import { buildRules } from "../../src/agent/iptables.ts";
import { captureArgs, type Family } from "../../src/agent/iptables-args.ts";
import { applyIptables, cleanIptables, type IptablesIo, NOT_CAPTURED } from "../../src/agent/iptables-command.ts";
import { applyScript, cleanScript, isInPlace } from "../../src/agent/iptables-script.ts";

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
  tproxy: [
    ...DEFAULT.map((word) => (word === "REDIRECT" ? "TPROXY" : word)),
    "-t",
    "1400",
    "-k",
    "virt0",
    "-c",
    "eth1",
  ],
  dns: [...DEFAULT, "--redirect-dns", "--drop-invalid"],
  mark: [...DEFAULT, "--proxy-mark", "1340", "-o", "25", "--redirect-dns"],
  "dns-all": ["-u", "1337", "-b", "8080", "-i", "127.0.0.0/8", "--redirect-dns=true", "--capture-all-dns"],
};

test.each(Object.entries(CASES))("rules of %s, both families", async (name, args) => {
  const { io, text } = recorder(["ipv4", "ipv6"]);
  expect(await applyIptables([...args, "--dry-run"], io)).toBe(0);
  await expect(text()).toMatchFileSnapshot(`testdata/iptables-${name}.txt`);
});

test("variables stand in for flags, and flags come before them", async () => {
  const env = {
    ISTIO_SERVICE_CIDR: "10.0.0.0/8",
    ISTIO_INBOUND_PORTS: "80",
    ISTIO_META_DNS_CAPTURE: "true",
    INVALID_DROP: "1",
    ISTIO_OUTBOUND_OWNER_GROUPS: "1000,app",
    ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: "127.0.0.0/8",
    ENVOY_PORT: "1",
  };
  const { io, text } = recorder(["ipv4"], env);
  await applyIptables(["-n", "-b", "8080"], io);
  await expect(text()).toMatchFileSnapshot("testdata/iptables-env.txt");
});

const CAPTURE_ALL = { "istio-inbound-ports": "*", "istio-service-cidr": "*" };

test("proxies known by a mark are captured by REDIRECT: a socket has one mark", () => {
  const flags = { "proxy-mark": "1340", "istio-inbound-interception-mode": "TPROXY" };
  expect(captureArgs(flags).mode).toBe("REDIRECT");
  expect(() => captureArgs({ ...flags, "istio-inbound-interception-mode": "tproxy" })).toThrow(
    "expected REDIRECT or TPROXY",
  );
});

test("a second run deletes the jumps that are there and declares the chains again", () => {
  const rules = buildRules(captureArgs(CAPTURE_ALL), "ipv4");
  const saved =
    "*nat\n:ISTIO_OUTPUT - [0:0]\n:ISTIO_OLD - [0:0]\n-A PREROUTING -p tcp -j ISTIO_INBOUND\n-A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -j OTHER\n";
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
  expect(cleanScript("*nat\n:PREROUTING ACCEPT [0:0]\n-A OUTPUT -j OTHER\n")).toBeUndefined();
  expect(cleanScript("*nat\n:ISTIO_OUTPUT - [0:0]\n-A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -j OTHER\n")).toBe(
    "*nat\n-D OUTPUT -j ISTIO_OUTPUT\n-F ISTIO_OUTPUT\n-X ISTIO_OUTPUT\nCOMMIT\n",
  );
});

test("rules in other tables go when they are not wanted any more", () => {
  const saved =
    "*mangle\n:ISTIO_TPROXY - [0:0]\n-A PREROUTING -p tcp -j ISTIO_TPROXY\nCOMMIT\n*filter\n:ISTIO_X - [0:0]\n";
  const script = applyScript(buildRules(captureArgs(CAPTURE_ALL), "ipv4"), saved);
  expect(script).toContain("*mangle\n-D PREROUTING -p tcp -j ISTIO_TPROXY\n-F ISTIO_TPROXY\n-X ISTIO_TPROXY\nCOMMIT\n");
  expect(script).not.toContain("filter");
});

test("rules count as in place however a tool prints them, and as different when they are", () => {
  const rules = buildRules(captureArgs({ ...CAPTURE_ALL, "istio-inbound-interception-mode": "TPROXY" }), "ipv4");
  const saved = applyScript(rules, "");
  expect(isInPlace(rules, saved)).toBe(true);
  const printed = saved
    .replaceAll("-p tcp --dport", "-p tcp -m tcp --dport")
    .replaceAll("--set-mark 1337", "--set-xmark 0x539/0xffffffff")
    .replaceAll("--tproxy-mark 1337/0xffffffff", "--on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff")
    .replaceAll("RELATED,ESTABLISHED", "ESTABLISHED,RELATED")
    .replaceAll("-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo", "-A ISTIO_OUTPUT -o lo ! -d 127.0.0.1/32");
  expect(printed).not.toBe(saved);
  expect(isInPlace(rules, printed)).toBe(true);
  for (const [text, other] of [
    ["--dport 15090 -j RETURN", "--dport 15091 -j RETURN"],
    ["! --uid-owner", "--uid-owner"],
    ["-A OUTPUT -j ISTIO_OUTPUT\n", ""],
    [
      "-A ISTIO_DIVERT -j MARK --set-mark 1337\n-A ISTIO_DIVERT -j ACCEPT",
      "-A ISTIO_DIVERT -j ACCEPT\n-A ISTIO_DIVERT -j MARK --set-mark 1337",
    ],
    [":ISTIO_INBOUND - [0:0]", ":ISTIO_INBOUND - [0:0]\n:ISTIO_OLD - [0:0]"],
  ] as const) {
    expect(saved, text).toContain(text);
    expect(isInPlace(rules, saved.replace(text, other)), text).toBe(false);
  }
});

test("one restore for each family, after reading the state; none when the rules are in place, but on demand", async () => {
  const { io, calls, saved } = recorder(["ipv4", "ipv6"]);
  await applyIptables(DEFAULT, io);
  expect(calls.splice(0)).toEqual(["save ipv4", "restore ipv4", "save ipv6", "source", "restore ipv6"]);
  for (const family of ["ipv4", "ipv6"] as const)
    saved[family] = applyScript(buildRules(captureArgs(CAPTURE_ALL), family), "");
  await applyIptables(DEFAULT, io);
  expect(calls.splice(0).filter((call) => call.startsWith("restore"))).toEqual([]);
  await applyIptables([...DEFAULT, "--force-apply"], io);
  expect(calls.splice(0).filter((call) => call.startsWith("restore"))).toEqual(["restore ipv4", "restore ipv6"]);
  await applyIptables(["-m", "TPROXY", "-b", "*"], io);
  expect(calls.splice(0).filter((call) => call.startsWith("route"))).toEqual([
    "route ipv4 1337 133",
    "route ipv6 1337 133",
  ]);
  await cleanIptables([], io);
  expect(calls.splice(0)).toEqual(["save ipv4", "restore ipv4", "save ipv6", "restore ipv6"]);
});

test("the policy route goes with the rules of TPROXY", async () => {
  const { io, calls, saved } = recorder(["ipv4"]);
  saved.ipv4 = applyScript(
    buildRules(captureArgs({ ...CAPTURE_ALL, "istio-inbound-interception-mode": "TPROXY" }), "ipv4"),
    "",
  );
  await applyIptables(DEFAULT, io);
  expect(calls.splice(0)).toEqual(["save ipv4", "unroute ipv4", "restore ipv4"]);
  await cleanIptables([], io);
  expect(calls).toEqual(["save ipv4", "restore ipv4", "unroute ipv4"]);
});

test("verification says by its exit code whether capture works, and changes nothing", async () => {
  const { io, calls, text } = recorder(["ipv4"]);
  expect(await applyIptables(["--verify"], { ...io, verify: () => Promise.resolve(true) })).toBe(0);
  expect(await applyIptables(["--skip-rule-apply", "--run-validation"], io)).toBe(NOT_CAPTURED);
  expect(text()).toContain("traffic is not captured");
  expect(calls).toEqual([]);
});

test.each([
  [["-p", "0"], "--envoy-port: expected a port, got 0"],
  [["-i", "10.0.0.0/33"], "--istio-service-cidr: expected a CIDR such as 10.0.0.0/8, got 10.0.0.0/33"],
  [["-x", "shop"], "--istio-service-exclude-cidr: expected a CIDR such as 10.0.0.0/8, got shop"],
  [["-u", "1337 -j ACCEPT"], "--proxy-uid: expected a name or number, got 1337 -j ACCEPT"],
  [["-b", "http"], "--istio-inbound-ports: expected a port, got http"],
  [["-m", "tproxy"], "--istio-inbound-interception-mode: expected REDIRECT or TPROXY, got tproxy"],
  [["-t", "mark"], "--istio-inbound-tproxy-mark: expected a number from 1 to 4294967295, got mark"],
  [["--redirect-dns=maybe"], "--redirect-dns: expected true or false, got maybe"],
  [["--verify", "--probe-timeout", "soon"], "--probe-timeout: expected a duration such as 5s, got soon"],
  [["--native-nftables"], "--native-nftables: rules are written through iptables"],
  [["--proxy-mark", "0"], "--proxy-mark: expected a number from 1 to 4294967295, got 0"],
  [["--proxy-mark", "1340", "--verify"], "--run-validation: only the proxy's own sockets carry --proxy-mark"],
  [["-k", "br0;reboot"], "--kube-virt-interfaces: expected a name or number, got br0;reboot"],
  [["--no-such-flag"], "--no-such-flag"],
])("refuses %j", async (args, message) => {
  await expect(applyIptables(args, recorder(["ipv4"]).io)).rejects.toThrow(message);
});

test.each([
  [{ ISTIO_OUTBOUND_OWNER_GROUPS: "a b" }, "ISTIO_OUTBOUND_OWNER_GROUPS: expected a name or number, got a b"],
  [{ ISTIO_OUTBOUND_OWNER_GROUPS: Array.from({ length: 65 }, String).join() }, "expected at most 64 groups, got 65"],
  [{ ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: "10.0.0.0/8" }, "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: expected an IPv4 range"],
  [{ DROP_INVALID: "perhaps" }, "DROP_INVALID: expected true or false, got perhaps"],
])("refuses the environment %j", async (env, message) => {
  await expect(applyIptables([], recorder(["ipv4"], env).io)).rejects.toThrow(message);
});

function recorder(families: readonly Family[], env: Readonly<Record<string, string>> = {}) {
  const calls: string[] = [];
  const saved: Record<Family, string> = { ipv4: "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n", ipv6: "" };
  let out = "";
  const call = <T>(text: string, result: T): Promise<T> => {
    calls.push(text);
    return Promise.resolve(result);
  };
  const io: IptablesIo = {
    out: (text) => {
      out += text;
    },
    env,
    readFile: () => "search shop.svc\nnameserver 10.96.0.10\nnameserver fd00::a%eth0\n",
    tools: () => ({
      families: () => Promise.resolve(families),
      save: (family) => call(`save ${family}`, saved[family]),
      restore: (family) => call(`restore ${family}`, undefined),
      addInboundSource: () => call("source", undefined),
      addRoute: (family, { mark, table }) => call(`route ${family} ${mark} ${table}`, undefined),
      removeRoute: (family) => call(`unroute ${family}`, undefined),
    }),
    verify: () => Promise.resolve(false),
  };
  return { io, calls, saved, text: () => out };
}
