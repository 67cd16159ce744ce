import AssayBase

extension Record.Energy {
  /// The energy as a record keeps it; joules and watts with `u95`, half of the 95 % interval.
  ///
  /// `perInference` and `netPerInference` are derived and not read back.
  public var json: JSON {
    var object = JSON.object([
      "driver": .string(driver), "meter": .string(meter), "serial": JSON(serial),
      "version": JSON(version), "provenance": .string(provenance.rawValue),
      "seconds": JSON(seconds), "inferences": JSON(inferenceCount), "windows": JSON(windowCount),
      "readingsPerSecond": rate.map { JSON($0) } ?? .null,
    ])
    if let join {
      object["join"] = .object([
        "method": .string(join.method), "offsetNs": JSON(join.offsetNanoseconds),
        "driftPpm": JSON(join.driftPPM), "uncertaintyNs": JSON(join.uncertaintyNanoseconds),
      ])
    }
    object["perInferenceJ"] = perInference.json
    object["netPerInferenceJ"] = netPerInference.json
    object["domains"] = .array(domains.map(\.json))
    return object
  }

  /// Reads what `json` gives; `nil` when it is something else.
  public init?(json: JSON) {
    guard let driver = json["driver"]?.string, let meter = json["meter"]?.string,
      let provenance = json["provenance"]?.string.flatMap(Provenance.init(rawValue:)),
      let seconds = json["seconds"]?.double, let inferences = json["inferences"]?.int,
      let windows = json["windows"]?.int
    else { return nil }
    self.init(
      driver: driver,
      meter: meter,
      provenance: provenance,
      seconds: seconds,
      inferenceCount: inferences,
      windowCount: windows
    )
    serial = json["serial"]?.string
    version = json["version"]?.string
    rate = json["readingsPerSecond"]?.double
    if let join = json["join"] {
      guard let method = join["method"]?.string, let offset = join["offsetNs"]?.double,
        let drift = join["driftPpm"]?.double, let uncertainty = join["uncertaintyNs"]?.double
      else { return nil }
      self.join = Join(
        method: method,
        offsetNanoseconds: offset,
        driftPPM: drift,
        uncertaintyNanoseconds: uncertainty
      )
    }
    let elements = json["domains"]?.array ?? []
    domains = elements.compactMap(Domain.init(json:))
    guard domains.count == elements.count else { return nil }
  }
}

extension Record.Energy.Domain {
  fileprivate var json: JSON {
    .object([
      "name": .string(name), "covers": .string(scope), "primary": .bool(isPrimary),
      "readings": JSON(readingCount), "totalJ": total.json, "netJ": net.json,
      "idleW": idlePower.json,
      "budget": .array(
        budget.map {
          .object([
            "name": .string($0.name), "totalJ": JSON($0.total), "netJ": JSON($0.net),
            "source": .string($0.source),
          ])
        }
      ),
    ])
  }

  fileprivate init?(json: JSON) {
    guard let name = json["name"]?.string, let scope = json["covers"]?.string,
      let total = Figure<Record.Energy.Quantity>(json: json["totalJ"]),
      let net = Figure<Record.Energy.Quantity>(json: json["netJ"]),
      let idle = Figure<Record.Energy.Quantity>(json: json["idleW"])
    else { return nil }
    self.init(
      name: name,
      scope: scope,
      isPrimary: json["primary"]?.bool ?? false,
      readingCount: json["readings"]?.int ?? 0,
      total: total,
      net: net,
      idlePower: idle
    )
    for line in json["budget"]?.array ?? [] {
      guard let name = line["name"]?.string, let total = line["totalJ"]?.double,
        let net = line["netJ"]?.double
      else { return nil }
      budget.append(
        Record.Energy.Contribution(
          name,
          total: total,
          net: net,
          source: line["source"]?.string ?? ""
        )
      )
    }
  }
}

extension Figure where Value == Record.Energy.Quantity {
  /// `{"value": …, "u95": …}`, or `{"missing": reason}`.
  public var json: JSON {
    switch self {
    case .missing(let reason): return .object(["missing": .string(reason)])
    case .value(let quantity):
      guard quantity.value.isFinite else {
        return .object(["missing": .string("the figure came out as \(quantity.value)")])
      }
      var object = JSON.object(["value": JSON(quantity.value)])
      if let uncertainty = quantity.uncertainty { object["u95"] = JSON(uncertainty) }
      return object
    }
  }

  fileprivate init?(json: JSON?) {
    if let reason = json?["missing"]?.string {
      self = .missing(reason: reason)
    } else if let value = json?["value"]?.double {
      self = .value(Record.Energy.Quantity(value, uncertainty: json?["u95"]?.double))
    } else {
      return nil
    }
  }
}
