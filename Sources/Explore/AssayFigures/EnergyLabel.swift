import AssayBase
import AssayRate

/// The energy label of a model on a device: what it takes, how well it does, and its grade.
///
/// Every figure says whether it was measured or estimated. Nothing on it names a host, a user or a
/// serial number.
public struct EnergyLabel: Sendable {
  /// One of the figures.
  public struct Figure: Sendable, Equatable {
    /// What it is, such as `energy per inference`.
    public var name: String
    /// The figure with its unit; `nil` when there is none.
    public var value: String?
    /// Its own grade.
    public var letter: Letter?
    /// Whether it was measured by us: the filled mark.
    public var isMeasured: Bool
    /// Where it comes from and how far it may be off.
    public var note: String

    /// Makes a figure.
    public init(
      _ name: String,
      value: String?,
      letter: Letter? = nil,
      isMeasured: Bool = false,
      note: String
    ) {
      self.name = name
      self.value = value
      self.letter = letter
      self.isMeasured = isMeasured
      self.note = note
    }
  }

  /// The model.
  public var model: String
  /// The variant and the task, or what else tells it from others.
  public var detail: String
  /// The kind of processor, such as `AMD EPYC`.
  public var device: String
  /// What ran it, such as `LiteRT 2.3.0, 1 thread`.
  public var runtime: String
  /// The grade; `nil` for none.
  public var letter: Letter?
  /// How sure the grade is; without a grade the reason.
  public var certainty: String
  /// Four figures.
  public var figures: [Figure]
  /// Day, method and origin, a line each.
  public var lines: [String]
  /// When it was measured, nanoseconds since 1970 (UTC); 0 for a publication.
  public var measuredAt: Int64
  /// What the QR code says.
  public var link: String

  /// Makes a label of what it shows.
  public init(
    model: String,
    detail: String,
    device: String,
    runtime: String,
    letter: Letter?,
    certainty: String,
    figures: [Figure],
    lines: [String],
    measuredAt: Int64 = 0,
    link: String
  ) {
    self.model = model
    self.detail = detail
    self.device = device
    self.runtime = runtime
    self.letter = letter
    self.certainty = certainty
    self.figures = figures
    self.lines = lines
    self.measuredAt = measuredAt
    self.link = link
  }

  /// A device without what names one machine: `ssh:HOST` and `adb:SERIAL` become their kind.
  static func kind(_ device: String) -> String {
    switch device.split(separator: ":").first {
    case "ssh": "remote machine"
    case "adb": "Android device"
    default: device.contains(":") ? "device" : device
    }
  }

  /// The label as a file.
  ///
  /// - Parameter pixels: the width of a PNG.
  /// - Throws: `Diagnostic` FIG001 to FIG005.
  public func file(_ format: DrawingFormat, pixels: Int? = nil) throws -> [UInt8] {
    let code = try QRCode(link)
    return try Canvas.draw(
      format,
      width: Self.width,
      height: Self.height,
      pixels: pixels,
      title: "Energy label of \([model, detail].filter { !$0.isEmpty }.joined(separator: " "))"
        + " on \(device)",
      madeAt: measuredAt
    ) { draw($0, code) }
  }

  private static let width = 360.0
  private static let height = 560.0

  // MARK: Drawing

  private func draw(_ canvas: Canvas, _ code: QRCode) {
    canvas.rectangle(0, 0, Self.width, Self.height)
    canvas.fill(.paper)
    canvas.card(4, 4, Self.width - 8, Self.height - 8, radius: 14)
    canvas.stroke(.text, width: 3)
    head(canvas)
    ladder(canvas)
    figures(canvas)
    foot(canvas, code)
  }

  private func head(_ canvas: Canvas) {
    canvas.write("ENERGY LABEL", 22, 34, size: 11, isBold: true, .soft)
    canvas.write("assay", Self.width - 22, 34, size: 13, isBold: true, .text, .end)
    canvas.write(model, 22, 64, size: 25, isBold: true, fitting: Self.width - 44)
    canvas.write(detail, 22, 84, size: 13, .soft, fitting: Self.width - 44)
    canvas.write(device, 22, 104, size: 13, fitting: Self.width - 44)
    canvas.write(runtime, 22, 121, size: 11, .soft, fitting: Self.width - 44)
    canvas.path([(22, 132), (Self.width - 22, 132)])
    canvas.stroke(.line, width: 1.5)
  }

