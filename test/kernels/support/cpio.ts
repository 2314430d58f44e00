/** Archives that the kernel unpacks as its first root: cpio's "newc" (Documentation/driver-api/early-userspace). */
import { readlinkSync, lstatSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

const MAGIC = "070701";
const TRAILER = "TRAILER!!!";
const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 } as const;
const ALIGNMENT = 4;

/** Collects entries; paths are absolute in the guest. Parents are made as needed. */
export class Cpio {
  private readonly parts: Uint8Array[] = [];
  private readonly names = new Set<string>();

  private entry(path: string, mode: number, data: Uint8Array, device: [number, number] = [0, 0]): void {
    const name = Buffer.from(`${path.slice(1)}\0`);
    // inode, mode, uid, gid, links, mtime, size, device of the file (2), device (2), length of the name, checksum
    const numbers = [this.parts.length, mode, 0, 0, 1, 0, data.length, 0, 0, ...device, name.length, 0];
    const head = MAGIC + numbers.map((number) => number.toString(16).padStart(8, "0")).join("");
    this.pad(Buffer.concat([Buffer.from(head), name]));
    this.pad(data);
  }

  private pad(bytes: Uint8Array): void {
    this.parts.push(bytes, new Uint8Array(-bytes.length & (ALIGNMENT - 1)));
  }

  private isNew(path: string): boolean {
    if (this.names.has(path)) return false;
    this.names.add(path);
    return true;
  }

  folder(path: string): void {
    if (path === "/" || !this.isNew(path)) return;
    this.folder(dirname(path));
    this.entry(path, TYPE.folder | 0o755, new Uint8Array());
  }

  file(path: string, data: Uint8Array, mode = 0o755): void {
    this.folder(dirname(path));
    if (this.isNew(path)) this.entry(path, TYPE.file | mode, data);
  }

  link(path: string, target: string): void {
    this.folder(dirname(path));
    if (this.isNew(path)) this.entry(path, TYPE.link | 0o777, Buffer.from(target));
  }

  characterDevice(path: string, major: number, minor: number): void {
    this.folder(dirname(path));
    if (this.isNew(path)) this.entry(path, TYPE.device | 0o600, new Uint8Array(), [major, minor]);
  }

  /** A file or symbolic link of this machine. */
  copy(path: string, source: string): void {
    if (lstatSync(source).isSymbolicLink()) this.link(path, readlinkSync(source));
    else this.file(path, readFileSync(source));
  }

  /** The whole archive. */
  bytes(): Uint8Array {
    this.entry(`/${TRAILER}`, 0, new Uint8Array());
    return Buffer.concat(this.parts);
  }
}
