import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyIptables } from "../../../src/agent/iptables-command.ts";
import { systemIptables } from "../../../src/agent/iptables-tools.ts";
import { type Actor, createLab, LAB, type Lab, labProblem } from "../../support/agent/netns-lab.ts";

// What `mesh-agent istio-iptables` does, with real iptables: a pod and a peer in network namespaces of their own; processes of the
// application's, the proxy's and another user say where their connections end. Rules are written from outside, as a CNI plug-in
// does it, so that nothing here can touch this machine's own.

const reason = labProblem();
if (reason !== undefined && process.env["CI"] === "true") throw new Error(reason);
/** Matchers, typed as what they stand for. */
const containing = (text: string): string => expect.stringContaining(text) as string;
const lacking = (text: string): string => expect.not.stringContaining(text) as string;
const { pod, peer } = LAB;
const SERVICE = { v4: "10.96.0.10", v6: "fd96::10" };
const RESOLVER = { v4: peer.v4, v6: peer.v6 };

describe.each(["nft", "legacy"])("%s tables", (backend) => {
  describe.skipIf(reason !== undefined)(`in network namespaces${reason === undefined ? "" : ` (${reason})`}`, () => {
    let lab: Lab;
    let app: Actor;
    let proxy: Actor;
    let outside: Actor;
    let before: string;

    beforeAll(async () => {
      lab = await createLab();
      [app, proxy, outside] = [lab.actor("pod", 1000), lab.actor("pod", 1337), lab.actor("peer", 0)];
      const agent = lab.actor("pod", 0);
      await Promise.all([
        agent.listen({ name: "outbound", ports: [15001] }),
        agent.listen({ name: "inbound", ports: [15006], transparent: true }),
        agent.listen({ name: "app", ports: [8080, 9000] }),
        agent.listen({ name: "readiness", ports: [15021] }),
        // As the agent: as the proxy's user, on loopback.
        ...["127.0.0.1", "::1"].flatMap((host) =>
          [true, false].map((udp) => proxy.listen({ name: "agent-dns", ports: [15053], udp, host })),
        ),
        outside.listen({ name: "peer", ports: [53, 7000, 7001] }),
        outside.listen({ name: "resolver", ports: [53], udp: true }),
      ]);
      // Rules of somebody else, in every table that ours stand in.
      for (const [family, table] of [
        ["iptables", "nat"],
        ["iptables", "mangle"],
        ["ip6tables", "raw"],
      ]) {
        lab.run(`${family}-${backend}`, "-t", table ?? "", "-N", "OTHERS");
        lab.run(`${family}-${backend}`, "-t", table ?? "", "-A", "OUTPUT", "-p", "sctp", "-j", "OTHERS");
      }
      before = state();
    });
    afterAll(() => lab?.close());

    /** All rules, counters left out, and what routing looks at first. */
    function state(): string {
      const rules = ["iptables", "ip6tables"].map((family) => lab.run(`${family}-${backend}-save`));
      const lines = rules.flatMap((text) => text.split("\n")).filter((line) => /^(-A|:[A-Z_]+ -)/.test(line));
      return [...lines, lab.run("ip", "rule"), lab.run("ip", "-6", "rule")].join("\n").replaceAll(/\[\d+:\d+\]/g, "");
    }

    async function iptables(
      args: readonly string[],
      env: Readonly<Record<string, string>> = {},
    ): Promise<{ readonly code: number; readonly text: string }> {
      let text = "";
      const code = await applyIptables(["--network-namespace", lab.namespace, ...args], {
        out: (more) => {
          text += more;
        },
        env,
        readFile: () => `nameserver ${RESOLVER.v4}\nnameserver ${RESOLVER.v6}\n`,
        // No backend is named: the rules of others say which one it is.
        tools: systemIptables,
        verify: () => Promise.reject(new Error("not asked for")),
      });
      return { code, text };
    }

    const ALL = ["-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT", "-i", "*", "-x", "", "-b", "*"];

    /** Applies rules, tells where connections end, and takes the rules away. */
    async function landing<T extends Readonly<Record<string, Promise<string>>>>(
      args: readonly string[],
      connections: () => T,
      env: Readonly<Record<string, string>> = {},
    ): Promise<Readonly<Record<string, string>>> {
      await iptables(args, env);
      try {
        const made = Object.entries(connections()).map(async ([name, result]) => [name, await result] as const);
        return Object.fromEntries(await Promise.all(made));
      } finally {
        await iptables(["--cleanup"]);
      }
    }

    const to = (host: string, port: number, from?: string): Parameters<Actor["connect"]>[0] => ({
      host,
      port,
      ...(from === undefined ? {} : { from }),
    });

    test.each(["v4", "v6"] as const)(
      "everything is captured but loopback, self-calls and the proxy itself: %s",
      async (v) => {
        const loopback = v === "v4" ? "127.0.0.1" : "::1";
        const source = v === "v4" ? "127.0.0.6" : "::6";
        expect(
          await landing(ALL, () => ({
            "app to a service": app.connect(to(SERVICE[v], 80)),
            "app to a peer": app.connect(to(peer[v], 7000)),
            "app to its own address": app.connect(to(pod[v], 8080)),
            "app to loopback": app.connect(to(loopback, 8080)),
            "proxy to a peer": proxy.connect(to(peer[v], 7000)),
            "proxy to its own pod": proxy.connect(to(pod[v], 8080)),
            "proxy to the app as inbound": proxy.connect(to(pod[v], 8080, source)),
            "peer to the app": outside.connect(to(pod[v], 8080)),
            "peer to the readiness port": outside.connect(to(pod[v], 15021)),
          })),
        ).toEqual({
          "app to a service": `outbound ${pod[v]}`,
          "app to a peer": `outbound ${pod[v]}`,
          "app to its own address": `app ${pod[v]}`,
          "app to loopback": `app ${loopback}`,
          "proxy to a peer": `peer ${pod[v]}`,
          "proxy to its own pod": containing("inbound"),
          "proxy to the app as inbound": `app ${source}`,
          "peer to the app": containing("inbound"),
          "peer to the readiness port": `readiness ${peer[v]}`,
        });
      },
    );

    test("ports, ranges and interfaces that are excluded", async () => {
      const args = [...ALL, "-d", "9000", "-o", "7001", "-x", "10.96.0.0/24,fd96::/64", "-c", "eth1"];
      expect(
        await landing(args, () => ({
          "inbound port": outside.connect(to(pod.v4, 9000)),
          "inbound port, IPv6": outside.connect(to(pod.v6, 9000)),
          "another inbound port": outside.connect(to(pod.v4, 8080)),
          "outbound port": app.connect(to(peer.v4, 7001)),
          "outbound port, IPv6": app.connect(to(peer.v6, 7001)),
          "another outbound port": app.connect(to(peer.v4, 7000)),
          "outbound range": app.connect(to(SERVICE.v4, 80)),
          "another range": app.connect(to("10.97.0.1", 80)),
          "in by the interface": outside.connect(to(pod.second, 8080)),
          "out by the interface": app.connect(to(peer.second, 7000)),
        })),
      ).toMatchObject({
        "inbound port": `app ${peer.v4}`,
        "inbound port, IPv6": `app ${peer.v6}`,
        "another inbound port": containing("inbound"),
        "outbound port": `peer ${pod.v4}`,
        "outbound port, IPv6": `peer ${pod.v6}`,
        "another outbound port": `outbound ${pod.v4}`,
        "outbound range": lacking("outbound"),
        "another range": `outbound ${pod.v4}`,
        "in by the interface": `app ${peer.second}`,
        "out by the interface": `peer ${pod.second}`,
      });
    });

    test("only the ports, ranges and groups that are included", async () => {
      const other = lab.actor("pod", 2000);
      const args = ["-u", "1337", "-b", "8080", "-i", `${peer.v4}/32,${peer.v6}/128`, "-q", "9999"];
      expect(
        await landing(
          args,
          () => ({
            "inbound port": outside.connect(to(pod.v4, 8080)),
            "another inbound port": outside.connect(to(pod.v4, 9000)),
            "outbound range": app.connect(to(peer.v4, 7000)),
            "outbound range, IPv6": app.connect(to(peer.v6, 7000)),
            "another range": app.connect(to(peer.second, 7000)),
            "outbound port": app.connect(to(SERVICE.v4, 9999)),
            "another group": other.connect(to(peer.v4, 7000)),
          }),
          { ISTIO_OUTBOUND_OWNER_GROUPS: "1000" },
        ),
      ).toEqual({
        "inbound port": containing("inbound"),
        "another inbound port": `app ${peer.v4}`,
        "outbound range": `outbound ${pod.v4}`,
        "outbound range, IPv6": `outbound ${pod.v6}`,
        "another range": `peer ${pod.second}`,
        "outbound port": `outbound ${pod.v4}`,
        "another group": `peer ${pod.v4}`,
      });
    });

    test("excluded groups, and traffic of virtual machines that counts as outbound", async () => {
      const args = [...ALL, "-k", "eth1"];
      expect(
        await landing(
          args,
          () => ({
            "excluded group": app.connect(to(peer.v4, 7000)),
            "from a virtual machine": outside.connect(to(pod.second, 8080)),
            "from elsewhere": outside.connect(to(pod.v4, 8080)),
          }),
          { ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: "1000" },
        ),
      ).toEqual({
        "excluded group": `peer ${pod.v4}`,
        "from a virtual machine": `outbound ${peer.second}`,
        "from elsewhere": containing("inbound"),
      });
    });

    test("queries to the host's resolvers go to the agent, its own to the resolvers", async () => {
      expect(
        await landing([...ALL, "--redirect-dns", "--drop-invalid"], () => ({
          UDP: app.ask(to(RESOLVER.v4, 53)),
          "UDP, IPv6": app.ask(to(RESOLVER.v6, 53)),
          TCP: app.connect(to(RESOLVER.v4, 53)),
          "the agent's own, UDP": proxy.ask(to(RESOLVER.v4, 53)),
          "the agent's own, TCP": proxy.connect(to(RESOLVER.v4, 53)),
          "another resolver": app.ask(to(peer.second, 53)),
          "another port": app.connect(to(peer.v4, 7000)),
        })),
      ).toEqual({
        // The answer seems to come from the resolver: the client takes no other.
        UDP: `agent-dns ${pod.v4} from ${RESOLVER.v4}`,
        "UDP, IPv6": `agent-dns ${pod.v6} from ${RESOLVER.v6}`,
        TCP: `agent-dns ${pod.v4}`,
        "the agent's own, UDP": `resolver ${pod.v4} from ${RESOLVER.v4}`,
        "the agent's own, TCP": `peer ${pod.v4}`,
        "another resolver": `resolver ${pod.second} from ${peer.second}`,
        "another port": `outbound ${pod.v4}`,
      });
    });

    test("queries to any resolver go to the agent when all are captured", async () => {
      expect(
        await landing(
          ["-u", "1337", "-b", "*", "-i", "", "--capture-all-dns"],
          () => ({
            UDP: app.ask(to(peer.second, 53)),
            TCP: app.connect(to(SERVICE.v4, 53)),
            "the agent's own": proxy.ask(to(peer.second, 53)),
          }),
          { ISTIO_META_DNS_CAPTURE: "true" },
        ),
      ).toEqual({
        UDP: `agent-dns ${pod.second} from ${peer.second}`,
        TCP: `agent-dns ${pod.v4}`,
        "the agent's own": `resolver ${pod.second} from ${peer.second}`,
      });
    });

    test.each(["v4", "v6"] as const)("TPROXY keeps the client's address and the one it dialled: %s", async (v) => {
      const args = ALL.map((word) => (word === "REDIRECT" ? "TPROXY" : word));
      const shown = v === "v4" ? `${pod[v]}:8080` : `${pod[v]}:8080`;
      expect(
        await landing(args, () => ({
          "peer to the app": outside.connect(to(pod[v], 8080)),
          "peer to the readiness port": outside.connect(to(pod[v], 15021)),
          "app to a service": app.connect(to(SERVICE[v], 80)),
          "app to its own address": app.connect(to(pod[v], 8080)),
          "app to loopback": app.connect(to(v === "v4" ? "127.0.0.1" : "::1", 8080)),
          "proxy to a peer": proxy.connect(to(peer[v], 7000)),
          "proxy to its own pod": proxy.connect(to(pod[v], 8080)),
        })),
      ).toEqual({
        "peer to the app": `inbound ${peer[v]} for ${shown}`,
        "peer to the readiness port": `readiness ${peer[v]}`,
        "app to a service": `outbound ${pod[v]}`,
        "app to its own address": `app ${pod[v]}`,
        "app to loopback": `app ${v === "v4" ? "127.0.0.1" : "::1"}`,
        "proxy to a peer": `peer ${pod[v]}`,
        "proxy to its own pod": containing("inbound"),
      });
    });

    test("a second run changes nothing, another form leaves only its own rules, cleaning leaves what was before", async () => {
      const tproxy = [
        ...ALL,
        "-m",
        "TPROXY",
        "--redirect-dns",
        "--drop-invalid",
        "-c",
        "eth1",
        "-k",
        "eth7",
        "-x",
        "10.1.2.3/8",
      ];
      const first = await iptables(tproxy);
      expect(first.text).toContain("*raw");
      const applied = state();
      expect(applied).not.toBe(before);
      expect((await iptables(tproxy)).text).toBe("# ipv4: the rules are in place\n# ipv6: the rules are in place\n");
      expect(state()).toBe(applied);
      await iptables(ALL);
      const plain = state();
      expect(plain).not.toContain("TPROXY");
      expect(plain).not.toContain("1337 lookup");
      await iptables(["--cleanup"]);
      await iptables(ALL);
      expect(state()).toBe(plain);
      const shown = await iptables(["--cleanup", "--dry-run"]);
      expect(shown.text).toContain("-X ISTIO_OUTPUT");
      expect(state()).toBe(plain);
      await iptables(["--cleanup"]);
      expect(state()).toBe(before);
      expect((await iptables(["--cleanup"])).text).toBe("");
    });
  });
});

