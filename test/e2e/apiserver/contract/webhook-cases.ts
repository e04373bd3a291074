/** One that every server takes. */
const webhook = (more: object = {}): object => ({
  name: "label.example.test",
  clientConfig: { url: "https://127.0.0.1:1/label" },
  rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
  admissionReviewVersions: ["v1"],
  sideEffects: "None",
  ...more,
});
const without = (member: string): object => ({ ...webhook(), [member]: undefined });
const byService = (service: object): object => ({ clientConfig: { service } });
const whole = { name: "istiod", namespace: "istio-system", port: 443, path: "/validate" };
/** What a webhook of a configuration can be, and what a server says of it: field and message, without `webhooks[0].`. */
export const WEBHOOK_CASES: readonly (readonly [what: string, hooks: readonly object[], causes: readonly string[]])[] =
  [
    [
      "no clientConfig",
      [without("clientConfig")],
      ["clientConfig: Required value: exactly one of url or service is required"],
    ],
    [
      "both of url and service",
      [webhook({ clientConfig: { url: "https://a.example", service: whole } })],
      ["clientConfig: Required value: exactly one of url or service is required"],
    ],
    [
      "a service without its parts",
      [webhook(byService({ name: "", namespace: "", port: 70_000, path: "validate" }))],
      [
        "clientConfig.service.name: Required value",
        "clientConfig.service.namespace: Required value",
        "clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive",
        "clientConfig.service.path: Invalid value: \"validate\": must start with a '/'",
      ],
    ],
    ["a whole service", [webhook(byService(whole))], []],
    [
      "a url of another scheme with everything that none has",
      [webhook({ clientConfig: { url: "http://me:it@a.example/x?q=1#f" } })],
      [
        "clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
        'clientConfig.url: Invalid value: "me:it": user information is not permitted in the URL',
        'clientConfig.url: Invalid value: "f": fragments are not permitted in the URL',
        'clientConfig.url: Invalid value: "q=1": query parameters are not permitted in the URL',
      ],
    ],
    [
      "no sideEffects",
      [without("sideEffects")],
      ["sideEffects: Required value: must specify one of None, NoneOnDryRun"],
    ],
    [
      "sideEffects that it may not have",
      [webhook({ sideEffects: "Some" })],
      ['sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
    ],
    [
      "no admissionReviewVersions",
      [without("admissionReviewVersions")],
      ["admissionReviewVersions: Required value: must specify one of v1, v1beta1"],
    ],
    [
      "only versions of reviews that nobody knows, one of them twice",
      [webhook({ admissionReviewVersions: ["v2", "v2"] })],
      [
        'admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
        'admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1',
      ],
    ],
    ["a name twice", [webhook(), webhook()], ['[1].name: Duplicate value: "label.example.test"']],
    [
      "a short name",
      [webhook({ name: "short" })],
      ['name: Invalid value: "short": should be a domain with at least three segments separated by dots'],
    ],
    [
      "a rule of nothing",
      [webhook({ rules: [{ operations: ["LOOK"], scope: "Here" }] })],
      [
        'rules[0].operations[0]: Unsupported value: "LOOK": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
        "rules[0].apiGroups: Required value",
        "rules[0].apiVersions: Required value",
        "rules[0].resources: Required value",
        'rules[0].scope: Unsupported value: "Here": supported values: "*", "Cluster", "Namespaced"',
      ],
    ],
    [
      "policies and a time that there are not",
      [webhook({ failurePolicy: "Maybe", matchPolicy: "Near", timeoutSeconds: 31 })],
      [
        'failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"',
        'matchPolicy: Unsupported value: "Near": supported values: "Equivalent", "Exact"',
        "timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds",
      ],
    ],
  ];
