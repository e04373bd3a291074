import { UsageError } from "../base/errors.ts";
import { durationOption, globalOptions, listOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { type Graph, observedGraph, toDot, toMermaid } from "./traffic/graph.ts";
import { edgesOf } from "./traffic/rows.ts";
import { observed } from "./traffic/scrape.ts";

/** `meshctl graph`: who called whom as proxies counted, or with --static who may by configuration, as a picture's text or as data. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const { namespace } = globalOptions(input);
  const isStatic = switchOption(input, "static");
  if (!isStatic && listOption(input, "filename").length > 0)
    throw new UsageError("-f needs --static", "Files tell who may call whom, not who did.");
  const graph = within(isStatic ? await configured(input, io) : await counted(input, io), namespace);
  if (graph.edges.length === 0) io.err(isStatic ? "Nobody may call anybody.\n" : "No proxy has counted anything.\n");
  const output = textOption(input, "output") ?? "mermaid";
  if (output === "json") io.out(`${JSON.stringify(graph, undefined, 2)}\n`);
  else io.out(output === "dot" ? toDot(graph) : toMermaid(graph));
  return { exitCode: 0 };
}

async function counted(input: CommandInput, io: Io): Promise<Graph> {
  const windowMs = durationOption(input, "window", "0");
  return observedGraph(edgesOf(await observed(await io.cluster(), { namespace: undefined, windowMs }, io)));
}

async function configured(input: CommandInput, io: Io): Promise<Graph> {
  const [{ readMesh }, { staticGraph }] = await Promise.all([
    import("./offline/mesh.ts"),
    import("./traffic/static-graph.ts"),
  ]);
  return staticGraph(await readMesh(input, io), io.now());
}

/** What touches a namespace. */
function within(graph: Graph, namespace: string | undefined): Graph {
  if (namespace === undefined) return graph;
  const inside = new Set(graph.nodes.filter((node) => node.namespace === namespace).map(({ id }) => id));
  const edges = graph.edges.filter(({ from, to }) => inside.has(from) || inside.has(to));
  const ends = new Set([...inside, ...edges.flatMap(({ from, to }) => [from, to])]);
  return { ...graph, nodes: graph.nodes.filter(({ id }) => ends.has(id)), edges };
}
