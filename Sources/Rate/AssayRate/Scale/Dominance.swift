/// Which subjects are beaten by another in everything.
public enum Dominance {
  /// How many that dominate one subject are named at most.
  public static let namedAtMost = 10

  /// By place the subjects that dominate each: no worse in any property that both have, better in at
  /// least one.
  ///
  /// The first `namedAtMost` of them are given: of thousands of subjects, a bad one is beaten by
  /// thousands.
  /// Only subjects of one task and data set that were measured in one environment and under the same
  /// conditions are compared, and only by properties with a weight that both have. The points decide,
  /// not their intervals.
  public static func dominators(of subjects: [Subject], by scale: Scale) -> [[Int]] {
    let properties = scale.properties.filter { $0.weight > 0 }
    struct Class: Hashable {
      var task: String, dataset: String, environment: String
      var conditions: [String: String]
    }
    var classes: [Class: [Int]] = [:]
    for (place, subject) in subjects.enumerated() {
      let key = Class(
        task: subject.task,
        dataset: subject.dataset,
        environment: subject.environment,
        conditions: subject.conditions
      )
      classes[key, default: []].append(place)
    }
    var result: [[Int]] = subjects.map { _ in [] }
    for places in classes.values {
      for place in places {
        for other in places
        where other != place && dominates(subjects[other], subjects[place], properties) {
          result[place].append(other)
          if result[place].count == namedAtMost { break }
        }
      }
    }
    return result
  }

  private static func dominates(
    _ a: Subject,
    _ b: Subject,
    _ properties: [Scale.Property]
  ) -> Bool {
    var isBetter = false
    for property in properties {
      switch (a.values[property.key]?.value, b.values[property.key]?.value) {
      case (let x?, let y?):
        let isLess = property.comparison == .less
        if isLess ? x > y : x < y { return false }
        if x != y { isBetter = true }
      case (nil, nil): continue
      // What one of them lacks could be its strength.
      default: return false
      }
    }
    return isBetter
  }
}
