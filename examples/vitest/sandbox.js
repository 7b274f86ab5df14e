/** A sandbox of the mock for one test: its own data, clock, faults and journal. */
export async function openSandbox(base = process.env.FREDDY_API_URL ?? "http://127.0.0.1:4010", beginning = {}) {
  const id = `vitest-${crypto.randomUUID()}`;
  const url = `${base}/__sandbox/${id}`;

  async function ask(address, method, body) {
    const headers = { "Content-Type": "application/json" };
    if (process.env.MOCK_ADMIN_TOKEN) headers.Authorization = `Bearer ${process.env.MOCK_ADMIN_TOKEN}`;
    const response = await fetch(address, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${address}: ${text}`);
    return text && JSON.parse(text);
  }

  await ask(`${base}/__admin/sandboxes`, "POST", { id, ...beginning });
  return {
    /** The base URL for the code under test. */
    url,
    /** Any call of the control API, for this sandbox alone. */
    control: (method, path, body) => ask(`${url}/__admin${path}`, method, body),
    close: () => ask(`${base}/__admin/sandboxes/${id}`, "DELETE"),
  };
}
