import { CAPTURE_TARGETS } from "./capture-targets.ts";
import { DNS_TARGETS } from "./dns-targets.ts";
import { HTTP_TARGETS } from "./http-targets.ts";
import { INSPECTOR_TARGETS } from "./inspector-targets.ts";
import { PROXY_TARGETS } from "./proxy-targets.ts";
import { QUIC_TARGETS } from "./quic-targets.ts";
import type { Target } from "./target.ts";
import { TCP_TARGETS } from "./tcp-targets.ts";
import { TLS_TARGETS } from "./tls-targets.ts";

/** All that is fuzzed. */
export const TARGETS: readonly Target[] = [
  ...TLS_TARGETS,
  ...QUIC_TARGETS,
  ...DNS_TARGETS,
  ...HTTP_TARGETS,
  ...PROXY_TARGETS,
  ...TCP_TARGETS,
  ...INSPECTOR_TARGETS,
  ...CAPTURE_TARGETS,
];
