import AssayBase

extension Preprocessing {
  /// Keras's modes and what they set.
  static let modes: [(name: String, summary: String)] = [
    ("none", "values 0...255 as they are"),
    (
      "mobilenet", "x / 127.5 - 1 (Keras's tf mode: MobileNet, Inception, Xception, EfficientNetV2)"
    ),
    ("torch", "x / 255, minus ImageNet's mean, by its deviation (DenseNet, torchvision)"),
    ("caffe", "blue-green-red, minus ImageNet's mean (VGG, ResNet)"),
    ("yolo", "x / 255 in a letterbox, resized as OpenCV does"),
  ]

  /// Keys and what they take.
  static let keys: [(name: String, summary: String)] = [
    ("scale", "a number or a fraction such as 1/255"),
    ("mean", "a number, or three between colons"),
    ("std", "a number, or three between colons"),
    ("color", "auto, rgb, bgr or gray"),
    ("crop", "none, center, center:0.875 (a central part) or square:0.875"),
    ("resize", "fit, 256 (the shorter side), 320x240 (width x height), letterbox or crop-or-pad"),
    ("filter", ResizeFilter.allCases.map(\.rawValue).joined(separator: ", ")),
    ("layout", "auto, nhwc or nchw"),
    ("orient", "exif or none"),
  ]

  /// Reads a specification: modes and `key=value` between commas, later ones over earlier ones.
  ///
  ///     mobilenet
  ///     scale=1/255,mean=0.5:0.5:0.5,std=0.5,resize=256,filter=antialias
  ///
  /// - Throws: `Diagnostic` DAT010, or `Diagnostics` with one for every part that is wrong.
  public static func parse(_ text: String) throws -> Preprocessing {
    var result = Preprocessing()
    var faults: [Diagnostic] = []
    // Commas also stand between the values of mean= and std=.
    var parts: [String] = []
    for part in text.split(separator: ",").map({ trimmed($0) }) where !part.isEmpty {
      if let last = parts.last, last.hasPrefix("mean=") || last.hasPrefix("std="),
        Double(part) != nil
      {
        parts[parts.count - 1] += ":" + part
      } else {
        parts.append(part)
      }
    }
    for part in parts {
      do {
        try result.apply(part)
      } catch let error as Diagnostic {
        faults.append(error.inside("--preprocess \(text)"))
      }
    }
    try Diagnostics(faults).throwIfErrors()
    return result
  }

  private mutating func apply(_ part: String) throws {
    guard let equals = part.firstIndex(of: "=") else { return try applyMode(part.lowercased()) }
    let key = part[..<equals].lowercased()
    let value = trimmed(part[part.index(after: equals)...])
    switch key {
    case "scale": scale = try Preprocessing.fraction(value)
    case "mean": mean = try Preprocessing.channels(value, "mean")
    case "std":
      std = try Preprocessing.channels(value, "std")
      if std.contains(0) { throw Preprocessing.fault(key, value) }
    case "color", "colour": color = try Preprocessing.word(value, key)
    case "filter": filter = try Preprocessing.word(value, key)
    case "layout": layout = try Preprocessing.word(value, key)
    case "crop": try applyCrop(value)
    case "resize": resize = try Preprocessing.resize(value)
    case "orient":
      guard ["exif", "none"].contains(value) else { throw Preprocessing.fault(key, value) }
      isOriented = value == "exif"
    default:
      let meant = nearest(to: key, among: Preprocessing.keys.map(\.name))
      throw Diagnostic(
        "DAT010",
        "preprocessing has no key '\(key)'",
        remedy: meant.map { "did you mean \($0)=?" } ?? Preprocessing.help
      )
    }
  }

  private mutating func applyMode(_ name: String) throws {
    switch name {
    case "none", "raw":
      scale = (1, 1)
      mean = [0]
      std = [1]
    case "mobilenet", "tf":
      scale = (1, 127.5)
      mean = [1]
      std = [1]
    case "torch":
      scale = (1, 255)
      mean = [0.485, 0.456, 0.406]
      std = [0.229, 0.224, 0.225]
    case "caffe":
      color = .bgr
      scale = (1, 1)
      mean = [103.939, 116.779, 123.68]
      std = [1]
    case "yolo":
      scale = (1, 255)
      mean = [0]
      std = [1]
      resize = .letterbox
      filter = .opencv
    default:
      let known = Preprocessing.modes.map(\.name)
      throw Diagnostic(
        "DAT010",
        "preprocessing has no mode '\(name)'",
        remedy: nearest(to: name, among: known).map { "did you mean \($0)?" }
          ?? Preprocessing.help
      )
    }
  }

