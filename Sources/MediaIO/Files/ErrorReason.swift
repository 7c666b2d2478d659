import Foundation

extension Error {
  /// The message for users: the error's own description, or the system's text for its errors.
  public var reason: String {
    guard type(of: self) is NSError.Type || self is CocoaError else {
      return String(describing: self)
    }
    // For many system errors Foundation's own text is only a number.
    if let cause = (self as NSError).userInfo[NSUnderlyingErrorKey] as? NSError,
      cause.domain == NSPOSIXErrorDomain
    {
      return String(cString: strerror(Int32(cause.code)))
    }
    if let error = self as? CocoaError, error.code == .fileWriteUnknown {
      return "it cannot be created; check that every part of the path is a folder"
    }
    return localizedDescription
  }
}
