import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Field {
  readonly number: number;
  readonly name: string;
  readonly type: string;
}
type Messages = Map<string, Field[]>;
type Schemas = Readonly<Record<string, { readonly properties?: Readonly<Record<string, unknown>> }>>;

/** The Go modules whose .proto files describe the built-in kinds, at the version of the API server in use. */
const modules = ["k8s.io/api", "k8s.io/apimachinery"];
const field = /^\s*(optional|repeated|map<string, ?([.\w]+)>)?\s*([.\w]+)?\s+(\w+)\s*=\s*(\d+);/;

async function moduleDir(module: string, assets: string): Promise<string> {
  const release = /k8s\/1\.(\d+\.\d+)-/.exec(assets)?.[1] ?? "36.3";
  const { stdout } = await run("go", ["mod", "download", "-json", `${module}@v0.${release}`]);
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

function fullName(type: string, pkg: string): string {
  const bare = type.replace(/^\./, "");
  return bare.includes(".") ? bare : `${pkg}.${bare}`;
}

const scalars: Readonly<Record<string, string>> = {
  string: "s",
  bool: "b",
  int32: "i",
  int64: "i",
  uint32: "i",
  uint64: "i",
  bytes: "y",
  double: "d",
};

function parseProto(text: string, messages: Messages): void {
  const pkg = /^package ([\w.]+);/m.exec(text)?.[1] ?? "";
  for (const [, name = "", body = ""] of text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const fields = body.split("\n").flatMap((line) => {
      const match = field.exec(line);
      if (match === null) return [];
      const [, label = "", mapped, plain = "", fieldName = "", number = ""] = match;
      const base = mapped ?? plain;
      const type = scalars[base] ?? fullName(base, pkg);
      const mark = mapped !== undefined ? "%" : label === "repeated" ? "*" : "";
      return [{ number: Number(number), name: fieldName, type: `${mark}${type}` }];
    });
    messages.set(`${pkg}.${name}`, fields);
  }
}

/** The published schema name of a message: io.k8s.api.core.v1.Pod of k8s.io.api.core.v1.Pod. */
function schemaName(message: string): string {
  return message.replace(/^k8s\.io\./, "io.k8s.");
}

/** Go embeds some messages in others; in JSON their fields stand in the outer object. `^` marks these. */
function withInlines(message: string, fields: readonly Field[], schemas: Schemas): Field[] {
  const properties = schemas[schemaName(message)]?.properties;
  return fields.map((entry) => {
    const inline = properties !== undefined && properties[entry.name] === undefined && entry.type.startsWith("k8s.io.");
    return inline ? { ...entry, type: `^${entry.type}` } : entry;
  });
}

/** Field numbers of the messages that kubectl sends for the served kinds: the text of src/gen/kube-protos.ts. */
export async function kubeProtosSource(assets: string, schemas: Schemas): Promise<string> {
  const messages: Messages = new Map();
  for (const module of modules) {
    const dir = await moduleDir(module, assets);
    for (const path of await readdir(dir, { recursive: true })) {
      if (!path.endsWith("generated.proto") || dirname(path).includes("testdata")) continue;
      parseProto(await readFile(join(dir, path), "utf8"), messages);
    }
  }
  const roots = Object.keys(schemas).map((name) => name.replace(/^io\.k8s\./, "k8s.io."));
  const wanted = new Set([
    "k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    ...roots.filter((name) => messages.has(name)),
  ]);
  const table: Record<string, unknown> = {};
  for (const name of wanted) {
    const fields = withInlines(name, messages.get(name) ?? [], schemas);
    for (const { type } of fields) {
      const ref = type.replace(/^[*%^]/, "");
      if (ref.startsWith("k8s.io.")) wanted.add(ref);
    }
    table[name] = Object.fromEntries(fields.map((entry) => [entry.number, [entry.name, entry.type]]));
  }
  const sorted = Object.fromEntries(
    Object.keys(table)
      .sort()
      .map((name) => [name, table[name]]),
  );
  return [
    "// Generated from the API's .proto files by test/e2e/apiserver/contract/types.test.ts (vitest -u). Not edited by hand.",
    "",
    "/**",
    " * Messages of the built-in kinds: field number to name and type. Types: s string, b bool, i integer, y bytes, d double, or a",
    " * message; marked * repeated, % map from string, ^ embedded (its fields stand in the outer object). One JSON text.",
    " */",
    "export const kubeProtosJson =",
    `  '${JSON.stringify(sorted)}';`,
    "",
  ].join("\n");
}
