import type { Check } from "../../src/checks/check.ts";
import { allChecks } from "../../src/checks/registry.ts";

const INTRO = `# Checks

Made from \`src/checks/\`, where texts are changed: \`UPDATE_GOLDEN=1 npx vitest run --project unit test/contract/checks.test.ts\` writes it.

\`meshctl precheck\` (also \`meshctl x precheck\`) looks at a cluster before an installation or upgrade, \`meshctl check\` at any time after it.
Both ask at most six questions at a time, each once and with a time limit of its own (\`--request-timeout\`), so a part that does not
answer costs only its own time. \`--list\` prints what there is; \`--category\` and \`--check\` choose; \`--wait --timeout 2m\` asks again until
nothing fails.

| Mark | Means | Exit code |
| --- | --- | --- |
| ✔ | it holds | 0 |
| ‼ | a warning: it does not hold, and the mesh works | 0 |
| ✘ | it does not hold | 1 |
| - | skipped: it does not apply, or cannot be known; the reason stands beside it | 0 |

Exit code 2: the cluster could not be asked at all. Formats of \`-o\`: \`table\`, \`brief\`, \`json\`, \`yaml\` (\`schemas/output/check.schema.json\`), \`junit\`, \`sarif\`.

## Checks of your own

A program on PATH whose name begins with \`meshctl-check-\` is run with every whole run (not with \`--category\`, \`--check\` or \`--no-external\`). Its one argument is
the phase, \`before\` or \`after\`. On stdin it gets one line of JSON:

\`\`\`json
{ "protocol": 1, "phase": "after", "istioNamespace": "istio-system", "kubeconfig": "/home/me/.kube/config", "context": "prod" }
\`\`\`

\`kubeconfig\` and \`context\` are there when the flags were given. Within 30 seconds it writes to stdout, and ends with 0:

\`\`\`json
{ "checks": [{ "name": "vault", "affirmation": "Vault is unsealed", "status": "error", "message": "it is sealed", "hint": "unseal it" }] }
\`\`\`

\`status\` is ok, warning, error or skipped; \`message\`, \`hint\` and \`page\` may be left out. The check is called \`PROGRAM/NAME\` in all formats. A program that fails,
is late or writes something else is itself a failed check.
`;

const PHASES = { before: "`precheck`", after: "`check`" } as const;

/** docs/checks/README.md: an entry per check. */
export function checksPage(): string {
  const titles = [...new Set(allChecks.map(({ category }) => category))];
  const parts = titles.map((title) => {
    const own = allChecks.filter(({ category }) => category === title);
    return `## ${title.charAt(0).toUpperCase()}${title.slice(1)}\n\n${own.map(entry).join("\n")}`;
  });
  return `${INTRO}\n${parts.join("\n")}`;
}

function entry({ name, affirmation, about, hint, severity, phase, needs = [] }: Check): string {
  const by = phase === undefined ? `${PHASES.before} and ${PHASES.after}` : PHASES[phase];
  const after = needs.length === 0 ? "" : ` Needs ${needs.map((need) => `[${need}](#${need})`).join(", ")}.`;
  const what = severity === "error" ? "An error" : "A warning";
  return `### ${name}\n\n**${affirmation}.** ${about}\n\nTo do: ${hint}.\n\n${what}; run by ${by}.${after}\n`;
}
