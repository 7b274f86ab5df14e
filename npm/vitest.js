/** Vitest's `test` with a sandbox of the mock for each test: its own data, clock, faults and journal. */
import { expect, test as base } from "vitest";
import { openSandbox } from "./dist/sandbox.js";

export { openSandbox };

export const test = base.extend({
  sandbox: async ({}, use) => {
    const sandbox = await openSandbox();
    await use(sandbox);
    const { violations } = await sandbox.control("GET", "/violations");
    await sandbox.close();
    expect(violations).toEqual([]);
  },
});
