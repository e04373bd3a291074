import { expect, test } from "vitest";
import { lookUp } from "../../src/agent/hosts.ts";

const HOSTS = `# written by the node
127.0.0.1 localhost
127.9.1.1   istiod.istio-system.svc istiod # the control plane
not-an-address istiod.istio-system
::1 ip6-localhost
`;

test.each([
  ["istiod.istio-system.svc", "127.9.1.1"],
  ["istiod", "127.9.1.1"],
  ["ip6-localhost", "::1"],
  ["istiod.istio-system", undefined],
  ["the", undefined],
])("%s is at %s", (name, address) => {
  expect(lookUp(HOSTS, name)).toBe(address);
});
