import AssayBase

extension Scale {
  /// The scales that come with Assay, in the order in which help lists them.
  ///
  /// They are JSON files of the package (`Resources/`), compiled in so that the command needs no other
  /// file.
  public static let builtIn: [Scale] = [
    PackageResources.image_classification_json, PackageResources.variants_json,
  ].compactMap { bytes in
    // A test reads each of them; none is left out here.
    (try? JSON(parsing: bytes)).flatMap { try? Scale(json: $0) }
  }

  /// The scale of a name.
  ///
  /// - Throws: `Diagnostic` RAT022 when there is none.
  public static func named(_ name: String) throws -> Scale {
    if let scale = builtIn.first(where: { $0.name == name }) { return scale }
    let names = builtIn.map(\.name)
    throw Diagnostic(
      "RAT022",
      "there is no scale called '\(name)'",
      remedy: "one of \(names.joined(separator: ", ")), or a file: --scale FILE"
        + (nearest(to: name, among: names).map { "; did you mean \($0)?" } ?? "")
    )
  }

  /// The scale that rates results of a data set.
  public static func forDataset(_ dataset: String) -> Scale? {
    builtIn.first { $0.datasets.contains(dataset.lowercased()) }
  }
}

extension Scale {
  /// Freezes subjects as the reference set of a new scale.
  ///
  /// - Throws: `Diagnostic` RAT020 when they do not make one.
  public static func freeze(
    _ subjects: [Subject],
    name: String,
    about: String,
    properties: [Property],
    conditions: [String: [String]] = [:]
  ) throws -> Scale {
    var sources: [String: String] = [:]
    let references = subjects.map { subject in
      var words: [String: String] = [:]
      for (key, value) in subject.values {
        words[key] = value.provenance.rawValue
        sources[value.provenance.rawValue] = "\(value.provenance.rawValue) by who froze the scale"
      }
      return Reference(
        model: subject.title,
        values: subject.values.mapValues(\.value),
        sources: words
      )
    }
    // Properties that nobody has are left out; those with a weight and too few figures are refused.
    let present = properties.filter { property in
      references.contains { $0.values[property.key] != nil }
    }
    return try Scale(
      name: name,
      about: about,
      datasets: Set(subjects.map(\.dataset)).subtracting(["unknown"]).sorted(),
      properties: present,
      references: references,
      sources: sources,
      conditions: conditions
    )
  }
}
