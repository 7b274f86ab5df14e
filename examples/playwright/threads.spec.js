import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { expect, test as base } from "./sandbox.ts";

const mockUrl = process.env.FREDDY_API_URL ?? "http://127.0.0.1:4010";
const html = readFileSync(new URL("page.html", import.meta.url));

/** Each test gets the page; the fixture file adds a sandbox of the mock for it alone. */
const test = base.extend({
  site: [
    async ({}, use) => {
      const server = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(html));
      await new Promise((done) => server.listen(0, "127.0.0.1", done));
      await use(`http://127.0.0.1:${server.address().port}`);
      server.close();
    },
    { scope: "worker" },
  ],
  open: async ({ page, site }, use) => {
    await use((key = "ak_demo_owner") => page.goto(`${site}/?${new URLSearchParams({ api: mockUrl, key })}`));
  },
});

test("an owner adds a thread", async ({ page, open }) => {
  await open();
  await page.getByRole("button").click();
  await expect(page.getByRole("listitem")).toHaveText(["Project Discussion", "Quick Question"]);
});

test("a viewer is told that they may not", async ({ page, open }) => {
  await open("ak_demo_viewer");
  await page.getByRole("button").click();
  await expect(page.getByRole("status")).toHaveText("You don't have permission to perform this action.");
  await expect(page.getByRole("listitem")).toHaveText(["Project Discussion"]);
});

test("an empty space says so", async ({ page, open }) => {
  await page.request.delete(`${mockUrl}/v1/spaces/space_abc123/threads/thrd_abc123`, {
    headers: { "X-API-Key": "ak_demo_owner" },
  });
  await open();
  await expect(page.getByRole("status")).toHaveText("No threads yet");
});

test("a slow answer shows that it is on its way", async ({ page, open, sandbox }) => {
  await sandbox.control("POST", "/faults", { operation: "listSpaceThreads", delay: 1000 });
  await open();
  await expect(page.getByRole("status")).toHaveText("Loading …");
  await expect(page.getByRole("listitem")).toHaveText(["Project Discussion"]);
});
