import type { JsonObject, Obj } from "./json.ts";
import { asArray, asObject, asObjects, asString, isObject } from "./json.ts";
import type { Cause } from "./status.ts";
import { invalidValue, isDnsSubdomain, NOT_A_SUBDOMAIN, requiredValue } from "./validate.ts";

const REVIEWS = ["v1", "v1beta1"];
const SIDE_EFFECTS = ["None", "NoneOnDryRun"];
const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

/** What is wrong with the webhooks of a MutatingWebhookConfiguration or a ValidatingWebhookConfiguration, worded as the API server words it. */
export function webhookCauses(object: Obj): Cause[] {
  const names = new Set<string>();
  return asObjects(object["webhooks"]).flatMap((hook, index) => {
    const path = `webhooks[${index}]`;
    const name = asString(hook["name"]);
    const isSecond = name !== "" && names.has(name);
    names.add(name);
    return [
      ...nameCauses(name, `${path}.name`),
      ...asObjects(hook["rules"]).flatMap((rule, at) => ruleCauses(rule, `${path}.rules[${at}]`)),
      ...chosen(hook["failurePolicy"], ["Fail", "Ignore"], `${path}.failurePolicy`),
      ...chosen(hook["matchPolicy"], ["Equivalent", "Exact"], `${path}.matchPolicy`),
      ...sideEffectCauses(hook["sideEffects"], `${path}.sideEffects`),
      ...timeoutCauses(hook["timeoutSeconds"], `${path}.timeoutSeconds`),
      ...clientCauses(asObject(hook["clientConfig"]), `${path}.clientConfig`),
      ...reviewCauses(asArray(hook["admissionReviewVersions"]).map(asString), `${path}.admissionReviewVersions`),
      ...(isSecond
        ? [
            {
              reason: "FieldValueDuplicate",
              field: `${path}.name`,
              message: `Duplicate value: ${JSON.stringify(name)}`,
            },
          ]
        : []),
    ];
  });
}

function nameCauses(name: string, field: string): Cause[] {
  if (name === "") return [requiredValue(field)];
  if (!isDnsSubdomain(name)) return [invalidValue(field, name, NOT_A_SUBDOMAIN)];
  const isShort = name.split(".").length < 3;
  return isShort
    ? [invalidValue(field, name, "should be a domain with at least three segments separated by dots")]
    : [];
}

function ruleCauses(rule: JsonObject, path: string): Cause[] {
  const listed = (member: string): readonly string[] => asArray(rule[member]).map(asString);
  const operations = listed("operations");
  return [
    ...crowded(operations, `${path}.operations`, "operations"),
    ...operations.flatMap((operation, at) => chosen(operation, OPERATIONS, `${path}.operations[${at}]`)),
    ...crowded(listed("apiGroups"), `${path}.apiGroups`, "API groups"),
    ...crowded(listed("apiVersions"), `${path}.apiVersions`, "API versions"),
    ...(listed("resources").length === 0 ? [requiredValue(`${path}.resources`)] : []),
    ...chosen(rule["scope"], ["*", "Cluster", "Namespaced"], `${path}.scope`),
  ];
}

/** A list that must not be empty, and in which `*` stands alone. */
function crowded(values: readonly string[], field: string, what: string): Cause[] {
  if (values.length === 0) return [requiredValue(field)];
  if (values.length === 1 || !values.includes("*")) return [];
  return [invalidValue(field, values, `if '*' is present, must not specify other ${what}`)];
}

function chosen(value: unknown, choices: readonly string[], field: string): Cause[] {
  if (value === undefined || choices.includes(asString(value))) return [];
  const supported = choices.map((choice) => `"${choice}"`).join(", ");
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`;
  return [{ reason: "FieldValueNotSupported", field, message }];
}

function sideEffectCauses(value: unknown, field: string): Cause[] {
  if (value === undefined) return [requiredValue(field, `must specify one of ${SIDE_EFFECTS.join(", ")}`)];
  return chosen(value, SIDE_EFFECTS, field);
}

function timeoutCauses(seconds: unknown, field: string): Cause[] {
  if (typeof seconds !== "number" || (seconds >= 1 && seconds <= 30)) return [];
  return [invalidValue(field, seconds, "the timeout value must be between 1 and 30 seconds")];
}

function clientCauses({ url, service }: JsonObject, path: string): Cause[] {
  if ((url === undefined) === (service === undefined))
    return [requiredValue(path, "exactly one of url or service is required")];
  return isObject(service) ? serviceCauses(service, `${path}.service`) : urlCauses(asString(url), `${path}.url`);
}

function serviceCauses({ name, namespace, port, path }: JsonObject, field: string): Cause[] {
  const isPort = typeof port !== "number" || (port > 0 && port < 65_536);
  const isPath = path === undefined || asString(path) === "" || asString(path).startsWith("/");
  return [
    ...(asString(name) === "" ? [requiredValue(`${field}.name`)] : []),
    ...(asString(namespace) === "" ? [requiredValue(`${field}.namespace`)] : []),
    ...(isPort
      ? []
      : [invalidValue(`${field}.port`, port, "port is not valid: must be between 1 and 65535, inclusive")]),
    ...(isPath ? [] : [invalidValue(`${field}.path`, path, "must start with a '/'")]),
  ];
}

const FORM = "; desired format: https://host[/path]";

function urlCauses(text: string, field: string): Cause[] {
  const [, scheme = "", host = ""] = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?/i.exec(text) ?? [];
  const [address = "", user] = host.split("@").toReversed();
  const [, query] = /\?([^#]*)/.exec(text) ?? [];
  const [, fragment] = /#(.*)/.exec(text) ?? [];
  return [
    ...(scheme === "https" ? [] : [invalidValue(field, scheme, `'https' is the only allowed URL scheme${FORM}`)]),
    ...(address === "" ? [invalidValue(field, address, `host must be specified${FORM}`)] : []),
    ...unwanted(user, "user information is not permitted in the URL", field),
    ...unwanted(fragment, "fragments are not permitted in the URL", field),
    ...unwanted(query, "query parameters are not permitted in the URL", field),
  ];
}

/** A part of an address that it must not have. */
function unwanted(part: string | undefined, why: string, field: string): Cause[] {
  return part === undefined || part === "" ? [] : [invalidValue(field, part, why)];
}

function reviewCauses(versions: readonly string[], field: string): Cause[] {
  if (versions.length === 0) return [requiredValue(field, `must specify one of ${REVIEWS.join(", ")}`)];
  const twice = versions.flatMap((version, at) =>
    versions.indexOf(version) < at ? [invalidValue(`${field}[${at}]`, version, "duplicate version")] : [],
  );
  if (versions.some((version) => REVIEWS.includes(version))) return twice;
  return [...twice, invalidValue(field, versions, `must include at least one of ${REVIEWS.join(", ")}`)];
}
