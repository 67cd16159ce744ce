// One model: every environment that it was measured in, one record whole, one against another.

import { color, draw, gradeColor } from "./chart.js";
import { LETTERS, field, figure, grade, h, number, plural, replace, select, table } from "./markup.js";

export async function model(app, page, name, query) {
  const data = await app.source.model(name);
  const properties = app.table.properties;
  const at = Object.fromEntries(app.table.facets.map((facet, place) => [facet.key, place]));
  const used = properties.map((_, place) => place)
    .filter((place) => data.rows.some((row) => row.values[place] !== null));
  const rows = data.rows;
  const title = (row, place) => `${row.facets[at.environment]}${row.id ? ` (${row.id.slice(-6)})` : ` (row ${place + 1})`}`;
  let one = rows.find((row) => String(row.row) === query.get("row")) ?? rows.at(-1);
  // What it is held against: a row of this model, or of another one.
  let rivals = rows;
  let rival = query.get("model") && query.get("model") !== name ? query.get("model") : name;
  if (rival !== name) rivals = await app.source.model(rival).then((made) => made.rows).catch(() => { rival = name; return rows; });
  let other = rivals.find((row) => String(row.row) === query.get("against")) ?? null;
  const details = h("div", {});
  const difference = h("div", {});
  const samples = h("div", { class: "chart low", id: "samples" });
  let times = null;

  const picked = (row) => String(row.row);
  const options = rows.map((row, place) => [picked(row), title(row, place)]);
  const keep = () => {
    const choice = new URLSearchParams([["row", picked(one)]]);
    if (other) {
      choice.set("against", picked(other));
      if (rival !== name) choice.set("model", rival);
    }
    app.go("model", name, choice, true);
  };

  async function showOne() {
    keep();
    times = null;
    const rating = h("p", {}, "Rated ", grade(one.grade), one.chances ? ` (${one.chances})` : "", ` with an index of ${one.index?.toFixed(3) ?? "–"} `,
      app.table.settings.scale ? `by the frozen scale ${app.table.settings.scale}` : "among the models of its task, data and environment",
      one.parts.length ? ": " : ".", one.parts.map((part, place) => [place ? ", " : "", part.name, " ", grade(part.grade)]));
    const figures = table("Figures of this measurement",
      ["Property", { text: "Value and interval", numeric: true }, { text: "Index", numeric: true }, "Rating", { text: "Where it comes from", wraps: true }],
      used.map((place) => [properties[place].name,
        figure(one.values[place], one.lows[place], one.highs[place], properties[place].unit),
        one.indices[place]?.toFixed(3) ?? "–", grade(one.grades[place]), properties[place].source]));
    const facts = h("p", { class: "soft" }, app.table.facets
      .map((facet, place) => `${facet.name.toLowerCase()} ${one.facets[place]}`).filter((text) => !text.endsWith(" not told")).join(" · "));
    replace(details, h("div", { class: "beside" }, h("div", {}, rating, facts, figures), showLabel()));
    if (one.id) await showRecord();
    showDifference();
  }

  /// The energy label, and what else can be taken along.
  function showLabel() {
    const summary = h("button", { type: "button", id: "summary", onclick: () =>
      save(JSON.stringify(summaryOf(one), null, 2), `energy-summary-${name}-${one.facets[at.environment]}.json`.replaceAll(/[^\w.-]+/g, "-")) }, "Summary (JSON)");
    if (!app.source.label) return h("div", { class: "label" }, h("p", {}, summary));
    const picture = h("img", { src: app.source.label(one, "svg", true), alt: `Energy label of ${name}: rated ${one.grade}`, width: 240, height: 373,
      onerror: () => replace(box, h("p", { class: "soft" }, "The label cannot be drawn here; ", h("code", {}, "assay doctor"), " tells why."), h("p", {}, summary)) });
    const box = h("div", { class: "label" }, picture, h("p", { class: "bar" },
      ["svg", "pdf", "png"].map((form) => h("a", { class: "button", id: `label-${form}`, download: true, href: app.source.label(one, form) }, `Label (${form.toUpperCase()})`)),
      summary));
    return box;
  }

  function save(text, file) {
    const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: file });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /// What the page says of a row, for scripts: each figure with unit, interval, index, rating and weight.
  function summaryOf(row) {
    const facets = Object.fromEntries(app.table.facets.map((facet, place) => [facet.key, row.facets[place]]));
    return {
      schema: "assay.explorer-summary/1", source: app.table.source, record: row.id || null, ...facets,
      settings: app.table.settings, index: row.index, rating: row.grade, probabilities: row.chances || null, parts: row.parts,
      properties: used.map((place) => ({
        key: properties[place].key, name: properties[place].name, unit: properties[place].unit, value: row.values[place],
        interval: row.lows[place] === null ? null : [row.lows[place], row.highs[place]], index: row.indices[place],
        rating: row.grades[place], weight: app.table.settings.weights[properties[place].key] ?? properties[place].weight,
        source: properties[place].source,
      })),
    };
  }

  async function showRecord() {
    const box = h("div", {});
    details.append(box);
    let answer;
    try {
      answer = await app.source.record(one.id);
    } catch (error) {
      replace(box, h("p", { class: "warn" }, error.message));
      return;
    }
    const record = answer.record;
    times = record;
    const reasons = record.reasons ?? [];
    const drawing = h("div", {});
    replace(box,
      h("p", {}, h("b", {}, record.verdict), reasons.length ? ": " : "", reasons.map((reason, place) =>
        [place ? "; " : "", reason.summary ?? reason.text ?? reason.code])),
      h("h2", {}, "Raw samples"), samples,
      h("h2", {}, "How it was made"), h("pre", {}, answer.command),
      h("div", { class: "bar" },
        h("button", { type: "button", id: "record", onclick: () => save(JSON.stringify(record, null, 2), `assay-record-${one.id}.json`) }, "Download the record (JSON)"),
        app.source.samples && h("a", { class: "button", id: "csv", download: true, href: app.source.samples(one.id) }, "Raw samples (CSV)")),
      app.table.canRun && showNetwork(drawing),
      drawing);
    showSamples();
  }

  /// The network with time and energy on it, and with errors against a record that is chosen.
  function showNetwork(drawing) {
    const originals = [...rows, ...(rival === name ? [] : rivals)].filter((row) => row.id && row.id !== one.id);
    const against = select([["", "nothing"], ...originals.map((row, place) => [row.id, `${row.facets[0]}, ${title(row, place)}`])], "");
    return h("div", { class: "bar" },
      h("button", { type: "button", id: "network", onclick: () => replace(drawing,
        h("p", { class: "small soft" }, "Color by measured time, energy or error with the list in the drawing."),
        h("iframe", { src: app.source.network(one.id, against.value), title: `Network of ${name}`, sandbox: "allow-scripts" })) }, "Draw the network"),
      field("with errors against", against));
  }

  function showSamples() {
    if (!times) return;
    const list = times.samples ?? [];
    if (!list.length) return;
    // More points than pixels say nothing more: every so many samples, and the greatest between them.
    const step = Math.ceil(list.length / 1500);
    const [x, y] = [[], []];
    for (let start = 0; start < list.length; start += step) {
      const part = list.slice(start, start + step);
      x.push(start);
      y.push(part.reduce((a, b) => Math.max(a, b)) / 1e6);
    }
    draw(samples, `${list.length} latencies in order of measurement, from ${number(Math.min(...y) / 1e3, "seconds")} to ${number(Math.max(...y) / 1e3, "seconds")}.`,
      [{ type: "scatter", mode: "markers", x, y, marker: { size: 4, color: color("accent") },
        hovertemplate: "sample %{x}: %{y:.4g} ms<extra></extra>" }],
      { xaxis: { title: { text: step > 1 ? `sample (the slowest of each ${step})` : "sample" } }, yaxis: { title: { text: "ms" }, rangemode: "tozero" } });
  }

  async function chooseRival(word) {
    try {
      rivals = word === name ? rows : (await app.source.model(word)).rows;
      rival = word;
      other = null;
    } catch (error) {
      app.say(error.message);
    }
    keep();
    showDifference();
  }

  function showDifference() {
    const words = h("div", { id: "sentences", "aria-live": "polite" });
    const models = h("datalist", { id: "models" }, (app.table.models ?? []).map((word) => h("option", { value: word })));
    const model = h("input", { value: rival, list: "models", id: "rival", onchange: () => chooseRival(model.value.trim()) });
    const list = rivals.map((row, place) => [picked(row), title(row, place)]).filter(([word]) => word !== picked(one));
    replace(difference, h("div", { class: "bar" },
      field("Against the model", model), models,
      field("and its measurement", select([["", "nothing"], ...list], other ? picked(other) : "", (value) => {
        other = rivals.find((row) => picked(row) === value) ?? null;
        keep();
        showDifference();
      }))), words);
    if (!other) return;
    difference.append(table("This run against the other",
      ["Property", { text: "This", numeric: true }, { text: "Other", numeric: true }, { text: "Difference", numeric: true }, "Intervals"],
      used.map((place) => {
        const [a, b] = [one.values[place], other.values[place]];
        const part = a === null || b === null || b === 0 ? null : (a - b) / Math.abs(b) * 100;
        const apart = [one, other].some((row) => row.lows[place] === null) ? "not known"
          : one.lows[place] > other.highs[place] || other.lows[place] > one.highs[place] ? "apart" : "overlap";
        const good = part === null || part === 0 ? "" : (part > 0) === properties[place].isMaximized ? " (better)" : " (worse)";
        return [properties[place].name, number(a, properties[place].unit), number(b, properties[place].unit),
          part === null ? "–" : `${part > 0 ? "+" : ""}${part.toFixed(1)} %${good}`, apart];
      })));
    if (one.id && other.id && app.source.difference) {
      // The other one is what this one is held against.
      app.source.difference(other.id, one.id).then((made) => replace(words, made.sentences.map((text) => h("p", {}, text))))
        .catch((error) => replace(words, h("p", { class: "warn" }, error.message)));
    }
  }

  const chart = h("div", { class: "chart", id: "environments" });
  const place = () => Math.max(0, properties.findIndex((property) => property.key === (query.get("p") ?? app.table.axes.x)));
  function showChart() {
    const shown = rows.slice(-40);
    const property = properties[place()];
    draw(chart, `${property.name} of ${name} by environment; the table below has the figures.`, [{
      type: "bar", orientation: "h", y: shown.map((row, index) => title(row, index)), x: shown.map((row) => row.values[place()]),
      marker: { color: shown.map((row) => gradeColor(LETTERS.indexOf(row.grades[place()]))) },
      error_x: shown.every((row) => row.lows[place()] === null) ? undefined : { type: "data", symmetric: false, color: color("soft"),
        array: shown.map((row) => row.highs[place()] === null ? 0 : row.highs[place()] - row.values[place()]),
        arrayminus: shown.map((row) => row.lows[place()] === null ? 0 : row.values[place()] - row.lows[place()]) },
      text: shown.map((row) => number(row.values[place()], property.unit)), hoverinfo: "text",
    }], { xaxis: { title: { text: property.name }, exponentformat: "SI" }, yaxis: { automargin: true } });
  }

  replace(page,
    h("p", {}, h("a", { href: "#/overview" }, "← Overview")),
    h("h1", {}, name),
    h("section", { class: "card" },
      h("div", { class: "bar" },
        field("Property", select(used.map((index) => [properties[index].key, properties[index].name]), properties[place()].key, (value) => {
          query.set("p", value);
          showChart();
        }))), chart),
    h("section", { class: "card" },
      h("h2", {}, plural(data.count, "measurement")),
      h("div", { class: "bar" }, field("Measurement", select(options, picked(one), (value) => {
        one = rows.find((row) => picked(row) === value);
        showOne().catch((error) => app.say(error.message));
      }))), details),
    h("section", { class: "card" }, h("h2", {}, "Difference"), difference));
  await showOne();
  return { shown: () => { showChart(); showSamples(); }, redraw: () => { showChart(); showSamples(); } };
}
