/** What the connection manager does to a path before anything looks at it, as its own options say. */
export interface PathOptions {
  readonly normalize_path?: boolean;
  readonly merge_slashes?: boolean;
  readonly path_with_escaped_slashes_action?: string;
}

/**
 * A path as filters and routes see it: escaped letters that need no escape are written plainly, dots and backslashes are
 * resolved; by option slashes are unescaped and merged. The query stays as it is. undefined: Envoy refuses it with 400, as it does
 * every path with a fragment, and those with an escaped zero that it is to normalize.
 */
export function normalizePath(path: string, options: PathOptions): string | undefined {
  if (path.includes("#")) return undefined;
  const end = path.indexOf("?");
  const [plain, rest] = end < 0 ? [path, ""] : [path.slice(0, end), path.slice(end)];
  const unescaped = options.path_with_escaped_slashes_action?.startsWith("UNESCAPE") === true;
  const slashed = unescaped ? plain.replaceAll(/%2f/gi, "/").replaceAll(/%5c/gi, "\\") : plain;
  if (options.path_with_escaped_slashes_action === "REJECT_REQUEST" && /%(?:2f|5c)/i.test(plain)) return undefined;
  if (options.normalize_path === true && /%00/.test(slashed)) return undefined;
  const resolved = options.normalize_path === true ? withoutDots(plainLetters(slashed)) : slashed;
  return `${options.merge_slashes === true ? resolved.replaceAll(/\/{2,}/g, "/") : resolved}${rest}`;
}

/** `%61` is `a`. */
function plainLetters(path: string): string {
  return path.replaceAll(/%([0-9a-f]{2})/gi, (escape, hex: string) => {
    const letter = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9\-._~]/.test(letter) ? letter : escape;
  });
}

function withoutDots(path: string): string {
  const segments = path.replaceAll("\\", "/").split("/").slice(1);
  const kept: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment !== "." && segment !== "..") kept.push(segment);
    else {
      if (segment === "..") kept.pop();
      if (isLast) kept.push("");
    }
  }
  return `/${kept.join("/")}`;
}
