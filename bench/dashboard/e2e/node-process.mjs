// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** A node as a child process: started and waited for, killed and waited for. */

import { spawn } from "node:child_process";
import { createServer } from "node:net";

const START_WITHIN_MS = 20_000;
const POLL_MS = 25;

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Resolves once the node answers with the page. */
export async function startNode(binary, port, dist) {
  const args = ["start", "--listen", `127.0.0.1:${port}`, "--ticks", "20", "--dashboard", dist];
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let failure = null;
  child.once("error", (error) => (failure = error));
  child.once("exit", (code) => (failure ??= new Error(`the node ended with ${code}`)));
  const deadline = Date.now() + START_WITHIN_MS;
  while (!(await answers(port))) {
    if (failure !== null) throw new Error(`${failure.message}\n${output}`);
    if (Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`the node does not answer\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return {
    /** As hard as a crash: the page must cope with that. */
    kill: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await ended;
    },
  };
}

async function answers(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    return response.ok && (await response.text()).includes("</html>");
  } catch {
    return false;
  }
}
