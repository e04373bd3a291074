import * as dagre from "@dagrejs/dagre";
import type { Observed, ObservedEdge } from "./data.ts";

/** What is used of dagre; its own types lead to files that it does not ship. */
interface Drawing {
  setGraph(settings: Readonly<Record<string, string | number>>): void;
  setDefaultEdgeLabel(make: () => object): void;
  setNode(id: string, size: { readonly width: number; readonly height: number }): void;
  setEdge(from: string, to: string, label: object, name: string): void;
  graph(): { readonly width?: number; readonly height?: number };
  nodes(): readonly string[];
  node(id: string): Point & { readonly width: number };
  edges(): readonly { readonly v: string; readonly w: string; readonly name?: string }[];
  edge(edge: { readonly v: string; readonly w: string }): { readonly points: readonly Point[] };
}

const { graphlib, layout } = dagre as unknown as {
  readonly graphlib: { readonly Graph: new (options: { readonly multigraph: boolean }) => Drawing };
  readonly layout: (graph: Drawing) => void;
};

/** A graph with places in pixels; `left` and `top` are its upper left corner. */
export interface Laid {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly { readonly id: string; readonly x: number; readonly y: number; readonly width: number }[];
  readonly edges: readonly { readonly index: number; readonly points: readonly Point[] }[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Height of a node's box. */
export const NODE_HEIGHT = 44;
/** Around the picture. */
const MARGIN = 12;
/** About the width of a letter of the names. */
const LETTER = 7.5;

/** As many boxes can be told apart in one picture. */
export const MOST_NODES = 40;

/** What is drawn: workloads, or in a mesh of more of them than can be told apart its namespaces; `only` leaves one namespace and whom its workloads speak to. */
export interface Drawn {
  readonly nodes: Observed["nodes"];
  readonly edges: readonly DrawnEdge[];
  /** Its boxes are namespaces, by their ids. */
  readonly isOverview: boolean;
}

/** A line of the picture: one call, or all between two namespaces. */
export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  readonly calls: readonly ObservedEdge[];
}

/** Chooses what to draw. */
export function drawn({ nodes, edges }: Pick<Observed, "nodes" | "edges">, only: string): Drawn {
  const namespaces = new Map(nodes.map(({ id, namespace }) => [id, namespace ?? id]));
  const placeOf = (id: string): string => namespaces.get(id) ?? id;
  const isOverview = only === "" && nodes.length > MOST_NODES;
  if (!isOverview) {
    const shown = only === "" ? edges : edges.filter(({ from, to }) => [placeOf(from), placeOf(to)].includes(only));
    const named = new Set(shown.flatMap(({ from, to }) => [from, to]));
    return {
      isOverview,
      nodes: nodes.filter(({ id }) => only === "" || named.has(id) || placeOf(id) === only),
      edges: shown.map((edge) => ({ from: edge.from, to: edge.to, calls: [edge] })),
    };
  }
  const between = new Map<string, DrawnEdge>();
  for (const edge of edges) {
    const [from, to] = [placeOf(edge.from), placeOf(edge.to)];
    if (from === to) continue;
    const key = `${from} ${to}`;
    between.set(key, { from, to, calls: [...(between.get(key)?.calls ?? []), edge] });
  }
  const sizes = new Map<string, number>();
  for (const place of namespaces.values()) sizes.set(place, (sizes.get(place) ?? 0) + 1);
  return {
    isOverview,
    nodes: [...sizes].map(([id, size]) => ({
      id,
      name: id,
      namespace: size === 1 ? "1 workload" : `${size} workloads`,
    })),
    edges: [...between.values()],
  };
}

/** Callers to the left of whom they call. */
export function laidOut({ nodes, edges }: Pick<Drawn, "nodes" | "edges">): Laid {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 90, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, name, namespace = "" } of nodes)
    graph.setNode(id, { width: Math.max(name.length, namespace.length) * LETTER + 28, height: NODE_HEIGHT });
  for (const [index, { from, to }] of edges.entries()) graph.setEdge(from, to, {}, String(index));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const edgePoints = graph.edges().map((edge) => ({ index: Number(edge.name), points: graph.edge(edge).points }));
  // lines may go round outside of what dagre takes for its size
  const points = edgePoints.flatMap((edge) => edge.points);
  const left = lowest(points.map(({ x }) => x));
  const top = lowest(points.map(({ y }) => y));
  return {
    left,
    top,
    width: Math.max(width, ...points.map(({ x }) => x + MARGIN)) - left,
    height: Math.max(height, ...points.map(({ y }) => y + MARGIN)) - top,
    nodes: graph.nodes().map((id) => {
      const { x, y, width: wide } = graph.node(id);
      return { id, x, y, width: wide };
    }),
    edges: edgePoints,
  };
}

function lowest(values: readonly number[]): number {
  return Math.min(0, ...values.map((value) => value - MARGIN));
}
