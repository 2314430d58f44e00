/** Those who use the API all the time: requests, and streams that come and go. */
import type { RunningAgent } from "../../lab/support/agent.ts";

/** Streams open at a time. */
const STREAMS = 5;
const PAUSE_MS = 500;
/** Milliseconds within which a stream opens or closes. */
const STREAM_MS = 5000;
const PATHS = [
  "/metrics",
  "/api/stats",
  "/api/live?limit=500",
  "/api/history?limit=500",
  "/api/history?limit=100&domain=*.site7.example",
  "/api/dns?limit=500",
  "/api/health",
];
/** Sums over all of history are asked for more rarely. */
const SUMS_EVERY = 10;

export interface Usage {
  requests: number;
  streams: number;
  messages: number;
}

/** Resolves at the event; rejects when it does not come in time. */
async function event(socket: WebSocket, name: "open" | "close"): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`no ${name} of a stream`)), STREAM_MS);
  socket.addEventListener(name, () => resolve(), { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** One after the other, so that it can pause: then nothing of it is open at the agent. */
export class SoakClient {
  readonly usage: Usage = { requests: 0, streams: 0, messages: 0 };
  private readonly streams: WebSocket[] = [];
  private steps = 0;

  constructor(private readonly agent: RunningAgent) {}

  /** Asks for everything once, opens a stream and closes the oldest; then rests for a moment. */
  async step(): Promise<void> {
    for (const path of PATHS) await this.request(path);
    if (this.steps++ % SUMS_EVERY === 0) await this.request("/api/domains");
    await this.openStream();
    if (this.streams.length > STREAMS) await this.closeStream();
    await Bun.sleep(PAUSE_MS);
  }

  /** Closes all streams. */
  async pause(): Promise<void> {
    while (this.streams.length > 0) await this.closeStream();
  }

  private async request(path: string): Promise<void> {
    const response = await fetch(this.agent.url + path, { keepalive: false });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`${path}: HTTP ${response.status}`);
    this.usage.requests++;
  }

  private async openStream(): Promise<void> {
    const socket = new WebSocket(`${this.agent.url.replace("http:", "ws:")}/api/stream`);
    socket.addEventListener("message", () => {
      this.usage.messages++;
    });
    await event(socket, "open");
    this.streams.push(socket);
    this.usage.streams++;
  }

  private async closeStream(): Promise<void> {
    const socket = this.streams.shift();
    if (socket === undefined) return;
    const closed = event(socket, "close");
    socket.close();
    await closed;
  }
}
