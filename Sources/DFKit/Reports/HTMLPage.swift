import CDFResources
import DeepfakeCore
import Foundation
import Mustache
import Training

/// A page of HTML that one of the built-in templates makes.
enum HTMLPage {
  /// The page that a template makes of a context.
  ///
  /// - Throws: where the template cannot be read.
  static func rendered(_ template: df_resource, _ context: [String: Any]) throws -> String {
    let bytes = UnsafeBufferPointer(start: template.bytes, count: template.count)
    return try MustacheTemplate(string: String(decoding: bytes, as: UTF8.self)).render(context)
  }

  /// Writes a page, whole or not at all.
  ///
  /// - Throws: `DatasetError.unwritable`.
  static func write(_ page: String, to file: URL) throws {
    try OutputFiles.write(page.utf8, to: file, failure: DatasetError.unwritable)
  }
}
