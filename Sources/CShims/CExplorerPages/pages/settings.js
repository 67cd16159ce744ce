// How rows are rated: method, index, reference, weights and limits, with everything computed anew.

import { field, h, plural, replace, select } from "./markup.js";

const WORDS = {
  assay: "assay: a frozen scale, each row by itself", strep: "strep: the published library as it is now", "edge-acc": "edge-acc: the published study",
  best: "against the best of its group", centered: "against a reference model",
};

export async function settings(app, page) {
  const isFixed = app.table.isStatic;
  let now = structuredClone(app.table.settings);
  const form = h("div", {});
  const fault = h("p", { class: "warn", role: "alert" });

  async function apply() {
    replace(fault);
    try {
      app.table = await app.source.apply(now);
      now = structuredClone(app.table.settings);
      show();
      app.say("rated anew");
    } catch (error) {
      replace(fault, error.message);
    }
  }

  function show() {
    const used = app.table.properties.filter((property) => property.hasValues);
    const set = (key) => (value) => { now[key] = value; if (app.table.canApply !== false) apply(); };
    const word = (list) => list.map((one) => [one, WORDS[one] ?? one]);
    const isScale = now.method === "assay";
    const isCentered = now.index === "centered" && !isScale;
    const reference = h("input", { value: now.reference, onchange: () => set("reference")(reference.value.trim() || "optimal") });
    replace(form,
      h("div", { class: "bar" },
        field("Method", select(word(app.table.methods), now.method, (value) => { now = { method: value }; apply(); })),
        isScale && field("Scale", select(app.table.scales, now.scale, set("scale"))),
        !isScale && field("Index", select(word(app.table.indices), now.index, set("index"))),
        !isScale && field("Indices become one by their", select(app.table.modes, now.mode, set("mode"))),
        isCentered && field("Reference model (or optimal)", reference)),
      Object.keys(app.table.references).length > 0 && h("p", { class: "small soft" }, "Taken as reference: ",
        Object.entries(app.table.references).map(([data, model]) => `${model} on ${data}`).join(", ")),
      h("h2", {}, "Weights and limits"),
      h("p", { class: "small soft" }, isScale
        ? "A scale has its reference set, so that no other row changes a grade; weights and limits of yours replace its own."
        : "A limit is the least index of its rating; without limits they are taken at the 0.8, 0.6, 0.4 and 0.2 quantiles."),
      h("div", { class: "filters" }, used.map((property) => {
        const weight = now.weights[property.key] ?? property.weight ?? "";
        const slider = h("input", { type: "range", min: 0, max: 1, step: 0.05, value: weight === "" ? 0 : weight, disabled: isFixed,
          "aria-label": `weight of ${property.name}`, oninput: () => { shown.textContent = ` ${slider.value}`; },
          onchange: () => { now.weights[property.key] = Number(slider.value); apply(); } });
        const shown = h("span", { class: "soft" }, ` ${weight === "" ? "shared out evenly" : weight}`);
        const own = now.boundaries?.[property.key];
        const taken = own ?? app.table.boundaries[property.key];
        const limits = ["A", "B", "C", "D"].map((letter, place) => {
          const control = h("input", { type: "number", step: 0.001, value: taken ? Number(taken[place].toFixed(4)) : "", disabled: isFixed,
            "aria-label": `least index of ${letter} for ${property.name}`, style: "width:5.6em", onchange: () => {
              const list = limits.map((one) => Number(one.value));
              if (limits.some((one) => one.value === "")) return;
              now.boundaries = { ...(now.boundaries ?? app.table.boundaries), [property.key]: list };
              apply();
            } });
          return control;
        });
        return h("fieldset", {}, h("legend", {}, property.name), slider, shown,
          h("div", { class: "bar", style: "gap:4px" }, limits));
      })));
  }

  const save = () => {
    const link = h("a", { download: "assay-settings.json",
      href: URL.createObjectURL(new Blob([JSON.stringify(now, null, 2)], { type: "application/json" })) });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const file = h("input", { type: "file", accept: ".json,application/json", "aria-label": "Settings file", onchange: async () => {
    try {
      now = JSON.parse(await file.files[0].text());
      await apply();
    } catch (error) {
      replace(fault, `this file cannot be read: ${error.message}`);
    }
  } });

  show();
  replace(page, h("section", { class: "card" }, h("h1", {}, "How rows are rated"),
    isFixed && h("p", { class: "soft" }, "This is an exported site: ratings are as they were exported. assay serve computes them anew."),
    !isFixed && h("div", { class: "bar" }, h("button", { type: "button", id: "save", onclick: save }, "Save (JSON)"),
      h("label", { class: "field" }, "Load", file),
      h("button", { type: "button", onclick: () => { now = { method: now.method }; apply(); } }, "Usual weights and limits")),
    fault, form),
    h("section", { class: "card" }, h("h2", {}, "Keys"), h("p", {}, "o overview, r run, s settings, t light or dark, / first field"),
      h("p", { class: "small soft" }, `${plural(app.table.count, "row")} of ${app.table.source}; assay ${app.table.version}`)));
  return {};
}

