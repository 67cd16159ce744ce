// Where the page's data comes from: a running explorer, or the files of an exported site.

import { view } from "./view.js";

async function json(path, options) {
  const answer = await fetch(path, options);
  const body = await answer.json().catch(() => null);
  if (answer.ok) return body;
  const fault = body?.error?.[0];
  const error = new Error(fault ? `${fault.summary}${fault.remedy ? ` (${fault.remedy})` : ""}` : `the server answered ${answer.status}`);
  error.code = fault?.code;
  throw error;
}

function post(path, body) {
  return json(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

class Server {
  table = () => json("api/table");
  view = (query) => json(`api/view?${query}`);
  model = (name) => json(`api/model?name=${encodeURIComponent(name)}`);
  record = (id) => json(`api/record?id=${encodeURIComponent(id)}`);
  csv = (query) => `api/table.csv?${query}`;
  comparison = (query, format) => `api/comparison?${query}&format=${format}`;
  samples = (id) => `api/samples.csv?id=${encodeURIComponent(id)}`;
  difference = (a, b) => json(`api/difference?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`);
  label = (row, format, isShown) => `api/label?${row.id ? `id=${encodeURIComponent(row.id)}` : `row=${row.row}`}&format=${format}${isShown ? "&shown" : ""}`;
  ledger = () => json("api/ledger");
  bench = () => json("api/bench");
  jobs = () => json("api/jobs");
  start = (request) => post("api/jobs", request);
  cancel = (id) => post("api/jobs/cancel", { id });
  apply = (settings) => post("api/settings", settings);
  network = (id, original) => `api/network?id=${encodeURIComponent(id)}${original ? `&original=${encodeURIComponent(original)}` : ""}`;
  picture = (name) => `api/picture?name=${encodeURIComponent(name)}`;
  upload = (file) => json(`api/upload?name=${encodeURIComponent(file.name)}`, {
    method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file,
  });

  watch(tell) {
    const stream = new EventSource("api/events");
    for (const name of ["job", "table", "records", "bench", "ledger"]) {
      stream.addEventListener(name, (event) => tell(name, JSON.parse(event.data)));
    }
    stream.onopen = () => tell("open", null);
  }
}

class Site {
  constructor(data) {
    this.data = data;
    if (data.hasLabels) this.label = (row, format) => `data/labels/${row.row}.${format}`;
  }
  table = async () => this.data.table;
  view = async (query) => view(this.data, new URLSearchParams(query));
  model = async (name) => {
    const all = view(this.data, new URLSearchParams([["model", name], ["rows", "1000"]])).rows;
    if (!all.length) throw new Error("there is no such model");
    return { model: name, count: all.length, rows: all };
  };
  record = (id) => json(`data/records/${encodeURIComponent(id)}.json`);
  csv = () => "data/table.csv";
  watch() {}
}

export async function open() {
  if (document.documentElement.dataset.site !== undefined) return new Site(await json("data/table.json"));
  return new Server();
}
