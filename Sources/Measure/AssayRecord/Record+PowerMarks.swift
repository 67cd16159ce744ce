import AssayBase

extension Record {
  /// What was done around the rounds so that a power meter's recording can be joined with the record,
  /// at once or long afterwards: rests of the machine, and coded loads.
  public struct PowerMarks: Sendable, Equatable {
    /// A coded load, on the clock of the windows.
    public struct Marker: Sendable, Equatable {
      /// From before its first chip to after its last.
      public var whole: Window
      /// The stretches in which the processors were busy.
      public var busy: [Window]

      /// Makes a marker.
      public init(whole: Window, busy: [Window]) {
        self.whole = whole
        self.busy = busy
      }
    }

    /// When the machine rested, so that its idle power is known.
    public var rests: [Window]
    /// The coded loads, in order.
    public var markers: [Marker]

    /// Makes marks.
    public init(rests: [Window], markers: [Marker]) {
      self.rests = rests
      self.markers = markers
    }

    /// The marks as a record keeps them.
    var json: JSON {
      .object([
        "restsNs": .array(rests.map(\.json)),
        "markers": .array(
          markers.map {
            .object(["wholeNs": $0.whole.json, "busyNs": .array($0.busy.map(\.json))])
          }
        ),
      ])
    }

    /// Reads marks; `nil` when they are none.
    init?(json: JSON) {
      func windows(_ value: JSON?) -> [Window]? {
        let all = value?.array ?? []
        let read = all.compactMap { Window(json: $0) }
        return read.count == all.count ? read : nil
      }
      guard let rests = windows(json["restsNs"]), json.pairs != nil else { return nil }
      var markers: [Marker] = []
      for entry in json["markers"]?.array ?? [] {
        guard let whole = entry["wholeNs"].flatMap({ Window(json: $0) }),
          let busy = windows(entry["busyNs"])
        else { return nil }
        markers.append(Marker(whole: whole, busy: busy))
      }
      self.init(rests: rests, markers: markers)
    }
  }
}
