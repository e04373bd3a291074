import { code } from "./code.ts";

/** Conditions that Istio has, under Istio's code and level. Istio's retired codes (0104, 0105, 0113-0115, 0117, 0119-0122, 0124) are never used. */
export const istioCodes = {
  IST0002: code<{ kind: string; field: string; instead: string }>({
    name: "Deprecated",
    level: "Warning",
    summary: "A field is deprecated.",
    message: ({ kind, field }) => `Deprecated field in ${kind}: ${field}`,
    hint: ({ instead }) => instead,
  }),
  IST0101: code<{ what: string; name: string; where: string }>({
    name: "ReferencedResourceNotFound",
    level: "Error",
    summary: "Something that an object names does not exist.",
    message: ({ what, name }) => `Referenced ${what} not found: "${name}"`,
    hint: ({ where }) => where,
  }),
  IST0106: code<{ rule: string; problem: string; hint: string }>({
    name: "SchemaValidationError",
    level: "Error",
    summary: "An object does not hold to the rules of its kind; the control plane would refuse it.",
    message: ({ problem }) => `Schema validation error: ${problem}`,
    hint: ({ hint }) => (hint === "" ? undefined : hint),
  }),
  IST0112: code<{ host: string; count: number }>({
    name: "VirtualServiceDestinationPortSelectorRequired",
    level: "Error",
    summary: "A destination names no port, and its service has several.",
    message: ({ host, count }) =>
      `This VirtualService routes to a service "${host}" that exposes multiple ports (${count}). Specifying a port in the destination is required to disambiguate.`,
    hint: () => "Set destination.port.number.",
  }),
  IST0132: code<{ host: string; gateway: string }>({
    name: "VirtualServiceHostNotFoundInGateway",
    level: "Warning",
    summary: "A VirtualService is bound to a gateway that serves none of its hosts.",
    message: ({ host, gateway }) =>
      `one or more host ${host} defined in VirtualService not found in Gateway ${gateway}`,
    hint: () => "Add the host to a server of the Gateway, or correct it in the VirtualService.",
  }),
  IST0133: code<{ rule: string; problem: string; hint: string }>({
    name: "SchemaWarning",
    level: "Warning",
    summary: "An object is accepted, but part of it has no effect or a surprising one.",
    message: ({ problem }) => `Schema validation warning: ${problem}`,
    hint: ({ hint }) => (hint === "" ? undefined : hint),
  }),
} as const;
