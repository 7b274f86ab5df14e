import { afterEach, beforeEach, expect, test } from "vitest";
import { openSandbox } from "./sandbox.js";
import { createSpace } from "./spaces.js";

let mock;
beforeEach(async () => {
  mock = await openSandbox();
});
afterEach(async () => {
  const { violations } = await mock.control("GET", "/violations");
  await mock.close();
  expect(violations).toEqual([]);
});

test("a space that was created can be read", async () => {
  const { id } = await createSpace(mock.url, "ak_demo_owner", "Osaka");
  const response = await fetch(`${mock.url}/v1/spaces/${id}`, { headers: { "X-API-Key": "ak_demo_owner" } });
  expect((await response.json()).name).toBe("Osaka");
});

test("a busy service is asked once more", async () => {
  await mock.control("POST", "/faults", { operation: "createSpace", times: 1, error: { status: 503 } });
  await createSpace(mock.url, "ak_demo_owner", "Osaka");
  const { count } = await mock.control("POST", "/requests/count", { operation: "createSpace" });
  expect(count).toBe(2);
});

test("a refusal is not tried again", async () => {
  await expect(createSpace(mock.url, "ak_demo_foreign", "Osaka")).rejects.toThrow("Organization access required");
  const { count } = await mock.control("POST", "/requests/count", { operation: "createSpace" });
  expect(count).toBe(1);
});

test("tests that run at the same time do not see each other", async () => {
  const others = await Promise.all(Array.from({ length: 10 }, () => openSandbox()));
  await Promise.all(others.map((other, number) => createSpace(other.url, "ak_demo_owner", `Space ${number}`)));
  for (const [number, other] of others.entries()) {
    const list = `${other.url}/v1/spaces/?organization_id=org_abc123&limit=100`;
    const { spaces } = await (await fetch(list, { headers: { "X-API-Key": "ak_demo_owner" } })).json();
    expect(spaces.map((space) => space.name).filter((name) => name.startsWith("Space "))).toEqual([`Space ${number}`]);
    await other.close();
  }
});
