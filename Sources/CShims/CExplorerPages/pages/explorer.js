// The frame: which view is shown, and what is told to it.

import { colorsChanged, load } from "./chart.js";
import { h, replace } from "./markup.js";
import { model } from "./model.js";
import { overview } from "./overview.js";
import { run } from "./run.js";
import { settings } from "./settings.js";
import { open } from "./source.js";

const main = document.getElementById("main");
const notice = document.getElementById("notice");

export function say(text) {
  notice.textContent = text;
  if (text) setTimeout(() => { if (notice.textContent === text) notice.textContent = ""; }, 8000);
}

// MARK: Light and dark

function theme(value) {
  colorsChanged();
  document.documentElement.dataset.theme = value;
  try { localStorage.setItem("assay-theme", value); } catch { /* a private window keeps nothing */ }
}

function storedTheme() {
  try { return localStorage.getItem("assay-theme"); } catch { return null; }
}

const dark = matchMedia("(prefers-color-scheme: dark)");
document.documentElement.dataset.theme = storedTheme() ?? (dark.matches ? "dark" : "light");

// MARK: Addresses: #/view/name?arguments

export function address() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  const [view, ...rest] = path.split("/").filter(Boolean);
  return { view: view ?? "overview", name: decodeURIComponent(rest.join("/")), query: new URLSearchParams(query) };
}

export function go(view, name = "", query = null, isReplacing = false) {
  const path = `#/${view}${name ? `/${encodeURIComponent(name)}` : ""}`;
  const text = query && query.toString() ? `?${query}` : "";
  if (isReplacing) history.replaceState(null, "", path + text);
  else location.hash = path + text;
}

const VIEWS = { overview, model, run, settings };

async function start() {
  const source = await open();
  const app = { source, table: await source.table(), say, go, current: null };
  const bringCharts = load(app.table.hasCharts);
  const showSource = () => {
    const left = app.table.unread;
    document.getElementById("source").textContent = app.table.source + (left ? ` · ${left.toLocaleString("en")} more records are being read` : "");
  };
  showSource();

  let shown = 0;
  async function show() {
    const { view, name, query } = address();
    const make = VIEWS[view] ?? overview;
    const turn = ++shown;
    const names = [["overview", "Overview"]];
    if (app.table.canRun) names.push(["run", "Run"]);
    names.push(["settings", "Settings"]);
    replace(document.getElementById("views"), names.map(([word, text]) =>
      h("a", { href: `#/${word}`, "aria-current": word === view ? "page" : null }, text)));
    app.current?.leave?.();
    app.current = null;
    const page = h("div", {});
    try {
      const made = await make(app, page, name, query);
      if (turn !== shown) { made?.leave?.(); return; }
      app.current = made;
    } catch (error) {
      replace(page, h("div", { class: "card" }, h("h1", {}, "This cannot be shown"), h("p", {}, error.message)));
    }
    if (turn === shown) {
      replace(main, page);
      app.current?.shown?.();
    }
  }

  document.getElementById("theme").addEventListener("click", () => {
    theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    app.current?.redraw?.();
  });
  addEventListener("hashchange", show);
  source.watch(async (name, data) => {
    if (name === "table" && data !== app.table.generation) {
      app.table = await source.table();
      showSource();
      app.current?.tableChanged?.();
    }
    app.current?.told?.(name, data);
  });
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const views = { o: "overview", r: app.table.canRun ? "run" : null, s: "settings" };
    if (views[event.key]) go(views[event.key]);
    if (event.key === "t") document.getElementById("theme").click();
    if (event.key === "/") { event.preventDefault(); main.querySelector("input, select")?.focus(); }
  });
  await show();
  bringCharts();
}

start().catch((error) => replace(main, h("div", { class: "card" },
  h("h1", {}, "The explorer does not answer"), h("p", {}, error.message))));
