/**
 * Bundles the page into functions/pages/static, under names that carry a hash of their content; with
 * --tests, bundles the unit tests into build/test instead.
 */

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { createHash } from "node:crypto";

import { build } from "esbuild";

const here = import.meta.dirname;
const source = (name) => path.join(here, "src", name);
const outdir = path.resolve(here, "../../functions/pages/static");
const PUBLIC_PATH = "/talk/";

const common = {
  bundle: true,
  minify: true,
  platform: "browser",
  format: "esm",
  target: ["es2022", "chrome105", "firefox105", "safari16"],
  legalComments: "none",
  logLevel: "warning",
};

/** Bundles one entry in memory; the bytes of its output. */
async function bundled(entry, options = {}) {
  const result = await build({ ...common, entryPoints: [source(entry)], write: false, ...options });
  return Buffer.from(result.outputFiles[0].contents);
}

/** Writes `content` as name-HASH.extension and prints its size; the address under which the page asks for it. */
async function publish(name, extension, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const file = `${name}-${hash}.${extension}`;
  await writeFile(path.join(outdir, file), content);
  const [raw_kib, gzip_kib] = [content, gzipSync(content)].map(({ length }) => (length / 1024).toFixed(1));
  console.log(`${file.padEnd(32)} ${raw_kib.padStart(7)} KiB ${gzip_kib.padStart(7)} KiB gzipped`);
  return PUBLIC_PATH + file;
}

/** The licences of what is bundled, which ask to travel with it. */
async function notices() {
  const texts = [];
  for (const name of ["@azure/web-pubsub-client", "oidc-client-ts", "buffer", "events", "base64-js", "ieee754", "jwt-decode"]) {
    const folder = path.join(here, "node_modules", name);
    const licence = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file));
    if (licence) texts.push(`${name}\n\n${await readFile(path.join(folder, licence), "utf8")}`);
  }
  return texts.join("\n----\n\n");
}

async function buildPage() {
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  const worklet = async (name) => publish(name, "js", await bundled(`worklets/${name}.ts`));
  const define = {
    CAPTURE_WORKLET_URL: JSON.stringify(await worklet("capture")),
    PLAYBACK_WORKLET_URL: JSON.stringify(await worklet("playback")),
  };
  const addresses = {
    script: await publish("talk", "js", await bundled("main.ts", { define })),
    styles: await publish("talk", "css", await bundled("styles.css")),
    icon: await publish("icon", "svg", await readFile(source("icon.svg"))),
  };
  const template = await readFile(source("index.html"), "utf8");
  const page = template.replace(/\{\{(\w+)\}\}/g, (_, name) => addresses[name]);
  await writeFile(path.join(outdir, "licences.txt"), await notices());
  // Last, so that a page which is there is whole.
  await writeFile(path.join(outdir, "index.html"), page);
}

async function buildTests() {
  const folder = path.join(here, "test");
  const outfolder = path.join(here, "build", "test");
  await rm(outfolder, { recursive: true, force: true });
  const entryPoints = (await readdir(folder)).filter((name) => name.endsWith(".test.ts"));
  await build({
    ...common,
    minify: false,
    sourcemap: "inline",
    platform: "node",
    target: "node20",
    entryPoints: entryPoints.map((name) => path.join(folder, name)),
    outdir: outfolder,
    outExtension: { ".js": ".mjs" },
  });
}

await (process.argv.includes("--tests") ? buildTests() : buildPage());
