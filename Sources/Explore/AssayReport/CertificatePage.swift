import AssayBase

/// A certificate (`assay.certificate/1`, what `assay verify --json` writes) as one HTML page that needs
/// no network and no other file: the answer first, then outputs, inputs and every operator.
public func renderCertificate(_ certificate: JSON) -> String {
  CertificatePage(certificate: certificate).document.text
}

struct CertificatePage {
  let certificate: JSON

  private var isEqual: Bool { certificate["equal"]?.bool == true }
  private var operators: [JSON] { certificate["operators"]?.array ?? [] }
  private var suspects: [JSON] { operators.filter { $0["alone"]?["within"]?.bool == false } }

  var document: Markup {
    let names = [certificate["original"], certificate["variant"]].map { file in
      file?["path"]?.string?.split(separator: "/").last.map { String($0) } ?? "?"
    }
    let title = names[0] == names[1] ? names[0] : "\(names[1]) against \(names[0])"
    return """
      \(Page.head("\(title): certificate", style: Page.style + CertificatePage.style))
      <body>
      <header>
      <p class="brand"><b>assay</b> certificate</p>
      <h1>\(title)</h1>
      <p class="facts">\(facts)</p>
      </header>
      <main>
      \(sections)
      </main>
      <footer><p>\(certificate["madeBy"]?.string ?? "")</p></footer>
      <script>\(Page.script)</script>
      </body>
      </html>

      """
  }

  /// The answer, the outputs and the operators, as sections of a page.
  private var sections: Markup {
    func section(_ title: Markup, _ lead: Markup, _ body: Markup) -> Markup {
      body.text.isEmpty
        ? "" : "<section><h2>\(title)</h2><p class=\"lead\">\(lead)</p>\(body)</section>"
    }
    return """
      \(answer)
      \(section("Outputs", "Over all inputs that the verdict rests on.", outputs))
      \(section("From input to output", Self.profileLead, profile))
      \(section("Operators", "Sort by a column's heading.", table))
      \(section("Inputs", "What both were given; the worst output of each.", trials))
      """
  }

  /// What a comparison's page says of a variant: its sentence, and behind it the figures.
  static func details(_ certificate: JSON, name: String, sentence: String) -> Markup {
    let page = CertificatePage(certificate: certificate)
    let suspects = page.suspects.count
    let pill: Markup =
      !page.isEqual
      ? "<b class=\"pill bad\">not equal</b>"
      : suspects > 0
        ? "<b class=\"pill\">\(suspects) to look at</b>" : "<b class=\"pill front\">equal</b>"
    return """
      <details><summary>\(name) \(pill) <span class="facts">\(sentence)</span></summary>\
      \(page.outputs)\(page.profile)<details class="inner"><summary>every operator</summary>\
      \(page.table)</details></details>
      """
  }

  private static let profileLead: Markup = """
    The line is the signal-to-noise ratio of each value in place, errors of the operators before it \
    included; the points are the operators by themselves, given the original's values. Float rounding \
    lies near 140 dB, identical at the top.
    """

  private var facts: Markup {
    var parts: [String] = []
    for (word, key) in [("original", "original"), ("variant", "variant")] {
      guard let file = certificate[key], let path = file["path"]?.string else { continue }
      let count = file["operators"]?.int.map { ", \($0) operators" } ?? ""
      parts.append("\(word) \(path) (\(file["format"]?.string ?? "arrays")\(count))")
    }
    if let runtime = certificate["runtime"]?.string { parts.append("run by \(runtime)") }
    return "\(parts.joined(separator: " · "))"
  }

  private var limit: String {
    let bound = certificate["tolerance"]?["bound"]?.double ?? 0
    return certificate["tolerance"]?["measure"]?.string == "snrDb"
      ? "SNR ≥ \(Words.fixed(bound, 1)) dB" : "max|a−b| / max|b| ≤ \(bound)"
  }

  /// A ratio in words; `null` is no error at all.
  private static func ratio(_ json: JSON?) -> String {
    guard let json, !json.isNull else { return "–" }
    if let value = json["snrDb"]?.double { return "\(Words.fixed(value, 1)) dB" }
    return json["maxAbs"]?.double == 0 ? "identical" : "–"
  }

  private static func small(_ value: Double?) -> String {
    guard let value else { return "–" }
    if value > 0.9, value <= 1 { return Words.fixed(value, 5) }
    return value == 0 ? "0" : value.magnitude < 1e-3 ? "\(Float(value))" : Words.significant(value)
  }

