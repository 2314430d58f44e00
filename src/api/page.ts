import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { ApiError } from "./errors.ts";

/** One file of the page as it is stored. */
export interface PageFile {
  body: Uint8Array;
  /** Its media type. */
  type: string;
  /** How `body` is compressed; not at all if absent. */
  encoding?: "gzip";
  /** Changes with the content. */
  etag: string;
  /** Its name changes with its content, so that it may be kept for good. */
  immutable: boolean;
}

/** The files of the page: `/` is the page itself, `/assets/...` what it loads. Read when asked for. */
export interface PageFiles {
  get(path: string): PageFile | undefined;
}

export const PAGE_PATH = "/";
const ASSET = /^\/assets\/[\w-][\w.-]{0,127}$/;

const decompress = promisify(gunzip);
const YEAR_SECONDS = 31_536_000;

/** Nothing but the page's own files and this API, and no HTML or script made of text. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "referrer-policy": "no-referrer",
  "permissions-policy":
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()",
  "cross-origin-opener-policy": "same-origin",
  vary: "Accept, Accept-Encoding",
};

export const isAsset = (path: string): boolean => ASSET.test(path);

/** Weight of each item of a list such as Accept (RFC 9110 section 12.4.2), by its name in lower case. */
function weights(header: string | null): Map<string, number> {
  const items = (header ?? "").toLowerCase().split(",");
  return new Map(
    items.map((item) => {
      const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
      const weight = parameters.find((part) => part.startsWith("q="))?.slice(2) ?? "1";
      return [name, Number(weight) || 0];
    }),
  );
}

/** Whether the client names HTML, and wants nothing more than it: a browser, not a program that takes anything. */
export function prefersHtml(accept: string | null): boolean {
  const given = weights(accept);
  const html = given.get("text/html") ?? 0;
  const json = given.get("application/json") ?? given.get("application/*") ?? given.get("*/*") ?? 0;
  return html > 0 && html >= json;
}

function takes(acceptEncoding: string | null, encoding: string): boolean {
  const given = weights(acceptEncoding);
  return (given.get(encoding) ?? given.get("*") ?? 0) > 0;
}

/** Whether one of If-None-Match is `etag` (RFC 9110 section 13.1.2, compared weakly). */
function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  const known = (ifNoneMatch ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
  return known.includes("*") || known.includes(etag);
}

/** A file, compressed as it is stored where the client takes that; 304 for a client that has it. */
async function fileResponse(file: PageFile, request: Pick<Headers, "get">): Promise<Response> {
  const { encoding } = file;
  const isStored = encoding === undefined || takes(request.get("accept-encoding"), encoding);
  const opaque = file.etag.replace(/^W\/|"/g, "");
  // Each form of a file has a tag of its own.
  const etag = isStored && encoding !== undefined ? `"${opaque}-${encoding}"` : `"${opaque}"`;
  const headers: Record<string, string> = {
    ...HEADERS,
    etag,
    "cache-control": file.immutable ? `public, max-age=${YEAR_SECONDS}, immutable` : "no-cache",
  };
  if (isKnown(request.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  headers["content-type"] = file.type;
  if (isStored && encoding !== undefined) headers["content-encoding"] = encoding;
  const body = isStored ? file.body : await decompress(file.body);
  return new Response(new Uint8Array(body), { headers });
}

/** The page and what it loads. They hold no secret, so a token is not asked for. */
export interface PageServer {
  /** Whether the request is for one of the files. */
  serves(path: string, request: Pick<Headers, "get">): boolean;
  /** Rejects with ApiError 404. */
  respond(path: string, request: Pick<Headers, "get">): Promise<Response>;
}

export function createPageServer(files: PageFiles | undefined): PageServer {
  return {
    serves: (path, request) =>
      files !== undefined && (isAsset(path) || (path === PAGE_PATH && prefersHtml(request.get("accept")))),
    async respond(path, request) {
      const file = files?.get(path);
      if (file === undefined) throw new ApiError(404, "not_found", `the page has no file ${path}`);
      return fileResponse(file, request);
    },
  };
}
