"""How fast the explorer answers, and what its viewers cost a benchmark beside it."""

import contextlib
import json
import random
import socket
import statistics
import subprocess
import threading
import time
import urllib.request

from browser import Page, chromium
from support import WORK, Failed, Settings, assay, mobilenet, report, seconds

ROWS = 100_000
VIEWERS = 200


def explorer():
    table, properties = made_table(10_000 if Settings.quick else ROWS)
    with served("--table", table, "--properties", properties) as port:
        answers(port)
        if chromium():
            page(port)
        else:
            print("  explorer: the page needs chromium (scripts/setup --tests)", flush=True)
    viewers_beside_a_benchmark(properties)


def made_table(count):
    """A seeded table of models in 12 environments, and what its columns are."""
    table, properties = WORK / "explorer.csv", WORK / "explorer.json"
    generator = random.Random(1)
    with open(table, "w") as file:
        file.write("model,environment,energy,top1\n")
        for row in range(count):
            energy = generator.lognormvariate(0, 1)
            file.write(f"model {row // 12},device {row % 12},{energy:.4f},{min(1, max(0, generator.gauss(0.6, 0.1))):.4f}\n")
    properties.write_text(json.dumps({
        "energy": {"unit": "joules", "group": "Resources", "weight": 1},
        "top1": {"unit": "fraction", "group": "Quality", "weight": 1, "maximize": True},
    }))
    return table, properties


