import AssayBase
import AssayData
import AssayDetect

/// A series with its scores, threshold and anomalies as a drawing: a page, an SVG or a PNG.
public struct SeriesDrawing {
  let result: DetectionResult
  /// The name of the network.
  let model: String

  /// Draws what was found in a series.
  public init(_ result: DetectionResult, model: String) {
    self.result = result
    self.model = model
  }

  /// One line of the drawing over another: values along samples.
  struct Panel {
    var title: String
    /// The lines from back to front, each with its class.
    var lines: [(values: [Double], style: String)]
    /// The sample that the first value belongs to.
    var firstSample = 0
    var low: Double
    var high: Double
    /// A level that is drawn across, such as a threshold.
    var level: Double?
    var height: Double

    /// The place of a value, from the panel's top.
    func row(_ value: Double) -> Double {
      let part = high > low ? (value - low) / (high - low) : 0.5
      return height * (1 - min(max(part, 0), 1))
    }
  }

  /// A stretch of samples in a color.
  struct Band {
    var samples: Range<Int>
    var style: String
  }

  /// The panels over some samples: each channel, then the scores.
  func panels(_ range: Range<Int>, height: Double, showsReconstruction: Bool) -> [Panel] {
    var panels: [Panel] = []
    for (index, channel) in result.series.values.prefix(8).enumerated() {
      let shown = Array(channel[range])
      var lines = [(values: shown, style: "signal")]
      if showsReconstruction {
        let (mean, deviation) = (
          result.standardization.mean[index], result.standardization.deviation[index]
        )
        let made = range.map { sample -> Double in
          sample < result.reconstruction[index].count
            ? Double(result.reconstruction[index][sample]) * deviation + mean : .nan
        }
        lines.insert((values: made, style: "made"), at: 0)
      }
      let all = channel[range]
      panels.append(
        Panel(
          title: result.series.channels[index],
          lines: lines,
          firstSample: range.lowerBound,
          low: all.min() ?? 0,
          high: all.max() ?? 1,
          height: height
        )
      )
    }
    let first = result.scoring.firstSample
    let from = max(range.lowerBound, first)
    let scores =
      from < range.upperBound
      ? Array(result.scores[from - first..<range.upperBound - first]) : []
    panels.append(
      Panel(
        title: "anomaly score",
        lines: [(values: scores, style: "score")],
        firstSample: from,
        low: 0,
        high: max(scores.max() ?? 1, result.detection.threshold) * 1.05,
        level: result.detection.threshold,
        height: height
      )
    )
    return panels
  }

  /// What is colored: labels, what nobody judges by, and alarms without a label.
  var bands: [Band] {
    var bands: [Band] = []
    for run in runs(result.series.isIgnored ?? []) {
      bands.append(Band(samples: run, style: "ignored"))
    }
    for event in result.detection.events ?? [] {
      bands.append(Band(samples: event.samples, style: event.isDetected ? "found" : "missed"))
    }
    let unexplained =
      result.detection.events == nil ? result.detection.alarms : result.detection.falseAlarms
    for run in unexplained {
      bands.append(Band(samples: run, style: "alarm"))
    }
    return bands
  }

  /// What was found, in one line.
  var answer: String {
    let found = result.detection
    guard let byEvent = found.byEvent, let events = found.events else {
      return found.alarms.count == 1
        ? "1 unusual stretch" : "\(found.alarms.count) unusual stretches"
    }
    let alarms = byEvent.falsePositives
    return "\(byEvent.truePositives) of \(events.count) anomalies found, "
      + (alarms == 0 ? "no false alarms" : alarms == 1 ? "1 false alarm" : "\(alarms) false alarms")
  }
}

/// What of a line is seen at one column of a drawing.
struct ColumnExtent {
  var column: Int
  var low: Double
  var high: Double
}

/// The least and greatest value at each column that has one; NaN counts as absent.
///
/// - Parameter place: the part of the width at which a value's index lies.
func columnExtents(_ values: [Double], columns: Int, place: (Int) -> Double) -> [ColumnExtent] {
  var result: [ColumnExtent] = []
  for (index, value) in values.enumerated() where value.isFinite {
    let column = min(columns - 1, max(0, Int(place(index) * Double(columns))))
    if let last = result.last, last.column == column {
      result[result.count - 1].low = min(last.low, value)
      result[result.count - 1].high = max(last.high, value)
    } else {
      result.append(ColumnExtent(column: column, low: value, high: value))
    }
  }
  return result
}