  /// A name that leaves room for the figures; converters join the names of all that they fused.
  private static func clipped(_ name: String) -> String {
    name.count <= 80 ? name : name.prefix(38) + "…" + name.suffix(41)
  }

  // MARK: Sections

  private var answer: Markup {
    let place = certificate["firstDivergence"]
    let node = place?["node"]?.string ?? ""
    let headline: Markup =
      isEqual
      ? "Equal within \(limit)"
      : node.isEmpty
        ? "Not equal within \(limit)"
        : "Not equal: first at \(place?["operator"]?.string ?? "") “\(Self.clipped(node))”"
    var lines: [Markup] = []
    if !isEqual, let alone = place?["alone"], !alone.isNull {
      lines.append(
        "<li>Given the original's own values, that operator's result is \(Self.ratio(alone)) from the original's.</li>"
      )
    }
    if place?["alone"]?["cutsOff"]?.bool == true {
      lines.append("<li>Its range is too small for these inputs.</li>")
    }
    let others = suspects.filter { $0["node"]?.string != node }
    if !others.isEmpty {
      let names = others.prefix(6).map { "“\(Self.clipped($0["node"]?.string ?? ""))”" }.joined(
        separator: ", "
      )
      lines.append(
        "<li>Also something else by itself: \(names)\(others.count > 6 ? " …" : "").</li>"
      )
    }
    if let coverage = certificate["coverage"], let count = coverage["compared"]?.int, count > 0 {
      lines.append(
        "<li>\(count) of \(coverage["operators"]?.int ?? 0) operators compared, \(coverage["alone"]?.int ?? 0) of them also by themselves.</li>"
      )
    }
    return """
      <section class="answer\(isEqual ? "" : " none" as Markup)"><p class="eyebrow">Certificate</p>\
      <h2>\(headline)</h2><ul>\(lines)</ul></section>
      """
  }

  private var outputs: Markup {
    let rows = (certificate["outputs"]?.array ?? []).map { output -> Markup in
      let alarms = (output["alarms"]?.array ?? []).map { alarm -> Markup in
        "<br><span class=\"warn\">\(alarm["text"]?.string ?? "")</span>"
      }
      return """
        <tr><td><b>\(output["name"]?.string ?? "")</b>\(alarms)</td><td class="n">\(Self.ratio(output))</td>\
        <td class="n">\(Self.small(output["cosine"]?.double))</td><td class="n">\(Self.small(output["maxAbs"]?.double))</td>\
        <td class="n">\(Self.small(output["relative"]?.double))</td><td class="n">\(distance(output))</td></tr>
        """
    }
    return """
      <div class="scroll"><table><thead><tr><th>output</th><th class="n">SNR</th><th class="n">cosine</th>\
      <th class="n">max |a−b|</th><th class="n">relative</th><th class="n">steps or ulp</th></tr></thead>\
      <tbody>\(rows)</tbody></table></div>
      """
  }

  private func distance(_ json: JSON) -> String {
    if let steps = json["maxSteps"]?.double { return "\(Words.significant(steps)) steps" }
    return json["maxUlp"]?.double.map { "\(Words.significant($0)) ulp" } ?? "–"
  }

  private var trials: Markup {
    let rows = (certificate["trials"]?.array ?? []).map { trial -> Markup in
      let word = trial["judged"]?.bool == true ? "error and alarms" : "NaN only"
      return """
        <tr><td>\(trial["name"]?.string ?? "")</td><td>\(word)</td><td class="n">\(Self.ratio(trial))</td>\
        <td class="n">\(Self.small(trial["relative"]?.double))</td></tr>
        """
    }
    guard !rows.isEmpty else { return "" }
    return """
      <div class="scroll"><table><thead><tr><th>input</th><th>judged by</th><th class="n">SNR</th>\
      <th class="n">relative</th></tr></thead><tbody>\(rows)</tbody></table></div>
      """
  }

