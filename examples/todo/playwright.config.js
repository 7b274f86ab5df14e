import { defineConfig } from "@playwright/test";

/** CHROMIUM: a browser that is installed already; without it, `npx playwright install chromium` brings one. */
const executablePath = process.env.CHROMIUM;

export default defineConfig({
  fullyParallel: true,
  use: { launchOptions: executablePath ? { executablePath, args: ["--no-sandbox"] } : {} },
});
