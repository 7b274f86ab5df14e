import assert from "node:assert/strict";
import { test } from "node:test";
import { setupServer } from "msw/node";
import { createServer } from "vite";
import { handlers } from "./handlers.js";

const { FREDDY_API_URL = "http://127.0.0.1:4010", FREDDY_API_KEY = "ak_demo_owner" } = process.env;
const threads = "/v1/spaces/space_abc123/threads";

test("Vite passes calls on, and adds the key", async () => {
  const vite = await createServer({ root: import.meta.dirname, server: { port: 0, host: "127.0.0.1" } });
  await vite.listen();
  const answer = await fetch(`http://127.0.0.1:${vite.httpServer.address().port}${threads}`);
  await vite.close();
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).data[0].id, "thrd_abc123");
});

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
