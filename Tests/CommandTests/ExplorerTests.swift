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
      // What is downloaded is what was shown.
      let csv = try phone.value("fetch('api/table.csv').then((one) => one.text())").string ?? ""
      #expect(csv.hasPrefix("model,environment") && csv.contains("local reference cpu"))
      #expect(phone.faults.isEmpty && desktop.faults.isEmpty, "\(phone.faults + desktop.faults)")
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
