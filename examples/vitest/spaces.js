/** The code under test: it names a space, and tries once more where the service is busy. */
export async function createSpace(url, apiKey, name) {
  const body = JSON.stringify({ organization_id: "org_abc123", name });
  const headers = { "X-API-Key": apiKey, "Content-Type": "application/json" };
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(`${url}/v1/spaces/`, { method: "POST", headers, body });
    if (response.ok) return response.json();
    if (response.status !== 503 || attempt === 2) {
      const { error } = await response.json();
      throw new Error(error.system_message);
    }
  }
}
