import Testing

/// The error that `body` ends in; nil, and an issue, where it does not.
public func failure<R, E: Error>(
  sourceLocation: SourceLocation = #_sourceLocation, of body: () throws(E) -> R
) -> E? {
  do throws(E) {
    let result = try body()
    Issue.record("no error, but \(result)", sourceLocation: sourceLocation)
    return nil
  } catch {
    return error
  }
}
