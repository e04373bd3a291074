import { type Ajv, _, type Code, type KeywordCxt, Name, stringify } from "ajv";
import type { NamedRule } from "./rule-table.ts";
import type { OneOf } from "./schema-source.ts";

/**
 * Keywords that ajv does not have: groups of exclusive fields, lists that are maps or sets at the API server. They write code for
 * the standalone validators; the words that only the API server or readers understand are taken without effect.
 */
export function addKeywords(ajv: Ajv): void {
  ajv.addKeyword({
    keyword: "x-one-of",
    type: "object",
    schemaType: "array",
    error: { message: "", params: ({ params }) => _`{fields: ${params["fields"]}, required: ${params["required"]}}` },
    code: oneOf,
  });
  ajv.addKeyword({
    keyword: "x-kubernetes-list-map-keys",
    type: "array",
    schemaType: "array",
    error: { message: "", params: ({ params }) => _`{keys: ${params["keys"]}, index: ${params["index"]}}` },
    code: (cxt) => {
      unique(cxt, cxt.schema as readonly string[]);
    },
  });
  ajv.addKeyword({
    keyword: "x-kubernetes-list-type",
    type: "array",
    schemaType: "string",
    error: { message: "", params: ({ params }) => _`{keys: [], index: ${params["index"]}}` },
    code: (cxt) => {
      if (cxt.schema === "set") unique(cxt, []);
    },
  });
  ajv.addKeyword({
    keyword: "x-kubernetes-validations",
    schemaType: "array",
    error: { message: "", params: ({ params }) => _`{message: ${params["message"]}}` },
    code: rules,
  });
}

function rules(cxt: KeywordCxt): void {
  for (const { name, message } of cxt.schema as readonly NamedRule[]) {
    cxt.setParams({ message: stringify(message) });
    cxt.gen.if(_`!holds(${new Name(name)}, ${cxt.data})`, () => {
      cxt.error();
    });
  }
}

function oneOf(cxt: KeywordCxt): void {
  for (const { fields, required } of cxt.schema as readonly OneOf[]) {
    const set = fields.map((field): Code => _`(${cxt.data}[${field}] !== undefined)`);
    const count = set.reduce((sum, one) => _`${sum} + ${one}`);
    cxt.setParams({ fields: stringify(fields), required: _`${required === true}` });
    cxt.gen.if(required === true ? _`${count} !== 1` : _`${count} > 1`, () => {
      cxt.error();
    });
  }
}

/** No two items with the same values of the keys; without keys no two equal items. Items that lack a key are left alone. */
function unique(cxt: KeywordCxt, keys: readonly string[]): void {
  const { gen, data } = cxt;
  const seen = gen.const("seen", _`new Set()`);
  gen.forRange("index", 0, _`${data}.length`, (index) => {
    const item = gen.const("item", _`${data}[${index}]`);
    const values = keys.map((key): Code => _`${item}?.[${key}]`);
    const joined = values.reduce((list, value) => _`${list}, ${value}`, _`0`);
    const whole = values.reduce((list, value) => _`${list} && ${value} !== undefined`, _`true`);
    const key = gen.const("key", keys.length === 0 ? item : _`JSON.stringify([${joined}])`);
    gen.if(_`${whole} && ${seen}.has(${key})`, () => {
      cxt.setParams({ keys: stringify(keys), index });
      cxt.error();
    });
    gen.code(_`${seen}.add(${key})`);
  });
}
