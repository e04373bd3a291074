import { finding } from "../diagnostics/codes.ts";
import type { FieldPath, Finding, SourcePosition } from "../diagnostics/finding.ts";
import type { KubeObject } from "./object.ts";
import { refOf } from "./object.ts";
import { countLines, type DocumentText, documentsOf } from "./yaml-documents.ts";
import { createPositions } from "./yaml-positions.ts";
import { readCommon, UNCOMMON } from "./yaml-common.ts";
import { syntaxHint } from "./yaml-hints.ts";
import { readValues, YamlSyntaxError } from "./yaml-values.ts";

/** A text to read objects from; `file` is what messages call it (a path, or `stdin`). */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  /** Lines of the file before the text, when the text is a part of it. Default 0. */
  readonly line?: number;
}

/** An object, and where fields of it stand. */
export interface SourcedObject {
  readonly object: KubeObject;
  /** The place of a field, or of its nearest existing parent. Reads the document again, precisely, when first called. */
  readonly position: (path: FieldPath, of?: "key" | "value") => SourcePosition;
  /** Which part of its file it stands in (parts end at `---` lines, the first is 0), and its path in there: for edits. */
  readonly place: () => DocumentPlace;
}

/** Where in a file an object stands; `path` is empty unless it is a member of a List. */
export interface DocumentPlace {
  readonly document: number;
  readonly path: FieldPath;
}

export interface Manifests {
  readonly objects: readonly SourcedObject[];
  /** What could not be read: MSH0001 to MSH0003. */
  readonly findings: readonly Finding[];
}

/**
 * Objects of YAML and JSON texts, in order: several documents per text, Lists taken apart, an error in one document does not
 * hide the others. Values are read fast; positions only for what is asked.
 */
export function readManifests(sources: readonly SourceText[]): Manifests {
  const objects: SourcedObject[] = [];
  const findings: Finding[] = [];
  for (const { file, text, line = 0 } of sources)
    for (const document of documentsOf(text))
      readChunk(
        { file, text: document.text, line: document.line + line, index: document.index },
        { objects, findings },
      );
  return { objects, findings };
}

/** A document of a file. `line` is the number of lines of the file before it. */
interface Chunk extends Pick<DocumentText, "text" | "line" | "index"> {
  readonly file: string;
}

/** What was read so far. */
interface Read {
  readonly objects: SourcedObject[];
  readonly findings: Finding[];
}

/** The values of a document: the common reader's, or what the library makes of it. */
function readChunk(chunk: Chunk, into: Read): void {
  const common = readCommon(chunk.text);
  if (common !== UNCOMMON) return addObjects(common, chunk, into);
  try {
    const values = readValues(chunk.text);
    addObjects(values[0], chunk, into);
    if (values.length > 1)
      into.findings.push(finding("MSH0003", { object: undefined, position: endPlace(chunk) }, { got: UNREAD }));
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    into.findings.push(unreadable(chunk, error));
  }
}

/** kubectl splits at `---` lines and reads the first document of each part. */
const UNREAD = "a second document behind a line with ..., which kubectl does not read";

function endPlace({ file, line, text }: Chunk): SourcePosition {
  const end = text.search(/^\.\.\./m);
  return { file, line: line + countLines(text.slice(0, Math.max(0, end))) + 1, column: 1 };
}

function addObjects(value: unknown, chunk: Chunk, { objects, findings }: Read): void {
  const positions = lazyPositions(chunk);
  const add = (item: unknown, path: FieldPath): void => {
    const problem = incomplete(item);
    const position: SourcedObject["position"] =
      path.length === 0 ? positions : (field, of) => positions([...path, ...field], of);
    const place = (): DocumentPlace => ({ document: chunk.index, path });
    if (problem === undefined) objects.push({ object: item as KubeObject, position, place });
    else findings.push({ ...problem, position: position([]) });
  };
  if (isList(value)) for (const { item, path } of itemsOf(value)) add(item, path);
  else if (value !== null && value !== undefined) add(withName(value), WHOLE);
}

/** The path of an object that is a document of its own. */
const WHOLE: FieldPath = [];

function unreadable(chunk: Chunk, error: YamlSyntaxError): Finding {
  return finding(
    "MSH0001",
    { object: undefined, position: { file: chunk.file, line: chunk.line + error.line, column: error.column } },
    { reason: error.message, hint: syntaxHint(error) },
  );
}

