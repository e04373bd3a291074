import { startRealConsul } from "../support/consul/consul.ts";
import { consulSuite } from "../support/consul/suite.ts";

// A real Consul, built from its Go module: too long a build for every run.
consulSuite(startRealConsul);
