import AssayBase

/// What Qualcomm's SNPE tools print.
public enum SNPE {
  /// One layer of `snpe-diagview`.
  public struct Layer: Sendable, Equatable {
    /// Its place in the network.
    public var index: Int
    /// Its time, or its cycles; the two are never mixed.
    public var figure: Printed
    /// `us` or `cycles`.
    public var unit: String
    /// What ran it: `CPU`, `GPU`, `DSP`.
    public var processor: String
  }

  /// The report of `snpe-diagview` on a profile.
  public struct Diagnosis: Sendable, Equatable {
    /// The library's version.
    public var version: String?
    /// Figures by label as printed, such as `Total Inference Time`, microseconds.
    ///
    /// What the report gives as `0 NONE` is not among them: there was nothing to measure.
    public var microseconds: [String: Printed] = [:]
    /// Labels in order.
    public var labels: [String] = []
    /// The layers.
    public var layers: [Layer] = []

    /// Mean time of an inference.
    public var inference: Printed? { microseconds["Total Inference Time"] }

    /// Every figure that was read, for checks.
    public var figures: [Printed] { microseconds.values + layers.map(\.figure) }

    /// The layers in our schema; `nil` where they are in cycles, which are no time.
    public var operators: JSON? {
      guard !layers.isEmpty, layers.allSatisfy({ $0.unit == "us" }) else { return nil }
      return .array(
        layers.map {
          .object([
            "kind": .string($0.processor), "node": .string("\($0.index)"),
            "ns": JSON(Int($0.figure.nanoseconds(unit: 1000) ?? 0)),
          ])
        }
      )
    }

    /// What ran layers, with how many each, in order of appearance.
    public var processors: [(name: String, count: Int)] {
      var all: [(name: String, count: Int)] = []
      for layer in layers {
        if let index = all.firstIndex(where: { $0.name == layer.processor }) {
          all[index].count += 1
        } else {
          all.append((layer.processor, 1))
        }
      }
      return all
    }

    /// Reads the report.
    ///
    /// - Throws: `Diagnostic` QCM001 when it is none.
    public init(parsing text: String) throws {
      var isLayers = false
      for line in text.rows {
        let line = line.trimmed
        if line.hasPrefix("Layer Times:") {
          isLayers = true
          continue
        }
        guard let colon = line.firstIndex(of: ":") else { continue }
        let label = String(line[..<colon].trimmed)
        let rest = line[line.index(after: colon)...].trimmed
        if isLayers {
          if let layer = Diagnosis.layer(label, rest) { layers.append(layer) }
          continue
        }
        if label == "Software library version" { version = String(rest) }
        let words = rest.split(separator: " ")
        guard words.count == 2, words[1] == "us", let figure = Printed(words[0]),
          figure.value >= 0, microseconds[label] == nil
        else { continue }
        microseconds[label] = figure
        labels.append(label)
      }
      guard inference != nil else {
        throw Diagnostic(
          "QCM001",
          "this is no report of snpe-diagview",
          remedy: "give what snpe-diagview --input_log SNPEDiag_0.log printed"
        )
      }
    }

    /// `1: 162011 cycles : DSP`, from the label on.
    private static func layer(_ label: String, _ rest: Substring) -> Layer? {
      let parts = rest.split(separator: ":")
      guard let index = Int(label), parts.count == 2 else { return nil }
      let words = parts[0].split(separator: " ")
      guard words.count == 2, ["us", "cycles"].contains(words[1]), let figure = Printed(words[0]),
        figure.value >= 0
      else { return nil }
      return Layer(
        index: index,
        figure: figure,
        unit: String(words[1]),
        processor: String(parts[1].trimmed)
      )
    }
  }

  /// The result of `snpe-throughput-net-run`.
  public struct Throughput: Sendable, Equatable {
    /// What one of its threads did.
    public struct Thread: Sendable, Equatable {
      /// Its number, and what ran there, such as `dsp_fixed8_tf`.
      public var number: Int
      public var runtime: String
      /// Inferences a second.
      public var rate: Printed
      /// Inputs that were processed.
      public var images: Printed?
      /// Microseconds of building, of the whole, and of taking down.
      public var build: Printed?
      public var elapsed: Printed?
      public var teardown: Printed?
      /// Inputs of an inference.
      public var batch: Printed?
    }

