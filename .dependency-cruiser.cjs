const { layers, owners } = require("./scripts/layers.cjs");

const allowed = Object.entries(layers).map(([folder, targets]) => ({
  from: { path: `^src/${folder}/` },
  to: { path: [`^src/(${[folder, ...targets].join("|")})/`, "^node_modules/", "^[a-z0-9_/:]+$"] },
}));
allowed.push(
  { from: { path: "^src/[a-z-]+\\.ts$" }, to: { path: ["^src/", "^node_modules/", "^[a-z0-9_/:]+$"] } },
  { from: { path: "^bin/" }, to: {} },
  // what is explained comes from the schemas themselves; nobody else reads them at run time
  { from: { path: "^src/gen/" }, to: { path: "^schemas/" } },
);
const forbidden = [
  {
    name: "no-circular",
    severity: "error",
    from: {},
    to: { circular: true },
  },
  {
    name: "commands-are-lazy",
    comment: "the entry chunk stays small: commands load by import()",
    severity: "error",
    from: { path: ["^src/cli[.]ts$", "^src/cli-"] },
    to: { path: "^src/commands/", dependencyTypesNot: ["dynamic-import", "type-only"] },
  },
  ...Object.entries(owners).map(([name, folders]) => ({
    name: `owner-of-${name.replace(/[^a-z-]/g, "-")}`,
    severity: "error",
    from: { path: "^src/", pathNot: `^src/(${folders.join("|")})([/-].*|\\.ts)$` },
    to: { path: `^node_modules/${name}/` },
  })),
];
module.exports = {
  forbidden,
  allowed,
  allowedSeverity: "error",
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
