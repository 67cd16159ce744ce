import AssayBase
import AssayReport

/// The frame of a chart: where values lie between two axes.
struct Plot {
  var x: Axis, y: Axis
  /// The area between the axes.
  var left = 74.0, top = 52.0, width = 520.0, height = 300.0

  func column(_ value: Double) -> Double { left + width * x.place(value) }
  func row(_ value: Double) -> Double { top + height * (1 - y.place(value)) }

  /// Grid, ticks and titles.
  func frame(
    _ canvas: Canvas,
    title: String,
    xTitle: String,
    yTitle: String,
    xText: (Double) -> String,
    yText: (Double) -> String
  ) {
    canvas.write(title, left, 26, size: 15, isBold: true, fitting: width)
    for tick in x.ticks() {
      let place = column(tick)
      canvas.path([(place, top), (place, top + height)])
      canvas.stroke(.line)
      canvas.write(xText(tick), place, top + height + 16, size: 10, .soft, .middle)
    }
    for tick in y.ticks() {
      let place = row(tick)
      canvas.path([(left, place), (left + width, place)])
      canvas.stroke(.line)
      canvas.write(yText(tick), left - 6, place + 4, size: 10, .soft, .end)
    }
    canvas.write(xTitle, left + width / 2, top + height + 36, size: 11, .text, .middle)
    canvas.writeUpwards(yTitle, 16, top + height / 2, size: 11, .text)
  }
}

/// Bars to the right, one under the other, each of one or more parts.
struct BarChart {
  struct Bar {
    var name: String
    var parts: [Double]
    var text: String
  }
  var title: String
  var parts: [String]
  var bars: [Bar]

  static let inks = [Ink(0x1F5F8B), Ink(0xE08E2B), Ink(0x8AA4B8)]
  var height: Double { 62 + Double(bars.count) * 24 + (parts.count > 1 ? 18 : 0) }

  func draw(_ canvas: Canvas, from y: Double = 0) {
    canvas.write(title, 20, y + 26, size: 15, isBold: true, fitting: 600)
    var top = y + 44
    if parts.count > 1 {
      var left = 20.0
      for (place, part) in parts.enumerated() {
        canvas.rectangle(left, top - 4, 10, 10)
        canvas.fill(Self.inks[place % Self.inks.count])
        canvas.write(part, left + 15, top + 5, size: 10, .soft)
        left += 30 + canvas.width(part, size: 10)
      }
      top += 18
    }
    let greatest = bars.map { $0.parts.reduce(0, +) }.max() ?? 1
    for (row, bar) in bars.enumerated() {
      let place = top + Double(row) * 24
      canvas.write(bar.name, 228, place + 13, size: 10, .text, .end, fitting: 208)
      var left = 236.0
      for (part, value) in bar.parts.enumerated() {
        let width = greatest > 0 ? value / greatest * 300 : 0
        canvas.rectangle(left, place, width, 17)
        canvas.fill(Self.inks[part % Self.inks.count])
        left += width
      }
      canvas.write(bar.text, left + 6, place + 13, size: 10, .soft)
    }
  }
}
