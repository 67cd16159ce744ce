import AssayBase

/// Tables as text, with cells parted by commas.
public enum CSV {
  /// The records of a file, each with its first line.
  ///
  /// - Throws: `Diagnostic` DAT025 for what is no text, DAT031 as `records(of:)`.
  public static func records(ofFile path: String) throws -> [(line: Int, fields: [String])] {
    guard var text = try MappedFile(path: path).view.utf8 else {
      throw Diagnostic("DAT025", "the file is not text (UTF-8)", at: [path])
    }
    if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
    return try locating(path) { try records(of: text) }
  }

  /// The records of a CSV text (RFC 4180): fields may be quoted; empty lines are left out.
  ///
  /// - Throws: `Diagnostic` DAT031 with the line of a quote that does not end.
  public static func records(of text: String) throws -> [(line: Int, fields: [String])] {
    var records: [(line: Int, fields: [String])] = []
    var fields: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var wasQuoted = false
    var line = 1
    var start = 1
    func finishField() {
      fields.append(String(decoding: field, as: UTF8.self))
      field = []
      wasQuoted = false
    }
    func finishRecord() {
      finishField()
      if fields != [""] { records.append((start, fields)) }
      fields = []
    }
    let bytes = Array(text.utf8)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      let isNewline = byte == 0x0A || byte == 0x0D
      if isQuoted {
        if byte == 0x0A { line += 1 }
        if byte != UInt8(ascii: "\"") {
          field.append(byte)
        } else if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
          field.append(byte)
          index += 1
        } else {
          isQuoted = false
        }
      } else if byte == UInt8(ascii: "\""), field.isEmpty, !wasQuoted {
        isQuoted = true
        wasQuoted = true
      } else if byte == UInt8(ascii: ",") {
        finishField()
      } else if isNewline {
        finishRecord()
        if byte == 0x0D, index < bytes.count, bytes[index] == 0x0A { index += 1 }
        line += 1
        start = line
      } else {
        field.append(byte)
      }
    }
    if isQuoted {
      throw Diagnostic("DAT031", "a quoted field does not end", at: ["line \(start)"])
    }
    if !field.isEmpty || !fields.isEmpty { finishRecord() }
    return records
  }
}
