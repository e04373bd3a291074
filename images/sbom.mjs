// Lists of materials of images (CycloneDX 1.6, JSON): what is in them, by package lock, Debian's packages and registry packages. No
// time and no random number is in them, so that equal images have equal lists.
import { createHash } from "node:crypto";

/**
 * The list of one image. `npm` are entries of package-lock.json by their key, `debian` has name, version and architecture of each
 * package, `node` and `envoy` are as the table of images names them.
 */
export function sbomOf({ image, version, npm, debian, node, envoy }) {
  const [nodeName, nodeVersion] = node.split("@");
  const [envoyName, envoyVersion] = (envoy ?? "").split("==");
  const components = [
    component("framework", {
      name: nodeName,
      version: nodeVersion,
      purl: `pkg:npm/${nodeName}@${nodeVersion}`,
      license: "MIT",
    }),
    ...(envoy === undefined
      ? []
      : [
          component("application", {
            name: envoyName,
            version: envoyVersion,
            purl: `pkg:pypi/${envoyName}@${envoyVersion}`,
            license: "Apache-2.0",
          }),
        ]),
    ...npm.map(([key, entry]) => ofNpm(key, entry)),
    ...debian.map(ofDebian),
  ].sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1));
  const subject = {
    type: "container",
    name: `meshctl/${image}`,
    version,
    licenses: [{ license: { id: "Apache-2.0" } }],
  };
  const content = { metadata: { component: { "bom-ref": `${image}@${version}`, ...subject } }, components };
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
}

function component(type, { name, version, purl, license, hashes }) {
  // an expression such as "(MIT OR CC0-1.0)" is no identifier
  const isExpression = /[ ()]/.test(license ?? "");
  return {
    type,
    "bom-ref": purl,
    name,
    version,
    purl,
    ...(hashes === undefined ? {} : { hashes }),
    ...(license === undefined
      ? {}
      : { licenses: [isExpression ? { expression: license } : { license: { id: license } }] }),
  };
}

function ofNpm(key, { version, license, integrity }) {
  const name = key.slice(key.lastIndexOf("node_modules/") + "node_modules/".length);
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const [, base64] = /^sha512-(.+)$/.exec(integrity ?? "") ?? [];
  const hashes = base64 && [{ alg: "SHA-512", content: Buffer.from(base64, "base64").toString("hex") }];
  return component("library", { name, version, purl, license, hashes: hashes || undefined });
}

function ofDebian({ name, version, architecture }) {
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
  return component("library", { name, version, purl });
}

/** A UUID made of content (version 8 of RFC 9562). */
function uuidOf(text) {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex[16], 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
