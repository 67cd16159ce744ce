import AssayBase
import AssayBrowser
import AssayExplore
import AssayHost
import AssayTestSupport
import Testing

private let canLook = Explorer.probe().isAvailable && Browser.path != nil

/// The explorer as the command serves it, used from a phone.
@Suite(
  .enabled(
    if: canLook,
    "needs chromium and libmicrohttpd: apt-get install chromium; make setup"
  ),
  .timeLimit(.minutes(5))
)
struct ExplorerTests {
  /// A served explorer of the digits example.
  private func served(_ folder: String) throws -> (ChildProcess, String) {
    let models = Host.join(folder, "models")
    try Host.makeFolders(models)
    try? Host.remove(Host.join(folder, "url"))
    let line =
      "cp '\(digits)/model.h5' models/ && cp -R '\(digits)/images' models/ && "
      + "exec '\(command)' serve --port 0 --models models >url 2>errors"
    let server = try ChildProcess(
      "/bin/sh",
      ["-c", "cd '\(folder)' && \(line)"],
      environment: ["ASSAY_HOME": Host.join(folder, "home")]
    )
    let deadline = Host.monotonicNanoseconds() + 20_000_000_000
    while Host.monotonicNanoseconds() < deadline {
      let text = Host.smallText(Host.join(folder, "url")) ?? ""
      if text.hasSuffix("\n") { return (server, String(text.dropLast())) }
      Host.sleep(nanoseconds: 20_000_000)
    }
    throw Diagnostic("TST001", Host.smallText(Host.join(folder, "errors")) ?? "no address")
  }

  @Test func aBenchmarkFromAPhone() throws {
    try withFolder { folder in
      let (server, url) = try served(folder)
      defer { _ = server.kill() }
      let phone = try Browser(width: 400, height: 800, isPhone: true)
      try phone.open(url + "#/run")
      try phone.wait(for: "document.querySelector('#benchmark') != null")
      // A desktop watches what the phone starts.
      let desktop = try Browser(width: 1200, height: 900)
      try desktop.open(url + "#/run")
      try desktop.wait(for: "document.querySelector('#benchmark') != null")
      try phone.value(
        """
        [...document.querySelectorAll('input')].filter((one) => one.getAttribute('list') === 'specs')
          .forEach((one) => { one.value = 'scale=1/255'; one.dispatchEvent(new Event('change')); })
        """
      )
      try phone.click("#benchmark")
      for browser in [phone, desktop] {
        let verdict = try browser.wait(
          for:
            "document.querySelector('#verdict')?.textContent ?? document.querySelector('#result .warn')?.textContent",
          seconds: 120
        )
        #expect(verdict == "VALID" || verdict == "INVALID", "\(verdict)")
        let figures = try browser.value("document.querySelector('.figures').textContent").string
        #expect(figures?.contains("Time taken") == true && figures?.contains("Latency p50") == true)
      }
      #expect(try phone.value("document.documentElement.scrollWidth <= innerWidth") == true)
      #expect(try phone.value("document.querySelectorAll('.pictures figure').length").int ?? 0 > 0)
      // The record is in the store, with the command that could have made it.
      try phone.value("location.hash = '#/model/model'")
      let made = try phone.wait(for: "document.querySelector('main pre')?.textContent").string ?? ""
      #expect(made.hasPrefix("assay bench ") && made.contains("--runtime reference"), "\(made)")
      // It is a trial of the ledger, as those of sweeps are.
      let listed = try assay(
        "store",
        "list",
        "--json",
        "-",
        in: folder,
        home: Host.join(folder, "home")
      ).json()
      let sweep = listed["sweeps"]?.array?.first
      #expect(sweep?["id"]?.string?.hasPrefix("page-") == true && sweep?["finished"]?.int == 1)
      // The label is drawn on the page and can be taken along.
      try phone.wait(for: "document.querySelector('.label img')?.naturalWidth > 100")
      let downloads = Host.join(folder, "downloads")
      try Host.makeFolders(downloads)
      try phone.allowDownloads(to: downloads)
      try phone.click("#label-pdf")
      let pdf = try waitForFile(in: downloads, ending: ".pdf")
      #expect(try MappedFile(path: pdf).view.array.starts(with: Array("%PDF-".utf8)))
      #expect(Host.name(of: pdf).hasPrefix("energy-label-model-local-reference"))
      try phone.click("#summary")
      let summary = try JSON(
        parsing: MappedFile(path: waitForFile(in: downloads, ending: ".json")).view.array
      )
      #expect(summary["schema"] == "assay.explorer-summary/1")
      #expect(summary["properties"]?.array?.contains { $0["key"] == "latency" } == true)
      // The network with what was measured on it.
      try phone.click("#network")
      let drawn = try phone.wait(for: "document.querySelector('iframe')?.src").string ?? ""
      let network = try phone.value("fetch('\(drawn)').then((one) => one.text())").string ?? ""
      #expect(network.contains("<svg") && network.contains("Conv"))
      // What is downloaded is what was shown.
      let csv = try phone.value("fetch('api/table.csv').then((one) => one.text())").string ?? ""
      #expect(csv.hasPrefix("model,environment") && csv.contains("local reference cpu"))
      #expect(phone.faults.isEmpty && desktop.faults.isEmpty, "\(phone.faults + desktop.faults)")
    }
  }