/** Places in a chunk, which is read precisely when a place is first asked for. */
function lazyPositions(chunk: Chunk): SourcedObject["position"] {
  let positions: ReturnType<typeof createPositions> | undefined;
  return (path, of) => {
    positions ??= createPositions(chunk.text);
    const { line, column } = positions(path, of);
    return { file: chunk.file, line: chunk.line + line, column };
  };
}

/** The object itself, or the items of a List (any kind that ends in List and has items). */
function itemsOf(value: unknown): readonly { readonly item: unknown; readonly path: FieldPath }[] {
  if (value === null || value === undefined) return [];
  if (isList(value))
    return value.items.flatMap((member, index) =>
      itemsOf(member).map(({ item, path }) => ({ item, path: ["items", index, ...path] })),
    );
  return [{ item: withName(value), path: WHOLE }];
}

function isList(value: unknown): value is { readonly items: readonly unknown[] } {
  if (!isRecord(value) || typeof value["kind"] !== "string") return false;
  return value["kind"].endsWith("List") && Array.isArray(value["items"]);
}

/** Nobody applies an IstioOperator: as istioctl takes it, it needs no name. It gets an empty one. */
function withName(item: unknown): unknown {
  if (!isRecord(item) || item["kind"] !== "IstioOperator") return item;
  return { ...item, metadata: { name: "", ...(isRecord(item["metadata"]) ? item["metadata"] : {}) } };
}

function incomplete(item: unknown): Finding | undefined {
  if (!isRecord(item))
    return finding("MSH0003", { object: undefined }, { got: Array.isArray(item) ? "a list" : `a ${typeof item}` });
  const has = (field: string): boolean => typeof item[field] === "string" && item[field] !== "";
  if (!has("apiVersion") && !has("kind"))
    return finding("MSH0003", { object: undefined }, { got: "a document without apiVersion and kind" });
  const metadata = isRecord(item["metadata"]) ? item["metadata"] : {};
  const named = typeof metadata["name"] === "string" || typeof metadata["generateName"] === "string";
  const missing = !has("apiVersion") ? "apiVersion" : !has("kind") ? "kind" : named ? undefined : "metadata.name";
  if (missing === undefined) return undefined;
  const object = has("kind")
    ? { kind: String(item["kind"]), namespace: textOf(metadata["namespace"]), name: textOf(metadata["name"]) }
    : undefined;
  return finding("MSH0002", { object }, { missing });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Objects with a namespace where their kind has one, and a finding for each that is defined again later. */
export function completeManifests(
  objects: readonly SourcedObject[],
  namespace: string,
  isClusterScoped: (object: KubeObject) => boolean,
): Manifests {
  const places = new Map<string, Map<string, SourcedObject[]>>();
  const replaced = new Set<SourcedObject>();
  const findings: Finding[] = [];
  const complete = objects.map((sourced) => {
    const object = isClusterScoped(sourced.object) ? sourced.object : withNamespace(sourced.object, namespace);
    const completed = object === sourced.object ? sourced : { ...sourced, object };
    const same = sameName(places, object);
    const index = same.findIndex((each) => isSameKind(each.object, object));
    const earlier = same[index];
    if (earlier === undefined) {
      same.push(completed);
      return completed;
    }
    // the later one stands where it stands, not where the earlier one stood
    same[index] = completed;
    replaced.add(earlier);
    if (object.metadata.name !== undefined && object.metadata.name !== "") {
      const again = sourced.position([]);
      const place = { object: refOf(object), position: earlier.position([]) };
      findings.push(finding("MSH0004", place, { file: again.file, line: again.line }));
    }
    return completed;
  });
  return { objects: replaced.size === 0 ? complete : complete.filter((each) => !replaced.has(each)), findings };
}

/** Objects with this one's namespace and name so far: few, since most names have one kind each. */
function sameName(places: Map<string, Map<string, SourcedObject[]>>, { metadata }: KubeObject): SourcedObject[] {
  const { namespace = "", name } = metadata;
  let names = places.get(namespace);
  if (names === undefined) places.set(namespace, (names = new Map<string, SourcedObject[]>()));
  let same = names.get(name);
  if (same === undefined) names.set(name, (same = []));
  return same;
}

function isSameKind(a: KubeObject, b: KubeObject): boolean {
  return a.kind === b.kind && groupOf(a) === groupOf(b);
}

function groupOf({ apiVersion }: KubeObject): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

function withNamespace(object: KubeObject, namespace: string): KubeObject {
  if (object.metadata.namespace !== undefined && object.metadata.namespace !== "") return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}
