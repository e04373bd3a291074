import type { SchemaSource } from "./schema-source.ts";

/**
 * Name of a definition in messages and types: its own in the common file of schemas/, else with the title of its schema in front.
 * The whole schema (definition "") is its title.
 */
export function definitionName(source: SchemaSource, definition: string): string {
  return source.name === "common" ? definition : `${source.title}${definition}`;
}

/** Name of the TypeScript type of a definition; the whole schema is a spec. */
export function typeName(source: SchemaSource, definition: string): string {
  return definition === "" ? `${source.title}Spec` : definitionName(source, definition);
}

/** Name of the file of a schema where folders do not nest, e.g. `gateway-api-http-route`. */
export function flatName(source: SchemaSource): string {
  return source.name.replaceAll("/", "-");
}

/** A property name as it stands in an object type or literal: quoted where it is no identifier. */
export function propertyKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