@contextlib.contextmanager
def served(*arguments):
    """The port of a served explorer; on the first processor where there are two."""
    log = WORK / "explorer.log"
    with open(log, "wb") as out:
        server = subprocess.Popen(pinned(0) + [str(Settings.assay), "serve", "--port", "0", "--read-only", *map(str, arguments)],
                                  stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(600):
            words = log.read_text()
            if "http://localhost:" in words and "\n" in words:
                yield int(words.split("http://localhost:")[1].split("/")[0])
                return
            if server.poll() is not None:
                raise Failed(words)
            time.sleep(0.1)
        raise Failed("the explorer does not start: " + words)
    finally:
        server.terminate()
        server.wait()


def pinned(processor):
    import os
    return ["taskset", "-c", str(processor)] if (os.cpu_count() or 1) > 1 else []


def answers(port):
    def median(query):
        times = []
        for _ in range(5 if Settings.quick else 20):
            start = time.perf_counter()
            urllib.request.urlopen(f"http://localhost:{port}/api/view?{query}").read()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    axes = "x=energy&y=top1"
    for name, query, limit in (
        ("first view", axes, 0.5), ("a filter", f"{axes}&environment=device+3", 0.05),
        ("a brush", f"{axes}&part=brush&brush.x=0.5~1.5&brush.y=0.4~0.6", 0.05),
    ):
        time_taken = median(query)
        report(f"explorer: {name} of {ROWS} rows", seconds(time_taken), "", "", f"<= {seconds(limit)}", time_taken <= limit)


# When the first rows are painted, and when the drawing is there.
WATCH = """
window.seen = {};
const isThere = { words: "main #rows table", sketch: "#scatter canvas", drawing: "#scatter .main-svg" };
new MutationObserver(() => {
  for (const [name, path] of Object.entries(isThere)) {
    if (name in window.seen || !document.querySelector(path)) continue;
    window.seen[name] = null;
    requestAnimationFrame(() => { const ports = new MessageChannel(); ports.port1.onmessage = () => { window.seen[name] = performance.now(); }; ports.port2.postMessage(0); });
  }
}).observe(document, { subtree: true, childList: true });
"""

# The time from what a user does until the words are painted, and the drawing where it changes.
ACT = """
new Promise((done) => {
  const node = document.querySelector('#scatter');
  const times = {};
  const isFilter = %s;
  const painted = (name) => {
    const ports = new MessageChannel();
    ports.port1.onmessage = () => {
      times[name] = performance.now() - start;
      if (times.words && (times.drawing || !isFilter)) done(times);
    };
    ports.port2.postMessage(0);
  };
  let hasWords = false;
  // Asked for in the frame before, so that it comes before what the page itself has done after the paint.
  const frame = () => { if (hasWords) painted('words'); else requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  new MutationObserver((_, watcher) => { watcher.disconnect(); hasWords = true; })
    .observe(document.querySelector('#rows'), { subtree: true, childList: true });
  const start = performance.now();
  if (isFilter) {
    node.once('plotly_afterplot', () => requestAnimationFrame(() => painted('drawing')));
    document.querySelector('#filters input[type=checkbox]').click();
  } else {
    const part = (axis) => axis.range.map((end, place) => axis.range[0] + (axis.range[1] - axis.range[0]) * (%f + 0.3 * place))
      .map((value) => axis.type === 'log' ? 10 ** value : value);
    node.emit('plotly_selected', { range: { x: part(node._fullLayout.xaxis), y: part(node._fullLayout.yaxis) }, points: [] });
  }
})
"""


def page(port):
    """What a user of the page waits for, in a Chromium that was never there before."""
    firsts, filters, brushes = [], [], []
    for _ in range(2 if Settings.quick else 5):
        browser = Page(1200, 900)
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        browser.call("Page.navigate", url=f"http://localhost:{port}/")
        time.sleep(3)
        firsts.append(browser.wait("window.seen.drawing && window.seen"))
        for place in range(3):
            filters.append(browser.value(ACT % ("true", 0)))
            brushes.append(browser.value(ACT % ("false", 0.1 + 0.1 * place)))
        browser.close()

    def median(times, name):
        return statistics.median(one[name] for one in times) / 1000

    for name, times, word, limit in (
        ("first view (words, rows, a sketch)", firsts, "words", 1), ("… the drawing", firsts, "drawing", None),
        ("a filter (words, rows)", filters, "words", 0.05), ("… the drawing", filters, "drawing", None),
        ("a brush (words, rows)", brushes, "words", 0.05),
    ):
        taken = median(times, word)
        report(f"explorer in Chromium: {name}", seconds(taken), "", "", f"<= {seconds(limit)}" if limit else "", taken <= limit if limit else None)


def viewers_beside_a_benchmark(properties):
    """The p50 of a benchmark on one processor without and with 200 viewers of a server on another, which are told of a change every second."""
    small = WORK / "explorer-small.csv"
    small.write_text("model,environment,energy,top1\na,e,1,0.5\nb,e,2,0.6\n")
    converted = WORK / "explorer.tflite"
    assay("convert", mobilenet(), "-o", converted)

    def benchmark():
        line = pinned(1) + [str(Settings.assay), "bench", str(converted), "--threads", "1", "--no-profile", "--no-starts", "--json", "-"]
        done = subprocess.run(line, capture_output=True)
        if done.returncode not in (0, 1):
            raise Failed(done.stderr.decode())
        latency = json.loads(done.stdout)["latencyNs"]
        return latency["p50"], latency["ci95"]

    with served("--table", small, "--properties", properties) as port:
        without, beside, widths = [], [], []
        for _ in range(3 if Settings.quick else 8):
            p50, interval = benchmark()
            without.append(p50)
            widths.append(interval[1] - interval[0])
            with viewers(port):
                beside.append(benchmark()[0])
    shift = abs(statistics.median(beside) - statistics.median(without))
    # One run's interval knows nothing of how processes differ from one another (where their memory lies): the
    # interval of the median of all runs without viewers does.
    between = 2 * 1.96 * 1.25 * statistics.stdev(without) / len(without) ** 0.5
    width = max(statistics.median(widths), between)
    report(f"p50 beside {VIEWERS} viewers (peer: without)", seconds(statistics.median(beside) / 1e9),
           seconds(statistics.median(without) / 1e9), f"{shift / 1000:.2f} us apart", f"<= {width / 1000:.2f} us", shift <= width)


@contextlib.contextmanager
def viewers(port):
    sockets = []
    for _ in range(VIEWERS):
        viewer = socket.create_connection(("localhost", port))
        viewer.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sockets.append(viewer)
    ended = threading.Event()

    def tell():
        while not ended.wait(1):
            request = urllib.request.Request(f"http://localhost:{port}/api/settings", b"{}", {"Content-Type": "application/json"})
            urllib.request.urlopen(request).read()
            for viewer in sockets:
                viewer.recv(65536)

    teller = threading.Thread(target=tell)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
        for viewer in sockets:
            viewer.close()