  /// The signal-to-noise ratio from input to output: in place, and of each operator by itself.
  private var profile: Markup {
    let all = operators
    guard all.count > 1 else { return "" }
    func height(_ json: JSON?) -> Double? {
      guard let json, !json.isNull else { return nil }
      if let value = json["snrDb"]?.double { return min(max(value, 0), 140) }
      return json["maxAbs"]?.double == 0 ? 140 : 0
    }
    let (width, tall) = (1000.0, 220.0)
    func x(_ index: Int) -> Double { 58 + Double(index) / Double(all.count - 1) * (width - 66) }
    func y(_ db: Double) -> Double { tall - 8 - db / 140 * (tall - 16) }
    var line = ""
    for (index, entry) in all.enumerated() {
      guard let db = height(entry) else { continue }
      line += "\(line.isEmpty ? "M" : "L")\(Words.fixed(x(index), 1)) \(Words.fixed(y(db), 1))"
    }
    let dots = all.enumerated().compactMap { index, entry -> Markup? in
      guard let db = height(entry["alone"]) else { return nil }
      let bad: Markup = entry["alone"]?["within"]?.bool == false ? " bad" : ""
      let words =
        "\(entry["operator"]?.string ?? "") \(entry["node"]?.string ?? ""): by itself "
        + "\(Self.ratio(entry["alone"])), in place \(Self.ratio(entry))"
      return """
        <circle class="alone\(bad)" cx="\(x(index))" cy="\(y(db))" r="\(bad.text.isEmpty ? 3.5 : 6.0)" \
        data-tip="\(words)"><title>\(words)</title></circle>
        """
    }
    let grid = [0.0, 40, 80, 120].map { db -> Markup in
      "<line class=\"grid\" x1=\"0\" x2=\"\(width)\" y1=\"\(y(db))\" y2=\"\(y(db))\"/><text x=\"2\" y=\"\(y(db) - 3)\">\(Int(db)) dB</text>"
    }
    return """
      <div class="scroll"><svg class="chart trace" viewBox="0 0 \(width) \(tall)" role="img" aria-label="Signal-to-noise ratio \
      by operator; the table has the figures">\(grid)<path d="\(Markup(stringLiteral: line))"/>\(dots)</svg></div>
      """
  }

  private var table: Markup {
    let rows = operators.enumerated().map { index, entry -> Markup in
      let alone = entry["alone"]
      let isBad = alone?["within"]?.bool == false
      let alarms = (entry["alarms"]?.array ?? []).compactMap { $0["text"]?.string }
      let notes: Markup =
        alarms.isEmpty ? "" : "<br><span class=\"warn\">\(alarms.joined(separator: "; "))</span>"
      func key(_ json: JSON?) -> Markup {
        let value = json?["snrDb"]?.double ?? (json?["maxAbs"]?.double == 0 ? 1e3 : -1e3)
        return Markup(stringLiteral: "\(value)")
      }
      return """
        <tr\(isBad ? " class=\"suspect\"" as Markup : "")><td class="n" data-v="\(index)">\(index)</td>\
        <td class="wrap" title="\(entry["node"]?.string ?? "")"><b>\(entry["operator"]?.string ?? "")</b> \
        \(Self.clipped(entry["node"]?.string ?? ""))\(notes)</td>\
        <td class="n" data-v="\(key(alone))">\(Self.ratio(alone))</td>\
        <td class="n" data-v="\(key(entry))">\(Self.ratio(entry))</td>\
        <td class="n" data-v="\(Markup(stringLiteral: "\(entry["lossDb"]?.double ?? 0)"))">\
        \(Words.fixed(entry["lossDb"]?.double ?? 0, 1))</td>\
        <td class="n">\(distance(entry))</td><td>\(entry["matchedBy"]?.string ?? "")</td></tr>

        """
    }
    guard !rows.isEmpty else { return "" }
    func head(_ text: Markup, _ isNumber: Bool, _ help: String) -> Markup {
      "<th scope=\"col\"\(isNumber ? " class=\"n\"" as Markup : "") title=\"\(help)\"><button type=\"button\">\(text)</button></th>"
    }
    return """
      <div class="scroll"><table class="sortable"><thead><tr>\(head("#", true, "place in the variant"))\
      \(head("operator", false, "operator and node of the variant"))\
      \(head("by itself", true, "its own error, given the original's values"))\
      \(head("in place", true, "with the errors of all operators before it"))\
      \(head("loss dB", true, "lost between what it reads and what it makes"))\
      \(head("largest error", true, "in steps of its quantization, or units in the last place"))\
      \(head("matched by", false, "why it is compared with the original's value"))</tr></thead>\
      <tbody>\(rows)</tbody></table></div>
      """
  }

  static let style: Markup = """
    .trace{width:100%;min-width:620px;height:auto}.facts{overflow-wrap:anywhere}.trace path{fill:none;stroke:var(--accent);stroke-width:2}
    .alone{fill:var(--c0);fill-opacity:.65}.alone.bad{fill:var(--bad);fill-opacity:1}
    tr.suspect td{background:var(--bad-bg)!important}
    td.wrap{white-space:normal;min-width:220px;overflow-wrap:anywhere}
    .sortable td:first-child{position:static}
    """
}
