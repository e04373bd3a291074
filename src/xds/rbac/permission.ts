import { type Messages, typed } from "../../wire/codec.ts";
import { cidrRange } from "./cidr.ts";
import { headerMatch, textMatch } from "./text-match.ts";

type Permission = Messages["envoy.config.rbac.v3.Permission"];
type MetadataMatcher = Messages["envoy.type.matcher.v3.MetadataMatcher"];

/** What is called, for one value of an attribute, as Envoy asks it; undefined when it cannot be asked (see principalOf). */
export function permissionOf(attribute: string, value: string, speaks: "http" | "tcp"): Permission | undefined {
  switch (attribute) {
    case "destination.port":
      return portOf(value);
    case "destination.ip": {
      const range = cidrRange(value);
      return range && { destination_ip: range };
    }
    case "connection.sni":
      return { requested_server_name: textMatch(value) };
  }
  if (attribute.startsWith(EXPERIMENTAL)) return metadataOf(attribute, value);
  return speaks === "tcp" ? undefined : operationOf(attribute, value);
}

const EXPERIMENTAL = "experimental.envoy.filters.";

function operationOf(attribute: string, value: string): Permission | undefined {
  switch (attribute) {
    case "request.host":
      return { header: headerMatch(":authority", value, true) };
    case "request.method":
      return { header: headerMatch(":method", value, false) };
    case "request.path":
      return isTemplate(value) ? { uri_template: template(value) } : { url_path: { path: textMatch(value) } };
    default:
      return undefined;
  }
}

function portOf(value: string): Permission | undefined {
  const port = Number(value);
  return /^\d+$/.test(value) && port <= 65_535 ? { destination_port: port } : undefined;
}

function isTemplate(value: string): boolean {
  return value.includes("{*}") || value.includes("{**}");
}

/** `{*}` one segment, `{**}` any number: Envoy writes them without braces. */
function template(value: string): NonNullable<Permission["uri_template"]> {
  return {
    name: "uri-template",
    typed_config: typed("envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig", {
      path_template: value.replaceAll("{*}", "*").replaceAll("{**}", "**"),
    }),
  };
}

/** `experimental.envoy.filters.a.b[c]`: key c of that filter's metadata; a value in brackets asks for a list with it. */
function metadataOf(attribute: string, value: string): Permission | undefined {
  const bracket = attribute.indexOf("[");
  if (bracket < 0) return undefined;
  const key = attribute.slice(bracket + 1).replace(/\]$/, "");
  const inList = value.startsWith("[") && value.endsWith("]");
  const match = { string_match: textMatch(inList ? value.slice(1, -1) : value) };
  const metadata: MetadataMatcher = {
    filter: attribute.slice("experimental.".length, bracket),
    path: [{ key }],
    value: inList ? { list_match: { one_of: match } } : match,
  };
  return { metadata };
}
