// Run a model from the page: choose, press Benchmark, watch, see what it says of the pictures.

import { check, field, h, number, plural, replace, select, table } from "./markup.js";

export async function run(app, page) {
  if (!app.table.canRun) throw new Error("this explorer only shows; start assay serve where the models are");
  let bench = await app.source.bench();
  const jobs = new Map((await app.source.jobs()).map((job) => [job.id, job]));
  let sweeps = await app.source.ledger().catch(() => []);
  let mine = null;
  const choice = load();

  const form = h("div", {});
  const live = h("section", { class: "card", "aria-live": "polite", "aria-label": "Progress" });
  const result = h("section", { class: "card", id: "result", "aria-label": "Result" });
  const list = h("section", { class: "card" });
  const ledger = h("section", { class: "card", id: "ledger", "aria-label": "Ledger" });

  function load() {
    try { return JSON.parse(localStorage.getItem("assay-run")) ?? {}; } catch { return {}; }
  }
  function keep() {
    try { localStorage.setItem("assay-run", JSON.stringify(choice)); } catch { /* a private window keeps nothing */ }
  }

  // MARK: The form

  function showForm() {
    if (!bench.models.some((one) => one.name === choice.model)) choice.model = bench.models[0]?.name;
    const format = bench.models.find((one) => one.name === choice.model)?.format;
    const runtimes = bench.runtimes.map((one) => {
      const why = one.missing ? one.missing : format && !one.formats.includes(format) ? `does not read ${format}` : null;
      return [one.id, why ? `${one.id}: ${why}` : one.id, Boolean(why)];
    });
    if (!runtimes.some(([id, , isOff]) => id === choice.runtime && !isOff)) choice.runtime = runtimes.find(([, , isOff]) => !isOff)?.[0];
    if (!bench.pictures.some((one) => one.folder === choice.pictures)) choice.pictures = bench.pictures[0]?.folder;
    if (!bench.labels.includes(choice.labels)) choice.labels = bench.labels[0] ?? "";
    if (choice.preprocess === undefined) choice.preprocess = "mobilenet";
    choice.threads ??= Math.min(2, bench.processors);
    choice.top ??= 3;
    choice.threshold ??= 0;
    choice.preset ??= "quick";
    const set = (key, isNumber) => (value) => { choice[key] = isNumber ? Number(value) : value; keep(); };
    const amount = (key, attributes) => {
      const control = h("input", { type: "number", value: choice[key], ...attributes, onchange: () => set(key, true)(control.value) });
      return control;
    };
    const preprocess = h("input", { value: choice.preprocess, list: "specs", onchange: () => set("preprocess")(preprocess.value) });
    const file = h("input", { type: "file", multiple: true, onchange: () => upload([...file.files]), "aria-label": "Choose files" });
    const drop = h("div", { class: "drop",
      ondragover: (event) => { event.preventDefault(); drop.classList.add("over"); },
      ondragleave: () => drop.classList.remove("over"),
      ondrop: (event) => { event.preventDefault(); drop.classList.remove("over"); upload([...event.dataTransfer.files]); },
    }, "Drop models, pictures or series here, or ", file, h("p", { class: "small soft" }, `They are kept in ${bench.folder}.`));
    if (!bench.models.length) {
      replace(form, h("section", { class: "card" }, h("h1", {}, "Run a benchmark"),
        h("p", {}, "There is no model yet. Put .tflite or .onnx files and folders of pictures into ", h("code", {}, bench.folder), ", or drop them."), drop));
      return;
    }
    const pictures = bench.pictures.map((one) => [one.folder, `${one.folder || "this folder"} (${plural(one.names.length, "picture")})`]);
    const detector = select([...bench.detectors, ...bench.models.map((one) => one.name)], choice.detector ?? bench.detectors[0] ?? choice.model, set("detector"));
    const series = select(bench.series, choice.series ?? bench.series[0], set("series"));
    replace(form,
      h("section", { class: "card" }, h("h1", {}, "Run a benchmark"),
        h("form", { onsubmit: (event) => { event.preventDefault(); start(); } },
          h("div", { class: "bar" },
            field("Model", select(bench.models.map((one) => one.name), choice.model, (value) => { set("model")(value); showForm(); })),
            bench.devices?.length > 1 && field("Device", select(bench.devices, choice.device, set("device"))),
            field("Runtime", select(runtimes, choice.runtime, set("runtime"))),
            field("Provider", select(bench.providers, choice.provider ?? "cpu", set("provider"))),
            field("Threads", amount("threads", { min: 1, max: 1024, step: 1 })),
            field("Thoroughness", select(bench.presets, choice.preset, set("preset")))),
          h("div", { class: "bar" },
            pictures.length > 0 && check("look at pictures", choice.isLooking !== false, (isOn) => { choice.isLooking = isOn; keep(); }),
            pictures.length > 0 && field("Pictures", select(pictures, choice.pictures, set("pictures"))),
            pictures.length > 0 && field("Labels", select([["", "none"], ...bench.labels.map((one) => [one, one])], choice.labels, set("labels"))),
            pictures.length > 0 && field("Preparation", preprocess),
            pictures.length > 0 && field("Classes shown", amount("top", { min: 1, max: 100, step: 1 })),
            pictures.length > 0 && field("Least score", amount("threshold", { min: 0, max: 1, step: 0.05 }))),
          h("datalist", { id: "specs" }, ["mobilenet", "torch", "caffe", "scale=1/255", ""].map((word) => h("option", { value: word }))),
          h("button", { class: "primary", id: "benchmark" }, "Benchmark"))),
      h("section", { class: "card" }, h("h2", {}, "Detect anomalies"),
        bench.series.length && (bench.detectors.length || bench.models.length)
          ? h("div", { class: "bar", style: "margin:0" }, field("Detector", detector), field("Series", series),
            h("button", { type: "button", id: "detect", onclick: () => submit({ kind: "detect", detector: detector.value, series: series.value }) }, "Detect anomalies"))
          : h("p", { class: "soft" }, "Put a series (.csv, .npy) into the folder, and a detector made by ", h("code", {}, "assay train tcn-autoencoder"), ".")),
      h("section", { class: "card" }, drop));
  }

  function start() {
    const request = { kind: "bench", model: choice.model, runtime: choice.runtime, provider: choice.provider ?? "cpu",
      threads: choice.threads, preset: choice.preset };
    if (bench.devices?.some(([word]) => word === choice.device)) request.device = choice.device;
    if (bench.pictures.length && choice.isLooking !== false) {
      Object.assign(request, { pictures: choice.pictures, labels: choice.labels, preprocess: choice.preprocess, top: choice.top, threshold: choice.threshold });
    }
    submit(request);
  }

  async function submit(request) {
    try {
      mine = (await app.source.start(request)).id;
      refresh();
      live.scrollIntoView({ block: "nearest" });
    } catch (error) {
      app.say(error.message);
    }
  }

  async function upload(files) {
    for (const one of files) {
      try {
        app.say(`sending ${one.name} …`);
        await app.source.upload(one);
        app.say(`${one.name} is there`);
      } catch (error) {
        app.say(`${one.name}: ${error.message}`);
        return;
      }
    }
  }

  // MARK: The ledger

  /// Sweeps of the store, whoever works on them: the command line here, or another machine.
  function showLedger() {
    ledger.hidden = !sweeps.length;
    replace(ledger, h("h2", {}, "In the ledger"), table("Sweeps and jobs of others on this store", ["Sweep", { text: "Done", numeric: true }, { text: "Given up", numeric: true }, "Now"],
      sweeps.toReversed().map((one) => [one.name, `${one.finished} of ${one.total}`, one.givenUp,
        one.claimed ? `${plural(one.claimed, "trial")} under way` : one.waiting ? `${one.waiting} waiting, nobody works on it` : "complete"])));
  }

  // MARK: Jobs

  const isOpen = (job) => job.state === "waiting" || job.state === "running";

  function refresh() {
    const all = [...jobs.values()];
    const open = all.filter(isOpen);
    live.hidden = !open.length;
    replace(live, open.map((job) => {
      const step = job.progress;
      const left = step?.secondsLeft == null ? "" : `, about ${Math.ceil(step.secondsLeft)} s left`;
      return h("div", {}, h("p", {}, h("b", {}, job.title), ` ${job.state === "waiting" ? "waits for its turn" : step ? `${step.current} (${Math.min(step.done + 1, step.total)} of ${step.total}${left})` : "starts"} `,
        h("button", { type: "button", onclick: () => app.source.cancel(job.id).catch((error) => app.say(error.message)) }, "Cancel")),
        h("progress", { max: step?.total ?? 1, value: step?.done, "aria-label": job.title }));
    }));
    const shown = jobs.get(mine) && !isOpen(jobs.get(mine)) ? jobs.get(mine) : all.findLast((job) => !isOpen(job));
    result.hidden = !shown;
    if (shown && result.dataset.job !== `${shown.id}`) {
      result.dataset.job = shown.id;
      showResult(shown);
    }
    const ended = all.filter((job) => !isOpen(job)).toReversed();
    list.hidden = ended.length < 2;
    replace(list, h("h2", {}, "Earlier jobs"), table("Jobs of this server, the newest first", ["Job", "State", ""], ended.map((job) =>
      [job.title, job.state, h("button", { type: "button", onclick: () => { mine = job.id; delete result.dataset.job; refresh(); result.scrollIntoView(); } }, "Show")])));
  }

  function showResult(job) {
    replace(result, h("h2", {}, job.title));
    if (job.state === "canceled") { result.append(h("p", {}, "Canceled.")); return; }
    if (job.state === "failed") {
      for (const fault of job.error) result.append(h("p", { class: "warn" }, `${fault.summary}${fault.cause ? `: ${fault.cause}` : ""}`), fault.remedy ? h("p", {}, `Remedy: ${fault.remedy}`) : "");
      return;
    }
    if (job.kind === "detect") showDetection(job.result); else showBenchmark(job.result);
  }

  function figureOf(word, text) { return h("div", {}, h("span", { class: "soft small" }, word), h("b", {}, text)); }

  function showBenchmark(made) {
    const seconds = (nanoseconds) => number(nanoseconds == null ? null : nanoseconds / 1e9, "seconds");
    const figures = h("div", { class: "figures" });
    if (made.pictures) {
      figures.append(figureOf("Time taken", seconds(made.pictures.totalNs)), figureOf("Amount of pictures", made.pictures.count),
        figureOf("Per picture", seconds(made.pictures.totalNs / made.pictures.count)));
    }
    for (const [word, name] of [["Latency p50", "p50"], ["p90", "p90"], ["p99", "p99"]]) {
      // A figure that is missing is an object with its reason.
      const value = made.summary[name];
      if (typeof value === "number") figures.append(figureOf(word, seconds(value)));
    }
    result.append(h("p", {}, h("b", { id: "verdict" }, made.verdict), made.reasons.map((reason) => ` ${reason.summary}.`)), figures,
      h("p", {}, h("a", { href: `#/model/${encodeURIComponent(made.model)}` }, "All figures of this model")));
    if (!made.pictures) return;
    result.append(h("div", { class: "pictures" }, made.pictures.rows.map((row) => h("figure", {},
      h("img", { src: app.source.picture(row.picture), alt: row.picture, loading: "lazy" }),
      h("figcaption", {}, row.top.length ? row.top.map((one) => h("div", {}, `${one.label} ${(one.score).toFixed(3)}`)) : h("div", { class: "soft" }, "nothing above the least score"),
        h("span", { class: "soft" }, seconds(row.ns)))))));
  }

  function showDetection(made) {
    result.append(h("p", {}, h("b", {}, made.text.split("\n")[0])), h("div", { class: "figures" },
      figureOf("Time taken", number(made.ns / 1e9, "seconds")), figureOf("Samples", made.samples.toLocaleString("en"))),
      h("img", { src: `data:image/svg+xml,${encodeURIComponent(made.svg)}`, alt: "signal, score and anomalies", style: "width:100%;background:#fff;border-radius:8px" }),
      h("pre", {}, made.text), h("pre", {}, made.command));
  }

  showForm();
  refresh();
  showLedger();
  replace(page, form, live, result, list, ledger);
  return {
    told: async (name, data) => {
      if (name === "job") { jobs.set(data.id, data); refresh(); }
      if (name === "ledger") { sweeps = data; showLedger(); }
      if (name === "bench" || name === "open") {
        bench = await app.source.bench();
        showForm();
      }
      // After a pause in the connection, what was missed is asked for.
      if (name === "open") {
        for (const job of await app.source.jobs()) jobs.set(job.id, job);
        refresh();
      }
    },
  };
}
