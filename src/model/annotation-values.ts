import { isIP } from "node:net";
import { durationMs } from "../base/duration.ts";
import { parseYaml } from "../resources/yaml-plain.ts";

/** Which values of an annotation or label have a meaning, and how that is said: `expected …`. */
export interface ValueRule {
  readonly check: (value: string) => boolean;
  readonly expected: string;
}

type Check = ValueRule["check"];

const QUANTITY = /^\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e\d+)?$/;
const TRUE = ["true", "True", "TRUE", "t", "T", "1"];
const FALSE = ["false", "False", "FALSE", "f", "F", "0"];

/** What Go reads as true, as Istio does. */
export function isTrue(value: string): boolean {
  return TRUE.includes(value);
}

const matches =
  (expression: RegExp): Check =>
  (value) =>
    expression.test(value);
const list =
  (item: Check): Check =>
  (value) =>
    value.trim() === "" || value.split(",").every((part) => item(part.trim()));
const listOrAll =
  (item: Check): Check =>
  (value) =>
    value === "*" || list(item)(value);
const number = matches(/^\d+$/);
const port: Check = (value) => number(value) && Number(value) <= 65_535;
/** As the kernel has them: up to 15 characters, no slash, no space. */
const networkInterface = matches(/^[^\s/,]{1,15}$/);
const name = matches(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

/** Ports of the proxy: no application can listen on them, and scraping them would go in circles, or say nothing of it. */
export const RESERVED_PORTS: ReadonlySet<number> = new Set([
  15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090,
]);

/** The rules of values that several annotations share. */
export const VALUES = {
  boolean: { check: (value) => TRUE.includes(value) || FALSE.includes(value), expected: "true or false" },
  quantity: (example: string): ValueRule => ({ check: matches(QUANTITY), expected: `a quantity such as ${example}` }),
  seconds: { check: number, expected: "a number of seconds" },
  number: { check: number, expected: "a number" },
  duration: { check: isDuration, expected: "a duration such as 5s" },
  statusPort: { check: port, expected: "a port, or 0 for no probes" },
  port: { check: (value) => port(value) && Number(value) > 0, expected: "a port" },
  ports: { check: list(port), expected: "a list of ports" },
  portsOrAll: { check: listOrAll(port), expected: "*, or a list of ports" },
  cidrs: { check: list(isCidr), expected: "a list of CIDRs" },
  cidrsOrAll: { check: listOrAll(isCidr), expected: "*, or a list of CIDRs" },
  interfaces: { check: list(networkInterface), expected: "a list of interfaces" },
  image: { check: matches(/^[^\s]+$/), expected: "an image" },
  imageType: {
    check: matches(/^[\w.-]+$/),
    expected: "default, debug, distroless or another suffix of the image's tag",
  },
  configMap: { check: name, expected: "the name of a ConfigMap" },
  address: { check: matches(/^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/), expected: "an address as host:port" },
  templates: {
    check: (value) => value.split(",").every((part) => part.trim() !== ""),
    expected: "a list of templates",
  },
  proxyConfig: { check: isYamlMap, expected: "a ProxyConfig as YAML" },
  volumes: { check: isMapOf((value) => isMap(value)), expected: "a JSON object of volumes by name" },
  mounts: {
    check: isMapOf((value) => isMap(value) && typeof value["mountPath"] === "string"),
    expected: "a JSON object of mounts with a mountPath by volume",
  },
  texts: { check: isMapOf((value) => typeof value === "string"), expected: "a JSON object of texts" },
  buckets: {
    check: isMapOf((value) => Array.isArray(value) && value.every((bucket) => typeof bucket === "number")),
    expected: "a JSON object of lists of numbers by prefix",
  },
  envoyLevel: {
    check: matches(/^(trace|debug|info|warning|warn|error|critical|off)$/),
    expected: "trace, debug, info, warning, error, critical or off",
  },
  componentLevels: {
    check: list(matches(/^[\w.-]+:(trace|debug|info|warning|warn|error|critical|off)$/)),
    expected: "a list such as http:debug,misc:error",
  },
  agentLevels: {
    check: list(matches(/^([\w.-]+:)?(debug|info|warn|error|fatal|none)$/)),
    expected: "a list such as default:info,ads:debug",
  },
  scrapeTargets: { check: list(isScrapeTarget), expected: "a list of port:/path, without ports of the proxy" },
  oneOf: (...allowed: readonly string[]): ValueRule => ({
    check: (value) => allowed.includes(value),
    expected: `${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)}`,
  }),
} as const satisfies Readonly<Record<string, ValueRule | ((...of: string[]) => ValueRule)>>;

function isCidr(value: string): boolean {
  const [address, bits, more] = value.split("/");
  const family = isIP(address ?? "");
  if (more !== undefined || family === 0 || bits === undefined) return false;
  return number(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function isDuration(value: string): boolean {
  return durationMs(value) !== undefined;
}

/** `port`, `port:` or `port:/path`. */
function isScrapeTarget(value: string): boolean {
  const [text = "", path = ""] = value.split(/:(.*)/s);
  return port(text) && Number(text) > 0 && !RESERVED_PORTS.has(Number(text)) && (path === "" || path.startsWith("/"));
}

function isYamlMap(value: string): boolean {
  try {
    const parsed: unknown = parseYaml(value);
    return parsed === null || parsed === undefined || isMap(parsed);
  } catch {
    return false;
  }
}

function isMapOf(member: (value: unknown) => boolean): Check {
  return (text) => {
    try {
      const value: unknown = JSON.parse(text);
      return isMap(value) && Object.values(value).every(member);
    } catch {
      return false;
    }
  };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
