import { REDACTED } from "../base/redacted.ts";
import type { KubeObject } from "../resources/object.ts";

/** Takes what must not leave a cluster out of what does, and counts it. */
export interface Redactor {
  /** Private keys, bearer tokens and passwords in URLs, wherever they stand. */
  readonly text: (text: string) => string;
  readonly object: (object: KubeObject) => KubeObject;
  readonly counts: () => Readonly<Record<string, number>>;
}

/** Sorts of secrets that are known by their form. */
const FORMS: readonly (readonly [string, RegExp, string])[] = [
  [
    "private keys",
    /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?-----END \1PRIVATE KEY-----/g,
    `-----BEGIN $1PRIVATE KEY-----${REDACTED}-----END $1PRIVATE KEY-----`,
  ],
  ["tokens", /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/g, REDACTED],
  [
    "authorization headers",
    /(\b(?:authorization|proxy-authorization|cookie|set-cookie)["']?\s*[:=]\s*["']?)[^\s"',}][^"'\n,}]*/gi,
    `$1${REDACTED}`,
  ],
  ["passwords in URLs", /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']+:)[^\s/@"']+@/gi, `$1${REDACTED}@`],
];

/** Entries of Secrets that are no secrets: certificates and lists of revoked ones. */
const PUBLIC = /^(?:tls\.crt|ca\.crt|ca-cert\.pem|cert-chain\.pem|root-cert\.pem|cert|cacert|.*\.crl|ca-crl\.pem)$/;

/** Names of environment variables whose values are secrets more often than not. */
const SECRET_NAME = /passw|secret|token|credential|api_?key|private_?key/i;

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** A redactor that counts from zero. */
export function createRedactor(): Redactor {
  const counts = new Map<string, number>();
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  const text = (words: string): string =>
    FORMS.reduce(
      (left, [what, form, instead]) =>
        left.replace(form, (...found: string[]) => {
          count(what);
          return instead.replaceAll("$1", found[1] ?? "");
        }),
      words,
    );
  return { text, object: (object) => withoutSecrets(object, count), counts: () => Object.fromEntries(counts) };
}

function withoutSecrets(object: KubeObject, count: (what: string) => void): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  if (object.kind !== "Secret") return withoutValues({ ...object, metadata }, count) as KubeObject;
  const { [LAST_APPLIED]: applied, ...annotations } = metadata.annotations ?? {};
  if (applied !== undefined) count("values of Secrets");
  return {
    ...object,
    metadata: metadata.annotations === undefined ? metadata : { ...metadata, annotations },
    ...redactedData(object, "data", count),
    ...redactedData(object, "stringData", count),
  };
}

/** Keys stay: what is missing in a Secret is seen by them. */
function redactedData(object: KubeObject, field: "data" | "stringData", count: (what: string) => void): object {
  const data = object[field];
  if (typeof data !== "object" || data === null) return {};
  const entries = Object.entries(data).map(([key, value]) => {
    if (PUBLIC.test(key)) return [key, value as unknown];
    count("values of Secrets");
    return [key, field === "data" ? Buffer.from(REDACTED).toString("base64") : REDACTED];
  });
  return { [field]: Object.fromEntries(entries) as unknown };
}

/** Values of environment variables that are named like secrets, at any depth. */
function withoutValues(value: unknown, count: (what: string) => void): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutValues(each, count));
  if (typeof value !== "object" || value === null) return value;
  const { name, value: held } = value as { name?: unknown; value?: unknown };
  if (typeof name === "string" && typeof held === "string" && held !== "" && SECRET_NAME.test(name) && !isPath(held)) {
    count("values of environment variables");
    return { ...value, value: REDACTED };
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutValues(each, count)]));
}

/** Where a secret lies is none. */
function isPath(text: string): boolean {
  return /^(?:\.?\/|file:|true$|false$|\d+$)/.test(text);
}
