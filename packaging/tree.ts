/** What the package puts where, and what dpkg is told of it. */
import { gzipSync } from "node:zlib";
import { SCRIPTS } from "../src/cli/completion-scripts.ts";
import { configFile } from "./config-file.ts";
import { manPage } from "./man.ts";
import { debianVersion, wrap } from "./words.ts";

export interface PackageFile {
  /** Below the root, without its slash. */
  path: string;
  mode: number;
  /** Bytes, or the path of a file here. */
  content: string | Uint8Array | { file: string };
}

export interface PackageInputs {
  version: string;
  architecture: "amd64" | "arm64";
  /** The executable. */
  executable: string;
  /** Root of the repository. */
  root: string;
  /** systemd/ayaflow.service as it is. */
  unit: string;
  /** What `ayaflow version --licenses` prints. */
  licenses: Uint8Array;
  /** Moment of every file, seconds since the epoch. */
  epoch: number;
}

const MAINTAINER = "The AyaFlow authors <security@ayaflow.example>";
const HOMEPAGE = "https://github.com/ayaflow/ayaflow";
const SUMMARY = "shows who talks to whom on this host, by which name, how much";
const DESCRIPTION = [
  "AyaFlow counts every packet of a host by connection, in the kernel, by eBPF programs that never change or drop " +
    "anything, and costs next to nothing however fast the traffic is.",
  "It names connections by what TLS, QUIC, HTTP and DNS say of them, keeps exact history for two years in one SQLite " +
    "file, and shows all of it live and in the past: a web page, a terminal view, a command line with one filter " +
    "language, REST, WebSocket and Prometheus metrics. What it could not keep is counted, too.",
];
/** glibc's symbols in the executable and in the libraries inside it; a test holds this to what they ask for. */
export const MIN_GLIBC = "2.33";

const packed = (text: string | Uint8Array) => gzipSync(text, { level: 9 });

/** Debian's changelog, of this version alone: the project's own is beside it. */
function debianChangelog(version: string, epoch: number): string {
  const date = new Date(epoch * 1000).toUTCString().replace("GMT", "+0000");
  return `ayaflow (${debianVersion(version)}) unstable; urgency=medium

  * Version ${version}; what is new is in CHANGELOG.md.gz.

 -- ${MAINTAINER}  ${date}
`;
}

/** The files of the package. */
export function packageFiles(inputs: PackageInputs): PackageFile[] {
  const { version, executable, root, licenses, epoch } = inputs;
  // Its own: another copy in /usr/local would come first.
  const unit = inputs.unit.replace("ExecStart=ayaflow ", "ExecStart=/usr/bin/ayaflow ");
  const date = new Date(epoch * 1000).toISOString().slice(0, 10);
  const own = (path: string) => ({ file: `${root}/${path}` });
  const file = (path: string, content: PackageFile["content"], mode = 0o644) => ({ path, mode, content });
  const doc = "usr/share/doc/ayaflow";
  return [
    file("usr/bin/ayaflow", { file: executable }, 0o755),
    file("lib/systemd/system/ayaflow.service", unit),
    file("etc/ayaflow/ayaflow.yaml", configFile()),
    file("etc/default/ayaflow", own("packaging/debian/default")),
    file("usr/share/man/man1/ayaflow.1.gz", packed(manPage(version, date))),
    file("usr/share/bash-completion/completions/ayaflow", SCRIPTS.bash),
    file("usr/share/zsh/vendor-completions/_ayaflow", SCRIPTS.zsh),
    file("usr/share/fish/vendor_completions.d/ayaflow.fish", SCRIPTS.fish),
    file("usr/share/lintian/overrides/ayaflow", own("packaging/debian/lintian-overrides")),
    file(`${doc}/copyright`, own("packaging/debian/copyright")),
    file(`${doc}/changelog.gz`, packed(debianChangelog(version, epoch))),
    file(`${doc}/CHANGELOG.md.gz`, { file: `${root}/CHANGELOG.md` }),
    file(`${doc}/third-party-licenses.gz`, packed(licenses)),
    file(`${doc}/examples/ayaflow-grafana.json`, own("monitoring/grafana/ayaflow.json")),
    file(`${doc}/examples/ayaflow.rules.yml`, own("monitoring/prometheus/ayaflow.rules.yml")),
  ];
}

/** Configuration that belongs to the administrator once it is there. */
export function conffiles(files: readonly PackageFile[]): string {
  return files
    .filter(({ path }) => path.startsWith("etc/"))
    .map(({ path }) => `/${path}\n`)
    .join("");
}

/** The control file (deb-control(5)); `installedKib` as policy 5.6.20 says. */
export function control({ version, architecture }: PackageInputs, installedKib: number): string {
  const description = DESCRIPTION.map((paragraph) =>
    wrap(paragraph, 78)
      .map((line) => ` ${line}\n`)
      .join(""),
  );
  return `Package: ayaflow
Version: ${debianVersion(version)}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${installedKib}
Depends: libc6 (>= ${MIN_GLIBC})
Section: net
Priority: optional
Homepage: ${HOMEPAGE}
Description: ${SUMMARY}
${description.join(" .\n")}`;
}
