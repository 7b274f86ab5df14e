#!/usr/bin/env node
/** Runs `mockserver` of the wheel in this package: by uv, or by Python 3.11 or newer in an environment of its own. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { constants, homedir } from "node:os";
import { join } from "node:path";

const dist = join(import.meta.dirname, "dist");
const name = existsSync(dist) && readdirSync(dist).find((each) => each.endsWith(".whl"));
const PYTHONS = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
const NEW = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

const works = (command, ...words) => spawnSync(command, words, { stdio: "ignore" }).status === 0;

function refuse(text) {
  console.error(`freddy-mock: ${text}`);
  process.exit(2);
}

/** Program of the wheel in an environment that is made at the first start. */
function installed(python) {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "freddy-mock");
  const folder = join(cache, name.split("-")[1]);
  const program = join(folder, "bin/mockserver");
  if (existsSync(program)) return program;
  console.error(`freddy-mock: installs itself in ${folder}`);
  mkdirSync(cache, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  const made = [
    [python, "-m", "venv", folder],
    [join(folder, "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", join(dist, name)],
  ].every(([command, ...words]) => spawnSync(command, words, { stdio: ["ignore", "ignore", "inherit"] }).status === 0);
  if (!made) {
    rmSync(folder, { recursive: true, force: true });
    refuse("could not install itself; the lines above say why");
  }
  return program;
}

function command() {
  if (!name) refuse("this package was built without its wheel; build it with `npm pack`");
  if (works("uv", "--version")) return ["uv", "tool", "run", "--quiet", "--from", join(dist, name), "mockserver"];
  const python = PYTHONS.find((each) => works(each, "-c", NEW));
  if (python) return [installed(python)];
  return refuse("needs uv (https://docs.astral.sh/uv/), or Python 3.11 or newer with venv (https://www.python.org/downloads/)");
}

const [program, ...words] = command();
const child = spawn(program, [...words, ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => refuse(error.message));
child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
