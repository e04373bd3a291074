import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { LoadBalancerAddress } from "../../controllers/controller.ts";
import type { Listen } from "../../listen.ts";
import type { Pod, Service } from "../../shapes.ts";
import { runProgram } from "../run.ts";
import { dialTcp } from "./dial.ts";
import { HostPorts } from "./host-ports.ts";
import { type HostsSubject, hostsFile, overwrite } from "./hosts.ts";
import { isProxy } from "./loopback-plan.ts";
import { type AddressPlan, DIAL_CIDR, dialAddress, podAddressAt } from "./netns-plan.ts";
import { baseRules, serviceRules } from "./service-rules.ts";
import { pickEndpoint } from "./table.ts";
import type { NodeNetwork, PodNetwork, PodUsers, ProcessSpec, ServiceEntry } from "./types.ts";

/** Full paths of the programs the node runs. */
export interface NetnsTools {
  readonly ip: string;
  readonly iptablesRestore: string;
  readonly nsenter: string;
  readonly setpriv: string;
  readonly sh: string;
  readonly unshare: string;
}

export interface NetnsOptions {
  readonly plan: AddressPlan;
  readonly tools: NetnsTools;
  /** Where hosts files are kept. */
  readonly directory: string;
  /** Undefined: the namespaces are the machine's, which routes to them, and users are what they are. */
  readonly userNamespace: UserNamespace | undefined;
}

/** All of it inside a user namespace, in which there is one user, and no way from the machine but by ports that it opens. */
export interface UserNamespace {
  /** Who started it, as the machine knows that user. */
  readonly own: { readonly uid: number; readonly gid: number };
  /** Opens ports of the machine. */
  readonly listen: Listen;
}

/**
 * How agents learn by what the capture rules know their proxy. The mark must not be 1337 or 1338, which mean something else to those
 * rules; with it there is no TPROXY.
 */
const MARKED = { PROXY_MARK: "1340", ISTIO_META_INTERCEPTION_MODE: "REDIRECT" };

/**
 * Pods in network namespaces of their own, below the namespace this process runs in. Each pod's link is routed, not bridged, so
 * that rules see both directions of every connection whatever modules the kernel has.
 */
export async function createNetnsNetwork(options: NetnsOptions): Promise<NodeNetwork> {
  await mkdir(options.directory, { recursive: true, mode: 0o755 });
  await writeFile(join(options.directory, "resolv.conf"), "# no name server: names are in /etc/hosts\n");
  await runProgram(options.tools.iptablesRestore, ["--noflush"], baseRules(DIAL_CIDR));
  return new NetnsNetwork(options);
}

/**
 * First process of a pod: makes its end of the link, gives it the names of the cluster and waits until its stdin closes. The rules
 * let the node reach what listens on the pod's loopback: the dial address becomes 127.0.0.1 on both ends, before capture sees it.
 */
const SANDBOX = `
set -e
ip=$1 dial=$2 link=$3 gateway=$4 hosts=$5 resolv=$6 IP=$7 RESTORE=$8
mount --bind "$hosts" /etc/hosts
mount --bind "$resolv" /etc/resolv.conf 2>/dev/null || true
"$IP" -batch - <<X
link set lo up
link add eth0 type veth peer name $link netns 1
addr add $ip/32 dev eth0
link set eth0 up
route add $gateway dev eth0
route add default via $gateway
X
echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
"$RESTORE" --noflush <<X
*nat
-A PREROUTING -d $dial/32 -p tcp -j DNAT --to-destination 127.0.0.1
-A INPUT -s $gateway/32 -d 127.0.0.1/32 -p tcp -j SNAT --to-source 127.0.0.1
COMMIT
*mangle
-A PREROUTING -d $dial/32 -p tcp -j ACCEPT
COMMIT
X
echo ready
exec cat >/dev/null
`;

interface Sandbox {
  readonly process: ChildProcess;
  readonly subject: HostsSubject;
  readonly hosts: string;
}

class NetnsNetwork implements NodeNetwork {
  readonly kind: "netns" | "userns";
  readonly users: PodUsers;
  readonly nodeIp: string;
  readonly serviceCidr: string;
  private readonly options: NetnsOptions;
  private readonly pods = new Map<number, Sandbox>();
  private services: readonly ServiceEntry[] = [];
  private rules = "";
  private writing: Promise<void> = Promise.resolve();
  private next = 2;
  private readonly hostPorts: HostPorts | undefined;

  constructor(options: NetnsOptions) {
    this.options = options;
    const { userNamespace } = options;
    this.kind = userNamespace === undefined ? "netns" : "userns";
    this.users = userNamespace === undefined ? "any" : "mapped";
    this.hostPorts =
      userNamespace &&
      new HostPorts((service, port) => pickEndpoint(this.services, service, port), userNamespace.listen);
    this.nodeIp = options.plan.nodeIp;
    this.serviceCidr = options.plan.serviceCidr;
  }

  realPort(port: number): number {
    return port;
  }

  serviceHost(_podIp: string, clusterIp: string): string {
    return clusterIp;
  }

