import type { TestAPI } from "vitest";

export interface Sandbox {
  /** Base URL for the code under test. */
  url: string;
  /** Any call of the control API, for this sandbox alone. */
  control: (method: string, path: string, body?: unknown) => Promise<any>;
  /** Deletes the sandbox. */
  close: () => Promise<unknown>;
}

/** A new sandbox of the mock at `base`, or at FREDDY_API_URL; `beginning`: fields of POST /__admin/sandboxes. */
export function openSandbox(base?: string, beginning?: Record<string, unknown>): Promise<Sandbox>;

/** Vitest's `test`, with a sandbox that is deleted after it. */
export const test: TestAPI<{ sandbox: Sandbox }>;
