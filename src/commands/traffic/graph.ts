import type { Edge } from "./rows.ts";

/** Something that calls or is called; -o json prints it so. */
export interface GraphNode {
  /** `shop/web-v1`, or the host of a service whose workload nobody knows. */
  readonly id: string;
  readonly kind: "workload" | "service";
  readonly name: string;
  readonly namespace?: string;
}

/** A call, as it was seen or as it may be; -o json prints it so. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly service: string;
  readonly protocol?: string;
  /** mutual_tls, none or unknown. */
  readonly security?: string;
  readonly requests?: number;
  readonly rps?: number;
  readonly success?: number;
  readonly p99?: number;
  /** By configuration: policies allow only a part of it. */
  readonly limited?: boolean;
}

/** Who calls whom, or may. */
export interface Graph {
  readonly source: "observed" | "configured";
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** A graph of edges that were observed. */
export function observedGraph(edges: readonly Edge[]): Graph {
  const named = edges.map((edge) => ({ edge, from: partyNode(edge.from), to: targetNode(edge) }));
  return {
    source: "observed",
    nodes: nodesOf(named.flatMap(({ from, to }) => [from, to])),
    edges: named.map(({ edge, from, to }) => ({
      from: from.id,
      to: to.id,
      service: edge.service,
      protocol: edge.protocol,
      security: edge.security,
      requests: edge.requests,
      ...(edge.rps === undefined ? {} : { rps: edge.rps }),
      ...(edge.success === undefined ? {} : { success: edge.success }),
      ...(edge.p99 === undefined ? {} : { p99: edge.p99 }),
    })),
  };
}

/** Each node once, by id. */
export function nodesOf(nodes: readonly GraphNode[]): readonly GraphNode[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The node of a workload. */
export function partyNode({ workload, namespace }: Edge["from"]): GraphNode {
  return workload === "unknown"
    ? { id: "unknown", kind: "workload", name: "unknown" }
    : { id: `${namespace}/${workload}`, kind: "workload", name: workload, namespace };
}

/** Where nothing answered, the service that was called is all that is known. */
function targetNode({ to, service }: Edge): GraphNode {
  return to.workload === "unknown" ? { id: service, kind: "service", name: service } : partyNode(to);
}

/** In the language of Graphviz, a box per namespace. */
export function toDot({ nodes, edges }: Graph): string {
  const clusters = [...byNamespace(nodes)].map(([namespace, group]) => {
    const lines = group.map((node) => `    ${quoted(node.id)} [label=${quoted(node.name)}${shape(node)}];`);
    return namespace === ""
      ? lines.map((line) => line.slice(2))
      : [`  subgraph ${quoted(`cluster_${namespace}`)} {`, `    label=${quoted(namespace)};`, ...lines, "  }"];
  });
  const lines = edges.map((edge) => {
    const style = `${edge.security === "none" ? ", color=red" : ""}${edge.limited === true ? ", style=dashed" : ""}`;
    return `  ${quoted(edge.from)} -> ${quoted(edge.to)} [label=${quoted(labelOf(edge))}${style}];`;
  });
  return ["digraph mesh {", "  rankdir=LR;", "  node [shape=box];", ...clusters.flat(), ...lines, "}", ""].join("\n");
}

/** As a flowchart of Mermaid, a box per namespace. */
export function toMermaid({ nodes, edges }: Graph): string {
  const ids = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const groups = [...byNamespace(nodes)].map(([namespace, group]) => {
    const lines = group.map((node) => `    ${ids.get(node.id)}["${mermaidText(node.name)}"]`);
    return namespace === ""
      ? lines.map((line) => line.slice(2))
      : [`  subgraph ${mermaidText(namespace)}`, ...lines, "  end"];
  });
  const lines = edges.map((edge) => {
    const arrow = edge.security === "none" || edge.limited === true ? "-.->" : "-->";
    return `  ${ids.get(edge.from)} ${arrow}|"${mermaidText(labelOf(edge))}"| ${ids.get(edge.to)}`;
  });
  return ["flowchart LR", ...groups.flat(), ...lines, ""].join("\n");
}

function byNamespace(nodes: readonly GraphNode[]): ReadonlyMap<string, readonly GraphNode[]> {
  const groups = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    const group = groups.get(node.namespace ?? "");
    if (group === undefined) groups.set(node.namespace ?? "", [node]);
    else group.push(node);
  }
  return groups;
}

function labelOf({ service, requests, rps, success, limited }: GraphEdge): string {
  const short = service.replace(/\.svc\..*$/, "");
  const rate = rps === undefined ? (requests ? [`${requests} requests`] : []) : [`${rps.toFixed(1)}/s`];
  const failed = success === undefined || success === 1 ? [] : [`${((1 - success) * 100).toFixed(1)}% failed`];
  return [short, ...rate, ...failed, ...(limited === true ? ["in part"] : [])].join(" ");
}

function shape({ kind }: GraphNode): string {
  return kind === "service" ? ", shape=ellipse" : "";
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function mermaidText(text: string): string {
  return text.replaceAll('"', "#quot;");
}
