import Foundation

extension Error {
  /// The message for people: an error's own description, or the system's words for its errors.
  public var reason: String {
    type(of: self) is NSError.Type || self is CocoaError
      ? localizedDescription : String(describing: self)
  }
}
