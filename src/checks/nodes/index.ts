import { category, failed, ok, skipped, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { has, names, versionNumbers } from "../names.ts";
import type { Shapes } from "../shapes.ts";

type Node = Shapes["Node"];

/** Architectures that images are built for. */
const ARCHITECTURES: readonly string[] = ["amd64", "arm64"];
/** Oldest kernel on which redirection by iptables was shown to work with nftables and legacy tables alike. */
const KERNEL = { major: 4, minor: 19 };
const KERNEL_TEXT = `${KERNEL.major}.${KERNEL.minor}`;

/** Whether nodes can run proxies. */
export const nodeChecks = category("nodes", [
  {
    name: "nodes",
    affirmation: "a node is ready to run pods",
    hint: "look at kubectl describe nodes",
    about: "Without a ready node the control plane stays Pending.",
    severity: "error",
    run: async (facts) => {
      const nodes = await facts.list("Node");
      const ready = nodes.filter(isReady);
      if (ready.length === 0)
        return failed(nodes.length === 0 ? "there is no node" : `none of ${nodes.length} nodes is ready`);
      return ok(`${ready.length} of ${nodes.length}`);
    },
  },
  {
    name: "node-taints",
    affirmation: "a ready node takes pods without tolerations",
    hint: "remove a NoSchedule taint, or add a node: kubectl taint nodes NAME KEY-",
    about: "The control plane tolerates no taints: when every node has one it stays Pending.",
    severity: "error",
    needs: ["nodes"],
    run: async (facts) => {
      const free = (await facts.list("Node")).filter(
        (node) => isReady(node) && !(node.spec?.taints ?? []).some(({ effect }) => effect !== "PreferNoSchedule"),
      );
      return free.length > 0 ? ok() : failed("every ready node has a taint that keeps pods away");
    },
  },
  {
    name: "node-architecture",
    affirmation: `nodes have an architecture that images are built for (${ARCHITECTURES.join(", ")})`,
    hint: "keep the mesh's pods off these nodes with a nodeSelector on kubernetes.io/arch",
    about: "A pod that lands on a node of another architecture fails with an exec format error, its sidecar included.",
    severity: "warning",
    run: byNode(
      "architecture",
      ({ architecture }) => architecture === undefined || ARCHITECTURES.includes(architecture),
    ),
  },
  {
    name: "node-system",
    affirmation: "nodes run Linux",
    hint: "keep injected workloads off these nodes with a nodeSelector on kubernetes.io/os",
    about: "Traffic is redirected by the Linux kernel; pods on other systems cannot have a sidecar.",
    severity: "warning",
    run: byNode(
      "operatingSystem",
      ({ operatingSystem }) => operatingSystem === undefined || operatingSystem === "linux",
    ),
  },
  {
    name: "node-kernel",
    affirmation: `kernels are ${KERNEL_TEXT} or newer`,
    hint: "upgrade the node's kernel, or try injection there and look at the log of istio-init",
    about:
      "Redirecting traffic needs the owner and REDIRECT modules of iptables. Older kernels were not tried; whether modules are loaded cannot be seen from outside.",
    severity: "warning",
    run: byNode("kernelVersion", ({ kernelVersion = "" }) => {
      const numbers = versionNumbers(kernelVersion);
      if (numbers === undefined) return true;
      const [major, minor] = numbers;
      return major > KERNEL.major || (major === KERNEL.major && minor >= KERNEL.minor);
    }),
  },
  {
    name: "node-runtime",
    affirmation: "container runtimes are recent enough",
    hint: "upgrade containerd to 1.6 or newer",
    about:
      "Older runtimes do not speak the CRI v1 that this Kubernetes needs, and have trouble with pods whose sidecars are init containers.",
    severity: "warning",
    run: byNode("containerRuntimeVersion", ({ containerRuntimeVersion = "" }) => {
      const [name = "", version = ""] = containerRuntimeVersion.split("://");
      const [major, minor] = versionNumbers(version) ?? [9, 0];
      return name !== "containerd" || major > 1 || minor >= 6;
    }),
  },
  {
    name: "node-pressure",
    affirmation: "no node is short of memory, disk or processes",
    hint: "free resources on the node: kubectl describe node NAME",
    about: "A node under pressure takes no new pods and evicts others, the control plane's among them.",
    severity: "warning",
    run: async (facts) =>
      verdict(
        (await facts.list("Node")).flatMap(({ metadata, status }) =>
          ["MemoryPressure", "DiskPressure", "PIDPressure"]
            .filter((type) => has(status?.conditions, type))
            .map((type) => `node ${metadata.name}: ${type}`),
        ),
      ),
  },
  {
    name: "node-network",
    affirmation: "every node has its network",
    hint: "look at the pods of the network plugin: kubectl get pods -n kube-system -o wide",
    about: "Pods on a node without network have no address: proxies there cannot connect and cannot be reached.",
    severity: "error",
    run: async (facts) => {
      const nodes = (await facts.list("Node")).filter(({ status }) => has(status?.conditions, "NetworkUnavailable"));
      return verdict(nodes.length === 0 ? [] : [`no network: ${names(nodes)}`]);
    },
  },
  {
    name: "node-interception",
    affirmation: "all nodes agree on whether traffic can be redirected",
    hint: "label all nodes alike: meshctl.io/interception=none on each, or on none",
    about:
      "With the label on every node, proxies are reached at explicit addresses. Mixed, pods on the labelled nodes would get rules that cannot be written there.",
    severity: "error",
    run: async (facts) => {
      const nodes = await facts.list("Node");
      const without = nodes.filter(({ metadata }) => metadata.labels?.["meshctl.io/interception"] === "none");
      if (without.length === 0 || without.length === nodes.length) return ok();
      return failed(`only ${names(without)} cannot redirect`);
    },
  },
]);

function isReady({ spec, status }: Node): boolean {
  return spec?.unschedulable !== true && has(status?.conditions, "Ready");
}

type Info = NonNullable<NonNullable<Node["status"]>["nodeInfo"]>;

/** A check of what nodes say of themselves; nodes that say nothing are not judged. */
function byNode(field: keyof Info, holds: (info: Info) => boolean) {
  return async (facts: Facts) => {
    const nodes = await facts.list("Node");
    const known = nodes.filter(({ status }) => (status?.nodeInfo?.[field] ?? "") !== "");
    if (known.length === 0) return skipped(nodes.length === 0 ? "there is no node" : "nodes do not tell");
    return verdict(
      known
        .filter(({ status }) => !holds(status?.nodeInfo ?? {}))
        .map(({ metadata, status }) => `node ${metadata.name} has ${status?.nodeInfo?.[field] ?? ""}`),
    );
  };
}
