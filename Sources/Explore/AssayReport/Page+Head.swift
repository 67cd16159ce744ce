extension Page {
  /// Everything of a page before its body: it needs no network and no other file, and may load none.
  ///
  /// - Parameter hasScript: whether scripts and pictures of the page itself are allowed.
  static func head(_ title: Markup, style: Markup, hasScript: Bool = true) -> Markup {
    let more: Markup = hasScript ? "; script-src 'unsafe-inline'; img-src data:" : ""
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'\(more)">
      <title>\(title)</title>
      <style>\(style)</style>
      </head>
      """
  }
}
