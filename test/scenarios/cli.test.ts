import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../../src/gen/version.ts";

const bin = join(import.meta.dirname, "../../bin/meshctl.js");

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built program, as a shell starts it; `act` may speak to the child while it runs. */
function meshctl(args: readonly string[], act: (child: ReturnType<typeof spawn>) => void = () => {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env["PATH"], HOME: "/nonexistent" };
    const child = spawn(process.execPath, [bin, ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => void out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => void err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
    act(child);
  });
}

test("version and help from the built program", async () => {
  expect(await meshctl(["version"])).toEqual({ code: 0, stdout: `client version: ${VERSION}\n`, stderr: "" });
  const help = await meshctl(["--help"]);
  expect(help.code).toBe(0);
  expect(help.stdout).toMatch(/Commands:\n(?: {2}\S.*\n)* {2}analyze /);
});

test("a pipe gets all of a long output; a reader that stops early is no error", async () => {
  const whole = await meshctl(["manifest", "generate", "--profile", "demo"]);
  expect(whole.code).toBe(0);
  expect(whole.stdout.length).toBeGreaterThan(100_000);
  expect(whole.stdout.endsWith("\n")).toBe(true);
  const cut = await meshctl(["manifest", "generate"], (child) => {
    child.stdout?.once("data", () => child.stdout?.destroy());
  });
  expect(cut).toMatchObject({ code: 0, stderr: "" });
});

test("Ctrl-C while it reads stdin: says so, exit code 2", async () => {
  const run = await meshctl(["inject", "-f", "-"], (child) => {
    // more than a pipe holds: once it is written the program has begun to read, and waits for the end
    child.stdin?.write("#\n".repeat(500_000), () => child.kill("SIGINT"));
  });
  expect(run).toEqual({ code: 2, stdout: "", stderr: "meshctl: interrupted\n" });
});

test("no cluster: what is wrong, what to do, exit code 2", async () => {
  const run = await meshctl(["install", "-y"]);
  expect(run.code).toBe(2);
  expect(run.stdout).toBe("");
  expect(run.stderr).toMatch(/^Error: no kubeconfig.*\n.*meshctl up/);
});

test("the version is told also when the cluster that was named cannot be asked", async () => {
  const run = await meshctl(["version", "--kubeconfig", "/nonexistent/config"]);
  expect(run).toEqual({
    code: 0,
    stdout: `client version: ${VERSION}\n`,
    stderr: "The cluster was not asked: kubeconfig /nonexistent/config does not exist\n",
  });
});