describe.skipIf(reason !== undefined)("verification, by the program itself", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab();
  });
  afterAll(() => lab?.close());

  const asProxy = ["setpriv", "--reuid", "1337", "--regid", "1337", "--clear-groups"];
  const verify = ["istio-iptables", "--run-validation", "--skip-rule-apply", "--probe-timeout", "1500ms"];

  test("fails with 126 without rules, and passes with them, for root and for the proxy's user", async () => {
    expect(lab.agent(verify, asProxy)).toMatchObject({ code: 126, text: containing("is not captured") });
    const applied = lab.agent(["istio-iptables", "-u", "1337", "-i", "*", "-b", "*", "--run-validation"]);
    expect(applied).toMatchObject({ code: 0, text: containing("# ipv6: traffic is captured") });
    expect(lab.agent(verify, asProxy)).toEqual({
      code: 0,
      text: "# ipv4: traffic is captured\n# ipv6: traffic is captured\n",
    });
  });

  test("a pod without interception is left alone", () => {
    const before = lab.run("iptables-save");
    for (const command of ["istio-iptables", "istio-clean-iptables"]) {
      const said = lab.agent([command, "-b", "*"], ["env", "ISTIO_META_INTERCEPTION_MODE=NONE"]);
      expect(said).toMatchObject({ code: 0, text: containing("nothing is captured") });
    }
    expect(rulesOf(lab.run("iptables-save"))).toEqual(rulesOf(before));
  });
});

function rulesOf(saved: string): readonly string[] {
  return saved.split("\n").filter((line) => line.startsWith("-A"));
}
