import { expect, test } from "bun:test";
import { createMetrics } from "../../../src/api/metrics.ts";
import { AyaflowError } from "../../../src/errors.ts";
import { startTestApi } from "./fixture.ts";

const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

test("listens on IPv6 and says its URL", async () => {
  const api = await startTestApi({ listen: "::1" });
  expect(api.url).toBe(`http://[::1]:${api.port}`);
  expect((await api.get("/api/health")).status).toBe(200);
  await api.stop();
});

test("a second agent on the same port fails, naming address and fix", async () => {
  const api = await startTestApi();
  const error = await failure(startTestApi({ port: api.port }));
  expect(error).toBeInstanceOf(AyaflowError);
  expect(String(error)).toContain(`cannot listen on 127.0.0.1:${api.port}: the port is in use`);
  expect(String(error)).toContain("--port");
  await api.stop();
});

test("an address of another host fails, naming address and fix", async () => {
  const error = await failure(startTestApi({ listen: "203.0.113.7" }));
  expect(error).toBeInstanceOf(AyaflowError);
  expect(String(error)).toContain("cannot listen on 203.0.113.7:0: this host does not have that address");
});

test("what is not a CIDR fails, naming it", async () => {
  for (const cidr of ["10.0.0.0/33", "example.org", "10.0.0.0/8/8", "", "::ffff:10.0.0.0/8", "10.0.0.0/"]) {
    const error = await failure(startTestApi({ allowedIps: [cidr] }));
    expect(String(error)).toContain(`allowed_ips: "${cidr}" is not a CIDR`);
  }
});

test("stopping frees the port, ends a request that hangs, and can be waited for", async () => {
  const metrics = createMetrics();
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
  metrics.registry.metrics = () => {
    isAsked();
    return Promise.withResolvers<string>().promise;
  };
  const api = await startTestApi({}, { metrics });
  const hanging = failure(api.get("/metrics"));
  await asked;
  await api.stop();
  expect(await hanging).toBeInstanceOf(Error);
  const next = await startTestApi({ port: api.port });
  await next.stop();
});

test("warns when everyone may ask", async () => {
  const open = await startTestApi({ listen: "0.0.0.0" });
  expect(open.logged).toMatchObject([{ level: "warn", message: expect.stringContaining("everyone") }]);
  await open.stop();
  for (const config of [{}, { listen: "0.0.0.0", apiToken: "t" }, { listen: "::", allowedIps: ["::1"] }]) {
    const closed = await startTestApi(config);
    expect(closed.logged).toEqual([]);
    await closed.stop();
  }
});
