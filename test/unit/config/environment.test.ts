import { describe, expect, test } from "bun:test";
import { readEnvironment } from "../../../src/config/environment.ts";
import { load, problemsOf } from "./setup.ts";

describe("variables that Kubernetes sets for a Service", () => {
  const services = {
    AYAFLOW_PORT: "tcp://10.96.0.7:3000",
    AYAFLOW_PORT_3000_TCP: "tcp://10.96.0.7:3000",
    AYAFLOW_PORT_3000_TCP_ADDR: "10.96.0.7",
    AYAFLOW_PORT_3000_TCP_PORT: "3000",
    AYAFLOW_PORT_3000_TCP_PROTO: "tcp",
    AYAFLOW_SERVICE_HOST: "10.96.0.7",
    AYAFLOW_SERVICE_PORT: "3000",
    AYAFLOW_SERVICE_PORT_HTTP: "3000",
    AYAFLOW_METRICS_PORT: "udp://10.96.0.8:1",
    AYAFLOW_METRICS_SERVICE_HOST: "10.96.0.8",
  };

  test("are ignored with one warning that names them", async () => {
    const { config, warnings } = await load({ env: services });
    expect(config.port).toBe(3000);
    expect(warnings).toEqual([
      `ignored ${Object.keys(services).sort().join(", ")}, which Kubernetes sets for a Service of this name; ` +
        "enableServiceLinks: false in the pod stops that",
    ]);
  });

  test("do not hide a port that was meant", () => {
    expect(readEnvironment({ AYAFLOW_PORT: "8080" }).layer.values).toEqual({ port: "8080" });
  });

  test("are not an excuse for any name", async () => {
    expect(await problemsOf({ env: { AYAFLOW_METRICS_PORT: "3000" } })).toEqual([
      "AYAFLOW_METRICS_PORT: unknown environment variable",
    ]);
  });
});

test("unknown variables are told without their value, which may be a secret", async () => {
  expect(await problemsOf({ env: { AYAFLOW_APITOKEN: "s3cret", AYAFLOW_: "x" } })).toEqual([
    "AYAFLOW_: unknown environment variable",
    "AYAFLOW_APITOKEN: unknown environment variable; did you mean AYAFLOW_API_TOKEN?",
  ]);
});

test("other programs' variables are none of ours", () => {
  const { layer, problems } = readEnvironment({ PORT: "1", MYAYAFLOW_PORT: "2", ayaflow_port: "3" });
  expect(layer.values).toEqual({});
  expect(problems).toEqual([]);
});

test("an empty variable that guards the API is an error, not an open door", async () => {
  const env = { AYAFLOW_ALLOWED_IPS: "", AYAFLOW_API_TOKEN_FILE: "", AYAFLOW_LISTEN: "" };
  const problems = await problemsOf({ env });
  expect(problems.map((problem) => problem.split(" is not")[0])).toEqual([
    'AYAFLOW_ALLOWED_IPS: ""',
    'AYAFLOW_API_TOKEN_FILE: ""',
  ]);
  expect(await problemsOf({ env: { AYAFLOW_API_TOKEN: " \n" } })).toEqual([
    'AYAFLOW_API_TOKEN: the value is empty; put a token there, for example from "openssl rand -hex 32"',
  ]);
});
