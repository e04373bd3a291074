import { parseArgs } from "node:util";
import { errorText, UsageError } from "../base/errors.ts";
import { type FlagValues, GROUPS, GROUPS_EXCLUDE, LOOPBACK } from "./iptables-args.ts";
import type { Env } from "./metadata.ts";

/**
 * Flags of Istio's istio-iptables, and our own: `cleanup`, `verify`, short for the pairs of flags that mean them, and `proxy-mark`
 * for a network namespace in which users cannot be told apart.
 */
const OPTIONS = {
  "envoy-port": { type: "string", short: "p" },
  "inbound-capture-port": { type: "string", short: "z" },
  "inbound-tunnel-port": { type: "string", short: "e" },
  "proxy-uid": { type: "string", short: "u" },
  "proxy-gid": { type: "string", short: "g" },
  "proxy-mark": { type: "string" },
  "istio-inbound-interception-mode": { type: "string", short: "m" },
  "istio-inbound-tproxy-mark": { type: "string", short: "t" },
  "istio-inbound-tproxy-route-table": { type: "string", short: "r" },
  "istio-service-cidr": { type: "string", short: "i" },
  "istio-service-exclude-cidr": { type: "string", short: "x" },
  "istio-inbound-ports": { type: "string", short: "b" },
  "istio-local-exclude-ports": { type: "string", short: "d" },
  "istio-outbound-ports": { type: "string", short: "q" },
  "istio-local-outbound-ports-exclude": { type: "string", short: "o" },
  "kube-virt-interfaces": { type: "string", short: "k" },
  "istio-exclude-interfaces": { type: "string", short: "c" },
  "iptables-probe-port": { type: "string" },
  "probe-timeout": { type: "string" },
  "network-namespace": { type: "string" },
  "force-iptables-binary": { type: "string" },
  log_output_level: { type: "string" },
  "dry-run": { type: "boolean", short: "n" },
  "redirect-dns": { type: "boolean" },
  "capture-all-dns": { type: "boolean" },
  "drop-invalid": { type: "boolean" },
  "dual-stack": { type: "boolean" },
  "cni-mode": { type: "boolean" },
  reconcile: { type: "boolean" },
  "cleanup-only": { type: "boolean" },
  "force-apply": { type: "boolean" },
  "native-nftables": { type: "boolean" },
  "skip-rule-apply": { type: "boolean" },
  "run-validation": { type: "boolean" },
  cleanup: { type: "boolean" },
  verify: { type: "boolean" },
  log_as_json: { type: "boolean" },
} as const;

type Option = { readonly type: "string" | "boolean"; readonly short?: string };
const FLAGS: readonly (readonly [name: string, option: Option])[] = Object.entries(OPTIONS);

/** Variables with names of their own, beside those that are a flag's name in capitals. */
const MORE_ENV: Readonly<Record<string, string>> = {
  "redirect-dns": "ISTIO_META_DNS_CAPTURE",
  "drop-invalid": "INVALID_DROP",
  "dual-stack": "ISTIO_DUAL_STACK",
};
/** Flags without a variable, as in Istio, and our own. */
const NO_ENV: readonly string[] = ["envoy-port", "cleanup", "verify", "log_output_level", "log_as_json"];

/**
 * The command's flags, each with its variable (`ISTIO_SERVICE_CIDR` for `--istio-service-cidr`) standing in when the flag is not
 * given. Booleans come out as "true" and "false". Throws UsageError.
 */
export function readFlags(args: readonly string[], env: Env): FlagValues {
  const values: Record<string, string | undefined> = { ...fromEnv(env) };
  for (const [name, value] of Object.entries(parse(args))) values[name] = String(value);
  if (values["cleanup"] === "true") values["cleanup-only"] = "true";
  if (values["verify"] === "true") {
    values["skip-rule-apply"] = "true";
    values["run-validation"] = "true";
  }
  if (values["native-nftables"] === "true")
    throw new UsageError("--native-nftables: rules are written through iptables; leave the flag out");
  return values;
}

function fromEnv(env: Env): FlagValues {
  const out: Record<string, string | undefined> = {};
  for (const [name, { type }] of FLAGS) {
    if (NO_ENV.includes(name)) continue;
    for (const variable of [name.replaceAll("-", "_").toUpperCase(), MORE_ENV[name] ?? ""]) {
      const value = env[variable];
      if (value === undefined || value === "") continue;
      out[name] = type === "boolean" ? String(truth(variable, value)) : value;
    }
  }
  for (const name of [GROUPS, GROUPS_EXCLUDE, LOOPBACK]) out[name] = env[name];
  return out;
}

function truth(name: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new UsageError(`${name}: expected true or false, got ${value}`);
}

function parse(args: readonly string[]): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args: normalized(args), options: OPTIONS, strict: true, allowNegative: false }).values;
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(errorText(cause), "Run mesh-agent istio-iptables -p 15001 -z 15006 -u 1337 -m REDIRECT.");
  }
}

/**
 * `-x ''` and `-b '*'` are two words; parseArgs would take an empty word after a short flag only when it is joined. And it
 * knows no `--redirect-dns=false`.
 */
function normalized(args: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < args.length; i += 1) {
    const word = args[i] ?? "";
    const [head = "", ...tail] = word.split("=");
    const found = FLAGS.find(([name, { short }]) => head === `--${name}` || head === `-${short}`);
    if (found === undefined) out.push(word);
    else if (found[1].type === "boolean") {
      if (tail.length === 0 || truth(`--${found[0]}`, tail.join("="))) out.push(`--${found[0]}`);
    } else if (tail.length > 0) out.push(`--${found[0]}=${tail.join("=")}`);
    else if (i + 1 >= args.length) out.push(word);
    else {
      i += 1;
      out.push(`--${found[0]}=${args[i]}`);
    }
  }
  return out;
}
