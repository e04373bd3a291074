import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MeshError } from "../../src/base/errors.ts";
import {
  decodeAny,
  decodeMessage,
  EMPTY_ANY,
  encodeAny,
  encoded,
  encodedAny,
  encodeMessage,
  type Messages,
  reused,
  reusedMessage,
  type TypedAny,
  typed,
  typeOfUrl,
} from "../../src/wire/codec.ts";
import { frameResource, spliceResponse } from "../../src/wire/splice.ts";
import { plans } from "../../src/wire/plan.ts";
import { messageOf } from "../support/message-arbitrary.ts";

const CLUSTER = "envoy.config.cluster.v3.Cluster";

describe("JSON form to bytes and back", () => {
  // every message we know, filled at random, comes back as it was
  test.each(plans().names())("%s", (name) => {
    const type = name as keyof Messages;
    fc.assert(
      fc.property(messageOf(name), (value) => {
        const bytes = encodeMessage(type, value as never);
        expect(decodeMessage(type, bytes)).toEqual(value);
        expect(encodeMessage(type, decodeMessage(type, bytes))).toEqual(bytes);
      }),
      { numRuns: 10 },
    );
  });

  test("bytes do not depend on the order of keys", () => {
    const a = { name: "x", metadata: { filter_metadata: { b: { y: 1, x: [null] }, a: {} } } } as const;
    const b = { metadata: { filter_metadata: { a: {}, b: { x: [null], y: 1 } } }, name: "x" } as const;
    expect(encodeMessage(CLUSTER, a)).toEqual(encodeMessage(CLUSTER, b));
  });

  test("what is spelled two ways is read as one", () => {
    const cluster = { connect_timeout: "0.25s", load_assignment: {} };
    expect(decodeMessage(CLUSTER, encodeMessage(CLUSTER, cluster)).connect_timeout).toBe("0.250s");
    const secret = "envoy.extensions.transport_sockets.tls.v3.Secret";
    const bytes = Buffer.from("pem");
    const given = { tls_certificate: { private_key: { inline_bytes: bytes } } };
    expect(decodeMessage(secret, encodeMessage(secret, given)).tls_certificate?.private_key?.inline_bytes).toBe("cGVt");
  });

  test("keys from the wire are only keys", () => {
    const metadata = JSON.parse('{"filter_metadata": {"x": {"__proto__": {"polluted": true}}}}') as object;
    const node = decodeMessage(CLUSTER, encodeMessage(CLUSTER, { metadata }));
    expect(JSON.stringify(node.metadata)).toBe(JSON.stringify(metadata));
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("what is wrong is refused with its path", () => {
  test.each<[string, unknown, string]>([
    [
      "an unknown field",
      { circuit_breakers: { thresholds: [{}, { max: 1 }] } },
      `${CLUSTER}.circuit_breakers.thresholds[1].max: unknown field`,
    ],
    ["a camel-case name", { connectTimeout: "1s" }, `${CLUSTER}.connectTimeout: unknown field`],
    ["an unknown enum value", { lb_policy: "FAIR" }, `${CLUSTER}.lb_policy: unknown value "FAIR"`],
    ["two of a oneof", { type: "EDS", cluster_type: { name: "x" } }, `${CLUSTER}.type: excludes cluster_type`],
    ["a wrong scalar", { name: 7 }, `${CLUSTER}.name: expected a string, got 7`],
    [
      "a number out of range",
      { circuit_breakers: { thresholds: [{ max_requests: -1 }] } },
      "max_requests: expected uint32",
    ],
    ["a bad duration", { connect_timeout: 5 }, `${CLUSTER}.connect_timeout: expected a duration`],
    ["a missing type", { typed_extension_protocol_options: { x: { a: 1 } } }, ".x: expected a type URL"],
    [
      "an unknown type",
      { typed_extension_protocol_options: { x: { "@type": "t/no.Such", a: 1 } } },
      "unknown message type no.Such",
    ],
    [
      "a wrong field inside an Any",
      {
        typed_extension_protocol_options: {
          x: typed("envoy.config.route.v3.FilterConfig", { disabld: true } as never),
        },
      },
      ".x.disabld: unknown field",
    ],
    ["null", { name: null }, `${CLUSTER}.name: expected a string, got null`],
    ["a list that is none", { transport_socket_matches: {} }, "transport_socket_matches: expected a list"],
  ])("%s", (_, value, message) => {
    expect(() => encodeMessage(CLUSTER, value as never)).toThrow(message);
    expect(() => encodeMessage(CLUSTER, value as never)).toThrow(MeshError);
  });

  test("random and truncated bytes never do more than throw a MeshError", () => {
    const whole = encodeMessage(CLUSTER, {
      name: "outbound|80||x",
      connect_timeout: "1s",
      metadata: { filter_metadata: { a: { b: [1, "x"] } } },
    });
    const damaged = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(whole.length - 1).map((end) => whole.subarray(0, end)),
    );
    fc.assert(
      fc.property(damaged, (bytes) => {
        try {
          decodeMessage(CLUSTER, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MeshError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("unknown types", () => {
    expect(() => typeOfUrl("type.googleapis.com/no.Such")).toThrow("unknown type");
    expect(() => decodeAny("type.googleapis.com/no.Such", new Uint8Array())).toThrow("unknown type");
  });
});

describe("splicing", () => {
  const response = "envoy.service.discovery.v3.DeltaDiscoveryResponse";

  test("an encoded Any and an encoded message stand for their JSON forms", () => {
    const cluster = typed(CLUSTER, { name: "x" });
    const { typeUrl, bytes } = encodeAny(cluster);
    const resource = { name: "x", version: "1", resource: cluster };
    const whole = encodeMessage(response, { nonce: "n", resources: [resource] });
    const spliced = encodeMessage("envoy.service.discovery.v3.Resource", {
      ...resource,
      resource: encodedAny(typeUrl, bytes),
    });
    expect(
      encodeMessage(response, { nonce: "n", resources: [encoded<"envoy.service.discovery.v3.Resource">(spliced)] }),
    ).toEqual(whole);
    expect(decodeAny(typeUrl, bytes)).toEqual(cluster);
  });

  test("an Any that is reused has the bytes and the looks of the given one", () => {
    const config = typed("envoy.config.core.v3.HeaderValue", { key: "x" });
    const message = (any: TypedAny): Messages["envoy.service.discovery.v3.Resource"] => ({ name: "x", resource: any });
    const type = "envoy.service.discovery.v3.Resource";
    expect(encodeMessage(type, message(reused(config)))).toEqual(encodeMessage(type, message(config)));
    expect(JSON.stringify(reused(config))).toBe(JSON.stringify(config));
    const wrong = reused(typed("envoy.config.core.v3.HeaderValue", { kye: "x" } as never));
    expect(() => encodeMessage(type, message(wrong))).toThrow("HeaderValue.kye: unknown field");
  });

  test("a message that is reused has the bytes and the looks of the given one; a copy can be changed", () => {
    const header = { key: "x", value: "1" };
    const again = reusedMessage("envoy.config.core.v3.HeaderValue", header);
    const option = "envoy.config.core.v3.HeaderValueOption";
    expect(encodeMessage(option, { header: again })).toEqual(encodeMessage(option, { header }));
    expect(JSON.stringify(again)).toBe(JSON.stringify(header));
    const changed = { ...again, value: "2" };
    expect(encodeMessage(option, { header: changed })).toEqual(
      encodeMessage(option, { header: { ...header, value: "2" } }),
    );
  });

  test.each([0, 1, 127, 128, 200])(
    "a response of framed resources is the one made in one go, name of %i bytes",
    (length) => {
      const { typeUrl, bytes } = encodeAny(typed(CLUSTER, { name: "x" }));
      const named = { name: "n".repeat(length), version: "v" };
      const one = frameResource(named, typeUrl, bytes);
      expect(Buffer.from(one.bytes)).toEqual(Buffer.from(bytes));
      const head = { typeUrl, nonce: "7", removed: ["gone"], controlPlane: "us" };
      expect(decodeMessage(response, spliceResponse(head, [one, one]))).toEqual({
        type_url: typeUrl,
        nonce: "7",
        removed_resources: ["gone"],
        control_plane: { identifier: "us" },
        resources: Array.from({ length: 2 }, () => ({
          ...(length === 0 ? {} : { name: named.name }),
          version: "v",
          resource: typed(CLUSTER, { name: "x" }),
        })),
      });
    },
  );

  test("an Any of a type we do not know is handed on with its bytes", () => {
    const unknown = encodedAny("type.googleapis.com/later.Message", Buffer.from([8, 1]));
    const bytes = encodeMessage("envoy.service.discovery.v3.Resource", { name: "x", resource: unknown });
    expect(decodeMessage("envoy.service.discovery.v3.Resource", bytes).resource).toEqual(unknown);
  });

  test("an Any of nothing stays one", () => {
    const bytes = encodeMessage("envoy.config.route.v3.FilterConfig", { config: EMPTY_ANY });
    expect(decodeMessage("envoy.config.route.v3.FilterConfig", bytes)).toEqual({ config: {} });
  });
});
