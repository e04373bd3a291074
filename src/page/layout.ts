import * as dagre from "@dagrejs/dagre";
import type { Observed } from "./data.ts";

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

/** A graph with places, in pixels from its upper left corner. */
export interface Laid {
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
/** About the width of a letter of the names. */
const LETTER = 7.5;

/** Callers to the left of whom they call. */
export function laidOut({ nodes, edges }: Pick<Observed, "nodes" | "edges">): Laid {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 90, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, name, namespace = "" } of nodes)
    graph.setNode(id, { width: Math.max(name.length, namespace.length) * LETTER + 28, height: NODE_HEIGHT });
  for (const [index, { from, to }] of edges.entries()) graph.setEdge(from, to, {}, String(index));
  layout(graph);
  const size = graph.graph();
  return {
    width: size.width ?? 0,
    height: size.height ?? 0,
    nodes: graph.nodes().map((id) => {
      const { x, y, width } = graph.node(id);
      return { id, x, y, width };
    }),
    edges: graph.edges().map((edge) => ({
      index: Number(edge.name),
      points: graph.edge(edge).points,
    })),
  };
}
