/** Fills dist: the fixtures of the examples, types of both documents, licence, and the wheel of WHEEL or ../dist. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

const top = join(import.meta.dirname, "..");
const dist = join(import.meta.dirname, "dist");
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8"));

function wheel() {
  if (process.env.WHEEL) return process.env.WHEEL;
  const folder = join(top, "dist");
  const name = (existsSync(folder) ? readdirSync(folder) : []).find((each) => each.startsWith(`freddy_mock-${version}-`) && each.endsWith(".whl"));
  if (name) return join(folder, name);
  console.error(`freddy-mock: no wheel of version ${version} in ${folder}; run \`make dist\` first, or name one in WHEEL`);
  process.exit(2);
}

const run = (tool, ...words) => execFileSync(join(import.meta.dirname, "node_modules/.bin", tool), words, { cwd: dist, stdio: ["ignore", "ignore", "inherit"] });
const types = (file, name) => run("openapi-typescript", join(top, file), "--default-non-nullable", "false", "--output", `${name}.d.ts`);

const built = wheel();
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
copyFileSync(built, join(dist, basename(built)));
types("openapi.yaml", "api");
types("mockserver/admin/admin.yaml", "control");
copyFileSync(join(top, "examples/vitest/sandbox.js"), join(dist, "sandbox.js"));
// The source is beside its libraries, where the compiler looks for them.
copyFileSync(join(top, "examples/playwright/sandbox.ts"), join(dist, "playwright.ts"));
run("tsc", "playwright.ts", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler", "--types", "node", "--strict", "--skipLibCheck", "--declaration");
rmSync(join(dist, "playwright.ts"));
copyFileSync(join(top, "LICENSE"), join(dist, "LICENSE"));
