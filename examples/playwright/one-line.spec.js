import { expect, test } from "@playwright/test";

test.beforeEach(({ context }) => context.setExtraHTTPHeaders({ "X-Mock-Sandbox": crypto.randomUUID() }));

const space = `${process.env.FREDDY_API_URL ?? "http://127.0.0.1:4010"}/v1/spaces/space_abc123`;

for (const title of ["a test deletes the space", "another test has its own"]) {
  test(title, async ({ page }) => {
    const deleted = await page.request.delete(space, { headers: { "X-API-Key": "ak_demo_owner" } });
    expect(deleted.status()).toBe(204);
  });
}