    /// Its threads.
    public var threads: [Thread] = []
    /// Inferences a second of all.
    public var total: Printed

    /// Every figure that was read, for checks.
    public var figures: [Printed] {
      [total]
        + threads.flatMap {
          [$0.rate, $0.images, $0.build, $0.elapsed, $0.teardown, $0.batch].compactMap(\.self)
        }
    }

    /// Reads the output.
    ///
    /// - Throws: `Diagnostic` QCM002 when it is none, or did not come to its end.
    public init(parsing text: String) throws {
      var total: Printed?
      for line in text.rows {
        let line = line.trimmed
        if let rest = line.after("Total throughput: ") {
          total = rest.between("", " infs/sec").flatMap { Printed($0) }
        } else if let thread = Throughput.thread(line) {
          threads.append(thread)
        }
      }
      guard let total, total.value >= 0 else {
        throw Diagnostic(
          "QCM002",
          "this is no result of snpe-throughput-net-run",
          remedy: "the line 'Total throughput' is missing: it was stopped, or failed"
        )
      }
      self.total = total
    }

    private static func thread(_ line: Substring) -> Thread? {
      guard let rest = line.after("[Thread "), let close = rest.firstIndex(of: "]") else {
        return nil
      }
      let head = rest[..<close]
      guard let dash = head.range(" - "), let number = Int(head[..<dash.lowerBound]) else {
        return nil
      }
      let parts = rest[rest.index(after: close)...].trimmed.splitByDash()
      guard let first = parts.first?.between("", " infs/sec"), let rate = Printed(first) else {
        return nil
      }
      func figure(_ label: String, _ unit: String) -> Printed? {
        for part in parts {
          guard let colon = part.firstIndex(of: ":"), part[..<colon].trimmed == label else {
            continue
          }
          let value = part[part.index(after: colon)...].trimmed
          return value.between("", unit).flatMap { Printed($0.trimmed) }
        }
        return nil
      }
      return Thread(
        number: number,
        runtime: String(head[dash.upperBound...]),
        rate: rate,
        images: figure("Number of images processed", ""),
        build: figure("Build time", " microseconds"),
        elapsed: figure("Elapsed time", " microseconds"),
        teardown: figure("Teardown time", " microseconds"),
        batch: figure("Batch", "")
      )
    }
  }

  /// The result of `snpe-net-run`: the inputs that it took.
  public struct NetRun: Sendable, Equatable {
    /// The library's version, such as `2.9.0.4462`.
    public var version: String?
    /// The inputs' paths.
    public var inputs: [String] = []

    /// Reads the output.
    ///
    /// - Throws: `Diagnostic` QCM003 unless it says that it was successful.
    public init(parsing text: String) throws {
      var isSuccessful = false
      var isInput = false
      for line in text.rows {
        let line = line.trimmed
        if let version = line.after("SNPE v") { self.version = String(version) }
        if isInput {
          inputs.append(String(line))
          isInput = false
        } else if line.hasPrefix("Processing DNN input(s):") {
          isInput = true
        } else if line == "Successfully executed!" {
          isSuccessful = true
        }
      }
      guard isSuccessful else {
        throw Diagnostic(
          "QCM003",
          "snpe-net-run did not succeed",
          cause: text.split(separator: "\n").suffix(4).joined(separator: "\n")
        )
      }
    }
  }
}

extension Substring {
  /// Parts between ` - `.
  fileprivate func splitByDash() -> [Substring] {
    var parts: [Substring] = []
    var rest = self
    while let range = rest.range(" - ") {
      parts.append(rest[..<range.lowerBound].trimmed)
      rest = rest[range.upperBound...]
    }
    parts.append(rest.trimmed)
    return parts
  }
}
