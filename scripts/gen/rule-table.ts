import { celToJs } from "./cel-code.ts";
import { celOf } from "./crds.ts";
import type { CelRule, JsonSchema, OneOf, SchemaSource } from "./schema-source.ts";

/** A rule as the validator calls it: the name of its function, and the words when it does not hold. */
export interface NamedRule {
  readonly name: string;
  readonly message: string;
}

/** The rules in CEL of one validator file, as functions that are written once each. */
export class RuleTable {
  readonly #sources: readonly SchemaSource[];
  readonly #functions = new Map<string, string>();

  constructor(sources: readonly SchemaSource[]) {
    this.#sources = sources;
  }

  /** The keyword with the rules of a schema; nothing when none can be checked on one object alone. */
  keyword(source: SchemaSource, schema: JsonSchema, rules: readonly CelRule[]): Readonly<Record<string, unknown>> {
    const named = this.names(source, schema, rules);
    return named.length === 0 ? {} : { "x-kubernetes-validations": named };
  }

  names(source: SchemaSource, schema: JsonSchema, rules: readonly CelRule[]): readonly NamedRule[] {
    const oneOfs: readonly OneOf[] = schema["x-one-of"] ?? [];
    const known = oneOfs.map((group) => celOf(group).rule);
    return rules.flatMap(({ rule, message }) => {
      const js = known.includes(rule) ? undefined : celToJs(this.#sources, rule, { source, schema });
      if (js === undefined) return [];
      const name = this.#functions.get(js) ?? `rule${this.#functions.size}`;
      this.#functions.set(js, name);
      return [{ name, message: message ?? `has to hold: ${rule}` }];
    });
  }

  /** The functions that a text of code uses. */
  preamble(code: string): string {
    const used = new Set(code.match(/\brule\d+\b/g));
    const lines = [...this.#functions]
      .filter(([, name]) => used.has(name))
      .map(([js, name]) => `const ${name} = (self) => ${js};\n`);
    if (lines.length === 0) return "";
    return `import * as cel from "../../base/cel.ts";\nconst { holds } = cel;\n${lines.join("")}`;
  }
}