  private mutating func applyCrop(_ value: String) throws {
    let words = value.split(separator: ":", omittingEmptySubsequences: false)
    let fraction = words.count == 2 ? Double(words[1]) : words.count == 1 ? 1 : nil
    guard let fraction, fraction > 0, fraction <= 1 else {
      throw Preprocessing.fault("crop", value)
    }
    switch words[0] {
    case "none" where words.count == 1: (crop, isSquared) = (1, false)
    // Without a part there is nothing to cut but what does not fit the proportions.
    case "center", "centre": (crop, isSquared) = (fraction, words.count == 1)
    case "square": (crop, isSquared) = (fraction, true)
    default: throw Preprocessing.fault("crop", value)
    }
  }

  private static func resize(_ value: String) throws -> Resize {
    switch value {
    case "fit": return .fit
    case "letterbox": return .letterbox
    case "crop-or-pad": return .cropOrPad
    default: break
    }
    let words = value.lowercased().split(separator: "x", omittingEmptySubsequences: false)
    let numbers = words.compactMap { Int($0) }
    guard numbers.count == words.count, numbers.allSatisfy({ (1...1 << 15).contains($0) }) else {
      throw fault("resize", value)
    }
    switch numbers.count {
    case 1: return .shorter(numbers[0])
    case 2: return .size(width: numbers[0], height: numbers[1])
    default: throw fault("resize", value)
    }
  }

  private static func fraction(_ value: String) throws -> (Double, Double) {
    let words = value.split(separator: "/", omittingEmptySubsequences: false)
    // Values are computed in single precision, where larger or smaller numbers are no numbers.
    let numbers = words.compactMap { Double($0) }.filter { $0 == 0 || isSingle($0) }
    guard numbers.count == words.count, (1...2).contains(numbers.count),
      numbers.count == 1 || numbers[1] != 0
    else { throw fault("scale", value) }
    return (numbers[0], numbers.count == 2 ? numbers[1] : 1)
  }

  private static func isSingle(_ value: Double) -> Bool {
    Float(value).isFinite && Float(value) != 0
  }

  private static func channels(_ value: String, _ key: String) throws -> [Double] {
    let words = value.split(separator: ":", omittingEmptySubsequences: false)
    let numbers = try words.map { word in
      let (numerator, denominator) = try fraction(String(word))
      return numerator / denominator
    }
    guard numbers.count == 1 || numbers.count == 3,
      numbers.allSatisfy({ $0 == 0 || isSingle($0) })
    else { throw fault(key, value) }
    return numbers
  }

  private static func word<Word: RawRepresentable>(_ value: String, _ key: String) throws -> Word
  where Word.RawValue == String {
    guard let word = Word(rawValue: value.lowercased()) else { throw fault(key, value) }
    return word
  }

  private static func fault(_ key: String, _ value: String) -> Diagnostic {
    let takes = keys.first { $0.name == key }?.summary ?? ""
    return Diagnostic(
      "DAT010",
      "preprocessing cannot read \(key)=\(value)",
      remedy: "\(key)= takes \(takes)"
    )
  }

  /// What a specification may hold, for help texts.
  public static var help: String {
    "modes: " + modes.map { "\($0.name) (\($0.summary))" }.joined(separator: ", ") + "; keys: "
      + keys.map { "\($0.name)= (\($0.summary))" }.joined(separator: ", ")
  }

  /// The whole specification, every key with its value: reading it gives an equal value.
  public var text: String {
    func number(_ value: Double) -> String {
      value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
    }
    func list(_ values: [Double]) -> String { values.map(number).joined(separator: ":") }
    let (numerator, denominator) = scale
    let scaleText = number(numerator) + (denominator == 1 ? "" : "/" + number(denominator))
    let cropText =
      isSquared ? "square:" + number(crop) : crop < 1 ? "center:" + number(crop) : "none"
    let resizeText =
      switch resize {
      case .fit: "fit"
      case .letterbox: "letterbox"
      case .cropOrPad: "crop-or-pad"
      case .shorter(let side): String(side)
      case .size(let width, let height): "\(width)x\(height)"
      }
    return
      "color=\(color.rawValue),crop=\(cropText),resize=\(resizeText),filter=\(filter.rawValue),"
      + "scale=\(scaleText),mean=\(list(mean)),std=\(list(std)),layout=\(layout.rawValue),"
      + "orient=\(isOriented ? "exif" : "none")"
  }
}

/// A text without white space at its ends.
func trimmed(_ text: some StringProtocol) -> String {
  var rest = Substring(text)
  while let first = rest.first, first.isWhitespace { rest.removeFirst() }
  while let last = rest.last, last.isWhitespace { rest.removeLast() }
  return String(rest)
}
