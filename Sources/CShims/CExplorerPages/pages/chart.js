// Drawings by Plotly, which is served beside this page; without it the tables stand alone.

import { h, replace } from "./markup.js";

let library = null;
let isThere = false;

/// Makes ready for the library.
///
/// What is returned has it come, once the page was painted: its first evaluation takes longer than all else.
export function load(hasCharts) {
  let begin = () => {};
  library = !hasCharts ? Promise.resolve(null) : new Promise((done) => {
    const script = h("script", { src: "plotly.min.js" });
    script.onload = () => { isThere = true; done(window.Plotly); };
    script.onerror = () => done(null);
    begin = () => requestAnimationFrame(() => setTimeout(() => document.head.append(script), 0));
  });
  return begin;
}

/// Whether drawings are made at once.
export const isReady = () => isThere;

const colors = new Map();

/// A color of the page's style; asked for each point, so that it is looked up once.
export function color(name) {
  if (!colors.has(name)) colors.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return colors.get(name);
}

/// Light became dark, or dark light.
export function colorsChanged() { colors.clear(); }

export const gradeColor = (number) => color(["a", "b", "c", "d", "e", "na"][number]);

/// Draws, or says what is missing. The description is what a screen reader tells.
export async function draw(node, description, traces, layout, events = {}) {
  const Plotly = await library;
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", description);
  if (!Plotly) {
    node.style.height = "auto";
    replace(node, h("p", { class: "soft" },
      "Plotly is not installed, so there is no drawing; the table has the figures. Remedy: ",
      h("code", {}, "scripts/setup"), " and start assay serve again."));
    return;
  }
  // Whatever stood there until now.
  if (!node.classList.contains("js-plotly-plot")) node.replaceChildren();
  const ink = color("ink");
  const isSmall = node.id !== "scatter";
  const axis = { gridcolor: color("line"), zerolinecolor: color("line"), linecolor: color("line"), automargin: isSmall };
  const full = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 56, r: 12, t: 10, b: 48 },
    font: { color: ink, family: "system-ui, sans-serif", size: 13 }, hovermode: "closest",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: color("soft"), activecolor: color("accent") },
    hoverlabel: { bgcolor: color("card"), bordercolor: color("line"), font: { color: ink }, align: "left" },
    ...layout, xaxis: { ...axis, ...layout.xaxis }, yaxis: { ...axis, ...layout.yaxis },
  };
  await Plotly.react(node, traces, full, {
    responsive: true, displaylogo: false, displayModeBar: isSmall || innerWidth <= 820 ? false : "hover", modeBarButtonsToRemove: ["lasso2d", "autoScale2d"],
  });
  for (const [name, handle] of Object.entries(events)) {
    node.removeAllListeners(name);
    node.on(name, handle);
  }
}
