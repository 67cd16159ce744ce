import AssayBase

extension Subject {
  /// The rows of a table as subjects.
  ///
  /// A column is that property of a scale whose key the properties' description gives as `"is"`, or
  /// whose key it has itself; `factor` turns its figures into the scale's unit, and `count` names the
  /// column with the number of items that a fraction was counted over.
  public static func of(_ table: MeasurementTable) -> [Subject] {
    let counts = table.properties.map { property in
      property.countColumn.flatMap { key in table.properties.firstIndex { $0.key == key } }
    }
    return table.rows.enumerated().map { number, row in
      var values: [String: Measured] = [:]
      for (place, property) in table.properties.enumerated() {
        guard let value = row.values[place], value.isFinite, let key = property.scaleKey else {
          continue
        }
        var uncertainty = Uncertainty.unknown
        if let count = counts[place].flatMap({ row.values[$0] }), count >= 1, count < 1e15 {
          uncertainty = .counted(Int(count))
        } else if ["size", "parameters"].contains(key) {
          uncertainty = .exact
        }
        values[key] = Measured(value * property.factor, uncertainty, property.provenance)
      }
      return Subject(
        id: "row \(number + 1)",
        model: row.model,
        environment: row.environment,
        task: row.task,
        dataset: row.dataset,
        values: values
      )
    }
  }
}