  async createPod(pod: Pod): Promise<PodNetwork> {
    const number = this.allocate();
    const { plan, tools, directory } = this.options;
    const ip = podAddressAt(plan, number);
    const dial = dialAddress(number);
    const link = `p${number}`;
    const hostname = pod.spec?.hostname ?? pod.metadata.name;
    const subject = { namespace: pod.metadata.namespace ?? "", hostname, ip };
    const hosts = join(directory, `hosts-${number}`);
    await writeFile(hosts, hostsFile(this.services, subject));
    const resolv = join(directory, "resolv.conf");
    const values = [ip, dial, link, plan.gateway, hosts, resolv, tools.ip, tools.iptablesRestore];
    const args = ["--net", "--mount", "--propagation", "private", tools.sh, "-c", SANDBOX, "sh", ...values];
    const sandbox = spawn(tools.unshare, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.pods.set(number, { process: sandbox, subject, hosts });
    const close = async (): Promise<void> => {
      this.pods.delete(number);
      await ended(sandbox);
      await rm(hosts, { force: true });
    };
    try {
      await readyLine(sandbox);
      const routes = [
        `addr add ${plan.gateway}/32 dev ${link}`,
        `link set ${link} up`,
        `route add ${ip}/32 dev ${link} src ${plan.gateway}`,
        `route add ${dial}/32 via ${ip} dev ${link} onlink src ${plan.gateway}`,
      ];
      await runProgram(tools.ip, ["-batch", "-"], `${routes.join("\n")}\n`);
    } catch (error) {
      await close();
      throw error;
    }
    const pid = String(sandbox.pid);
    return {
      ip,
      env: (container) => (this.kind === "userns" && isProxy(container) ? MARKED : {}),
      hostsFile: () => hosts,
      wrap: (spec) => this.wrap(spec, pid),
      dial: (port): Promise<Duplex> => dialTcp(dial, port),
      close,
    };
  }

  setServices(services: readonly ServiceEntry[]): Promise<void> {
    this.services = services;
    this.hostPorts?.keep(new Set(services.map(({ namespace, name }) => `${namespace}/${name}`)));
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  loadBalancerAddress(service: Service): Promise<LoadBalancerAddress | undefined> {
    if (this.hostPorts !== undefined) return this.hostPorts.open(service);
    const ip = service.spec?.clusterIP;
    return Promise.resolve(ip === undefined || ip === "" || ip === "None" ? undefined : { ip, mapped: {} });
  }

  async close(): Promise<void> {
    this.hostPorts?.keep(new Set());
    await Promise.all([...this.pods.values()].map((pod) => ended(pod.process)));
  }

  private allocate(): number {
    for (let tries = 0; tries < 65_000; tries++) {
      const number = this.next;
      this.next = this.next >= 65_000 ? 2 : this.next + 1;
      if (!this.pods.has(number)) return number;
    }
    throw new Error("no pod address is free");
  }

  private wrap(spec: ProcessSpec, pid: string): { file: string; args: readonly string[]; cwd: string } {
    const { argv, cwd } = spec;
    const { nsenter, sh } = this.options.tools;
    const enter = [
      "--target",
      pid,
      "--net",
      "--mount",
      "--",
      sh,
      "-c",
      'cd "$1" && shift && unset OLDPWD && exec "$@"',
      "sh",
      cwd,
    ];
    return { file: nsenter, args: [...enter, ...this.become(spec), ...argv], cwd: "/" };
  }

  /**
   * The command that changes the user. In a user namespace every process is the starting user's: whom the pod names it only seems
   * to be, in a user namespace of its own, which takes its power over the network. A proxy keeps that, to mark its connections.
   */
  private become({ user, container }: ProcessSpec): readonly string[] {
    const { tools, userNamespace } = this.options;
    if (userNamespace === undefined) return user === undefined ? [] : [tools.setpriv, ...identity(user), "--"];
    const { uid, gid } = user ?? userNamespace.own;
    if (isProxy(container) || uid === 0) return [];
    return [tools.unshare, "--user", `--map-user=${uid}`, `--map-group=${gid}`, "--"];
  }

  private async write(): Promise<void> {
    for (const { subject, hosts } of this.pods.values()) overwrite(hosts, hostsFile(this.services, subject));
    const rules = serviceRules(this.services);
    if (rules === this.rules) return;
    await runProgram(this.options.tools.iptablesRestore, ["--noflush"], rules);
    this.rules = rules;
  }
}

function identity({ uid, gid, groups }: { uid: number; gid: number; groups: readonly number[] }): readonly string[] {
  const more = groups.length === 0 ? ["--clear-groups"] : ["--groups", groups.join(",")];
  return ["--reuid", String(uid), "--regid", String(gid), ...more];
}

function readyLine(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let errors = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.stdout?.once("data", () => {
      resolve();
    });
    child.once("error", reject);
    child.once("close", () => {
      reject(new Error(`the pod's network could not be made: ${errors.trim()}`));
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => {
      resolve();
    });
  });
  child.kill("SIGKILL");
  await closed;
}
