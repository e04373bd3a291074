import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseYaml } from "../../src/resources/yaml-plain.ts";

/** The snippets of docs/guides/ci.md and the hooks file, run by the built program in a git repository with a pull request. */
const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/guides/ci.md"), "utf8");
const snippet = (name: string): string =>
  new RegExp(`\`\`\`\\w+ ${name}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? `no snippet ${name}`;

let work = "";
let bin = "";

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "meshctl-ci-"));
  bin = join(work, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "meshctl"), `#!/bin/sh\nexec "${process.execPath}" "${join(root, "bin/meshctl.js")}" "$@"\n`);
  chmodSync(join(bin, "meshctl"), 0o755);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function shell(script: string, cwd: string, env: Readonly<Record<string, string>> = {}): Run {
  const { status, stdout, stderr } = spawnSync("bash", ["-ec", script], {
    cwd,
    encoding: "utf8",
    env: { PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: work, GIT_CONFIG_NOSYSTEM: "1", ...env },
  });
  return { code: status, stdout, stderr };
}

function done(run: Run): Run {
  expect(run.code, run.stdout + run.stderr).toBe(0);
  return run;
}

const SERVICE = `apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: shop }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 80 }] }
`;
const route = (name: string, host: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: shop }
spec:
  hosts: [${name}.example.com]
  http:
    - route:
        - destination:
            host: ${host}
`;

/** A clone in which a pull request to main adds a mistake beside one that was there. */
function pullRequest(name: string): string {
  const origin = join(work, `${name}-origin`);
  const clone = join(work, name);
  mkdirSync(join(origin, "mesh"), { recursive: true });
  writeFileSync(join(origin, "mesh/reviews.yaml"), `${SERVICE}---\n${route("old", "review")}`);
  done(shell("git init -q -b main . && git config user.name t && git config user.email t@t", origin));
  done(shell("git add -A && git commit -qm first", origin));
  done(shell(`git clone -q "${origin}" "${clone}" && cd "${clone}" && git checkout -q -b change`, work));
  done(shell("git config user.name t && git config user.email t@t", clone));
  writeFileSync(join(clone, "mesh/more.yaml"), route("fresh", "reviewz"));
  done(shell("git add -A && git commit -qm change", clone));
  return clone;
}

test("GitHub Actions: the step fails for the new mistake, annotates it alone, and leaves its reports", () => {
  const cwd = pullRequest("github");
  const workflow = parseYaml(snippet("github")) as { jobs: { analyze: { steps: readonly { run?: string }[] } } };
  const [analyze = "", summary = ""] = workflow.jobs.analyze.steps.flatMap(({ run }) => run ?? []);
  const env = { GITHUB_BASE_REF: "main", GITHUB_STEP_SUMMARY: join(work, "summary.md") };
  const run = shell(analyze, cwd, env);
  expect(run.code, run.stderr).toBe(1);
  expect(run.stdout).toMatch(/^::error file=mesh\/more\.yaml,line=9,/m);
  expect(run.stdout).not.toContain("reviews.yaml");
  done(shell(summary, cwd, env));
  expect(readFileSync(env.GITHUB_STEP_SUMMARY, "utf8")).toContain("reviewz");
  const sarif = JSON.parse(readFileSync(join(cwd, "mesh.sarif"), "utf8")) as {
    runs: readonly { results: readonly { baselineState?: string }[] }[];
  };
  expect(sarif.runs[0]?.results.map(({ baselineState }) => baselineState).toSorted()).toEqual(["new", "unchanged"]);
  done(shell("git checkout -q main", cwd));
  done(shell(analyze, cwd, env));
});

test("GitLab: the job fails for the new mistake and leaves both reports", () => {
  const cwd = pullRequest("gitlab");
  const { mesh } = parseYaml(snippet("gitlab")) as {
    mesh: { script: readonly string[]; artifacts: { reports: { codequality: string; junit: string } } };
  };
  const run = shell(mesh.script.join("\n"), cwd, { CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main" });
  expect(run.code, run.stderr).toBe(1);
  const quality = JSON.parse(readFileSync(join(cwd, mesh.artifacts.reports.codequality), "utf8")) as readonly {
    check_name: string;
    location: { path: string };
  }[];
  expect(quality.filter(({ check_name: name }) => name === "IST0101").map(({ location }) => location.path)).toEqual([
    "mesh/more.yaml",
  ]);
  expect(readFileSync(join(cwd, mesh.artifacts.reports.junit), "utf8")).toContain("<testsuite");
});

test("the git hook of the page, with the project file of the page, refuses a commit with a new mistake", () => {
  const cwd = pullRequest("hook");
  const hook = join(cwd, ".git/hooks/pre-commit");
  mkdirSync(join(cwd, ".git/hooks"), { recursive: true });
  writeFileSync(hook, snippet("hook"));
  chmodSync(hook, 0o755);
  // without the page's suppression of this very code
  writeFileSync(join(cwd, ".meshctl.yaml"), snippet("project").replace("code: IST0101", "code: IST0132"));
  writeFileSync(join(cwd, "mesh/third.yaml"), route("third", "reviewzz"));
  const refused = shell("git add -A && git commit -qm third", cwd);
  expect(refused.code).toBe(1);
  expect(refused.stdout + refused.stderr).toContain("reviewzz");
  writeFileSync(join(cwd, ".meshctl.yaml"), snippet("project"));
  done(shell("git add -A && git commit -qm third", cwd));
});

test("each hook of .pre-commit-hooks.yaml, run as pre-commit runs it", () => {
  const cwd = pullRequest("pre-commit");
  writeFileSync(join(cwd, ".meshctl.yaml"), "paths: [mesh]\n");
  writeFileSync(join(cwd, "mesh/third.yaml"), route("third", "reviewzz"));
  const hooks = parseYaml(readFileSync(join(root, ".pre-commit-hooks.yaml"), "utf8")) as readonly {
    id: string;
    entry: string;
    language: string;
    pass_filenames?: boolean;
  }[];
  const codes = Object.fromEntries(
    hooks.map(({ id, entry, pass_filenames: names = true, language }) => {
      expect(language).toBe("system");
      return [id, shell(`${entry} ${names ? "mesh/more.yaml mesh/third.yaml" : ""}`, cwd).code];
    }),
  );
  expect(codes).toEqual({ "meshctl-validate": 0, "meshctl-analyze": 1, "meshctl-fix": 0 });
});

test("the suppressed example of the page is clean", () => {
  const cwd = join(work, "suppressed");
  mkdirSync(cwd);
  writeFileSync(join(cwd, "a.yaml"), `${SERVICE}---\n${snippet("suppressed")}`);
  const run = done(shell("meshctl analyze --offline -o json .", cwd));
  expect(JSON.parse(run.stdout)).toEqual([]);
  expect(run.stderr).toContain("Suppressed: 1 finding");
  expect(existsSync(join(cwd, "mesh.sarif"))).toBe(false);
});
