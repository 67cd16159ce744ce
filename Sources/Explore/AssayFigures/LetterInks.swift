import AssayRate

extension Letter {
  /// The letter's color: the better, the darker, so that greyscale keeps the order.
  var ink: Ink {
    switch self {
    case .a: Ink(0x0B4F43)
    case .b: Ink(0x2C8062)
    case .c: Ink(0x8FA832)
    case .d: Ink(0xF0B44A)
    case .e: Ink(0xF7CDBB)
    }
  }

  /// A color to be read on `ink`.
  var onInk: Ink { ink.brightness < 0.5 ? .paper : .text }
}
