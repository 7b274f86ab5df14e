/** Playwright's `test` with a sandbox of the mock for each test: its own data, clock, faults and journal. */
import { expect, test as base } from "@playwright/test";

const mock = process.env.FREDDY_API_URL ?? "http://127.0.0.1:4010";
const token = process.env.MOCK_ADMIN_TOKEN;

export interface Sandbox {
  id: string;
  /** A base URL of the sandbox, for an app that takes one. */
  url: string;
  /** Any call of the control API, for this sandbox alone. */
  control: (method: string, path: string, body?: unknown) => Promise<any>;
}

export const test = base.extend<{ sandbox: Sandbox }>({
  sandbox: [
    async ({ context, playwright }, use) => {
      const id = `playwright-${crypto.randomUUID()}`;
      const url = `${mock}/__sandbox/${id}`;
      const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
      const request = await playwright.request.newContext({ extraHTTPHeaders: headers });
      const ask = async (method: string, address: string, data?: unknown) => {
        const response = await request.fetch(address, { method, data });
        expect(response.ok(), await response.text()).toBe(true);
        return response.status() === 204 ? undefined : response.json();
      };
      await ask("POST", `${mock}/__admin/sandboxes`, { id });
      await context.setExtraHTTPHeaders({ "X-Mock-Sandbox": id });
      const control: Sandbox["control"] = (method, path, body) => ask(method, `${url}/__admin${path}`, body);
      await use({ id, url, control });
      expect((await control("GET", "/violations")).violations).toEqual([]);
      await ask("DELETE", `${mock}/__admin/sandboxes/${id}`);
      await request.dispose();
    },
    { auto: true },
  ],
});

export { expect };
