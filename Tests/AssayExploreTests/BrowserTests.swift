import AssayBase
import AssayBrowser
import AssayHost
import AssayRate
import AssayTestSupport
import Testing

@testable import AssayExplore

private let canLook = Explorer.probe().isAvailable && Browser.path != nil
private let hint: Comment = "needs chromium and libmicrohttpd: apt-get install chromium; make setup"

/// The page as a user meets it, in a headless browser.
@Suite(.enabled(if: canLook, hint), .serialized, .timeLimit(.minutes(5)))
struct BrowserTests {
  private func served(_ table: ExplorerTable, _ name: String) throws -> (Explorer, String) {
    var options = Explorer.Options()
    options.port = 0
    let explorer = try Explorer(.table(table, name: name), options: options)
    return (explorer, try explorer.start())
  }

  @Test func namesOfModelsAreNeverMarkup() throws {
    let (explorer, url) = try served(smallTable(), "<script>alert(2)</script>")
    defer { explorer.stop() }
    let browser = try Browser(width: 1200, height: 900)
    try browser.open(url)
    try browser.wait(
      for: "document.querySelector('#rows table')?.querySelectorAll('tbody tr').length == 6"
    )
    #expect(
      try browser.value("document.querySelectorAll('main img[src=x], main script').length").int == 0
    )
    // Without the chart library tables stand in, and the remedy is told.
    #expect(
      try browser.value("document.querySelector('#scatter').textContent.includes('scripts/setup')")
        == true
    )
    try browser.value(
      "location.hash = '#/model/' + encodeURIComponent('<img src=x onerror=alert(1)>')"
    )
    try browser.wait(for: "document.querySelector('h1')?.textContent.startsWith('<img')")
    #expect(try browser.value("document.querySelectorAll('main img[src=x]').length").int == 0)
    #expect(browser.faults.isEmpty, "\(browser.faults)")
  }

  /// Counts of ratings and correlations are pressed: they filter, and choose the axes.
  @Test func countsAndCorrelationsArePressed() throws {
    let (explorer, url) = try served(smallTable(), "small")
    defer { explorer.stop() }
    let browser = try Browser(width: 1200, height: 900)
    try browser.open(url)
    try browser.wait(for: "document.querySelectorAll('#rows tbody tr').length == 6")
    let letters =
      "[...document.querySelectorAll('#rows tbody .grade')].map((one) => one.textContent)"
    let all = try browser.value(letters).array ?? []
    #expect(
      try browser.value(
        "[...document.querySelectorAll('#grades .count')].map((one) => one.textContent).join(' ')"
      ).string
        == ["A", "B", "C", "D", "E", "N.A."].compactMap { letter in
          let count = all.count { $0 == .string(letter) }
          return count == 0 && letter == "N.A." ? nil : "\(letter)\(count)"
        }.joined(separator: " ")
    )
    let letter = try #require(all.first?.string)
    let wanted = all.count { $0 == .string(letter) }
    try #require(wanted < 6)
    let button =
      "[...document.querySelectorAll('#grades .count')].find((one) => one.textContent.startsWith('\(letter)'))"
    try browser.value("\(button).click()")
    try browser.wait(for: "document.querySelectorAll('#rows tbody tr').length == \(wanted)")
    #expect(try browser.value("\(button).ariaPressed") == "true")
    #expect(try browser.value("location.hash.includes('grade=\(letter)')") == true)
    try browser.value("\(button).click()")
    try browser.wait(for: "document.querySelectorAll('#rows tbody tr').length == 6")
    let axes = try browser.value("location.hash")
    let cell = "document.querySelector('#correlation tbody tr td:nth-child(3) button')"
    let title = try browser.value("\(cell).title").string ?? ""
    #expect(title.contains(" against "))
    try browser.value("\(cell).click()")
    try browser.wait(for: "location.hash !== '\(axes.string ?? "")'")
    #expect(browser.faults.isEmpty, "\(browser.faults)")
  }

  @Test func theKeyboardIsEnough() throws {
    let (explorer, url) = try served(smallTable(), "small")
    defer { explorer.stop() }
    let browser = try Browser(width: 1000, height: 800)
    try browser.open(url)
    try browser.wait(for: "document.querySelector('#rows table') != null")
    func press(_ key: String) throws {
      for type in ["keyDown", "keyUp"] {
        try browser.call(
          "Input.dispatchKeyEvent",
          .object([
            "type": .string(type), "key": .string(key),
            "text": key.count == 1 && type == "keyDown" ? .string(key) : "",
          ])
        )
      }
    }
    try browser.value("document.querySelector('#scatter').focus()")
    for _ in 0..<2 { try press("ArrowRight") }
    let words = try browser.wait(for: "document.querySelector('#spoken').textContent").string ?? ""
    #expect(words.hasPrefix("2 of 5: middle on board, energy 2.00 J"), "\(words)")
    try press("Enter")
    try browser.wait(for: "document.querySelector('h1')?.textContent === 'middle'")
    try press("s")
    try browser.wait(for: "location.hash === '#/settings'")
    try press("o")
    try browser.wait(for: "location.hash.startsWith('#/overview')")
    let theme = try browser.value("document.documentElement.dataset.theme")
    try press("t")
    #expect(try browser.value("document.documentElement.dataset.theme") != theme)
    #expect(browser.faults.isEmpty, "\(browser.faults)")
  }

  /// Texts stand out from what is behind them (WCAG 2.2, 1.4.3: 4.5 to 1), in light and in dark.
  @Test(arguments: [false, true])
  func contrastsSuffice(isDark: Bool) throws {
    let (explorer, url) = try served(smallTable(), "small")
    defer { explorer.stop() }
    let browser = try Browser(width: 1000, height: 800, isDark: isDark)
    for view in ["overview", "settings", "model/small"] {
      try browser.open(url + "#/\(view)")
      try browser.wait(for: "document.querySelector('main .card') != null")
      let faint = try browser.value(
        """
        (() => {
          const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
          const read = (text) => text.match(/[\\d.]+/g).map(Number)
            .map((part, place) => text.startsWith('color(') && place < 3 ? part * 255 : part);
          const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
          const paper = (node) => {
            for (let at = node; at; at = at.parentElement) {
              const [r, g, b, a = 1] = read(getComputedStyle(at).backgroundColor);
              if (a > 0) return [r, g, b];
            }
            return [255, 255, 255];
          };
          const found = [];
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          for (let text = walk.nextNode(); text; text = walk.nextNode()) {
            const node = text.parentElement;
            if (!text.textContent.trim() || !node.getClientRects().length || node.closest('svg, option, :disabled')) continue;
            const [one, other] = [light(read(getComputedStyle(node).color)), light(paper(node))];
            const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
            if (ratio < 4.5) found.push(`${text.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
          }
          return [...new Set(found)].join('; ');
        })()
        """
      )
      #expect(faint == "", "\(view), \(isDark ? "dark" : "light"): \(faint)")
    }
  }

  @Test func everyControlHasAName() throws {
    let (explorer, url) = try served(smallTable(), "small")
    defer { explorer.stop() }
    let browser = try Browser(width: 400, height: 800, isPhone: true)
    for view in ["overview", "settings", "model/small"] {
      try browser.open(url + "#/\(view)")
      try browser.wait(for: "document.querySelector('main .card') != null")
      let nameless = try browser.value(
        """
        [...document.querySelectorAll('input, select, button')].filter((one) =>
          !one.labels?.length && !one.ariaLabel && !one.textContent.trim()).length
        """
      )
      #expect(nameless.int == 0, "\(view)")
      // Nothing is wider than a phone.
      #expect(try browser.value("document.documentElement.scrollWidth <= innerWidth") == true)
    }
  }

  @Test(
    .enabled(if: TestData.sharedFile("strep/edge_classification.raw.csv") != nil, "no shared data")
  )
  func theEnergyOptimalModelOfAPublishedTable() throws {
    let (explorer, url) = try served(try publishedTable("edge_classification"), "edge")
    defer { explorer.stop() }
    let browser = try Browser(width: 1200, height: 900)
    try browser.open(url)
    try browser.wait(
      for: "document.querySelector('#rows table')?.querySelectorAll('tbody tr').length == 100"
    )
    try browser.choose("[aria-label=bound]", "70")
    let answer = try browser.wait(for: "document.querySelector('#answer').textContent").string ?? ""
    let table = explorer.rated.table
    let e = try #require(table.place(of: "approx_USB_power_draw"))
    let t = try #require(table.place(of: "accuracy_k1"))
    let best = (0..<table.count).filter { table.columns[t][$0] >= 0.7 }
      .min { table.columns[e][$0] < table.columns[e][$1] }
    let row = try #require(best)
    #expect(
      answer.contains(table.facets[0][row]) && answer.contains(table.facets[1][row]),
      "\(answer)"
    )
    // The address has it all: another visitor sees the same.
    let address = try browser.value("location.href").string ?? ""
    #expect(address.contains("bound=0.7"))
    let other = try Browser(width: 400, height: 800, isPhone: true, isDark: true)
    try other.open(address)
    #expect(try other.wait(for: "document.querySelector('#answer').textContent").string == answer)
    #expect(try other.value("document.documentElement.dataset.theme") == "dark")
    // Its label can be taken along.
    try browser.value("document.querySelector('#answer a').click()")
    let address2 = try browser.wait(for: "document.querySelector('#label-svg')?.href").string ?? ""
    let label =
      try browser.value("fetch('\(address2)').then((one) => one.text())").string ?? ""
    #expect(label.contains("<svg") || label.contains("FIG001"), "\(label.prefix(200))")
    try browser.open(address)
    try browser.wait(for: "document.querySelector('#rows table') != null")
    // A filter of one environment leaves its rows.
    try browser.value(
      "[...document.querySelectorAll('#filters label')].find((one) => one.textContent.startsWith('Desktop TPU')).querySelector('input').click()"
    )
    try browser.wait(
      for: "document.querySelector('#caption').textContent.startsWith('13 rows of 155')"
    )
    #expect(browser.faults.isEmpty, "\(browser.faults)")
  }

  @Test func anExportedSiteShowsWhatTheServerShows() throws {
    let table = TestData.shared == nil ? smallTable() : try publishedTable("edge_classification")
    let (explorer, url) = try served(table, "edge")
    defer { explorer.stop() }
    let folder = try Host.makeTemporaryFolder("site")
    defer { try? Host.remove(folder) }
    let site = Host.join(folder, "site")
    _ = try explorer.export(to: site)
    let data = try MappedFile(path: Host.join(site, "data/table.json")).view.utf8 ?? ""
    let browser = try Browser(width: 800, height: 600)
    try browser.open(url + "explorer.css")
    let keys = table.properties.map(\.meta.key)
    let queries = [
      "", "environment=Desktop%20TPU", "x=\(keys[0])&y=\(keys[1])&grade=A&grade=C",
      "range.\(keys[0])=0.1~&brush.x=0~0.8&brush.y=0~1&x=\(keys[0])&y=\(keys[1])",
      "best=\(keys.last ?? "")&given=\(keys[0])&bound=0.7", "part=brush&rows=3",
    ]
    for query in queries {
      // Both compute on the same rows; numbers may differ in their last bits.
      let difference = try browser.value(
        """
        (async () => {
          const { view } = await import('\(url)view.js');
          const mine = JSON.stringify(view(\(data), new URLSearchParams('\(query)')));
          const theirs = await (await fetch('\(url)api/view?\(query)')).text();
          const near = (a, b, at) => {
            if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a)) ? '' : at;
            if (a === null || b === null || typeof a !== 'object') return a === b ? '' : at;
            if (Object.keys(a).length !== Object.keys(b).length) return at + ' members ' + Object.keys(a) + ' / ' + Object.keys(b);
            for (const key of Object.keys(a)) { const found = near(a[key], b[key], at + '.' + key); if (found) return found; }
            return '';
          };
          return near(JSON.parse(mine), JSON.parse(theirs), 'view') || 'same';
        })()
        """
      )
      #expect(difference == "same", "\(query): \(difference)")
    }
  }
}
