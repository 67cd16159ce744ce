import AssayBase

/// A network as one HTML page that needs no network and no other file.
///
/// The drawing is there without scripts. With them it can be moved, searched and asked, by pointer or
/// keyboard.
///
/// - Parameter group: how many parts of a name make a group that is drawn as one box; 0 for none.
public func renderNetwork(_ drawing: NetworkDrawing, group: Int = 0) -> String {
  NetworkPage(drawing: group > 0 ? drawing.grouped(depth: group) : drawing).document.text
}

struct NetworkPage {
  let drawing: NetworkDrawing

  private static let boxHeight = 42.0

  /// The width that a box's words need, by rough widths of letters.
  private static func width(_ box: NetworkDrawing.Box) -> Double {
    func extent(_ text: String, _ letter: Double) -> Double { Double(text.count) * letter }
    return min(max(max(extent(box.title, 7.4), extent(box.detail, 6.2)) + 24, 86), 280)
  }

  var document: Markup {
    let sizes = drawing.boxes.map { (width: Self.width($0), height: Self.boxHeight) }
    let layout = LayeredLayout(sizes: sizes, edges: drawing.edges)
    let margin = 30.0
    let (width, height) = (layout.width + 2 * margin, layout.height + 2 * margin)
    return """
      \(Page.head("\(drawing.title): network", style: NetworkPage.style))
      <body>
      <header>
      <div class="name"><h1>\(drawing.title)</h1><p>\(drawing.facts.joined(separator: " · "))</p></div>
      <div class="tools">
      <label class="find"><span class="sr">Search</span><input id="find" type="search" \
      placeholder="Search ( / )" autocomplete="off" spellcheck="false"></label><output id="hits" \
      aria-live="polite"></output>
      <label><span class="sr">Color by</span><select id="heat">\(heatOptions)</select></label>
      <span class="zoom"><button id="out" type="button" aria-label="Zoom out">−</button>\
      <button id="fit" type="button" aria-label="Show all">Fit</button>\
      <button id="in" type="button" aria-label="Zoom in">+</button></span>
      </div>
      </header>
      <main>
      <svg id="net" tabindex="0" role="group" aria-label="Graph of \(drawing.boxes.count) operators; \
      arrow keys walk along it" viewBox="0 0 \(width) \(height)" preserveAspectRatio="xMidYMin meet">
      <g id="view" transform="translate(\(margin) \(margin))">
      <g class="edges">\(edges(layout))</g>
      <g class="boxes">\(boxes(layout, sizes))</g>
      </g></svg>
      <div id="legend" hidden></div>
      <aside id="side" aria-label="Details"><button id="close" type="button" aria-label="Close">×</button>\
      <div id="detail">\(overview)</div></aside>
      </main>
      <script type="application/json" id="data">\(data(layout))</script>
      <script>\(NetworkPage.script)</script>
      </body>
      </html>

      """
  }

  // MARK: The drawing

  private func boxes(
    _ layout: LayeredLayout,
    _ sizes: [(width: Double, height: Double)]
  ) -> [Markup] {
    drawing.boxes.enumerated().map { index, box in
      let (center, size) = (layout.centers[index], sizes[index])
      let isPort = box.kind == .input || box.kind == .output
      let radius = isPort ? size.height / 2 : 7.0
      let lines: Markup =
        box.detail.isEmpty
        ? "<text y=\"4\">\(clipped(box.title))</text>"
        : "<text y=\"-3\">\(clipped(box.title))</text><text class=\"d\" y=\"12\">\(clipped(box.detail))</text>"
      return """
        <g class="b \(Markup(stringLiteral: box.kind.rawValue))\(box.isSuspect ? " suspect" : "" as Markup)" \
        data-i="\(index)" transform="translate(\(center.x) \(center.y))"><rect x="\(-size.width / 2)" \
        y="\(-size.height / 2)" width="\(size.width)" height="\(size.height)" rx="\(radius)"/>\
        \(lines)</g>

        """
    }
  }

  private func clipped(_ text: String) -> String {
    text.count <= 40 ? text : text.prefix(18) + "…" + text.suffix(20)
  }

  private func edges(_ layout: LayeredLayout) -> [Markup] {
    layout.routes.map { source, stretches in
      var path = ""
      var heads = ""
      func number(_ value: Double) -> String { Words.fixed(value, 1) }
      for stretch in stretches {
        let (a, b) = (stretch.from, stretch.to)
        let end = stretch.isEnd ? b.y - 5 : b.y
        path += "M\(number(a.x)) \(number(a.y))"
        if (a.x - b.x).magnitude < 0.05 {
          path += "V\(number(end))"
        } else {
          let middle = (a.y + end) / 2
          path +=
            "C\(number(a.x)) \(number(middle)) \(number(b.x)) \(number(middle)) "
            + "\(number(b.x)) \(number(end))"
        }
        if stretch.isEnd { heads += "M\(number(b.x)) \(number(b.y))l-3.5 -7h7z" }
      }
      return """
        <g data-s="\(source)"><path d="\(Markup(stringLiteral: path))"/>\
        <path class="h" d="\(Markup(stringLiteral: heads))"/></g>

        """
    }
  }

