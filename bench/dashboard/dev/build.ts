// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Builds the page into a folder (default `dist`): static files with hashed names, from "/". */

import { rm } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

export interface BuiltFile {
  readonly path: string;
  readonly bytes: number;
  readonly gzipped: number;
}

export async function build(outdir: string): Promise<BuiltFile[]> {
  await rm(outdir, { recursive: true, force: true });
  const result = await Bun.build({
    entrypoints: [join(ROOT, "src/index.html")],
    outdir,
    publicPath: "/",
    minify: true,
    target: "browser",
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
    naming: { entry: "[name].[ext]", chunk: "[name]-[hash].[ext]", asset: "[name]-[hash].[ext]" },
  });
  if (!result.success) throw new AggregateError(result.logs, "the build failed");
  return Promise.all(
    result.outputs.map(async (output) => {
      const content = new Uint8Array(await output.arrayBuffer());
      return {
        path: output.path,
        bytes: content.length,
        gzipped: Bun.gzipSync(content, { level: 9 }).length,
      };
    }),
  );
}

if (import.meta.main) {
  const outdir = process.argv[2] ?? join(ROOT, "dist");
  for (const { path, bytes, gzipped } of await build(outdir)) {
    const name = path.slice(outdir.length + 1);
    console.log(`${name.padEnd(28)} ${bytes} bytes, ${gzipped} gzipped`);
  }
}
