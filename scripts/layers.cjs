// The import table of the house: folder -> folders of src/ it may import besides itself. ARCHITECTURE.md explains it;
// dependency-cruiser enforces it. An adapter owns its npm packages: nobody else imports them.
const records = ["base", "diagnostics", "resources", "ir", "gen"];
const layers = {
  base: [],
  gen: ["base"],
  wire: ["gen", "base"],
  envoy: ["base"],
  diagnostics: ["base"],
  ir: ["base"],
  pki: ["base"],
  resources: ["diagnostics", "gen", "base"],
  model: ["resources", "ir", "diagnostics", "base"],
  validation: ["model", "resources", "diagnostics", "gen", "base"],
  // compile: Gateway API conditions are computed there, for the status that meshd writes and for findings
  // pki: certificates in Secrets are read as the control plane reads its own; pure, nothing is signed
  // xds, wire: what patches of EnvoyFilters find is asked of the resources that proxies get
  analyzers: ["compile", "xds", "wire", "pki", "model", "validation", "ir", "resources", "diagnostics", "base"],
  inject: ["model", "validation", "resources", "diagnostics", "gen", "base"],
  // model: what labels and annotations mean is asked there once
  checks: ["model", "resources", "diagnostics", "base"],
  // validation: overlays and --set lines are held to the schema of IstioOperator
  // model: which webhooks inject and who asks for which revision is asked there once
  install: ["model", "validation", "resources", "diagnostics", "gen", "base"],
  compile: ["model", "resources", "ir", "diagnostics", "base"],
  xds: ["ir", "gen", "wire", "diagnostics", "base"],
  // archives and registries of container images
  images: ["base"],
  kube: ["resources", "base"],
  // a cluster in a file: what bug-report wrote, as a cluster that answers
  bundle: ["images", "resources", "base"],
  // sources of objects beside the API server: files, foreign catalogs
  registry: ["resources", "diagnostics", "base"],
  grpc: ["wire", "gen", "base"],
  report: ["resources", "diagnostics", "base"],
  commands: [
    ...records,
    "wire",
    "envoy",
    "pki",
    "model",
    "validation",
    "analyzers",
    "inject",
    "checks",
    "install",
    "images",
    "compile",
    "xds",
    "kube",
    "bundle",
    "grpc",
    "report",
    "simulate",
    "why",
    "local",
  ],
  controlplane: [
    ...records,
    "wire",
    "pki",
    "model",
    "validation",
    "analyzers",
    "inject",
    "compile",
    "xds",
    "kube",
    "grpc",
    "registry",
  ],
  // images: modules of extensions come from registries
  agent: ["images", "grpc", "wire", "envoy", "pki", "diagnostics", "gen", "base"],
  // agent: its certificate comes as a workload's does
  ratelimit: ["agent", "kube", "grpc", "wire", "pki", "resources", "gen", "base"],
  local: ["resources", "gen", "pki", "envoy", "diagnostics", "base"],
  "cli-table": ["commands"],
  // everything that has names a user may type
  complete: ["cli-table", "commands", "analyzers", "checks", "install", "resources", "diagnostics", "gen", "base"],
  // the page that the control plane serves: it runs in a browser
  page: [],
  // Envoy's own rules over Envoy's own messages, wherever they come from: generator, dump or bundle
  simulate: ["gen", "wire", "base"],
  // why a request failed: facts in, causes out
  why: ["simulate", "xds", "model", "ir", "resources", "diagnostics", "wire", "base"],
};
// npm package (regular expression on the resolved path) -> folders of src/ that may import it
const owners = {
  "@kubernetes/client-node": ["kube"],
  "@grpc/grpc-js": ["grpc"],
  protobufjs: ["wire", "gen"],
  chalk: ["report"],
  ora: ["report"],
  "cli-table3": ["report"],
  commander: ["cli"],
  preact: ["page"],
  "@dagrejs/dagre": ["page"],
  yaml: ["resources"],
  "js-yaml": ["resources"],
  "@peculiar/x509": ["pki"],
  "alien-signals": ["base"],
  "dns-packet": ["agent"],
  ajv: ["gen", "validation", "resources"],
};
module.exports = { layers, owners };
