extension Graph {
  /// The graph with every value under a name of its own: inputs and outputs keep theirs, a later
  /// value of the same name gets a number.
  public func uniquelyNamed() -> Graph {
    var result = self
    var taken: Set<String> = []
    let fixed = inputs + outputs.filter { !inputs.contains($0) }
    for id in fixed { taken.insert(self[id].name) }
    for index in values.indices where !fixed.contains(ValueID(index)) {
      let name = values[index].name
      var unique = name
      var number = 1
      while !taken.insert(unique).inserted {
        unique = "\(name)_\(number)"
        number += 1
      }
      if unique != name { result[ValueID(index)].name = unique }
    }
    return result
  }
}
