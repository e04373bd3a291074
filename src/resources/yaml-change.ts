/** What happens at a path. */
export type YamlChange =
  /** The value is replaced, or a key added at the end of its map; what is missing above it is made. */
  | { readonly type: "set"; readonly value: unknown }
  /** The key or list item goes, with the comment lines right above it. */
  | { readonly type: "delete" }
  /** The path ends in an index: the value comes before that item; the list's length: at the end. */
  | { readonly type: "insert"; readonly value: unknown }
  /** The key at the path gets another name. */
  | { readonly type: "rename"; readonly name: string };
