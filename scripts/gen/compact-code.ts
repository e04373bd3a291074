/**
 * Ajv's code without what nobody reads here: copies of schemas, schema paths, parents of values, functions that are there twice; each
 * error in one call. A third of the size, and a call makes no object. The forms are ajv's own; what is not as expected fails
 * the generator.
 */
export function compact(code: string): string {
  const { text, sets } = withoutSchemas(plainCalls(code));
  const lean = shortErrors(withoutDoubles(text));
  for (const rest of ["schemaPath", "parentData", "rootData", "errors++", "vErrors.length", "schema", "hasOwn"])
    if (lean.includes(rest)) throw new Error(`the code of ajv has another form: ${rest} near ${around(lean, rest)}`);
  return `${HELPERS}${sets}${lean.trim()}`;
}

/** What the shortened code calls: a key as a step of a JSON pointer, and errors added to a list that is made when needed. */
const HELPERS = `const step = (key) => "/" + key.replaceAll("~", "~0").replaceAll("/", "~1");
const bad = (errors, instancePath, keyword, params) => {
  (errors ??= []).push({ instancePath, keyword, params });
  return errors;
};
const sub = (errors, validate, data, path) => {
  if (validate(data, path)) return errors;
  (errors ??= []).push(...validate.errors);
  return errors;
};
const isMap = (data) => data && typeof data == "object" && !Array.isArray(data);
const none = (errors, path, type) => bad(errors, path, "type", { type });
const extra = (errors, path, additionalProperty) => bad(errors, path, "additionalProperties", { additionalProperty });
`;

/** Errors in one expression, paths as plain arguments. */
function plainCalls(code: string): string {
  return code
    .replaceAll(/\/\*# sourceURL=.*?\*\/;/g, "")
    .replaceAll(
      /if\(vErrors === null\)\{vErrors = \[(err\d+)\];\}else \{vErrors\.push\(\1\);\}errors\+\+;/g,
      "(vErrors ??= []).push($1);",
    )
    .replaceAll(
      /const (err\d+) = (\{instancePath.*?\}\});\(vErrors \?\?= \[\]\)\.push\(\1\);/g,
      "(vErrors ??= []).push($2);",
    )
    .replaceAll(/,schemaPath:"[^"]*"/g, "")
    .replaceAll('{instancePath="", parentData, parentDataProperty, rootData=data}={}', 'instancePath=""')
    .replaceAll(
      /, \{instancePath(?::(.*?))?,parentData[^{}]*?,rootData\}\)/g,
      (_all, path: string | undefined) => `, ${path ?? "instancePath"})`,
    )
    .replaceAll(
      /if\(!\((validate\d+)\((.*?)\)\)\)\{vErrors = vErrors === null \? \1\.errors : vErrors\.concat\(\1\.errors\);errors = vErrors\.length;\}/g,
      "vErrors = sub(vErrors, $1, $2);",
    )
    .replaceAll("let errors = 0;", "")
    .replaceAll("return errors === 0;", "return vErrors === null;")
    .replaceAll(/"\/" \+ (key\d+)\.replace\(\/~\/g, "~0"\)\.replace\(\/\\\/\/g, "~1"\)/g, "step($1)")
    .replaceAll("function validate", "\nfunction validate")
    .replaceAll("export const", "\nexport const");
}

/** Without copies of schemas: allowed values stand where they are used, field names are sets. */
function withoutSchemas(code: string): { readonly text: string; readonly sets: string } {
  const schemas = new Map<string, unknown>();
  const bare = code.replaceAll(/const (schema\d+) = (\{.*?\});(?=const|\n)/g, (_all, name: string, text: string) => {
    schemas.set(name, JSON.parse(text));
    return "";
  });
  const sets = new Map<string, string>();
  const text = bare
    .replaceAll(/func\d+\.call\((schema\d+)([^,]*), (key\d+)\)/g, (_all, name: string, path: string, key: string) => {
      const fields = JSON.stringify(Object.keys(valueOf(schemas, name, path) as object));
      if (!sets.has(fields)) sets.set(fields, `fields${sets.size}`);
      return `${sets.get(fields) ?? ""}.has(${key})`;
    })
    .replaceAll(/(schema\d+)((?:\.\w+|\["[^"]+"\])+)/g, (_all, name: string, path: string) =>
      JSON.stringify(valueOf(schemas, name, path)),
    )
    .replaceAll(/const func\d+ = Object\.prototype\.hasOwnProperty;/g, "");
  return { text, sets: [...sets].map(([fields, name]) => `const ${name} = new Set(${fields});\n`).join("") };
}

/** What stands at a path of ajv's copy of a schema, e.g. `.properties.mode.enum`. */
function valueOf(schemas: ReadonlyMap<string, unknown>, name: string, path: string): unknown {
  const steps = [...path.matchAll(/\.(\w+)|\["([^"]+)"\]/g)].map(([, plain, quoted]) => plain ?? quoted ?? "");
  return steps.reduce((at: unknown, step) => (at as Readonly<Record<string, unknown>>)[step], schemas.get(name));
}

/** Without functions that say the same as another one (ajv writes a shared definition once for each schema that refers to it). */
function withoutDoubles(code: string): string {
  const first = new Map<string, string>();
  const others = new Map<string, string>();
  for (const [, name = "", body = ""] of code.matchAll(/\nfunction (validate\d+)(\(.*)/g)) {
    const key = body.replaceAll(name, "itself");
    const known = first.get(key);
    if (known === undefined) first.set(key, name);
    else others.set(name, known);
  }
  if (others.size === 0) return code;
  const left = code.replaceAll(/\nfunction (validate\d+)\(.*/g, (all, name: string) => (others.has(name) ? "" : all));
  return withoutDoubles(left.replaceAll(/validate\d+/g, (name) => others.get(name) ?? name));
}

/** The two most frequent errors by their own helper. */
function shortErrors(code: string): string {
  return code
    .replaceAll(
      /\(vErrors \?\?= \[\]\)\.push\(\{instancePath(?::(.*?))?,keyword:("[^"]*"),params:(\{.*?\})\}\);/g,
      (_all, at: string | undefined, keyword: string, params: string) => {
        const path = at ?? "instancePath";
        const [, type] = /^\{type: ("[^"]*")\}$/.exec(params) ?? [];
        if (keyword === '"type"' && type !== undefined) return `vErrors = none(vErrors, ${path}, ${type});`;
        const [, key] = /^\{additionalProperty: (\w+)\}$/.exec(params) ?? [];
        if (key !== undefined) return `vErrors = extra(vErrors, ${path}, ${key});`;
        return `vErrors = bad(vErrors, ${path}, ${keyword}, ${params});`;
      },
    )
    .replaceAll('if(data && typeof data == "object" && !Array.isArray(data))', "if(isMap(data))");
}

function around(text: string, part: string): string {
  const at = text.indexOf(part);
  return text.slice(Math.max(0, at - 200), at + 200);
}
