import CDFResources
import DeepfakeCore
import Foundation
import MediaIO
import Settings

/// Weights that are embedded in the program: a safetensors file with a description.
///
/// ```swift
/// for weights in ShippedWeights.all { print(weights.name, weights.card?.about ?? "") }
/// if let weights = ShippedWeights.named("face-detector") {
///   let detector = try RetinaFace(weights: weights.read())
///   print(try detector.detect([photo])[0].count, "faces")
/// }
/// ```
public struct ShippedWeights: Sendable, Equatable {
  /// The name of the weights in commands and recipes.
  public let name: String
  /// The description; nil if there is none.
  public let card: Card?
  private let index: Int

  /// The description of weights that ship, from `Catalogue/shipped.yaml`.
  public struct Card: Sendable, Equatable {
    /// The purpose of the weights.
    package var kind: WeightsCatalogue.Kind
    /// A description in one line.
    public var about: String
    /// How the weights were made.
    public var made: String
    /// The licence of the weights.
    public var licence: String
    /// Other terms that bind users.
    public var terms: String
    /// Purposes that the weights are not meant for.
    public var notFor: String
    /// The document with more details: a file of dfkit's source.
    public var document: String
  }

  /// All weights that ship, in the order of listings.
  public static let all: [ShippedWeights] = {
    let cards = (try? Self.readCards()) ?? [:]
    return (0..<df_weights_count()).map { index in
      let name = String(cString: df_weights(index).name)
      return ShippedWeights(name: name, card: cards[name], index: index)
    }
  }()

  /// The weights with this name; nil if there are none.
  public static func named(_ name: String) -> ShippedWeights? {
    all.first { $0.name == name }
  }

  /// The names of all weights that ship, separated by commas.
  public static var names: String { all.map(\.name).joined(separator: ", ") }

  private init(name: String, card: Card?, index: Int) {
    self.name = name
    self.card = card
    self.index = index
  }

  /// The bytes of the file. They stay valid as long as the program runs.
  public var bytes: UnsafeRawBufferPointer {
    let resource = df_weights(index)
    return UnsafeRawBufferPointer(start: resource.bytes, count: resource.count)
  }

  /// The SHA-256 of the file's bytes.
  public var digest: String {
    let hash = SHA256()
    hash.update(bytes)
    return hash.digits()
  }

  /// The tensors. They use the embedded bytes without a copy.
  ///
  /// - Throws: `WeightsError` if the embedded file cannot be read.
  public func read() throws(WeightsError) -> StateDict {
    try .read(embedded: bytes, name: "built-in \(name)")
  }

  /// The descriptions of all weights, by name.
  ///
  /// - Throws: `RecipeError` if the embedded text is invalid.
  package static func readCards() throws(RecipeError) -> [String: Card] {
    let resource = df_weights_cards()
    let text = String(
      decoding: UnsafeBufferPointer(start: resource.bytes, count: resource.count), as: UTF8.self)
    var cards = Cards()
    var fields = SettingFields(.reading, try YAMLText.read(text, file: "shipped.yaml"))
    do {
      try fields.pass(over: &cards)
    } catch {
      throw RecipeError(file: "shipped.yaml", error)
    }
    return Dictionary(cards.list.map { ($0.name, $0.card) }) { first, _ in first }
  }

  /// The cards in the order of the text.
  private struct Cards: Described {
    var list: [(name: String, card: Card)] = []

    mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
      let empty = Card(
        kind: .classifier, about: "", made: "", licence: "", terms: "", notFor: "", document: "")
      try fields.items(
        "weights", &list, "a list of at least one entry", limit: 64, from: (name: "", card: empty),
        "Weights that ship."
      ) { entry, fields throws(SettingError) in
        func needed(_ key: String, _ text: inout String) throws(SettingError) {
          try fields.value(key, &text, .text, isNeeded: true, "Text.")
        }
        try needed("name", &entry.name)
        try fields.value(
          "kind", &entry.card.kind, .choice, isNeeded: true,
          "The kind of network that the weights are for.")
        try needed("about", &entry.card.about)
        try needed("made", &entry.card.made)
        try needed("licence", &entry.card.licence)
        try needed("terms", &entry.card.terms)
        try needed("notFor", &entry.card.notFor)
        try needed("card", &entry.card.document)
      }
    }
  }
}
