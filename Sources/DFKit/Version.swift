/// The version of the library and of the command.
public let dfkitVersion = "0.1.0"
