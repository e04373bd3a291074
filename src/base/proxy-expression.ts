import { parse } from "@marcbachmann/cel-js";
import { RE2JS } from "re2js";

/** An expression of CEL as Envoy takes it. */
export interface ProxyExpression {
  /** In one line, as it may stand within an operator of an access log format. */
  readonly text: string;
  /** It converts or joins texts: Envoy has to be told to allow that, and can only be told in some places. */
  readonly convertsText: boolean;
  /** What it looks at, first words alone: `request`, `response` … */
  readonly roots: readonly string[];
}

/** Why Envoy would refuse the expression, and where in it. */
export interface ExpressionProblem {
  readonly problem: string;
  readonly at: number;
}

interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
}

/** Functions by name, with the counts of arguments they take; a method's receiver is not counted. (test/e2e/envoy) */
const FUNCTIONS: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(
    ["has", "size", "int", "uint", "double", "string", "bytes", "bool", "type", "dyn", "duration", "timestamp"].map(
      (name) => [name, [1]] as const,
    ),
  ),
  matches: [2],
};

const TIME_PARTS = ["FullYear", "Month", "Date", "DayOfMonth", "DayOfWeek", "DayOfYear"];
const CLOCK_PARTS = ["Hours", "Minutes", "Seconds", "Milliseconds"];

const METHODS: Readonly<Record<string, readonly number[]>> = {
  startsWith: [1],
  endsWith: [1],
  contains: [1],
  matches: [1],
  size: [0],
  ...Object.fromEntries([...TIME_PARTS, ...CLOCK_PARTS].map((part) => [`get${part}`, [0, 1]] as const)),
};

/** These are off unless Envoy is told. */
const TEXT_METHODS: Readonly<Record<string, readonly number[]>> = {
  lowerAscii: [0],
  upperAscii: [0],
  replace: [2, 3],
  split: [1, 2],
  join: [0, 1],
  trim: [0],
  reverse: [0],
  charAt: [1],
  indexOf: [1, 2],
  lastIndexOf: [1, 2],
  substring: [1, 2],
  format: [1],
};

/** Envoy has no loops in expressions. */
const LOOPS = new Set(["all", "exists", "exists_one", "map", "filter"]);

/** Reads an expression as Envoy would: what it says, or why Envoy refuses it. */
export function readProxyExpression(source: string): ProxyExpression | ExpressionProblem {
  let ast: Node;
  try {
    ast = (parse(source) as unknown as { readonly ast: Node }).ast;
  } catch (error) {
    const { message, node } = error as Error & { readonly node?: { readonly pos?: number } };
    const [reason = ""] = message.split("\n");
    return { problem: reason, at: node?.pos ?? 0 };
  }
  const found: Found = { problems: [], roots: new Set(), converts: false };
  visit(ast, found);
  const [problem] = found.problems;
  if (problem !== undefined) return problem;
  const text = oneLine(source);
  if (typeof text !== "string") return text;
  return { text, convertsText: found.converts, roots: [...found.roots].toSorted() };
}

/** How the value of a metric's label is had: where metrics are counted Envoy converts and joins no texts. */
export interface LabelExpression {
  /** Without a conversion of the whole: a value is written as text anyway. */
  readonly text: string;
  /** `counting`: where it is counted. `before`: when the request comes. `never`: it converts what comes with the answer. */
  readonly when: "counting" | "before" | "never";
}

/** How the value of a label is had; undefined for an expression that Envoy would refuse. */
export function labelExpression(source: string): LabelExpression | undefined {
  const expression = readProxyExpression(source);
  if ("problem" in expression) return undefined;
  const { text, convertsText, roots } = expression;
  const inner = readProxyExpression(/^string\((.*)\)$/.exec(text)?.[1] ?? "");
  if (!("problem" in inner) && !inner.convertsText) return { text: inner.text, when: "counting" };
  if (!convertsText) return { text, when: "counting" };
  return { text, when: roots.some((root) => root === "response" || root === "upstream") ? "never" : "before" };
}

interface Found {
  readonly problems: ExpressionProblem[];
  readonly roots: Set<string>;
  converts: boolean;
}

