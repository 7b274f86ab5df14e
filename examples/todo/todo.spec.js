import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { expect, test as base } from "@playwright/test";

const mock = process.env.MOCK_URL ?? "http://127.0.0.1:4010";
const html = readFileSync(new URL("page.html", import.meta.url));

/** Each test opens the page against a sandbox that nobody else has. */
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
  api: async ({}, use) => use(`${mock}/__sandbox/todo-${crypto.randomUUID()}`),
  todos: async ({ page, site, api }, use) => {
    await page.goto(`${site}/?${new URLSearchParams({ api })}`);
    await expect(page.getByRole("status")).toHaveText("Nothing to do");
    const add = async (title) => {
      await page.getByLabel("New").fill(title);
      await page.getByRole("button", { name: "Add" }).click();
      await expect(page.getByLabel(title)).toBeVisible();
    };
    await use({ add, titles: page.getByRole("listitem"), box: (title) => page.getByLabel(title) });
  },
});

test("todos stay after a reload", async ({ page, todos }) => {
  await todos.add("Milk");
  await todos.add("Bread");
  await page.reload();
  await expect(todos.titles).toHaveText(["MilkDelete", "BreadDelete"]);
});

test("a todo that is done is no open one", async ({ page, todos }) => {
  await todos.add("Milk");
  await todos.add("Bread");
  await todos.box("Milk").check();
  await page.getByLabel("Only open ones").check();
  await expect(todos.titles).toHaveText(["BreadDelete"]);
});

test("a deleted todo is gone", async ({ page, todos, api }) => {
  await todos.add("Milk");
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("status")).toHaveText("Nothing to do");
  expect((await page.request.get(`${api}/todos/1`)).status()).toBe(404);
});

test("a failure is shown, and nothing is stored", async ({ page, todos, api }) => {
  await page.request.post(`${api}/__admin/faults`, {
    data: { operation: "todo:POST /todos", error: { status: 503 } },
  });
  await page.getByLabel("New").fill("Milk");
  await page.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("status")).toHaveText("Failed: 503");
  await page.reload();
  await expect(page.getByRole("status")).toHaveText("Nothing to do");
});

for (const number of [1, 2, 3, 4]) {
  test(`sandbox ${number} has its own first todo`, async ({ page, todos, api }) => {
    await todos.add(`Todo of ${number}`);
    const rows = await (await page.request.get(`${api}/todos`)).json();
    expect(rows.map(({ id, title }) => [id, title])).toEqual([[1, `Todo of ${number}`]]);
  });
}
