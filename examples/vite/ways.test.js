import assert from "node:assert/strict";
import { get } from "node:http";
import { test } from "node:test";
import { setupServer } from "msw/node";
import { createServer } from "vite";
import { handlers } from "./handlers.js";

const { FREDDY_API_URL = "http://127.0.0.1:4010", FREDDY_API_KEY = "ak_demo_owner" } = process.env;
const threads = "/v1/spaces/space_abc123/threads";

/** Run a function with a fetch that goes through a Vite dev server, and the server's origin. */
async function throughVite(use) {
  const vite = await createServer({ root: import.meta.dirname, server: { port: 0, host: "127.0.0.1" } });
  await vite.listen();
  const origin = `http://127.0.0.1:${vite.httpServer.address().port}`;
  const signal = AbortSignal.timeout(10_000);
  try {
    await use((path, options) => fetch(origin + path, { signal, ...options }), origin);
  } finally {
    await vite.close();
  }
}

test("Vite passes calls on, and adds the key", () =>
  throughVite(async (ask) => {
    const answer = await ask(threads);
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).data[0].id, "thrd_abc123");
    assert.equal((await ask(threads, { headers: { "X-API-Key": "" } })).status, 200);
  }));

test("a page that sends a key is that user", () =>
  throughVite(async (ask) => {
    const add = (headers) => ask(`/__sandbox/vite-key${threads}/thrd_def456`, { method: "POST", headers });
    assert.equal((await add({ "X-API-Key": "ak_demo_viewer" })).status, 403);
    assert.equal((await add({ Authorization: "Bearer nobody" })).status, 401);
    assert.equal((await add({})).status, 201);
  }));

test("a page reaches the control API", () =>
  throughVite(async (ask) => {
    const body = JSON.stringify({ profile: "offline" });
    const headers = { "Content-Type": "application/json" };
    assert.equal((await ask("/__sandbox/vite-offline/__admin/faults", { method: "POST", headers, body })).status, 201);
    assert.equal((await ask("/__admin/sandboxes/vite-offline")).status, 200);
    await assert.rejects(ask(`/__sandbox/vite-offline${threads}`).then((answer) => answer.json()), TypeError);
  }));

test("an answer that breaks off ends for the page, too", () =>
  throughVite(async (ask) => {
    const answer = await ask(threads, { headers: { "X-Mock-Fault": "truncate" } });
    assert.equal(answer.status, 200);
    await assert.rejects(answer.json(), TypeError);
  }));

test("a page in the network reaches the vendor's API, but not the control API", () =>
  throughVite(async (_, origin) => {
    const headers = { Host: "192.168.1.20:5173" };
    const status = (path) =>
      new Promise((resolve, reject) => {
        get(origin + path, { headers }, (answer) => resolve(answer.resume().statusCode)).on("error", reject);
      });
    assert.deepEqual([await status(threads), await status("/__admin/clock")], [200, 403]);
  }));

test("MSW lets the mock remember, and answers the rest itself", async () => {
  const server = setupServer(...handlers(FREDDY_API_URL));
  server.listen({ onUnhandledRequest: "error" });
  const headers = { "X-API-Key": FREDDY_API_KEY };
  const url = `${FREDDY_API_URL}/__sandbox/msw${threads}`;
  await fetch(`${url}/thrd_def456`, { method: "POST", headers });
  const { data } = await (await fetch(url, { headers })).json();
  const flags = await (await fetch("https://flags.example.com/")).json();
  server.close();
  assert.deepEqual(data.map(({ id }) => id), ["thrd_abc123", "thrd_def456"]);
  assert.deepEqual(flags, { sharing: true });
});
