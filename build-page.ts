/** Bundles the page at `/` into one packed file; build.ts calls it. */
import { join, relative } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { packagesIn } from "./build/bundle.ts";
import type { PageFile } from "./src/api/page.ts";
import { packPage } from "./src/page-pack.ts";

const SOURCE = join(import.meta.dir, "src", "page");
/** What a page may weigh, compressed: it is loaded over slow links too. */
const MAX_BYTES = 250_000;
const ETAG_LENGTH = 16;

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

function hashOf(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, ETAG_LENGTH);
}

function compressed(bytes: Uint8Array, name: string): PageFile {
  const type = TYPES[name.split(".").at(-1) ?? ""];
  if (type === undefined) throw new Error(`${name}: no media type is known for it`);
  // Not Brotli: browsers take it over HTTPS only, and the agent speaks HTTP.
  const body = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  return { body, type, encoding: "gzip", etag: hashOf(bytes), immutable: name !== "index.html" };
}

async function build(): Promise<Bun.BuildOutput> {
  return await Bun.build({
    entrypoints: [join(SOURCE, "main.tsx")],
    target: "browser",
    format: "esm",
    minify: true,
    sourcemap: "none",
    naming: "[name]-[hash].[ext]",
    define: { "process.env.NODE_ENV": '"production"' },
    metafile: true,
  });
}

/** Folders of the npm packages that the page has code of. */
export async function pagePackages(): Promise<string[]> {
  return packagesIn((await build()).metafile);
}

/** Script and style, by their names, which have a hash of their content. */
async function bundle(): Promise<Map<string, Uint8Array>> {
  const result = await build();
  const files = new Map<string, Uint8Array>();
  for (const output of result.outputs) {
    files.set(output.path.replace(/^\.?\//, ""), new Uint8Array(await output.arrayBuffer()));
  }
  return files;
}

/** The document with the names that the bundle got. */
async function documentOf(names: { script: string; style: string; icon: string }): Promise<Uint8Array> {
  const template = await Bun.file(join(SOURCE, "index.html")).text();
  const html = template.replace(/\{\{(script|style|icon)\}\}/g, (_, name: keyof typeof names) => names[name]);
  return new TextEncoder().encode(html);
}

function ending(files: ReadonlyMap<string, Uint8Array>, extension: string): string {
  const names = [...files.keys()].filter((name) => name.endsWith(extension));
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw new Error(`the page's bundle has ${names.length} files *${extension}, not one`);
  }
  return `/assets/${name}`;
}

/** Builds the page and writes it to `outfile`. Throws where it has become too large. */
export async function buildPage(outfile: string): Promise<void> {
  const assets = await bundle();
  const icon = new Uint8Array(await Bun.file(join(SOURCE, "icon.svg")).arrayBuffer());
  assets.set(`icon-${hashOf(icon).slice(0, 8)}.svg`, icon);
  const html = await documentOf({
    script: ending(assets, ".js"),
    style: ending(assets, ".css"),
    icon: ending(assets, ".svg"),
  });
  const files = new Map([["/", compressed(html, "index.html")]]);
  for (const [name, bytes] of assets) files.set(`/assets/${name}`, compressed(bytes, name));
  const packed = packPage(files);
  if (packed.byteLength > MAX_BYTES) {
    throw new Error(
      `${relative(import.meta.dir, outfile)}: ${packed.byteLength} bytes, more than ${MAX_BYTES}`,
    );
  }
  await Bun.write(outfile, packed);
}
