import { afterEach, beforeEach, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { LargeAnswers } from "../../../src/api/streamed.ts";

const PATIENCE_MS = 300;
/** More than the kernel holds for a connection. */
const PIECES = 1000;
const PIECE = "x".repeat(100_000);

function* manyPieces(): Generator<string> {
  for (let piece = 0; piece < PIECES; piece++) yield PIECE;
}

/** Each piece comes only after a reader's time would be up. */
async function* latePieces(): AsyncGenerator<string> {
  for (const piece of ["one ", "", "two"]) {
    await Bun.sleep(PATIENCE_MS + 20);
    yield piece;
  }
}

/** Serves answers of which one may run at a time. */
function serveLarge() {
  const large = new LargeAnswers(1, "answers", PATIENCE_MS);
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    // Nothing but what is tested ends an answer.
    idleTimeout: 0,
    fetch({ url }) {
      try {
        return large.respond(url.endsWith("/late") ? latePieces() : manyPieces(), "text/plain");
      } catch {
        return new Response("all places are taken", { status: 503 });
      }
    },
  });
}

let server: ReturnType<typeof serveLarge>;
beforeEach(() => {
  server = serveLarge();
});
afterEach(() => server.stop(true));

const get = (path: string) => fetch(new URL(path, server.url));

/** Opens a large answer and takes nothing of it once it has begun. */
async function openStalled() {
  const socket = connect(server.port ?? 0, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  await once(socket, "readable");
  return socket;
}

test("a reader that takes nothing loses its place, and cannot take the rest for the whole", async () => {
  const stalled = await openStalled();
  expect((await get("/late")).status).toBe(503);
  let answer = await get("/late");
  while (answer.status === 503) answer = await get("/late");
  expect(await answer.text()).toBe("one two");

  const closed = Promise.withResolvers<void>();
  let end = "";
  stalled.on("data", (bytes: Buffer) => {
    end = bytes.toString("latin1").slice(-5);
  });
  // However it is broken off: by an end before the last chunk, or by a reset.
  stalled.on("error", () => {});
  stalled.on("close", closed.resolve);
  stalled.resume();
  await closed.promise;
  expect(end).not.toBe("0\r\n\r\n");
});

test("a reader that goes on reading gets all of it, however long it takes", async () => {
  expect(await (await get("/late")).text()).toBe("one two");
  let length = 0;
  for await (const bytes of (await get("/")).body ?? []) {
    length += bytes.length;
    if (length < 50 * PIECE.length) await Bun.sleep(1);
  }
  expect(length).toBe(PIECES * PIECE.length);
});
