import DeepfakeCore

extension Color {
  /// A track's colour: the first twelve differ from each other also for eyes that lack one kind of cone,
  /// then they come again.
  public static func track(_ id: Int) -> Color {
    palette[((id - 1) % palette.count + palette.count) % palette.count]
  }

  /// Chosen by search for the largest least distance in Oklab, seen with three kinds of cones and with
  /// each two of them (Machado et al. 2009); none so dark that it would be lost on film.
  private static let palette = [
    Color(0x55CCFF), Color(0xFF0066), Color(0xFFFF00), Color(0x7722FF), Color(0xFF99AA),
    Color(0xBBAA00), Color(0xAA1177), Color(0x99FFFF), Color(0x667700), Color(0xFFCC77),
    Color(0x7788FF), Color(0xAA77AA),
  ]

  private init(_ hex: UInt32) {
    self.init(
      red: UInt8(hex >> 16 & 0xFF), green: UInt8(hex >> 8 & 0xFF), blue: UInt8(hex & 0xFF))
  }
}
