import { type CheckRecord, category, skipped, verdict } from "../check.ts";

/** Counters of the control plane that stay at 0 while all is well. Each becomes a check. */
const COUNTERS: readonly (Pick<CheckRecord, "name" | "affirmation" | "hint" | "about"> & {
  readonly counter: string;
})[] = [
  {
    name: "push-errors",
    counter: "pilot_total_xds_internal_errors",
    affirmation: "the control plane made no mistake while serving proxies",
    hint: "look at the log of the control plane, and report it",
    about: "Each count is an error of the control plane itself; a proxy waited for configuration that never came.",
  },
  {
    name: "push-rejects",
    counter: "pilot_total_xds_rejects",
    affirmation: "no proxy has refused configuration since the control plane started",
    hint: "look at meshctl proxy-status, and at EnvoyFilters that were changed",
    about: "A refusal may be over by now; the check proxies-accept tells of those that are not.",
  },
  {
    name: "streams-refused",
    counter: "pilot_xds_turned_away_total",
    affirmation: "no proxy was turned away",
    hint: "look at the log of the control plane: it says who and why",
    about: "Proxies without a valid certificate or token are turned away, and so are those that name another's pod.",
  },
  {
    name: "signing-errors",
    counter: "citadel_server_csr_sign_err_count",
    affirmation: "every certificate that was asked for could be signed",
    hint: "look at the log of the control plane",
    about: "A proxy without certificate is not ready, and one that cannot renew drops out of the mesh.",
  },
  {
    name: "signing-requests",
    counter: "citadel_server_csr_parsing_err_count",
    affirmation: "every request for a certificate could be read",
    hint: "look which pod sends it, in the log of the control plane; its key may be too weak",
    about: "Requests with weak keys or a wrong form are refused.",
  },
  {
    name: "signing-callers",
    counter: "citadel_server_authentication_failure_count",
    affirmation: "everybody who asked for a certificate could prove who they are",
    hint: "look at the log of the control plane; check that tokens have audience istio-ca",
    about:
      "An agent proves itself by its pod's token, or by the certificate that it has. Both may be over, or somebody else tries.",
  },
  {
    name: "injection-failures",
    counter: "sidecar_injection_failure_total",
    affirmation: "every pod could be injected",
    hint: "look at events of ReplicaSets: kubectl get events -A --field-selector reason=FailedCreate",
    about: "A pod that cannot be injected is not created.",
  },
];

/** What the control plane counts. Counters start at 0 with each of its pods. */
export const metricChecks = category("measurements", [
  {
    name: "metrics-answered",
    affirmation: "the control plane tells its measurements",
    hint: "look at port 15014 of its pods: kubectl port-forward -n istio-system deployment/istiod 15014",
    about: "Dashboards and alerts read them, and the checks below.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-ready"],
    run: async (facts) => {
      const metrics = await facts.probe("metrics");
      if (metrics === undefined) return skipped(UNTOLD);
      return verdict(metrics.filter(({ totals }) => totals.size === 0).map(({ pod }) => `Pod ${pod} tells nothing`));
    },
  },
  ...COUNTERS.map(
    ({ counter, ...texts }): CheckRecord => ({
      ...texts,
      severity: "warning",
      phase: "after",
      needs: ["metrics-answered"],
      run: async (facts) => {
        const metrics = await facts.probe("metrics");
        if (metrics === undefined) return skipped(UNTOLD);
        return verdict(
          metrics
            .filter(({ totals }) => (totals.get(counter) ?? 0) > 0)
            .map(({ pod, totals }) => `Pod ${pod}: ${totals.get(counter) ?? 0}`),
        );
      },
    }),
  ),
]);

const UNTOLD = "nobody can ask the control plane here";
