/// A tensor's name as the model's author wrote it: without what TensorFlow's exporters put around it
/// (`serving_default_` before, `:0` after).
public func plainPortName(_ name: String) -> String {
  var text = Substring(name)
  if text.hasPrefix("serving_default_") { text = text.dropFirst("serving_default_".count) }
  if let colon = text.lastIndex(of: ":"), text[text.index(after: colon)...].allSatisfy(\.isNumber) {
    text = text[..<colon]
  }
  return text.isEmpty ? name : String(text)
}

/// The names without decoration where that leaves them distinct; otherwise as they are.
public func plainPortNames(_ names: [String]) -> [String] {
  let plain = names.map { plainPortName($0) }
  return Set(plain).count == names.count ? plain : names
}
