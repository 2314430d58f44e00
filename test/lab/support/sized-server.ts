/** HTTP servers: `bun sized-server.ts PORT...`; each answers a GET of `/N` with N bytes. */
export const SIZED_SERVER = import.meta.path;

if (import.meta.main) {
  for (const port of process.argv.slice(2)) {
    Bun.serve({
      port: Number(port),
      hostname: "0.0.0.0",
      fetch: ({ url }) => new Response("x".repeat(Number(new URL(url).pathname.slice(1)))),
    });
  }
}