function visit(node: Node, found: Found): void {
  const { op, args } = node;
  if (op === "id") found.roots.add(String(args));
  else if (op === "value") checkNumber(node, found);
  else if (op === "call") visitCall(node, found);
  else if (op === "rcall") visitMethod(node, found);
  const parts = nodesIn(args);
  if (op === "+" && parts.some(isText)) found.converts = true;
  for (const part of parts) visit(part, found);
}

function checkNumber({ args, start }: Node, { problems }: Found): void {
  if (typeof args === "bigint" && args > MOST)
    problems.push({ problem: `${args} is more than a number can be`, at: start });
}

function visitCall(node: Node, found: Found): void {
  const [name, given] = node.args as [string, readonly Node[]];
  if (name === "string") found.converts = true;
  check(node, { name, count: given.length, known: FUNCTIONS }, found);
  if (name === "has" && given[0]?.op !== ".")
    found.problems.push({ problem: "has takes a field: has(a.b)", at: node.start });
  if (name === "matches") checkPattern(given[1], found);
}

function visitMethod(node: Node, found: Found): void {
  const [name, , given] = node.args as [string, Node, readonly Node[]];
  if (Object.hasOwn(TEXT_METHODS, name)) found.converts = true;
  check(node, { name, count: given.length, known: { ...METHODS, ...TEXT_METHODS } }, found);
  if (name === "matches") checkPattern(given[0], found);
}

/** The largest whole number of CEL. */
const MOST = 2n ** 63n - 1n;

function checkPattern(pattern: Node | undefined, { problems }: Found): void {
  if (pattern?.op !== "value" || typeof pattern.args !== "string") return;
  try {
    RE2JS.compile(pattern.args);
  } catch {
    problems.push({ problem: `"${pattern.args}" is no regular expression`, at: pattern.start });
  }
}

function check(
  node: Node,
  { name, count, known }: { readonly name: string; readonly count: number; readonly known: typeof METHODS },
  { problems }: Found,
): void {
  const takes = Object.hasOwn(known, name) ? known[name] : undefined;
  const at = node.start;
  if (LOOPS.has(name)) problems.push({ problem: `Envoy has no loops in expressions: ${name}`, at });
  else if (takes === undefined) problems.push({ problem: `Envoy has no function ${name}`, at });
  else if (!takes.includes(count))
    problems.push({ problem: `${name} takes ${takes.join(" or ")} arguments, got ${count}`, at });
}

/** Nodes at any depth of lists, not within other nodes. */
function nodesIn(value: unknown): readonly Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn);
  const isNode = typeof value === "object" && value !== null && "op" in value && "start" in value;
  return isNode ? [value as Node] : [];
}

/** Joining of texts shows by a part that is one; of attributes nobody knows before. */
function isText({ op, args }: Node): boolean {
  if (op === "value") return typeof args === "string";
  if (op === "call") return (args as readonly unknown[])[0] === "string";
  if (op === "rcall") return Object.hasOwn(TEXT_METHODS, String((args as readonly unknown[])[0]));
  return op === "." && TEXT_ATTRIBUTES.has(String((args as readonly unknown[])[1]));
}

const TEXT_ATTRIBUTES = new Set(["host", "method", "path", "url_path", "scheme", "protocol", "query", "useragent"]);

/**
 * Within an operator an expression ends at `)%`, wherever that stands, and takes no line end: outside of texts a space is put
 * between, within a text `%` is written by its number.
 */
function oneLine(source: string): string | ExpressionProblem {
  let text = "";
  let end = 0;
  for (const { 0: literal, index } of source.matchAll(
    /[rRbB]*(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')/g,
  )) {
    text += between(source.slice(end, index)) + literal;
    end = index + literal.length;
    const isPlain = /^["'](?!["']{2})/.test(literal) && !literal.includes("\n");
    if (!isPlain && /[%\n]/.test(literal))
      return { problem: "a text with % or a line end has to be a plain one", at: index };
    if (isPlain) text = text.slice(0, text.length - literal.length) + literal.replaceAll("%", "\\x25");
  }
  return (text + between(source.slice(end))).trim();
}

function between(code: string): string {
  return code
    .replace(/\/\/[^\n]*/g, " ")
    .replaceAll(/\s+/g, " ")
    .replaceAll("%", " % ");
}
