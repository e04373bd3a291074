import { builtinColumns } from "./columns.ts";
import { ageText, type BuiltinColumns } from "./print.ts";
import type { JsonObject, Obj } from "./json.ts";
import { valuesAt } from "./jsonpath.ts";
import type { Column, ResourceInfo } from "./registry.ts";
import { partialObject } from "./watch-http.ts";

function customCell(object: Obj, column: Column): unknown {
  // of several the first: a path that may find more prints no list
  const [value] = valuesAt(object, column.jsonPath);
  if (value === undefined || value === null) return null;
  if (column.type === "date") return ageText(value);
  if (column.type === "string" && typeof value !== "string") return JSON.stringify(value);
  return value;
}

function customColumns(columns: readonly Column[]): BuiltinColumns {
  return columns.map((column) => ({ ...column, cell: (object: Obj) => customCell(object, column) }));
}

const nameOnly: BuiltinColumns = [
  { name: "Created At", type: "date", priority: 0, cell: (object) => object.metadata.creationTimestamp },
];

function columnsOf(info: ResourceInfo): BuiltinColumns {
  const columns =
    info.custom === undefined ? (builtinColumns(info.collection) ?? nameOnly) : customColumns(info.custom.columns);
  // events name themselves last
  if (columns.some(({ format }) => format === "name")) return columns;
  return [
    { name: "Name", type: "string", format: "name", priority: 0, cell: (object) => object.metadata.name },
    ...columns,
  ];
}

/** The form `kubectl get` prints: cells per object, with metadata, the whole object or nothing beside them. */
export function tableOf(
  info: ResourceInfo,
  objects: readonly Obj[],
  options: { readonly metadata: JsonObject; readonly include: string | undefined; readonly withColumns: boolean },
): JsonObject {
  const columns = columnsOf(info);
  const include = options.include ?? "Metadata";
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: options.metadata,
    columnDefinitions: options.withColumns
      ? columns.map(({ name, type, priority, ...rest }) => ({
          name,
          type,
          format: "format" in rest ? rest.format : "",
          description: "",
          priority,
        }))
      : null,
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object) ?? (info.custom === undefined ? "" : null)),
      object: include === "None" ? undefined : include === "Object" ? object : partialObject(object),
    })),
  };
}

/** A bookmark in a watch of tables: no rows, its object only. */
export function tableBookmark(object: Obj): JsonObject {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion: object.metadata.resourceVersion },
    columnDefinitions: null,
    rows: [{ cells: [], object: partialObject(object) }],
  };
}
