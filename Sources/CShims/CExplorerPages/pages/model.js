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
  let other = rows.find((row) => String(row.row) === query.get("against")) ?? null;
  const details = h("div", {});
  const difference = h("div", {});
  const samples = h("div", { class: "chart low", id: "samples" });
  let times = null;

  const picked = (row) => String(row.row);
  const options = rows.map((row, place) => [picked(row), title(row, place)]);
  const keep = () => {
    const choice = new URLSearchParams([["row", picked(one)]]);
    if (other) choice.set("against", picked(other));
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
    replace(details, rating, facts, figures);
    if (one.id) await showRecord();
    showDifference();
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
    const blob = () => {
      const link = h("a", { href: URL.createObjectURL(new Blob([JSON.stringify(record, null, 2)], { type: "application/json" })),
        download: `assay-record-${one.id}.json` });
      link.click();
      URL.revokeObjectURL(link.href);
    };
    const drawing = h("div", {});
    replace(box,
      h("p", {}, h("b", {}, record.verdict), reasons.length ? ": " : "", reasons.map((reason, place) =>
        [place ? "; " : "", reason.summary ?? reason.text ?? reason.code])),
      h("h2", {}, "Raw samples"), samples,
      h("h2", {}, "How it was made"), h("pre", {}, answer.command),
      h("div", { class: "bar" },
        h("button", { type: "button", id: "record", onclick: blob }, "Download the record (JSON)"),
        app.table.canRun && h("button", { type: "button", onclick: () => replace(drawing,
          h("iframe", { src: app.source.network(one.id), title: `Network of ${name}`, sandbox: "allow-scripts" })) }, "Draw the network")),
      drawing);
    showSamples();
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

  function showDifference() {
    replace(difference, h("div", { class: "bar" },
      field("Against", select([["", "nothing"], ...options.filter(([word]) => word !== picked(one))], other ? picked(other) : "", (value) => {
        other = rows.find((row) => picked(row) === value) ?? null;
        keep();
        showDifference();
      }))));
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