  /// Five steps, the better the longer and the darker, and the grade large beside them.
  private func ladder(_ canvas: Canvas) {
    let (top, height, gap) = (146.0, 22.0, 5.0)
    for letter in Letter.allCases {
      let y = top + Double(letter.rawValue) * (height + gap)
      let length = 150 - Double(letter.rawValue) * 24
      let isOwn = self.letter == letter
      canvas.path(
        [
          (22, y), (22 + length, y), (22 + length + height / 2, y + height / 2),
          (22 + length, y + height), (22, y + height),
        ],
        isClosed: true
      )
      canvas.fill(letter.ink)
      canvas.write(letter.text, 31, y + 16.5, size: 15, isBold: true, letter.onInk)
      if isOwn {
        canvas.path([(22 + length + 17, y + height / 2), (209, y + height / 2)])
        canvas.stroke(.text, width: 2, dashes: [2, 3])
      }
    }
    let x = 212.0
    guard let letter else {
      canvas.card(x, 146, 126, 104, radius: 12)
      canvas.stroke(.text, width: 2)
      canvas.write("no grade", x + 63, 203, size: 18, isBold: true, .text, .middle)
      canvas.write(certainty, x + 63, 268, size: 8, .soft, .middle, fitting: 126)
      return
    }
    canvas.card(x, 146, 126, 104, radius: 12)
    canvas.fill(letter.ink)
    canvas.card(x, 146, 126, 104, radius: 12)
    canvas.stroke(.text, width: 2.5)
    canvas.write(letter.text, x + 63, 229, size: 88, isBold: true, letter.onInk, .middle)
    canvas.write(certainty, x + 63, 268, size: 11, isBold: true, .text, .middle, fitting: 126)
  }

  private func figures(_ canvas: Canvas) {
    canvas.path([(22, 286), (Self.width - 22, 286)])
    canvas.stroke(.line, width: 1.5)
    for (place, figure) in figures.prefix(4).enumerated() {
      draw(figure, canvas, 22 + Double(place % 2) * 162, 296 + Double(place / 2) * 78)
    }
    canvas.path([(22, 456), (Self.width - 22, 456)])
    canvas.stroke(.line, width: 1.5)
  }

  private func draw(_ figure: Figure, _ canvas: Canvas, _ x: Double, _ y: Double) {
    canvas.write(figure.name, x, y + 14, size: 11, .soft, fitting: 154)
    guard let value = figure.value else {
      canvas.write("–", x, y + 42, size: 24, isBold: true, .soft)
      canvas.write(figure.note, x, y + 60, size: 10, .soft)
      return
    }
    var left = x
    if let letter = figure.letter {
      canvas.card(x, y + 24, 22, 22, radius: 5)
      canvas.fill(letter.ink)
      canvas.write(letter.text, x + 11, y + 40.5, size: 15, isBold: true, letter.onInk, .middle)
      left += 29
    }
    canvas.write(value, left, y + 43, size: 21, isBold: true, fitting: x + 154 - left)
    // A filled mark for what was measured, an open one for what was not.
    canvas.circle(x + 4, y + 57, 3.2)
    if figure.isMeasured {
      canvas.fill(.text)
    } else {
      canvas.stroke(.text, width: 1.2)
    }
    canvas.write(figure.note, x + 12, y + 60.5, size: 10, .soft, fitting: 142)
  }

  private func foot(_ canvas: Canvas, _ code: QRCode) {
    let count = Double(code.modules.count)
    let side = 78.0
    let (x, y) = (Self.width - 22 - side, 464.0)
    let module = side / count
    for (row, modules) in code.modules.enumerated() {
      var start: Int?
      for column in 0...modules.count {
        let isDark = column < modules.count && modules[column]
        if isDark, start == nil { start = column }
        if !isDark, let begin = start {
          canvas.rectangle(
            x + Double(begin) * module,
            y + Double(row) * module,
            Double(column - begin) * module,
            // A little more, so that no light line shows between rows.
            module + 0.1
          )
          canvas.fill(Ink(0))
          start = nil
        }
      }
    }
    for (place, line) in lines.enumerated() {
      canvas.write(line, 22, 478 + Double(place) * 15, size: 10, .soft, fitting: 226)
    }
    canvas.write("● measured   ○ not measured by us", 22, 541, size: 9, .soft)
  }
}
