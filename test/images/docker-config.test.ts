import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findCredentials } from "../../src/images/docker-config.ts";

let dir = "";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshctl-docker-"));
  const helper = `#!/bin/sh
read registry
case $registry in
  helped.example) echo '{"Username": "ann", "Secret": "s3cret"}';;
  token.example) echo '{"Username": "<token>", "Secret": "identity"}';;
  broken.example) echo 'the keychain is locked'; exit 1;;
  *) echo 'credentials not found in native keychain'; exit 1;;
esac
`;
  await writeFile(join(dir, "docker-credential-test"), helper);
  await chmod(join(dir, "docker-credential-test"), 0o755);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function find(registry: string, config: unknown): Promise<unknown> {
  await writeFile(join(dir, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return findCredentials(registry, { DOCKER_CONFIG: dir, PATH: `${dir}:/usr/bin:/bin` });
}

test("user and password, by the names under which docker stores a registry", async () => {
  const auth = base64("ann:pass:word");
  const expected = { type: "basic", username: "ann", password: "pass:word" };
  expect(await find("r.example:5000", { auths: { "r.example:5000": { auth } } })).toEqual(expected);
  expect(await find("r.example", { auths: { "https://r.example/v2/": { auth } } })).toEqual(expected);
  expect(await find("docker.io", { auths: { "https://index.docker.io/v1/": { auth } } })).toEqual(expected);
  expect(await find("other.example", { auths: { "r.example": { auth } } })).toBeUndefined();
  expect(await find("r.example", { auths: { "r.example": {} } })).toBeUndefined();
});

test("an identity token is no password", async () => {
  const entry = { auth: base64("ann:"), identitytoken: "long" };
  expect(await find("r.example", { auths: { "r.example": entry } })).toEqual({ type: "token", token: "long" });
});

test("helpers: of one registry, and the store of all; one that has nothing is passed over", async () => {
  const ann = { type: "basic", username: "ann", password: "s3cret" };
  expect(await find("helped.example", { credHelpers: { "helped.example": "test" } })).toEqual(ann);
  expect(await find("helped.example", { credsStore: "test" })).toEqual(ann);
  expect(await find("token.example", { credsStore: "test" })).toEqual({ type: "token", token: "identity" });
  expect(await find("none.example", { credsStore: "test" })).toBeUndefined();
  await expect(find("broken.example", { credsStore: "test" })).rejects.toThrow("the keychain is locked");
  await expect(find("helped.example", { credsStore: "absent" })).rejects.toThrow("docker-credential-absent");
});

test("no file is nobody; a file that cannot be read is an error", async () => {
  expect(await findCredentials("r.example", { HOME: join(dir, "nowhere") })).toBeUndefined();
  await expect(find("r.example", "{")).rejects.toThrow("expected a JSON object");
  await expect(find("r.example", { auths: { "r.example": { auth: "?" } } })).rejects.toThrow("user:password in base64");
});
