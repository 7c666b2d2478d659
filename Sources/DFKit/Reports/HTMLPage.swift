import CDFResources
import DeepfakeCore
import FaceData
import Foundation
import Mustache

/// Renders the built-in HTML templates and writes pages.
enum HTMLPage {
  /// Renders a Mustache template with the values in `context`.
  ///
  /// - Throws: An error if the template cannot be parsed.
  static func rendered(_ template: df_resource, _ context: [String: Any]) throws -> String {
    let bytes = UnsafeBufferPointer(start: template.bytes, count: template.count)
    return try MustacheTemplate(string: String(decoding: bytes, as: UTF8.self)).render(context)
  }

  /// Writes a page. If that fails, no partial file is left.
  ///
  /// - Throws: `DatasetError.unwritable` if the file cannot be written.
  static func write(_ page: String, to file: URL) throws {
    try OutputFiles.write(page.utf8, to: file, failure: DatasetError.unwritable)
  }
}