  /// The file that a browser has written whole.
  private func waitForFile(in folder: String, ending: String) throws -> String {
    let deadline = Host.monotonicNanoseconds() + 20_000_000_000
    while Host.monotonicNanoseconds() < deadline {
      if let name = try Host.list(folder).first(where: { $0.hasSuffix(ending) }) {
        return Host.join(folder, name)
      }
      Host.sleep(nanoseconds: 50_000_000)
    }
    throw Diagnostic("TST001", "nothing was downloaded: \(try Host.list(folder))")
  }

  @Test func aJobOutlivesItsExplorer() throws {
    try withFolder { folder in
      let (first, url) = try served(folder)
      let browser = try Browser(width: 1000, height: 800)
      try browser.open(url + "#/run")
      try browser.wait(for: "document.querySelector('#benchmark') != null")
      // Two that wait for one another; the first has begun when the machine goes down.
      let request =
        "{ kind: 'bench', model: 'model.h5', runtime: 'reference', threads: 1, preset: 'quick' }"
      try browser.value(
        """
        (async () => { for (let i = 0; i < 2; i += 1) await fetch('api/jobs', { method: 'POST',
          headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(\(request)) }); })()
        """
      )
      try browser.wait(
        for: "fetch('api/jobs').then((one) => one.json()).then((all) => all[0].progress?.done > 1)"
      )
      _ = first.kill()
      let (second, again) = try served(folder)
      defer { _ = second.kill() }
      try browser.open(again + "#/run")
      let states = """
        fetch('api/jobs').then((one) => one.json())
          .then((all) => all.filter((job) => job.state === 'done').length === 2)
        """
      try browser.wait(for: states, seconds: 120)
      let home = Host.join(folder, "home")
      let listed = try assay("store", "list", "--json", "-", in: folder, home: home).json()
      // Each was measured once, and the second press of the button is a repetition of its own.
      #expect(listed["models"]?.array?.first?["records"]?.int == 2)
      let sweeps = listed["sweeps"]?.array ?? []
      #expect(sweeps.count == 2 && sweeps.allSatisfy { $0["finished"]?.int == 1 })
      // One run against the other, with what the difference says.
      try browser.wait(
        for: "fetch('api/table').then((one) => one.json()).then((table) => table.count === 2)"
      )
      try browser.value("location.hash = '#/model/model'")
      try browser.wait(for: "document.querySelector('#rival') != null")
      try browser.value(
        """
        (() => { const list = document.querySelector('#rival').closest('.bar').querySelector('select');
          list.selectedIndex = 1; list.dispatchEvent(new Event('change')); })()
        """
      )
      let words =
        try browser.wait(
          for: "document.querySelector('#sentences')?.textContent"
        ).string ?? ""
      #expect(words.contains("model on reference"), "\(words)")
    }
  }

  @Test func anomaliesAreFoundByTheButton() throws {
    try withFolder { folder in
      let models = Host.join(folder, "models")
      try Host.makeFolders(models)
      let series = try assay(
        ["data", "mackey-glass", "--seed", "1", "--length", "3000", "--anomalies", "2"]
          + ["--min-distance", "600", "--base-length", "5000", "-o", "models/series.csv"],
        in: folder
      )
      #expect(series.status == 0, "\(series.errors)")
      let trained = try assay(
        ["train", "tcn-autoencoder", "-s", "models/series.csv", "-o", "models/detector", "-q"]
          + [
            "--steps", "2", "--window", "210", "--length", "210", "--filters", "4", "--kernel", "3",
          ],
        in: folder
      )
      #expect(trained.status == 0, "\(trained.errors)")
      let (server, url) = try served(folder)
      defer { _ = server.kill() }
      let browser = try Browser(width: 400, height: 800, isPhone: true)
      try browser.open(url + "#/run")
      try browser.wait(for: "document.querySelector('#detect') != null")
      try browser.click("#detect")
      let answer =
        try browser.wait(
          for:
            "document.querySelector('#result img')?.alt && document.querySelector('#result').textContent",
          seconds: 120
        ).string ?? ""
      #expect(answer.contains("anomalies found") && answer.contains("Samples3,000"), "\(answer)")
      #expect(answer.contains("assay detect "))
      // It was a trial of the ledger, which has the answer.
      let home = Host.join(folder, "home")
      let sweeps = try assay("store", "list", "--json", "-", in: folder, home: home).json()[
        "sweeps"
      ]
      let sweep = sweeps?.array?.first
      #expect(sweep?["id"]?.string?.hasPrefix("page-") == true && sweep?["finished"]?.int == 1)
      let shown = try assay("store", "show", sweep?["id"]?.string ?? "", in: folder, home: home)
      #expect(shown.status == 0 && shown.output.contains("anomalies in series.csv"), "\(shown)")
      #expect(browser.faults.isEmpty, "\(browser.faults)")
    }
  }

  @Test func aSiteIsExported() throws {
    try withFolder { folder in
      let home = Host.join(folder, "home")
      let run = try assay("export-site", "site", "--json", "-", in: folder, home: home)
      #expect(run.status == 0, "\(run.errors)")
      #expect(try run.json()["rows"]?.int == 0)
      #expect(Host.exists(Host.join(folder, "site/index.html")))
      let refused = try assay("export-site", ".", in: folder, home: home)
      #expect(refused.status == 1 && refused.errors.contains("EXP013"))
    }
  }
}
