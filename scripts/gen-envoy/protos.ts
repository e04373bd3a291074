import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import protobuf from "protobufjs";

/** A .proto file: its path inside the folder it came from (what `import` names) and its text. */
export interface ProtoFile {
  readonly path: string;
  readonly text: string;
  /** Ours: shadows a file of the package, or declares a service of our own. */
  readonly own: boolean;
}

const PACKAGES = ["envoy-api", "xds", "googleapis", "protoc-gen-validate"] as const;

/** All .proto files, the package's and ours, by path; our shadows stand beside the originals, they do not replace them. */
export function readProtoFiles(root: string): ProtoFile[] {
  const files: ProtoFile[] = [];
  const walk = (base: string, dir: string, own: boolean): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const full = join(dir, entry.name);
      if (entry.isDirectory()) walk(base, full, own);
      else if (entry.name.endsWith(".proto"))
        files.push({ path: relative(base, full), text: readFileSync(full, "utf8"), own });
    }
  };
  for (const name of PACKAGES) {
    const dir = join(root, "node_modules/@grpc/grpc-js-xds/deps", name);
    if (!existsSync(dir)) throw new Error(`${dir} is missing: run npm install`);
    walk(dir, dir, false);
  }
  walk(join(root, "proto"), join(root, "proto"), true);
  return files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : Number(a.own) - Number(b.own)));
}

const OPTIONS = { keepCase: true };

/** Imports that only declare options (validation, annotations), and the well-known types, which protobufjs brings. */
const OPTIONS_ONLY =
  /^(?:(google\/protobuf|validate|udpa\/annotations|xds\/annotations|envoy\/annotations)\/|google\/api\/annotations\.proto$)/;

/** One root with everything that `names` needs from the package's files, and our own files laid over it. */
export function loadRoot(files: readonly ProtoFile[], names: readonly string[]): protobuf.Root {
  const byPath = new Map(files.filter((file) => !file.own).map((file) => [file.path, file]));
  const root = new protobuf.Root();
  const shadows = new protobuf.Root();
  const seen = new Set<string>();
  const load = (path: string): void => {
    if (seen.has(path) || OPTIONS_ONLY.test(path)) return;
    seen.add(path);
    const file = byPath.get(path);
    if (file === undefined) return;
    const parsed = protobuf.parse(file.text, root, OPTIONS);
    for (const imported of [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])]) load(imported);
  };
  const where = indexMessages(files);
  for (const name of names) {
    const path = where.get(name);
    if (path !== undefined) load(path);
  }
  for (const file of files.filter((candidate) => candidate.own)) {
    const parsed = protobuf.parse(file.text, shadows, OPTIONS);
    for (const imported of parsed.imports ?? []) load(imported);
    load(file.path);
  }
  root.addJSON(wellKnown());
  overlay(root, shadows);
  return root;
}

/** The messages of files that are ours alone (services we declare): they are roots of the closure too. */
export function ownMessages(files: readonly ProtoFile[]): string[] {
  const out: string[] = [];
  for (const file of files) {
    if (!file.own || file.path.startsWith("envoy/")) continue;
    out.push(...messagesOf(file.text));
  }
  return out;
}

function indexMessages(files: readonly ProtoFile[]): Map<string, string> {
  const index = new Map<string, string>();
  for (const file of files) if (!file.own) for (const name of messagesOf(file.text)) index.set(name, file.path);
  return index;
}

function messagesOf(text: string): string[] {
  const pkg = /^package\s+([\w.]+)\s*;/m.exec(text)?.[1] ?? "";
  return [...text.matchAll(/^message\s+(\w+)/gm)].map((match) => `${pkg}.${match[1] ?? ""}`);
}

function wellKnown(): Record<string, protobuf.AnyNestedObject> {
  const google: Record<string, protobuf.AnyNestedObject> = {};
  for (const name of ["any", "duration", "timestamp", "struct", "wrappers", "empty", "field_mask"]) {
    const definition = protobuf.common.get(`google/protobuf/${name}.proto`);
    if (definition === null) throw new Error(`protobufjs does not bring google/protobuf/${name}.proto`);
    Object.assign(google, inner(definition));
  }
  return { google: { nested: { protobuf: { nested: google } } } };
}

function inner(definition: protobuf.INamespace): Record<string, protobuf.AnyNestedObject> {
  const google = definition.nested?.["google"] as protobuf.INamespace | undefined;
  const nested = google?.nested?.["protobuf"] as protobuf.INamespace | undefined;
  return nested?.nested ?? {};
}

/** Lays partial messages over the package's: a field of ours is added, or replaces the one of its name. */
function overlay(target: protobuf.NamespaceBase, source: protobuf.NamespaceBase): void {
  for (const ours of source.nestedArray.slice()) {
    const theirs = target.get(ours.name);
    if (theirs === null) {
      source.remove(ours);
      target.add(ours);
    } else if (ours instanceof protobuf.Enum && theirs instanceof protobuf.Enum) {
      for (const [name, value] of Object.entries(ours.values)) if (!(name in theirs.values)) theirs.add(name, value);
    } else if (theirs instanceof protobuf.Namespace && ours instanceof protobuf.Namespace) {
      if (ours instanceof protobuf.Type && theirs instanceof protobuf.Type) overlayFields(theirs, ours);
      overlay(theirs, ours);
    }
  }
}

function overlayFields(theirs: protobuf.Type, ours: protobuf.Type): void {
  for (const field of ours.fieldsArray.slice()) {
    const old = theirs.fields[field.name];
    if (old !== undefined) theirs.remove(old);
    ours.remove(field);
    theirs.add(field);
  }
}
