/// A JSON value (RFC 8259) that keeps the order of its members and tells integers from floats.
public enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSON])
  case members(Members)

  /// The members of an object, in order; a later duplicate replaces an earlier one.
  public struct Members: Sendable, Equatable {
    /// Keys in order of first appearance.
    public private(set) var keys: [String] = []
    private var values: [JSON] = []
    /// Where each key stands, once there are more than are quickly looked through.
    private var places: [String: Int] = [:]

    /// Up to so many keys are looked through one by one.
    private static let fewKeys = 12

    /// Makes an object without members.
    public init() {}

    private func place(of key: String) -> Int? {
      keys.count > Members.fewKeys ? places[key] : keys.firstIndex(of: key)
    }

    /// The value of one member; setting `nil` removes it.
    public subscript(key: String) -> JSON? {
      get { place(of: key).map { values[$0] } }
      set {
        switch (place(of: key), newValue) {
        case (let place?, let value?): values[place] = value
        case (nil, let value?): append(key, value)
        case (let place?, nil):
          keys.remove(at: place)
          values.remove(at: place)
          places = [:]
          if keys.count > Members.fewKeys { notePlaces() }
        case (nil, nil): break
        }
      }
    }

    private mutating func append(_ key: String, _ value: JSON) {
      keys.append(key)
      values.append(value)
      if keys.count == Members.fewKeys + 1 {
        notePlaces()
      } else if keys.count > Members.fewKeys {
        places[key] = keys.count - 1
      }
    }

    private mutating func notePlaces() {
      for (place, key) in keys.enumerated() { places[key] = place }
    }

    /// Keys with their values, in order.
    public var pairs: [(key: String, value: JSON)] { zip(keys, values).map { ($0, $1) } }

    /// Hands over keys with their values, in order.
    func forEach(_ body: (String, JSON) -> Void) {
      for (place, key) in keys.enumerated() { body(key, values[place]) }
    }

    public static func == (a: Members, b: Members) -> Bool {
      a.keys == b.keys && a.values == b.values
    }
  }

  /// An object with members in the order given.
  public static func object(_ pairs: KeyValuePairs<String, JSON>) -> JSON {
    var members = Members()
    for (key, value) in pairs { members[key] = value }
    return .members(members)
  }

  /// An empty object.
  public static var emptyObject: JSON { .members(Members()) }

  /// One member of an object; `nil` when this is no object or has no such member.
  public subscript(key: String) -> JSON? {
    get {
      guard case .members(let members) = self else { return nil }
      return members[key]
    }
    set {
      guard case .members(var members) = self else { return }
      members[key] = newValue
      self = .members(members)
    }
  }

  /// The text, when this is a string.
  public var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// The truth value, when this is one.
  public var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  /// The whole number, when this is one (a float without fraction counts).
  public var int: Int? {
    switch self {
    case .integer(let value): Int(exactly: value)
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The number as a float, when this is one.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The elements, when this is an array.
  public var array: [JSON]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  /// The members, when this is an object.
  public var pairs: [(key: String, value: JSON)]? {
    guard case .members(let members) = self else { return nil }
    return members.pairs
  }

  /// Whether this is `null`.
  public var isNull: Bool { self == .null }

  /// An array of whole numbers, when every element is one.
  public var ints: [Int]? {
    guard let elements = array else { return nil }
    let values = elements.compactMap(\.int)
    return values.count == elements.count ? values : nil
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
  /// A string value.
  public init(stringLiteral value: String) { self = .string(value) }
  /// An integer value.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// A float value.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// An array value.
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  /// An integer value.
  public init(_ value: Int) { self = .integer(Int64(value)) }
  /// A float; a value that JSON cannot write (NaN, infinity) becomes `null`.
  public init(_ value: Double) { self = value.isFinite ? .number(value) : .null }
  /// A string, or `null` when there is none.
  public init(_ value: String?) { self = value.map { .string($0) } ?? .null }
}
