import AssayFormat
import AssayGraph
import AssayTensor

extension ProgramImporter {
  /// The result of arithmetic on numbers that are known at import: extents, mostly; `nil` when the
  /// function is not known.
  func foldedNumber(_ call: ATenCall) throws -> Scalar? {
    if call.name == "sym_size" {
      let shape = try type(call.tensor("self")).shape
      return .int(shape[try axis(call.int("dim"), rank: shape.rank, call)])
    }
    if call.name == "sym_numel" { return .int(try type(call.tensor("self")).shape.count) }
    let numbers = try call.arguments.map { argument -> Scalar in
      guard case .scalar(let value) = argument else {
        throw call.unsupported("an argument that is no number")
      }
      return value
    }
    func wrong() -> any Error { call.unsupported("\(numbers)") }
    if numbers.count == 1 {
      switch (call.name, numbers[0]) {
      case ("sym_int", let value), ("trunc", let value), ("int", let value):
        guard let whole = Int(exactly: value.double.rounded(.towardZero)) else { throw wrong() }
        return .int(whole)
      case ("ceil", let value):
        guard let whole = Int(exactly: value.double.rounded(.up)) else { throw wrong() }
        return .int(whole)
      case ("floor", let value):
        guard let whole = Int(exactly: value.double.rounded(.down)) else { throw wrong() }
        return .int(whole)
      case ("round", let value):
        guard let whole = Int(exactly: value.double.rounded(.toNearestOrEven)) else {
          throw wrong()
        }
        return .int(whole)
      case ("sym_float", let value): return .float(value.double)
      case ("neg", .int(let value)): return .int(0 &- value)
      case ("neg", let value): return .float(-value.double)
      case ("sym_not", .bool(let flag)), ("not_", .bool(let flag)): return .bool(!flag)
      case ("_sym_sqrt", let value), ("sqrt", let value): return .float(value.double.squareRoot())
      default: return nil
      }
    }
    guard numbers.count == 2 else { return nil }
    let (a, b) = (numbers[0], numbers[1])
    switch call.name {
    case "eq": return .bool(a.double == b.double)
    case "ne": return .bool(a.double != b.double)
    case "lt": return .bool(a.double < b.double)
    case "le": return .bool(a.double <= b.double)
    case "gt": return .bool(a.double > b.double)
    case "ge": return .bool(a.double >= b.double)
    case "truediv", "int_truediv":
      return .float(a.double / b.double)
    default: break
    }
    guard case .int(let x) = a, case .int(let y) = b else {
      switch call.name {
      case "add": return .float(a.double + b.double)
      case "sub": return .float(a.double - b.double)
      case "mul": return .float(a.double * b.double)
      case "floordiv": return .float((a.double / b.double).rounded(.down))
      case "sym_max", "max": return .float(max(a.double, b.double))
      case "sym_min", "min": return .float(min(a.double, b.double))
      default: return nil
      }
    }
    let (value, isWrong): (Int, Bool)
    switch call.name {
    case "add": (value, isWrong) = x.addingReportingOverflow(y)
    case "sub": (value, isWrong) = x.subtractingReportingOverflow(y)
    case "mul": (value, isWrong) = x.multipliedReportingOverflow(by: y)
    case "floordiv":
      let (quotient, overflow) = x.dividedReportingOverflow(by: y)
      (value, isWrong) = (
        !overflow && x % y != 0 && (x < 0) != (y < 0) ? quotient - 1 : quotient, overflow
      )
    case "mod":
      let (rest, overflow) = x.remainderReportingOverflow(dividingBy: y)
      (value, isWrong) = (
        !overflow && rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest, overflow
      )
    case "sym_max", "max": (value, isWrong) = (max(x, y), false)
    case "sym_min", "min": (value, isWrong) = (min(x, y), false)
    default: return nil
    }
    guard !isWrong else { throw wrong() }
    return .int(value)
  }
}
