// What a page in a browser gets of each fault through the Vite dev server of a folder, as JSON.
// Usage: node vite_faults.mjs FOLDER BROWSER USE; USE is "mock" (without Vite), "http", "https" or "plain" (no handlers).
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, browser, use] = process.argv.slice(2);
const { createServer } = await import(pathToFileURL(join(folder, "node_modules/vite/dist/node/index.js")));
const mock = process.env.FREDDY_API_URL;
const page = `<!doctype html><script type="module">
  async function seen(kind) {
    const headers = { "X-API-Key": "ak_demo_owner", "X-Mock-Fault": kind };
    let status = "";
    try {
      const answer = await fetch(BASE + "/v1/spaces/space_abc123", { headers, signal: AbortSignal.timeout(3000) });
      status = answer.status + " ";
      return status + typeof (await answer.json());
    } catch (error) {
      return status + error.name;
    }
  }
  const kinds = ["truncate", "malformed", "hang", "reset", "empty"];
  const found = Object.fromEntries(await Promise.all(kinds.map(async (kind) => [kind, await seen(kind)])));
  await fetch("/found", { method: "POST", body: JSON.stringify(found) });
</script>`;
writeFileSync(join(folder, "index.html"), page.replace("BASE", JSON.stringify(use === "mock" ? mock : "")));

let report;
const found = new Promise((resolve) => (report = resolve));
const receive = {
  name: "receive",
  configureServer({ middlewares }) {
    middlewares.use("/found", async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      response.end();
      report(Buffer.concat(chunks).toString());
    });
  },
};
const read = (file) => readFileSync(join(folder, file));
const secure = use === "https" ? { https: { key: read("key.pem"), cert: read("cert.pem") } } : {};
const vite = await createServer({
  root: folder,
  configFile: use === "plain" ? false : join(folder, "vite.config.js"),
  logLevel: "silent",
  plugins: [receive],
  server: {
    port: 0,
    host: "127.0.0.1",
    ...secure,
    ...(use === "plain" ? { proxy: { "/v1": mock } } : {}),
  },
});
await vite.listen();
const url = `${use === "https" ? "https" : "http"}://127.0.0.1:${vite.httpServer.address().port}/`;
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors"];
const child = spawn(browser, [...flags, `--user-data-dir=${join(folder, "profile")}`, url], { stdio: "ignore" });
console.log(await found);
child.kill();
await vite.close();
process.exit();
