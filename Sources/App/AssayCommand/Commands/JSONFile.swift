import AssayBase

/// What is made of a JSON file; a finding about its content names the file.
func read<Result>(json path: String, _ make: (JSON) throws -> Result) throws -> Result {
  let bytes = try MappedFile(path: path).view
  return try locating(path) { try make(try JSON(parsing: bytes.array)) }
}

/// Reads a JSON file.
func readJSON(_ path: String) throws -> JSON { try read(json: path) { $0 } }

/// Writes a JSON file, whole or not at all.
func writeJSON(_ json: JSON, to path: String) throws {
  try AtomicFile.write(json.text(pretty: true) + "\n", to: path)
}