  private var heatOptions: Markup {
    func option(_ key: Markup, _ name: Markup, _ isThere: Bool) -> Markup {
      isThere ? "<option value=\"\(key)\">\(name)</option>" : ""
    }
    let boxes = drawing.boxes
    return option("", "Color by kind", true)
      + option("m", "Multiply-accumulates", boxes.contains { $0.macs > 0 })
      + option("p", "Parameters", boxes.contains { $0.parameters > 0 })
      + option("b", "Bytes moved", boxes.contains { $0.activationBytes > 0 })
      + option("t", "Measured time", boxes.contains { $0.nanoseconds != nil })
      + option("j", "Energy (estimated)", boxes.contains { $0.joules != nil })
      + option("e", "Quantization error", boxes.contains { $0.snrDb != nil })
      + option("w", "Where it ran", boxes.contains { $0.placement != nil })
  }

  private var overview: Markup {
    var rows: [Markup] = []
    for box in drawing.boxes where box.kind == .input || box.kind == .output {
      let type = (box.outputs + box.inputs).first?.type ?? box.detail
      rows.append("<dt>\(box.kind.rawValue)</dt><dd>\(box.title)<br><small>\(type)</small></dd>")
    }
    if let timing = drawing.timing { rows.append("<dt>times</dt><dd>\(timing)</dd>") }
    if let energy = drawing.energy { rows.append("<dt>energy</dt><dd>\(energy)</dd>") }
    if let certificate = drawing.certificate {
      rows.append("<dt>error</dt><dd>\(certificate)</dd>")
    }
    return """
      <h2>\(drawing.title)</h2><dl>\(rows)</dl><p class="hint">Choose an operator to see what it reads, \
      makes and costs. Arrow keys walk along the graph, <kbd>/</kbd> searches, <kbd>+</kbd> <kbd>−</kbd> \
      <kbd>0</kbd> zoom, <kbd>Esc</kbd> closes.</p><div id="rank"></div><p class="hint">assay \(drawing.version)</p>
      """
  }

  // MARK: The data

  /// What the script shows of each box; short keys, as there are thousands.
  private func data(_ layout: LayeredLayout) -> Markup {
    let boxes = drawing.boxes.enumerated().map { index, box -> JSON in
      var json = JSON.object([
        "n": .string(Words.printable(box.name)), "o": .string(Words.printable(box.title)),
        "k": .string(box.kind.rawValue), "l": JSON(layout.layers[index]),
        "x": JSON(layout.centers[index].x.rounded()), "y": JSON(layout.centers[index].y.rounded()),
      ])
      if !box.attributes.isEmpty {
        json["a"] = .array(
          box.attributes.map { [.string($0.name), .string(Words.printable($0.value))] }
        )
      }
      if !box.inputs.isEmpty { json["i"] = .array(box.inputs.map(port)) }
      if !box.outputs.isEmpty { json["u"] = .array(box.outputs.map(port)) }
      if box.macs > 0 { json["m"] = JSON(box.macs) }
      if box.parameters > 0 { json["p"] = JSON(box.parameters) }
      if box.constantBytes > 0 { json["c"] = JSON(box.constantBytes) }
      if box.activationBytes > 0 { json["b"] = JSON(box.activationBytes + box.constantBytes) }
      if let time = box.nanoseconds { json["t"] = JSON(time) }
      if let joules = box.joules { json["j"] = JSON(joules) }
      if let snr = box.snrDb { json["e"] = JSON(min(snr, 200)) }
      if let finding = box.finding { json["f"] = .string(finding) }
      if let placement = box.placement { json["w"] = .string(placement) }
      return json
    }
    let edges = drawing.edges.map { JSON.array([JSON($0.from), JSON($0.to)]) }
    let text = JSON.object(["boxes": .array(boxes), "edges": .array(edges)]).text()
    return Markup(stringLiteral: Self.scriptSafe(text))
  }

  /// JSON that cannot end the element that holds it.
  static func scriptSafe(_ json: String) -> String {
    var result = ""
    result.reserveCapacity(json.utf8.count)
    for scalar in json.unicodeScalars {
      switch scalar {
      case "<": result += "\\u003c"
      case ">": result += "\\u003e"
      case "&": result += "\\u0026"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private func port(_ port: NetworkDrawing.Port) -> JSON {
    var json = JSON.object([
      "n": .string(Words.printable(port.name)), "t": .string(port.type),
    ])
    if let quantization = port.quantization { json["q"] = .string(quantization) }
    if port.isConstant { json["c"] = true }
    if let statistics = port.statistics {
      json["s"] = .array(
        [
          statistics.low, statistics.high, statistics.mean, statistics.deviation,
          statistics.sparsity,
        ].map { JSON($0) }
      )
      json["h"] = .array(statistics.histogram.map { JSON($0) })
    }
    return json
  }
}
