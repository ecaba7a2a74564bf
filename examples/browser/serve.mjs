// Serves the built package and its examples on this machine alone, TypeScript with its types removed.
//
//   npm run build && node examples/browser/serve.mjs
import { once } from "node:events";
import fs from "node:fs/promises";
import http from "node:http";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const root = path.resolve(import.meta.dirname, "../..");
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".ts": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".txt": "text/plain; charset=utf-8",
};

/** The file of an address, if it lies in one of the folders. */
function fileOf(address, folders) {
  const { pathname } = new URL(address, "http://localhost");
  const file = path.join(root, decodeURIComponent(pathname));
  const inside = folders.some((folder) => file.startsWith(path.join(root, folder) + path.sep));
  if (!inside || file.includes("\0")) return undefined;
  if (pathname.endsWith("/")) return path.join(file, "index.html");
  // Packages that name their modules without an ending.
  return path.extname(file) === "" ? `${file}.js` : file;
}

async function contentOf(file) {
  const content = await fs.readFile(file);
  return path.extname(file) === ".ts" ? stripTypeScriptTypes(content.toString()) : content;
}

/** Answers with the address of a server on a port that was free, and with what closes it. */
export async function serve(folders = ["dist", "examples"]) {
  const server = http.createServer((request, response) => {
    const end = (status, headers, content) => response.writeHead(status, headers).end(content);
    let file;
    try {
      file = fileOf(request.url, folders);
    } catch {
      return end(400);
    }
    if (file === undefined) return end(404);
    contentOf(file).then(
      (content) => end(200, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream" }, content),
      (error) => end(error.code === "ENOENT" ? 404 : 500),
    );
    return undefined;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { address: `http://127.0.0.1:${server.address().port}`, close };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { address } = await serve();
  console.log(`${address}/examples/browser/`);
}
