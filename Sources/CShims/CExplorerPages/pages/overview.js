// The overview: two properties against each other, and what follows from the choice of rows.

import { draw, color, gradeColor, isReady } from "./chart.js";
import { LETTERS, check, field, figure, grade, h, plural, replace, select, table } from "./markup.js";
import { sketch } from "./sketch.js";

const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down", "star",
  "pentagon", "hexagram", "bowtie", "hourglass"];

export async function overview(app, page, _, query) {
  const properties = app.table.properties.filter((property) => property.hasValues);
  const of = (key) => app.table.properties.find((property) => property.key === key);
  const names = properties.map((property) => [property.key, property.name]);
  // Everything that the view depends on is in the address, so that any view can be linked to.
  const choice = new URLSearchParams(query);
  if (!choice.get("x")) choice.set("x", app.table.axes.x);
  if (!choice.get("y")) choice.set("y", app.table.axes.y);
  const hasFilters = () => [...choice.keys()].some((key) => key === "grade" || key.startsWith("range.") || app.table.facets.some((facet) => facet.key === key));
  const isOff = (word) => choice.get(word) === "0";
  const places = Object.fromEntries(app.table.facets.map((facet, place) => [facet.key, place]));

  const scatter = h("div", { class: "chart", id: "scatter", tabindex: "0" });
  const counts = h("div", { id: "grades", role: "group", "aria-label": "Counts of ratings" });
  const matrix = h("div", { id: "correlation" });
  const rows = h("div", { id: "rows" });
  const caption = h("p", { class: "small soft", id: "caption" });
  const answer = h("p", { class: "answer", id: "answer", "aria-live": "polite" });
  const filters = h("div", { class: "filters", id: "filters" });
  const filterTitle = h("summary", {}, "Filters");
  const axes = h("div", { class: "bar" });
  const download = h("a", { class: "button", id: "csv", download: "assay-table.csv" }, "Download these rows (CSV)");
  const forms = [["html", "page"], ["pdf", "PDF"], ["md", "Markdown"], ["tex", "LaTeX"], ["jsonl", "records as JSON lines"]];
  const comparison = app.source.comparison && app.table.hasRecords
    ? select([["", "as a comparison …"], ...forms], "", (form) => {
      comparison.value = "";
      if (form) take(form);
    }) : null;
  const spoken = h("p", { class: "small", role: "status", id: "spoken" });
  let view = null;
  let turn = 0;
  // Nothing is drawn before the page stands: a drawing outside of it has no size and is made twice.
  let isShown = false;

  if (!app.table.count) {
    replace(page, h("div", { class: "card" }, h("h1", {}, "Nothing measured yet"),
      h("p", {}, app.table.canRun ? h("a", { href: "#/run" }, "Run a benchmark") : "Measure with assay bench or assay try",
        ", or serve a published table with ", h("code", {}, "assay serve --table FILE.csv --properties P.json"), ".")));
    return { tableChanged: () => location.reload() };
  }

  const asked = () => {
    const text = new URLSearchParams(choice);
    for (const word of ["lines", "front", "tiles", "intervals", "logx", "logy"]) text.delete(word);
    return text;
  };

  const keep = () => app.go("overview", "", choice, true);

  /// A file by a link, so that a refusal can be told in the page's words.
  async function take(form) {
    const answer = await fetch(app.source.comparison(asked(), form)).catch((error) => ({ ok: false, json: () => ({ error: [{ summary: error.message }] }) }));
    if (!answer.ok) {
      const fault = (await answer.json())?.error?.[0];
      app.say(`${fault?.summary ?? "the comparison cannot be made"}${fault?.remedy ? ` (${fault.remedy})` : ""}`);
      return;
    }
    const link = h("a", { href: URL.createObjectURL(await answer.blob()), download: `assay-comparison.${form}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  async function refresh() {
    const mine = ++turn;
    keep();
    try {
      const made = await app.source.view(asked());
      if (mine !== turn) return;
      view = made;
    } catch (error) {
      app.say(error.message);
      return;
    }
    showControls();
    showRest(view);
    if (isShown) paint(showScatter);
  }

  /// The words are seen first, then the drawing is made, which takes longer.
  function paint(make) {
    const mine = turn;
    requestAnimationFrame(() => setTimeout(() => { if (mine === turn) make(); }, 0));
  }

  async function brushed(x, y) {
    const mine = ++turn;
    if (x) {
      choice.set("brush.x", `${x[0]}~${x[1]}`);
      choice.set("brush.y", `${y[0]}~${y[1]}`);
    } else {
      choice.delete("brush.x");
      choice.delete("brush.y");
    }
    keep();
    const text = asked();
    text.set("part", "brush");
    const made = await app.source.view(text).catch((error) => { app.say(error.message); return null; });
    if (made && mine === turn) showRest(made);
  }

  /// Whether an axis is logarithmic: as chosen, else where positive values are spread widely.
  function isLog(key) {
    const chosen = choice.get(`log${key}`);
    if (chosen) return chosen === "1";
    if (view.grid) return view.grid[key === "x" ? "isLogX" : "isLogY"];
    const values = view.points[key];
    const [low, high] = [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), 0)];
    return low > 0 && high / low > 20;
  }

  // MARK: Controls

  function showControls() {
    const set = (word) => (value) => {
      choice.set(word, value);
      if (word === "x" || word === "y") { choice.delete("brush.x"); choice.delete("brush.y"); }
      refresh();
    };
    const drawn = (word) => (isOn) => {
      if (isOn) choice.delete(word); else choice.set(word, "0");
      keep();
      showScatter();
    };
    const logs = (word) => (isOn) => {
      choice.set(word, isOn ? "1" : "0");
      keep();
      showScatter();
    };
    replace(axes,
      field("Across", select(names, choice.get("x"), set("x"))),
      field("Up", select(names, choice.get("y"), set("y"))),
      check("logarithmic across", isLog("x"), logs("logx")),
      check("up", isLog("y"), logs("logy")),
      check("rating tiles", !isOff("tiles"), drawn("tiles")),
      check("lines of a model", !isOff("lines"), drawn("lines")),
      check("Pareto front", !isOff("front"), drawn("front")),
      check("intervals", !isOff("intervals"), drawn("intervals")));
    let active = 0;
    replace(filters, app.table.facets.filter((facet) => facet.count > 1).map((facet) => {
      const wanted = new Set(choice.getAll(facet.key));
      active += wanted.size;
      const listed = view.facets[facet.key];
      const extra = [...wanted].filter((value) => !listed.some(([name]) => name === value)).map((value) => [value, 0]);
      return h("fieldset", {}, h("legend", {}, facet.name), h("div", { class: "choices" },
        [...extra, ...listed].filter(([value, count]) => count > 0 || wanted.has(value)).map(([value, count]) => {
          const box = h("input", { type: "checkbox", onchange: () => {
            if (box.checked) wanted.add(value); else wanted.delete(value);
            choice.delete(facet.key);
            for (const one of wanted) choice.append(facet.key, one);
            refresh();
          } });
          box.checked = wanted.has(value);
          return h("label", {}, box, value, h("span", {}, count.toLocaleString("en")));
        })));
    }));
    active += choice.getAll("grade").length + [...choice.keys()].filter((key) => key.startsWith("range.")).length;
    replace(filterTitle, active ? `Filters (${active} on)` : "Filters");
    download.href = app.source.csv(asked());
  }

  // MARK: The question

  const usualGiven = choice.get("y");
  const goal = {
    best: select(names, choice.get("best") ?? choice.get("x"), () => ask()),
    given: select(names, choice.get("given") ?? usualGiven, () => ask()),
    bound: h("input", { type: "number", step: "any", value: choice.get("bound") ?? "", onchange: () => ask(), "aria-label": "bound" }),
  };
  function isFraction(key) { return ["percent", "fraction"].includes(of(key).unit); }
  function ask() {
    if (goal.bound.value === "") {
      for (const word of ["best", "given", "bound"]) choice.delete(word);
    } else {
      choice.set("best", goal.best.value);
      choice.set("given", goal.given.value);
      choice.set("bound", goal.bound.value / (isFraction(goal.given.value) ? 100 : 1));
    }
    refresh();
  }
  if (choice.get("bound") && isFraction(goal.given.value)) {
    goal.bound.value = Number((choice.get("bound") * 100).toPrecision(12));
  }
  function showAnswer() {
    const best = of(goal.best.value);
    const given = of(goal.given.value);
    if (!view.goal) { replace(answer); return; }
    const row = view.goal.row;
    if (!row) { replace(answer, `No row has ${given.name} that good.`); return; }
    const value = (key) => {
      const place = app.table.properties.indexOf(of(key));
      return figure(row.values[place], row.lows[place], row.highs[place], of(key).unit);
    };
    replace(answer, h("a", { href: `#/model/${encodeURIComponent(row.facets[0])}` }, h("b", {}, row.facets[0])),
      ` on ${row.facets[1]}: ${best.name} ${value(best.key)}, ${given.name} ${value(given.key)} `,
      grade(row.grade), h("span", { class: "soft small" }, ` best of ${plural(view.goal.candidates, "row")}`));
  }

  // MARK: The scatter

  function hover(x, y, points, index) {
    return `<b>${safe(points.model[index])}</b><br>${safe(points.environment[index])}<br>`
      + `${safe(x.name)}: ${figure(points.x[index], points.xLow[index], points.xHigh[index], x.unit)}<br>`
      + `${safe(y.name)}: ${figure(points.y[index], points.yLow[index], points.yHigh[index], y.unit)}<br>`
      + `rating ${LETTERS[points.grade[index]]} (${digits(points.index[index])})`;
  }

  function showScatter() {
    if (!view) return;
    const [x, y] = [of(view.x), of(view.y)];
    const traces = [];
    const points = view.points;
    const [isLogX, isLogY] = [isLog("x"), isLog("y")];
    if (view.grid) {
      const edges = (list, isLog) => isLog ? list.map((value) => 10 ** value) : list;
      traces.push({
        type: "heatmap", x: edges(view.grid.x, view.grid.isLogX), y: edges(view.grid.y, view.grid.isLogY),
        z: view.grid.counts.map((line) => line.map((count) => count ? Math.log10(count) : null)),
        text: view.grid.counts, hovertemplate: "%{text} rows<extra></extra>", showscale: false,
        colorscale: [[0, color("line")], [1, color("accent")]], name: "rows",
      });
    }
    if (points && !isOff("lines")) traces.push(lines(points));
    if (points) traces.push(...markers(points, x, y));
    if (!isOff("front")) traces.push(front(view.front, x, y));
    // Without common limits on either axis the background is one picture: a hundred tiles cost as much as all points.
    const isGradient = !view.tiles.x && !view.tiles.y;
    const tiles = isOff("tiles") || isGradient ? [] : tileShapes(x, y, isLogX, isLogY);
    const images = isOff("tiles") || !isGradient ? [] : [gradient(x, y)];
    const axis = (property, isLog) => ({
      title: { text: `${property.name}${unitText(property)}`, standoff: 6 }, type: isLog ? "log" : "linear",
      tickformat: isFraction(property.key) ? ",.0%" : undefined, exponentformat: "SI",
      // There is nothing above the whole; a little room shows points that reach it.
      maxallowed: isFraction(property.key) ? 1.02 : undefined,
    });
    const layout = {
      xaxis: axis(x, isLogX), yaxis: axis(y, isLogY), shapes: tiles, images, dragmode: "select", showlegend: !view.grid,
      legend: { orientation: "h", y: -0.2, yanchor: "top", font: { size: 12 } }, uirevision: `${view.x} ${view.y}`,
      margin: { l: 60, r: 10, t: 10, b: 60 },
    };
    replace(caption, `${plural(view.shown, "row")} of ${view.total.toLocaleString("en")}`,
      view.grid ? `, too many to draw one by one: cells are darker with more rows; the dashed line is the Pareto front` : "",
      ". Drag over the drawing to look at a part of it; double click to let go. ",
      isOff("tiles") || (view.tiles.x && view.tiles.y) ? "" :
        "Limits differ between environments, so the background is a gradient; filter to one environment for its tiles.");
    if (app.table.hasCharts && !isReady()) replace(scatter, sketch(scatter, view, x, y, isLogX, isLogY));
    const count = view.drawn;
    draw(scatter, `Scatter of ${y.name} against ${x.name}: ${count} rows; the table below has their figures.`, traces, layout, {
      plotly_selected: (event) => {
        if (!event?.range?.x) return;
        brushed(event.range.x.toSorted((a, b) => a - b), event.range.y.toSorted((a, b) => a - b));
      },
      plotly_deselect: () => brushed(null, null),
      plotly_click: (event) => {
        const name = event.points[0]?.customdata;
        if (name) app.go("model", name);
      },
    });
    showAnswer();
  }

  function markers(points, x, y) {
    const environments = [...new Set(points.environment)];
    // Beyond the number of symbols an environment no longer can be told apart by one.
    const groups = environments.length <= SYMBOLS.length ? environments : [null];
    return groups.map((environment, place) => {
      const some = points.row.map((_, index) => index)
        .filter((index) => environment === null || points.environment[index] === environment);
      const bars = (value, low, high) => {
        if (isOff("intervals") || !some.some((index) => low[index] !== null)) return undefined;
        return {
          type: "data", symmetric: false, thickness: 1, width: 0, color: color("soft"),
          array: some.map((index) => high[index] === null ? 0 : high[index] - value[index]),
          arrayminus: some.map((index) => low[index] === null ? 0 : value[index] - low[index]),
        };
      };
      return {
        type: "scatter", mode: "markers", name: environment ?? "all environments",
        x: some.map((index) => points.x[index]), y: some.map((index) => points.y[index]),
        customdata: some.map((index) => points.model[index]),
        text: some.map((index) => hover(x, y, points, index)), hovertemplate: "%{text}<extra></extra>",
        error_x: bars(points.x, points.xLow, points.xHigh), error_y: bars(points.y, points.yLow, points.yHigh),
        marker: {
          symbol: SYMBOLS[place], size: 9, line: { width: 1, color: color("ink") },
          color: some.map((index) => gradeColor(points.grade[index])),
        },
      };
    });
  }

  function lines(points) {
    const models = new Map();
    points.model.forEach((name, index) => {
      if (!models.has(name)) models.set(name, []);
      models.get(name).push(index);
    });
    const [x, y] = [[], []];
    for (const some of models.values()) {
      if (some.length < 2) continue;
      for (const index of some.toSorted((a, b) => points.x[a] - points.x[b])) {
        x.push(points.x[index]);
        y.push(points.y[index]);
      }
      x.push(null);
      y.push(null);
    }
    return {
      type: "scatter", mode: "lines", x, y, name: "same model", hoverinfo: "skip", opacity: 0.45,
      line: { width: 1, color: color("soft") },
    };
  }

  function front(points, x, y) {
    return {
      type: "scatter", mode: view.grid ? "lines+markers" : "lines", name: "Pareto front", x: points.x, y: points.y,
      line: { dash: "dash", width: 2, color: color("accent") }, marker: { size: 8, color: color("accent") },
      customdata: points.model, text: points.row.map((_, index) => hover(x, y, points, index)),
      hovertemplate: "%{text}<extra></extra>",
    };
  }

  /// Tiles between the limits of grades on both axes, or a gradient where there are no common limits.
  function tileShapes(x, y) {
    const bands = (tiles, property, key) => {
      if (tiles) {
        const best = property.isMaximized ? Infinity : -Infinity;
        return tiles.map((tile, place) => ({
          from: tile.value ?? best, to: tiles[place + 1]?.value ?? -best, grade: LETTERS.indexOf(tile.grade),
        }));
      }
      const count = 10;
      return Array.from({ length: count }, (_, place) => {
        const part = property.isMaximized ? 1 - (place + 0.5) / count : (place + 0.5) / count;
        return { paper: [place / count, (place + 1) / count], grade: part * 4, key };
      });
    };
    const wide = (band) => band.paper ?? [limit(band.from), limit(band.to)];
    const limit = (value) => value === Infinity ? 1e30 : value === -Infinity ? -1e30 : value;
    const shapes = [];
    for (const across of bands(view.tiles.x, x, "x")) {
      for (const up of bands(view.tiles.y, y, "y")) {
        const [x0, x1] = clip(wide(across), across.paper, "x");
        const [y0, y1] = clip(wide(up), up.paper, "y");
        shapes.push({
          type: "rect", layer: "below", line: { width: 0 }, opacity: 0.16, fillcolor: mix((across.grade + up.grade) / 2),
          xref: across.paper ? "paper" : "x", yref: up.paper ? "paper" : "y", x0, x1, y0, y1,
        });
      }
    }
    return shapes;
  }

  /// A picture that is greener towards the better corner.
  function gradient(x, y) {
    const kind = `${x.isMaximized} ${y.isMaximized} ${gradeColor(0)} ${gradeColor(4)}`;
    if (!gradients.has(kind)) gradients.set(kind, gradientPicture(x, y));
    return { source: gradients.get(kind), xref: "paper", yref: "paper", x: 0, y: 1, sizex: 1, sizey: 1, sizing: "stretch", layer: "below", opacity: 0.16 };
  }

  function gradientPicture(x, y) {
    const side = 12;
    const canvas = h("canvas", { width: side, height: side });
    const pen = canvas.getContext("2d");
    const part = (property, place) => property.isMaximized ? 1 - (place + 0.5) / side : (place + 0.5) / side;
    for (let across = 0; across < side; across += 1) {
      for (let up = 0; up < side; up += 1) {
        pen.fillStyle = mix(2 * (part(x, across) + part(y, up)));
        pen.fillRect(across, side - 1 - up, 1, 1);
      }
    }
    return canvas.toDataURL();
  }

  /// Open ends of tiles are drawn as far as the points reach, and a little further.
  function clip([one, other], isPaper, key) {
    if (isPaper) return [one, other];
    const values = (view.points ?? view.front)[key].filter((value) => value !== null);
    const gridEnds = view.grid ? [view.grid[key][0], view.grid[key].at(-1)].map((value) =>
      view.grid[key === "x" ? "isLogX" : "isLogY"] ? 10 ** value : value) : [];
    const low = values.concat(gridEnds).reduce((a, b) => Math.min(a, b), Infinity);
    const high = values.concat(gridEnds).reduce((a, b) => Math.max(a, b), -Infinity);
    const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
    const least = low > 0 ? Math.max(low - room, low * 0.8) : low - room;
    return [one, other].map((value) => Math.min(Math.max(value, least), high + room));
  }

  function mix(place) {
    const [low, high] = [Math.floor(place), Math.min(4, Math.ceil(place))];
    const parse = (text) => [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));
    const [a, b] = [parse(gradeColor(low)), parse(gradeColor(high))];
    return `rgb(${a.map((value, index) => Math.round(value + (b[index] - value) * (place - low))).join(",")})`;
  }

  // MARK: The scatter by keyboard

  let walked = -1;
  scatter.addEventListener("keydown", (event) => {
    if (!view) return;
    const points = view.points ?? view.front;
    const order = points.x.map((_, index) => index).sort((a, b) => points.x[a] - points.x[b] || points.y[a] - points.y[b]);
    const steps = { ArrowRight: 1, ArrowLeft: -1 };
    if (event.key in steps && order.length) {
      event.preventDefault();
      walked = Math.min(Math.max(walked + steps[event.key], 0), order.length - 1);
      const [x, y, at] = [of(view.x), of(view.y), order[walked]];
      replace(spoken, `${walked + 1} of ${order.length}: ${points.model[at]} on ${points.environment[at]}, ${x.name} ${figure(points.x[at], null, null, x.unit)}, ${y.name} ${figure(points.y[at], null, null, y.unit)}, rating ${LETTERS[points.grade[at]]}. Enter opens it.`);
    }
    if (event.key === "Enter" && walked >= 0 && walked < order.length) app.go("model", points.model[order[walked]]);
  });

  // MARK: What follows from the choice

  function showRest(made) {
    showRows(made);
    showCounts(made);
    showCorrelation(made);
  }

  /// Rows of each rating, as bars that can be pressed.
  function showCounts(made) {
    const wanted = new Set(choice.getAll("grade"));
    const shownGrades = LETTERS.map((_, index) => index).filter((index) => index < 5 || made.grades[5] > 0);
    const most = Math.max(1, ...made.grades);
    replace(counts, shownGrades.map((index) => {
      const [letter, count] = [LETTERS[index], made.grades[index]];
      return h("button", { type: "button", class: "count", "aria-pressed": String(wanted.has(letter)), onclick: () => {
        if (wanted.has(letter)) wanted.delete(letter); else wanted.add(letter);
        choice.delete("grade");
        for (const one of wanted) choice.append("grade", one);
        refresh();
      } }, grade(letter), h("span", { class: `part ${letter.replaceAll(".", "")}`, style: `width:${(count / most * 100).toFixed(1)}%` }), count.toLocaleString("en"));
    }), chosenWords(made));
  }

  const chosenWords = (made) => made.chosen === made.shown ? null
    : h("p", { class: "small soft" }, `of the ${plural(made.chosen, "chosen row")}`);

  /// Correlations as a table whose cells are colored; one that is pressed becomes the axes.
  function showCorrelation(made) {
    const { keys, values } = made.correlation;
    const cell = (value, up, across) => {
      const name = `${of(keys[up]).name} against ${of(keys[across]).name}`;
      const text = value === null ? "–" : (Math.round(value * 100) / 100 || 0).toFixed(2);
      // Half a color at most, on which the text stands out in light and dark.
      const strength = Math.round(Math.abs(value ?? 0) * 50);
      const hue = value < 0 ? "#c2410c" : "#1d6fd8";
      return h("td", {}, h("button", {
        type: "button", disabled: up === across, title: `${name}: ${text}`,
        style: `background:color-mix(in srgb, ${hue} ${strength}%, var(--card))`, onclick: () => {
          choice.set("x", keys[across]);
          choice.set("y", keys[up]);
          choice.delete("brush.x");
          choice.delete("brush.y");
          refresh();
        },
      }, text));
    };
    replace(matrix, h("p", { class: "small soft" }, "Pearson's, over the rows that have both; press one to see it."), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Pearson's correlations" },
      h("table", { class: keys.length > 7 ? "matrix dense" : "matrix" },
        h("thead", {}, h("tr", {}, h("td", {}), keys.map((key, place) => h("th", { scope: "col", title: of(key).name }, String(place + 1))))),
        h("tbody", {}, values.map((line, up) => h("tr", {}, h("th", { scope: "row" }, `${of(keys[up]).name} ${up + 1}`),
          line.map((value, across) => cell(value, up, across))))))), chosenWords(made));
  }

  function showRows(made) {
    const shown = properties.slice(0, 8);
    const at = shown.map((property) => app.table.properties.indexOf(property));
    replace(rows,
      h("h2", {}, made.chosen === made.shown ? "All rows shown, best first" : `${plural(made.chosen, "chosen row")}, best first`),
      table(`The best ${plural(made.rows.length, "row")} of ${made.chosen.toLocaleString("en")}`,
        ["Rating", "Model", "Environment", ...shown.map((property) => ({ text: property.name, numeric: true }))],
        made.rows.map((row) => [
          h("span", {}, grade(row.grade), ` ${digits(row.index)}`),
          h("a", { href: `#/model/${encodeURIComponent(row.facets[places.model])}` }, row.facets[places.model]),
          row.facets[places.environment],
          ...at.map((place, index) => figure(row.values[place], row.lows[place], row.highs[place], shown[index].unit)),
        ])));
  }

  replace(page,
    h("section", { class: "card", "aria-label": "Question" },
      h("div", { class: "bar", style: "margin:0" }, field("The best", goal.best), field("with", goal.given),
        h("label", { class: "field" }, h("span", { id: "bound-word" }, "at least as good as (% for fractions)"), goal.bound)),
      answer),
    h("details", { class: "card", open: hasFilters() ? true : null }, filterTitle, filters,
      h("div", { class: "bar", style: "margin-top:10px" },
        h("button", { type: "button", id: "reset", onclick: () => {
          for (const key of [...choice.keys()]) if (!["x", "y"].includes(key)) choice.delete(key);
          refresh();
        } }, "Show everything"), download, comparison && field("or take along", comparison))),
    h("div", { class: "columns" },
      h("section", { class: "card", "aria-label": "Scatter" }, axes, scatter, caption, spoken),
      h("div", {},
        h("section", { class: "card" }, h("h2", {}, "Ratings"), counts),
        h("section", { class: "card" }, h("h2", {}, "Correlation"), matrix))),
    h("section", { class: "card" }, rows));
  await refresh();
  return {
    shown: () => {
      isShown = true;
      if (view) showScatter();
    },
    redraw: () => { if (view) showScatter(); },
    tableChanged: refresh,
  };
}

const gradients = new Map();

const digits = (value) => value === null ? "–" : value.toFixed(3);

/// Plotly reads a few tags in texts: a name may bring none.
const safe = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function unitText(property) {
  const words = { seconds: "s", wattseconds: "Ws", joules: "J", watts: "W", bytes: "B", decibel: "dB" };
  return words[property.unit] ? ` [${words[property.unit]}]` : "";
}

